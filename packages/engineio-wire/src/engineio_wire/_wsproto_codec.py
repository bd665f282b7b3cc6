"""The careful way of a frame: by wsproto, one frame at a time.

Everything that is not a whole plain frame comes here: control frames, fragments, RSV bits, compressed messages, and
frames that arrive in pieces. Without permessage-deflate a codec exists from the first such frame until the next idle
boundary (no frame and no message in progress), where the wire drops it and reads on directly.

wsproto judges and decodes, by its two decoders (`FrameProtocol` around them is a reference cycle). This class feeds
them exactly one frame at a time, so that the boundary is known, judges close frames as ws does, and adds the bounds
that wsproto lacks: the size of a message (refused by its header, before its payload is buffered) and the number of
its frames. All work is linear in the bytes received.

Frames that go out need no parser; they are made here as everywhere in this package, so that all share them.
"""

from __future__ import annotations

from typing import Final, cast

from wsproto.frame_protocol import CloseReason, FrameDecoder, MessageDecoder, Opcode, ParseFailed

from ._codec import CodecSettings, Received, Violation
from ._deflate import Deflater, Inflating
from ._frames import COMPRESSED, FrameHeader, frame_bytes

# The text of ws for its WS_ERR_INVALID_UTF8.
INVALID_UTF8: Final = "Invalid WebSocket frame: invalid UTF-8 sequence"
_TOO_BIG: Final = "Max payload size exceeded"

# How the surrogates begin, which no UTF-8 holds (RFC 3629 section 4).
_SURROGATES: Final = frozenset([bytes((0xED, second)) for second in range(0xA0, 0xC0)])

# Pieces of a message are joined now and then: a message may arrive byte by byte.
_JOIN_AT: Final = 256


class WsprotoEngine:
    """The reference engine; None and `"wsproto"` of the option `ws_engine`."""

    def codec(self, settings: CodecSettings) -> WsprotoCodec:
        """A codec: of one connection, or of one message where no compression was agreed on."""
        return WsprotoCodec(settings)


class WsprotoCodec:
    """Satisfies `FrameCodec`."""

    __slots__ = (
        "_binary",
        "_deflater",
        "_fragments",
        "_frames",
        "_in_message",
        "_inflating",
        "_joined",
        "_max_fragments",
        "_max_message_size",
        "_messages",
        "_size",
        "_text",
    )

    def __init__(self, settings: CodecSettings) -> None:
        self._max_message_size = settings.max_message_size
        self._max_fragments = settings.max_fragments
        self._inflating: Inflating | None = None
        self._deflater: Deflater | None = None
        if settings.deflate is not None:
            self._inflating = Inflating(settings.deflate, settings.max_message_size)
            self._deflater = Deflater(settings.deflate)
        self._frames = FrameDecoder(False, [self._inflating] if self._inflating is not None else None)
        self._messages = MessageDecoder()
        self._in_message = False
        self._size = 0
        self._fragments = 0
        # Pieces of the message in progress; the first `_joined` of them are already joined ones.
        self._text: list[str] = []
        self._binary: list[bytes] = []
        self._joined = 0

    @property
    def idle(self) -> bool:
        """Whether no message is in progress."""
        return not self._in_message

    def begin(self, header: FrameHeader, raw: bytes) -> Received | None:
        """Read a frame's header, `raw`; what it completes if the frame has no payload.

        Raises:
            Violation: the header is invalid or announces more than is allowed.
        """
        opcode = header.first & 0x0F
        if opcode > Opcode.BINARY:
            return self._feed(raw)
        if (opcode == Opcode.CONTINUATION) != self._in_message:
            # As wsproto would say, before the extension touches what belongs to no message.
            raise Violation(CloseReason.PROTOCOL_ERROR, f"Invalid WebSocket frame: invalid opcode {opcode}")
        self._in_message = True
        self._fragments += 1
        if self._fragments > self._max_fragments:
            raise Violation(CloseReason.POLICY_VIOLATION, "Too many message fragments")
        received = self._feed(raw)
        self._size += header.length
        if self._size > self._max_message_size:
            raise Violation(CloseReason.MESSAGE_TOO_BIG, _TOO_BIG)
        return received

    def feed(self, data: bytes) -> Received | None:
        """Read a piece of the payload; what it completes.

        Raises:
            Violation: invalid UTF-8, a wrong close code, bad compressed data, a message that inflates to too much.
        """
        return self._feed(data)

    def frame(self, opcode: int, payload: bytes, compress: bool) -> bytes:
        """A frame of a server."""
        first = 0x80 | opcode
        if compress and self._deflater is not None:
            return frame_bytes(first | COMPRESSED, self._deflater.deflate(payload))
        return frame_bytes(first, payload)

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
            raise Violation(failure.code, self._explain(failure)) from None
        decoder = self._messages.decoder
        # Python's decoder waits for the third byte of a surrogate, because an error handler may want it.
        if decoder is not None and decoder.getstate()[0][:2] in _SURROGATES:
            raise Violation(CloseReason.INVALID_FRAME_PAYLOAD_DATA, INVALID_UTF8)
        return self._collect(frame.opcode, frame.payload, frame.message_finished)

    def _explain(self, failure: ParseFailed) -> str:
        if failure.code == CloseReason.MESSAGE_TOO_BIG:
            return _TOO_BIG
        if failure.code == CloseReason.INVALID_FRAME_PAYLOAD_DATA:
            return (self._inflating is not None and self._inflating.failure) or INVALID_UTF8
        return str(failure)

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
        if not finished:
            return None
        message: str | bytes = "".join(self._text) if opcode is Opcode.TEXT else b"".join(self._binary)
        self._in_message = False
        self._size = self._fragments = self._joined = 0
        self._text, self._binary = [], []
        return Received(opcode, message)


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
