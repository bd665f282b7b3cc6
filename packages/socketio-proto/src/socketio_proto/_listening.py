"""The words by which a user listens: the same on a server, a namespace and a socket.

Handlers of the namespace come first, then those of the socket: that is the order in which they were registered, as a
socket's own are registered when it connects.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, cast, overload

from ._handlers import Function, Handlers


class Listening:
    """Who has handlers."""

    __slots__ = ()

    @abstractmethod
    def _listeners(self) -> Handlers:
        """The tables, to be changed."""

    @overload
    def on(self, event: str) -> Callable[[Function], Function]: ...
    @overload
    def on(self, event: str, handler: Function) -> Function: ...
    def on(self, event: str, handler: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Register a handler, or use it as a decorator: `@io.on("chat")`.

        Of a server or a namespace, lifecycle: `connection(socket)`, `disconnecting(socket, reason)`,
        `disconnect(socket, reason)`, `error(socket, error)`, `new_namespace(namespace)`. Any other name is a client's
        event, called with `(socket, *arguments)`; what it returns is the acknowledgement, if the client asked for one.

        Of a socket the same without the socket: `disconnecting(reason)`, `disconnect(reason)`, `error(error)`, and
        `(*arguments)`. Handlers of the namespace come first.

        Raises:
            TypeError: when the function could never be called like this.
            ReservedEventError: for a name that no client can send.
            ValueError: for what only a namespace is told, on a socket.
        """
        if handler is None:
            return self._listeners().decorator(event)
        self._listeners().add(event, handler)
        return handler

    @overload
    def once(self, event: str) -> Callable[[Function], Function]: ...
    @overload
    def once(self, event: str, handler: Function) -> Function: ...
    def once(self, event: str, handler: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """`on` for one call: on a namespace one in all, whichever client it comes from."""
        if handler is None:
            return self._listeners().decorator(event, once=True)
        self._listeners().add(event, handler, once=True)
        return handler

    def off(self, event: str, handler: Callable[..., Any] | None = None) -> None:
        """Remove a handler of this event, the last added if it is there twice; without one, all of them."""
        if not isinstance(cast(object, event), (str, int)):
            raise TypeError(f"off: an event's name must be a string, not {event!r}")
        self._listeners().remove(event, handler)

    def on_any(self, listener: Function) -> Function:
        """Register a function that hears every event of a client; also a decorator.

        On a socket it is called with `(event, *arguments)`, on a server or a namespace with `(socket, event,
        *arguments)`, before the socket's `use` middlewares, whether or not they let the event pass. What it returns
        is no acknowledgement; a parameter annotated `Ack` gets what answers.

        Raises:
            TypeError: when the function could never be called like this.
        """
        self._listeners().add_any(listener, first=False)
        return listener

    def prepend_any(self, listener: Function) -> Function:
        """`on_any`, before those that are there."""
        self._listeners().add_any(listener, first=True)
        return listener

    def off_any(self, listener: Callable[..., Any] | None = None) -> None:
        """Remove one of them, or all."""
        self._listeners().remove_any(listener)

    def listeners_any(self) -> list[Callable[..., Any]]:
        """Those that hear every event, in the order in which they are called."""
        return [handler.listener for handler in self._listeners().any]
