"""What is said to and heard from a namespace: by the `Namespace` itself, and by the `Server`, which means "/"."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ._audience import Audience
from ._listening import Listening

if TYPE_CHECKING:
    from ._handlers import Handlers
    from ._socket import Socket

Middleware = Callable[["Socket"], Any]
MiddlewareFunction = TypeVar("MiddlewareFunction", bound=Middleware)


class Vocabulary(Audience, Listening):
    """The words of a namespace. What they change is kept by the namespace of `everyone`."""

    def _listeners(self) -> Handlers:
        return self.everyone.namespace.handlers

    def use(self, middleware: MiddlewareFunction) -> MiddlewareFunction:
        """Register a function `(socket)`, sync or async, that runs before a client is let in; also a decorator.

        They run in order of registration. Raise `ConnectionRefused(message, data)` to keep the client out.
        """
        if not callable(middleware):
            raise TypeError(f"use: a middleware must be callable, not {middleware!r}")
        namespace = self.everyone.namespace
        namespace.middlewares = (*namespace.middlewares, middleware)
        return middleware
