"""Our own core as a peer of a replay: wires, server and handlers under virtual time, without an event loop.

The handlers are those of the conformance target, so the core is held to the same contract as the processes are.
"""

from __future__ import annotations

import contextlib
import heapq
import inspect
import io
import itertools
import json
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from typing import Any

import socketio_proto
from engineio_proto import Response
from engineio_wire import RequestReceived, Wire, WireServer
from socketio_asyncio import conformance_target
from socketio_client_files import CLIENT_VERSION, client_files
from socketio_proto import ClientFiles, Report, Trouble


class Immediate:
    """An awaitable that never waits."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


class StepWaiter:
    """Awaited by one coroutine of a `StepRuntime`, which goes on at its next turn."""

    def __init__(self, runtime: StepRuntime) -> None:
        self._runtime = runtime
        self._result: Callable[[], Any] | None = None
        self._waiting: Coroutine[Any, Any, None] | None = None

    def set(self, value: Any) -> None:
        self._resolve(lambda: value)

    def fail(self, error: Exception) -> None:
        def throw() -> Any:
            raise error

        self._resolve(throw)

    def wait_for(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._waiting = coroutine

    def _resolve(self, result: Callable[[], Any]) -> None:
        if self._result is None:
            self._result = result
            if self._waiting is not None:
                self._runtime.turns.append(self._waiting)

    def __await__(self) -> Generator[StepWaiter, None, Any]:
        if self._result is None:
            yield self
        assert self._result is not None, "resumed before it was resolved"
        return self._result()


class StepRuntime:
    """Coroutines stepped by hand, in the order in which what they wait for happens."""

    eager = True
    ready: Awaitable[None] = Immediate()

    def __init__(self) -> None:
        self.time = 1000.0
        self.turns: list[Coroutine[Any, Any, None]] = []
        self.may_report = False
        self._sleeping: list[tuple[float, int, StepWaiter]] = []
        self._count = itertools.count()
        self._suspended: set[Coroutine[Any, Any, None]] = set()

    @property
    def deadline(self) -> float | None:
        """When `wake` wants to be called."""
        return self._sleeping[0][0] if self._sleeping else None

    async def sleep(self, seconds: float) -> None:
        waiter = self.waiter()
        heapq.heappush(self._sleeping, (self.time + seconds, next(self._count), waiter))
        await waiter

    def close(self) -> None:
        """End what is still suspended, outermost first: the garbage collector knows no order."""
        while self._suspended:
            self._suspended.pop().close()

    def wake(self) -> None:
        while self._sleeping and self._sleeping[0][0] <= self.time:
            heapq.heappop(self._sleeping)[2].set(None)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.step(coroutine)

    def spawn_cancellable(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
        self.step(coroutine)
        return coroutine.close

    def step(self, coroutine: Coroutine[Any, Any, None]) -> None:
        if inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED:
            return  # it was cancelled
        self._suspended.discard(coroutine)
        try:
            waiter = coroutine.send(None)
        except StopIteration:
            return
        self._suspended.add(coroutine)
        assert isinstance(waiter, StepWaiter), f"a handler awaits {waiter!r}, which needs an event loop"
        waiter.wait_for(coroutine)

    def waiter(self) -> StepWaiter:
        return StepWaiter(self)

    def now(self) -> float:
        return self.time

    def stop(self) -> None:
        raise AssertionError("a trace that ends its server needs a process")

    def failed(self, error: BaseException) -> bool:
        return isinstance(error, Exception)

    def report(self, report: Report) -> None:
        if report.trouble is Trouble.HANDLER and not self.may_report:
            raise AssertionError(report.text) from report.error


class VirtualConnection:
    """One wire, and the bytes that it has written."""

    def __init__(self, peer: VirtualPeer, wire: Wire[Any]) -> None:
        self._peer = peer
        self.wire = wire
        self.sent = b""
        self.ended = False

    def send(self, data: bytes) -> None:
        if not self.ended:
            self._peer.run(self.wire.receive_bytes, data)

    def receive(self) -> bytes:
        sent, self.sent = self.sent, b""
        return sent

    def end(self) -> None:
        if not self.ended:
            self._peer.run(self.wire.receive_eof)
        self.lose()

    def flush(self, now: float) -> None:
        wire = self.wire
        self.sent += wire.take_bytes(now)
        if wire.closing:
            self.ended = True
        elif wire.has_pending:
            self._peer.backlog.append(self)

    def lose(self) -> None:
        self.ended = True
        if self in self._peer.connections.values():
            self._peer.run(self.wire.connection_lost)
            del self._peer.connections[self.wire]


class VirtualPeer:
    """A core configured as a trace wants it.

    Args:
        config: mode, options, behaviors, as the conformance target takes them.
    """

    has_log = True
    patience = 0.0

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.connections: dict[Wire[Any], VirtualConnection] = {}
        self.backlog: list[VirtualConnection] = []
        self._stdout = io.StringIO()
        self._runtime = StepRuntime()
        options = conformance_target.options_of(config, self._runtime.sleep)
        self._runtime.may_report = "fail" in config.get("behaviors", {}).values()
        counter = itertools.count(1)

        def random_bytes(count: int) -> bytes:
            return next(counter).to_bytes(count, "big")

        self._core: Any
        if config.get("mode") == "engineio":
            self._core = socketio_proto.EngineServer(
                options, runtime=self._runtime, random_bytes=random_bytes
            )
            conformance_target.define_engine(self._core)
            engine = self._core
        else:
            self._core = socketio_proto.Server(
                options,
                runtime=self._runtime,
                random_bytes=random_bytes,
                wall_clock=self._runtime.now,
                client_files=ClientFiles(CLIENT_VERSION, client_files()),
            )
            conformance_target.define(self._core, self._runtime.sleep)
            engine = self._core.engine
        conformance_target.use(engine, config, self._runtime.sleep)
        self._wires: WireServer[Any] = WireServer(self._core)

    def open(self) -> VirtualConnection:
        wire = self._wires.wire(now=self._runtime.time, remote_address="127.0.0.1")
        connection = self.connections[wire] = VirtualConnection(self, wire)
        return connection

    def close(self) -> None:
        """What still waits waits no longer; only a replay that was cut short has any."""
        self._runtime.close()

    def advance(self, seconds: float) -> None:
        until = self._runtime.time + seconds
        while (deadline := self._deadline) is not None and deadline <= until:
            self._runtime.time = max(deadline, self._runtime.time)
            self.run(self._timeout)
        self._runtime.time = until

    @property
    def _deadline(self) -> float | None:
        deadlines = (self._core.deadline, self._runtime.deadline)
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def take_log(self) -> list[Mapping[str, Any]]:
        text = self._stdout.getvalue()
        self._stdout.seek(0)
        self._stdout.truncate()
        return [json.loads(line[1:]) for line in text.splitlines() if line.startswith("@")]

    def run(self, receive: Callable[..., list[Any]], *arguments: Any) -> None:
        """One pass: an input, its events, what handlers caused, what is to be written."""
        with contextlib.redirect_stdout(self._stdout):
            self._dispatch(receive(*arguments, self._runtime.time))
            while True:
                if events := self._core.take_events():
                    self._dispatch(events)
                elif turns := self._runtime.turns:
                    self._runtime.step(turns.pop(0))
                elif owners := self._core.dirty.take():
                    for wire in owners:
                        if wire in self.connections:
                            self.connections[wire].flush(self._runtime.time)
                elif self.backlog:
                    self._dispatch(self.backlog.pop(0).wire.resume(self._runtime.time))
                else:
                    break

    def _timeout(self, now: float) -> list[Any]:
        self._runtime.wake()
        return [*self._core.handle_timeout(now), *self._wires.handle_timeout(now)]

    def _dispatch(self, events: list[Any]) -> None:
        if events and isinstance(events[-1], RequestReceived):
            *events, other = events
            other.exchange.answer(Response(404))
            self._core.dirty.mark(other.exchange.owner)
        self._core.dispatch(events)
