"""What the Socket.IO machine tells: returned from inputs, in order, to be dispatched by `Dispatcher`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, final

from engineio_proto import DecisionAbandoned, DecisionRequested, HookRaised, RequestRefused

if TYPE_CHECKING:
    from ._connection import Connection
    from ._namespace import Namespace
    from ._parent import ParentNamespace
    from ._socket import Socket


class DisconnectReason(StrEnum):
    """Why a socket disconnected: the reference's exact strings (`packages/socket.io/lib/socket-types.ts`)."""

    SERVER_NAMESPACE_DISCONNECT = "server namespace disconnect"
    CLIENT_NAMESPACE_DISCONNECT = "client namespace disconnect"
    SERVER_SHUTTING_DOWN = "server shutting down"
    FORCED_SERVER_CLOSE = "forced server close"
    PING_TIMEOUT = "ping timeout"
    PARSE_ERROR = "parse error"
    TRANSPORT_ERROR = "transport error"
    TRANSPORT_CLOSE = "transport close"
    FORCED_CLOSE = "forced close"


@final
@dataclass(slots=True)
class ConnectRequested:
    """A client asked for a namespace that has middlewares (Socket.IO protocol 5, "Connection to a namespace")."""

    socket: Socket
    """Not connected yet; `socket.namespace.accept` or `refuse` ends it."""


@final
@dataclass(slots=True, eq=False)
class NamespaceRequested:
    """A client asked for a namespace that does not exist, and a function of the user decides whether it may."""

    connection: Connection
    """Whose `joining` it is in until it has ended."""
    name: str
    """The namespace."""
    auth: dict[str, Any]
    """What the client sent."""
    parents: tuple[ParentNamespace, ...]
    """Those still to be asked; the first one's function is next."""
    ended: bool = False
    """It is decided, or the connection is over."""


@final
@dataclass(slots=True)
class NamespaceAbandoned:
    """A client is gone while a function decides; its task is to be cancelled."""

    request: NamespaceRequested
    """What it decides."""


@final
@dataclass(slots=True)
class SocketConnected:
    """A client is in a namespace; the CONNECT packet is queued."""

    socket: Socket
    """The new socket."""


@final
@dataclass(slots=True)
class EventReceived:
    """A client's event. Not frozen: it is built once per message, and frozen costs 0.4 us more."""

    socket: Socket
    """Who sent it."""
    name: Any
    """A string, or the number that the protocol allows."""
    args: list[Any]
    """The arguments."""
    ack_id: int | None
    """The acknowledgement asked for and not given yet."""
    size: int
    """Bytes of the packet, as counted against the inbox."""

    def answer(self, args: list[Any]) -> None:
        """Give the acknowledgement, if it is asked for and not given yet. Raises EncodeError; that was its turn."""
        ack_id, self.ack_id = self.ack_id, None
        if ack_id is not None:
            self.socket.send_ack(ack_id, args)


@final
@dataclass(slots=True)
class SocketDisconnected:
    """A socket left its namespace; it can send nothing any more."""

    socket: Socket
    """Which one; its `rooms` are those it was in until the `disconnecting` handlers have run."""
    reason: DisconnectReason
    """The reference's word for why."""
    description: str | None
    """More, where there is more to say."""


@final
@dataclass(slots=True)
class SocketErrored:
    """The client sent what is not Socket.IO; its connection is closed."""

    socket: Socket
    """One of its sockets: each gets this event."""
    error: Exception
    """What was wrong."""


@final
@dataclass(slots=True)
class NamespaceCreated:
    """There is a new namespace: `of` made it, or a client asked for a dynamic one."""

    namespace: Namespace
    """The new one."""


@final
@dataclass(slots=True)
class RoomChanged:
    """A room came to be or ended, or a socket entered or left it. Only told to who listens (`on_room`)."""

    namespace: Namespace
    """Where."""
    change: str
    """`create-room`, `join-room`, `leave-room` or `delete-room`. Source: `in-memory-adapter.ts`."""
    args: tuple[str, ...]
    """The room; for `join-room` and `leave-room` also the socket's id."""


@final
@dataclass(slots=True)
class ServerSideReceived:
    """Another server of the cluster emitted to this one."""

    namespace: Namespace
    """Where."""
    name: str
    """The event."""
    args: list[Any]
    """The arguments."""
    reply: Callable[[Any], None] | None = None
    """Takes the answer, if one is wanted."""


@final
@dataclass(slots=True)
class ConnectionClosed:
    """The server closed a connection on account of a bound or of a violation. For the log."""

    connection: Connection
    """Which one."""
    description: str
    """Which bound or rule, with its value."""


@final
@dataclass(slots=True)
class InboxReleased:
    """A connection is over; what waits in its inbox may start, however many handlers run. For the dispatcher."""

    connection: Connection
    """Which one."""


OtherEvent: TypeAlias = (
    ConnectRequested
    | NamespaceRequested
    | NamespaceAbandoned
    | SocketConnected
    | SocketDisconnected
    | SocketErrored
    | NamespaceCreated
    | RoomChanged
    | ServerSideReceived
    | ConnectionClosed
    | InboxReleased
    | RequestRefused
    | DecisionRequested
    | DecisionAbandoned
    | HookRaised
)
SocketEvent: TypeAlias = EventReceived | OtherEvent
