"""What a parser is: the shape that the default one has and that msgpack or a user's own one must have.

A server owns one encoder, shared by all its connections and adapters, and makes one decoder for each
connection. Nothing else is asked for; `is_packet_valid` is there for decoders that must check shapes.
(The reference's custom parser: `{Encoder, Decoder}` with `encode(packet)` and `add(chunk)`.)
"""

from __future__ import annotations

from typing import Protocol

from ._packet import Packet


class PacketEncoder(Protocol):
    """Packets to messages; one per server."""

    def encode(self, packet: Packet, /) -> tuple[str | bytes, ...]:
        """The messages of one packet, which travel in this order and are never parted.

        Raises EncodeError for a packet that has no form.
        """
        ...


class PacketDecoder(Protocol):
    """Messages to packets; one per connection."""

    def feed(self, chunk: str | bytes, /) -> Packet | None:
        """The packet that this message completes, or None. Raises DecodeError for what is not one."""
        ...

    def reset(self) -> None:
        """Drop what is incomplete."""
        ...
