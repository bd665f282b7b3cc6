"""What the vocabulary needs from an event loop, on trio."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import trio
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
    """What an emit returns that need not wait: awaiting it is a checkpoint; one object for all of them."""

    def __await__(self) -> Generator[Any, Any, None]:
        return trio.lowlevel.checkpoint().__await__()


class EventWaiter:
    """A result that one task waits for; its second resolution does nothing."""

    __slots__ = ("_error", "_event", "_value")

    def __init__(self) -> None:
        self._event = trio.Event()
        self._value: Any = None
        self._error: Exception | None = None

    def set(self, value: Any) -> None:
        """Let the awaiting task go on."""
        if not self._event.is_set():
            self._value = value
            self._event.set()

    def fail(self, error: Exception) -> None:
        """Raise in the awaiting task."""
        if not self._event.is_set():
            self._error = error
            self._event.set()

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from self._event.wait().__await__()
        if self._error is not None:
            raise self._error
        return self._value


class TrioRuntime:
    """Tasks in the nursery of the `serve` that runs, trio's clock, and the log.

    Attributes:
        nursery: where handlers run; None while nothing is served.
        running: how many run.
        served: whether a `serve` runs.
        end_serving: ends it; None while it does not accept yet, or no more.
        fatal: what `serve` raises once it has ended.
    """

    eager = False
    ready: Awaitable[None] = Ready()

    def __init__(self) -> None:
        self.nursery: trio.Nursery | None = None
        self.running = 0
        self.served = False
        self.end_serving: Callable[[], None] | None = None
        self.fatal: BaseException | None = None
        self._waiting = trio.lowlevel.ParkingLot()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a handler from trio's next turn on."""
        if self.nursery is None:
            coroutine.close()
            raise RuntimeError("handlers run while `serve` does, and it does not")
        self.running += 1
        self.nursery.start_soon(self._run, coroutine)

    def spawn_cancellable(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """The same, in a scope of its own; returns the scope's `cancel`."""
        scope = trio.CancelScope()
        self.spawn(coroutine if self.nursery is None else _scoped(scope, coroutine))
        return scope.cancel

    async def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        # Nothing but a cancellation may leave: it would take the nursery, and so everybody's handlers, with it.
        try:
            await coroutine
        except trio.Cancelled:
            raise
        except BaseExceptionGroup as group:
            cancelled, rest = group.split(trio.Cancelled)
            if rest is not None:
                self.report(Report(Trouble.HANDLER, "a handler raised as it was cancelled", rest))
            if cancelled is not None:
                raise cancelled from None
        except (KeyboardInterrupt, SystemExit) as error:
            self.fail(error)
        except BaseException as error:
            self.report(Report(Trouble.HANDLER, "a handler raised", error))
        finally:
            self.running -= 1
            if not self.running:
                self._waiting.unpark_all()

    async def wait_finished(self) -> None:
        """Wait until no handler runs."""
        while self.running:
            await self._waiting.park()

    def waiter(self) -> EventWaiter:
        """A new waiter."""
        return EventWaiter()

    def now(self) -> float:
        """Trio's clock, so that a deadline of the core is a deadline of trio's."""
        return trio.current_time()

    def failed(self, error: BaseException) -> bool:
        """What has a cancellation in it must go on to its scope; see `_run`."""
        return isinstance(error, Exception)

    def fail(self, error: BaseException) -> None:
        """A handler asked the process to end: `serve` ends, and raises it."""
        self.fatal = self.fatal or error
        if self.end_serving is not None:
            self.end_serving()

    def report(self, report: Report) -> None:
        """Write to the log `socketio`: handlers' errors with their traceback, the rest at level INFO."""
        log.log(_LEVELS[report.trouble], "%s", report.text, exc_info=report.error)

    def stop(self) -> None:
        """End `serve`, as a signal does."""
        if self.end_serving is None:
            raise RuntimeError("shutdown: nothing is served")
        self.end_serving()


async def _scoped(scope: trio.CancelScope, coroutine: Coroutine[Any, Any, None]) -> None:
    with scope:
        await coroutine
