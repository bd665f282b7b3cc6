"""A WebSocket when it is not simply open and idle: input that waits, frames that need care, closing.

An open WebSocket between two frames needs none of this, so a wire makes a `WebSocketSide` when it first holds
something (an incomplete frame, a slice's rest, a pong, a close) and drops it when it is `idle` again. One whose
frames depend on what came before (permessage-deflate), or that has an engine of the user's, keeps it to its end.

Frames are read directly where that is possible, and otherwise by a `FrameCodec`, which keeps the lead until the
next idle boundary. After a close frame of ours, or once the engine closes the link, frames are only skipped,
until the peer's close frame, the end of its stream, or `close_timeout`. The engine hears `link_closed` once.

`wire` is passed to every method and never kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from engineio_proto import Link, LinkState, Outgoing

from ._codec import FrameCodec, Received, Violation
from ._deadlines import Waiting
from ._direct import read_direct
from ._events import WireEvent
from ._frames import EMPTY_CLOSE, OPCODE_CLOSE, frame_bytes, frame_header, outgoing_frames
from ._writer import Writer

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

    Args:
        codec: of a connection that has one from its 101 to its end.
        writer: then makes the frames that go out.

    Attributes:
        buffer: input from `offset` on: an incomplete header, or what a slice left (then `backlog`).
        output: bytes to send ahead of what the link has queued.
        eof: the peer sends no more; acted upon when `backlog` is read.
        settling: the 101 is out, and what follows waits for its deadline: see `Link.settles`.
    """

    __slots__ = (
        "_close_sent",
        "_codec",
        "_in_close",
        "_left",
        "_pongs",
        "_skipping",
        "_writer",
        "backlog",
        "buffer",
        "eof",
        "offset",
        "output",
        "settling",
    )

    def __init__(self, codec: FrameCodec | None = None, writer: Writer | None = None) -> None:
        self.buffer: bytes = b""
        self.offset = 0
        self.backlog = False
        self.eof = False
        self.output = b""
        self.settling = False
        self._pongs: list[bytes] | None = None
        self._codec = codec
        self._writer = writer
        # Of the frame that is read or skipped: payload bytes that have not arrived, and whether it is a close frame.
        self._left = 0
        self._in_close = False
        self._skipping = False
        self._close_sent = False

    @property
    def idle(self) -> bool:
        """Whether nothing is lost with this object."""
        return not (
            self.buffer
            or self.output
            or self._pongs
            or self._codec is not None
            or self._writer is not None
            or self._close_sent
            or self._skipping
            or self.eof
            or self.settling
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
                codec = self._codec
                if server.direct_path and (codec is None or (self._left == 0 and codec.idle)):
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
        """Read one frame by a codec, or what is here of it; returns the position behind it."""
        codec = self._codec
        received: Received | None = None
        try:
            if codec is None or self._left == 0:
                header = frame_header(data, pos)
                if header is None:
                    return pos
                if codec is None:
                    codec = self._codec = wire.server.codec()
                self._left = header.length
                self._in_close = header.first & 0x0F == OPCODE_CLOSE
                raw = data[pos : pos + header.size]
                pos += header.size
                received = codec.begin(header, raw)
            if self._left and pos < len(data):
                start, pos = pos, min(pos + self._left, len(data))
                self._left -= pos - start
                received = codec.feed(data[start:pos])
        except Violation as violation:
            self._fail(wire, link, violation, events, now)
            return pos
        if self._left == 0 and self._writer is None and codec.idle:
            self._codec = None
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
            self._peer_closed(wire, self._control(OPCODE_CLOSE, payload), events, now)

    # Closing.

    def _fail(
        self, wire: Wire[E], link: Link, violation: Violation, events: list[E | WireEvent], now: float
    ) -> None:
        """The peer broke the protocol or a bound: our close frame with the code, and the end of its link."""
        self._queue_rest(wire, link)
        # A code and no reason, as ws sends it after an error.
        self.output += self._control(OPCODE_CLOSE, violation.code.to_bytes(2, "big"))
        self._end_output()
        wire.close_link(events, now, violation.text)
        if violation.code == _PROTOCOL_ERROR or self._in_close:
            # Its frames cannot be told apart any more, so its close frame would not be found; or this was it.
            wire.finish(now)
        else:
            wire.server.deadlines.arm(Waiting.CLOSE, wire, now)
            wire.engine.dirty.mark(wire)

    def _skip(self, wire: Wire[E], data: bytes, pos: int, events: list[E | WireEvent], now: float) -> int:
        """Pass over one frame, or what is here of it; only the peer's close frame still counts."""
        self._skipping = True
        self._codec = None
        if self._left == 0:
            header = frame_header(data, pos)
            if header is None:
                return pos
            pos += header.size
            self._left = header.length
            self._in_close = header.first & 0x0F == OPCODE_CLOSE
            if not header.masked:
                # No frame of a client, so there is no close frame to wait for.
                wire.end(events, now)
                return pos
        skipped = min(self._left, len(data) - pos)
        self._left -= skipped
        if self._left == 0 and self._in_close:
            link = wire.link
            if link is not None and not self._close_sent:
                self._queue_rest(wire, link)
            self._peer_closed(wire, b"" if self._close_sent else EMPTY_CLOSE, events, now)
        return pos + skipped

    def _peer_closed(self, wire: Wire[E], answer: bytes, events: list[E | WireEvent], now: float) -> None:
        """The peer's close frame arrived. RFC 6455 7.1.1: the server closes the TCP connection first."""
        self.output += answer
        self._end_output()
        wire.end(events, now)

    def _queue_rest(self, wire: Wire[E], link: Link) -> None:
        """Answers to what came before precede a close, as if each had been written at once."""
        if not wire.blocked:
            self.output += self._take_pongs() + self._frames(link)
        self._pongs = None

    def _end_output(self) -> None:
        """A close frame is the last that we send, so the contexts of compression are free."""
        self._close_sent = True
        self.settling = False
        self._codec = self._writer = None

    def forget_input(self) -> None:
        """The connection is closing: hold nothing of what came."""
        self.settling = False
        self._codec = None
        self.buffer = b""
        self.offset = 0
        self.backlog = False

    # Output.

    def take_bytes(self, wire: Wire[E], now: float) -> bytes:
        """What goes out now: pending output, pongs, the link's frames, and our close frame, once."""
        link = wire.link
        if self.settling and link is not None and link.state is _OPEN:
            return b""
        output = self.output + self._take_pongs()
        self.output = b""
        if link is None:
            return output
        output += self._frames(link)
        if link.state is not _OPEN and not self._close_sent:
            output += EMPTY_CLOSE
            self._end_output()
            wire.server.deadlines.arm(Waiting.CLOSE, wire, now)
        return output

    def _take_pongs(self) -> bytes:
        pongs, self._pongs = self._pongs, None
        return b"".join([self._control(_OPCODE_PONG, payload) for payload in pongs]) if pongs else b""

    def _frames(self, link: Link) -> bytes:
        writer = self._writer
        if writer is None:
            return link_frames(link.take())
        return b"".join([writer.outgoing(outgoing) for outgoing in link.take()])

    def _control(self, opcode: int, payload: bytes) -> bytes:
        return (
            frame_bytes(0x80 | opcode, payload)
            if self._writer is None
            else self._writer.control(opcode, payload)
        )


def link_frames(batch: list[Outgoing]) -> bytes:
    """The frames of all that a link had to send."""
    return b"".join([outgoing.frame or outgoing_frames(outgoing) for outgoing in batch])
