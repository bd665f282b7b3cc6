"""The words by which a user listens: the same on a server, a namespace and a socket.

Handlers of the namespace come first, then those of the socket: that is the order in which they were registered, as a
socket's own are registered when it connects.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, cast, overload

from ._handlers import Function, Handlers
from ._typed_event import NamespaceHandler, P, R, SocketHandler, TypedEvent


class Listening:
    """Who has handlers."""

    __slots__ = ()

    @abstractmethod
    def _listeners(self) -> Handlers:
        """The tables, to be changed."""

    def _listen(self, event: str, handler: Callable[..., Any] | None, *, once: bool) -> Callable[..., Any]:
        if handler is None:
            return self._listeners().decorator(event, once=once)
        self._listeners().add(event, handler, once=once)
        return handler

    def off(self, event: str | TypedEvent[..., Any], handler: Callable[..., Any] | None = None) -> None:
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


class NamespaceListening(Listening):
    """A server or a namespace: its handlers get the socket first."""

    __slots__ = ()

    @overload
    def on(self, event: TypedEvent[P, R]) -> Callable[[NamespaceHandler[P, R]], NamespaceHandler[P, R]]: ...
    @overload
    def on(self, event: str) -> Callable[[Function], Function]: ...
    @overload
    def on(self, event: TypedEvent[P, R], handler: NamespaceHandler[P, R]) -> NamespaceHandler[P, R]: ...
    @overload
    def on(self, event: str, handler: Function) -> Function: ...
    def on(self, event: Any, handler: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Register a handler, or use it as a decorator: `@io.on("chat")`.

        Lifecycle: `connection(socket)`, `disconnecting(socket, reason)`, `disconnect(socket, reason)`,
        `error(socket, error)`, `new_namespace(namespace)`. Any other name is a client's event, called with
        `(socket, *arguments)`; what it returns is the acknowledgement, if the client asked for one. With a
        `TypedEvent`, type checkers look at the handler.

        Raises:
            TypeError: when the function could never be called like this.
            ReservedEventError: for a name that no client can send.
        """
        return self._listen(event, handler, once=False)

    @overload
    def once(self, event: TypedEvent[P, R]) -> Callable[[NamespaceHandler[P, R]], NamespaceHandler[P, R]]: ...
    @overload
    def once(self, event: str) -> Callable[[Function], Function]: ...
    @overload
    def once(self, event: TypedEvent[P, R], handler: NamespaceHandler[P, R]) -> NamespaceHandler[P, R]: ...
    @overload
    def once(self, event: str, handler: Function) -> Function: ...
    def once(self, event: Any, handler: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """`on` for one call in all, whichever client it comes from."""
        return self._listen(event, handler, once=True)


class SocketListening(Listening):
    """One socket: its handlers know it. They come after those of the namespace."""

    __slots__ = ()

    @overload
    def on(self, event: TypedEvent[P, R]) -> Callable[[SocketHandler[P, R]], SocketHandler[P, R]]: ...
    @overload
    def on(self, event: str) -> Callable[[Function], Function]: ...
    @overload
    def on(self, event: TypedEvent[P, R], handler: SocketHandler[P, R]) -> SocketHandler[P, R]: ...
    @overload
    def on(self, event: str, handler: Function) -> Function: ...
    def on(self, event: Any, handler: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Register a handler of this socket, or use it as a decorator: `@socket.on("chat")`.

        Lifecycle: `disconnecting(reason)`, `disconnect(reason)`, `error(error)`. Any other name is an event of the
        client, called with `(*arguments)`; see `NamespaceListening.on`.

        Raises:
            TypeError: when the function could never be called like this.
            ReservedEventError: for a name that no client can send.
            ValueError: for what only a namespace is told.
        """
        return self._listen(event, handler, once=False)

    @overload
    def once(self, event: TypedEvent[P, R]) -> Callable[[SocketHandler[P, R]], SocketHandler[P, R]]: ...
    @overload
    def once(self, event: str) -> Callable[[Function], Function]: ...
    @overload
    def once(self, event: TypedEvent[P, R], handler: SocketHandler[P, R]) -> SocketHandler[P, R]: ...
    @overload
    def once(self, event: str, handler: Function) -> Function: ...
    def once(self, event: Any, handler: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """`on` for one call."""
        return self._listen(event, handler, once=True)
