"""The option `parser`: what encodes and decodes for one server, and what keeps a user's own parser in bounds.

Our parsers are trusted, and called directly. Any other is called through a thin shell that looks at what comes
back: whatever it returns is a packet of a valid shape, or `ParserFailed`. What it raises is the server's to catch,
since a JSON codec of the user's own, deep in the default parser, may raise as well. Either way one connection ends,
with a report, and no other notices.
Source: `packages/socket.io/lib/index.ts`, `parser`; `client.ts`, `new server._parser.Decoder()`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, cast

from socketio_parser import (
    DecodeError,
    Decoder,
    EncodeError,
    Encoder,
    MsgpackParser,
    Packet,
    PacketDecoder,
    PacketType,
    Parser,
    default_json,
    is_packet_valid,
)

from ._config import ServerConfig

Encode: TypeAlias = Callable[[Packet], tuple[str | bytes, ...]]


class ParserFailed(DecodeError):
    """The parser is at fault, not the client: it raised what is no `DecodeError`, or returned nonsense."""


def codec_of(config: ServerConfig, max_pending_bytes: int) -> tuple[Encode, Callable[[], PacketDecoder]]:
    """The server's one `encode`, and what makes the decoder of a connection."""
    parser = config.parser
    if parser is None:
        json = config.json if config.json is not None else default_json()
        encoder = Encoder(json=json, max_attachments=config.max_attachments)
        new_decoder = partial(
            Decoder, json=json, max_attachments=config.max_attachments, max_pending_bytes=max_pending_bytes
        )
        return encoder.encode, new_decoder
    if type(parser) is MsgpackParser:  # not a subclass: that is the user's own
        return parser.encoder().encode, parser.decoder
    return _checked_encode(parser), partial(CheckedDecoder, parser)


def _checked_encode(parser: Parser) -> Encode:
    encode = parser.encoder().encode

    def checked(packet: Packet) -> tuple[str | bytes, ...]:
        try:
            given: Any = encode(packet)
        except (EncodeError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            raise EncodeError(f"the parser's encode() raised {shown(error)}") from error
        messages: tuple[Any, ...] = tuple(given) if given.__class__ in (tuple, list) else ()
        if not messages or not all(isinstance(message, (str, bytes)) for message in messages):
            raise EncodeError(
                f"the parser's encode() must return str and bytes in a tuple, not {shown(given)}"
            )
        return messages

    return checked


def shown(value: object) -> str:
    """What it looks like, even where that is another thing that raises."""
    try:
        return f"{value!r:.200}"
    except Exception:
        return f"a {type(value).__qualname__}"


class CheckedDecoder:
    """A user's decoder, made when the first message comes, so that a factory that raises is caught with the rest."""

    __slots__ = ("_decoder", "_parser")

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._decoder: PacketDecoder | None = None

    def feed(self, chunk: str | bytes, /) -> Packet | None:
        """What the user's decoder returns, if it is None or a valid packet; else raises ParserFailed."""
        if self._decoder is None:
            self._decoder = self._parser.decoder()
        packet = cast(object, self._decoder.feed(chunk))
        if packet is None:
            return None
        if not isinstance(packet, Packet) or not is_packet_valid(packet):
            raise ParserFailed(f"the parser's feed() must return a valid Packet or None, not {shown(packet)}")
        packet.type = PacketType(packet.type)
        return packet

    def reset(self) -> None:
        """Pass it on."""
        if self._decoder is not None:
            self._decoder.reset()
