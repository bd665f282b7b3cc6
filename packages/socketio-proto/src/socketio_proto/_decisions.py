"""Running the user's decisions about requests: once, below every binding.

An engine asks (`DecisionRequested`), this calls the user's function, awaits what it gives if need be, and replies.
When nobody waits any more (`DecisionAbandoned`), the function's task is cancelled. With it go the engine's two
other notices: a refused request and a hook that raised. It serves an engine alone as well as a Socket.IO server.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from engineio_proto import (
    Abandonment,
    Decision,
    DecisionAbandoned,
    DecisionRequested,
    EngineServer,
    HookRaised,
    RequestRefused,
    Stage,
)

from ._errors import ConnectionRefused
from ._runtime import Report, Runtime, Trouble

DoorEvent: TypeAlias = DecisionRequested | DecisionAbandoned | HookRaised | RequestRefused
"""What an engine tells about requests, beside its sessions."""


class _Running:
    """A function of the user that has not answered yet."""

    __slots__ = ("awaitable", "cancel", "started")

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        self.awaitable = awaitable
        self.cancel: Callable[[], object] | None = None
        self.started = False


class DecisionRunner:
    """Answers the questions of one engine.

    Args:
        engine: who asks.
        runtime: where async functions run.
        decided: called after each reply, for whoever must look at what the request did.
    """

    def __init__(
        self, engine: EngineServer, runtime: Runtime, decided: Callable[[Decision], None] | None = None
    ) -> None:
        self._engine = engine
        self._runtime = runtime
        self._decided = decided
        self._running: dict[Decision, _Running] = {}

    def receive(self, event: DoorEvent) -> None:
        """Do what the event calls for. Never raises: a user's exception is reported, or refuses the request."""
        match event:
            case DecisionRequested(decision=decision):
                self._ask(decision)
            case DecisionAbandoned(decision=decision, reason=reason):
                self._abandon(decision, reason)
            case HookRaised():
                text = f"{event.name} raised for {event.request!r}"
                self._runtime.report(Report(Trouble.HANDLER, text, event.error))
            case _:
                self._tell(event)

    def _ask(self, decision: Decision) -> None:
        if decision.ended:  # and its end is told by a later event
            return
        try:
            answer = decision.ask()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self._fail(decision, error)
            return
        if inspect.isawaitable(answer):
            running = self._running[decision] = _Running(answer)
            running.cancel = self._runtime.spawn_cancellable(self._wait(decision, running))
            if decision.ended:  # it ran at once, and has answered or closed the server
                running.cancel()
        else:
            self._reply(decision, answer)

    async def _wait(self, decision: Decision, running: _Running) -> None:
        if decision.ended:
            return
        running.started = True
        try:
            answer = await running.awaitable
        except BaseException as error:  # if the loop ends, the client must not wait for ever either
            self._fail(decision, error)
            if not self._runtime.failed(error):
                raise
        else:
            self._reply(decision, answer)
        finally:
            self._running.pop(decision, None)

    def _reply(self, decision: Decision, answer: Any) -> None:
        self._engine.decide(decision, answer, self._runtime.now())
        if self._decided is not None:
            self._decided(decision)

    def _fail(self, decision: Decision, error: BaseException) -> None:
        if isinstance(error, ConnectionRefused) and decision.stage is Stage.ALLOW_REQUEST:
            self._reply(decision, error.message or False)
            return
        if not isinstance(error, Exception):
            error = RuntimeError(f"{decision.stage.value} was cancelled")
        self._engine.fail_decision(decision, error, self._runtime.now())

    def _abandon(self, decision: Decision, reason: Abandonment) -> None:
        running = self._running.pop(decision, None)
        if running is not None and running.cancel is not None:
            running.cancel()
            if not running.started and inspect.iscoroutine(running.awaitable):
                running.awaitable.close()  # it never will be
        if reason is Abandonment.TIMEOUT:
            text = f"{decision.stage.value} did not answer for {decision.request!r}: {reason.value}"
            self._runtime.report(Report(Trouble.HANDLER, text))

    # Refusals.

    def _tell(self, event: RequestRefused) -> None:
        request = event.request
        text = (
            f"refused {request.method} {request.target!r} from {request.remote_address}: code "
            f"{int(event.code)} {event.message} {dict(event.context)!r}"
        )
        self._runtime.report(Report(Trouble.REFUSED, text))
        for listener in self._engine.hooks.connection_error:
            try:
                result = listener(event)
            except Exception as error:
                self._listener_raised(event, error)
            else:
                if inspect.isawaitable(result):
                    self._runtime.spawn(self._finish_listener(event, result))

    async def _finish_listener(self, event: RequestRefused, result: Awaitable[Any]) -> None:
        try:
            await result
        except BaseException as error:
            if not self._runtime.failed(error):
                raise
            self._listener_raised(event, error)

    def _listener_raised(self, event: RequestRefused, error: BaseException) -> None:
        text = f"a listener of connection_error raised for {event.request!r}"
        self._runtime.report(Report(Trouble.HANDLER, text, error))
