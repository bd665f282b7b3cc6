"""msgpack bytes to values, as notepack.io 2.2.0 reads them (what socket.io-msgpack-parser 3.0.2 uses).

A msgpack library cannot stand in for all of it: the dialect gives `d4 00 xx` and `c7 01 00 xx` different meanings
(JavaScript's undefined, an ArrayBuffer of one byte), as it does `d7 00` and `c7 08 00` (a Date, an ArrayBuffer
of eight bytes), and libraries hand both to their hook as "extension 0". So the `msgpack` package, where it is
installed, reads the messages in which no byte can begin a bin or an extension, and no more bytes begin arrays and
maps than may be nested: most of those without binary. It reads them as the reader below would, only sooner, and
what it refuses that one judges.

The formats are those of the msgpack specification, "Formats"; what the dialect makes of them is this:

| on the wire | value |
|---|---|
| nil | None |
| fixext 1, type 0 | undefined: None in an array; in a map as if the key were not there |
| fixext 8, type 0 | a Date: signed milliseconds since 1970, an aware datetime |
| ext 8, 16 or 32, type 0 | an ArrayBuffer: bytes |
| any other extension | `[type, bytes]` |
| text that is not UTF-8 | U+FFFD in the place of what is not |
| an integer as a key | its digits, since JavaScript's keys are text |

Lengths are never believed: an array grows as its items are read, and every item takes at least a byte. So the
memory taken is in proportion to the bytes that came, whatever they claim.
"""

from __future__ import annotations

import re
import struct
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ._errors import DecodeError

try:
    import msgpack  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
except ImportError:
    _msgpack: Any = None
else:
    _msgpack = msgpack

# Bytes that begin neither an array or a map, nor a bin or an extension.
_PLAIN: Final = bytes(
    {*range(256)} - {*range(0x80, 0xA0), *range(0xC4, 0xCA), *range(0xD4, 0xD9), *range(0xDC, 0xE0)}
)
_is_special: Final = re.compile(rb"[\xc4-\xc9\xd4-\xd8]").search
_LONGEST: Final = 1024
"""Items for which the package may make room before it has seen them."""

# prefix -> bytes of the length behind it
_BIN: Final = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_EXT: Final = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_STR: Final = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_ARRAY: Final = {0xDC: 2, 0xDD: 4}
_MAP: Final = {0xDE: 2, 0xDF: 4}
_SIZED: Final = {**_BIN, **_EXT, **_STR, **_ARRAY, **_MAP}
# prefix -> bytes of the payload
_FIXED_EXT: Final = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_NUMBERS: Final = {
    prefix: struct.Struct(form)
    for prefix, form in zip(
        range(0xCA, 0xD4), (">f", ">d", ">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q"), strict=True
    )
}
_CONSTANTS: Final = {0xC0: None, 0xC2: False, 0xC3: True}

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ABSENT: Final[Any] = object()
"""JavaScript's undefined, until it is known where it stands."""


def read(data: bytes, max_depth: int) -> Any:
    """The one value that these bytes are, perhaps `ABSENT`. Raises DecodeError, and nothing else."""
    if _msgpack is not None:
        telling = data.translate(None, _PLAIN)
        if len(telling) <= max_depth and not _is_special(telling):
            try:
                return _msgpack.unpackb(data, unicode_errors="replace", max_array_len=_LONGEST)
            except (ValueError, TypeError):
                pass
    return read_alone(data, max_depth)


def read_alone(data: bytes, max_depth: int) -> Any:
    """`read` without any library."""
    reader = _Reader(data)
    try:
        value = reader.value(max_depth)
    except (IndexError, struct.error):
        raise DecodeError("truncated message", len(data)) from None
    except RecursionError:  # the caller was deep in its own stack
        raise DecodeError("invalid payload", reader.at, "too deeply nested") from None
    left = len(data) - reader.at
    if left < 0:
        raise DecodeError("truncated message", len(data))
    if left:
        raise DecodeError(f"{left} trailing bytes", reader.at)
    return value


class _Reader:
    """Bytes, and how far they are read: `at` may come to lie behind their end, which is seen by the next read
    or, after the last one, by `read`.
    """

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at: int = 0

    def value(self, room: int) -> Any:
        """The next value; arrays and maps may be nested `room` deep. Raises IndexError behind the end."""
        data = self.data
        at = self.at
        prefix = data[at]
        at += 1
        if prefix < 0xC0:
            if prefix < 0x80:
                self.at = at
                return prefix
            if prefix >= 0xA0:
                self.at = end = at + prefix - 0xA0
                return str(data[at:end], "utf-8", "replace")
            self.at = at
            return self._map(prefix - 0x80, room) if prefix < 0x90 else self._array(prefix - 0x90, room)
        if prefix >= 0xE0:
            self.at = at
            return prefix - 0x100
        if prefix in _SIZED:
            width = _SIZED[prefix]
            self.at = at = at + width
            return self._sized(prefix, int.from_bytes(data[at - width : at], "big"), room)
        number = _NUMBERS.get(prefix)
        if number is not None:
            self.at = at + number.size
            return number.unpack_from(data, at)[0]
        if prefix in _FIXED_EXT:
            return self._fixed_ext(_FIXED_EXT[prefix])
        if prefix in _CONSTANTS:
            self.at = at
            return _CONSTANTS[prefix]
        raise DecodeError("Could not parse", at - 1, f"{prefix:#x} starts nothing")

    def _sized(self, prefix: int, length: int, room: int) -> Any:
        if prefix in _ARRAY:
            return self._array(length, room)
        if prefix in _MAP:
            return self._map(length, room)
        if prefix not in _EXT:
            taken = self._take(length)
            return taken if prefix in _BIN else str(taken, "utf-8", "replace")
        kind = self._take(1)
        taken = self._take(length)
        return taken if kind == b"\0" else [int.from_bytes(kind, "big", signed=True), taken]

    def _take(self, length: int) -> bytes:
        at = self.at
        self.at = end = at + length
        return self.data[at:end]

    def _fixed_ext(self, length: int) -> Any:
        self.at += 1
        kind = self._take(1)
        taken = self._take(length)
        if kind == b"\0" and length == 1:
            return ABSENT
        if kind == b"\0" and length == 8:
            return self._date(int.from_bytes(taken, "big", signed=True))
        return [int.from_bytes(kind, "big", signed=True), taken]

    def _date(self, milliseconds: int) -> datetime:
        try:
            return EPOCH + timedelta(milliseconds=milliseconds)
        except OverflowError:
            raise DecodeError("invalid payload", self.at - 8, "a date beyond the years 1 to 9999") from None

    def _array(self, length: int, room: int) -> list[Any]:
        if not room:
            raise self._too_deep()
        items: list[Any] = []
        for _ in range(length):
            item = self.value(room - 1)
            items.append(None if item is ABSENT else item)
        return items

    def _map(self, length: int, room: int) -> dict[str, Any]:
        if not room:
            raise self._too_deep()
        items: dict[str, Any] = {}
        for _ in range(length):
            key = self.value(room - 1)
            if key.__class__ is not str:
                if key.__class__ is not int:
                    raise DecodeError("invalid payload", self.at, "a key that is neither text nor an integer")
                key = str(key)
            item = self.value(room - 1)
            if item is ABSENT:
                items.pop(key, None)  # of a key that came twice the last value counts
            else:
                items[key] = item
        return items

    def _too_deep(self) -> DecodeError:
        return DecodeError("invalid payload", self.at - 1, "nested too deeply")
