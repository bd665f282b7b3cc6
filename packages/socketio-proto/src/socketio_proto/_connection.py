"""One client's connection: its decoder, its sockets by namespace. The reference's `Client`.

Of its inbox (see `Peer`) only events take room: acks, pongs and disconnections are handled when decoded, so a
handler that awaits an answer always gets it. While answers are awaited from this very client, reading goes on up
to the hard bound, where the connection is closed. Source: `packages/socket.io/lib/client.ts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast, final

from engineio_proto import Outgoing, Session
from socketio_parser import EncodeError, Packet, PacketDecoder, PacketType

from ._events import (
    ConnectionClosed,
    ConnectRequested,
    DisconnectReason,
    EventReceived,
    InboxReleased,
    NamespaceAbandoned,
    NamespaceRequested,
    SocketConnected,
    SocketDisconnected,
    SocketErrored,
)
from ._old_clients import refusal, split_query
from ._parser import ParserFailed
from ._peer import Peer
from ._question import Restoring
from ._runtime import Report, Trouble

if TYPE_CHECKING:
    from ._namespace import Namespace
    from ._server import Server
    from ._socket import Socket


# Async handlers of lifecycle events that one connection may have running, for each handler and namespace it may have.
_MOST_ATTENDING: Final = 4


@final
@dataclass(frozen=True, slots=True)
class DisconnectingStarted:
    """The `disconnecting` handlers have started; the `disconnect` handlers come next. Never leaves this package."""

    event: SocketDisconnected
    """Whose."""

    @property
    def socket(self) -> Socket:
        """Which socket's."""
        return self.event.socket


Queued: TypeAlias = (
    EventReceived | SocketConnected | SocketDisconnected | SocketErrored | DisconnectingStarted
)


class Connection(Peer[Queued]):
    """One Engine.IO session, and the sockets that live on it.

    Attributes:
        sockets: the connected ones by namespace.
        joining: by namespace, those whose middlewares still run, and questions whether there is such a namespace or
            a session to restore.
        attending: async handlers of `connection`, `disconnect` and the like that run.
        misfits: events that did not fit their handler and were reported.
        closing: this side closed it: what was decoded already is not looked at.
        partial_bytes: of the messages of a packet whose attachments have not all come.
    """

    __slots__ = ("attending", "closing", "decoder", "joining", "misfits", "partial_bytes", "server", "sockets")

    def __init__(self, server: Server, session: Session, decoder: PacketDecoder) -> None:
        super().__init__(server.order, session)
        self.server = server
        self.decoder = decoder
        self.sockets: dict[str, Socket] = {}
        self.joining: dict[str, Socket | NamespaceRequested | Restoring] = {}
        self.closing = False
        self.partial_bytes = 0
        self.misfits = 0
        self.attending = 0

    @property
    def protocol(self) -> int:
        """The Socket.IO protocol that the client speaks: 5, or 4 over Engine.IO 3."""
        return 4 if self.session.protocol == 3 else 5

    # Packets.

    def receive(self, packet: Packet, size: int) -> EventReceived | None:
        """A packet that is not a plain event is handled here; an event is returned."""
        namespace, auth = packet.namespace, packet.data
        if self.protocol == 4:
            namespace, auth = split_query(namespace)
        if packet.type == PacketType.CONNECT:
            self.connect(namespace, auth)
            return None
        socket = self.sockets.get(namespace)
        if socket is None:
            self.violated(f"{PacketType(packet.type).name} packet for {namespace!r}, which was not joined")
            return None
        if packet.type == PacketType.EVENT:
            data: list[Any] = packet.data or [None]
            return EventReceived(socket, data[0], data[1:], packet.id, size)
        if packet.type == PacketType.ACK:
            socket.receive_ack(packet.id, packet.data or [])
            self.regulate()
        elif packet.type == PacketType.DISCONNECT:
            self.leave(socket, DisconnectReason.CLIENT_NAMESPACE_DISCONNECT)
        else:
            self.violated(f"{PacketType(packet.type).name} packet from a client")
        return None

    def connect(self, name: str, auth: Any) -> None:
        """The client asks for a namespace, or one of protocol 4 is put in "/"."""
        server = self.server
        if name in self.sockets or name in self.joining:
            # The reference lets a second CONNECT in while the first one is still joining; nobody needs that.
            self.violated(f"second CONNECT for {name!r}")
            return
        namespace = server.namespaces.get(name)
        if namespace is None and not server.dynamic.parents:
            self.refuse_unknown(name)
            return
        if len(self.sockets) + len(self.joining) >= server.config.max_namespaces:
            text = f"Too many namespaces (max_namespaces={server.config.max_namespaces})"
            self._send_error(name, {"message": text})
            return
        auth = cast("dict[str, Any]", auth) if isinstance(auth, dict) else {}
        if namespace is None:
            server.dynamic.seek(self, name, auth)
        else:
            self.enter(namespace, auth)

    def enter(self, namespace: Namespace, auth: dict[str, Any]) -> None:
        """To the door of a namespace."""
        if namespace.returning is None or not namespace.returning.seek(self, auth):
            self.knock(namespace.new_socket(self, auth))

    def knock(self, socket: Socket) -> None:
        """A socket asks to be let in."""
        namespace = socket.namespace
        self.joining[namespace.name] = socket
        namespace.joining += 1
        # Handlers of `new_namespace` may have middlewares for it, and they have not run yet.
        if namespace.door(socket) or not namespace.announced:
            self.server.raise_event(ConnectRequested(socket))
        else:
            namespace.accept(socket)

    def joined(self, socket: Socket) -> None:
        """A namespace let the socket in."""
        self.not_joining(socket)
        self.sockets[socket.namespace.name] = socket
        self.server.connect_timers.cancel(self)

    def not_joining(self, waiting: Socket | Restoring) -> None:
        """A socket is in, or will not be."""
        del self.joining[waiting.namespace.name]
        waiting.namespace.joining -= 1

    def refuse_unknown(self, name: str) -> None:
        """There is no such namespace."""
        self._send_error(name, {"message": "Invalid namespace"})

    def refuse(self, name: str, message: str, data: Any = None) -> None:
        """A middleware keeps the client out of a namespace. Raises EncodeError when its data cannot be sent."""
        payload: Any = {"message": message} if data is None else {"message": message, "data": data}
        if self.protocol == 4:
            payload = refusal(message, data)
        if data is None:
            self._send_error(name, payload)
        else:
            self.session.send(self.server.encode(Packet(PacketType.CONNECT_ERROR, name, payload)))

    def _send_error(self, name: str, payload: Any) -> None:
        outgoing = self.encode(Packet(PacketType.CONNECT_ERROR, name, payload))
        if outgoing is not None:
            self.session.send(outgoing)

    def encode(self, packet: Packet) -> Outgoing | None:
        """A packet that is of the protocol, and of nobody's making. When the user's parser does not take it, that costs
        this connection and no other; None then.
        """
        try:
            return self.server.encode(packet)
        except EncodeError as error:
            self._blame_parser(str(error), error)
            self.server.raise_event(ConnectionClosed(self, f"a packet cannot be encoded: {error}"))
            self.close(DisconnectReason.FORCED_SERVER_CLOSE, str(error))
            return None

    # Leaving.

    def leave(
        self, socket: Socket, reason: DisconnectReason, description: str | None = None, *, deaf: bool = False
    ) -> None:
        """Take a socket out of its namespace; its `disconnect` handlers run with the next dispatch."""
        del self.sockets[socket.namespace.name]
        socket.left(socket.namespace.removed(socket, reason), deaf=deaf)
        self.server.raise_event(SocketDisconnected(socket, reason, description))
        self.regulate()

    def kick(self, socket: Socket) -> None:
        """The server disconnects one socket: DISCONNECT, and the connection stays."""
        outgoing = self.encode(Packet(PacketType.DISCONNECT, socket.namespace.name))
        if outgoing is not None:
            self.session.send(outgoing)
            self.leave(socket, DisconnectReason.SERVER_NAMESPACE_DISCONNECT, deaf=True)

    def disconnect_all(self) -> None:
        """The server disconnects every socket and closes the connection."""
        for socket in list(self.sockets.values()):
            if not self.closing:  # by the one before
                self.kick(socket)
        self.drop_joining()
        self.session.close(self.server.runtime.now())

    def close(self, reason: DisconnectReason, description: str | None = None) -> None:
        """Close the connection from this side; every socket gets the reason at once."""
        # The session first: whoever looks at it while the sockets leave sees that it is over.
        self.closing = True
        self.session.close(self.server.runtime.now())
        for socket in list(self.sockets.values()):
            self.leave(socket, reason, description)
        self.drop_joining()

    def closed(self, reason: DisconnectReason, description: str | None, now: float) -> None:
        """The session is over."""
        for socket in list(self.sockets.values()):
            self.leave(socket, reason, description)
        self.drop_joining()
        try:
            self.decoder.reset()
        except Exception as error:  # of a parser of the user's own
            self._blame_parser("the parser's reset() raised", error)
        self.resolve_drained(now)
        if self.inbox is not None:
            self.server.raise_event(InboxReleased(self))

    def drop_joining(self) -> None:
        """Sockets whose middlewares still run will not get in."""
        for name, waiting in list(self.joining.items()):
            if isinstance(waiting, NamespaceRequested):
                waiting.ended = True
                del self.joining[name]
                self.server.raise_event(NamespaceAbandoned(waiting))
            elif isinstance(waiting, Restoring):
                waiting.ended = True
                self.not_joining(waiting)
            else:
                waiting.namespace.lost_at_door(waiting)

    def violated(self, what: str) -> None:
        """The client broke a rule of the protocol; the reference closes the connection without a word."""
        self.server.raise_event(ConnectionClosed(self, f"protocol violation: {what}"))
        self.close(DisconnectReason.FORCED_SERVER_CLOSE, what)

    def undecodable(self, error: Exception, cause: BaseException | None = None) -> None:
        """The client sent what is not Socket.IO: every socket learns it, then the connection closes.

        `cause` is what the parser raised that it should not have.
        """
        if isinstance(error, ParserFailed):
            self._blame_parser(str(error), cause)
        for socket in self.sockets.values():
            self.server.raise_event(SocketErrored(socket, error))
        self.server.raise_event(ConnectionClosed(self, f"undecodable packet: {error}"))
        self.close(DisconnectReason.FORCED_CLOSE, str(error))

    def _blame_parser(self, text: str, error: BaseException | None) -> None:
        """Reported at once: an event that kept the error would be tied to it by the frames that its traceback knows."""
        self.server.runtime.report(Report(Trouble.HANDLER, f"{text}, for {self!r}", error))

    def attended(self, change: int) -> None:
        """An async handler of a socket's lifecycle started, or ended. By joining and leaving in turn a client could
        have any number of them run. Nothing waits for them: one of `connection` may rightly run as long as its socket.
        """
        self.attending += change
        config = self.server.config
        most = _MOST_ATTENDING * (config.max_handlers + config.max_namespaces)
        if self.attending > most and not self.closing:
            text = f"{self.attending} handlers of its sockets' connections and disconnections run (at most {most})"
            self.server.raise_event(ConnectionClosed(self, text))
            self.close(DisconnectReason.FORCED_SERVER_CLOSE, text)

    def overflowed(self, text: str) -> None:
        """The inbox is at its hard bound."""
        self.server.raise_event(ConnectionClosed(self, f"inbox full: {text}"))
        self.close(DisconnectReason.FORCED_SERVER_CLOSE, text)

    def __repr__(self) -> str:
        return f"<Connection {self.session.id} {sorted(self.sockets)}>"
