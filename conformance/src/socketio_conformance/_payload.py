"""The packets in the body of a poll's answer, so that what shares a payload can be free.

Engine.IO 4 puts a separator between packets. Engine.IO 3 puts a length before each: in a text payload of UTF-16
code units, in a binary payload of bytes, as digits that end with 0xff (protocol 3, "Encoding"). JSONP wraps either
in a call. A body that is none of these is one packet, as it is: it must then be equal as a whole.
"""

from __future__ import annotations

import json
import re

from ._trace import SEPARATOR, Request

_CALL = re.compile(r'(___eio\[\d*\])\(("(?:[^"\\]|\\.)*")\);', re.DOTALL)


def packets_of(request: Request, body: str | bytes) -> tuple[str, list[str]]:
    """What calls a JSONP answer ("" without), and the packets; one of a binary payload that is bytes as `<hex>`."""
    call = ""
    if isinstance(body, str) and (match := _CALL.fullmatch(body)) is not None:
        call, body = match[1], json.loads(match[2])
        assert isinstance(body, str)
    if request.query.get("EIO") == "4":
        return call, body.split(SEPARATOR) if isinstance(body, str) else [f"<{body.hex()}>"]
    # A binary payload can happen to be text.
    if isinstance(body, bytes) or body[:1] in ("\x00", "\x01"):
        return call, _binary_payload(body if isinstance(body, bytes) else body.encode())
    return call, _text_payload(body)


def _text_payload(body: str) -> list[str]:
    units = body.encode("utf-16-le", "surrogatepass")
    packets: list[str] = []
    at = 0
    while at < len(units):
        head = re.match(r"(\d+):", units[at : at + 40].decode("utf-16-le", "replace"))
        if head is None:
            return [*packets, units[at:].decode("utf-16-le", "surrogatepass")]
        start = at + 2 * head.end()
        at = start + 2 * int(head[1])
        packets.append(units[start:at].decode("utf-16-le", "surrogatepass"))
    return packets


def _binary_payload(body: bytes) -> list[str]:
    packets: list[str] = []
    at = 0
    while at < len(body):
        end = body.find(b"\xff", at)
        digits = body[at + 1 : end]
        if end < 0 or not digits or max(digits) > 9:
            return [*packets, f"<{body[at:].hex()}>"]
        length = int("".join(map(str, digits)))
        data = body[end + 1 : end + 1 + length]
        packets.append(data.decode("utf-8", "replace") if body[at] == 0 else f"<{data.hex()}>")
        at = end + 1 + length
    return packets
