"""Who is in which room: the in-memory adapter of one namespace, and the part of every other that this node is.

Room membership is kept twice, by room and by socket, so that joining, leaving and selecting are all O(members).
A socket's own id is a room that it is in from the start; others may join it too.
Source: `packages/socket.io-adapter/lib/in-memory-adapter.ts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ._adapter import (
    AdapterEvents,
    AnswersComplete,
    BroadcastOptions,
    DeliveryReady,
    DisconnectReady,
    JoinReady,
    LeaveReady,
    SavedSession,
    SessionRestored,
)
from ._runtime import Report, Trouble

if TYPE_CHECKING:
    from socketio_parser import Packet

    from ._acks import PendingAck
    from ._namespace import Namespace
    from ._question import Question, Restoring
    from ._socket import Socket

_NO_ROOMS: frozenset[str] = frozenset()


class InMemoryAdapter:
    """The adapter of a server that is alone. It answers everything at once."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self._rooms: dict[str, set[str]] = {}
        self._sockets: dict[str, set[str]] = {}

    def join(self, id: str, rooms: Iterable[str]) -> None:
        """Put a socket in rooms."""
        mine = self._sockets.get(id)
        if mine is None:
            mine = self._sockets[id] = set()
        watched = self.namespace.room_handlers
        for room in rooms:
            mine.add(room)
            members = self._rooms.get(room)
            if members is None:
                members = self._rooms[room] = set()
                if watched:
                    self.namespace.room_changed("create-room", room)
            if watched and id not in members:
                self.namespace.room_changed("join-room", room, id)
            members.add(id)

    def leave(self, id: str, room: str) -> None:
        """Take a socket out of a room; an empty room is no more. Twice is once."""
        mine = self._sockets.get(id)
        if mine is not None:
            mine.discard(room)
        members = self._rooms.get(room)
        if members is not None:
            watched = self.namespace.room_handlers
            if watched and id in members:
                self.namespace.room_changed("leave-room", room, id)
            members.discard(id)
            if not members:
                del self._rooms[room]
                if watched:
                    self.namespace.room_changed("delete-room", room)

    def leave_all(self, id: str) -> None:
        """Take a socket out of everything."""
        for room in list(self._sockets.get(id, ())):
            self.leave(id, room)
        self._sockets.pop(id, None)

    def rooms(self, id: str) -> frozenset[str]:
        """The rooms a socket is in."""
        return frozenset(self._sockets.get(id, ()))

    def members(self, room: str) -> frozenset[str]:
        """The ids of the sockets in a room."""
        return frozenset(self._rooms.get(room, ()))

    def select(self, options: BroadcastOptions) -> list[Socket]:
        """The connected sockets that the options name, each once."""
        sockets = self.namespace.sockets
        if not options.rooms and not options.except_:
            return list(sockets.values())
        excluded: set[str] = set()
        for room in options.except_:
            excluded |= self._rooms.get(room, _NO_ROOMS)
        if not options.rooms:
            return [socket for id, socket in sockets.items() if id not in excluded]
        chosen: set[str] = set()
        for room in options.rooms:
            chosen |= self._rooms.get(room, _NO_ROOMS)
        chosen -= excluded
        if len(chosen) * 4 > len(sockets):
            return [socket for id, socket in sockets.items() if id in chosen]
        return [sockets[id] for id in chosen if id in sockets]

    # All nodes, which is this one.

    def broadcast(
        self, packet: Packet, options: BroadcastOptions, ack: PendingAck | None = None
    ) -> AdapterEvents:
        """Encode once, deliver at once."""
        outgoing = self.namespace.server.encode(packet, compress=options.compress)
        return (DeliveryReady(packet, outgoing, options, ack),)

    def sockets_join(self, options: BroadcastOptions, rooms: frozenset[str]) -> AdapterEvents:
        """At once."""
        return (JoinReady(options, rooms),)

    def sockets_leave(self, options: BroadcastOptions, rooms: frozenset[str]) -> AdapterEvents:
        """At once."""
        return (LeaveReady(options, rooms),)

    def disconnect_sockets(self, options: BroadcastOptions, close: bool) -> AdapterEvents:
        """At once."""
        return (DisconnectReady(options, close),)

    def fetch_sockets(self, options: BroadcastOptions, question: Question) -> AdapterEvents:
        """Those of this node."""
        return (AnswersComplete(question, self.select(options)),)

    def server_side_emit(
        self, name: str, args: Sequence[Any], question: Question | None = None
    ) -> AdapterEvents:
        """There is no other server, and no answer to wait for. The reference warns, too."""
        text = f"this adapter does not support the server_side_emit() functionality (event {name!r})"
        self.namespace.server.runtime.report(Report(Trouble.UNSUPPORTED, text))
        return () if question is None else (AnswersComplete(question, []),)

    def clients_counted(self, request: object, clients: int) -> None:
        """Nobody asks."""

    def answer(self, request: object, value: Any) -> None:
        """Nobody asks."""

    def server_count(self, question: Question) -> AdapterEvents:
        """One."""
        return (AnswersComplete(question, [1]),)

    # Connection state recovery: `SessionAwareAdapter` has it.

    @property
    def offset(self) -> str | None:
        """Nothing is numbered."""
        return None

    def persist_session(self, session: SavedSession) -> None:
        """Nothing is kept."""

    def restore_session(self, restoring: Restoring, pid: str, offset: str | None) -> AdapterEvents:
        """So nothing is restored."""
        return (SessionRestored(restoring, None, ()),)

    def close(self) -> None:
        """Nothing is armed."""
