"""What the vocabulary needs from an event loop: eight methods. A binding implements them, and nothing else.

`async def` in this package awaits only the user's awaitables and a `Waiter`; so the same code runs under
asyncio, trio, or whatever an embedder has.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from dataclasses import dataclass
from enum import Enum
from types import coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Waiter(Protocol):
    """Awaited by one task, resolved by another; the first `set` or `fail` counts, and later ones do nothing."""

    def set(self, value: Any) -> None:
        """Let the awaiting task go on with this value."""
        ...

    def fail(self, error: Exception) -> None:
        """Raise this error in the awaiting task."""
        ...

    def __await__(self) -> Generator[Any, Any, Any]: ...


class Trouble(Enum):
    """What a report is about, and so how loud it is."""

    HANDLER = "a handler raised"
    REFUSED = "a request was refused"
    CLOSED = "a connection was closed by a bound"
    FIRST_MISFIT = "an event's arguments do not fit its handler, for the first time"
    MISFIT = "an event's arguments do not fit its handler"
    UNSUPPORTED = "an adapter cannot do what was asked"


@final
@dataclass(frozen=True, slots=True)
class Report:
    """Something that the user may want to read in a log. The core does not log; the binding does."""

    trouble: Trouble
    """What kind."""
    text: str
    """One line, with what was compared."""
    error: BaseException | None = None
    """With its traceback, where there is one."""


class Runtime(Protocol):
    """An event loop, as far as the vocabulary needs one."""

    @property
    def eager(self) -> bool:
        """Whether `spawn` runs a coroutine to its first suspension before it returns."""
        ...

    @property
    def ready(self) -> Awaitable[None]:
        """What an `emit` returns that need not wait: one shared object; on trio awaiting it is a checkpoint."""
        ...

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run it in a task of its own. It reports its own errors."""
        ...

    def spawn_cancellable(self, coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
        """`spawn`, for what may have to end before its time. Returns a function that cancels it."""
        ...

    def waiter(self) -> Waiter:
        """A new `Waiter`."""
        ...

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def failed(self, error: BaseException) -> bool:
        """Whether what a coroutine of the user's raised is its own failure, to be reported, and not the end of the task
        that runs it, to be raised on."""
        ...

    def report(self, report: Report) -> None:
        """Write to the log."""
        ...

    def stop(self) -> None:
        """End serving, as a signal does. Raises RuntimeError when nothing is served."""
        ...


@coroutine
def announce_start(body: Coroutine[Any, Any, T], started: Callable[[], None]) -> Generator[Any, Any, T]:
    """Run `body` in the present task and call `started` when it suspends or ends for the first time.

    On a runtime whose tasks start later, in an order of its own, this is how the next handler of a socket
    knows that the one before has started.
    """
    # Popped when it is yielded: a loop throws the error of a future into this frame, and the error's traceback then
    # knows the frame. Knew the frame the future, they would be a knot that only the garbage collector unties.
    yielded: list[Any] = []
    try:
        yielded.append(body.send(None))
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    finally:
        started()
    while True:
        try:
            sent = yield yielded.pop()
        except GeneratorExit:
            body.close()
            raise
        except BaseException as error:  # cancellation included: whatever the loop throws goes to the body
            try:
                yielded.append(body.throw(error))
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
        else:
            try:
                yielded.append(body.send(sent))
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
