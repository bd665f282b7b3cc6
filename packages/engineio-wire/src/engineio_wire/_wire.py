"""One TCP connection: bytes in, events out, bytes to write.

A wire begins with HTTP (`HttpSide`) and, after a 101, is a WebSocket for the rest of its life. An open WebSocket
between two frames is this object and its link, nothing else: no parser, no buffer, no timer. What it holds at
other times is in `WebSocketSide`.

Three parties drive it:

    the network   receive_bytes, resume, receive_eof, connection_lost, write_blocked, write_ready
    the user      through the engine: a session queues, and `dirty` holds this wire
    the timer     handle_timeout, called by `WireServer`

Whatever happened, a wire with something to write, to read differently or to close is in `engine.dirty`. A
binding then takes and writes its bytes, closes it if `closing`, pauses or resumes reading by `wants_read`, and
calls `resume` soon if `has_pending`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

from engineio_proto import Link, LinkState

from ._deadlines import Waiting
from ._direct import read_direct
from ._events import WireEvent
from ._frames import WHOLE_BINARY, WHOLE_TEXT, int_from_bytes, outgoing_frames
from ._http import HttpSide
from ._websocket import WebSocketSide, link_frames

if TYPE_CHECKING:
    from ._server import WireServer

E = TypeVar("E")

# Frames that give no events (heartbeats, acks, pings) count less than events, but they count.
_FRAMES_PER_EVENT: Final = 4
_OPEN: Final = LinkState.OPEN


class Wire(Generic[E]):
    """The machine of one connection; made by `WireServer.wire`.

    Attributes:
        closing: after the bytes of `take_bytes` are written, close the connection.
        abort: close it now, whatever is unwritten.
        blocked: the transport cannot take more; between `write_blocked` and `write_ready`.
        server: what all wires share.
        engine: the server's.
        http: until the 101.
        link: from the 101 until the engine was told that the WebSocket is over.
        websocket: while the WebSocket is not simply open and idle.
    """

    __slots__ = (
        "__weakref__",
        "abort",
        "blocked",
        "closing",
        "engine",
        "http",
        "link",
        "server",
        "websocket",
    )

    def __init__(self, server: WireServer[E], remote_address: str, secure: bool) -> None:
        self.server = server
        self.engine = server.engine
        self.closing = False
        self.abort = False
        self.blocked = False
        self.http: HttpSide[E] | None = HttpSide(server, remote_address, secure)
        self.link: Link | None = None
        self.websocket: WebSocketSide | None = None

    # Inputs.

    def receive_bytes(self, data: bytes, now: float) -> list[E] | list[E | WireEvent]:
        """Bytes of the peer. Returns at most about one slice of events; see `has_pending`."""
        link = self.link
        if link is not None and self.websocket is None:
            link.last_received = now
            # Most reads are exactly one short frame: first byte, 0x80 + length, mask, payload. Its masking is
            # undone here, not in a function, because a call costs as much as the rest.
            size = len(data) - 6
            if (
                0 <= size <= 125
                and data[1] == size + 0x80
                and link.state is _OPEN
                and not link.paused
                and size <= self.server.short_limit
            ):
                first = data[0]
                key = data[2:6] * ((size + 3) >> 2)
                masked = int_from_bytes(data[6:], "little")
                payload = (masked ^ int_from_bytes(key[:size], "little")).to_bytes(size, "little")
                if first == WHOLE_TEXT:
                    try:
                        text = payload.decode()
                    except UnicodeDecodeError:
                        pass  # The careful way refuses it.
                    else:
                        return self.engine.receive_text(link, text, now)
                elif first == WHOLE_BINARY:
                    return self.engine.receive_bytes(link, payload, now)
        return self._receive(data, now)

    def resume(self, now: float) -> list[E | WireEvent]:
        """Go on with input that is buffered: the next slice, or after something held it up."""
        if not self.has_pending:
            return []
        if self.http is not None:
            self.engine.dirty.mark(self)
            return self._follow(self.http, self.http.resume(self, now), now)
        return self._read(b"", now, [])

    def receive_eof(self, now: float) -> list[E | WireEvent]:
        """The peer sends no more. Keep the connection until `closing`: an answer may still go out."""
        events: list[E | WireEvent] = []
        if self.closing:
            return events
        if self.http is not None:
            return self._follow(self.http, self.http.receive_eof(self, now), now)
        if self.websocket is not None and self.websocket.backlog:
            self.websocket.eof = True
        else:
            self.end(events, now)
        return events

    def connection_lost(self, now: float) -> list[E | WireEvent]:
        """The connection is gone. Afterwards nothing of this package refers to the wire."""
        events: list[E | WireEvent] = []
        if self.http is not None:
            events += self.http.connection_lost(now)
        self.close_link(events, now)
        self.http = self.websocket = None
        self.closing = self.abort = True
        self.server.deadlines.cancel(self)
        self.engine.dirty.forget(self)
        return events

    def write_blocked(self, now: float) -> None:
        """The transport cannot take more: what was taken last is not written yet."""
        self.blocked = True
        if self.link is not None:
            self.engine.link_blocked(self.link)
        elif self.http is not None and self.closing:
            # Its last answer goes out first, and gets its time; then the close has its own.
            if not self.abort:
                self.server.deadlines.arm(Waiting.BODY, self, now)
        elif self.http is not None:
            self.http.write_blocked(self, now)
            self.engine.dirty.mark(self)

    def write_ready(self, now: float) -> list[E | WireEvent]:
        """All that was taken is written."""
        self.blocked = False
        events: list[E | WireEvent] = []
        if self.link is not None:
            events += self.engine.link_writable(self.link, now)
        elif self.http is not None and self.closing:
            if not self.abort:
                self.server.deadlines.arm(Waiting.CLOSE, self, now)
        elif self.http is not None:
            self.http.write_ready(self, now)
        self.engine.dirty.mark(self)
        return events

    def handle_timeout(self, now: float) -> list[E | WireEvent]:
        """The deadline of this wire has passed."""
        events: list[E | WireEvent] = []
        if not self.closing and self.http is not None:
            return self._follow(self.http, self.http.handle_timeout(self, now), now)
        side = self.websocket
        if side is not None and side.settling:
            side.settling = False
            self.engine.dirty.mark(self)
            return events
        # The last bytes could not be written in time, or the peer does not answer our close.
        self.close_link(events, now)
        self.finish(now, abort=True)
        return events

    # Outputs.

    def take_bytes(self, now: float) -> bytes:
        """All output as one object, b"" when there is none or the transport is blocked.

        Afterwards look at `closing`, `abort`, `wants_read` and `has_pending`: an answer that was taken may let
        the next request in.
        """
        link = self.link
        if link is not None and self.websocket is None and not self.blocked and link.state is _OPEN:
            batch = link.take()
            if len(batch) == 1:
                outgoing = batch[0]
                return outgoing.frame or outgoing_frames(outgoing)
            return link_frames(batch) if batch else b""
        return self._take_rest(now)

    @property
    def has_pending(self) -> bool:
        """Whether buffered input could be processed now, by `resume`."""
        if self.closing:
            return False
        if self.http is not None:
            return not self.blocked and self.http.has_pending
        return self.websocket is not None and self.websocket.backlog and not self._holds_input

    @property
    def idle(self) -> bool:
        """Whether closing the connection now would lose nothing: no WebSocket and no request is under way."""
        return self.link is None and self.websocket is None and (self.http is None or self.http.idle)

    @property
    def wants_read(self) -> bool:
        """Whether the binding should read from the connection now."""
        if self.http is not None:
            return not self.blocked and not self.closing and self.http.wants_read
        return not (self.websocket is not None and self.websocket.backlog) and not self._holds_input

    @property
    def _holds_input(self) -> bool:
        """Whether the layer above wants no messages now. A link that closes is only skipped through."""
        link = self.link
        return link is not None and link.paused and link.state is _OPEN

    # Called by the two sides.

    def finish(self, now: float, *, abort: bool = False) -> None:
        """Close the connection once the output is written, or now."""
        deadlines = self.server.deadlines
        if abort:
            self.abort = True
            deadlines.cancel(self)
        elif not self.closing:
            deadlines.arm(Waiting.CLOSE, self, now)
        self.closing = True
        if self.websocket is not None:
            self.websocket.forget_input()
        self.engine.dirty.mark(self)

    def close_link(self, events: list[E | WireEvent], now: float, error: str | None = None) -> None:
        """Tell the engine, once, that the WebSocket is over."""
        link = self.link
        if link is not None:
            self.link = None
            events += self.engine.link_closed(link, now, error)

    def end(self, events: list[E | WireEvent], now: float) -> None:
        """The WebSocket is over on the peer's side."""
        self.close_link(events, now)
        self.finish(now)

    # Off the common way.

    def _receive(self, data: bytes, now: float) -> list[E | WireEvent]:
        if self.closing:
            return []
        if self.http is not None:
            return self._follow(self.http, self.http.receive_bytes(self, data, now), now)
        if self.link is not None:
            self.link.last_received = now
        return self._read(data, now, [])

    def _follow(self, http: HttpSide[E], events: list[E | WireEvent], now: float) -> list[E | WireEvent]:
        """After a 101, handle what came behind the request in the same call."""
        if self._became_websocket(http):
            return self._read(b"", now, events) if self.has_pending else events
        if http.has_pending or not http.wants_read:
            self.engine.dirty.mark(self)
        return events

    def _became_websocket(self, http: HttpSide[E]) -> bool:
        handshake = http.handshake
        if handshake is None or not handshake.accepted:
            return False
        self.http = None
        self.link = handshake.link
        self.server.deadlines.cancel(self)
        side = self.server.lasting_side(handshake.deflate)
        if side is None and (http.buffer or http.output):
            side = WebSocketSide()
        self.websocket = side
        if side is not None:
            side.buffer = http.buffer
            side.backlog = bool(http.buffer)
            side.output = http.output
        return True

    def _read(self, data: bytes, now: float, events: list[E | WireEvent]) -> list[E | WireEvent]:
        server = self.server
        link = self.link
        side = self.websocket
        pos = 0
        most_frames = server.config.max_events_per_slice * _FRAMES_PER_EVENT
        if side is None:
            if link is not None and server.direct_path:
                pos, most_frames = read_direct(
                    self.engine,
                    link,
                    data,
                    0,
                    events,
                    now,
                    limit=server.max_message_size,
                    most_events=server.config.max_events_per_slice,
                    most_frames=most_frames,
                )
                if pos == len(data):
                    return events
            side = self.websocket = WebSocketSide()
        had_backlog = side.backlog
        side.read(self, data, pos, most_frames, events, now)
        if side.backlog or had_backlog:
            self.engine.dirty.mark(self)
        if side.idle:
            self.websocket = None
        return events

    def _take_rest(self, now: float) -> bytes:
        if self.abort:
            return b""
        if self.blocked:
            deadlines = self.server.deadlines
            if self.link is not None and self.link.state is not _OPEN and self not in deadlines:
                # A peer that does not read cannot be sent a close frame; it gets as long as one that can.
                deadlines.arm(Waiting.CLOSE, self, now)
            return b""
        output = b""
        if self.http is not None:
            output = self.http.take_bytes(self, now)
            if self.abort:
                return b""
            if not self._became_websocket(self.http):
                return output
        side = self.websocket
        if side is None:
            side = WebSocketSide()
        output += side.output
        side.output = b""
        if output and self.link is not None and self.link.state is _OPEN:
            # A 101, which goes out by itself as the reference writes it: a client that listens for messages once it
            # is open (`ws` with promises, as in the public suite of protocol 3) misses what came in the same read.
            if self.link.settles:
                side.settling = True
                self.server.deadlines.arm(Waiting.SETTLE, self, now)
            else:
                self.engine.dirty.mark(self)
        else:
            output += side.take_bytes(self, now)
        self.websocket = None if side.idle else side
        return output
