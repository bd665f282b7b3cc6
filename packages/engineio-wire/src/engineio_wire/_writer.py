"""The frames that go out where they depend on the connection: compressed ones, and those of a user's engine.

Without either there is no `Writer`, and a frame is made once for everyone (`outgoing_frames`). With compression that
is still so for messages that go uncompressed; and where the server keeps no context from one message to the next,
the compressed frames are the same for all connections that compress alike.
"""

from __future__ import annotations

from typing import Final

from engineio_proto import Outgoing

from ._codec import FrameCodec
from ._frames import outgoing_frames, utf8
from ._negotiation import DeflateParameters

_TEXT: Final = 1
_BINARY: Final = 2


class Writer:
    """Makes the frames of one connection.

    Args:
        codec: the connection's.
        deflate: what was agreed on, if anything.
        shares: whether the codec is ours, whose frames are the same for everyone unless a context is kept.
    """

    __slots__ = ("_alike", "_codec", "_shares", "_threshold")

    def __init__(self, codec: FrameCodec, deflate: DeflateParameters | None, *, shares: bool) -> None:
        self._codec = codec
        self._shares = shares
        # Documented for engine.io: shorter ones, and those whose flag is off, go uncompressed. What 6.6 does is an
        # accident: it compresses all, a ping too (docs/differences.md).
        self._threshold = deflate.options.threshold if deflate is not None else None
        self._alike: object = None
        if shares and deflate is not None and deflate.server_no_context_takeover:
            options = deflate.options
            self._alike = (deflate.server_max_window_bits, options.threshold, options.zlib_deflate_options)

    def outgoing(self, outgoing: Outgoing) -> bytes:
        """The frames of all packets, one frame each."""
        threshold = self._threshold
        compress = threshold is not None and outgoing.compress and outgoing.size >= threshold
        if not compress and self._shares:
            return outgoing.frame or outgoing_frames(outgoing)
        deflated = outgoing.deflated
        if compress and deflated is not None and self._alike in deflated:
            return deflated[self._alike]
        frames: list[bytes] = []
        for packet in outgoing.packets:
            opcode, payload = (_TEXT, utf8(packet)) if isinstance(packet, str) else (_BINARY, packet)
            worth = compress and threshold is not None and len(payload) >= threshold
            frames.append(self._codec.frame(opcode, payload, worth))
        result = b"".join(frames)
        if compress and self._alike is not None:
            if outgoing.deflated is None:
                outgoing.deflated = {}
            outgoing.deflated[self._alike] = result
        return result

    def control(self, opcode: int, payload: bytes) -> bytes:
        """A control frame, never compressed."""
        return self._codec.frame(opcode, payload, False)
