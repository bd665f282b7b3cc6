"""Socket.IO packets to messages and back: the default parser of protocol 5, msgpack, and the contract of others."""

from ._contract import PacketDecoder, PacketEncoder, Parser, check_parser
from ._decoder import Decoder
from ._encoder import Encoder
from ._errors import DecodeError, EncodeError, LocalProtocolError, RemoteProtocolError
from ._json import JsonCodec, OrjsonJson, StdlibJson, default_json
from ._msgpack import MsgpackDecoder, MsgpackEncoder, MsgpackParser
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
    "MsgpackDecoder",
    "MsgpackEncoder",
    "MsgpackParser",
    "OrjsonJson",
    "Packet",
    "PacketDecoder",
    "PacketEncoder",
    "PacketType",
    "Parser",
    "RemoteProtocolError",
    "StdlibJson",
    "check_parser",
    "default_json",
    "is_packet_valid",
]
