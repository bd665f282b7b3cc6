"""One TCP connection: bytes in, events out, bytes to write.

A wire begins with HTTP (`HttpSide`) and, after a 101, is a WebSocket for the rest of its life; then it holds no
parser and no buffer, only its link. Three parties drive it:

    the network   receive_bytes, resume, receive_eof, connection_lost, write_blocked, write_ready
    the user      through the engine: a session queues, and `dirty` holds this wire
    the timer     handle_timeout, by `WireServer`

Whatever happened, a wire with something to write, to read differently or to close is in `engine.dirty`. A
binding then takes and writes its bytes, closes it if `closing`, pauses or resumes reading by `wants_read`, and
calls `resume` soon if `has_pending`.

A frame's direct path. Nearly every frame is whole, plain and small. Such a frame is parsed here, by slicing and
one XOR; a read that is exactly one such frame is never copied into a buffer. Everything else goes to
`FrameReader` (wsproto), which keeps the lead until the next idle boundary. Both ways give the same events,
outputs and closes: a property test holds them together.

Closing. Our close frame, or an error's, goes out once. From then on frames are only skipped, without being
decoded, until the peer's close frame, its end, or `close_timeout`. The engine hears `link_closed` exactly once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from engineio_proto import Link, LinkState, Outgoing

from ._deadlines import Waiting
from ._events import WireEvent
from ._frame_reader import INVALID_UTF8, FrameReader, Received, Violation
from ._frames import (
    EMPTY_CLOSE,
    OPCODE_CLOSE,
    WHOLE_BINARY,
    WHOLE_TEXT,
    FrameHeader,
    close_frame,
    control_frame,
    frame_header,
    outgoing_frames,
    unmask,
)
from ._http import HttpSide

if TYPE_CHECKING:
    from ._server import WireServer

E = TypeVar("E")

_OPCODE_BINARY: Final = 2
_OPCODE_PING: Final = 9
_OPCODE_PONG: Final = 10
_PROTOCOL_ERROR: Final = 1002
_INVALID_TEXT: Final = 1007
# Frames that give no events (heartbeats, acks, pings) count less than events, but they count.
_FRAMES_PER_EVENT: Final = 4
# RFC 6455 5.5.3: of several unanswered pings, the most recent must be answered.
_MOST_PONGS: Final = 16
_OPEN: Final = LinkState.OPEN


class Wire(Generic[E]):
    """The machine of one connection; made by `WireServer.wire`.

    Attributes:
        closing: after the bytes of `take_bytes` are written, close the connection.
        abort: close it now, whatever is unwritten.
        blocked: the transport cannot take more; between `write_blocked` and `write_ready`.
        user: a slot for the binding.
    """

    __slots__ = (
        "__weakref__",
        "_backlog",
        "_buffer",
        "_close_sent",
        "_engine",
        "_eof",
        "_http",
        "_link",
        "_offset",
        "_output",
        "_pongs",
        "_reader",
        "_server",
        "_skip_left",
        "_skipping_close",
        "abort",
        "blocked",
        "closing",
        "user",
    )

    def __init__(self, server: WireServer[E], remote_address: str, secure: bool) -> None:
        self._server = server
        self._engine = server.engine
        self.closing = False
        self.abort = False
        self.user: Any = None
        self.blocked = False
        # HTTP, until the 101.
        self._http: HttpSide[E] | None = HttpSide(server, remote_address, secure)
        # The WebSocket, from the 101 until the engine was told that it is over.
        self._link: Link | None = None
        # Only away from an idle boundary.
        self._reader: FrameReader | None = None
        # While frames are skipped: what is left of the current one, and whether it is a close frame.
        self._skip_left = 0
        self._skipping_close = False
        self._close_sent = False
        # Input from `_offset` on: an incomplete header, or what a slice left over (then `_backlog`).
        self._buffer = b""
        self._offset = 0
        self._backlog = False
        self._eof = False
        # Output that goes before everything else.
        self._output = b""
        self._pongs: list[bytes] | None = None

    # Inputs.

    def receive_bytes(self, data: bytes, now: float) -> list[E] | list[E | WireEvent]:
        """Bytes of the peer. Returns at most about one slice of events; see `has_pending`."""
        link = self._link
        if link is not None and self._reader is None and not self._buffer:
            link.last_received = now
            # The read is exactly one short frame: first byte, 0x80 + length, mask, payload.
            size = len(data) - 6
            if 0 <= size <= 125 and data[1] == size + 128 and link.state is _OPEN and not link.paused:
                server = self._server
                if size <= server.max_message_size and server.direct_path:
                    first = data[0]
                    if first == WHOLE_TEXT:
                        key = data[2:6] * ((size + 3) >> 2)
                        payload = int.from_bytes(data[6:], "little") ^ int.from_bytes(key[:size], "little")
                        try:
                            text = payload.to_bytes(size, "little").decode()
                        except UnicodeDecodeError:
                            return self._fail(_INVALID_TEXT, INVALID_UTF8, now)
                        return self._engine.receive_text(link, text, now)
                    if first == WHOLE_BINARY:
                        return self._engine.receive_bytes(link, unmask(data, 6, size + 6), now)
            return self._read_frames(data, now)
        return self._receive(data, now)

    def resume(self, now: float) -> list[E | WireEvent]:
        """Go on with input that is buffered: the next slice, or after something held it up."""
        if self._http is not None:
            events = self._http.resume(self, now)
            return self._follow_http(self._http, events, now)
        if self.has_pending:
            return self._read_frames(b"", now)
        return []

    def receive_eof(self, now: float) -> list[E | WireEvent]:
        """The peer sends no more. Keep the connection until `closing`: an answer may still go out."""
        if self.closing:
            return []
        if self._http is not None:
            return self._follow_http(self._http, self._http.receive_eof(self, now), now)
        self._eof = True
        return [] if self._backlog else self._end(now)

    def connection_lost(self, now: float) -> list[E | WireEvent]:
        """The connection is gone. Afterwards nothing of this package refers to the wire."""
        events: list[E | WireEvent] = []
        if self._http is not None:
            events += self._http.connection_lost(now)
            self._http = None
        events += self._close_link(now)
        self.closing = True
        self.abort = True
        self._forget_input()
        self._output = b""
        self._pongs = None
        self._server.deadlines.cancel(self)
        self._engine.dirty.forget(self)
        return events

    def write_blocked(self) -> None:
        """The transport cannot take more: what was taken last is not written yet."""
        self.blocked = True
        if self._link is not None:
            self._engine.link_blocked(self._link)
        elif self._http is not None and not self.closing:
            self._http.write_blocked(self)

    def write_ready(self, now: float) -> list[E | WireEvent]:
        """All that was taken is written."""
        self.blocked = False
        events: list[E | WireEvent] = []
        if self._link is not None:
            events += self._engine.link_writable(self._link, now)
        elif self._http is not None and not self.closing:
            self._http.write_ready(self, now)
        self._engine.dirty.mark(self)
        return events

    def handle_timeout(self, now: float) -> list[E | WireEvent]:
        """The deadline of this wire has passed."""
        if self.closing:
            # The last bytes could not be written in time.
            self.finish(abort=True)
            return []
        if self._http is not None:
            return self._follow_http(self._http, self._http.handle_timeout(self, now), now)
        events = self._close_link(now)
        self.finish(abort=True)
        return events

    # Outputs.

    def take_bytes(self) -> bytes:
        """All output as one object, b"" when there is none or the transport is blocked."""
        link = self._link
        if link is not None and not self._output and self._pongs is None and not self.blocked:
            batch = link.take()
            if link.state is _OPEN:
                if len(batch) == 1:
                    outgoing = batch[0]
                    return outgoing.frame or outgoing_frames(outgoing)
                return _frames(batch) if batch else b""
            return self._close(batch)
        return self._take_rest()

    @property
    def has_pending(self) -> bool:
        """Whether buffered input could be processed now, by `resume`."""
        if self.closing:
            return False
        if self._http is not None:
            return self._http.has_pending and not self.blocked
        link = self._link
        return self._backlog and (link is None or not link.paused or link.state is not _OPEN)

    @property
    def wants_read(self) -> bool:
        """Whether the binding should read from the connection now."""
        if self._http is not None:
            return self._http.wants_read and not self.blocked and not self.closing
        link = self._link
        return not self._backlog and (link is None or not link.paused or link.state is not _OPEN)

    # For this package: HttpSide says when the connection ends.

    def finish(self, *, abort: bool = False) -> None:
        """Close once the output is written, or now."""
        deadlines = self._server.deadlines
        if abort:
            self.abort = True
            self._output = b""
            deadlines.cancel(self)
        elif not self.closing:
            deadlines.arm_late(Waiting.CLOSE, self)
        self.closing = True
        self._forget_input()
        self._engine.dirty.mark(self)

    # HTTP.

    def _receive(self, data: bytes, now: float) -> list[E | WireEvent]:
        if self.closing:
            return []
        if self._http is not None:
            return self._follow_http(self._http, self._http.receive_bytes(self, data, now), now)
        if self._link is not None:
            self._link.last_received = now
        return self._read_frames(data, now)

    def _follow_http(self, http: HttpSide[E], events: list[E | WireEvent], now: float) -> list[E | WireEvent]:
        """After a 101, handle what came behind the request in the same call."""
        if http.accepted and self._http is not None:
            self._become_websocket(http)
            if self._backlog and len(events) < self._server.config.max_events_per_slice:
                events += self._read_frames(b"", now)
        return events

    def _become_websocket(self, http: HttpSide[E]) -> None:
        self._link = http.link
        self._buffer = http.buffer
        self._backlog = bool(http.buffer)
        self._output = http.output
        self._http = None
        self._server.deadlines.cancel(self)

    # Frames.

    def _read_frames(self, data: bytes, now: float) -> list[E | WireEvent]:
        if self._buffer:
            data = self._buffer[self._offset :] + data if data else self._buffer
        pos = 0 if data is not self._buffer else self._offset
        events: list[E | WireEvent] = []
        server = self._server
        most_events = server.config.max_events_per_slice
        most_frames = most_events * _FRAMES_PER_EVENT
        size = len(data)
        backlog = False
        while pos < size and not self.closing:
            link = self._link
            if len(events) >= most_events or most_frames <= 0:
                backlog = True
                break
            most_frames -= 1
            if link is None or link.state is not _OPEN:
                moved = self._skip(data, pos, events, now)
            elif link.paused:
                backlog = True
                break
            else:
                moved = self._read_frame(link, data, pos, events, now)
            if moved == pos:
                break  # An incomplete header.
            pos = moved
        if self.closing:
            return events
        if pos < size:
            self._buffer, self._offset, self._backlog = data, pos, backlog
            if not backlog:
                self._buffer, self._offset = data[pos:], 0
        else:
            self._buffer, self._offset, self._backlog = b"", 0, False
        if self._eof and not self._backlog:
            events += self._end(now)
        return events

    def _read_frame(self, link: Link, data: bytes, pos: int, events: list[E | WireEvent], now: float) -> int:
        """Read one frame, or what is here of it; returns the position behind it."""
        reader = self._reader
        try:
            if reader is None or reader.remaining == 0:
                header = frame_header(data, pos)
                if header is None:
                    return pos
                start = pos + header.size
                if reader is None:
                    end = start + header.length
                    if end <= len(data) and self._is_plain(header):
                        self._receive_whole(link, header.first, unmask(data, start, end), events, now)
                        return end
                    reader = self._reader = FrameReader(
                        max_message_size=self._server.max_message_size,
                        max_fragments=self._server.config.max_fragments,
                    )
                raw = data[pos:start]
                pos = start
                received = reader.begin(header, raw)
            else:
                received = None
            if reader.remaining and pos < len(data):
                start, pos = pos, min(pos + reader.remaining, len(data))
                received = reader.feed(data[start:pos])
        except Violation as violation:
            events += self._fail(violation.code, violation.text, now)
            return pos
        if received is not None:
            self._receive_carefully(link, received, events, now)
        if reader.idle and self._reader is reader:
            self._reader = None
        return pos

    def _is_plain(self, header: FrameHeader) -> bool:
        first, size, length, masked = header
        if not (masked and first in (WHOLE_TEXT, WHOLE_BINARY)):
            return False
        # RFC 6455 5.2: "the minimal number of bytes MUST be used to encode the length".
        least = 0 if size == 6 else 126 if size == 8 else 65_536
        return least <= length <= self._server.max_message_size and self._server.direct_path

    def _receive_whole(
        self, link: Link, first: int, payload: bytes, events: list[E | WireEvent], now: float
    ) -> None:
        if first == WHOLE_BINARY:
            events += self._engine.receive_bytes(link, payload, now)
            return
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            events += self._fail(_INVALID_TEXT, INVALID_UTF8, now)
        else:
            events += self._engine.receive_text(link, text, now)

    def _receive_carefully(
        self, link: Link, received: Received, events: list[E | WireEvent], now: float
    ) -> None:
        opcode, payload = received
        if isinstance(payload, str):
            events += self._engine.receive_text(link, payload, now)
        elif opcode == _OPCODE_BINARY:
            events += self._engine.receive_bytes(link, payload, now)
        elif opcode == _OPCODE_PING:
            if self._pongs is None:
                self._pongs = []
            self._pongs.append(payload)
            del self._pongs[:-_MOST_PONGS]
            if not self.blocked:
                self._engine.dirty.mark(self)
        elif opcode == OPCODE_CLOSE:
            self._queue_rest(link)
            self._answer_close(control_frame(OPCODE_CLOSE, payload), events, now)

    # Closing.

    def _skip(self, data: bytes, pos: int, events: list[E | WireEvent], now: float) -> int:
        """Pass over one frame, or what is here of it; after our close only the peer's close counts."""
        if self._reader is not None:
            self._skip_left = self._reader.remaining
            self._skipping_close = self._reader.opcode == OPCODE_CLOSE
            self._reader = None
        if self._skip_left == 0:
            header = frame_header(data, pos)
            if header is None:
                return pos
            if not header.masked:
                # No frame of a client: there is nothing to wait for.
                events += self._close_link(now)
                self.finish()
                return len(data)
            pos += header.size
            self._skip_left = header.length
            self._skipping_close = header.first & 0x0F == OPCODE_CLOSE
        skipped = min(self._skip_left, len(data) - pos)
        self._skip_left -= skipped
        if self._skip_left == 0 and self._skipping_close:
            if self._link is not None and not self._close_sent:
                self._queue_rest(self._link)
            self._answer_close(b"" if self._close_sent else EMPTY_CLOSE, events, now)
        return pos + skipped

    def _fail(self, code: int, text: str, now: float) -> list[E | WireEvent]:
        """The peer broke the protocol or a bound: our close frame with the code, and the end of its link."""
        link = self._link
        assert link is not None
        self._queue_rest(link)
        self._output += close_frame(code)
        self._close_sent = True
        events = self._close_link(now, text)
        if code == _PROTOCOL_ERROR:
            # Its frames cannot be told apart any more, so its close frame would not be found.
            self.finish()
        else:
            self._server.deadlines.arm(Waiting.CLOSE, self, now)
            self._engine.dirty.mark(self)
        return events

    def _answer_close(self, frame: bytes, events: list[E | WireEvent], now: float) -> None:
        """The peer's close frame arrived. RFC 6455 7.1.1: the server closes the TCP connection first."""
        self._output += frame
        self._close_sent = True
        events += self._close_link(now)
        self.finish()

    def _queue_rest(self, link: Link) -> None:
        """Answers to what came before precede a close, as if each had been written at once."""
        if not self.blocked:
            self._output += self._take_pongs() + _frames(link.take())
        self._pongs = None

    def _close_link(self, now: float, error: str | None = None) -> list[E | WireEvent]:
        link = self._link
        if link is None:
            return []
        self._link = None
        return [*self._engine.link_closed(link, now, error)]

    def _end(self, now: float) -> list[E | WireEvent]:
        """The peer is gone without a close frame."""
        events = self._close_link(now)
        self.finish()
        return events

    def _forget_input(self) -> None:
        self._reader = None
        self._buffer = b""
        self._offset = 0
        self._backlog = False

    # Output off the common way.

    def _take_rest(self) -> bytes:
        http = self._http
        if self.blocked:
            link = self._link
            if link is not None and link.state is not _OPEN and not self._server.deadlines.waiting(self):
                # A peer that does not read cannot be sent a close frame; it gets as long as one that can.
                self._server.deadlines.arm_late(Waiting.CLOSE, self)
            return b""
        if http is not None:
            output = http.take_bytes(self)
            if self.abort:
                return b""
            if http.accepted:
                self._become_websocket(http)
                return output + self.take_bytes()
            return output
        output = self._output + self._take_pongs()
        self._output = b""
        link = self._link
        if link is not None:
            batch = link.take()
            output += _frames(batch) if link.state is _OPEN else self._close(batch)
        return output

    def _take_pongs(self) -> bytes:
        pongs, self._pongs = self._pongs, None
        return b"".join([control_frame(_OPCODE_PONG, payload) for payload in pongs]) if pongs else b""

    def _close(self, batch: list[Outgoing]) -> bytes:
        """The rest of a link that the engine closes, and the close frame, once."""
        rest = _frames(batch)
        if self._close_sent:
            return rest
        self._close_sent = True
        self._server.deadlines.arm_late(Waiting.CLOSE, self)
        return rest + EMPTY_CLOSE


def _frames(batch: list[Outgoing]) -> bytes:
    return b"".join([outgoing.frame or outgoing_frames(outgoing) for outgoing in batch])
