"""The pass of a driver, without the driver: what every binding does in the same order around its own I/O.

    run(input) ->  feed     what was due before, then the input, its events dispatched
                   take     what dispatching caused, dispatched too; then who has something to write
                   (the binding writes once to each of them, and takes again until nobody is left)
                   moved    whether the one timer must be armed anew, at `deadline`

So a binding owns sockets, tasks and a timer, and a hand-written loop needs nothing but this and `select`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Generic, Protocol, TypeVar

from engineio_proto import Engine, Exchange

from ._config import WireConfig
from ._events import RequestReceived
from ._server import WireServer
from ._wire import Wire

E = TypeVar("E")


class Core(Engine[E], Protocol[E]):
    """What is driven: an `engineio_proto.EngineServer`, or whatever wraps one."""

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` wants to be called."""
        ...

    def handle_timeout(self, now: float) -> list[E]:
        """Do what is due."""
        ...

    def take_events(self) -> list[E]:
        """What commands have caused since the last input."""
        ...

    def close(self, now: float) -> list[E]:
        """Close every session."""
        ...


class Pump(Generic[E]):
    """The passes of one core.

    Args:
        core: the machine.
        dispatch: runs the user's code for a list of the core's events; never raises.
        other: takes a complete request outside the core's path, and its body.
        config: the bounds of the wires.
        http_date: gives the `Date` header's value.

    Attributes:
        wires: makes the wires of new connections.
        deadline: the instant of the earliest deadline, as of the last `moved`; infinite when there is none.
    """

    __slots__ = ("_core", "_dirty", "_dispatch", "_other", "_timers", "deadline", "wires")

    def __init__(
        self,
        core: Core[E],
        dispatch: Callable[[list[E]], None],
        other: Callable[[Exchange, bytes], None],
        *,
        config: WireConfig | None = None,
        http_date: Callable[[], str] | None = None,
    ) -> None:
        self.wires: WireServer[E] = WireServer(core, config, http_date=http_date)
        self.deadline = inf
        self._core = core
        self._dirty = core.dirty
        self._timers = core.timers
        self._dispatch = dispatch
        self._other = other

    def feed(self, receive: Callable[..., list[Any]], *args: Any) -> None:
        """Give the core an input, `receive(*args)`, and dispatch what follows. The last argument is the instant."""
        now = args[-1]
        if now >= self.deadline:
            # What was due before these bytes arrived happened before them, however late the loop comes to it.
            self._timers.earlier = True
            self._dispatch(self._core.handle_timeout(now))
            self._dispatch_wire(self.wires.handle_timeout(now))
        events = receive(*args)
        if events:
            if type(events[-1]) is RequestReceived:
                self._dispatch_wire(events)
            else:
                self._dispatch(events)

    def expire(self, now: float) -> None:
        """Do what is due; early it does nothing, and `moved` will be True."""
        self._timers.earlier = True
        self.feed(_no_input, now)

    def close(self, now: float) -> None:
        """Close every session."""
        self.feed(self._core.close, now)

    def take(self) -> list[Wire[E]]:
        """The wires that have something to write, to read differently or to close; [] ends the pass."""
        while events := self._core.take_events():
            self._dispatch(events)
        return self._dirty.take()

    @property
    def moved(self) -> bool:
        """Whether `deadline` has changed since this was last asked, or may have."""
        timers = self._timers
        if not timers.earlier:
            return False
        timers.earlier = False
        deadline = self._core.deadline
        self.deadline = inf if deadline is None else deadline
        return True

    def _dispatch_wire(self, events: list[Any]) -> None:
        # A request outside the path is complete when nothing else can come on its wire, so it is the last.
        if events and type(events[-1]) is RequestReceived:
            self._dispatch(events[:-1])
            self._other(events[-1].exchange, events[-1].body)
        else:
            self._dispatch(events)


def _no_input(now: float) -> list[Any]:
    return []
