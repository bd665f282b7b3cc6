"""What a user put on one socket: its own handlers, per-packet middlewares, and who hears what is sent to it.

A socket without any has none of this, and its messages pay for none of it. Listeners often hold the socket that holds
them; so they are forgotten when it is over, and it needs no garbage collector.
Source: `packages/socket.io/lib/socket.ts`, `use`, `onAny`, `onAnyOutgoing`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from ._handlers import Handler, Handlers

Outgoing: TypeAlias = Callable[..., object]


class SocketListeners(Handlers):
    """The tables of one socket. Tuples: a call under way goes by those that were there when it began.

    Attributes:
        middlewares: run for each event before its handlers.
        outgoing: hear what is sent.
    """

    __slots__ = ("middlewares", "outgoing")

    def __init__(self) -> None:
        super().__init__(own=True)
        self.middlewares: tuple[Handler, ...] = ()
        self.outgoing: tuple[Outgoing, ...] = ()

    def add_middleware(self, function: Callable[..., Any]) -> None:
        """Register. Raises TypeError when it could not be called with `(packet)`."""
        handler = Handler(function, "use")
        if not handler.least <= 1 <= handler.most:
            raise TypeError(f"use: {handler!r} must take one argument, the packet [event, *arguments]")
        handler.without_socket()
        self.middlewares = (*self.middlewares, handler)

    def add_outgoing(self, function: Outgoing, *, first: bool) -> None:
        """Register. Raises TypeError when it could not be called with `(event, *arguments)`, or is async."""
        handler = Handler(function, "on_any_outgoing")
        if handler.most < 1 or handler.ack:
            raise TypeError(f"on_any_outgoing: {handler!r} must take (event, *arguments)")
        if inspect.iscoroutinefunction(function):
            raise TypeError(f"on_any_outgoing: {handler!r} is async; it is called while the event is sent")
        self.outgoing = (function, *self.outgoing) if first else (*self.outgoing, function)

    def remove_outgoing(self, function: Outgoing | None) -> None:
        """Remove the first added of this function's, or all."""
        if function is None:
            self.outgoing = ()
        elif function in self.outgoing:
            position = self.outgoing.index(function)
            self.outgoing = self.outgoing[:position] + self.outgoing[position + 1 :]

    def clear(self) -> None:
        """Forget all."""
        super().clear()
        self.middlewares = self.outgoing = ()
