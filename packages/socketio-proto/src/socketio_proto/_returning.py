"""The clients of one namespace that lost their connection, on their way back in.

A client that says which session was its own waits at the door until the adapter has answered. If the session is
there, its socket is made of it and passes the door like any other, or without the middlewares. What was sent to its
rooms meanwhile is kept, and goes out with what it missed before, in order, just before the CONNECT packet: the
reference sends what was missed before it asks the middlewares, and loses what comes while they run.
Source: `packages/socket.io/lib/{namespace,socket}.ts`, where `connectionStateRecovery` is.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final

from ._adapter import BroadcastOptions, SavedSession, alone
from ._events import DisconnectReason
from ._packet_log import reaches
from ._question import Restoring

if TYPE_CHECKING:
    from engineio_proto import Outgoing
    from socketio_parser import Packet

    from ._adapter import DeliveryReady, SessionRestored
    from ._connection import Connection
    from ._namespace import Namespace
    from ._socket import Socket

# Source: `socket.ts`, RECOVERABLE_DISCONNECT_REASONS.
RECOVERABLE: Final = frozenset(
    (
        DisconnectReason.TRANSPORT_ERROR,
        DisconnectReason.TRANSPORT_CLOSE,
        DisconnectReason.FORCED_CLOSE,
        DisconnectReason.PING_TIMEOUT,
        DisconnectReason.SERVER_SHUTTING_DOWN,
        DisconnectReason.FORCED_SERVER_CLOSE,
    )
)


def send_kept(socket: Socket, packet: Packet, options: BroadcastOptions) -> Awaitable[None]:
    """Send to one client by way of the adapter, which keeps it for when the client is back."""
    socket.namespace.apply(socket.namespace.adapter.broadcast(packet, alone(socket.id, options)))
    connection = socket.connection
    if socket.connected and connection.session.buffered_bytes > connection.server.high_water_mark:
        return connection.drained()
    return connection.server.ready


class Returning:
    """What a namespace with connection state recovery has besides.

    Attributes:
        missed: by socket id, what goes to those that were restored and are not in yet.
    """

    __slots__ = ("_namespace", "missed")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.missed: dict[str, list[Outgoing]] = {}

    def seek(self, connection: Connection, auth: dict[str, Any]) -> bool:
        """A client asks to be let in. Whether it says that it was here before, and so waits for the adapter."""
        pid, offset = auth.get("pid"), auth.get("offset")
        if not isinstance(pid, str) or not (offset is None or isinstance(offset, str)):
            return False
        if connection.protocol != 5:
            return False
        namespace = self._namespace
        restoring = Restoring(namespace, connection, auth)
        connection.joining[namespace.name] = restoring
        namespace.joining += 1
        namespace.apply(namespace.adapter.restore_session(restoring, pid, offset))
        return True

    def restored(self, event: SessionRestored) -> None:
        """The adapter's answer."""
        restoring, session = event.restoring, event.session
        namespace, connection = self._namespace, restoring.connection
        if restoring.ended:
            if session is not None:  # nobody had anything of it
                namespace.adapter.persist_session(session)
            return
        restoring.ended = True
        connection.not_joining(restoring)
        socket = namespace.new_socket(connection, restoring.auth)
        if session is not None:
            socket.restore(session)
            namespace.adapter.join(socket.id, session.rooms)
            self.missed[socket.id] = list(event.missed)
        connection.knock(socket)

    def keep(self, event: DeliveryReady) -> None:
        """Something is sent while somebody is at the door."""
        if event.ack is None and not event.options.volatile:
            for id, missed in self.missed.items():
                if reaches(event.options, self._namespace.adapter.rooms(id)):
                    missed.append(event.outgoing)

    def take_missed(self, socket: Socket) -> list[Outgoing]:
        """A socket gets in, or not: what it missed is taken away."""
        return self.missed.pop(socket.id, [])

    def save(self, socket: Socket, rooms: frozenset[str], reason: DisconnectReason) -> None:
        """A socket is gone; if its client may come back, keep what it needs."""
        if socket.pid is None:
            return
        if reason in RECOVERABLE:
            session = SavedSession(socket.id, socket.pid, rooms, socket.data, socket.offset)
            self._namespace.adapter.persist_session(session)
        else:
            socket.pid = None
