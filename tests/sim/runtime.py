"""A `socketio_proto.Runtime` over virtual time: tasks that are stepped by hand, waiters, no event loop.

Three ways to start a task stand for three kinds of event loop: at once (asyncio with eager tasks), in the order of
spawning (asyncio's plain tasks), or in the opposite order, which is the worst that trio's scheduler may choose.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from enum import Enum
from typing import Any

from socketio_proto import Report, Trouble

from tests.sim.clock import Clock


class Start(Enum):
    """When and in which order spawned tasks start."""

    EAGER = "eager"
    IN_ORDER = "in order"
    REVERSED = "reversed"


class Cancelled(BaseException):
    """What a loop throws into a task to end it."""


class Ready:
    """Awaitable at once."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


class VirtualWaiter:
    """The first `set` or `fail` counts."""

    def __init__(self, runtime: VirtualRuntime) -> None:
        self._runtime = runtime
        self._tasks: list[Task] = []
        self._value: Any = None
        self._error: Exception | None = None
        self.done = False

    def set(self, value: Any) -> None:
        if not self.done:
            self.done, self._value = True, value
            self._resume()

    def fail(self, error: Exception) -> None:
        if not self.done:
            self.done, self._error = True, error
            self._resume()

    def _resume(self) -> None:
        for task in self._tasks:
            self._runtime.ready_to_run(task, self)
        self._tasks.clear()

    def wait(self, task: Task) -> None:
        """A task yielded this waiter."""
        self._tasks.append(task)

    def forget(self, task: Task) -> None:
        """A task that yielded this waiter was cancelled."""
        if task in self._tasks:
            self._tasks.remove(task)

    def __await__(self) -> Generator[Any, Any, Any]:
        if not self.done:
            return Suspension(self)
        return self.result()

    def result(self) -> Generator[Any, Any, Any]:
        """Its value or error, for one who need not wait."""
        error, value = self._error, self._value
        del self  # as with a future: it keeps its error, but the error's traceback does not lead back to it
        try:
            if error is not None:
                raise error
            return value
            yield
        finally:
            del error, value

    @property
    def error(self) -> Exception | None:
        """What a loop throws into the task that waits, or None."""
        return self._error

    @property
    def value(self) -> Any:
        """What a loop sends to it."""
        return self._value


class Suspension(Generator[Any, Any, Any]):
    """Yields the waiter once, then returns what the loop sends. No generator function, whose frame would know it."""

    def __init__(self, waiter: VirtualWaiter) -> None:
        self._waiter: VirtualWaiter | None = waiter

    def send(self, value: Any) -> Any:
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            raise StopIteration(value)
        return waiter

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        try:
            raise error
        finally:
            del error


class Task:
    """A coroutine that is stepped by the runtime.

    Args:
        kept: it is the test's own, which looks at its error; another's error is an error of ours.

    Attributes:
        done: it ended.
        value, error: how.
    """

    def __init__(
        self, runtime: VirtualRuntime, body: Coroutine[Any, Any, Any], *, kept: bool = False
    ) -> None:
        self.kept = kept
        self._runtime = runtime
        self._body = body
        self._waits_for: VirtualWaiter | None = None
        self._values: list[Any] = []
        self._errors: list[BaseException] = []
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None

    def resume(self, value: Any, error: BaseException | None) -> None:
        """What its next step sends or throws."""
        if error is None:
            self._values.append(value)
        else:
            self._errors.append(error)

    def step(self) -> None:
        """Run it to its next suspension."""
        if self.done:
            return
        self._waits_for = None
        try:
            # An error's traceback leads to this frame, so no local name may lead to the error or its waiter.
            if self._errors:
                waiter = self._body.throw(self._errors.pop())
            else:
                waiter = self._body.send(self._values.pop() if self._values else None)
        except StopIteration as stop:
            self.value = stop.value
        except BaseException as error:
            self.error = error
        else:
            assert isinstance(waiter, VirtualWaiter), f"{waiter!r} was awaited, which is none of our waiters"
            self._waits_for = waiter
            waiter.wait(self)
            return
        self.done = True
        self._runtime.ended(self)

    def cancel(self) -> None:
        """Throw `Cancelled` into it, now."""
        if self._waits_for is not None:
            self._waits_for.forget(self)
        self.resume(None, Cancelled())
        self.step()


class VirtualRuntime:
    """Tasks of one server.

    Attributes:
        tasks: those that have not ended.
        reports: what was reported.
        stopped: whether somebody asked to end serving.
        after_turn: called after tasks ran; whoever drives the server looks there for what they caused.
    """

    ready: Awaitable[None] = Ready()

    def __init__(self, clock: Clock, start: Start = Start.EAGER) -> None:
        self._clock = clock
        self._start = start
        self._new: list[Task] = []
        self._runnable: list[Task] = []
        self._scheduled = False
        self.tasks: list[Task] = []
        self.reports: list[Report] = []
        self.stopped = False
        self.after_turn: Callable[[], None] = lambda: None

    @property
    def eager(self) -> bool:
        return self._start is Start.EAGER

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._start_task(Task(self, coroutine))

    def spawn_cancellable(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
        task = Task(self, coroutine)
        self._start_task(task)
        return task.cancel

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Task:
        """A task of the test."""
        task = Task(self, coroutine, kept=True)
        self._start_task(task)
        return task

    def _start_task(self, task: Task) -> None:
        self.tasks.append(task)
        if self.eager:
            task.step()
        else:
            self._new.append(task)
            self._schedule()

    def waiter(self) -> VirtualWaiter:
        return VirtualWaiter(self)

    def now(self) -> float:
        return self._clock.now

    def stop(self) -> None:
        self.stopped = True

    def failed(self, error: BaseException) -> bool:
        return isinstance(error, Exception)

    def report(self, report: Report) -> None:
        self.reports.append(report)

    async def sleep(self, seconds: float = 0.0) -> None:
        """What a handler may await."""
        waiter = self.waiter()
        self._clock.call_later(seconds, lambda: waiter.set(None))
        await waiter

    def told(self, *troubles: Trouble) -> list[str]:
        """The texts of some kinds of reports; they are taken away."""
        texts = [report.text for report in self.reports if report.trouble in troubles]
        self.reports = [report for report in self.reports if report.trouble not in troubles]
        return texts

    # Called by tasks and waiters.

    def ready_to_run(self, task: Task, waiter: VirtualWaiter) -> None:
        task.resume(waiter.value, waiter.error)
        self._runnable.append(task)
        self._schedule()

    def ended(self, task: Task) -> None:
        self.tasks.remove(task)
        if task.error is not None and not task.kept and not isinstance(task.error, Cancelled):
            raise AssertionError(f"a spawned coroutine let {task.error!r} out") from task.error

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._clock.call_later(0.0, self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        runnable, self._runnable = self._runnable, []
        new, self._new = self._new, []
        for task in runnable + (new[::-1] if self._start is Start.REVERSED else new):
            task.step()
        self.after_turn()
