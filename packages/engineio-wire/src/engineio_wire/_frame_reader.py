"""The careful way of a frame: by wsproto, one frame at a time.

Everything that is not a whole plain frame comes here: control frames, fragments, RSV bits, and frames that
arrive in pieces. The reader exists from the first such frame until the next idle boundary (no frame and no
message in progress), where the wire drops it and reads on directly.

wsproto judges and decodes, by its two decoders (`FrameProtocol` around them is a reference cycle, and a reader
lives for one message). This class feeds them exactly one frame at a time, so that the boundary is known, judges
close frames as ws does, and adds the bounds that wsproto lacks: the size of a message (refused by its header,
before its payload is buffered) and the number of its frames. All work is linear in the bytes received.
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

from wsproto.frame_protocol import CloseReason, FrameDecoder, MessageDecoder, Opcode, ParseFailed

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
    "Text of a text message, otherwise bytes."


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
        "_frames",
        "_in_message",
        "_joined",
        "_max_fragments",
        "_max_message_size",
        "_messages",
        "_size",
        "_text",
        "opcode",
        "remaining",
    )

    def __init__(self, *, max_message_size: int, max_fragments: int) -> None:
        self._frames = FrameDecoder(client=False)
        self._messages = MessageDecoder()
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
        self._frames.receive_bytes(data)
        try:
            frame = self._frames.process_buffer()
            if frame is None:
                return None
            if frame.opcode.iscontrol():
                payload = cast("bytes", frame.payload)
                if frame.opcode is Opcode.CLOSE:
                    _check_close(payload)
                return Received(frame.opcode, payload)
            frame = self._messages.process_frame(frame)
        except ParseFailed as failure:
            invalid_text = failure.code == CloseReason.INVALID_FRAME_PAYLOAD_DATA
            raise Violation(failure.code, INVALID_UTF8 if invalid_text else str(failure)) from None
        return self._collect(frame.opcode, frame.payload, frame.message_finished)

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


def _check_close(payload: bytes) -> None:
    """RFC 6455 5.5.1 and 7.4. Source: ws, `lib/receiver.js` (`controlMessage`) and `isValidStatusCode`."""
    if not payload:
        return
    if len(payload) == 1:
        raise Violation(CloseReason.PROTOCOL_ERROR, "Invalid WebSocket frame: invalid payload length 1")
    code = int.from_bytes(payload[:2], "big")
    if not (1000 <= code <= 1014 or 3000 <= code <= 4999) or code in (1004, 1005, 1006):
        raise Violation(CloseReason.PROTOCOL_ERROR, f"Invalid WebSocket frame: invalid status code {code}")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise Violation(CloseReason.INVALID_FRAME_PAYLOAD_DATA, INVALID_UTF8) from None
