"""The order in which handlers start: that of arrival, for each client, on every runtime.

Where tasks start at once (`Runtime.eager`) that is free. Elsewhere a client is *held* until the handler that was
spawned last has reached its first suspension; meanwhile its events wait in its inbox (`Peer`). A handler that ends
lets the next one start from there. On every runtime a client is held while a per-packet middleware decides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from engineio_proto import EngineServer, TimerHeap

from ._config import HandlerConfig
from ._peer import Peer, Until
from ._runtime import Runtime, announce_start

E = TypeVar("E")


class HandlerOrder(Generic[E]):
    """What the peers of one server share.

    Args:
        engine: whose sessions they are.
        runtime: the event loop.
        config: the bounds.
        start: calls the handlers of an event; never raises.

    Attributes:
        max_bytes: of one client's events that may wait before reading pauses.
        slice: how many events one input may bring.
        drain_timers: the peers whose send buffer is to be looked at.
    """

    def __init__(
        self, engine: EngineServer, runtime: Runtime, config: HandlerConfig, start: Callable[[E], None]
    ) -> None:
        self.runtime = runtime
        self.config = config
        self.max_bytes = engine.wire_options.max_message_size
        self.slice = engine.config.slice
        self.drain_timers: TimerHeap[Peer[E]] = engine.timers.heap()
        self._start = start

    def spawn(self, peer: Peer[E] | None, body: Coroutine[Any, Any, None]) -> None:
        """Run the rest of an async handler in a task; without a peer in no order."""
        if self.runtime.eager or peer is None:
            self.runtime.spawn(body)
        else:
            self._hold(peer, body, _announced)

    def spawn_whole(self, peer: Peer[E], body: Coroutine[Any, Any, None]) -> None:
        """Run what decides about an event in a task: what is behind it waits until it ended, not only started."""
        self._hold(peer, body, _ended)

    def _hold(self, peer: Peer[E], body: Coroutine[Any, Any, None], until: Until) -> None:
        if peer.held is not None:
            peer.held.append((body, until))
        else:
            peer.held = deque()
            self._spawn_held(peer, body, until)

    def _spawn_held(self, peer: Peer[E], body: Coroutine[Any, Any, None], until: Until) -> None:
        def go_on() -> None:
            if peer.held:
                self._spawn_held(peer, *peer.held.popleft())
            else:
                peer.held = None
                self.drain(peer)

        self.runtime.spawn(until(body, go_on))

    def drain(self, peer: Peer[E]) -> None:
        """Start what waits and may start; not from within itself, so a long queue is a loop, not a recursion."""
        if peer.draining:
            return
        peer.draining = True
        try:
            while (event := peer.take()) is not None:
                self._start(event)
        finally:
            peer.draining = False
        peer.regulate()

    def handle_timeout(self, now: float) -> None:
        """Let go on who waited for a client to read."""
        for peer in self.drain_timers.take_due(now):
            peer.resolve_drained(now)


def own(error: BaseException) -> BaseException:
    """An error to be reported. A sync handler may raise any, such as the CancelledError of a future that it asks for
    its result; only what ends the process goes on upwards.
    """
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        raise error
    return error


async def _ended(body: Coroutine[Any, Any, None], ended: Callable[[], None]) -> None:
    try:
        await body
    finally:
        ended()


async def _announced(body: Coroutine[Any, Any, None], started: Callable[[], None]) -> None:
    await announce_start(body, started)
