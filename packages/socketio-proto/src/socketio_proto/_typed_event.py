"""Events with types: declared once, checked by mypy and pyright wherever they are emitted or handled.

    class Chat:
        say = TypedEvent[[str], bool]("say")            # takes a text, is acknowledged with a bool
        said = TypedEvent[[str, str], None]("said")

    @io.on(Chat.say)
    def say(socket: Socket, text: str) -> bool: ...

    io.emit(Chat.said, "Ada", "hello")

It is all for the type checkers: when the program runs, a `TypedEvent` is its name, a plain string.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, cast

from socketio_parser import RESERVED_EVENTS

from ._errors import ReservedEventError
from ._handlers import LIFECYCLE

if TYPE_CHECKING:
    from ._socket import Socket

P = ParamSpec("P")
R = TypeVar("R")


class TypedEvent(Generic[P, R]):
    """An event's name, with the types of its arguments and of its acknowledgement: `TypedEvent[[str, int], bool]`.

    An acknowledgement of nothing is `None`, of several arguments a tuple.

    Args:
        name: the event.

    Raises:
        ReservedEventError: for a name that no event may have.
        ValueError: for one that `on` knows as the library's own, such as `connection`.
    """

    def __new__(cls, name: str) -> TypedEvent[P, R]:
        if not isinstance(cast(object, name), str):
            raise TypeError(f"TypedEvent: an event's name must be a string, not {name!r}")
        if name in RESERVED_EVENTS:
            raise ReservedEventError(name)
        if name in LIFECYCLE:
            raise ValueError(f"TypedEvent: {name!r} is what the library tells")
        return name  # type: ignore[return-value]  # `emit` and `on` are as fast with it as with any other name


NamespaceHandler: TypeAlias = "Callable[Concatenate[Socket, P], R | Awaitable[R]]"
"""A handler of a server or a namespace."""
SocketHandler: TypeAlias = "Callable[P, R | Awaitable[R]]"
"""A handler of one socket."""
