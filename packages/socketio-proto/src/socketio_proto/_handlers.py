"""Handlers: their signatures, checked when they are registered, and the tables they stand in.

Two tables that never mix: `lifecycle` for what the library tells, `events` for what clients send. A packet from
a client only ever looks in `events`, so no client can fake a `disconnect`. Beside them stands `any`: who hears every
event of a client. A namespace has two more: of changes of rooms, and of what other servers emit.

A signature is resolved once. A handler that could never be called as it will be raises at registration; at
run time the number of arguments is compared, never probed by catching a TypeError.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from copy import copy
from types import FunctionType, UnionType
from typing import Any, Final, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from weakref import ref

from socketio_parser import RESERVED_EVENTS

from ._acks import Ack
from ._errors import LocalProtocolError, ReservedEventError

Function = TypeVar("Function", bound=Callable[..., Any])

# name -> what the library passes, in brackets what a handler need not take
LIFECYCLE: Final = {
    "connect": ("socket",),
    "connection": ("socket",),
    "disconnecting": ("socket", "reason", "[description]"),
    "disconnect": ("socket", "reason", "[description]"),
    "error": ("socket", "error"),
    "new_namespace": ("namespace",),
}
# The same for handlers of one socket, which know it and are not passed it.
SOCKET_LIFECYCLE: Final = {
    "disconnecting": ("reason", "[description]"),
    "disconnect": ("reason", "[description]"),
    "error": ("error",),
}

ROOMS: Final = {
    "create-room": ("room",),
    "join-room": ("room", "id"),
    "leave-room": ("room", "id"),
    "delete-room": ("room",),
}


class Handler:
    """A user's function and what it takes.

    Attributes:
        listener: the user's function.
        function: what is called in its stead.
        least, most: positional arguments it takes, the socket included; `most` is a large number for `*args`.
        ack: whether it has a parameter annotated `Ack`; `ack_name` is set when that is passed by name.
    """

    __slots__ = ("__weakref__", "ack", "ack_name", "function", "least", "listener", "most")

    def __init__(self, function: Callable[..., Any], what: str) -> None:
        if not callable(function):
            raise TypeError(f"{what}: a handler must be callable, not {function!r}")
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError) as error:
            raise TypeError(f"{what}: the signature of {function!r} cannot be read: {error}") from None
        self.listener = function
        self.function = function
        self.ack = False
        self.ack_name: str | None = None
        self.least = self.most = 0
        hints = _hints(function)
        for position, parameter in enumerate(parameters):
            is_ack = _is_ack(hints.get(parameter.name, parameter.annotation))
            match parameter.kind:
                case inspect.Parameter.VAR_POSITIONAL:
                    self.most = 1_000_000
                case inspect.Parameter.KEYWORD_ONLY if is_ack:
                    self.ack, self.ack_name = True, parameter.name
                case inspect.Parameter.KEYWORD_ONLY if parameter.default is inspect.Parameter.empty:
                    raise TypeError(
                        f"{what}: {_name(function)} has a keyword-only parameter {parameter.name!r} without a "
                        "default; an event has positional arguments only"
                    )
                case inspect.Parameter.POSITIONAL_ONLY | inspect.Parameter.POSITIONAL_OR_KEYWORD if is_ack:
                    if any(p.kind is not inspect.Parameter.KEYWORD_ONLY for p in parameters[position + 1 :]):
                        raise TypeError(
                            f"{what}: in {_name(function)} the parameter {parameter.name!r}: Ack must be the last"
                        )
                    self.ack = True
                    if self.least != self.most:
                        # By name, for the client may leave out what comes before it.
                        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                            raise TypeError(
                                f"{what}: in {_name(function)} the parameter {parameter.name!r}: Ack is "
                                "positional-only behind optional ones; write `*, ack: Ack`"
                            )
                        self.ack_name = parameter.name
                case inspect.Parameter.POSITIONAL_ONLY | inspect.Parameter.POSITIONAL_OR_KEYWORD:
                    self.most += 1
                    if parameter.default is inspect.Parameter.empty:
                        self.least += 1
                case _:
                    pass

    def call(self, socket: Any, args: list[Any], ack: Ack) -> Any:
        """Call it with an event's arguments, and the ack function if it asks for it."""
        if not self.ack:
            return self.function(socket, *args)
        if self.ack_name is not None:
            return self.function(socket, *args, **{self.ack_name: ack})
        return self.function(socket, *args, ack)

    def without_socket(self) -> None:
        """It is called with the socket in front like all others, and does not take it."""
        self.function = _without_first(self.function)
        self.least += 1
        self.most += 1

    def of(self, handlers: Handlers) -> Handler:
        """The same in other tables. One that is called once is called once there, too."""
        if not isinstance(self.function, _Once):
            return self
        handler = copy(self)
        handler.function = _Once(handlers, self.function.name, self.function.function)
        return handler

    def __repr__(self) -> str:
        return f"<Handler {_name(self.listener)}>"


def _without_first(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(_socket: Any, *args: Any, **named: Any) -> Any:
        return function(*args, **named)

    return call


class _Once:
    """Called in the stead of a listener, which it takes out of the table first."""

    __slots__ = ("_fired", "_handlers", "function", "name")

    def __init__(self, handlers: Handlers, name: str, function: Callable[..., Any]) -> None:
        self._handlers = ref(handlers)  # which hold this: no garbage collector is to be needed
        self.name = name
        self.function = function
        self._fired = False

    def __call__(self, *args: Any, **named: Any) -> Any:
        if self._fired:  # a dispatch that began before, and had to wait, still has it in its list
            return None
        self._fired = True
        handlers = self._handlers()
        if handlers is not None:
            handlers.take_out(self.name, lambda handler: handler.function is self)
        return self.function(*args, **named)


class Listener(NamedTuple):
    """A function, and the number of positional arguments that it takes at most."""

    function: Callable[..., Any]
    most: int


class Handlers:
    """The tables of one namespace, or of one socket. Tuples, so that a dispatch under way is not disturbed by a
    registration.

    Args:
        own: they are a socket's own: called without it.
    """

    __slots__ = ("__weakref__", "_own", "any", "events", "lifecycle")

    def __init__(self, *, own: bool = False) -> None:
        self._own = own
        self.lifecycle: dict[str, tuple[Handler, ...]] = {}
        self.events: dict[Any, tuple[Handler, ...]] = {}
        self.any: tuple[Handler, ...] = ()

    def add(self, name: str, function: Callable[..., Any], *, once: bool = False) -> None:
        """Register. Raises at once when the function could never be called with what comes."""
        given = cast(object, name)
        if not isinstance(given, (str, int)) or isinstance(given, bool):
            raise TypeError(f"an event's name must be a string, not {name!r}")
        told = SOCKET_LIFECYCLE if self._own else LIFECYCLE
        if name in told:
            handler = fitting_handler(name, function, told[name])
        elif name in LIFECYCLE:
            raise ValueError(f"on({name!r}): a socket is told {', '.join(told)}; {name!r} is for a namespace")
        elif name in RESERVED_EVENTS:
            raise ReservedEventError(name)
        else:
            handler = Handler(function, f"on({name!r})")
            if handler.most < 1 and not self._own:
                raise TypeError(
                    f"on({name!r}): {_name(function)} takes no argument, but is called with (socket, *arguments)"
                )
        if self._own:
            handler.without_socket()
        if once:
            handler.function = _Once(self, name, handler.function)
        table = self._table(name)
        table[name] = (*table.get(name, ()), handler)

    def copy(self) -> Handlers:
        """The same handlers, in tables of their own."""
        same = Handlers()
        for mine, its in ((self.lifecycle, same.lifecycle), (self.events, same.events)):
            for name, handlers in mine.items():
                its[name] = tuple(handler.of(same) for handler in handlers)
        same.any = self.any
        return same

    def take_out(self, name: Any, chosen: Callable[[Handler], bool]) -> None:
        """Remove the last added of the chosen handlers. Source: `removeListener` of Node's EventEmitter."""
        table = self._table(name)
        handlers = table.get(name, ())
        for position in reversed(range(len(handlers))):
            if chosen(handlers[position]):
                rest = handlers[:position] + handlers[position + 1 :]
                if rest:
                    table[name] = rest
                else:
                    del table[name]
                return

    def remove(self, name: Any, function: Callable[..., Any] | None) -> None:
        """Remove a listener of an event, or all of them. One that is not there is no mistake: `once` takes it out."""
        if function is None:
            self._table(name).pop(name, None)
        else:
            # Equal, not the same: a bound method is another object each time.
            self.take_out(name, lambda handler: handler.listener == function)

    def _table(self, name: Any) -> dict[Any, tuple[Handler, ...]]:
        return self.lifecycle if name in LIFECYCLE else self.events

    def add_any(self, function: Callable[..., Any], *, first: bool) -> None:
        """Register one that hears every event; it is called with the event's name before the arguments."""
        handler = Handler(function, "on_any")
        if self._own:
            handler.without_socket()
        if handler.most < 2:
            shown = "(event, *arguments)" if self._own else "(socket, event, *arguments)"
            raise TypeError(f"on_any: {_name(function)} takes too little; it is called with {shown}")
        self.any = (handler, *self.any) if first else (*self.any, handler)

    def remove_any(self, function: Callable[..., Any] | None) -> None:
        """Remove the first added of this function's, or all."""
        for position, handler in enumerate(self.any):
            if handler.listener == function:
                self.any = self.any[:position] + self.any[position + 1 :]
                return
        if function is None:
            self.any = ()

    def clear(self) -> None:
        """Forget all: what they hold on to is often what holds them."""
        self.lifecycle.clear()
        self.events.clear()
        self.any = ()

    def decorator(self, name: str, *, once: bool = False) -> Callable[[Function], Function]:
        """A decorator that registers what it decorates."""
        if callable(name):
            on, whose = ("once" if once else "on"), ("socket" if self._own else "io")
            raise LocalProtocolError(f"{on}() needs the event's name: write @{whose}.{on}({_name(name)!r})")

        def register(function: Function) -> Function:
            self.add(name, function, once=once)
            return function

        return register


def fitting_handler(
    name: str, function: Callable[..., Any], passed: tuple[str, ...], what: str | None = None
) -> Handler:
    """A handler of what the library tells. Raises TypeError when it cannot be called with what is passed."""
    what = what or f"on({name!r})"
    handler = Handler(function, what)
    least = len([argument for argument in passed if argument[0] != "["])
    if handler.ack or handler.most < least or handler.least > len(passed):
        shown = ", ".join(passed).replace(", [", "[, ")
        raise TypeError(f"{what}: {_name(function)} takes {_count(handler)}, but is called with ({shown})")
    return handler


def listener_of(name: str, function: Callable[..., Any], passed: tuple[str, ...]) -> Listener:
    """The same for what is registered once per client, not once per server: reading a signature takes 50 us, so of a
    plain function it is read only to say what is wrong with it.
    """
    if type(function) is FunctionType:
        code = function.__code__
        if not code.co_flags & inspect.CO_VARARGS and not code.co_kwonlyargcount:
            most = code.co_argcount
            least = len([argument for argument in passed if argument[0] != "["])
            if least <= most and most - len(function.__defaults__ or ()) <= len(passed):
                return Listener(function, most)
    return Listener(function, fitting_handler(name, function, passed).most)


def room_handler(name: str, function: Callable[..., Any]) -> Handler:
    """A handler of a change of rooms; raises for what could never be called."""
    check_event_name(name, ROOMS, "rooms")
    return fitting_handler(name, function, ROOMS[name], f"on_room({name!r})")


def server_side_handler(name: str, function: Callable[..., Any]) -> Handler:
    """A handler of what other servers emit; raises for what could never be called."""
    what = f"on_server_side({name!r})"
    handler = Handler(function, what)
    if handler.ack:
        raise TypeError(f"{what}: {_name(function)} has an Ack parameter; what it returns is the answer")
    return handler


def check_event_name(name: object, known: Collection[str], whose: str) -> None:
    """Raise for an event that nobody emits."""
    if callable(name):
        raise LocalProtocolError(f"on() needs the event's name: write @{whose}.on({next(iter(known))!r})")
    if name not in known:
        raise ValueError(f"on: {name!r} is no event of the {whose}; there are {', '.join(known)}")


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Resolved annotations; {} when one of them cannot be resolved here (the strings are compared then)."""
    target: Any = function
    while hasattr(target, "func"):  # functools.partial
        target = target.func
    if not inspect.isroutine(target) and not inspect.isclass(target):
        target = type(target).__call__
    try:
        return get_type_hints(target)
    except Exception:
        return {}


def _is_ack(annotation: Any) -> bool:
    """A name that could not be resolved, such as `socketio_asyncio.Ack`, is judged by its last part. `Ack | None` is
    one as well: it is always given.
    """
    if get_origin(annotation) in (Union, UnionType):
        return any(_is_ack(kind) for kind in get_args(annotation))
    return annotation is Ack or (isinstance(annotation, str) and annotation.rpartition(".")[2] == "Ack")


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))


def _count(handler: Handler) -> str:
    if handler.ack:
        return "an Ack parameter"
    if handler.least == handler.most:
        return f"{handler.least} positional argument{'s' * (handler.least != 1)}"
    return f"{handler.least} to {handler.most} positional arguments"
