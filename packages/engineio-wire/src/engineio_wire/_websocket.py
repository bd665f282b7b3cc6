"""A WebSocket when it is not simply open and idle: input that waits, frames that need care, closing.

An open WebSocket between two frames needs none of this, so a wire makes a `WebSocketSide` when it first holds
something (an incomplete frame, a slice's rest, a pong, a close) and drops it when it is `idle` again.

Frames are read directly where that is possible, and otherwise by `FrameReader`, which keeps the lead until the
next idle boundary. After a close frame of ours, or once the engine closes the link, frames are only skipped,
until the peer's close frame, the end of its stream, or `close_timeout`. The engine hears `link_closed` once.

`wire` is passed to every method and never kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from engineio_proto import Link, LinkState, Outgoing

from ._deadlines import Waiting
from ._direct import read_direct
from ._events import WireEvent
from ._frame_reader import FrameReader, Received, Violation
from ._frames import EMPTY_CLOSE, OPCODE_CLOSE, close_frame, control_frame, frame_header, outgoing_frames

if TYPE_CHECKING:
    from ._wire import Wire

E = TypeVar("E")

_OPCODE_BINARY: Final = 2
_OPCODE_PING: Final = 9
_OPCODE_PONG: Final = 10
_PROTOCOL_ERROR: Final = 1002
# RFC 6455 5.5.3: of several unanswered pings, the most recent must be answered.
_MOST_PONGS: Final = 16
_OPEN: Final = LinkState.OPEN


class WebSocketSide:
    """What a WebSocket holds away from an idle boundary.

    Attributes:
        buffer: input from `offset` on: an incomplete header, or what a slice left (then `backlog`).
        output: bytes to send ahead of what the link has queued.
        eof: the peer sends no more; acted upon when `backlog` is read.
    """

    __slots__ = (
        "_close_sent",
        "_pongs",
        "_reader",
        "_skip_left",
        "_skipping",
        "_skipping_close",
        "backlog",
        "buffer",
        "eof",
        "offset",
        "output",
    )

    def __init__(self) -> None:
        self.buffer: bytes = b""
        self.offset = 0
        self.backlog = False
        self.eof = False
        self.output = b""
        self._pongs: list[bytes] | None = None
        self._reader: FrameReader | None = None
        self._close_sent = False
        # While frames are skipped: what is left of the current one, and whether it is a close frame.
        self._skipping = False
        self._skip_left = 0
        self._skipping_close = False

    @property
    def idle(self) -> bool:
        """Whether nothing is lost with this object."""
        return not (
            self.buffer
            or self.output
            or self._pongs
            or self._reader is not None
            or self._close_sent
            or self._skipping
            or self.eof
        )

    # Input.

    def read(
        self,
        wire: Wire[E],
        data: bytes,
        pos: int,
        most_frames: int,
        events: list[E | WireEvent],
        now: float,
    ) -> None:
        """Read frames for one slice.

        Args:
            wire: whose frames they are.
            data: what arrived; it is read behind what is buffered, from `pos` on.
            pos: where to begin in `data`.
            most_frames: how many frames may be read.
            events: what the engine returns is appended here.
            now: monotonic seconds.
        """
        if self.buffer:
            if data:
                data = self.buffer[self.offset :] + data
            else:
                data, pos = self.buffer, self.offset
        server = wire.server
        most_events = server.config.max_events_per_slice
        size = len(data)
        backlog = False
        while pos < size and not wire.closing:
            link = wire.link
            if most_frames <= 0 or len(events) >= most_events:
                backlog = True
                break
            if link is not None and link.state is _OPEN:
                if link.paused:
                    backlog = True
                    break
                if self._reader is None and server.direct_path:
                    before = pos
                    pos, most_frames = read_direct(
                        wire.engine,
                        link,
                        data,
                        pos,
                        events,
                        now,
                        limit=server.max_message_size,
                        most_events=most_events,
                        most_frames=most_frames,
                    )
                    if pos > before:
                        continue
                moved = self._read_frame(wire, link, data, pos, events, now)
            else:
                moved = self._skip(wire, data, pos, events, now)
            most_frames -= 1
            if moved == pos:
                break  # An incomplete header.
            pos = moved
        if wire.closing:
            return
        self.backlog = backlog
        if pos == size:
            self.buffer, self.offset = b"", 0
        elif backlog:
            self.buffer, self.offset = data, pos
        else:
            self.buffer, self.offset = data[pos:], 0
        if self.eof and not backlog:
            wire.end(events, now)

    def _read_frame(
        self, wire: Wire[E], link: Link, data: bytes, pos: int, events: list[E | WireEvent], now: float
    ) -> int:
        """Read one frame by wsproto, or what is here of it; returns the position behind it."""
        reader = self._reader
        received: Received | None = None
        try:
            if reader is None or reader.remaining == 0:
                header = frame_header(data, pos)
                if header is None:
                    return pos
                if reader is None:
                    reader = self._reader = FrameReader(
                        max_message_size=wire.server.max_message_size,
                        max_fragments=wire.server.config.max_fragments,
                    )
                raw = data[pos : pos + header.size]
                pos += header.size
                received = reader.begin(header, raw)
            if reader.remaining and pos < len(data):
                start, pos = pos, min(pos + reader.remaining, len(data))
                received = reader.feed(data[start:pos])
        except Violation as violation:
            self._fail(wire, link, violation, events, now)
            return pos
        if reader.idle:
            self._reader = None
        if received is not None:
            self._receive(wire, link, received, events, now)
        return pos

    def _receive(
        self, wire: Wire[E], link: Link, received: Received, events: list[E | WireEvent], now: float
    ) -> None:
        opcode, payload = received
        if isinstance(payload, str):
            events += wire.engine.receive_text(link, payload, now)
        elif opcode == _OPCODE_BINARY:
            events += wire.engine.receive_bytes(link, payload, now)
        elif opcode == _OPCODE_PING:
            if self._pongs is None:
                self._pongs = []
            self._pongs.append(payload)
            del self._pongs[:-_MOST_PONGS]
            if not wire.blocked:
                wire.engine.dirty.mark(wire)
        elif opcode == OPCODE_CLOSE:
            self._queue_rest(wire, link)
            self._peer_closed(wire, control_frame(OPCODE_CLOSE, payload), events, now)

    # Closing.

    def _fail(
        self, wire: Wire[E], link: Link, violation: Violation, events: list[E | WireEvent], now: float
    ) -> None:
        """The peer broke the protocol or a bound: our close frame with the code, and the end of its link."""
        self._queue_rest(wire, link)
        self.output += close_frame(violation.code)
        self._close_sent = True
        wire.close_link(events, now, violation.text)
        if violation.code == _PROTOCOL_ERROR:
            # Its frames cannot be told apart any more, so its close frame would not be found.
            wire.finish(now)
        else:
            wire.server.deadlines.arm(Waiting.CLOSE, wire, now)
            wire.engine.dirty.mark(wire)

    def _skip(self, wire: Wire[E], data: bytes, pos: int, events: list[E | WireEvent], now: float) -> int:
        """Pass over one frame, or what is here of it; only the peer's close frame still counts."""
        self._skipping = True
        if self._reader is not None:
            self._skip_left = self._reader.remaining
            self._skipping_close = self._reader.opcode == OPCODE_CLOSE
            self._reader = None
        if self._skip_left == 0:
            header = frame_header(data, pos)
            if header is None:
                return pos
            pos += header.size
            self._skip_left = header.length
            self._skipping_close = header.first & 0x0F == OPCODE_CLOSE
            if not header.masked:
                # No frame of a client, so there is no close frame to wait for.
                wire.end(events, now)
                return pos
        skipped = min(self._skip_left, len(data) - pos)
        self._skip_left -= skipped
        if self._skip_left == 0 and self._skipping_close:
            link = wire.link
            if link is not None and not self._close_sent:
                self._queue_rest(wire, link)
            self._peer_closed(wire, b"" if self._close_sent else EMPTY_CLOSE, events, now)
        return pos + skipped

    def _peer_closed(self, wire: Wire[E], answer: bytes, events: list[E | WireEvent], now: float) -> None:
        """The peer's close frame arrived. RFC 6455 7.1.1: the server closes the TCP connection first."""
        self.output += answer
        self._close_sent = True
        wire.end(events, now)

    def _queue_rest(self, wire: Wire[E], link: Link) -> None:
        """Answers to what came before precede a close, as if each had been written at once."""
        if not wire.blocked:
            self.output += self._take_pongs() + link_frames(link.take())
        self._pongs = None

    def forget_input(self) -> None:
        """The connection is closing: hold nothing of what came."""
        self._reader = None
        self.buffer = b""
        self.offset = 0
        self.backlog = False

    # Output.

    def take_bytes(self, wire: Wire[E], now: float) -> bytes:
        """What goes out now: pending output, pongs, the link's frames, and our close frame, once."""
        output = self.output + self._take_pongs()
        self.output = b""
        link = wire.link
        if link is None:
            return output
        output += link_frames(link.take())
        if link.state is not _OPEN and not self._close_sent:
            self._close_sent = True
            wire.server.deadlines.arm(Waiting.CLOSE, wire, now)
            output += EMPTY_CLOSE
        return output

    def _take_pongs(self) -> bytes:
        pongs, self._pongs = self._pongs, None
        return b"".join([control_frame(_OPCODE_PONG, payload) for payload in pongs]) if pongs else b""


def link_frames(batch: list[Outgoing]) -> bytes:
    """The frames of all that a link had to send."""
    return b"".join([outgoing.frame or outgoing_frames(outgoing) for outgoing in batch])
