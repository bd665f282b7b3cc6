"""JSON, pluggable per server: orjson when it is installed, else the standard library, same results.

A codec of the user's own needs `dumps` and `loads` only; the encoder then hands it plain values
(`_plain.py`). Ours have `quick` besides, which takes any value and meets the binary parts on its way.

The choices where the libraries (and JavaScript) differ:

- Floats are written in the shortest form that reads back the same, with orjson's spelling: `1.0` stays
  `1.0` (JSON.stringify writes `1`; to a JavaScript peer both are the same number, to a Python peer the
  type survives), `1e-05` is `0.00001`, `1e-07` is `1e-7`.
- Integers are read as int from -2**63 to 2**64-1 and as float beyond, as orjson does; JavaScript reads
  all beyond 2**53 as floats.
- Numbers too large for a double are refused on input (JavaScript reads Infinity), as are the words NaN
  and Infinity, a BOM, control characters in strings, and whatever else JSON.parse refuses.
- Lone surrogates are written as escapes (well-formed JSON.stringify) and read back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, Protocol, runtime_checkable

from ._plain import Convert, convert, plain

try:
    import orjson
except ImportError:
    _orjson: Any = None
else:
    _orjson = orjson


@runtime_checkable
class JsonCodec(Protocol):
    """What a JSON library must do to be used by an `Encoder` and a `Decoder`."""

    def dumps(self, value: Any, /) -> str:
        """Compact JSON text of plain values. Raises any exception for what it cannot write."""
        ...

    def loads(self, text: str, /) -> Any:
        """The value of a JSON text; raises ValueError (with `pos` if known) when it is not JSON."""
        ...


class StdlibJson:
    """The standard library's json, held to the rules above."""

    __slots__ = ()

    def dumps(self, value: Any, /) -> str:
        """Compact JSON of any value that `_plain.py` lists. Raises EncodeError with the path."""
        return write_plain(plain(value))

    def quick(self, value: Any, default: Convert, /) -> str | None:
        """The text of the commonest event, a name and texts; None for the rest. `default` is not called."""
        if value.__class__ is list:
            for item in value:
                if item.__class__ is not str:
                    return None
            return write_plain(value)
        return None

    def loads(self, text: str, /) -> Any:
        """Raises json.JSONDecodeError, a ValueError, for whatever JSON.parse refuses."""
        try:
            return (_read_large if _LARGE(text) else _read)(text)
        except RecursionError:
            raise ValueError("too deeply nested") from None


class OrjsonJson:
    """orjson, with the standard library for the few values that it refuses.

    Raises ImportError when orjson is not installed. `quick_loads` is orjson's own: no call in between,
    but a ValueError for lone surrogates.
    """

    __slots__ = ("quick_loads",)

    def __init__(self) -> None:
        if _orjson is None:
            raise ImportError("OrjsonJson needs the orjson package: pip install orjson")
        self.quick_loads: Callable[[str], Any] = _orjson.loads

    def dumps(self, value: Any, /) -> str:
        """Compact JSON of any value that `_plain.py` lists. Raises EncodeError with the path."""
        text = self.quick(value, convert)
        return write_plain(plain(value)) if text is None else text

    def quick(self, value: Any, default: Convert, /) -> str | None:
        """The text, or None when orjson refuses the value; `default` may have been called by then."""
        try:
            text: str = _orjson.dumps(value, default, _OPTIONS).decode()
        except TypeError:  # orjson.JSONEncodeError
            return None
        return text

    def loads(self, text: str, /) -> Any:
        """Raises json.JSONDecodeError, a ValueError, for whatever JSON.parse refuses."""
        try:
            return self.quick_loads(text)
        except ValueError:  # not JSON, or lone surrogates, which JSON.stringify does write
            return _STDLIB.loads(text)


_STDLIB: Final = StdlibJson()
_OPTIONS: Final = (
    0 if _orjson is None else _orjson.OPT_PASSTHROUGH_DATETIME | _orjson.OPT_PASSTHROUGH_DATACLASS
)


def default_json() -> JsonCodec:
    """The codec used when none is given: `OrjsonJson` if orjson is installed, else `StdlibJson`."""
    return _STDLIB if _orjson is None else OrjsonJson()


# --- writing with the standard library ---

_encode: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# A string (kept), or a number that Python spells with a padded negative exponent.
_SMALL_FLOAT: Final = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+")|([0-9])(?:\.([0-9]+))?e-0([5-9])', re.DOTALL)


def write_plain(value: Any) -> str:
    """Compact JSON of what `plain` returned: nothing in it is refused any more."""
    text = _encode(value)
    if "e-0" in text:
        text = _SMALL_FLOAT.sub(_spell, text)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text


def _spell(found: re.Match[str]) -> str:
    string, first, rest, exponent = found.groups()
    if string is not None:
        return string
    if exponent == "5":
        return f"0.0000{first}{rest or ''}"
    return f"{first}.{rest}e-{exponent}" if rest else f"{first}e-{exponent}"


# --- reading with the standard library ---

# Only a text with one of these can hold a number that needs care, and nearly none has one.
_LARGE: Final = re.compile(r"[0-9]{19}|[eE]\+?[0-9]{3}").search


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _large_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("number too large")
    return number


def _large_int(digits: str) -> int | float:
    if len(digits) <= 20:
        number = int(digits)
        if -(2**63) <= number < 2**64:
            return number
    return _large_float(digits)


_read: Final[Callable[[str], Any]] = json.JSONDecoder(parse_constant=_no_constant).decode
_read_large: Final[Callable[[str], Any]] = json.JSONDecoder(
    parse_constant=_no_constant, parse_float=_large_float, parse_int=_large_int
).decode
