"""Values to msgpack bytes, as notepack.io 2.2.0 writes them (what socket.io-msgpack-parser 3.0.2 uses).

The shortest form of everything (msgpack specification, "Formats"), appended to one bytearray. What a value is
follows the rule of the default parser (`_plain.py`), and where the two formats differ msgpack's own:

| value | becomes |
|---|---|
| dict (keys must be str), list, tuple and their subclasses | map, array |
| bytes, bytearray, memoryview | bin |
| int from -2**63 to 2**64 - 1 | the shortest integer; others raise |
| float | float 64: NaN and the infinities too, and `1.0` keeps its point, as in the default parser |
| aware datetime | what a JavaScript Date becomes: extension 0, signed milliseconds since 1970 |
| a lone surrogate | U+FFFD: UTF-8 has no form for it |
| Enum, UUID | its value, its text |
| anything else | refused with the type and the path |
"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from ._msgpack_read import EPOCH
from ._narrow import is_binary, is_dict, is_sequence
from ._plain import Refused, convert

_MILLISECOND: Final = timedelta(milliseconds=1)
_float: Final = struct.Struct(">Bd").pack
_long_form: Final = {width: struct.Struct(f">B{code}").pack for width, code in ((1, "B"), (2, "H"), (4, "I"))}


class TooDeep(Refused):
    """Nested deeper than there is room, perhaps without an end."""


def write(out: bytearray, value: Any, room: int) -> None:
    """Append `value`; arrays and maps may be nested `room` deep. Raises `Refused` with the way to what is."""
    kind = value.__class__
    if kind is str:
        _write_text(out, value)
    elif value is None:
        out.append(0xC0)
    elif kind is bool:
        out.append(0xC3 if value else 0xC2)
    elif kind is int:
        _write_int(out, value)
    elif kind is float:
        out += _float(0xCB, value)
    elif kind is dict:
        _write_dict(out, value, room)
    elif kind is list or kind is tuple:
        _write_list(out, value, room)
    elif kind is bytes:
        _write_head(out, len(value), 0xC4)
        out += value
    else:
        _write_other(out, value, room)


def _write_other(out: bytearray, value: Any, room: int) -> None:
    """Subclasses, and what has to be converted first."""
    if isinstance(value, Enum):
        write(out, value.value, room)
    elif isinstance(value, str):
        _write_text(out, value)
    elif isinstance(value, int):
        _write_int(out, int(value))
    elif isinstance(value, float):
        out += _float(0xCB, value)
    elif is_dict(value):
        _write_dict(out, value, room)
    elif is_sequence(value):
        _write_list(out, value, room)
    elif is_binary(value):
        write(out, bytes(value), room)
    elif (value.__class__.__module__, value.__class__.__qualname__) == ("uuid", "UUID"):
        _write_text(out, str(value))
    else:
        try:
            convert(value)  # refuses a datetime without a time zone, and whatever else has no form
        except TypeError as error:
            raise Refused(str(error)) from error
        _write_date(out, value)


def _write_head(out: bytearray, length: int, prefix: int, shortest: int = 1) -> None:
    """A prefix and the length in the least bytes. `prefix` is the one of the shortest length there is."""
    for width in (1, 2, 4):
        if width < shortest:
            continue
        if length < 1 << 8 * width:
            out += _long_form[width](prefix, length)
            return
        prefix += 1
    raise Refused("cannot encode a value of 4 GiB or more")


def _write_text(out: bytearray, value: str) -> None:
    try:
        text = str.encode(value)
    except UnicodeEncodeError:
        # As JavaScript sees it: two surrogates that make a pair are one character, any other is none.
        text = str.encode(value, "utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    length = len(text)
    if length < 0x20:
        out.append(0xA0 | length)
    else:
        _write_head(out, length, 0xD9)
    out += text


def _write_int(out: bytearray, value: int) -> None:
    if -0x20 <= value < 0x80:
        out.append(value & 0xFF)
        return
    # Prefixes 0xCC to 0xCF for 1, 2, 4 and 8 bytes without a sign, 0xD0 to 0xD3 for those with one.
    bits = value.bit_length() if value >= 0 else (~value).bit_length() + 1
    step = 0 if bits <= 8 else 1 if bits <= 16 else 2 if bits <= 32 else 3
    if bits > 64:
        raise Refused("cannot encode an int of more than 64 bits")
    out.append((0xCC if value >= 0 else 0xD0) + step)
    out += value.to_bytes(1 << step, "big", signed=value < 0)


def _write_date(out: bytearray, value: datetime) -> None:
    out += b"\xd7\x00"
    out += ((value - EPOCH) // _MILLISECOND).to_bytes(8, "big", signed=True)


def _write_list(out: bytearray, value: Any, room: int) -> None:
    if not room:
        raise TooDeep("too deeply nested")
    length = len(value)
    if length < 0x10:
        out.append(0x90 | length)
    else:
        _write_head(out, length, 0xDC, 2)
    for index, item in enumerate(value):
        try:
            write(out, item, room - 1)
        except Refused as refused:
            refused.trail.append(index)
            raise


def _write_dict(out: bytearray, value: Any, room: int) -> None:
    if not room:
        raise TooDeep("too deeply nested")
    length = len(value)
    if length < 0x10:
        out.append(0x80 | length)
    else:
        _write_head(out, length, 0xDE, 2)
    for key, item in value.items():
        if not isinstance(key, str):
            raise Refused(f"cannot encode the key {key!r}: keys must be str,")
        _write_text(out, key)
        try:
            write(out, item, room - 1)
        except Refused as refused:
            refused.trail.append(key)
            raise
