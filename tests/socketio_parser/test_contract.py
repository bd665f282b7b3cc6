from __future__ import annotations

import json

from socketio_parser import Decoder, Encoder, Packet, PacketDecoder, PacketEncoder


class OneText:
    """A parser of the user's own: every packet is one JSON text."""

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


def test_the_default_parser_and_another_fit_the_same_place() -> None:
    packet = Packet(2, "/a", ["x", {"y": 1}], 3)
    assert through(Encoder(), Decoder(), packet) == packet
    assert through(OneText(), OneText(), packet) == packet
