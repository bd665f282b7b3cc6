"""permessage-deflate (RFC 7692): inflating as an extension of wsproto, and deflating.

wsproto gives the extension each piece of a frame's payload as it arrives. A piece is inflated up to what the message
may still have and no further, so what a peer makes us hold is bounded by `max_message_size` whatever it compresses.

The contexts of zlib are the memory of a connection: about `2 ** window_bits` bytes to inflate, `2 ** (window_bits + 2)
+ 2 ** (mem_level + 9)` to deflate (32 and 256 KiB by default). Each is made for the first compressed message in its
direction; without context takeover it lives for one message.
"""

from __future__ import annotations

import zlib
from typing import Final

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

from ._negotiation import DeflateParameters

# RFC 7692 7.2.1: what a sender removes from the tail of a message, and 7.2.2: a receiver appends.
_TAIL: Final = b"\x00\x00\xff\xff"
# zlib takes no bound that is not a C integer.
_MOST: Final = 2**62
# RFC 7692 7.2.3.6: an empty message. zlib gives nothing for a second flush without input.
_EMPTY: Final = b"\x00"


class Inflating(Extension):
    """The extension of one connection, for what comes in; `FrameDecoder` drives it.

    Args:
        parameters: those agreed on.
        max_message_size: bytes of an inflated message.

    Attributes:
        failure: why the last message could not be inflated, in zlib's words.
    """

    name = "permessage-deflate"

    def __init__(self, parameters: DeflateParameters, max_message_size: int) -> None:
        self._parameters = parameters
        self._max_message_size = min(max_message_size, _MOST)
        # Of the message in progress: RSV1 of its first frame, and how many bytes it has given.
        self._compressed = False
        self._size = 0
        # Of the frame in progress: control frames stand between fragments.
        self._inflates = False
        self._inflater: zlib._Decompress | None = None  # pyright: ignore[reportPrivateUsage]
        self.failure = ""

    def enabled(self) -> bool:
        """It was agreed on."""
        return True

    def offer(self) -> bool:
        """A server offers nothing."""
        return False

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> RsvBits:
        """RFC 7692 6: RSV1 belongs to the first frame of a message, and to no control frame."""
        first = not opcode.iscontrol() and opcode is not Opcode.CONTINUATION
        if first:
            self._compressed = rsv.rsv1
            self._size = 0
        self._inflates = self._compressed and not opcode.iscontrol()
        return RsvBits(first, False, False)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        """A piece of a payload."""
        return self._inflate(data) if self._inflates else data

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        """The end of a frame, and of the message if `fin`."""
        if not self._inflates:
            return None
        rest: bytes | CloseReason = b""
        if fin:
            rest = self._inflate(_TAIL)
            self._compressed = False
        inflater = self._inflater
        if inflater is None or inflater.eof or (fin and self._parameters.client_no_context_takeover):
            self._inflater = None
        return rest

    def _inflate(self, data: bytes) -> bytes | CloseReason:
        inflater = self._inflater
        if inflater is None:
            bits = -self._parameters.client_max_window_bits
            dictionary = self._parameters.options.zlib_inflate_options.dictionary
            inflater = self._inflater = zlib.decompressobj(bits, dictionary)
        if inflater.eof:
            # A block with BFINAL ended the stream; as in ws, what follows in this frame is nothing.
            return b""
        try:
            inflated = inflater.decompress(data, self._max_message_size - self._size + 1)
        except zlib.error as error:
            self._inflater = None
            self.failure = str(error).rpartition("data: ")[2]
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        self._size += len(inflated)
        if self._size > self._max_message_size:
            self._inflater = None
            return CloseReason.MESSAGE_TOO_BIG
        return inflated


class Deflater:
    """Compresses the messages of one connection."""

    __slots__ = ("_deflater", "_parameters")

    def __init__(self, parameters: DeflateParameters) -> None:
        self._parameters = parameters
        self._deflater: zlib._Compress | None = None  # pyright: ignore[reportPrivateUsage]

    def deflate(self, payload: bytes) -> bytes:
        """The payload of a frame with RSV1."""
        if not payload:
            return _EMPTY
        deflater = self._deflater
        if deflater is None:
            options = self._parameters.options.zlib_deflate_options
            # zlib has no raw stream of 8 bits. With 9 its distances stay below 256 all the same (deflate.h,
            # MAX_DIST), so a peer with a window of 8 bits can follow; Node does so, too.
            bits = -max(9, self._parameters.server_max_window_bits)
            deflater = zlib.compressobj(
                options.level, zlib.DEFLATED, bits, options.mem_level, options.strategy, options.dictionary
            )
            if not self._parameters.server_no_context_takeover:
                self._deflater = deflater
        deflated = deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)
        return deflated[: -len(_TAIL)]
