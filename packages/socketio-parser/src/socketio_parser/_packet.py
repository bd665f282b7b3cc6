"""The packet: what travels between two Socket.IO peers, before it is text and after.

A `Packet` is a plain mutable object without checks, because one is built for every message: it is the
encoder that refuses what cannot be sent and the decoder that refuses what must not be received.
`is_packet_valid` is the same rule for those who write a parser of their own.
"""

from __future__ import annotations

from enum import IntEnum
from math import isfinite
from typing import Any, Final, cast, final

from ._narrow import is_dict, is_list

MAX_ID: Final = 2**53 - 1
"""The largest ack id: the last integer that a JavaScript peer holds exactly (`Number.MAX_SAFE_INTEGER`)."""

RESERVED_EVENTS: Final = frozenset(
    ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
)
"""Names that no event may have, in either direction (socket.io-parser 4.2.7, `RESERVED_EVENTS`)."""


class PacketType(IntEnum):
    """The digit a packet starts with. The two binary types exist on the wire only."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


@final
class Packet:
    """One packet of one namespace.

    `type`: a `PacketType`, or its number. A decoded packet never has a binary type.
    `namespace`: starts with a slash.
    `data`: a list for EVENT (its first item is the event's name) and ACK (the arguments); a dict or None
    for CONNECT; None for DISCONNECT; a str or a dict for CONNECT_ERROR (to a peer of protocol 4 any
    value); None where the peer sent none.
    `id`: the acknowledgement asked for (EVENT) or given (ACK).
    """

    __slots__ = ("data", "id", "namespace", "type")
    __hash__ = None  # type: ignore[assignment]  # mutable

    def __init__(self, type: int, namespace: str = "/", data: Any = None, id: int | None = None) -> None:
        self.type = type
        self.namespace = namespace
        self.data = data
        self.id = id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Packet):
            return NotImplemented
        return (
            self.type == other.type
            and self.namespace == other.namespace
            and self.id == other.id
            and bool(self.data == other.data)
        )

    def __repr__(self) -> str:
        known = isinstance(cast(object, self.type), int) and self.type in _NUMBERS
        kind = PacketType(self.type).name if known else repr(self.type)
        return f"Packet({kind}, {self.namespace!r}, {self.data!r}, id={self.id!r})"


# Looking a member up on an enum costs more than what is compared with it.
_CONNECT: Final = PacketType.CONNECT
_EVENT: Final = PacketType.EVENT
_ACK: Final = PacketType.ACK
_CONNECT_ERROR: Final = PacketType.CONNECT_ERROR
_NUMBERS: Final = frozenset(int(kind) for kind in PacketType)


def is_event_name(value: object) -> bool:
    """Whether this may be an event's name: a number, or a string that is not reserved."""
    if isinstance(value, str):
        return value not in RESERVED_EVENTS
    if isinstance(value, float):
        return isfinite(value)  # NaN would be written as null
    return isinstance(value, int) and not isinstance(value, bool)


def is_event(data: Any) -> bool:
    """Whether this may be an EVENT's data: a list that starts with an event's name."""
    return is_list(data) and len(data) > 0 and is_event_name(data[0])


def fits(kind: PacketType, data: Any) -> bool:
    """Whether data that was sent has the shape of its type. What was not sent is never asked."""
    if kind is _EVENT:
        return is_event(data)
    if kind is _ACK:
        return is_list(data)
    if kind is _CONNECT:
        return is_dict(data)
    return kind is _CONNECT_ERROR and (isinstance(data, str) or is_dict(data))


def is_packet_valid(packet: Packet) -> bool:
    """Whether the packet has the shape its type asks for; for parsers other than the default one.

    The reference's `isPacketValid`: binary types are not valid, an EVENT or ACK must have its list.
    """
    if not isinstance(cast(object, packet.namespace), str):
        return False
    number = cast(object, packet.id)
    if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
        return False
    data = packet.data
    match packet.type:
        case PacketType.CONNECT:
            return data is None or is_dict(data)
        case PacketType.DISCONNECT:
            return data is None
        case PacketType.EVENT:
            return is_event(data)
        case PacketType.ACK:
            return is_list(data)
        case PacketType.CONNECT_ERROR:
            return isinstance(data, str) or is_dict(data)
        case _:
            return False


def kind_of(value: object) -> str:
    """The type's name, for messages."""
    return type(value).__qualname__
