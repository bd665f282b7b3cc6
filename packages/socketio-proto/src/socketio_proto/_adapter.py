"""Who is in which room, and whom a broadcast reaches: the in-memory adapter of one namespace.

Room membership is kept twice, by room and by socket, so that joining, leaving and selecting are all O(members).
A socket's own id is a room that it is in from the start; others may join it too.
Source: `packages/socket.io-adapter/lib/in-memory-adapter.ts`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from ._runtime import Report, Trouble

if TYPE_CHECKING:
    from engineio_proto import Outgoing

    from ._acks import PendingAck
    from ._namespace import Namespace
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


class InMemoryAdapter:
    """The rooms of one namespace on one node."""

    __slots__ = ("_namespace", "_rooms", "_sockets")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._rooms: dict[str, set[str]] = {}
        self._sockets: dict[str, set[str]] = {}

    def join(self, id: str, rooms: Iterable[str]) -> None:
        """Put a socket in rooms."""
        mine = self._sockets.get(id)
        if mine is None:
            mine = self._sockets[id] = set()
        watched = self._namespace.room_handlers
        for room in rooms:
            mine.add(room)
            members = self._rooms.get(room)
            if members is None:
                members = self._rooms[room] = set()
                if watched:
                    self._namespace.room_changed("create-room", room)
            if watched and id not in members:
                self._namespace.room_changed("join-room", room, id)
            members.add(id)

    def leave(self, id: str, room: str) -> None:
        """Take a socket out of a room; an empty room is no more. Twice is once."""
        mine = self._sockets.get(id)
        if mine is not None:
            mine.discard(room)
        members = self._rooms.get(room)
        if members is not None:
            watched = self._namespace.room_handlers
            if watched and id in members:
                self._namespace.room_changed("leave-room", room, id)
            members.discard(id)
            if not members:
                del self._rooms[room]
                if watched:
                    self._namespace.room_changed("delete-room", room)

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
        sockets = self._namespace.sockets
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

    def broadcast(self, outgoing: Outgoing, options: BroadcastOptions, ack: PendingAck | None = None) -> None:
        """Send one shared message to everyone selected; with `ack`, expect an answer from each."""
        if not options.volatile and ack is None:
            for socket in self.select(options):
                socket.connection.session.send(outgoing)
            return
        for socket in self.select(options):
            session = socket.connection.session
            if (session.writable or not options.volatile) and session.send(outgoing) and ack is not None:
                ack.ask(socket)

    # Of sockets on any node; here there is but one.

    def sockets_join(self, options: BroadcastOptions, rooms: frozenset[str]) -> None:
        """Put everyone selected in rooms."""
        for socket in self.select(options):
            socket.join(rooms)

    def sockets_leave(self, options: BroadcastOptions, rooms: frozenset[str]) -> None:
        """Take everyone selected out of rooms."""
        for socket in self.select(options):
            for room in rooms:
                socket.leave(room)

    def disconnect_sockets(self, options: BroadcastOptions, close: bool) -> None:
        """Disconnect everyone selected."""
        for socket in self.select(options):
            if socket.connected:  # with `close`, one before may have had the same connection
                socket.disconnect(close)

    async def fetch_sockets(self, options: BroadcastOptions) -> list[Socket]:
        """Everyone selected."""
        return self.select(options)

    def server_side_emit(self, event: str, args: tuple[Any, ...]) -> None:
        """There is no other server; the reference warns, too."""
        self._warn(event)

    async def server_side_emit_with_ack(self, event: str, args: tuple[Any, ...]) -> list[Any]:
        """There is no other server, so there is no answer to wait for."""
        self._warn(event)
        return []

    def _warn(self, event: str) -> None:
        text = f"this adapter does not support the server_side_emit() functionality (event {event!r})"
        self._namespace.server.runtime.report(Report(Trouble.UNSUPPORTED, text))
