"""Single WebSocket frames as bytes: headers, masks, and what a server sends (RFC 6455 section 5).

A server's frames are unmasked, whole and, without an extension, the same for everyone, so the frames of an
`Outgoing` are made once and kept in its `frame`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engineio_proto import Outgoing

# First byte of a whole frame: FIN and the opcode (RFC 6455 5.2).
WHOLE_TEXT: Final = 0x81
WHOLE_BINARY: Final = 0x82
OPCODE_CLOSE: Final = 0x8
EMPTY_CLOSE: Final = b"\x88\x00"
# RSV1 of a message's first frame (RFC 7692 6).
COMPRESSED: Final = 0x40

# One XOR of big integers is fastest below about this many bytes, four `translate` calls above it
# (measured: 64 bytes 0.9 against 2.5 us, 4 KiB equal, 1 MB 7.1 against 2.4 ms).
_XOR_UP_TO: Final = 4096
# Looked up once: in a frame's direct path the two look-ups are a tenth of its time.
int_from_bytes: Final = int.from_bytes
_XOR_TABLES: Final = tuple([bytes([value ^ key for value in range(256)]) for key in range(256)])


def unmask(data: bytes, start: int, end: int) -> bytes:
    """The payload `data[start:end]` without the mask that stands before it (RFC 6455 5.3)."""
    size = end - start
    if size <= _XOR_UP_TO:
        key = data[start - 4 : start] * ((size + 3) >> 2)
        # Read backwards, the surplus of the key lies above the payload; `little` makes it the high bytes.
        return (int_from_bytes(data[start:end], "little") ^ int_from_bytes(key[:size], "little")).to_bytes(
            size, "little"
        )
    payload = bytearray(data[start:end])
    for lane in range(4):
        payload[lane::4] = payload[lane::4].translate(_XOR_TABLES[data[start - 4 + lane]])
    return bytes(payload)


class FrameHeader(NamedTuple):
    """Where a frame's payload is; whether the header is valid is a codec's business."""

    first: int
    "FIN, RSV and opcode."
    size: int
    "Bytes of the header, mask included."
    length: int
    "Bytes of the payload."
    masked: bool


def frame_header(data: bytes, pos: int) -> FrameHeader | None:
    """Read the header that begins at `pos`; None while it is incomplete."""
    available = len(data) - pos
    if available < 2:
        return None
    second = data[pos + 1]
    masked = second >= 0x80
    length = second & 0x7F
    size = 2
    if length == 126:
        size = 4
    elif length == 127:
        size = 10
    if masked:
        size += 4
    if available < size:
        return None
    if length >= 126:
        length = int.from_bytes(data[pos + 2 : pos + (4 if length == 126 else 10)], "big")
    return FrameHeader(data[pos], size, length, masked)


def frame_bytes(first: int, payload: bytes) -> bytes:
    """An unmasked frame, whose first byte is FIN, RSV and opcode."""
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65_536:
        return bytes((first, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first, 127)) + length.to_bytes(8, "big") + payload


def utf8(text: str) -> bytes:
    """As a JavaScript WebSocket sends it: a surrogate without its partner becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


# The headers of short text frames, which nearly all are.
_SHORT_TEXT: Final = tuple([bytes((WHOLE_TEXT, length)) for length in range(126)])


def outgoing_frames(outgoing: Outgoing) -> bytes:
    """The frames of all packets, one frame each, and keep them for the next one who sends the same."""
    packets = outgoing.packets
    first = packets[0]
    if outgoing.size < 126 and len(packets) == 1 and isinstance(first, str) and first.isascii():
        frame = outgoing.frame = _SHORT_TEXT[outgoing.size] + first.encode()
        return frame
    frames = [
        frame_bytes(WHOLE_TEXT, utf8(packet))
        if isinstance(packet, str)
        else frame_bytes(WHOLE_BINARY, packet)
        for packet in packets
    ]
    frame = outgoing.frame = frames[0] if len(frames) == 1 else b"".join(frames)
    return frame
