"""What is said to and heard from a namespace: by the `Namespace` itself, and by the `Server`, which means "/"."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._audience import Audience
from ._handlers import Function, fitting_handler, room_handler, server_side_handler
from ._listening import NamespaceListening
from ._server_side import check_server_side_name

if TYPE_CHECKING:
    from ._handlers import Handler, Handlers
    from ._socket import Socket

Middleware = Callable[["Socket"], Any]
MiddlewareFunction = TypeVar("MiddlewareFunction", bound=Middleware)


class Vocabulary(Audience, NamespaceListening):
    """The words of a namespace. What they change is kept by the namespace of `everyone`."""

    def _listeners(self) -> Handlers:
        return self.everyone.namespace.handlers

    def use(self, middleware: MiddlewareFunction) -> MiddlewareFunction:
        """Register a function `(socket)`, sync or async, that runs before a client is let in; also a decorator.

        They run in order of registration. Raise `ConnectionRefused(message, data)` to keep the client out.

        Raises:
            TypeError: when the function could never be called like this.
        """
        fitting_handler("use", middleware, ("socket",), "use")
        namespace = self.everyone.namespace
        namespace.middlewares = (*namespace.middlewares, middleware)
        return middleware

    @overload
    def on_room(self, event: str) -> Callable[[Function], Function]: ...
    @overload
    def on_room(self, event: str, handler: Function) -> Function: ...
    def on_room(self, event: str, handler: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Register for changes of rooms: `create-room(room)`, `join-room(room, id)`, `leave-room(room, id)`,
        `delete-room(room)`; also a decorator. They are told in the order in which they happened.

        Raises:
            ValueError: there is no such event.
            TypeError: when the function could never be called like this.
        """
        table = self.everyone.namespace.room_handlers
        return _register(table, event, handler, room_handler)

    # Between the servers of a cluster.

    @overload
    def on_server_side(self, event: str) -> Callable[[Function], Function]: ...
    @overload
    def on_server_side(self, event: str, handler: Function) -> Function: ...
    def on_server_side(self, event: str, handler: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Register a handler of what other servers emit, called with the arguments; also a decorator.

        What it returns is the answer, if the other server asked for one.

        Raises:
            TypeError: when the function has an `Ack` parameter.
            ReservedEventError: for a name that no server may emit.
        """
        check_server_side_name(event)
        table = self.everyone.namespace.server_side_handlers
        return _register(table, event, handler, server_side_handler)

    def server_side_emit(self, event: str, *args: Any) -> Awaitable[None]:
        """Emit to the other servers of the cluster: to this namespace's `on_server_side` handlers there.

        Raises:
            ReservedEventError: for `connect`, `connection` and `new_namespace`.
        """
        check_server_side_name(event)
        namespace = self.everyone.namespace
        namespace.apply(namespace.adapter.server_side_emit(event, args))
        return namespace.server.ready

    async def server_side_emit_with_ack(self, event: str, *args: Any) -> list[Any]:
        """The same, with an answer from each of them.

        Raises:
            AnswersMissing: when not all came in time, with those that did in `responses`.
        """
        check_server_side_name(event)
        namespace = self.everyone.namespace
        return await namespace.ask_adapter(partial(namespace.adapter.server_side_emit, event, args))


def _register(
    table: dict[str, tuple[Handler, ...]],
    event: str,
    function: Callable[..., Any] | None,
    checked: Callable[[str, Callable[..., Any]], Handler],
) -> Callable[..., Any]:
    def register(function: Function) -> Function:
        table[event] = (*table.get(event, ()), checked(event, function))
        return function

    return register if function is None else register(function)
