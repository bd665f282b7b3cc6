"""The direct path: whole, plain frames, one after the other.

Nearly every frame is unfragmented, uncompressed, small, and wholly in the bytes of one read. Such frames are
parsed here without an object per frame. Whatever is not surely valid (and invalid UTF-8 too) is left where it
is, for wsproto to read and judge; so this path decides nothing, and can only be wrong by reading a frame that
wsproto would have refused. `tests/engineio_wire/test_differential.py` holds both ways together.
"""

from __future__ import annotations

from typing import Final, TypeVar

from engineio_proto import Engine, Link, LinkState

from ._events import WireEvent
from ._frames import WHOLE_BINARY, WHOLE_TEXT, int_from_bytes, unmask

E = TypeVar("E")

_OPEN: Final = LinkState.OPEN


def read_direct(
    engine: Engine[E],
    link: Link,
    data: bytes,
    pos: int,
    events: list[E | WireEvent],
    now: float,
    *,
    limit: int,
    most_events: int,
    most_frames: int,
) -> tuple[int, int]:
    """Read frames from `pos` on, which must be an idle boundary.

    Args:
        limit: bytes of the largest message.
        most_events: how many events the list may reach before a slice ends.
        most_frames: how many frames may be read in this slice.

    Returns:
        The position of the first frame that was not read, and how many frames may still be.
    """
    size = len(data)
    # First byte, length byte, mask: no masked frame is shorter.
    while size - pos >= 6 and most_frames and len(events) < most_events:
        start = pos + 6
        length = data[pos + 1] - 0x80
        if length > 125:
            # RFC 6455 5.2: "the minimal number of bytes MUST be used to encode the length".
            if length == 126:
                start += 2
                length = int.from_bytes(data[pos + 2 : pos + 4], "big")
                if length < 126:
                    break
            else:
                start += 8
                length = int.from_bytes(data[pos + 2 : pos + 10], "big")
                if length < 65_536:
                    break
        end = start + length
        if length < 0 or end > size or length > limit or link.state is not _OPEN or link.paused:
            break
        first = data[pos]
        if first == WHOLE_TEXT:
            try:
                if length <= 125:
                    # `unmask`, here: a call costs as much as the rest.
                    key = data[start - 4 : start] * ((length + 3) >> 2)
                    masked = int_from_bytes(data[start:end], "little")
                    payload = masked ^ int_from_bytes(key[:length], "little")
                    text = payload.to_bytes(length, "little").decode()
                else:
                    text = unmask(data, start, end).decode()
            except UnicodeDecodeError:
                break
            events += engine.receive_text(link, text, now)
        elif first == WHOLE_BINARY:
            events += engine.receive_bytes(link, unmask(data, start, end), now)
        else:
            break
        pos = end
        most_frames -= 1
    return pos, most_frames
