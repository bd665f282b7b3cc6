"""One direction of a connection: what is sent arrives in order, `latency` seconds later, or never.

A slow reader is `hold()`: arrivals wait, and with more than `window` of them under way the writer is told that it is
blocked, then, once all of it was read, that it is writable. `cut()` is the loss of the connection: nothing that is
under way arrives any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from tests.sim.clock import Clock

Item = TypeVar("Item")


class Pipe(Generic[Item]):
    """One direction.

    Args:
        clock: its time.
        deliver: gets each item.
        latency: seconds from `send` to `deliver`; 0 still lets other work of this instant go first.
        window: items that may be under way before the writer is blocked; None is no bound.

    Attributes:
        blocked: more is under way than the window takes.
        on_blocked, on_writable: told of it.
    """

    def __init__(
        self,
        clock: Clock,
        deliver: Callable[[Item], None],
        *,
        latency: float = 0.0,
        window: int | None = None,
    ) -> None:
        self.latency = latency
        self.window = window
        self.blocked = False
        self.on_blocked: Callable[[], None] | None = None
        self.on_writable: Callable[[], None] | None = None
        self._clock = clock
        self._deliver = deliver
        self._under_way: deque[Item] = deque()
        self._arrived = 0
        self._held = False
        self._cut = False

    def __len__(self) -> int:
        return len(self._under_way)

    def send(self, item: Item) -> None:
        """Put an item in; into a connection that is cut, it vanishes."""
        if self._cut:
            return
        self._under_way.append(item)
        self._clock.call_later(self.latency, self._arrive)
        if self.window is not None and len(self._under_way) > self.window and not self.blocked:
            self.blocked = True
            if self.on_blocked is not None:
                self.on_blocked()

    def hold(self) -> None:
        """The reader stops reading."""
        self._held = True

    def release(self) -> None:
        """The reader reads again."""
        self._held = False
        self._clock.call_later(0.0, self._read)

    def cut(self) -> None:
        """The connection is lost, with all that is under way."""
        self._cut = True
        self._under_way.clear()

    def _arrive(self) -> None:
        if not self._cut:
            self._arrived += 1
            self._read()

    def _read(self) -> None:
        while self._arrived and not self._held and not self._cut:
            self._arrived -= 1
            self._deliver(self._under_way.popleft())
        if self.blocked and not self._under_way and not self._cut:
            self.blocked = False
            if self.on_writable is not None:
                self.on_writable()
