"""Engine.IO protocol 3: payloads in two forms, and binary packets in three.

    text     6:4hello10:b4AQIDBA==          <length>:<packet>, the length in UTF-16 code units, binary as base64
    binary   00 06 ff "4hello"              <0 text, 1 binary> <decimal digits, one a byte> ff <packet>
             01 05 ff 04 01 02 03 04        a binary packet begins with its type, a byte that counts

A poll is answered in the binary form if there is something binary in it and the client did not ask for base64
(`b64`). A POST may come in either. Over a WebSocket a binary packet has the type byte as well, or is base64 text.

The text form is read strictly; the binary one as leniently as the reference does: a short body is taken as it is,
any first byte but 0 means binary. Both take time linear in the body.
Source: `packages/engine.io/lib/parser-v3/index.ts`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from ._outgoing import Outgoing
from ._payload import BINARY, Body, decode_base64, utf8

# More digits than any number of JavaScript has: where the reference stops as well, in the binary form.
_MOST_DIGITS: Final = 310
_LENGTH: Final = re.compile(rb"([0-9]{1,%d}):" % _MOST_DIGITS)
_LENGTH_UTF_16: Final = re.compile(rb"((?:[0-9]\0){1,%d}):\0" % _MOST_DIGITS)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Payload3:
    """Bodies of one session.

    Args:
        base64: the client takes text only.
    """

    __slots__ = ("_base64",)
    takes_binary = True

    def __init__(self, *, base64: bool) -> None:
        self._base64 = base64

    def encode(self, buffer: Sequence[Outgoing]) -> Body:
        """The packets of a poll's answer."""
        if self._base64 or not any(outgoing.has_bytes for outgoing in buffer):
            return Body(utf8("".join([outgoing.form(_text_payload) for outgoing in buffer])))
        return Body(b"".join([outgoing.form(_binary_payload) for outgoing in buffer]), BINARY)

    def decode(self, body: bytes, *, binary: bool) -> list[str | bytes]:
        """The packets of a POST."""
        return _decode_binary(body) if binary else _decode_text(body)


BINARY_PAYLOAD_3: Final = Payload3(base64=False)
BASE64_PAYLOAD_3: Final = Payload3(base64=True)


# What goes over a WebSocket, where text packets are the same in every form.


def binary_frames_3(outgoing: Outgoing) -> Outgoing:
    """With a type byte before binary messages."""
    return outgoing.form(_with_type_byte) if outgoing.has_bytes else outgoing


def base64_frames_3(outgoing: Outgoing) -> Outgoing:
    """With binary messages as text."""
    return outgoing.form(_with_base64) if outgoing.has_bytes else outgoing


def base64_frames_4(outgoing: Outgoing) -> Outgoing:
    """The same in protocol 4, where `b64` means something over a WebSocket only."""
    return outgoing.form(_with_base64_4) if outgoing.has_bytes else outgoing


def packet_of_bytes(data: bytes) -> str | bytes | None:
    """A binary packet as a session takes it: a message, or a type without data; None is ignored."""
    kind = data[0] if data else 255
    if kind == 4:
        return data[1:]
    return str(kind) if kind <= 6 else None


def packet_of_base64(text: str) -> str | bytes | None:
    """The same for what stands behind the `b` of a text packet."""
    kind = text[:1]
    if kind == "4":
        return decode_base64(text[1:])
    return kind if kind and kind in "012356" else None


# Encoding; each of these is called once per Outgoing, which keeps what they make.


def _with_type_byte(outgoing: Outgoing) -> Outgoing:
    return Outgoing(
        tuple([p if isinstance(p, str) else b"\4" + p for p in outgoing.packets]), outgoing.compress
    )


def _with_base64(outgoing: Outgoing) -> Outgoing:
    return _as_text(outgoing, "b4")


def _with_base64_4(outgoing: Outgoing) -> Outgoing:
    return _as_text(outgoing, "b")


def _as_text(outgoing: Outgoing, prefix: str) -> Outgoing:
    packets = [p if isinstance(p, str) else prefix + b64encode(p).decode("ascii") for p in outgoing.packets]
    return Outgoing(tuple(packets), outgoing.compress)


def _text_payload(outgoing: Outgoing) -> str:
    return "".join([f"{_code_units(p)}:{p}" for p in base64_frames_3(outgoing).packets if isinstance(p, str)])


def _code_units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) >> 1


def _binary_payload(outgoing: Outgoing) -> bytes:
    parts: list[bytes] = []
    for packet in binary_frames_3(outgoing).packets:
        data = utf8(packet) if isinstance(packet, str) else packet
        digits = bytes([int(digit) for digit in str(len(data))])
        parts += (b"\0" if isinstance(packet, str) else b"\1", digits, b"\xff", data)
    return b"".join(parts)


# Decoding.


def _decode_text(body: bytes) -> list[str | bytes]:
    if not body:
        return [""]
    packets: list[str | bytes] = []
    # JavaScript counts code units, which are bytes as long as all is ASCII.
    length, width, codec = _LENGTH, 1, "utf-8"
    if not body.isascii():
        body = body.decode("utf-8", "replace").encode("utf-16-le")
        length, width, codec = _LENGTH_UTF_16, 2, "utf-16-le"
    pos = 0
    while pos < len(body):
        match = length.match(body, pos)
        if match is None:
            return [*packets, ""]
        start = match.end()
        pos = start + int(match[1].replace(b"\0", b"")) * width
        if pos > len(body):
            return [*packets, ""]
        if start < pos:
            _append_text(packets, body[start:pos].decode(codec, "surrogatepass"))
    return packets


def _append_text(packets: list[str | bytes], text: str) -> None:
    packet = packet_of_base64(text[1:]) if text[:1] == "b" else text
    if packet is not None:
        packets.append(packet)


def _decode_binary(body: bytes) -> list[str | bytes]:
    packets: list[str | bytes] = []
    pos = 0
    while pos < len(body):
        if body[pos] and body[pos + 1 : pos + 2] == b"\xff":
            pos += 1  # no length, no packet: what follows from the rules below, but a body of these takes its time
            continue
        stop = body.find(b"\xff", pos + 1, pos + _MOST_DIGITS + 3)
        digits = "".join([str(value) for value in body[pos + 1 : stop]])
        if stop < 0 or len(digits) > _MOST_DIGITS + len(str(body[stop - 1])):
            return [""]  # found before any packet is delivered
        # As the reference: the length is as long as its digits, even if a byte above 9 made two of them.
        start = pos + len(digits) + 2
        end = start + int(digits) if digits else start - 1
        data = body[start:end]
        if body[pos] != 0:
            packet = packet_of_bytes(data)
            if packet is not None:
                packets.append(packet)
        elif data[:1] == b"b":
            _append_text(packets, data.decode("latin-1"))
        else:
            packets.append(_text_of_bytes(data))
        pos = end
    return packets


def _text_of_bytes(data: bytes) -> str:
    """UTF-8 as `utf8.js` reads it: a surrogate becomes U+FFFD, whatever else is invalid no packet at all."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    try:
        return _SURROGATE.sub("\ufffd", data.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        return ""
