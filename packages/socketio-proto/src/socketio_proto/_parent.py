"""Dynamic namespaces: made when a client first asks for a name that the user's pattern or function allows.

What is registered on the parent when a child is made is the child's from then on: middlewares, and handlers of every
kind. Later additions are for later children. The reference copies middlewares and `connection` listeners; it has no
other handlers on a namespace. Source: `packages/socket.io/lib/parent-namespace.ts`, `index.ts`, `_checkNamespace`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from socketio_parser import RESERVED_EVENTS

from ._adapter import Adapter, AdapterEvents, BroadcastOptions
from ._errors import LocalProtocolError, ReservedEventError
from ._events import NamespaceCreated, NamespaceRequested
from ._handlers import fitting_handler
from ._in_memory import InMemoryAdapter
from ._namespace import Namespace

if TYPE_CHECKING:
    from ._connection import Connection
    from ._question import Question
    from ._server import Server

Matcher: TypeAlias = "re.Pattern[str] | Callable[..., bool | Awaitable[bool]]"


class ParentNamespace(Namespace):
    """All namespaces whose name a pattern or a function allows: what is emitted here goes to each of them.

    Attributes:
        matcher: the pattern, or the function.
        children: those that exist, by name. Read it, do not change it.
    """

    def __init__(self, server: Server, name: str, matcher: Matcher) -> None:
        super().__init__(server, name)
        self.matcher = matcher
        self.children: dict[str, Namespace] = {}
        if isinstance(matcher, re.Pattern):
            self.pattern: re.Pattern[str] | None = matcher
        else:
            self.pattern = None
            self._handler = fitting_handler("of", matcher, ("name", "[auth]"), "of(function)")

    def make_adapter(self) -> Adapter:
        """That of the children."""
        return ParentAdapter(self)

    def allows(self, name: str, auth: dict[str, Any]) -> Any:
        """Whether a name is one of these: a truth, or an awaitable of one. Calls the user's function."""
        if self.pattern is not None:
            return self.pattern.search(name) is not None
        return self._handler.function(*(name, auth)[: self._handler.most])

    def create_child(self, name: str) -> Namespace:
        """A namespace of that name, which does not exist yet."""
        child = Namespace(self.server, name)
        child.parent = self
        child.handlers = self.handlers.copy()
        child.room_handlers.update(self.room_handlers)
        child.server_side_handlers.update(self.server_side_handlers)
        child.middlewares = self.middlewares
        self.children[name] = self.server.namespaces[name] = child
        self.server.raise_event(NamespaceCreated(child))
        return child

    def emptied(self, child: Namespace) -> None:
        """Nobody is in a child any more. The next client that asks for its name gets a new one."""
        if self.server.config.cleanup_empty_child_namespaces and self.children.get(child.name) is child:
            del self.children[child.name], self.server.namespaces[child.name]
            child.adapter.close()

    def broadcast(self, event: str, args: tuple[Any, ...], options: BroadcastOptions) -> Awaitable[None]:
        """Send an event in every child."""
        if event in RESERVED_EVENTS:
            raise ReservedEventError(event)
        for child in list(self.children.values()):
            child.broadcast(event, args, options)
        return self.server.ready

    async def broadcast_with_ack(
        self, event: str, args: tuple[Any, ...], options: BroadcastOptions
    ) -> list[Any]:
        """Raises LocalProtocolError: whose answer would it be?"""
        raise _unsupported("emit_with_ack")

    def __repr__(self) -> str:
        return f"<ParentNamespace {self.name} {self.matcher!r} {len(self.children)} children>"


class ParentAdapter(InMemoryAdapter):
    """Has no rooms of its own: what is done to sockets is done in every child."""

    def __init__(self, parent: ParentNamespace) -> None:
        super().__init__(parent)
        self._parent = parent

    def sockets_join(self, options: BroadcastOptions, rooms: frozenset[str]) -> AdapterEvents:
        """Put everyone selected in rooms."""
        for child in list(self._parent.children.values()):
            child.apply(child.adapter.sockets_join(options, rooms))
        return ()

    def sockets_leave(self, options: BroadcastOptions, rooms: frozenset[str]) -> AdapterEvents:
        """Take everyone selected out of rooms."""
        for child in list(self._parent.children.values()):
            child.apply(child.adapter.sockets_leave(options, rooms))
        return ()

    def disconnect_sockets(self, options: BroadcastOptions, close: bool) -> AdapterEvents:
        """Disconnect everyone selected."""
        for child in list(self._parent.children.values()):
            child.apply(child.adapter.disconnect_sockets(options, close))
        return ()

    def fetch_sockets(self, options: BroadcastOptions, question: Question) -> AdapterEvents:
        """Raises LocalProtocolError: other nodes may have children that this one has not."""
        raise _unsupported("fetch_sockets")

    def server_side_emit(
        self, name: str, args: Sequence[Any], question: Question | None = None
    ) -> AdapterEvents:
        """Raises LocalProtocolError."""
        raise _unsupported("server_side_emit" if question is None else "server_side_emit_with_ack")


class DynamicNamespaces:
    """The parents of one server, and which of them takes a name.

    Attributes:
        parents: in order of registration, which is the order in which they are asked.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.parents: tuple[ParentNamespace, ...] = ()

    def parent(self, matcher: Matcher) -> ParentNamespace:
        """That of a pattern or function, made when it is first asked for. Raises TypeError for anything else."""
        for parent in self.parents:
            if parent.matcher == matcher:
                return parent
        given = cast(object, matcher.pattern if isinstance(matcher, re.Pattern) else matcher)
        if not (isinstance(given, str) or callable(given)):
            raise TypeError(
                "of: a namespace is a name, a compiled pattern of str or a function (name, auth), "
                f"not {matcher!r}"
            )
        parent = ParentNamespace(self._server, f"/_{len(self.parents)}", matcher)
        self.parents = (*self.parents, parent)
        return parent

    def named(self, name: str) -> Namespace:
        """That of a name, made when it is first asked for. Functions decide about clients only. Raises ValueError for a
        name that no client can ask for."""
        if "," in name:
            raise ValueError(f"of: a namespace's name has no comma, for it ends at one on the wire; not {name!r}")
        if not name.startswith("/"):
            name = "/" + name
        namespace = self._server.namespaces.get(name)
        if namespace is not None:
            return namespace
        for parent in self.parents:
            if parent.pattern is not None and parent.pattern.search(name):
                return parent.create_child(name)
        namespace = self._server.namespaces[name] = Namespace(self._server, name)
        self._server.raise_event(NamespaceCreated(namespace))
        return namespace

    def seek(self, connection: Connection, name: str, auth: dict[str, Any]) -> None:
        """A client asks for a name that does not exist. Patterns answer at once; the first function is an event."""
        parents = self.parents
        if len(name) > self._server.config.max_dynamic_name:
            parents = ()
        request = connection.joining[name] = NamespaceRequested(connection, name, auth, parents)
        self.advance(request)

    def advance(self, request: NamespaceRequested) -> None:
        """Ask patterns until one allows the name, or a function is next, or none is left."""
        name = request.name
        while request.parents and (pattern := request.parents[0].pattern) is not None:
            if pattern.search(name):
                self.decide(request, request.parents[0])
                return
            request.parents = request.parents[1:]
        if request.parents:
            self._server.raise_event(request)
        else:
            self.decide(request, None)

    def decide(self, request: NamespaceRequested, parent: ParentNamespace | None) -> None:
        """The name is of this parent, or of none. Does nothing when nobody waits any more."""
        if request.ended:
            return
        request.ended = True
        server, connection, name = self._server, request.connection, request.name
        del connection.joining[name]
        namespace = None
        if parent is not None:
            namespace = server.namespaces.get(name)  # made meanwhile
            if namespace is None:
                most = server.config.max_dynamic_namespaces
                if sum(len(parent.children) for parent in self.parents) >= most:
                    connection.refuse(name, f"Too many namespaces (max_dynamic_namespaces={most})")
                    return
                namespace = parent.create_child(name)
        if namespace is None:
            connection.refuse_unknown(name)
        else:
            connection.enter(namespace, request.auth)


def _unsupported(what: str) -> LocalProtocolError:
    return LocalProtocolError(f"{what}() is not supported on parent namespaces")
