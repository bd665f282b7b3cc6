"""The wire's four kinds of deadline; a connection has at most one at a time.

A connection waits for exactly one thing: a request head, a request body, the next request, or the peer's part
of a close. An open WebSocket waits for nothing here (its heartbeat is the engine's), so it is in no queue.

Outputs are pulled without an instant (`take_bytes()`), yet two deadlines begin with an output: idle keep-alive
and the close. `arm_late` starts them from the latest instant that any input gave, which may be too early. When
such a deadline expires it is therefore started once more, from the instant that is known then. So those two
last between once and twice their duration, never less.
"""

from __future__ import annotations

from enum import Enum
from typing import Generic, TypeVar

from engineio_proto import TimerQueue, Timers

from ._config import WireConfig

Owner = TypeVar("Owner")


class Waiting(Enum):
    """What a connection waits for."""

    HEAD = "head"
    BODY = "body"
    IDLE = "idle"
    CLOSE = "close"


class Deadlines(Generic[Owner]):
    """At most one deadline per owner, of four durations.

    Args:
        timers: the server's clock, which gets four queues.
        config: the durations.
    """

    __slots__ = ("_late", "_queues", "now")

    def __init__(self, timers: Timers, config: WireConfig) -> None:
        self._queues: dict[Waiting, TimerQueue[Owner]] = {
            Waiting.HEAD: timers.queue(config.head_timeout),
            Waiting.BODY: timers.queue(config.body_timeout),
            Waiting.IDLE: timers.queue(config.keep_alive_timeout),
            Waiting.CLOSE: timers.queue(config.close_timeout),
        }
        self._late: dict[Owner, Waiting] = {}
        # The latest instant that was seen: deadlines of a queue must be armed in order.
        self.now = 0.0

    def arm(self, waiting: Waiting, owner: Owner, now: float) -> None:
        """Replace the owner's deadline by one that begins now."""
        self.cancel(owner)
        self.saw(now)
        self._queues[waiting].arm(owner, self.now)

    def arm_late(self, waiting: Waiting, owner: Owner) -> None:
        """Replace the owner's deadline by one that begins with an output, at an instant that is not known."""
        self.cancel(owner)
        self._queues[waiting].arm(owner, self.now)
        self._late[owner] = waiting

    def cancel(self, owner: Owner) -> None:
        """Forget the owner's deadline, whichever it is."""
        for queue in self._queues.values():
            queue.cancel(owner)
        self._late.pop(owner, None)

    def saw(self, now: float) -> None:
        """Remember the instant of an input."""
        if now > self.now:
            self.now = now

    def take_due(self, now: float) -> list[Owner]:
        """The owners whose deadline has passed."""
        self.saw(now)
        due: list[Owner] = []
        for queue in self._queues.values():
            for owner in queue.take_due(now):
                if self._late.pop(owner, None) is not None:
                    queue.arm(owner, self.now)
                else:
                    due.append(owner)
        return due

    def waiting(self, owner: Owner) -> Waiting | None:
        """What the owner's deadline is for."""
        for waiting, queue in self._queues.items():
            if owner in queue:
                return waiting
        return None

    def __contains__(self, owner: object) -> bool:
        return any(owner in queue for queue in self._queues.values())
