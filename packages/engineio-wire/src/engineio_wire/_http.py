"""The HTTP phase of a connection: requests one after the other, until the connection closes or is upgraded.

One request at a time: the next head is looked at only after the answer before it was taken, so answers keep
their order and a client that pipelines is held back by itself. What arrives meanwhile waits in `buffer`, up to
the head limit (then `wants_read` is False).

    head -> RequestCycle -> next head
         `-> Handshake --> accepted: the wire takes its link, `buffer` and `output` over and is a WebSocket
                      `--> refused: written raw, close

`wire` is passed to every method and never kept, so an `HttpSide` is no part of a reference cycle of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from engineio_proto import Exchange, ExchangeState, Link, LinkState, Request

from ._body import BodyReader, ChunkedBody, LengthBody
from ._deadlines import Waiting
from ._events import WireEvent
from ._handshake import Handshake, HandshakeRefused
from ._head import Head, read_head
from ._http_engine import BadRequest
from ._request_cycle import RequestCycle
from ._response import bare_refusal

if TYPE_CHECKING:
    from ._server import WireServer
    from ._wire import Wire

E = TypeVar("E")

# RFC 9112 2.2: "SHOULD ignore at least one empty line (CRLF) received prior to the request-line".
_EMPTY_LINES: Final = re.compile(rb"\A(?:\r\n)++")


class HttpSide(Generic[E]):
    """The HTTP machine of one wire.

    Attributes:
        buffer: an incomplete head, or bytes that were not looked at yet.
        output: bytes to send ahead of the current request's answer.
        handshake: the upgrade that the engine decides about, or has accepted.
    """

    __slots__ = (
        "_cycle",
        "_eof",
        "_remote_address",
        "_secure",
        "_server",
        "_unread",
        "buffer",
        "handshake",
        "output",
    )

    def __init__(self, server: WireServer[E], remote_address: str, secure: bool) -> None:
        self._server = server
        self._remote_address = remote_address
        self._secure = secure
        self.buffer = b""
        self.output = b""
        # Whether `buffer` holds bytes that were not looked at yet.
        self._unread = False
        self._eof = False
        self._cycle: RequestCycle[E] | None = None
        self.handshake: Handshake | None = None

    # Inputs.

    def receive_bytes(self, wire: Wire[E], data: bytes, now: float) -> list[E | WireEvent]:
        """Bytes of the peer."""
        cycle = self._cycle
        if cycle is not None and cycle.receiving:
            cycle.feed(data)
        else:
            self.buffer += data
            self._unread = True
        return self.resume(wire, now)

    def resume(self, wire: Wire[E], now: float) -> list[E | WireEvent]:
        """Look at what is buffered, for one slice."""
        events: list[E | WireEvent] = []
        most = self._server.config.max_events_per_slice
        try:
            while not wire.closing and self.has_pending and not wire.blocked and len(events) < most:
                cycle = self._cycle
                if cycle is None:
                    self._read_head(wire, events, now)
                elif cycle.exchange.has_more:
                    events += self._server.engine.resume_body(cycle.exchange, now)
                    self._look_at_state(wire, cycle, now)
                elif not cycle.receiving:
                    cycle.end_late(events, now)
                    self._look_at_state(wire, cycle, now)
                elif self._read_body(wire, cycle, events, now):
                    break
        except BadRequest as refusal:
            self._refuse(wire, refusal.status, events, now)
        if self._eof and not wire.closing:
            self._look_at_eof(wire, events, now)
        return events

    def receive_eof(self, wire: Wire[E], now: float) -> list[E | WireEvent]:
        """The peer sends no more. What it sent is still answered, except a poll, whose client is gone."""
        self._eof = True
        events: list[E | WireEvent] = []
        self._look_at_eof(wire, events, now)
        return events

    def _look_at_eof(self, wire: Wire[E], events: list[E | WireEvent], now: float) -> None:
        cycle = self._cycle
        if cycle is None:
            if self._unread and self.handshake is None:
                return  # There may be a whole request in what is here.
        elif cycle.unread or cycle.exchange.backlog:
            return  # There may be the whole body, or there is, and packets of it wait for their slice.
        elif not cycle.taken and not cycle.waits:
            return  # The answer is still to be taken.
        elif cycle.foreign and not cycle.receiving:
            return  # The answer is still to come.
        events += self.connection_lost(now)
        # Observed: a FIN aborts a pending GET.
        wire.finish(now, abort=cycle is not None)

    def connection_lost(self, now: float) -> list[E | WireEvent]:
        """The connection is gone: tell the engine what it will not be able to answer."""
        events: list[E | WireEvent] = []
        cycle, handshake = self._cycle, self.handshake
        self._cycle = self.handshake = None
        self.buffer = self.output = b""
        self._unread = False
        if handshake is not None and handshake.link.state is not LinkState.REFUSED:
            events += self._server.engine.link_closed(handshake.link, now)
        if cycle is not None:
            events += cycle.connection_lost(now)
        return events

    def handle_timeout(self, wire: Wire[E], now: float) -> list[E | WireEvent]:
        """The head, the body or the next request did not come in time, or the peer did not read."""
        events: list[E | WireEvent] = []
        cycle = self._cycle
        # Node answers 408 to a request that began, and closes an idle connection without a word.
        if wire.blocked or (cycle is None and not self.buffer) or (cycle is not None and cycle.taken):
            events += self.connection_lost(now)
            wire.finish(now, abort=wire.blocked)
        else:
            self._refuse(wire, 408, events, now)
        return events

    def write_blocked(self, wire: Wire[E], now: float) -> None:
        """The peer does not read its answer: no next request, and not for ever."""
        self._server.deadlines.arm(Waiting.BODY, wire, now)

    def write_ready(self, wire: Wire[E], now: float) -> None:
        """The peer has read it."""
        deadlines = self._server.deadlines
        cycle = self._cycle
        if cycle is not None and cycle.receiving:
            deadlines.arm(Waiting.BODY, wire, now)
        elif cycle is not None or self.handshake is not None:
            deadlines.cancel(wire)
        else:
            deadlines.arm(Waiting.HEAD if self.buffer else Waiting.IDLE, wire, now)

    # Outputs.

    @property
    def idle(self) -> bool:
        """Whether no request is under way, and no answer is to be written."""
        return self._cycle is None and self.handshake is None and not self.buffer and not self.output

    @property
    def has_pending(self) -> bool:
        """Whether `resume` would look at something."""
        cycle = self._cycle
        if cycle is None:
            return self._unread and self.handshake is None
        if cycle.exchange.undecided:
            return False
        return cycle.unread or cycle.exchange.has_more or cycle.ends_late

    @property
    def wants_read(self) -> bool:
        """Whether more input may come now."""
        cycle = self._cycle
        if cycle is not None and cycle.receiving:
            return not cycle.unread
        if cycle is None and self.handshake is None:
            return not self._unread
        return len(self.buffer) <= self._server.config.max_head_size

    def take_bytes(self, wire: Wire[E], now: float) -> bytes:
        """All output; the answer of the current request is made here."""
        if self.handshake is not None:
            self._settle(wire, self.handshake, now)
        cycle = self._cycle
        if cycle is not None:
            answer = cycle.take_answer(last=self._eof and not self._unread)
            if cycle.exchange.state is ExchangeState.ABORTED:
                wire.finish(now, abort=True)
                return b""
            if answer:
                self.output += answer
                self._look_at_end(wire, cycle, now)
        output, self.output = self.output, b""
        return output

    # One request.

    def _read_head(self, wire: Wire[E], events: list[E | WireEvent], now: float) -> None:
        server = self._server
        config = server.config
        raw = self._take_head(config.max_head_size)
        if raw is None:
            self._unread = False
            waiting = server.deadlines.waiting(wire)
            if self.buffer and waiting is not Waiting.HEAD:
                server.deadlines.arm(Waiting.HEAD, wire, now)
            elif waiting is None:  # Behind the last request stood empty lines, and nothing else.
                server.deadlines.arm(Waiting.IDLE, wire, now)
            return
        server.deadlines.cancel(wire)
        head = read_head(raw, server.http_engine, config.max_headers)
        request = Request(
            head.method,
            head.target,
            head.headers,
            remote_address=self._remote_address,
            secure=self._secure,
        )
        owned = server.engine.owns(request.target)
        # An offer of another protocol to another path is an ordinary request (h2c: RFC 9110 7.8), and so is any where
        # nobody waits for WebSockets.
        if (
            server.websocket
            and head.upgrade is not None
            and (owned or head.upgrade.lower() == "websocket")
        ):
            if head.has_body:
                raise BadRequest(400, "an upgrade request with a body")
            self._receive_upgrade(wire, request, owned, events, now)
            return
        cycle = self._cycle = RequestCycle(
            server, Exchange(wire, request), head, self._body_reader(head), foreign=not owned
        )
        if cycle.receiving:
            cycle.feed(self.buffer)
            self.buffer = b""
            self._unread = False
            server.deadlines.arm(Waiting.BODY, wire, now)
        self.output += cycle.begin(events, now)
        if self.output:
            server.engine.dirty.mark(wire)
        self._look_at_state(wire, cycle, now)

    def _body_reader(self, head: Head) -> BodyReader | None:
        if head.chunked:
            config = self._server.config
            return ChunkedBody(max_line=config.max_head_size, max_trailers=config.max_headers)
        return LengthBody(head.content_length) if head.content_length else None

    def _take_head(self, max_head_size: int) -> bytes | None:
        """Cut a complete head off the buffer; None while it is incomplete."""
        buffer = self.buffer
        if buffer.startswith(b"\r\n"):
            buffer = _EMPTY_LINES.sub(b"", buffer, 1)
        end = buffer.find(b"\r\n\r\n") + 4
        if 4 <= end <= max_head_size:
            self.buffer = buffer[end:]
            self._unread = bool(self.buffer)
            return buffer[:end]
        self.buffer = buffer
        if len(buffer) > max_head_size:
            raise BadRequest(431, "request head too large")
        # A method is a token: a TLS hello or a binary protocol is refused at its first byte.
        if buffer and not 0x20 < buffer[0] < 0x7F and buffer != b"\r":
            raise BadRequest(400, "no request line")
        if buffer.count(b"\n") != buffer.count(b"\r\n"):
            raise BadRequest(400, "bare LF in the head")
        return None

    def _read_body(
        self, wire: Wire[E], cycle: RequestCycle[E], events: list[E | WireEvent], now: float
    ) -> bool:
        """Read what is here; whether that was a slice of it."""
        rest = cycle.read_body(events, now)
        if not cycle.receiving:
            self._server.deadlines.cancel(wire)
            self.buffer = rest
            self._unread = bool(rest)
        if cycle.drained_out:
            wire.finish(now)
        elif cycle.taken:
            self._look_at_end(wire, cycle, now)
        else:
            self._look_at_state(wire, cycle, now)
        return cycle.unread

    def _look_at_state(self, wire: Wire[E], cycle: RequestCycle[E], now: float) -> None:
        state = cycle.exchange.state
        if state is ExchangeState.ABORTED:
            wire.finish(now, abort=True)
        elif state is ExchangeState.ANSWERED:
            self._server.engine.dirty.mark(wire)

    def _look_at_end(self, wire: Wire[E], cycle: RequestCycle[E], now: float) -> None:
        """After the answer was taken: the next request, a close, or the rest of a body."""
        if not cycle.over:
            if self._eof and not cycle.unread:
                wire.finish(now)
            return
        self._cycle = None
        if not cycle.keep_alive:
            wire.finish(now)
        elif not self.buffer:
            self._server.deadlines.arm(Waiting.IDLE, wire, now)

    def _refuse(self, wire: Wire[E], status: int, events: list[E | WireEvent], now: float) -> None:
        """Answer what cannot be understood, and close."""
        cycle = self._cycle
        if cycle is not None and not cycle.waits:
            # Its answer goes out, or is out; nothing can follow it.
            output = self.output + cycle.take_answer(last=True)
        else:
            output = self.output + bare_refusal(status)
        events += self.connection_lost(now)
        self.output = output
        wire.finish(now)

    # The upgrade.

    def _receive_upgrade(
        self, wire: Wire[E], request: Request, owned: bool, events: list[E | WireEvent], now: float
    ) -> None:
        if not owned:
            self.output += bare_refusal(404)
            wire.finish(now)
            return
        try:
            handshake = Handshake(Link(wire, request, now=now), self._server.per_message_deflate)
        except HandshakeRefused as refusal:
            self.output += refusal.answer
            wire.finish(now)
            return
        self.handshake = handshake
        events += self._server.engine.receive_upgrade(handshake.link, now)
        self._settle(wire, handshake, now)

    def _settle(self, wire: Wire[E], handshake: Handshake, now: float) -> None:
        """Write the answer once the engine has decided."""
        answer = handshake.take_answer()
        if not answer:
            return
        self.output += answer
        if handshake.accepted:
            self._server.engine.dirty.mark(wire)
        else:
            self.handshake = None
            wire.finish(now)
