"""The questions asked about a value, with answers that type checkers understand.

`isinstance(value, list)` makes an Any a list of unknown things, which strict checking refuses.
"""

from __future__ import annotations

from typing import Any, TypeGuard


def is_list(value: object, /) -> TypeGuard[list[Any]]:
    """A JSON array, as it was read."""
    return isinstance(value, list)


def is_sequence(value: object, /) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """What is written as a JSON array."""
    return isinstance(value, (list, tuple))


def is_binary(value: object, /) -> TypeGuard[bytes | bytearray | memoryview[int]]:
    """What travels as an attachment."""
    return isinstance(value, (bytes, bytearray, memoryview))


def is_dict(value: object, /) -> TypeGuard[dict[Any, Any]]:
    """A JSON object."""
    return isinstance(value, dict)
