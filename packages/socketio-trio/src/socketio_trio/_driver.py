"""The driver: sockets to the core, the core to sockets, and one clock.

Every input is one pass of a `Pump`: the core's events are dispatched, each connection that has output is written
to once, and the alarm moves if the deadline did. Passes are synchronous, so no
cancellation can tear one. What happens outside a pass (a handler's task emits) wakes the task `keep`, which
makes a pass of its own; it does so too when a deadline comes, and for input that waits for its slice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import trio
from engineio_wire import HttpDate, Pump, Wire, check_response
from socketio_proto import Other, OtherPaths

from ._connection import Connection, Stream
from ._runtime import log
from ._server import EngineServer, Server


class Driver:
    """One server on the trio that runs.

    Args:
        core: the machine.
        other: answers requests outside the core's path; 404 without it.
    """

    def __init__(self, core: Server | EngineServer, other: Other | None = None) -> None:
        self.runtime = core.runtime
        self.now = core.runtime.now
        other_paths = OtherPaths(other, core.runtime, core.dirty, check_response)
        self.pump: Pump[Any] = Pump(core, core.dispatch, other_paths.receive, http_date=HttpDate(time.time))
        self.connections: dict[Wire[Any], Connection] = {}
        self._thread = threading.get_ident()
        self._alarm = trio.CancelScope()
        self._pending: list[Connection] = []
        self._busy = False
        self._woken = True  # `keep` begins with a pass
        core.dirty.wake = self.wake

    async def keep(self) -> None:
        """Make the passes that no input of a connection makes."""
        while True:
            self._woken = False
            pending, self._pending = self._pending, []
            self._pass(self.pump.expire, self.now())
            for connection in pending:
                connection.resume()
            if self._woken:  # there is more of it: after the others had their turn
                await trio.lowlevel.checkpoint()
            else:
                with trio.CancelScope(deadline=self.pump.deadline) as self._alarm:
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
        self._pass(self.pump.feed, receive, *args)

    def close(self) -> None:
        """Close every session, and write what can be written at once."""
        self._pass(self.pump.close, self.now())

    def rearm(self) -> None:
        """Move the alarm if the core's deadline has moved."""
        if self.pump.moved:
            self._alarm.deadline = self.pump.deadline

    def _pass(self, step: Callable[..., None], *args: Any) -> None:
        self._busy = True
        try:
            step(*args)
            while wires := self.pump.take():
                now = self.now()
                for wire in wires:
                    connection = self.connections.get(wire)
                    if connection is None:  # it was answered after it was gone
                        continue
                    try:
                        connection.flush(now)
                    except Exception:  # whatever it is, the others get what is theirs
                        log.exception("a bug of this library; the connection was closed")
                        connection.abort()
        except (KeyboardInterrupt, SystemExit) as error:  # of a handler
            self.runtime.fail(error)
        finally:
            self._busy = False
        self.rearm()
