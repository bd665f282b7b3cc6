"""The `Date` header (RFC 9110 6.6.1), written once a second."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate


class HttpDate:
    """Gives the present date as HTTP writes it.

    Args:
        wall_clock: seconds since the epoch, such as `time.time`.
    """

    __slots__ = ("_second", "_text", "_wall_clock")

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self._wall_clock = wall_clock
        self._second = -1
        self._text = ""

    def __call__(self) -> str:
        second = int(self._wall_clock())
        if second != self._second:
            self._second = second
            self._text = formatdate(second, usegmt=True)
        return self._text
