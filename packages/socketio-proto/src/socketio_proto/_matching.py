"""Running the user's functions that decide about namespaces: once, below every binding.

One after the other, in order of registration. A function that raises, or says no, leaves the name to the next. When
the client is gone before the answer (`NamespaceAbandoned`), the function's task is cancelled.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ._errors import ConnectionRefused
from ._events import NamespaceAbandoned, NamespaceRequested
from ._order import own
from ._runtime import Report, Runtime, Trouble

if TYPE_CHECKING:
    from ._parent import ParentNamespace


class _Running:
    """A function that has not answered yet."""

    __slots__ = ("awaitable", "cancel", "started")

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        self.awaitable = awaitable
        self.cancel: Callable[[], object] | None = None
        self.started = False


class MatcherRunner:
    """Answers which parent a name belongs to.

    Args:
        runtime: where async functions run.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._running: dict[NamespaceRequested, _Running] = {}

    def ask(self, request: NamespaceRequested) -> None:
        """Call the function that is next. Never raises: a user's exception is reported."""
        if request.ended:  # and its end is told by a later event
            return
        parent = request.parents[0]
        try:
            answer = parent.allows(request.name, request.auth)
            if not inspect.isawaitable(answer):
                answer = bool(answer)
        except BaseException as error:
            self._failed(parent, request, own(error))
            return
        if answer is True or answer is False:
            self._answer(parent, request, answer)
            return
        running = self._running[request] = _Running(answer)
        running.cancel = self._runtime.spawn_cancellable(self._wait(parent, request, running))
        if request.ended:  # it ran at once, and has closed the connection
            running.cancel()

    async def _wait(self, parent: ParentNamespace, request: NamespaceRequested, running: _Running) -> None:
        if request.ended:
            return
        running.started = True
        try:
            answer = bool(await running.awaitable)
        except BaseException as error:
            self._running.pop(request, None)
            if not self._runtime.failed(error):  # cancelled: if the loop ends, the client must not wait for ever
                request.parents = ()
                self._advance(request)
                raise
            self._failed(parent, request, error)
        else:
            self._running.pop(request, None)
            self._answer(parent, request, answer)

    def abandon(self, event: NamespaceAbandoned) -> None:
        """Nobody waits any more."""
        running = self._running.pop(event.request, None)
        if running is not None and running.cancel is not None:
            running.cancel()
            if not running.started and inspect.iscoroutine(running.awaitable):
                running.awaitable.close()  # it never will be

    def _answer(self, parent: ParentNamespace, request: NamespaceRequested, answer: bool) -> None:
        if answer:
            parent.server.dynamic.decide(request, parent)
        else:
            request.parents = request.parents[1:]
            self._advance(request)

    def _advance(self, request: NamespaceRequested) -> None:
        if not request.ended:
            request.connection.server.dynamic.advance(request)

    def _failed(self, parent: ParentNamespace, request: NamespaceRequested, error: BaseException) -> None:
        if not isinstance(error, ConnectionRefused):  # that is a way to say no
            text = f"{parent.matcher!r} raised for the namespace {request.name!r}"
            self._runtime.report(Report(Trouble.HANDLER, text, error))
        self._answer(parent, request, False)
