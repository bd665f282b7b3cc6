"""The driver: sockets to the core, the core to sockets, and one clock.

Every input is one pass: give it to the core, dispatch the events, let handlers cause more, write once to each
connection that has output, and move the alarm if the deadline became earlier. Passes are synchronous, so no
cancellation can tear one. What happens outside a pass (a handler's task emits) wakes the task `keep`, which
makes a pass of its own; it does so too when a deadline comes, and for input that waits for its slice.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import trio
from engineio_wire import HttpDate, RequestReceived, Wire, WireServer, check_response
from socketio_proto import Other, OtherPaths

from ._connection import Connection, Stream
from ._runtime import log
from ._server import Server


class Driver:
    """One server on the trio that runs.

    Args:
        core: the machine.
        other: answers requests outside the core's path; 404 without it.
    """

    def __init__(self, core: Server, other: Other | None = None) -> None:
        self.runtime = core.runtime
        self.now = core.runtime.now
        self.wires: WireServer[Any] = WireServer(core, http_date=HttpDate(time.time))
        self.connections: dict[Wire[Any], Connection] = {}
        self._core = core
        self._other = OtherPaths(other, core.runtime, core.dirty, check_response)
        self._thread = threading.get_ident()
        self._alarm = trio.CancelScope()
        self._deadline = math.inf
        self._pending: list[Connection] = []
        self._busy = False
        self._woken = True  # `keep` begins with a pass
        core.dirty.wake = self.wake

    async def keep(self) -> None:
        """Make the passes that no input of a connection makes."""
        while True:
            self._woken = False
            pending, self._pending = self._pending, []
            self.run(_no_events, self.now())
            for connection in pending:
                connection.resume()
            if self._woken:  # there is more of it: after the others had their turn
                await trio.lowlevel.checkpoint()
            else:
                with trio.CancelScope(deadline=self._deadline) as self._alarm:
                    await trio.sleep_forever()

    async def accept(self, stream: Stream) -> None:
        """Serve a new connection."""
        try:
            await Connection(self, stream).serve()
        except Exception:
            log.exception("a bug of this library; the connection was closed")

    def wake(self) -> None:
        """Something was queued, or a deadline moved, outside a pass."""
        if not self._busy and not self._woken:
            if threading.get_ident() != self._thread:
                raise RuntimeError(
                    "a Server belongs to the thread of its trio; use trio.from_thread.run_sync"
                )
            self._woken = True
            self._alarm.cancel()

    def resume_soon(self, connection: Connection) -> None:
        """Let it have another slice once the others had their turn."""
        if not connection.resuming:
            connection.resuming = True
            self._pending.append(connection)
            if not self._woken:
                self._woken = True
                self._alarm.cancel()

    def run(self, receive: Callable[..., list[Any]], *args: Any) -> None:
        """One pass: `receive(*args)` is an input of a wire; the last argument is the instant."""
        self._busy = True
        try:
            if args[-1] >= self._deadline:
                # What was due before these bytes arrived happened before them, however late trio comes to it.
                self._core.timers.earlier = True
                self._dispatch([*self._core.handle_timeout(args[-1]), *self.wires.handle_timeout(args[-1])])
            self._dispatch(receive(*args))
            self._settle()
        finally:
            self._busy = False

    def close(self) -> None:
        """Close every session, and write what can be written at once."""
        self.run(self._core.close, self.now())

    def rearm(self) -> None:
        """Move the alarm if the core's deadline became earlier."""
        if self._core.timers.earlier:
            self._core.timers.earlier = False
            deadline = self._core.deadline
            self._deadline = self._alarm.deadline = math.inf if deadline is None else deadline

    def _dispatch(self, events: list[Any]) -> None:
        # A request outside the path is complete when nothing else can come on its wire, so it is the last.
        if events and type(events[-1]) is RequestReceived:
            self._core.dispatch(events[:-1])
            self._other.receive(events[-1].exchange, events[-1].body)
        elif events:
            self._core.dispatch(events)

    def _settle(self) -> None:
        core = self._core
        while True:
            while events := core.take_events():
                core.dispatch(events)
            for wire in core.dirty.take():
                connection = self.connections.get(wire)
                if connection is not None:  # else it was answered after it was gone
                    connection.flush()
            if (
                not core.dirty.owners
            ):  # writing causes no events, but the end of an answer may mark a wire again
                break
        self.rearm()


def _no_events(now: float) -> list[Any]:
    return []
