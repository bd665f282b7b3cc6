"""A namespace: its sockets, its rooms, its handlers, its door.

Source: `packages/socket.io/lib/namespace.ts`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from socketio_parser import RESERVED_EVENTS, Packet, PacketType

from ._acks import PendingAck
from ._adapter import BroadcastOptions, InMemoryAdapter
from ._errors import ReservedEventError
from ._events import RoomChanged, ServerSideReceived, SocketConnected
from ._handlers import Handler, Handlers
from ._old_clients import socket_id
from ._operator import BroadcastOperator
from ._socket import Socket
from ._vocabulary import Middleware, Vocabulary

if TYPE_CHECKING:
    from ._connection import Connection
    from ._parent import ParentNamespace
    from ._server import Server


class Namespace(Vocabulary):
    """One namespace of a server.

    Attributes:
        name: begins with a slash.
        sockets: the connected ones, by id. Read it, do not change it.
        adapter: who is in which room.
        parent: whose child it is, if it is a dynamic one.
        joining: how many sockets are at its door.
        announced: whether the handlers of `new_namespace` have heard of it.
        overheard: the sockets with listeners to what is sent.
        room_handlers, server_side_handlers: see `on_room` and `on_server_side`.
    """

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.sockets: dict[str, Socket] = {}
        self.adapter = self.make_adapter()
        self.everyone = BroadcastOperator(self)
        self.handlers = Handlers()
        self.middlewares: tuple[Middleware, ...] = ()
        self.parent: ParentNamespace | None = None
        self.joining = 0
        self.announced = False
        self.overheard: set[Socket] = set()
        self.room_handlers: dict[str, tuple[Handler, ...]] = {}
        self.server_side_handlers: dict[str, tuple[Handler, ...]] = {}
        self._ack_id = 0

    def make_adapter(self) -> InMemoryAdapter:
        """Who is in which room."""
        return InMemoryAdapter(self)

    # Letting clients in.

    def accept(self, socket: Socket) -> None:
        """Let a client in. Does nothing when its connection closed meanwhile."""
        connection = socket.connection
        if connection.joining.get(self.name) is not socket:
            return
        told = {"sid": socket.id} if connection.protocol == 5 else None
        welcome = connection.encode(Packet(PacketType.CONNECT, self.name, told))
        if welcome is None:  # and the connection is closed
            return
        self.sockets[socket.id] = socket
        connection.joined(socket)
        socket.connected = True
        self.adapter.join(socket.id, (socket.id,))
        connection.session.send(welcome)
        self.server.raise_event(SocketConnected(socket))

    def refuse(self, socket: Socket, message: str, data: Any = None) -> None:
        """Keep a client out: CONNECT_ERROR; rooms that a middleware put it in are left."""
        connection = socket.connection
        if connection.joining.get(self.name) is not socket:
            return
        self.kept_out(socket)
        connection.refuse(self.name, message, data)

    def kept_out(self, socket: Socket) -> None:
        """A client will not get in; rooms that a middleware put it in are left."""
        socket.connection.not_joining(socket)
        self.adapter.leave_all(socket.id)
        socket.end()
        self._clean_up()

    # Broadcasts.

    def next_ack_id(self) -> int:
        """Ids are per namespace, shared by its sockets and broadcasts, as in the reference."""
        ack_id = self._ack_id
        self._ack_id = ack_id + 1
        return ack_id

    def broadcast(self, event: str, args: tuple[Any, ...], options: BroadcastOptions) -> Awaitable[None]:
        """Encode once, send to all that the options select."""
        if event in RESERVED_EVENTS:
            raise ReservedEventError(event)
        packet = Packet(PacketType.EVENT, self.name, [event, *args])
        outgoing = self.server.encode(packet, compress=options.compress)
        if self.overheard:
            self._overhear(event, args, options)
        self.adapter.broadcast(outgoing, options)
        return self.server.ready

    async def broadcast_with_ack(
        self, event: str, args: tuple[Any, ...], options: BroadcastOptions
    ) -> list[Any]:
        """The same with an answer from each."""
        if event in RESERVED_EVENTS:
            raise ReservedEventError(event)
        pending = PendingAck(self.next_ack_id(), self.server.runtime.waiter(), single=False)
        packet = Packet(PacketType.EVENT, self.name, [event, *args], pending.id)
        outgoing = self.server.encode(packet, compress=options.compress)
        if self.overheard:
            self._overhear(event, args, options)
        self.adapter.broadcast(outgoing, options, pending)
        pending.resolve_if_complete()
        answers: list[Any] = await self.server.await_ack(pending, options.timeout)
        return answers

    def _overhear(self, event: str, args: tuple[Any, ...], options: BroadcastOptions) -> None:
        for socket in self.adapter.select(options):
            socket.overhear(event, args)

    # Called by adapters.

    def room_changed(self, change: str, *args: str) -> None:
        """A room came to be or ended, or a socket entered or left it; only when somebody listens."""
        self.server.raise_event(RoomChanged(self, change, args))

    def receive_server_side(
        self, event: str, args: list[Any], reply: Callable[[Any], None] | None = None
    ) -> None:
        """Another server emitted to this namespace; `reply` takes the answer, if it wants one."""
        self.server.raise_event(ServerSideReceived(self, event, args, reply))

    # Called by connections.

    def removed(self, socket: Socket) -> frozenset[str]:
        """A socket left; the rooms it was in."""
        self.sockets.pop(socket.id, None)
        rooms = self.adapter.rooms(socket.id)
        self.adapter.leave_all(socket.id)
        self._clean_up()
        return rooms

    def new_socket(self, connection: Connection, auth: dict[str, Any]) -> Socket:
        """A socket that is not in yet."""
        new = connection.protocol == 5
        id = self.server.generate_id() if new else socket_id(self.name, connection.session.id)
        return Socket(self, connection, id, auth)

    def _clean_up(self) -> None:
        """Whoever still joins keeps a child alive; the reference does not count them."""
        if self.parent is not None and not self.sockets and not self.joining:
            self.parent.emptied(self)

    def __repr__(self) -> str:
        return f"<Namespace {self.name} {len(self.sockets)} sockets>"
