"""The msgpack parser: each packet one binary message, a map, with bytes and dates in their places.

    {type, data, id, nsp}          what is absent has no key          (socket.io-msgpack-parser 3.0.2, index.js)

Clients use it with `io({ parser: require("socket.io-msgpack-parser") })`. There are no attachments, so a decoder
holds nothing between messages. The checks are those of the npm package under its messages, and besides those of
the default parser that it lacks: names that no event may have, ids that no peer can have given, depth.
"""

from __future__ import annotations

from typing import Any, Final, cast

from ._encoder import check_control, check_event, check_id, checked_depth
from ._errors import DecodeError, EncodeError
from ._msgpack_read import read
from ._msgpack_write import TooDeep, write
from ._narrow import is_dict, is_sequence
from ._packet import MAX_ID, Packet, PacketType, fits, kind_of
from ._plain import Refused, plain

_TYPES: Final = {int(kind): kind for kind in PacketType if kind <= PacketType.CONNECT_ERROR}


class MsgpackParser:
    """What the server's option `parser` takes.

    `max_depth`: arrays and maps inside one another, for both directions.
    """

    __slots__ = ("_max_depth",)

    def __init__(self, *, max_depth: int = 128) -> None:
        self._max_depth = checked_depth(max_depth)

    def encoder(self) -> MsgpackEncoder:
        """A new encoder."""
        return MsgpackEncoder(max_depth=self._max_depth)

    def decoder(self) -> MsgpackDecoder:
        """A new decoder."""
        return MsgpackDecoder(max_depth=self._max_depth)

    def __repr__(self) -> str:
        return f"MsgpackParser(max_depth={self._max_depth})"


class MsgpackEncoder:
    """Packets to messages.

    `max_depth`: arrays and maps inside one another.
    """

    __slots__ = ("_max_depth",)

    def __init__(self, *, max_depth: int = 128) -> None:
        self._max_depth = checked_depth(max_depth)

    def encode(self, packet: Packet, /) -> tuple[bytes]:
        """The one message of a packet. The packet and its data are left as they are.

        Raises EncodeError when the packet has no valid form, with the path of the value at fault.
        """
        kind = packet.type
        data: Any = packet.data
        namespace = cast(object, packet.namespace)
        # Any text: a client that asks for a namespace with an odd name gets its refusal under that name.
        if not isinstance(namespace, str):
            raise EncodeError(f"a namespace is a str, got {namespace!r}")
        number = packet.id
        if number is not None:
            check_id(number)
        if kind == PacketType.EVENT:
            check_event(data)
        elif kind == PacketType.ACK:
            if not is_sequence(data):
                raise EncodeError(f"an ACK's data is a list of arguments, got {kind_of(data)}")
        else:
            check_control(kind, data)
            if kind == PacketType.CONNECT_ERROR and data is None:
                raise EncodeError("a CONNECT_ERROR has data, got None")
        has_id, has_data = number is not None, data is not None
        out = bytearray((0x82 + has_id + has_data,))
        # The reference's order of keys, which differs for an ACK.
        if has_id and kind == PacketType.ACK:
            out += b"\xa2id"
            write(out, number, 0)
        out += b"\xa4type"
        out.append(kind)
        if has_data:
            out += b"\xa4data"
            try:
                write(out, data, self._max_depth)
            except TooDeep:
                plain(data, _as_none)  # says so where the data is circular
                raise EncodeError(f"data nested deeper than {self._max_depth}", "data") from None
            except Refused as refused:
                raise refused.error("data") from refused.__cause__
            except RecursionError:  # the caller was deep in its own stack
                raise EncodeError("too deeply nested", "data") from None
        if has_id and kind != PacketType.ACK:
            out += b"\xa2id"
            write(out, number, 0)
        out += b"\xa3nsp"
        write(out, namespace, 0)
        return (bytes(out),)


def _as_none(value: object) -> None:
    """For a walk that looks at nothing but containers."""


class MsgpackDecoder:
    """Messages to packets.

    `max_depth`: arrays and maps inside one another.
    """

    __slots__ = ("_max_depth",)

    def __init__(self, *, max_depth: int = 128) -> None:
        self._max_depth = checked_depth(max_depth)

    def feed(self, chunk: str | bytes, /) -> Packet:
        """The packet that this message is.

        Raises DecodeError for a peer's violation; TypeError when the chunk is neither text nor bytes.
        """
        if isinstance(chunk, str):
            raise DecodeError("Could not parse", 0, "a text message, where a packet is a binary one")
        if not isinstance(cast(object, chunk), (bytes, bytearray, memoryview)):
            raise TypeError(f"Unknown type: {chunk!r}")
        found = read(bytes(chunk), self._max_depth + 1)  # the packet itself is a map
        packet: dict[str, Any] = found if is_dict(found) else {}
        kind = _TYPES.get(_whole(packet.get("type")))
        if kind is None:
            raise DecodeError("invalid packet type")
        namespace = packet.get("nsp")
        if not isinstance(namespace, str):
            raise DecodeError("invalid namespace")
        data = packet.get("data")
        # Absent and nil are different here, as in the reference.
        if not fits(kind, data) if "data" in packet else kind not in _NEED_NO_DATA:
            raise DecodeError("invalid payload", 0, f"wrong shape for {kind.name}")
        number = None
        if "id" in packet:
            number = _whole(packet["id"])
            if not 0 <= number <= MAX_ID:
                raise DecodeError("invalid packet id")
        return Packet(kind, namespace, data, number)

    def reset(self) -> None:
        """There is never anything incomplete."""


_NEED_NO_DATA: Final = (PacketType.CONNECT, PacketType.DISCONNECT)


def _whole(value: Any) -> int:
    """An integer, as JavaScript sees it: 2.0 is one. -1, which nothing here allows, for what is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1:
        return int(value)
    return -1
