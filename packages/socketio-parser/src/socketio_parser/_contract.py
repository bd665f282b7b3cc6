"""What a parser is: the shape that msgpack has, and that a user's own one must have.

A server makes one encoder, shared by all its connections and adapters, and one decoder for each connection. In
the reference a parser is `{Encoder, Decoder}` with `encode(packet)`, `add(chunk)`, `destroy()` and an event
`decoded`; here `feed` returns the packet instead. `is_packet_valid` is there for decoders to check shapes with; a
server checks what it gets from a parser of the user's own in any case, and closes the connection at fault.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from ._packet import Packet


@runtime_checkable
class PacketEncoder(Protocol):
    """Packets to messages; one per server."""

    def encode(self, packet: Packet, /) -> tuple[str | bytes, ...]:
        """The messages of one packet, at least one, which travel in this order and are never parted.

        Raises EncodeError for a packet that has no form. Nothing is sent then.
        """
        ...


@runtime_checkable
class PacketDecoder(Protocol):
    """Messages to packets; one per connection."""

    def feed(self, chunk: str | bytes, /) -> Packet | None:
        """The packet that this message completes, or None. Raises DecodeError for what is not one."""
        ...

    def reset(self) -> None:
        """Drop what is incomplete: the connection is over."""
        ...


@runtime_checkable
class Parser(Protocol):
    """Makes encoders and decoders."""

    def encoder(self) -> PacketEncoder:
        """The encoder of a server."""
        ...

    def decoder(self) -> PacketDecoder:
        """The decoder of a new connection."""
        ...


def check_parser(parser: Any) -> Parser:
    """The parser, if it is one: one encoder and one decoder are made to see. Raises TypeError that says what lacks."""
    if not isinstance(parser, Parser):
        raise TypeError(f"parser must be an object with encoder() and decoder(), not {parser!r}")
    for name, wanted, methods in (
        ("encoder", PacketEncoder, "encode(packet)"),
        ("decoder", PacketDecoder, "feed(chunk) and reset()"),
    ):
        try:
            made = getattr(parser, name)()
        except Exception as error:
            hint = "; give an instance, not the class" if isinstance(parser, type) else ""
            raise TypeError(f"parser {parser!r}: {name}() failed: {error}{hint}") from error
        if not isinstance(made, wanted):
            raise TypeError(f"parser {parser!r}: {name}() must return an object with {methods}, not {made!r}")
    return parser
