"""From Python values to plain JSON values, with the path of what is refused.

The JSON libraries each have their own idea of what a value is: the standard library writes `NaN` and
turns `{1: 2}` into `{"1": 2}`, orjson refuses large integers and lone surrogates. This walk is the one
rule behind all of them. It copies (the caller's value is never changed) into dicts with str keys, lists,
str, int, finite float, bool and None. orjson does the same work natively and needs the walk only for what
it refuses; a differential test holds both together.

| value | becomes |
|---|---|
| dict (keys must be str), list, tuple and their subclasses | object, array |
| NaN, infinities | null, as `JSON.stringify` does |
| int of any size that a double can hold | its digits |
| Enum, UUID | its value, its text |
| aware datetime | `2026-01-02T03:04:05.678Z`, as a JavaScript Date |
| anything else | `EncodeError` with the type and the path |
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from typing import Any, Final, cast

from ._errors import EncodeError
from ._narrow import is_dict, is_sequence

DEEPEST: Final = 254
"""Containers inside one another: orjson's own limit when it writes, so that both ways refuse the same."""

Convert = Callable[[Any], Any]
"""Called with a value that is not plain; returns one that is closer to it, or raises TypeError."""


def convert(value: Any) -> Any:
    """The conversions that need no context. Raises TypeError for a value that has no JSON form."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("cannot encode a datetime without a time zone (the peer would not know which)")
        utc = value.astimezone(UTC)
        return utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    if is_sequence(value):  # orjson asks for subclasses of tuple
        return list(value)
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"cannot encode {cast(object, value).__class__.__qualname__}")


class Refused(Exception):
    """Carries the reason up, and collects the way back down."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.trail: list[object] = []

    def error(self, root: str) -> EncodeError:
        """The same for the caller: with the path below `root`."""
        return EncodeError(self.reason, root + "".join(f"[{step!r}]" for step in reversed(self.trail)))


def plain(value: Any, default: Convert = convert, root: str = "data") -> Any:
    """A plain copy of `value`. Raises EncodeError that names the type and the path below `root`."""
    try:
        return _copy(value, default, set(), 1)
    except Refused as refused:
        raise refused.error(root) from refused.__cause__
    except RecursionError:  # the caller was deep in its own stack
        raise EncodeError("too deeply nested", root) from None


def _copy(value: Any, default: Convert, inside: set[int], depth: int) -> Any:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Enum):
        return _copy(value.value, default, inside, depth)
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            try:
                float(value)
            except OverflowError:
                raise Refused("cannot encode an int that is too large for a double") from None
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if (value.__class__.__module__, value.__class__.__qualname__) == ("uuid", "UUID"):
        return str(value)  # orjson writes it too; the module itself makes random ones, so it stays out
    if not is_dict(value) and not is_sequence(value):
        try:
            converted = default(value)
        except (TypeError, ValueError) as error:
            raise Refused(str(error)) from error
        return _copy(converted, default, inside, depth)
    if depth > DEEPEST:
        raise Refused("too deeply nested")
    me = id(value)
    if me in inside:
        raise Refused("cannot encode circular data")
    inside.add(me)
    copy_items = _copy_dict if is_dict(value) else _copy_list
    copied = copy_items(value, default, inside, depth + 1)
    inside.discard(me)
    return copied


def _copy_dict(value: Any, default: Convert, inside: set[int], depth: int) -> Any:
    copied: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise Refused(f"cannot encode the key {key!r}: keys must be str,")
        try:
            copied[key] = _copy(item, default, inside, depth)
        except Refused as refused:
            refused.trail.append(key)
            raise
    return copied


def _copy_list(value: Any, default: Convert, inside: set[int], depth: int) -> Any:
    copied: list[Any] = []
    for index, item in enumerate(value):
        try:
            copied.append(_copy(item, default, inside, depth))
        except Refused as refused:
            refused.trail.append(index)
            raise
    return copied
