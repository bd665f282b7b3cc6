from __future__ import annotations

import json
from typing import Any

import pytest
from socketio_parser import (
    Decoder,
    Encoder,
    MsgpackParser,
    Packet,
    PacketDecoder,
    PacketEncoder,
    Parser,
    check_parser,
)


class OneText:
    """A parser of the user's own: every packet is one JSON text."""

    def encoder(self) -> OneText:
        return self

    def decoder(self) -> OneText:
        return self

    def encode(self, packet: Packet) -> tuple[str | bytes, ...]:
        return (json.dumps([packet.type, packet.namespace, packet.data, packet.id]),)

    def feed(self, chunk: str | bytes) -> Packet | None:
        return Packet(*json.loads(chunk))

    def reset(self) -> None: ...


def through(encoder: PacketEncoder, decoder: PacketDecoder, packet: Packet) -> Packet | None:
    decoded = None
    for message in encoder.encode(packet):
        decoded = decoder.feed(message)
    decoder.reset()
    return decoded


def test_the_default_parser_and_others_fit_the_same_place() -> None:
    packet = Packet(2, "/a", ["x", {"y": 1}], 3)
    assert through(Encoder(), Decoder(), packet) == packet
    for parser in (MsgpackParser(), OneText()):
        assert through(parser.encoder(), parser.decoder(), packet) == packet


def test_parsers_are_parsers() -> None:
    for parser in (MsgpackParser(), OneText()):
        typed: Parser = parser
        assert check_parser(typed) is parser


class Broken:
    def __init__(self, encoder: Any, decoder: Any) -> None:
        self.encoder = encoder
        self.decoder = decoder

    def __repr__(self) -> str:
        return "Broken()"


def fails() -> Any:
    raise OSError("no such table")


@pytest.mark.parametrize(
    ("parser", "message"),
    [
        ("msgpack", "parser must be an object with encoder() and decoder(), not 'msgpack'"),
        (None, "parser must be an object with encoder() and decoder(), not None"),
        (Encoder(), "parser must be an object with encoder() and decoder(), not "),
        (MsgpackParser, "encoder() failed: "),
        (MsgpackParser, "; give an instance, not the class"),
        (Broken(fails, Decoder), "parser Broken(): encoder() failed: no such table"),
        (Broken(Encoder, fails), "parser Broken(): decoder() failed: no such table"),
        (
            Broken(dict, Decoder),
            "parser Broken(): encoder() must return an object with encode(packet), not {}",
        ),
        (
            Broken(Encoder, list),
            "parser Broken(): decoder() must return an object with feed(chunk) and reset(), not []",
        ),
        (Broken(5, Decoder), "parser Broken(): encoder() failed: 'int' object is not callable"),
    ],
)
def test_what_lacks_is_said(parser: Any, message: str) -> None:
    with pytest.raises(TypeError) as raised:
        check_parser(parser)
    assert message in str(raised.value)
