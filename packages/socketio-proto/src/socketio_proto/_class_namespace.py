"""A namespace's handlers as the methods of a class.

    class Chat(ClassNamespace):
        def on_connection(self, socket: Socket) -> None: ...
        async def on_say(self, socket: Socket, text: str) -> bool: ...

    io.register_namespace(Chat("/chat"))

One object serves all sockets. Everything is checked before anything is registered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, Final, cast, overload

from ._audience import Audience
from ._errors import LocalProtocolError
from ._handlers import Function, Handlers
from ._operator import BroadcastOperator
from ._typed_event import P, R, TypedEvent

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ._namespace import Namespace
    from ._parent import Matcher
    from ._server import Server
    from ._socket import Socket

_MARK: Final = "__socketio_event__"


class ClassNamespace(Audience):
    """Subclass it: a method `on_chat(self, socket, ...)` handles the event `chat`, with the rules of `Namespace.on`.

    `on_connection`, `on_disconnecting`, `on_disconnect` and `on_error` are told by the library, on "/" also
    `on_new_namespace`. For a name that is no identifier there is the decorator `event`. What is emitted on the object
    (`self.emit`, `self.to`) goes to its namespace.

    Args:
        name: whatever `Server.of` takes: a name, or a pattern or function for dynamic ones.
    """

    def __init__(self, name: str | Matcher = "/") -> None:
        self.name = name
        self._namespace: Namespace | None = None

    @property
    def namespace(self) -> Namespace:
        """That where it is registered. Raises LocalProtocolError before."""
        if self._namespace is None:
            raise LocalProtocolError(f"{self!r} is not registered: io.register_namespace(...)")
        return self._namespace

    @property
    def everyone(self) -> BroadcastOperator:  # type: ignore[override]  # it is only read
        """An operator without rooms, exceptions or flags."""
        return self.namespace.everyone

    @overload
    @staticmethod
    def event(
        name: TypedEvent[P, R],
    ) -> Callable[
        [Callable[Concatenate[Any, Socket, P], R | Awaitable[R]]],
        Callable[Concatenate[Any, Socket, P], R | Awaitable[R]],
    ]: ...
    @overload
    @staticmethod
    def event(name: str) -> Callable[[Function], Function]: ...
    @staticmethod
    def event(name: Any) -> Callable[..., Any]:
        """The event that a method handles, when its name does not say so: `@ClassNamespace.event("room:join")`."""
        if not isinstance(name, str):
            raise TypeError(f"event: an event's name must be a string, not {name!r}")

        def mark(method: Function) -> Function:
            setattr(method, _MARK, name)
            return method

        return mark

    def __repr__(self) -> str:
        return f"<{type(self).__qualname__} {self.name!r}>"


def register_class_namespace(server: Server, methods: ClassNamespace) -> Namespace:
    """Register the methods. Raises as `on` does, having registered nothing."""
    if not isinstance(cast(object, methods), ClassNamespace):
        raise TypeError(
            f"register_namespace takes an object of a subclass of ClassNamespace, not {methods!r}"
        )
    if "_namespace" not in vars(methods):
        raise TypeError(f"{type(methods).__qualname__}.__init__ must call super().__init__(name)")
    if methods._namespace is not None:  # pyright: ignore[reportPrivateUsage]
        raise LocalProtocolError(f"{methods!r} is registered already")
    handlers = _handlers_of(methods)
    trial = Handlers()
    for event, function in handlers.items():
        trial.add(event, function)
    namespace = server.of(methods.name)
    if "new_namespace" in handlers and namespace is not server.sockets:
        raise ValueError(f"{methods!r}: on_new_namespace is only told on '/'")
    for event, function in handlers.items():
        namespace.handlers.add(event, function)
    methods._namespace = namespace  # pyright: ignore[reportPrivateUsage]
    return namespace


def _handlers_of(methods: ClassNamespace) -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    for word in dir(type(methods)):
        event = getattr(getattr(type(methods), word, None), _MARK, None)
        if event is None:
            if not word.startswith("on_") or hasattr(ClassNamespace, word):
                continue
            event = word[3:]
        function = getattr(methods, word)
        if not event or not callable(function):
            raise TypeError(f"{methods!r}: {word} handles no event")
        if event in found:
            raise ValueError(f"{methods!r} has two methods for the event {event!r}")
        found[event] = function
    return found
