"""Which owners have something to write, and the one call that says so.

A command never writes. It queues, marks the owner (the wire behind a link or a parked exchange) and, when the
set turns non-empty, calls `wake`, which the binding gave. `wake` only schedules; the binding then calls
`take()` once and writes once per owner, however many messages were queued.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _nothing() -> None:
    """Before a binding gives its own: tests and hand-written loops pull without being woken."""


class Dirty:
    """An insertion-ordered set of owners to flush.

    Owners are whatever object a wire put on its links and exchanges; the set never looks inside one.

    Attributes:
        owners: who is in it; to be read only.
        wake: called when the first owner comes in.
    """

    __slots__ = ("owners", "wake")

    def __init__(self) -> None:
        self.owners: dict[Any, None] = {}
        self.wake: Callable[[], None] = _nothing

    def mark(self, owner: Any) -> None:
        """Remember that the owner has output, or wants its `wants_read` looked at."""
        owners = self.owners
        if not owners:
            self.wake()  # first: it may refuse, to a thread that is not the machine's
        owners[owner] = None

    def forget(self, owner: Any) -> None:
        """Take an owner out: its connection is gone."""
        self.owners.pop(owner, None)

    def take(self) -> list[Any]:
        """Empty the set and return what was in it, in order of marking.

        Each of them must now be taken from: what is queued behind something that waits marks nobody again.
        """
        owners = self.owners
        if not owners:
            return []
        taken = list(owners)
        owners.clear()
        return taken

    def __len__(self) -> int:
        return len(self.owners)
