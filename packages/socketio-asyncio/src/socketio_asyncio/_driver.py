"""The driver: sockets to the core, the core to sockets, and one timer.

Every input is one pass of a `Pump`: the core's events are dispatched, each connection that has output is written
to once, and the timer moves if the deadline did. Whatever happens outside a pass (a task emits) wakes the driver
through `Dirty.wake`, which schedules an empty pass.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from math import inf
from typing import Any, cast

from engineio_wire import HttpDate, Pump, Wire, check_response
from socketio_proto import Other, OtherPaths

from ._runtime import log
from ._server import EngineServer, Server


class Driver:
    """One core on one event loop.

    Args:
        core: the machine.
        other: answers requests outside the core's path; 404 without it.
    """

    def __init__(self, core: Server | EngineServer, other: Other | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.runtime = core.runtime
        other_paths = OtherPaths(other, core.runtime, core.dirty, check_response)
        self.pump: Pump[Any] = Pump(core, core.dispatch, other_paths.receive, http_date=HttpDate(time.time))
        self.connections: dict[Wire[Any], Connection] = {}
        self.now = core.runtime.now
        self.busy = False
        self._thread = threading.get_ident()
        self._timer: asyncio.TimerHandle | None = None
        self._woken = False
        core.dirty.wake = self.wake
        self.wake()

    def wake(self) -> None:
        """Something was queued, or a deadline moved, outside a pass."""
        if not self.busy and not self._woken:
            if threading.get_ident() != self._thread:
                raise RuntimeError(
                    "a Server belongs to the thread of its event loop; use loop.call_soon_threadsafe"
                )
            self._woken = True
            self.loop.call_soon(self._wake_up)

    def run(self, receive: Callable[..., list[Any]], *args: Any) -> None:
        """One pass: `receive(*args)` is an input of a wire; the last argument is the instant."""
        self._pass(self.pump.feed, receive, *args)

    def add(self, wire: Wire[Any], connection: Connection) -> None:
        """Drive a new connection. Its first request has a deadline, though no byte may ever come."""
        self.connections[wire] = connection
        self._arm()

    def close(self) -> None:
        """Close every session; what is left of the connections is closed by their clients or by `stop`."""
        self._pass(self.pump.close, self.now())

    def stop(self) -> None:
        """Close what is still connected, and the timer."""
        for connection in list(self.connections.values()):
            connection.transport.abort()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _pass(self, step: Callable[..., None], *args: Any) -> None:
        pump = self.pump
        connections = self.connections
        self.busy = True
        try:
            step(*args)
            while wires := pump.take():
                now = self.now()
                for wire in wires:
                    connection = connections.get(wire)
                    if connection is None:  # it was answered after it was gone
                        continue
                    try:
                        connection.flush(now)
                    except Exception:  # whatever it is, the others get what is theirs
                        log.exception("a bug of this library; the connection was closed")
                        connection.transport.abort()
        finally:
            self.busy = False
        self._arm()

    def _wake_up(self) -> None:
        self._woken = False
        self._pass(_nothing)

    def _timeout(self) -> None:
        self._timer = None
        self._pass(self.pump.expire, self.now())

    def _arm(self) -> None:
        if not self.pump.moved:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.pump.deadline != inf:
            delay = self.pump.deadline - self.now()
            self._timer = self.loop.call_at(self.loop.time() + delay, self._timeout)


class Connection(asyncio.Protocol):
    """One TCP connection: a transport and its wire."""

    __slots__ = ("_driver", "_ending", "_reading", "_resuming", "_wire", "transport")
    transport: asyncio.Transport

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._wire: Wire[Any]
        self._reading = True
        self._resuming = False
        self._ending = False

    @property
    def idle(self) -> bool:
        """Whether closing it now loses nothing."""
        return self._wire.idle and self.transport.get_write_buffer_size() == 0

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self.transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        secure = transport.get_extra_info("ssl_object") is not None
        self._wire = self._driver.pump.wires.wire(
            now=self._driver.now(), remote_address=peer[0] if peer else "", secure=secure
        )
        self._driver.add(self._wire, self)
        # What the kernel does not take is known at once, so `writable` tells the truth. TLS pauses at its limit, not
        # above it (sslproto.py, _control_app_writing): with 0 it would pause an empty buffer.
        self.transport.set_write_buffer_limits(high=1 if secure else 0, low=0)

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        driver = self._driver
        driver.run(self._wire.receive_bytes, data, driver.now())

    def eof_received(self) -> bool:
        """The client will send no more; the core decides what that means."""
        self._driver.run(self._wire.receive_eof, self._driver.now())
        # TLS has no half-closed connections; and when both sides have ended, nothing is left to wait for.
        return not self._ending and self.transport.get_extra_info("ssl_object") is None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._driver.run(self._wire.connection_lost, self._driver.now())
        del self._driver.connections[self._wire]

    def pause_writing(self) -> None:
        """The kernel took less than was written."""
        self._wire.write_blocked(self._driver.now())

    def resume_writing(self) -> None:
        """All is written."""
        if self._driver.busy:  # TLS says so from within the very write
            self._driver.loop.call_soon(self.resume_writing)
        else:
            self._driver.run(self._wire.write_ready, self._driver.now())

    # Called by the driver.

    def flush(self, now: float) -> None:
        """Write what the wire has, once; pause, resume or close as it says."""
        wire = self._wire
        transport = self.transport
        data = wire.take_bytes(now)
        if data:
            transport.write(data)
        if wire.closing:
            self._end()
            return
        if wire.wants_read is not self._reading:
            self._reading = wire.wants_read
            if self._reading:
                transport.resume_reading()
            else:
                transport.pause_reading()
        if wire.has_pending and not self._resuming:
            self._resuming = True
            self._driver.loop.call_soon(self._resume)

    def _end(self) -> None:
        """Close. A close with input unread is a reset, which may overtake the last bytes that were written; so our
        side ends first, and what the client still sends is discarded until it ends too, or the wire's deadline.
        """
        transport = self.transport
        if self._wire.abort:
            transport.abort()
        elif not self._ending:
            self._ending = True
            if not transport.can_write_eof():  # TLS
                transport.close()
                return
            try:
                transport.write_eof()
            except OSError:  # the client is gone, and the loop has not seen it yet
                transport.abort()
                return
            if not self._reading:
                transport.resume_reading()

    def _resume(self) -> None:
        """The next slice of what one client sent, after the others had their turn."""
        self._resuming = False
        if not self.transport.is_closing():
            self._driver.run(self._wire.resume, self._driver.now())


def _nothing() -> None:
    """A pass without an input: what tasks have queued is written."""
