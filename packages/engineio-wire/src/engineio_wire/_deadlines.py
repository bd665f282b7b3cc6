"""The wire's kinds of deadline; a connection has at most one at a time.

A connection waits for exactly one thing: a request head, a request body, the next request, the moment behind a
101 that an old client needs, or the peer's part of a close. An open WebSocket waits for nothing here (its
heartbeat is the engine's), so it is in no queue.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Generic, TypeVar

from engineio_proto import TimerQueue, Timers

from ._config import WireConfig

Owner = TypeVar("Owner")

# Long for a client on this machine to read a 101, short for a person.
_SETTLE: Final = 0.02


class Waiting(Enum):
    """What a connection waits for."""

    HEAD = "head"
    BODY = "body"
    IDLE = "idle"
    SETTLE = "settle"
    CLOSE = "close"


class Deadlines(Generic[Owner]):
    """At most one deadline per owner, of one of these durations.

    Args:
        timers: the server's clock, which gets a queue for each.
        config: the durations.
    """

    __slots__ = ("_queues", "_waiting")

    def __init__(self, timers: Timers, config: WireConfig) -> None:
        self._queues: dict[Waiting, TimerQueue[Owner]] = {
            Waiting.HEAD: timers.queue(config.head_timeout),
            Waiting.BODY: timers.queue(config.body_timeout),
            Waiting.IDLE: timers.queue(config.keep_alive_timeout),
            Waiting.SETTLE: timers.queue(_SETTLE),
            Waiting.CLOSE: timers.queue(config.close_timeout),
        }
        self._waiting: dict[Owner, Waiting] = {}

    def arm(self, waiting: Waiting, owner: Owner, now: float) -> None:
        """Replace the owner's deadline by one that begins now."""
        self.cancel(owner)
        self._waiting[owner] = waiting
        self._queues[waiting].arm(owner, now)

    def cancel(self, owner: Owner) -> None:
        """Forget the owner's deadline, whichever it is."""
        waiting = self._waiting.pop(owner, None)
        if waiting is not None:
            self._queues[waiting].cancel(owner)

    def take_due(self, now: float) -> list[Owner]:
        """The owners whose deadline has passed."""
        due = [owner for queue in self._queues.values() for owner in queue.take_due(now)]
        for owner in due:
            del self._waiting[owner]
        return due

    def waiting(self, owner: Owner) -> Waiting | None:
        """What the owner's deadline is for."""
        return self._waiting.get(owner)

    def __contains__(self, owner: object) -> bool:
        return owner in self._waiting
