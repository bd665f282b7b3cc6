"""Messages of socket.io-msgpack-parser as what they say, for ids in them need names.

A trace has such a message decoded: in a payload `m` and the packet's JSON in place of `b` and base64. What JSON has no
form for is tagged: {"$bytes": base64}, {"$date": milliseconds}, {"$undefined": true}. Undefined and dates are
extensions of type 0, as notepack.io writes them. A member that a server sends as undefined is as good as none, and the
order of a packet's members is that of their names. How short a number or a text is written is what a parser's own
traces are about; here a message must have the shortest form.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from importlib import import_module
from typing import Any, cast

from ._trace import SEPARATOR

_msgpack: Any = import_module("msgpack")  # it has no types
_UNDEFINED: Any = _msgpack.ExtType(0, b"\0")


def packed(text: str) -> bytes:
    """The message of a packet's JSON."""
    return bytes(_msgpack.packb(json.loads(text, object_hook=_untagged)))


def unpacked(data: bytes) -> str | None:
    """The JSON of a message's packet; None when it is none, or not in its shortest form."""
    try:
        packet: Any = _msgpack.unpackb(data)
        if not isinstance(packet, dict) or _msgpack.packb(packet) != data:
            return None
        members = dict(sorted(_tagged(packet).items()))
        return json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    except (ValueError, TypeError, _msgpack.UnpackException):
        return None


def packed_payload(text: str) -> str:
    """A polling payload as it is sent."""
    return SEPARATOR.join(
        "b" + base64.b64encode(packed(packet[1:])).decode() if packet.startswith("m{") else packet
        for packet in text.split(SEPARATOR)
    )


def unpacked_payload(text: str) -> str:
    """A polling payload as a trace has it."""
    return SEPARATOR.join(map(_unpacked_packet, text.split(SEPARATOR)))


def _unpacked_packet(packet: str) -> str:
    if not packet.startswith("b"):
        return packet
    try:
        said = unpacked(base64.b64decode(packet[1:], validate=True))
    except ValueError:
        return packet
    return packet if said is None else "m" + said


def _tagged(value: Any) -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value).items()
        return {key: _tagged(item) for key, item in members if item != _UNDEFINED}
    if isinstance(value, list):
        return [_tagged(item) for item in cast("Iterable[Any]", value)]
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, _msgpack.ExtType):
        if value.code == 0 and len(value.data) == 8:
            return {"$date": int.from_bytes(value.data, "big", signed=True)}
        if value != _UNDEFINED:
            raise ValueError(f"an extension that means nothing: {value}")
        return {"$undefined": True}
    return value


def _untagged(value: dict[str, Any]) -> Any:
    match value:
        case {"$bytes": text}:
            return base64.b64decode(text)
        case {"$date": milliseconds}:
            return _msgpack.ExtType(0, milliseconds.to_bytes(8, "big", signed=True))
        case {"$undefined": True}:
            return _UNDEFINED
        case _:
            return value
