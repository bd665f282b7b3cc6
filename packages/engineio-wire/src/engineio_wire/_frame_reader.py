"""The careful way of a frame: by wsproto, one frame at a time.

Everything that is not a whole plain frame comes here: control frames, fragments, RSV bits, and frames that
arrive in pieces. The reader exists from the first such frame until the next idle boundary (no frame and no
message in progress), where the wire drops it and reads on directly.

wsproto judges and decodes; this class feeds it exactly one frame at a time, so that the boundary is known, and
adds the bounds that wsproto lacks: the size of a message (refused by its header, before its payload is
buffered) and the number of its frames. All work is linear in the bytes received.
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode, ParseFailed

from ._frames import FrameHeader

# The text of ws for its WS_ERR_INVALID_UTF8.
INVALID_UTF8: Final = "Invalid WebSocket frame: invalid UTF-8 sequence"

# Pieces of a message are joined now and then: a message may arrive byte by byte.
_JOIN_AT: Final = 256


class Violation(Exception):
    """The peer broke the WebSocket protocol or a bound.

    Attributes:
        code: for the close frame.
        text: the description of the close; for bounds it is that of ws.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Received(NamedTuple):
    """A complete message or control frame."""

    opcode: int
    payload: str | bytes
    "Text of a text message, otherwise bytes; of a close frame what the echo carries."


class FrameReader:
    """Reads one message that needs care, and the control frames between its fragments; or one control frame.

    Args:
        max_message_size: bytes of payload of one message, all its fragments together.
        max_fragments: frames of one message.

    Attributes:
        opcode: of the current frame.
        remaining: payload bytes of the current frame that have not arrived.
    """

    __slots__ = (
        "_binary",
        "_fragments",
        "_in_message",
        "_joined",
        "_max_fragments",
        "_max_message_size",
        "_protocol",
        "_size",
        "_text",
        "opcode",
        "remaining",
    )

    def __init__(self, *, max_message_size: int, max_fragments: int) -> None:
        self._protocol = FrameProtocol(client=False, extensions=[])
        self._max_message_size = max_message_size
        self._max_fragments = max_fragments
        self.opcode = 0
        self.remaining = 0
        self._in_message = False
        self._size = 0
        self._fragments = 0
        # Pieces of the message in progress; the first `_joined` of them are already joined ones.
        self._text: list[str] = []
        self._binary: list[bytes] = []
        self._joined = 0

    @property
    def idle(self) -> bool:
        """Whether the next byte begins a new message."""
        return self.remaining == 0 and not self._in_message

    def begin(self, header: FrameHeader, raw: bytes) -> Received | None:
        """Read a frame's header, `raw`; what it completes if the frame has no payload.

        Raises:
            Violation: the header is invalid or announces more than is allowed.
        """
        self.remaining = header.length
        opcode = self.opcode = header.first & 0x0F
        is_data = opcode <= Opcode.BINARY
        if is_data:
            self._fragments += 1
            if self._fragments > self._max_fragments:
                raise Violation(CloseReason.POLICY_VIOLATION, "Too many message fragments")
        received = self._feed(raw)
        # A continuation of nothing, or a new message inside another, is refused by wsproto at its first byte.
        if is_data and (opcode == Opcode.CONTINUATION) == self._in_message:
            self._size += header.length
            if self._size > self._max_message_size:
                raise Violation(CloseReason.MESSAGE_TOO_BIG, "Max payload size exceeded")
        if is_data and received is None:
            self._in_message = True
        return received

    def feed(self, data: bytes) -> Received | None:
        """Read payload, at most `remaining` bytes; what it completes.

        Raises:
            Violation: invalid UTF-8, a wrong order of fragments, a wrong close code.
        """
        self.remaining -= len(data)
        return self._feed(data)

    def _feed(self, data: bytes) -> Received | None:
        self._protocol.receive_bytes(data)
        received: Received | None = None
        try:
            for frame in self._protocol.received_frames():
                payload = frame.payload
                if frame.opcode is Opcode.CLOSE:
                    received = Received(Opcode.CLOSE, _echo(payload))
                elif frame.opcode.iscontrol():
                    assert isinstance(payload, bytes)
                    received = Received(frame.opcode, payload)
                else:
                    received = self._collect(frame.opcode, payload, frame.message_finished)
        except ParseFailed as failure:
            invalid_text = failure.code == CloseReason.INVALID_FRAME_PAYLOAD_DATA
            raise Violation(failure.code, INVALID_UTF8 if invalid_text else str(failure)) from None
        return received

    def _collect(self, opcode: Opcode, payload: object, finished: bool) -> Received | None:
        joined = self._joined
        if isinstance(payload, str):
            self._text.append(payload)
            if len(self._text) - joined >= _JOIN_AT:
                self._text[joined:] = ["".join(self._text[joined:])]
                self._joined = joined + 1
        else:
            assert isinstance(payload, bytes)
            self._binary.append(payload)
            if len(self._binary) - joined >= _JOIN_AT:
                self._binary[joined:] = [b"".join(self._binary[joined:])]
                self._joined = joined + 1
        if finished:
            message: str | bytes = "".join(self._text) if opcode is Opcode.TEXT else b"".join(self._binary)
            # The wire drops this reader now; the next message is not read by it.
            self._in_message = False
            return Received(opcode, message)
        return None


def _echo(payload: object) -> bytes:
    """What ws answers a close frame with: the same code and reason, or nothing."""
    code, reason = cast("tuple[int, str]", payload)
    if code == CloseReason.NO_STATUS_RCVD:
        return b""
    return int(code).to_bytes(2, "big") + reason.encode()
