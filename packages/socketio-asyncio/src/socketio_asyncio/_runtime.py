"""The eight things that the vocabulary needs from an event loop, on asyncio."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

from socketio_proto import Report, Trouble

log = logging.getLogger("socketio")

_LEVELS = {
    Trouble.HANDLER: logging.ERROR,
    Trouble.CLOSED: logging.INFO,
    Trouble.REFUSED: logging.INFO,
    Trouble.FIRST_MISFIT: logging.WARNING,
    Trouble.MISFIT: logging.INFO,
    Trouble.UNSUPPORTED: logging.WARNING,
}


class Ready:
    """What an emit returns that need not wait; one object for all of them."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


class FutureWaiter:
    """A future whose second resolution does nothing."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def set(self, value: Any) -> None:
        """Let the awaiting task go on."""
        if not self._future.done():
            self._future.set_result(value)

    def fail(self, error: Exception) -> None:
        """Raise in the awaiting task."""
        if not self._future.done():
            self._future.set_exception(error)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._future.__await__()


class AsyncioRuntime:
    """Tasks, futures, the loop's clock and the log.

    Attributes:
        tasks: the handlers that run; a task that nothing refers to could be collected half way.
        served: whether a `serve` runs.
        end_serving: ends it; None while it does not accept yet, or no more.
    """

    # Task(eager_start=True) came with Python 3.12.
    eager = sys.version_info >= (3, 12)
    ready: Awaitable[None] = Ready()
    # The clock of every event loop, readable also before one runs.
    now = staticmethod(time.monotonic)

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self.served = False
        self.end_serving: Callable[[], None] | None = None

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a handler; on 3.12 and later up to its first suspension at once."""
        self.spawn_cancellable(coroutine)

    def spawn_cancellable(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """The same; returns the task's `cancel`."""
        task: asyncio.Task[None]
        if sys.version_info >= (3, 12):
            task = asyncio.Task(coroutine, loop=asyncio.get_running_loop(), eager_start=True)
            if task.done():
                return task.cancel
        else:
            task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task.cancel

    def waiter(self) -> FutureWaiter:
        """A new waiter."""
        return FutureWaiter()

    def failed(self, error: BaseException) -> bool:
        """Also a cancellation that nobody asked of this task: of something that it awaited."""
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            return task is not None and not task.cancelling()
        return isinstance(error, Exception)

    def report(self, report: Report) -> None:
        """Write to the log `socketio`: handlers' errors with their traceback, the rest at level INFO."""
        log.log(_LEVELS[report.trouble], "%s", report.text, exc_info=report.error)

    def stop(self) -> None:
        """End `serve`, as a signal does."""
        if self.end_serving is None:
            raise RuntimeError("shutdown: nothing is served")
        self.end_serving()
