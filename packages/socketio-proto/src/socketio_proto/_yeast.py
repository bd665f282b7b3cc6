"""Offsets: what an event carries so that its client can say where to go on.

Milliseconds since the epoch in 64 digits, and behind a dot the count of those that came in the same millisecond
before: `QHt3Zq1`, `QHt3Zq1.0`, `QHt3Zq1.1`. They only grow, also when the clock is set back.
Source: `packages/socket.io-adapter/lib/contrib/yeast.ts`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
# Seven digits are the years 1972 to 2109.
_OFFSET: Final = re.compile(r"([0-9A-Za-z_-]{7})(?:\.([0-9A-Za-z_-]{1,7}))?")


def encode(number: int) -> str:
    """A number that is not negative in these digits, the highest first."""
    text = ""
    while True:
        number, digit = divmod(number, 64)
        text = _DIGITS[digit] + text
        if not number:
            return text


def order(offset: str) -> tuple[int, int] | None:
    """What tells which of two offsets came first; None for what is no offset."""
    match = _OFFSET.fullmatch(offset)
    if match is None:
        return None
    milliseconds, count = match.groups()
    return _decode(milliseconds), 0 if count is None else _decode(count) + 1


def _decode(text: str) -> int:
    number = 0
    for digit in text:
        number = number * 64 + _VALUES[digit]
    return number


class Yeast:
    """Makes offsets.

    Args:
        wall_clock: seconds since the epoch.
    """

    __slots__ = ("_count", "_latest", "_prefix", "_wall_clock")

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self._wall_clock = wall_clock
        self._latest = -1
        self._prefix = ""
        self._count = 0

    def __call__(self) -> str:
        now = int(self._wall_clock() * 1000)
        if now > self._latest:
            self._latest = now
            self._prefix = encode(now)
            self._count = 0
            return self._prefix
        count = self._count
        self._count = count + 1
        return f"{self._prefix}.{encode(count)}"
