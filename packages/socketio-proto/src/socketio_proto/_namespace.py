"""A namespace: its sockets, its rooms, its handlers, its door.

Source: `packages/socket.io/lib/namespace.ts`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from socketio_parser import RESERVED_EVENTS, Packet, PacketType

from ._acks import PendingAck
from ._adapter import Adapter, AdapterEvent, BroadcastOptions, DeliveryReady
from ._apply import apply_other
from ._errors import ReservedEventError
from ._events import DisconnectReason, RoomChanged, ServerSideReceived, SocketConnected
from ._handlers import Handler, Handlers
from ._old_clients import socket_id
from ._operator import BroadcastOperator
from ._question import Question
from ._returning import Returning
from ._socket import Socket
from ._vocabulary import Middleware, Vocabulary

if TYPE_CHECKING:
    from ._connection import Connection
    from ._parent import ParentNamespace
    from ._server import Server


_EVENT: Final = PacketType.EVENT


class Namespace(Vocabulary):
    """One namespace of a server.

    Attributes:
        name: begins with a slash.
        sockets: the connected ones, by id. Read it, do not change it.
        adapter: who is in which room, on this node; and what reaches the others.
        parent: whose child it is, if it is a dynamic one.
        joining: how many sockets are at its door.
        returning: those who lost their connection, if they may come back (`connection_state_recovery`).
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
        self.returning = None if server.config.connection_state_recovery is None else Returning(self)
        self.joining = 0
        self.announced = False
        self.overheard: set[Socket] = set()
        self.room_handlers: dict[str, tuple[Handler, ...]] = {}
        self.server_side_handlers: dict[str, tuple[Handler, ...]] = {}
        self._ack_id = 0

    def make_adapter(self) -> Adapter:
        """As the option `adapter` says."""
        return self.server.new_adapter(self)

    # Letting clients in.

    def door(self, socket: Socket) -> tuple[Middleware, ...]:
        """The middlewares that a socket has to pass."""
        recovery = self.server.config.connection_state_recovery
        if socket.recovered and recovery is not None and recovery.skip_middlewares:
            return ()
        return self.middlewares

    def accept(self, socket: Socket) -> None:
        """Let a client in. Does nothing when its connection closed meanwhile."""
        connection = socket.connection
        if connection.joining.get(self.name) is not socket:
            return
        told = None
        if connection.protocol == 5:
            told = {"sid": socket.id} if socket.pid is None else {"sid": socket.id, "pid": socket.pid}
        welcome = connection.encode(Packet(PacketType.CONNECT, self.name, told))
        if welcome is None:  # and the connection is closed
            return
        self.sockets[socket.id] = socket
        connection.joined(socket)
        socket.connected = True
        self.adapter.join(socket.id, (socket.id,))
        if self.returning is not None:
            if not socket.recovered:
                socket.offset = self.adapter.offset
            for outgoing in self.returning.take_missed(socket):
                connection.session.send(outgoing)
        connection.session.send(welcome)
        self.server.raise_event(SocketConnected(socket))

    def refuse(self, socket: Socket, message: str, data: Any = None) -> None:
        """Keep a client out: CONNECT_ERROR; rooms that a middleware put it in are left."""
        connection = socket.connection
        if connection.joining.get(self.name) is not socket:
            return
        self.kept_out(socket)
        connection.refuse(self.name, message, data)

    def lost_at_door(self, socket: Socket) -> None:
        """A client lost its connection at the door. If it was on its way back, it may try again."""
        rooms = self.adapter.rooms(socket.id)
        self.kept_out(socket)
        if self.returning is not None and socket.recovered:
            self.returning.save(socket, rooms, DisconnectReason.TRANSPORT_CLOSE)

    def kept_out(self, socket: Socket) -> None:
        """A client will not get in; rooms that a middleware put it in are left."""
        socket.connection.not_joining(socket)
        if self.returning is not None:
            self.returning.take_missed(socket)
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
        packet = Packet(_EVENT, self.name, [event, *args])
        self.server.dirty.wake()  # refuses a thread that is not the server's, before anybody is sent anything
        self.apply(self.adapter.broadcast(packet, options))
        return self.server.ready

    async def broadcast_with_ack(
        self, event: str, args: tuple[Any, ...], options: BroadcastOptions
    ) -> list[Any]:
        """The same with an answer from each."""
        if event in RESERVED_EVENTS:
            raise ReservedEventError(event)
        pending = PendingAck(self.next_ack_id(), self.server.runtime.waiter(), single=False)
        packet = Packet(_EVENT, self.name, [event, *args], pending.id)
        self.apply(self.adapter.broadcast(packet, options, pending))
        answers: list[Any] = await self.server.await_ack(pending, options.timeout)
        return answers

    # The adapter.

    def apply(self, events: Iterable[AdapterEvent]) -> None:
        """Do what the adapter says: what a command of ours led to at once, or an input of its own."""
        for event in events:
            if type(event) is DeliveryReady:
                self._deliver(event)
            else:
                apply_other(self, event)

    def _deliver(self, event: DeliveryReady) -> None:
        """Send one shared message to everyone selected; with `ack`, expect an answer from each."""
        outgoing, options, ack = event.outgoing, event.options, event.ack
        if self.returning is not None and self.returning.missed:
            self.returning.keep(event)
        if self.overheard:
            name, *args = event.packet.data
            for socket in self.adapter.select(options):
                socket.overhear(name, tuple(args))
        if not options.volatile and ack is None:
            for socket in self.adapter.select(options):
                socket.connection.session.send(outgoing)
            return
        for socket in self.adapter.select(options):
            session = socket.connection.session
            if (session.writable or not options.volatile) and session.send(outgoing) and ack is not None:
                ack.ask(socket)
                socket.connection.regulate()  # if it waits with full hands, it must be heard all the same
        if ack is not None:
            ack.delivered()

    async def ask_adapter(
        self, command: Callable[[Question], Iterable[AdapterEvent]], timeout: float | None = None
    ) -> list[Any]:
        """Ask the adapter and wait for the answers: `await namespace.ask_adapter(namespace.adapter.server_count)`.

        Raises:
            AnswersMissing: when not all came in time.
        """
        question = Question(self.server.runtime.waiter(), timeout)
        self.apply(command(question))
        try:
            answers: list[Any] = await question.waiter
            return answers
        finally:
            question.ended = True
            # An error that it got knows this frame by its traceback: no way may lead back.
            del question.waiter

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

    def removed(self, socket: Socket, reason: DisconnectReason) -> frozenset[str]:
        """A socket left; the rooms it was in."""
        self.sockets.pop(socket.id, None)
        rooms = self.adapter.rooms(socket.id)
        self.adapter.leave_all(socket.id)
        if self.returning is not None:
            self.returning.save(socket, rooms, reason)
        self._clean_up()
        return rooms

    def new_socket(self, connection: Connection, auth: dict[str, Any]) -> Socket:
        """A socket that is not in yet."""
        new = connection.protocol == 5
        id = self.server.generate_id() if new else socket_id(self.name, connection.session.id)
        socket = Socket(self, connection, id, auth)
        if new and self.returning is not None:
            socket.pid = self.server.generate_id()
        return socket

    def close(self) -> None:
        """The server closes: no DISCONNECT packet is sent, only the connections close."""
        for socket in list(self.sockets.values()):
            socket.connection.leave(socket, DisconnectReason.SERVER_SHUTTING_DOWN, deaf=True)
        if self.name in self.server.namespaces:  # else it ended with its last socket
            self.adapter.close()

    def _clean_up(self) -> None:
        """Whoever still joins keeps a child alive; the reference does not count them."""
        if self.parent is not None and not self.sockets and not self.joining:
            self.parent.emptied(self)

    def __repr__(self) -> str:
        return f"<Namespace {self.name} {len(self.sockets)} sockets>"
