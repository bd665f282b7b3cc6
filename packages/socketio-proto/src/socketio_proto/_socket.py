"""One client in one namespace: what handlers hold in their hands.

Plain calls (`emit`, `join`, `disconnect`) queue and return; nothing of a handler runs inside them. A socket is
connected between `Namespace.accept` and `Connection.leave`; before and after, what it emits is dropped.
Source: `packages/socket.io/lib/socket.ts`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, overload

from socketio_parser import RESERVED_EVENTS, Packet, PacketType

from ._acks import PendingAck
from ._adapter import BroadcastOptions, SavedSession, alone
from ._errors import AckDisconnected, LocalProtocolError, ReservedEventError
from ._handlers import Function
from ._handshake import Handshake
from ._listening import SocketListening
from ._operator import BroadcastOperator, SocketOperator, rooms_of
from ._returning import send_kept
from ._runtime import Report, Trouble
from ._socket_listeners import SocketListeners
from ._typed_event import P, R, TypedEvent

if TYPE_CHECKING:
    from engineio_proto import Outgoing, Request, Session

    from ._connection import Connection
    from ._namespace import Namespace

_EVENT: Final = PacketType.EVENT
_PLAIN: Final = BroadcastOptions()
_VOLATILE: Final = BroadcastOptions(volatile=True)


class Socket(SocketListening):
    """One client in one namespace.

    Attributes:
        id: 20 characters, unguessable; never the id of the Engine.IO session, except for a client of protocol 4,
            which gives its socket that id itself: in other hands it is the key to the session.
        namespace: where it is.
        connection: the client's connection, shared by its sockets in other namespaces.
        connected: whether it can send.
        data: yours.
        recovered: whether its client is back with its id, rooms and data (`connection_state_recovery`).
        pid, offset: where its client goes on when it is back (`SavedSession`); None when it cannot.
        listeners: what was put on this socket alone; None when nothing was.
    """

    __slots__ = (
        "_acks",
        "_auth",
        "_data",
        "_issued",
        "_last_rooms",
        "connected",
        "connection",
        "deaf",
        "id",
        "listeners",
        "namespace",
        "offset",
        "pid",
        "recovered",
    )

    def __init__(self, namespace: Namespace, connection: Connection, id: str, auth: dict[str, Any]) -> None:
        self.namespace = namespace
        self.connection = connection
        self.id = id
        self.connected = False
        # The server disconnected it: events that were decoded before, but not dispatched yet, are not delivered.
        self.deaf = False
        self.listeners: SocketListeners | None = None
        self.recovered = False
        self.pid: str | None = None  # known to the client alone
        self.offset: str | None = None
        self._auth = auth
        self._issued = namespace.server.wall_clock()
        self._data: dict[str, Any] | None = None
        self._acks: dict[int, PendingAck] | None = None
        self._last_rooms: frozenset[str] | None = None

    # Getters.

    @property
    def data(self) -> dict[str, Any]:
        """A dict of your own, kept as long as the socket."""
        if self._data is None:
            self._data = {}
        return self._data

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms it is in, its own id among them; empty once disconnected."""
        if self._last_rooms is not None:
            return self._last_rooms
        return self.namespace.adapter.rooms(self.id)

    @property
    def handshake(self) -> Handshake:
        """Headers, query, address and auth of the client."""
        return Handshake(self.connection.session.request, self._auth, self._issued)

    @property
    def request(self) -> Request:
        """The HTTP request of the handshake."""
        return self.connection.session.request

    @property
    def conn(self) -> Session:
        """The Engine.IO session: its `id` (a secret between client and server), `protocol`, `transport` (`polling` or
        `websocket`, as of now), `request`, `remote_address`, `state`, `writable`, `buffered_bytes`."""
        return self.connection.session

    @property
    def disconnected(self) -> bool:
        """The opposite of `connected`."""
        return not self.connected

    # Sending.

    @overload
    def emit(self, event: TypedEvent[P, Any], *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]: ...
    @overload
    def emit(self, event: str, *args: Any) -> Awaitable[None]: ...
    def emit(self, event: Any, *args: Any) -> Awaitable[None]:  # type: ignore[misc]  # P has no keywords
        """Send an event. Await the result for backpressure: it is ready unless much waits to be sent.

        Raises:
            ReservedEventError: for a name that only the library emits.
            EncodeError: when an argument cannot be sent; nothing was sent then.
        """
        if event in RESERVED_EVENTS:
            raise ReservedEventError(event)
        # The hot path of `emit_event`: no options.
        namespace = self.namespace
        server = namespace.server
        if self.pid is not None:
            return send_kept(self, Packet(_EVENT, namespace.name, [event, *args]), _PLAIN)
        outgoing = server.encode(Packet(_EVENT, namespace.name, [event, *args]))
        if self.connected:
            if self.listeners is not None:
                self.overhear(event, args)
            session = self.connection.session
            session.send(outgoing)
            if session.buffered_bytes > server.high_water_mark:
                return self.connection.drained()
        return server.ready

    def send(self, *args: Any) -> Awaitable[None]:
        """`emit("message", ...)`."""
        return self.emit("message", *args)

    @overload
    async def emit_with_ack(self, event: TypedEvent[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    async def emit_with_ack(self, event: str, *args: Any) -> Any: ...
    async def emit_with_ack(self, event: Any, *args: Any) -> Any:  # type: ignore[misc]  # the same
        """Send an event and return the client's answer: None, its one argument, or a tuple of several.

        Raises:
            AckDisconnected: when the client is or gets disconnected; without `timeout` that alone ends it.
            AckTimeout: with `timeout`, when it did not answer in time.
        """
        return await self.ask(event, args, _PLAIN)

    @property
    def volatile(self) -> SocketOperator:
        """`socket.volatile.emit(...)`: dropped when the client cannot take it at once."""
        return SocketOperator(self, _VOLATILE)

    def compress(self, compress: bool) -> SocketOperator:
        """`socket.compress(False).emit(...)`: whether the transport may compress it."""
        return SocketOperator(self, _PLAIN).compress(compress)

    def timeout(self, timeout: float) -> SocketOperator:
        """`await socket.timeout(5.0).emit_with_ack(...)`: seconds that the answer may take."""
        return SocketOperator(self, _PLAIN).timeout(timeout)

    # To others.

    @property
    def broadcast(self) -> BroadcastOperator:
        """Everybody else in the namespace."""
        return SocketOperator(self, _PLAIN).broadcast

    def to(self, rooms: str | Iterable[str]) -> BroadcastOperator:
        """Everybody else in this room, or in any of these."""
        return self.broadcast.to(rooms)

    in_ = to

    def except_(self, rooms: str | Iterable[str]) -> BroadcastOperator:
        """Everybody else but those in this room, or in any of these."""
        return self.broadcast.except_(rooms)

    @property
    def local(self) -> BroadcastOperator:
        """Everybody else on this node."""
        return self.broadcast.local

    # Listening, beside `on`, `once`, `off`, `on_any`, `prepend_any`, `off_any` and `listeners_any`.

    def use(self, middleware: Function) -> Function:
        """Register a function `(packet)`, sync or async, that every event passes before its handlers; also a decorator.

        `packet` is the list `[event, *arguments]`; what a middleware changes in it, even the name, is what follows.
        To keep the event from its handlers raise anything: the `error` handlers get it, or the log if there are none.
        They run in order of registration, and while one awaits, what the client sent behind it waits.

        Raises:
            TypeError: when the function could never be called like this.
        """
        self._listeners().add_middleware(middleware)
        return middleware

    def on_any_outgoing(self, listener: Function) -> Function:
        """Register a plain function `(event, *arguments)` that hears what is sent to this client, broadcasts too, no
        acknowledgements; also a decorator. What it raises goes to the log.

        Raises:
            TypeError: when the function could never be called like this.
        """
        self._add_outgoing(listener, first=False)
        return listener

    def prepend_any_outgoing(self, listener: Function) -> Function:
        """`on_any_outgoing`, before those that are there."""
        self._add_outgoing(listener, first=True)
        return listener

    def off_any_outgoing(self, listener: Callable[..., Any] | None = None) -> None:
        """Remove one of them, or all."""
        if self.listeners is not None:
            self.listeners.remove_outgoing(listener)
            if not self.listeners.outgoing:
                self.namespace.overheard.discard(self)

    def listeners_any_outgoing(self) -> list[Callable[..., Any]]:
        """Those that hear what is sent, in the order in which they are called."""
        return list(self.listeners.outgoing) if self.listeners is not None else []

    # Rooms.

    def join(self, rooms: str | Iterable[str]) -> None:
        """Enter a room, or several. After the disconnection it does nothing."""
        rooms = rooms_of(rooms)
        if not self.deaf and self._last_rooms is None:
            self.namespace.adapter.join(self.id, rooms)

    def leave(self, rooms: str | Iterable[str]) -> None:
        """Leave a room, or several. After the disconnection it does nothing."""
        for room in rooms_of(rooms):
            if self._last_rooms is None:  # else a client of protocol 4 may be back under the same id
                self.namespace.adapter.leave(self.id, room)

    def disconnect(self, close: bool = False) -> None:
        """Leave the namespace; with `close`, every namespace, and close the connection. Twice is once."""
        if close and self._last_rooms is None:
            self.connection.disconnect_all()
        elif self.connected:
            self.connection.kick(self)

    # Called by this package.

    def _listeners(self) -> SocketListeners:
        """Those of a socket that is over are nobody's: nothing can come."""
        if self.listeners is not None:
            return self.listeners
        listeners = SocketListeners()
        if not self.deaf:
            self.listeners = listeners
        return listeners

    def _add_outgoing(self, listener: Callable[..., Any], *, first: bool) -> None:
        listeners = self._listeners()
        listeners.add_outgoing(listener, first=first)
        if listeners is self.listeners:
            self.namespace.overheard.add(self)

    def overhear(self, event: str, args: tuple[Any, ...]) -> None:
        """Tell who hears what is sent; before it is, as in the reference."""
        if self.listeners is None:
            return
        for listener in self.listeners.outgoing:
            try:
                listener(event, *args)
            except Exception as error:
                text = f"on_any_outgoing: a listener raised for {event!r} to {self!r}"
                self.namespace.server.runtime.report(Report(Trouble.HANDLER, text, error))

    def end(self) -> None:
        """It is over, and its handlers have heard so: nothing more is delivered."""
        self.deaf = True
        self.namespace.overheard.discard(self)
        if self.listeners is not None:
            self.listeners.clear()
            self.listeners = None

    def emit_event(self, event: str, args: tuple[Any, ...], options: BroadcastOptions) -> Awaitable[None]:
        """What every emit to one socket comes down to."""
        if event in RESERVED_EVENTS:
            raise ReservedEventError(event)
        packet = Packet(_EVENT, self.namespace.name, [event, *args])
        if self.pid is not None:
            return send_kept(self, packet, options)
        outgoing = self.namespace.server.encode(packet, compress=options.compress)
        if self.listeners is not None and self.connected:
            self.overhear(event, args)
        return self._send(outgoing, volatile=options.volatile)

    def _send(self, outgoing: Outgoing, *, volatile: bool) -> Awaitable[None]:
        connection = self.connection
        if self.connected and (not volatile or connection.session.writable):
            connection.session.send(outgoing)
            if connection.session.buffered_bytes > connection.server.high_water_mark:
                return connection.drained()
        return connection.server.ready

    async def ask(self, event: str, args: tuple[Any, ...], options: BroadcastOptions) -> Any:
        """Emit with an id, and wait for the ACK under it."""
        if event in RESERVED_EVENTS:
            raise ReservedEventError(event)
        namespace = self.namespace
        server = namespace.server
        if not self.connected:
            raise AckDisconnected
        if self.owes_too_many:
            most = server.config.max_pending_acks
            raise LocalProtocolError(f"{most} acknowledgements of this client are pending (max_pending_acks)")
        pending = PendingAck(namespace.next_ack_id(), server.runtime.waiter(), single=True)
        packet = Packet(_EVENT, namespace.name, [event, *args], pending.id)
        if self.pid is not None:
            events = namespace.adapter.broadcast(packet, alone(self.id, options))
            pending.ask(self)
            namespace.apply(events)
        else:
            outgoing = server.encode(packet, compress=options.compress)
            self.overhear(event, args)
            pending.ask(self)
            self._send(outgoing, volatile=options.volatile)
        return await server.await_ack(pending, options.timeout)

    def send_ack(self, ack_id: int, args: list[Any]) -> None:
        """Answer a client's event. Sent even if only the namespace was left, as in the reference."""
        packet = Packet(PacketType.ACK, self.namespace.name, args, ack_id)
        self.connection.session.send(self.namespace.server.encode(packet))

    @property
    def owes_too_many(self) -> bool:
        """Whether no more questions are to wait for this client's answers."""
        return self._acks is not None and len(self._acks) >= self.namespace.server.config.max_pending_acks

    def expect_ack(self, pending: PendingAck) -> None:
        """An answer is to come from this client."""
        if self._acks is None:
            self._acks = {}
        self._acks[pending.id] = pending
        self.connection.awaiting += 1

    def forget_ack(self, pending: PendingAck) -> None:
        """It is not to come any more."""
        assert self._acks is not None  # whom a question waits for has it in this table
        del self._acks[pending.id]
        self.connection.awaiting -= 1
        if not self._acks:
            self._acks = None

    def receive_ack(self, ack_id: int | None, args: list[Any]) -> None:
        """An ACK packet; an unknown id is ignored."""
        pending = self._acks.get(ack_id) if self._acks is not None and ack_id is not None else None
        if pending is not None:
            self.forget_ack(pending)
            pending.answered(self, args)

    def left(self, rooms: frozenset[str], *, deaf: bool) -> None:
        """The connection took it out of its namespace."""
        self.connected = False
        self.deaf = self.deaf or deaf
        self._last_rooms = rooms
        for pending in list((self._acks or {}).values()):
            self.forget_ack(pending)
            pending.disconnected(self)

    def restore(self, session: SavedSession) -> None:
        """Its client is back."""
        self.id, self.pid, self.offset = session.id, session.pid, session.offset
        self._data = session.data
        self.recovered = True

    def rooms_left(self) -> None:
        """The `disconnecting` handlers have run."""
        self._last_rooms = frozenset()

    def __repr__(self) -> str:
        return f"<Socket {self.id} {self.namespace.name} {'connected' if self.connected else 'disconnected'}>"
