"""What was said in a namespace lately: the events that a client which lost its connection may have missed.

An entry is the very `Outgoing` that was sent, so keeping it costs no copy, and sending it again no encoding. Entries
have consecutive serials, and a table finds the serial of an offset. The log is bounded by entries, bytes and age; what
falls out is told by its offset being unknown, but for the last one that fell out (the *floor*): after it nothing is
missing. So in a namespace that is silent for long, the offset that all its clients hold stays good.
Source: `packages/socket.io-adapter/lib/in-memory-adapter.ts`, `SessionAwareAdapter`.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from engineio_proto import Outgoing

    from ._adapter import BroadcastOptions


@final
@dataclass(slots=True)
class LoggedPacket:
    """One event. Not frozen: one per emit."""

    offset: str
    """What its last argument is."""
    outgoing: Outgoing
    """As it was sent."""
    options: BroadcastOptions
    """To whom."""
    emitted: float
    """Monotonic seconds."""


def reaches(options: BroadcastOptions, rooms: AbstractSet[str]) -> bool:
    """Whether a broadcast is for a socket in these rooms. Source: `shouldIncludePacket`."""
    return not (options.rooms and options.rooms.isdisjoint(rooms)) and options.except_.isdisjoint(rooms)


class PacketLog:
    """The latest events of one namespace, in order.

    Args:
        floor: an offset before the first of them.
        max_packets, max_bytes: what it may hold.

    Attributes:
        latest: the offset of the latest event, whether it is still here or not.
        bytes: what its messages have, as they are encoded.
    """

    __slots__ = (
        "_first",
        "_floor",
        "_max_bytes",
        "_max_packets",
        "_next",
        "_packets",
        "_serials",
        "bytes",
        "latest",
    )

    def __init__(self, floor: str, max_packets: int, max_bytes: int) -> None:
        self._max_packets = max_packets
        self._max_bytes = max_bytes
        self._floor = self.latest = floor
        self._serials = {floor: 0}
        self._packets: dict[int, LoggedPacket] = {}
        self._first = self._next = 1
        self.bytes = 0

    def append(self, packet: LoggedPacket) -> None:
        """Keep an event; the oldest ones give way."""
        self._packets[self._next] = packet
        self._serials[packet.offset] = self._next
        self._next += 1
        self.latest = packet.offset
        self.bytes += packet.outgoing.size
        while self.bytes > self._max_bytes or len(self._packets) > self._max_packets:
            self._drop_first()

    def expire(self, until: float) -> None:
        """Drop what was emitted at or before that instant."""
        while (oldest := self.oldest) is not None and oldest <= until:
            self._drop_first()

    def since(self, offset: str) -> list[LoggedPacket] | None:
        """The events after that offset; None when they are not all here."""
        serial = self._serials.get(offset)
        if serial is None:
            return None
        return [self._packets[later] for later in range(serial + 1, self._next)]

    @property
    def oldest(self) -> float | None:
        """When the first one was emitted, or None."""
        return self._packets[self._first].emitted if self._packets else None

    def __len__(self) -> int:
        return len(self._packets)

    def _drop_first(self) -> None:
        packet = self._packets.pop(self._first)
        self._first += 1
        self.bytes -= packet.outgoing.size
        del self._serials[self._floor]
        self._floor = packet.offset
