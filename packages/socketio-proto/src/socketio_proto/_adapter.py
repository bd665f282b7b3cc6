"""What connects the nodes of a cluster, seen from one namespace: the contract of an adapter.

An adapter keeps who is in which room on this node, and takes what is meant for the sockets of all nodes. It is a
machine. A command of the namespace returns events, and so does whatever input it has of its own (a message of
another node, an answer of a broker, a deadline); the namespace does what they say (`Namespace.apply`). What an
adapter can do at once it returns at once: the in-memory one always does. What needs another machine comes with a
later input, and in the order of the commands: a delivery that has to wait (for the offset that a broker gives it)
keeps those behind it waiting.

What it cannot answer in time it answers in part: every question has a deadline, and the adapter keeps it. Deadlines
go into the server's one `TimerHeap` for adapters, `Server.adapter_timers`, each with an owner that is a `Due`.

    namespace.emit ─ broadcast ─────────────▶ adapter ─▶ DeliveryReady     now, or
    driver of a broker ─ an input of its own ▶ adapter ─▶ DeliveryReady     later
                                                            │
                                       Namespace.apply ◀────┘

Source: `packages/socket.io-adapter/lib/{in-memory-adapter,cluster-adapter}.ts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, final

if TYPE_CHECKING:
    from engineio_proto import Outgoing
    from socketio_parser import Packet

    from ._acks import PendingAck
    from ._namespace import Namespace
    from ._question import Question, Restoring
    from ._socket import Socket

_NO_ROOMS: frozenset[str] = frozenset()


@final
@dataclass(frozen=True, slots=True)
class BroadcastOptions:
    """Whom a broadcast is for, and how it is sent. The reference's `BroadcastOptions` and `BroadcastFlags`."""

    rooms: frozenset[str] = _NO_ROOMS
    """Sockets in any of these; all when empty."""
    except_: frozenset[str] = _NO_ROOMS
    """But not those in any of these."""
    volatile: bool = False
    """Drop it for a socket that cannot take it at once."""
    compress: bool = True
    """Whether transports may compress it."""
    local: bool = False
    """This node only."""
    timeout: float | None = None
    """Seconds that acknowledgements may take."""


def alone(id: str, options: BroadcastOptions) -> BroadcastOptions:
    """The same for one socket."""
    return replace(options, rooms=frozenset((id,)))


@final
@dataclass(frozen=True, slots=True)
class SocketDetails:
    """A socket of another node, as that node described it."""

    id: str
    """Its id, which is a room of its own."""
    rooms: frozenset[str]
    """The rooms it is in."""
    data: Any
    """What the other node's handlers keep with it."""
    handshake: dict[str, Any]
    """In the reference's words: `headers`, `query`, `auth`, `address`..."""


@final
@dataclass(slots=True)
class SavedSession:
    """What remains of a socket whose connection was lost, until its client is back or its time is over."""

    id: str
    """The socket's id."""
    pid: str
    """The key to this session, known to the client alone."""
    rooms: frozenset[str]
    """Those it was in."""
    data: dict[str, Any]
    """The user's."""
    offset: str | None
    """`Adapter.offset` when it connected: where to begin for a client that never received an event."""


# What an adapter tells its namespace.


@final
@dataclass(slots=True)
class DeliveryReady:
    """Send a message to the sockets of this node that the options select. Not frozen: one per emit."""

    packet: Packet
    """What it is; other nodes may have sent it."""
    outgoing: Outgoing
    """The same encoded, shared by all that it goes to."""
    options: BroadcastOptions
    """Whom it is for."""
    ack: PendingAck | None = None
    """Whom the answers go to, where they are asked for: on another node's behalf a `ForwardedAck`."""


@final
@dataclass(slots=True)
class JoinReady:
    """Put sockets of this node in rooms."""

    options: BroadcastOptions
    """Which sockets."""
    rooms: frozenset[str]
    """The rooms."""


@final
@dataclass(slots=True)
class LeaveReady:
    """Take sockets of this node out of rooms."""

    options: BroadcastOptions
    """Which sockets."""
    rooms: frozenset[str]
    """The rooms."""


@final
@dataclass(slots=True)
class DisconnectReady:
    """Disconnect sockets of this node."""

    options: BroadcastOptions
    """Which sockets."""
    close: bool
    """Whether to close their connections."""


@final
@dataclass(slots=True)
class SessionRestored:
    """The answer to `restore_session`. Deliveries that come behind it are not in `missed`."""

    restoring: Restoring
    """Who asked."""
    session: SavedSession | None
    """The session, which is the client's alone now; or None."""
    missed: Sequence[Outgoing]
    """What it did not receive, in order."""


@final
@dataclass(slots=True)
class AnswersComplete:
    """The answer to `fetch_sockets`, `server_count` or `server_side_emit`."""

    question: Question
    """What was asked."""
    answers: list[Any]
    """One or more by each node that answered."""
    missing: str | None = None
    """Why some are missing, where they are."""


@final
@dataclass(slots=True)
class AnswersExpected:
    """Another node sent a broadcast that asks for acknowledgements to so many clients, or is gone (0)."""

    ack: PendingAck
    """The broadcast."""
    clients: int
    """Its clients."""


@final
@dataclass(slots=True)
class AnswerReceived:
    """A client of another node acknowledged a broadcast."""

    ack: PendingAck
    """The broadcast."""
    value: Any
    """The first argument of its acknowledgement."""


@final
@dataclass(slots=True)
class ServerSideEventReceived:
    """Another node emitted an event to this one. Where an answer is asked for, `Adapter.answer` takes it."""

    name: str
    """Which event."""
    args: list[Any]
    """With what."""
    request: object | None
    """What `Adapter.answer` wants to see again, or None."""


AdapterEvent: TypeAlias = (
    DeliveryReady
    | JoinReady
    | LeaveReady
    | DisconnectReady
    | SessionRestored
    | AnswersComplete
    | AnswersExpected
    | AnswerReceived
    | ServerSideEventReceived
)
AdapterEvents: TypeAlias = Sequence[AdapterEvent]


class Adapter(Protocol):
    """One namespace's adapter. `InMemoryAdapter` is one; a cluster's may begin as a subclass of it.

    Commands that return events raise `EncodeError` for what cannot be sent, and have done nothing then.
    """

    # The rooms of this node.

    def join(self, id: str, rooms: Iterable[str]) -> None:
        """Put a socket of this node in rooms."""
        ...

    def leave(self, id: str, room: str) -> None:
        """Take a socket of this node out of a room."""
        ...

    def leave_all(self, id: str) -> None:
        """Take a socket of this node out of everything."""
        ...

    def rooms(self, id: str) -> frozenset[str]:
        """The rooms that a socket of this node is in."""
        ...

    def members(self, room: str) -> frozenset[str]:
        """The ids of this node's sockets in a room."""
        ...

    def select(self, options: BroadcastOptions) -> list[Socket]:
        """The connected sockets of this node that the options name, each once."""
        ...

    # All nodes.

    def broadcast(
        self, packet: Packet, options: BroadcastOptions, ack: PendingAck | None = None
    ) -> AdapterEvents:
        """Send an event to everybody selected; with `ack`, expect an answer from each.

        `packet.data` is a list of its own: an adapter that numbers packets appends the offset.
        """
        ...

    def sockets_join(self, options: BroadcastOptions, rooms: frozenset[str]) -> AdapterEvents:
        """Put everybody selected in rooms."""
        ...

    def sockets_leave(self, options: BroadcastOptions, rooms: frozenset[str]) -> AdapterEvents:
        """Take everybody selected out of rooms."""
        ...

    def disconnect_sockets(self, options: BroadcastOptions, close: bool) -> AdapterEvents:
        """Disconnect everybody selected."""
        ...

    def fetch_sockets(self, options: BroadcastOptions, question: Question) -> AdapterEvents:
        """Ask for everybody selected: `Socket` of this node, `SocketDetails` of others."""
        ...

    def server_side_emit(
        self, name: str, args: Sequence[Any], question: Question | None = None
    ) -> AdapterEvents:
        """Send an event to the other nodes; with a question, expect an answer from each."""
        ...

    def clients_counted(self, request: object, clients: int) -> None:
        """So many clients of this node got a broadcast of another node that asks for acknowledgements."""
        ...

    def answer(self, request: object, value: Any) -> None:
        """Answer a question of another node: a server-side event's, or for one client a broadcast's."""
        ...

    def server_count(self, question: Question) -> AdapterEvents:
        """Ask how many nodes there are; the answer is one number."""
        ...

    # Connection state recovery.

    @property
    def offset(self) -> str | None:
        """The offset of the latest event that was delivered here; None when this adapter numbers none."""
        ...

    def persist_session(self, session: SavedSession) -> None:
        """Keep it for `max_disconnection_duration`."""
        ...

    def restore_session(self, restoring: Restoring, pid: str, offset: str | None) -> AdapterEvents:
        """Ask for a session and what its client missed since `offset`, or since it connected.

        Whatever the answer, the session is not there for another any more.
        """
        ...

    def close(self) -> None:
        """The namespace is over: forget everything, deadlines too."""
        ...


AdapterFactory: TypeAlias = Callable[["Namespace"], Adapter]
"""What the option `adapter` takes: called once for each namespace."""


class Due(Protocol):
    """An owner in `Server.adapter_timers`."""

    namespace: Namespace

    def handle_timeout(self, now: float) -> AdapterEvents:
        """Its deadline has passed."""
        ...
