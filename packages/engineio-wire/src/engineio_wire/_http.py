"""The HTTP phase of a connection: requests one after the other, until the connection closes or is upgraded.

One request at a time: the next head is looked at only after the answer before it was taken, so answers keep
their order and a client that pipelines is held back by itself. What arrives meanwhile waits in `buffer`, up to
the head limit (then `wants_read` is False).

    head -> Exchange -> [body] -> answer taken -> next head
         `-> Link DECIDING -> 101: `accepted` is True, and the wire takes link, buffer and output over
                           `-> refused: written raw, close

An answer may be taken before the body is complete (413, an unknown session): then the rest of the body is read
and thrown away up to `max_drain_size`, and the connection goes on, as Node's does.

`wire` is passed to every method and never kept, so an `HttpSide` is no part of a reference cycle of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

from engineio_proto import Exchange, ExchangeState, Link, LinkState, Request, Response

from ._deadlines import Waiting
from ._events import RequestReceived, WireEvent
from ._handshake import HandshakeRefused, accepted_bytes, check_handshake, refused_bytes
from ._head import BadRequest, Head
from ._request_reader import RequestReader
from ._response import CONTINUE, bare_refusal, response_bytes

if TYPE_CHECKING:
    from ._server import WireServer
    from ._wire import Wire

E = TypeVar("E")

# Chunks of a body that are looked at in one slice; about 10 us each.
_PIECES_PER_SLICE: Final = 1024


class HttpSide(Generic[E]):
    """The HTTP machine of one wire.

    Attributes:
        buffer: bytes that are not yet looked at, or an incomplete head.
        output: bytes to send ahead of the current exchange's answer.
        link: the upgrade that the engine decides about, or None.
        accepted: the engine accepted `link`; `output` ends with the 101 answer.
    """

    __slots__ = (
        "_body",
        "_drained",
        "_eof",
        "_exchange",
        "_foreign",
        "_handshake",
        "_head",
        "_keep_alive",
        "_reader",
        "_remote_address",
        "_secure",
        "_server",
        "_taken",
        "_unread",
        "accepted",
        "buffer",
        "link",
        "output",
    )

    def __init__(self, server: WireServer[E], remote_address: str, secure: bool) -> None:
        self._server = server
        self._remote_address = remote_address
        self._secure = secure
        self.buffer = b""
        self.output = b""
        # Whether `buffer`, or the body's reader, holds input that was not looked at yet.
        self._unread = False
        self._eof = False
        self._exchange: Exchange | None = None
        self._head: Head | None = None
        # Only while the body of the current request arrives.
        self._reader: RequestReader | None = None
        # Whether the current request is none of the engine's, and what has arrived of its body.
        self._foreign = False
        self._body: bytearray | None = None
        self._keep_alive = True
        # Whether the answer was taken while the body still arrives, and what was thrown away since.
        self._taken = False
        self._drained = 0
        self.link: Link | None = None
        self._handshake: list[str] = []
        self.accepted = False

    # Inputs.

    def receive_bytes(self, wire: Wire[E], data: bytes, now: float) -> list[E | WireEvent]:
        """Bytes of the peer."""
        self._server.deadlines.saw(now)
        reader = self._reader
        if reader is not None:
            reader.feed(data)
        else:
            self.buffer += data
        self._unread = True
        return self.resume(wire, now)

    def resume(self, wire: Wire[E], now: float) -> list[E | WireEvent]:
        """Look at what is buffered, for one slice."""
        events: list[E | WireEvent] = []
        most = self._server.config.max_events_per_slice
        if self._resume_payload(events, now) and self._exchange is not None:
            self._look_at_state(wire, self._exchange)
        try:
            while self._unread and not wire.closing and not wire.blocked and len(events) < most:
                if self._reader is not None:
                    if not self._read_body(wire, self._reader, events, now):
                        break
                elif self._exchange is not None or self.link is not None:
                    break
                else:
                    self._read_head(wire, events, now)
        except BadRequest as refusal:
            self._refuse(wire, refusal.status, events, now)
        if self._eof and not wire.closing:
            self._look_at_eof(wire, events, now)
        return events

    def _resume_payload(self, events: list[E | WireEvent], now: float) -> bool:
        """Let the engine go on with a long payload; whether it did."""
        exchange = self._exchange
        if exchange is None or not exchange.has_more:
            return False
        events += self._server.engine.resume_body(exchange, now)
        return True

    def receive_eof(self, wire: Wire[E], now: float) -> list[E | WireEvent]:
        """The peer sends no more. What it sent is still answered, except a poll, whose client is gone."""
        self._eof = True
        events: list[E | WireEvent] = []
        self._look_at_eof(wire, events, now)
        return events

    def _look_at_eof(self, wire: Wire[E], events: list[E | WireEvent], now: float) -> None:
        exchange = self._exchange
        if exchange is not None and not self._taken:
            if not self._waits(exchange):
                return  # The answer is still to be taken.
            if self._foreign and self._reader is None:
                return  # The answer is still to come.
        if self._unread and self.link is None and (self._reader is not None or exchange is None):
            return  # There may be a whole request in what is here.
        events += self.connection_lost(now)
        # Observed: a FIN aborts a pending GET.
        wire.finish(abort=exchange is not None)

    def connection_lost(self, now: float) -> list[E | WireEvent]:
        """The connection is gone: tell the engine what it will not be able to answer."""
        engine = self._server.engine
        events: list[E | WireEvent] = []
        link, exchange = self.link, self._exchange
        self.link = self._exchange = self._reader = self._body = None
        self.buffer = self.output = b""
        self._unread = False
        if link is not None and not self.accepted and link.state is not LinkState.REFUSED:
            events += engine.link_closed(link, now)
        if exchange is not None and not self._taken and self._waits(exchange) and not self._foreign:
            events += engine.exchange_closed(exchange, now)
        return events

    def handle_timeout(self, wire: Wire[E], now: float) -> list[E | WireEvent]:
        """The head, the body or the next request did not come in time."""
        events: list[E | WireEvent] = []
        idle = self._exchange is None and not self.buffer
        # Node answers 408 to a request that began, and closes an idle connection without a word.
        if idle or self._taken or wire.blocked:
            events += self.connection_lost(now)
            wire.finish(abort=wire.blocked)
        else:
            self._refuse(wire, 408, events, now)
        return events

    def write_blocked(self, wire: Wire[E]) -> None:
        """The peer does not read its answer: no next request, and not for ever."""
        self._server.deadlines.arm_late(Waiting.BODY, wire)

    def write_ready(self, wire: Wire[E], now: float) -> None:
        """The peer has read it."""
        deadlines = self._server.deadlines
        if self._reader is not None:
            deadlines.arm(Waiting.BODY, wire, now)
        elif self._exchange is not None or self.link is not None:
            deadlines.cancel(wire)
        else:
            deadlines.arm(Waiting.HEAD if self.buffer else Waiting.IDLE, wire, now)

    # Outputs.

    @property
    def has_pending(self) -> bool:
        """Whether `resume` would look at something."""
        exchange = self._exchange
        if exchange is not None and exchange.has_more:
            return True
        return self._unread and (self._reader is not None or (exchange is None and self.link is None))

    @property
    def wants_read(self) -> bool:
        """Whether more input may come now."""
        if self._exchange is None and self.link is None:
            return not self.has_pending
        if self._reader is not None:
            return not self._unread
        return len(self.buffer) <= self._server.config.max_head_size

    def take_bytes(self, wire: Wire[E]) -> bytes:
        """All output; the answer of the current exchange is made here."""
        if self.link is not None:
            self._settle_upgrade(wire, self.link)
        exchange = self._exchange
        if exchange is not None and not self._taken:
            response = exchange.take_response()
            if exchange.state is ExchangeState.ABORTED:
                wire.finish(abort=True)
                return b""
            if response is not None:
                self._answer(wire, exchange, response)
        output = self.output
        self.output = b""
        return output

    # The head.

    def _read_head(self, wire: Wire[E], events: list[E | WireEvent], now: float) -> None:
        server = self._server
        config = server.config
        # RFC 9112 2.2: "SHOULD ignore at least one empty line (CRLF) received prior to the request-line".
        buffer = self.buffer
        while buffer.startswith(b"\r\n"):
            buffer = buffer[2:]
        self.buffer = buffer
        end = buffer.find(b"\r\n\r\n") + 4
        if end < 4 or end > config.max_head_size:
            if len(buffer) > config.max_head_size:
                raise BadRequest(431, "request head too large")
            # A method is a token; a TLS hello or a binary protocol is refused at its first byte.
            if buffer and not (buffer[0] > 0x20 and buffer[0] < 0x7F):
                raise BadRequest(400, "no request line")
            if buffer and buffer.replace(b"\r\n", b"").find(b"\n") >= 0:
                raise BadRequest(400, "bare LF in the head")
            self._unread = False
            if buffer and server.deadlines.waiting(wire) is not Waiting.HEAD:
                server.deadlines.arm(Waiting.HEAD, wire, now)
            return
        server.deadlines.cancel(wire)
        raw, rest = buffer[:end], buffer[end:]
        self.buffer = b""
        reader = RequestReader(raw, max_head_size=config.max_head_size, max_headers=config.max_headers)
        head = self._head = reader.head
        request = Request(
            head.method,
            head.target,
            head.headers,
            remote_address=self._remote_address,
            secure=self._secure,
        )
        self._keep_alive = head.keep_alive
        self._taken = False
        self._drained = 0
        owned = server.engine.owns(request.target)
        # An offer of another protocol to another path is an ordinary request (h2c: RFC 9110 7.8).
        if head.upgrade is not None and (owned or head.upgrade.lower() == "websocket"):
            self.buffer = rest
            self._unread = bool(rest)
            self._receive_upgrade(wire, request, owned, events, now)
            return
        exchange = self._exchange = Exchange(wire, request)
        self._foreign = not owned
        self._body = None if owned else bytearray()
        if owned:
            events += server.engine.receive_request(exchange, now)
        if head.has_body:
            self._reader = reader
            reader.feed(rest)
            self._unread = bool(rest)
            server.deadlines.arm(Waiting.BODY, wire, now)
            if self._begin_body(head, exchange):
                server.engine.dirty.mark(wire)
        else:
            self.buffer = rest
            self._unread = bool(rest)
            self._end_body(exchange, events, now)
        self._look_at_state(wire, exchange)

    def _begin_body(self, head: Head, exchange: Exchange) -> bool:
        if not self._waits(exchange):
            if head.expects_continue:
                # RFC 9110 10.1.1: the peer may or may not send its body now, so what follows has no meaning.
                self._keep_alive = False
            return False
        if self._foreign and head.content_length > self._server.config.max_body_size:
            self._body = None
            exchange.answer(Response(413))
            self._keep_alive = self._keep_alive and not head.expects_continue
            return False
        if head.expects_continue:
            self.output += CONTINUE
            return True
        return False

    # The body.

    def _read_body(
        self, wire: Wire[E], reader: RequestReader, events: list[E | WireEvent], now: float
    ) -> bool:
        """Read what is here; whether to go on with what follows the body."""
        exchange = self._exchange
        assert exchange is not None
        data, more = reader.read(_PIECES_PER_SLICE)
        self._unread = more
        if self._taken:
            self._drained += len(data)
            if self._drained > self._server.config.max_drain_size:
                wire.finish()
                return False
        elif data:
            self._pass_body(exchange, data, events, now)
        if reader.complete:
            self._reader = None
            self._server.deadlines.cancel(wire)
            self.buffer = reader.rest
            self._unread = bool(self.buffer)
            if self._taken:
                self._next_request(wire)
                return True
            self._end_body(exchange, events, now)
        self._look_at_state(wire, exchange)
        return not more

    def _pass_body(self, exchange: Exchange, data: bytes, events: list[E | WireEvent], now: float) -> None:
        if self._body is not None:
            self._body += data
            if len(self._body) > self._server.config.max_body_size and self._waits(exchange):
                self._body = None
                exchange.answer(Response(413))
        elif exchange.wants_body:
            events += self._server.engine.receive_body(exchange, data, now)

    def _end_body(self, exchange: Exchange, events: list[E | WireEvent], now: float) -> None:
        if self._foreign:
            body, self._body = self._body, None
            if body is not None:
                events.append(RequestReceived(exchange, bytes(body)))
        elif exchange.wants_body:
            events += self._server.engine.receive_body_end(exchange, now)

    def _look_at_state(self, wire: Wire[E], exchange: Exchange) -> None:
        if exchange.state is ExchangeState.ABORTED:
            wire.finish(abort=True)
        elif exchange.state is ExchangeState.ANSWERED:
            self._server.engine.dirty.mark(wire)

    def _waits(self, exchange: Exchange) -> bool:
        return exchange.state is ExchangeState.RECEIVING or exchange.state is ExchangeState.WAITING

    # The answer.

    def _answer(self, wire: Wire[E], exchange: Exchange, response: Response) -> None:
        server = self._server
        head = self._head
        assert head is not None
        if self._reader is not None and head.content_length > server.config.max_drain_size:
            self._keep_alive = False
        if any(name.lower() == "connection" and value.lower() == "close" for name, value in response.headers):
            self._keep_alive = False
        if self._eof and not self._unread:
            self._keep_alive = False
        self.output += response_bytes(
            response,
            method=head.method,
            keep_alive=int(server.config.keep_alive_timeout) if self._keep_alive else None,
            date=server.http_date() if server.http_date is not None else None,
        )
        self._taken = True
        if self._reader is None:
            self._next_request(wire)
        elif self._eof or (head.expects_continue and not self._keep_alive):
            wire.finish()

    def _next_request(self, wire: Wire[E]) -> None:
        self._exchange = self._head = self._body = None
        self._taken = False
        if not self._keep_alive:
            wire.finish()
        elif not self.buffer:
            self._server.deadlines.arm_late(Waiting.IDLE, wire)

    def _refuse(self, wire: Wire[E], status: int, events: list[E | WireEvent], now: float) -> None:
        """Answer what cannot be understood, and close."""
        answered = self._exchange is not None and not self._waits(self._exchange)
        if answered and self._exchange is not None and not self._taken:
            # Its answer goes out, or is out; nothing can follow it.
            self._keep_alive = False
            response = self._exchange.take_response()
            if response is not None:
                self._answer(wire, self._exchange, response)
        output = self.output
        events += self.connection_lost(now)
        self.output = output if answered else output + bare_refusal(status)
        wire.finish()

    # The upgrade.

    def _receive_upgrade(
        self, wire: Wire[E], request: Request, owned: bool, events: list[E | WireEvent], now: float
    ) -> None:
        head = self._head
        assert head is not None
        if head.has_body:
            raise BadRequest(400, "an upgrade request with a body")
        if not owned:
            self.output += bare_refusal(404)
            wire.finish()
            return
        try:
            self._handshake = check_handshake(request)
        except HandshakeRefused as refusal:
            self.output += refusal.answer
            wire.finish()
            return
        link = self.link = Link(wire, request, now=now)
        events += self._server.engine.receive_upgrade(link, now)
        self._settle_upgrade(wire, link)

    def _settle_upgrade(self, wire: Wire[E], link: Link) -> None:
        """Write the answer once the engine has decided."""
        if self.accepted or link.state is LinkState.DECIDING:
            return
        if link.state is LinkState.REFUSED:
            assert link.refusal is not None
            self.output += refused_bytes(link.refusal)
            self.link = None
            wire.finish()
            return
        self.output += accepted_bytes(self._handshake, link.headers)
        self.accepted = True
        self._server.engine.dirty.mark(wire)
