"""The door of a namespace: the middlewares that a client passes before it is let in."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from ._errors import ConnectionRefused
from ._order import own
from ._runtime import Report, Runtime, Trouble
from ._socket import Socket


class Door:
    """Runs the middlewares of one server's namespaces.

    Args:
        runtime: the event loop.
        raised: reports what a middleware raised by mistake: the error, whose it is, for whom.
    """

    def __init__(self, runtime: Runtime, raised: Callable[[BaseException, str, Socket], None]) -> None:
        self._runtime = runtime
        self._raised = raised

    def ask(self, socket: Socket) -> None:
        """Sync middlewares run at once; from the first awaitable on, the rest runs in a task."""
        middlewares = socket.namespace.door(socket)
        for position, middleware in enumerate(middlewares):
            if socket.deaf:  # the one before closed the connection
                return
            try:
                result = _let_in(middleware(socket))
            except BaseException as error:
                self._refuse(socket, own(error))
                return
            if inspect.isawaitable(result):
                self._runtime.spawn(self._finish_middlewares(socket, result, middlewares[position + 1 :]))
                return
        socket.namespace.accept(socket)

    async def _finish_middlewares(
        self, socket: Socket, result: Awaitable[Any], rest: tuple[Any, ...]
    ) -> None:
        try:
            _let_in(await result)
            for middleware in rest:
                if socket.deaf:
                    return
                result = _let_in(middleware(socket))
                if inspect.isawaitable(result):
                    _let_in(await result)
        except BaseException as error:
            if not self._runtime.failed(error):
                self._refuse(socket, ConnectionRefused())  # cancelled: the client must not wait for ever
                raise
            self._refuse(socket, error)
        else:
            socket.namespace.accept(socket)

    def _refuse(self, socket: Socket, error: BaseException) -> None:
        if isinstance(error, ConnectionRefused):
            message, data = error.message, error.data
            text = f"a middleware of {socket.namespace.name!r} refused {socket.handshake.address}: {message!r} {data!r}"
            self._runtime.report(Report(Trouble.REFUSED, text))
        else:
            # A bug in a middleware keeps the client out, but its text is nobody's business.
            self._raised(error, "use", socket)
            message, data = "Internal error", None
        try:
            socket.namespace.refuse(socket, message, data)
        except Exception as unsendable:  # ConnectionRefused with data that cannot be sent
            self._raised(unsendable, "use", socket)
            socket.connection.refuse(socket.namespace.name, message)


def _let_in(result: Any) -> Any:
    """What a middleware returned. It refuses by raising; what can only mean a no is not taken for a yes."""
    if result is False or isinstance(result, BaseException):
        raise TypeError(f"use: a middleware returned {result!r}; to keep a client out, raise ConnectionRefused(...)")
    return result
