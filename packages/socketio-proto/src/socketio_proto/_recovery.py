"""Connection state recovery on one node: a client whose connection was lost comes back as if nothing had happened.

Every event that could be sent again ends with its offset, an argument that the official clients remember. When a
connection is lost, its sockets' sessions are kept under their `pid`. A client that comes back with a `pid` and an
offset has its id, rooms and data again, and gets what it missed: the logged events behind that offset that are for its
rooms, and were not excepted from them.

What is not logged: events that ask for an acknowledgement, and volatile ones. A volatile event whose last argument is
a string gets the offset of the event before it all the same, since a client would take that string for one.

A session is for one client, once. Expiry has one deadline per namespace; what is not gone by then because timers were
late is refused all the same. Source: `packages/socket.io-adapter/lib/in-memory-adapter.ts`, `SessionAwareAdapter`.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

from ._adapter import (
    AdapterEvents,
    AdapterFactory,
    BroadcastOptions,
    DeliveryReady,
    SavedSession,
    SessionRestored,
)
from ._in_memory import InMemoryAdapter
from ._packet_log import LoggedPacket, PacketLog, reaches
from ._yeast import Yeast, order

if TYPE_CHECKING:
    from socketio_parser import Packet

    from ._acks import PendingAck
    from ._config import RecoveryConfig, ServerConfig
    from ._namespace import Namespace
    from ._question import Restoring

# Expiry may come so much later, as a part of the duration: so a busy log is not looked at every millisecond.
_SLACK = 0.1


class SessionAwareAdapter(InMemoryAdapter):
    """The adapter of a server that is alone and has `connection_state_recovery`."""

    def __init__(self, namespace: Namespace, config: RecoveryConfig) -> None:
        super().__init__(namespace)
        self._config = config
        self._new_offset = Yeast(namespace.server.wall_clock)
        self._log = PacketLog(self._new_offset(), config.max_packets, config.max_bytes)
        # By pid, with the instant of expiry. The duration is one for all, so the first is the first to expire.
        self._sessions: OrderedDict[str, tuple[SavedSession, float]] = OrderedDict()
        self._timers = namespace.server.adapter_timers
        self._armed = False

    def broadcast(
        self, packet: Packet, options: BroadcastOptions, ack: PendingAck | None = None
    ) -> AdapterEvents:
        """Number it, keep it, deliver it at once."""
        server = self.namespace.server
        if packet.id is not None or options.volatile:
            if packet.id is None and isinstance(packet.data[-1], str) and len(packet.data) > 1:
                packet.data.append(self._log.latest)
            return super().broadcast(packet, options, ack)
        offset = self._new_offset()
        packet.data.append(offset)
        outgoing = server.encode(packet, compress=options.compress)
        now = server.runtime.now()
        self._log.append(LoggedPacket(offset, outgoing, options, now))
        if not self._armed:
            self._arm(now)
        return (DeliveryReady(packet, outgoing, options),)

    @property
    def offset(self) -> str:
        """That of the latest event."""
        return self._log.latest

    def persist_session(self, session: SavedSession) -> None:
        """Keep it; beyond `max_sessions` the oldest gives way."""
        now = self.namespace.server.runtime.now()
        self._sessions.pop(session.pid, None)
        self._sessions[session.pid] = (session, now + self._config.max_disconnection_duration)
        if len(self._sessions) > self._config.max_sessions:
            self._sessions.popitem(last=False)
        if not self._armed:
            self._arm(now)

    def restore_session(self, restoring: Restoring, pid: str, offset: str | None) -> AdapterEvents:
        """At once."""
        session, deadline = self._sessions.pop(pid, (None, 0.0))
        if session is None or deadline < self.namespace.server.runtime.now():
            return (SessionRestored(restoring, None, ()),)
        packets = self._log.since(_beginning(session, offset))
        if packets is None:
            return (SessionRestored(restoring, None, ()),)
        rooms = session.rooms
        missed = [packet.outgoing for packet in packets if reaches(packet.options, rooms)]
        return (SessionRestored(restoring, session, missed),)

    def close(self) -> None:
        """Forget the sessions and the log."""
        self._sessions.clear()
        self._log.expire(float("inf"))
        self._timers.cancel(self)
        self._armed = False

    # Expiry.

    def handle_timeout(self, now: float) -> AdapterEvents:
        """Drop what is too old."""
        self._armed = False
        while self._sessions:
            pid = next(iter(self._sessions))
            if self._sessions[pid][1] > now:
                break
            del self._sessions[pid]
        self._log.expire(now - self._config.max_disconnection_duration)
        self._arm(now)
        return ()

    def _arm(self, now: float) -> None:
        duration = self._config.max_disconnection_duration
        instants: list[float] = []
        if self._sessions:
            instants.append(self._sessions[next(iter(self._sessions))][1])
        oldest = self._log.oldest
        if oldest is not None:
            instants.append(oldest + duration)
        if instants:
            self._armed = True
            self._timers.arm(self, max(min(instants), now + duration * _SLACK))


def adapter_factory(config: ServerConfig) -> AdapterFactory:
    """What makes the adapter of each namespace."""
    recovery = config.connection_state_recovery
    if config.adapter is not None:
        return config.adapter
    return InMemoryAdapter if recovery is None else partial(SessionAwareAdapter, config=recovery)


def _beginning(session: SavedSession, offset: str | None) -> str:
    """The offset to go on from.

    A client that received no event since it connected has none, or one of a session before this: for both that is the
    moment when it connected. The reference refuses the former, and sends the latter what it got already.
    """
    assert session.offset is not None  # it is one of ours
    if offset is None:
        return session.offset
    given, connected = order(offset), order(session.offset)
    if given is not None and connected is not None and given < connected:
        return session.offset
    return offset
