"""Packets to messages: one text, then the attachments.

    type [attachments "-"] [namespace ","] [id] [json]          (reference: socket.io-protocol 5)

One encoder serves a whole server: nothing of a packet is left in the next. EVENT and ACK with bytes anywhere
in their data become BINARY_EVENT and BINARY_ACK: each binary value is replaced by a placeholder
`{"_placeholder":true,"num":0}`, numbered in the order in which it is met, and travels as a message of its
own behind the text. There is no search for bytes: the JSON writer calls `_attach` when it meets a value
that it does not know.

The encoder refuses what a peer would refuse (and close the connection for), since that is always the
caller's mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, cast

from ._depth import is_deeper
from ._errors import EncodeError
from ._json import JsonCodec, OrjsonJson, StdlibJson, default_json, write_plain
from ._narrow import is_binary, is_dict, is_sequence
from ._packet import MAX_ID, RESERVED_EVENTS, Packet, PacketType, is_event_name, kind_of
from ._plain import Convert, convert, plain

_EVENT: Final = int(PacketType.EVENT)
_ACK: Final = int(PacketType.ACK)

# In a string the quotes would be escaped, so only an object's own key is found.
_PLACEHOLDER: Final = re.compile(r'[{,]\s*"_placeholder"\s*:\s*true')


class Encoder:
    """The default parser's encoder.

    `json`: how data is written; `default_json()` when None.
    `max_attachments`: binary values in one packet, None for any number. JavaScript peers close the
    connection when they get more than 10.
    `max_depth`: arrays and objects inside one another.
    """

    __slots__ = ("_attachments", "_json", "_max_attachments", "_max_depth", "_quick", "_write")

    def __init__(
        self, *, json: JsonCodec | None = None, max_attachments: int | None = 10, max_depth: int = 128
    ) -> None:
        codec = checked_json(json)
        self._json = codec
        self._quick: Callable[[Any, Convert], str | None] = _never
        self._write: Callable[[Any], str] = codec.dumps
        if type(codec) is OrjsonJson or type(codec) is StdlibJson:  # not a subclass: it may write otherwise
            self._quick = codec.quick
            self._write = write_plain
        self._max_attachments = checked_bound("max_attachments", max_attachments, 0)
        self._max_depth = checked_depth(max_depth)
        self._attachments: list[bytes] = []

    def encode(self, packet: Packet) -> tuple[str | bytes, ...]:
        """The messages of one packet, in order. The packet and its data are left as they are.

        Raises EncodeError when the packet has no valid form, with the path of the value at fault.
        """
        kind = packet.type
        data: Any = packet.data
        if kind == _EVENT:
            # The commonest case in as few steps as there are; check_event says what is wrong.
            if (
                data.__class__ is not list
                or not data
                or data[0].__class__ is not str
                or data[0] in RESERVED_EVENTS
            ):
                check_event(data)
        elif kind == _ACK:
            if data.__class__ is not list and not is_sequence(data):
                raise EncodeError(f"an ACK's data is a list of arguments, got {kind_of(data)}")
        else:
            return (self._encode_control(packet),)
        if self._attachments:  # of a packet that was refused
            self._attachments = []
        text = self._quick(data, self._attach)
        if text is None:
            text = self._write_slowly(data)
        if self._attachments:
            return self._encode_binary(packet, text)
        if len(text) > self._max_depth and is_deeper(text, self._max_depth):
            raise EncodeError(f"data nested deeper than {self._max_depth}", "data")
        head = "2" if kind == _EVENT else "3"
        if packet.id is None and packet.namespace == "/":
            return (head + text,)
        return (head + _address(packet) + text,)

    def _write_slowly(self, data: Any) -> str:
        """For a codec of the user's own, and for what orjson refuses."""
        self._attachments = []  # the first attempt may have met some
        return self._dumps(plain(data, self._attach))

    def _encode_binary(self, packet: Packet, text: str) -> tuple[str | bytes, ...]:
        attachments = self._attachments
        self._attachments = []
        count = len(attachments)
        if self._max_attachments is not None and count > self._max_attachments:
            raise EncodeError(f"{count} binary values in a packet: at most {self._max_attachments} may be")
        # The peer would put an attachment where the caller has a dict, or close the connection: a way to
        # disconnect others through a server that passes on what it got (the reference is open to it).
        if len(_PLACEHOLDER.findall(text)) != count:
            raise EncodeError("a dict with '_placeholder': True cannot travel with binary data", "data")
        if is_deeper(text, self._max_depth):
            raise EncodeError(f"data nested deeper than {self._max_depth}", "data")
        head = "5" if packet.type == _EVENT else "6"
        return (f"{head}{count}-{_address(packet)}{text}", *attachments)

    def _dumps(self, value: Any) -> str:
        try:
            return self._write(value)
        except EncodeError:
            raise
        except Exception as error:  # a codec of the user's own raises what it likes
            raise EncodeError(f"{type(self._json).__qualname__}.dumps failed: {error}", "data") from error

    def _attach(self, value: Any) -> Any:
        if is_binary(value):
            attachments = self._attachments
            placeholder = {"_placeholder": True, "num": len(attachments)}
            attachments.append(bytes(value))  # of bytes: itself
            return placeholder
        return convert(value)

    def _encode_control(self, packet: Packet) -> str:
        """CONNECT, DISCONNECT, CONNECT_ERROR: never binary; bytes become what a Node.js Buffer becomes."""
        kind = packet.type
        data = packet.data
        check_control(kind, data)
        text = "" if data is None else self._dumps(plain(data, _buffer))
        if is_deeper(text, self._max_depth):
            raise EncodeError(f"data nested deeper than {self._max_depth}", "data")
        return f"{kind:d}{_address(packet)}{text}"


def _never(value: Any, default: Convert) -> None:
    """The `quick` of a codec that has none."""


def check_control(kind: int, data: Any) -> None:
    """Refuse data that does not fit a packet that is neither EVENT nor ACK, and any other type."""
    if kind == PacketType.CONNECT:
        fits, wanted = data is None or is_dict(data), "a dict or None"
    elif kind == PacketType.DISCONNECT:
        fits, wanted = data is None, "None"
    elif kind == PacketType.CONNECT_ERROR:
        return  # of protocol 4 it carries any value, so that is the caller's to know
    else:
        raise EncodeError(
            f"type {kind!r}: allowed are CONNECT, DISCONNECT, EVENT, ACK and CONNECT_ERROR"
            " (the encoder chooses the binary types itself)"
        )
    if not fits:
        raise EncodeError(f"a {PacketType(kind).name}'s data is {wanted}, got {kind_of(data)}")


def check_event(data: Any) -> None:
    """Refuse what is not an event's data."""
    if not is_sequence(data):
        raise EncodeError(f"an EVENT's data is a list, got {kind_of(data)}")
    if not data or not is_event_name(data[0]):
        got = repr(data[0]) if data else "nothing"
        raise EncodeError(f"an EVENT starts with its name, a str that is not reserved or a number, got {got}")


def _buffer(value: Any) -> Any:
    if is_binary(value):
        return {"type": "Buffer", "data": list(bytes(value))}
    return convert(value)


def _address(packet: Packet) -> str:
    """The namespace, unless it is the main one, and the id."""
    namespace = packet.namespace
    if namespace == "/":
        address = ""
    else:
        if not isinstance(cast(object, namespace), str) or namespace[:1] != "/" or "," in namespace:
            raise EncodeError(f"a namespace starts with '/' and has no comma, got {namespace!r}")
        address = namespace + ","
    number = packet.id
    if number is None:
        return address
    if number.__class__ is not int or not 0 <= number <= MAX_ID:
        check_id(number)
    return f"{address}{number:d}"


def check_id(number: int) -> None:
    """Refuse an id that peers refuse."""
    if not isinstance(cast(object, number), int) or isinstance(number, bool) or not 0 <= number <= MAX_ID:
        raise EncodeError(f"an id is an int from 0 to {MAX_ID}, got {number!r}")


def checked_json(json: JsonCodec | None) -> JsonCodec:
    """The codec to use. Raises TypeError when it lacks a method."""
    if json is None:
        return default_json()
    if not isinstance(cast(object, json), JsonCodec):
        raise TypeError(f"json must have dumps(value) and loads(text), got {json!r}")
    return json


def checked_depth(value: int) -> int:
    """`max_depth`, if it can be one. Raises TypeError or ValueError."""
    checked = checked_bound("max_depth", value, 1)
    if checked is None:
        raise TypeError("max_depth must be an int, got None")
    return checked


def checked_bound(name: str, value: int | None, least: int) -> int | None:
    """The bound, if it is one. Raises TypeError or ValueError that names it."""
    if value is not None and (not isinstance(cast(object, value), int) or isinstance(value, bool)):
        raise TypeError(f"{name} must be an int or None, got {value!r}")
    if value is not None and value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return value
