"""Socket.IO packets to messages and back: the default parser of protocol 5."""

from ._contract import PacketDecoder, PacketEncoder
from ._decoder import Decoder
from ._encoder import Encoder
from ._errors import DecodeError, EncodeError, LocalProtocolError, RemoteProtocolError
from ._json import JsonCodec, OrjsonJson, StdlibJson, default_json
from ._packet import MAX_ID, RESERVED_EVENTS, Packet, PacketType, is_packet_valid

__all__ = [
    "MAX_ID",
    "RESERVED_EVENTS",
    "DecodeError",
    "Decoder",
    "EncodeError",
    "Encoder",
    "JsonCodec",
    "LocalProtocolError",
    "OrjsonJson",
    "Packet",
    "PacketDecoder",
    "PacketEncoder",
    "PacketType",
    "RemoteProtocolError",
    "StdlibJson",
    "default_json",
    "is_packet_valid",
]
