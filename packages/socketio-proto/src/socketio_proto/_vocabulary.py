"""What is said to and heard from a namespace: by the `Namespace` itself, and by the `Server`, which means "/"."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._audience import Audience
from ._handlers import Function

if TYPE_CHECKING:
    from ._socket import Socket

Middleware = Callable[["Socket"], Any]
MiddlewareFunction = TypeVar("MiddlewareFunction", bound=Middleware)


class Vocabulary(Audience):
    """The words of a namespace. What they change is kept by the namespace of `everyone`."""

    @overload
    def on(self, event: str) -> Callable[[Function], Function]: ...
    @overload
    def on(self, event: str, handler: Function) -> Function: ...
    def on(self, event: str, handler: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Register a handler, or use it as a decorator: `@io.on("chat")`.

        Lifecycle: `connection(socket)`, `disconnecting(socket, reason)`, `disconnect(socket, reason)`,
        `error(socket, error)`, `new_namespace(namespace)`. Any other name is a client's event, called with
        `(socket, *arguments)`; what it returns is the acknowledgement, if the client asked for one.

        Raises:
            TypeError: when the function could never be called like this.
            ReservedEventError: for a name that no client can send.
        """
        handlers = self.everyone.namespace.handlers
        if handler is None:
            return handlers.decorator(event)
        handlers.add(event, handler)
        return handler

    def use(self, middleware: MiddlewareFunction) -> MiddlewareFunction:
        """Register a function `(socket)`, sync or async, that runs before a client is let in; also a decorator.

        They run in order of registration. Raise `ConnectionRefused(message, data)` to keep the client out.
        """
        if not callable(middleware):
            raise TypeError(f"use: a middleware must be callable, not {middleware!r}")
        namespace = self.everyone.namespace
        namespace.middlewares = (*namespace.middlewares, middleware)
        return middleware
