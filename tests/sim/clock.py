"""Virtual time: calls that wait for their instant, and machines that have a `deadline`.

`advance` jumps from one instant to the next, so 45 seconds are as quick as their events. On the way it holds every
machine to the deadline law: after `handle_timeout(deadline)` something happened, or the deadline is strictly later.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

MOST_STEPS = 1_000
"""Steps that one instant may take; more is a loop without an end."""


class Machine(Protocol):
    """What has deadlines."""

    @property
    def deadline(self) -> float | None:
        """Seconds, or None."""
        ...

    def handle_timeout(self) -> bool:
        """Do what is due now; whether anything happened."""
        ...


class Clock:
    """One line of time.

    Attributes:
        now: seconds.
        machines: whose deadlines fire as time passes.
    """

    def __init__(self, start: float = 1000.0) -> None:
        self.now = start
        self.machines: list[Machine] = []
        self._calls: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0

    def call_later(self, delay: float, call: Callable[[], None]) -> None:
        """Call it in `delay` seconds; of one instant, first come, first called."""
        assert delay >= 0.0, delay
        self._serial += 1
        heappush(self._calls, (self.now + delay, self._serial, call))

    @property
    def next_instant(self) -> float | None:
        """When something is to happen next, or None."""
        instants = [machine.deadline for machine in self.machines]
        if self._calls:
            instants.append(self._calls[0][0])
        return min((instant for instant in instants if instant is not None), default=None)

    def advance(self, seconds: float = 0.0) -> None:
        """Let that much time pass, with all that happens in it."""
        assert seconds >= 0.0, seconds
        end = self.now + seconds
        steps = 0
        while (instant := self.next_instant) is not None and instant <= end:
            steps = 0 if instant > self.now else steps + 1
            assert steps < MOST_STEPS, f"time stands still at {self.now}"
            self.now = max(self.now, instant)
            self._step()
        self.now = end

    def _step(self) -> None:
        # Machines first: what was due before an input is done before it.
        for machine in self.machines:
            deadline = machine.deadline
            if deadline is not None and deadline <= self.now:
                happened = machine.handle_timeout()
                after = machine.deadline
                assert happened or after is None or after > deadline, f"{machine!r} stays due at {after}"
        if self._calls and self._calls[0][0] <= self.now:
            heappop(self._calls)[2]()
