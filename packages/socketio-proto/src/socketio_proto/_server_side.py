"""Events that servers of a cluster emit to each other: `on_server_side`, and what runs its handlers.

They have a table of their own, so that no client can send one. A handler takes the arguments; what it returns is the
answer, if the other server asked for one. Source: `packages/socket.io/lib/namespace.ts`, `serverSideEmit`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from typing import Any, Final

from ._errors import ReservedEventError
from ._events import ServerSideReceived
from ._order import own
from ._runtime import Report, Runtime, Trouble

_RESERVED: Final = frozenset(("connect", "connection", "new_namespace"))


def check_server_side_name(event: object) -> None:
    """Raise for what no server may emit. Source: `namespace.ts`, `RESERVED_EVENTS`."""
    if not isinstance(event, str):
        raise TypeError(f"an event's name must be a string, not {event!r}")
    if event in _RESERVED:
        raise ReservedEventError(event)


class ServerSideRunner:
    """Runs the handlers of one server.

    Args:
        runtime: where async ones run.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def receive(self, event: ServerSideReceived) -> None:
        """Call the handlers. Never raises: a user's exception is reported."""
        reply = event.reply
        for handler in event.namespace.server_side_handlers.get(event.name, ()):
            if not handler.least <= len(event.args) <= handler.most:
                text = (
                    f"server-side event {event.name!r} came with {len(event.args)} arguments for {handler!r}"
                )
                self._runtime.report(Report(Trouble.MISFIT, text))
                reply = None
                continue
            try:
                result = handler.function(*event.args)
            except BaseException as error:
                self._raised(event, own(error))
            else:
                if inspect.isawaitable(result):
                    self._runtime.spawn(self._finish(event, result, reply))
                elif reply is not None:
                    reply(result)
            # With several listeners the first registered one's value is the answer.
            reply = None

    async def _finish(self, event: ServerSideReceived, result: Awaitable[Any], reply: Any) -> None:
        try:
            value = await result
            if reply is not None:
                reply(value)
        except BaseException as error:
            if not self._runtime.failed(error):
                raise
            self._raised(event, error)

    def _raised(self, event: ServerSideReceived, error: BaseException) -> None:
        text = f"handler of the server-side event {event.name!r} raised in {event.namespace!r}"
        self._runtime.report(Report(Trouble.HANDLER, text, error))
