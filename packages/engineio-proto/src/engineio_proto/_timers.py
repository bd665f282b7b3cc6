"""The one clock of a server: every deadline, and the earliest of them.

Almost every deadline of this protocol has a duration that never changes while a server runs: the ping
interval, the pong timeout, the upgrade timeout. Deadlines of one such kind expire in the order in which they
were armed, so a `TimerQueue` is an `OrderedDict` from owner to deadline: arming moves the owner to the end,
cancelling pops it, the earliest is the first. That is exact and O(1), and a cancelled timer leaves nothing
behind. Deadlines that a caller chose (the timeout of an ack) have no such order; they live in one `TimerHeap`.

`Timers` only knows which is the earliest, and whether that may have become earlier since a binding last asked:
arming in a queue that holds others already never does, so a message costs nothing here. Whoever made a queue
takes what is due from it, in its own `handle_timeout`. No clock is read here: `now` is monotonic seconds and
always an argument.
"""

from __future__ import annotations

from collections import OrderedDict
from heapq import heappop, heappush
from typing import Any, Generic, TypeVar

Owner = TypeVar("Owner")


class TimerQueue(Generic[Owner]):
    """Deadlines of one constant duration, first armed, first due.

    Args:
        duration: seconds from arming to the deadline.
    """

    __slots__ = ("_deadlines", "_latest", "_timers", "duration")

    def __init__(self, timers: Timers, duration: float) -> None:
        self._timers = timers
        self.duration = duration
        # A plain dict searches its first entry behind all that were popped: of 100,000, 26 us a ping against 1.7.
        self._deadlines: OrderedDict[Owner, float] = OrderedDict()
        self._latest = 0.0

    def arm(self, owner: Owner, now: float) -> None:
        """Set or move the owner's deadline to `now + duration`."""
        deadlines = self._deadlines
        deadlines.pop(owner, None)
        if not deadlines:
            self._timers.earlier = True
        # Order is the invariant, so a clock that runs backwards is held where it was.
        deadline = self._latest = max(now + self.duration, self._latest)
        deadlines[owner] = deadline

    def cancel(self, owner: Owner) -> None:
        """Forget the owner's deadline; nothing happens when there is none."""
        self._deadlines.pop(owner, None)

    def take_due(self, now: float) -> list[Owner]:
        """Remove and return the owners whose deadline is not after `now`, earliest first."""
        due: list[Owner] = []
        for owner, deadline in self._deadlines.items():
            if deadline > now:
                break
            due.append(owner)
        for owner in due:
            del self._deadlines[owner]
        return due

    @property
    def deadline(self) -> float | None:
        """The earliest deadline, or None."""
        for deadline in self._deadlines.values():
            return deadline
        return None

    def __contains__(self, owner: object) -> bool:
        return owner in self._deadlines

    def __len__(self) -> int:
        return len(self._deadlines)


class TimerHeap(Generic[Owner]):
    """Deadlines of any duration. Cancelled entries are skipped, and swept when they outnumber the live ones."""

    __slots__ = ("_deadlines", "_heap", "_owners", "_serial", "_timers")

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._deadlines: dict[Owner, tuple[float, int]] = {}
        # A cancelled entry is two numbers: it keeps no owner alive.
        self._heap: list[tuple[float, int]] = []
        self._owners: dict[int, Owner] = {}
        self._serial = 0

    def arm(self, owner: Owner, deadline: float) -> None:
        """Set or move the owner's deadline to the given instant."""
        self.cancel(owner)
        self._serial += 1
        self._deadlines[owner] = (deadline, self._serial)
        self._owners[self._serial] = owner
        heappush(self._heap, (deadline, self._serial))
        if self._heap[0][1] == self._serial:
            self._timers.earlier = True

    def cancel(self, owner: Owner) -> None:
        """Forget the owner's deadline; nothing happens when there is none."""
        cancelled = self._deadlines.pop(owner, None)
        if cancelled is not None:
            del self._owners[cancelled[1]]
            if len(self._heap) > 2 * len(self._deadlines) + 64:
                self._heap = sorted(self._deadlines.values())

    def take_due(self, now: float) -> list[Owner]:
        """Remove and return the owners whose deadline is not after `now`, earliest first."""
        due: list[Owner] = []
        while (deadline := self.deadline) is not None and deadline <= now:
            owner = self._owners.pop(heappop(self._heap)[1])
            del self._deadlines[owner]
            due.append(owner)
        return due

    @property
    def deadline(self) -> float | None:
        """The earliest deadline, or None."""
        heap = self._heap
        while heap:
            if heap[0][1] in self._owners:
                return heap[0][0]
            heappop(heap)
        return None

    def __contains__(self, owner: object) -> bool:
        return owner in self._deadlines

    def __len__(self) -> int:
        return len(self._deadlines)


class Timers:
    """All queues of one server; its `deadline` is the only timer a binding needs.

    Attributes:
        earlier: the deadline may be earlier than when a binding last armed its timer; the binding resets it.
    """

    __slots__ = ("_sources", "earlier")

    def __init__(self) -> None:
        self.earlier = False
        self._sources: list[TimerQueue[Any] | TimerHeap[Any]] = []

    def queue(self, duration: float) -> TimerQueue[Any]:
        """A new kind of deadline with a constant duration in seconds; who keeps it says of what owners."""
        made: TimerQueue[Any] = TimerQueue(self, duration)
        self._sources.append(made)
        return made

    def heap(self) -> TimerHeap[Any]:
        """A new kind of deadline whose durations the caller gives."""
        made: TimerHeap[Any] = TimerHeap(self)
        self._sources.append(made)
        return made

    @property
    def deadline(self) -> float | None:
        """Monotonic seconds of the earliest deadline of all, or None."""
        earliest: float | None = None
        for source in self._sources:
            deadline = source.deadline
            if deadline is not None and (earliest is None or deadline < earliest):
                earliest = deadline
        return earliest
