"""What a poll's answer and a POST carry: the contract of a payload's form, and that of Engine.IO protocol 4.

A form is chosen at the handshake and kept: it depends on the protocol, on `b64` and on JSONP. Decoding gives
packets as a session takes them: text with its type digit first, a binary message as bytes, and "" for what is no
packet, which ends the session.
Source: the Engine.IO protocol 4, "Packet encoding" and "HTTP long-polling"; `engine.io-parser/lib/index.ts`.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from ._outgoing import RECORD_SEPARATOR, Outgoing

# Node's base64 decoder takes the url-safe alphabet too, skips every other character and stops at a `=`.
_URL_SAFE: Final = str.maketrans("-_", "+/")
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]+")

TEXT: Final = ("Content-Type", "text/plain; charset=UTF-8")
BINARY: Final = ("Content-Type", "application/octet-stream")


class Body(NamedTuple):
    """The body of a poll's answer."""

    data: bytes
    content_type: tuple[str, str] = TEXT


class PayloadForm(Protocol):
    """How packets stand in the bodies of one session."""

    @property
    def takes_binary(self) -> bool:
        """Whether a POST may be `application/octet-stream`."""
        ...

    def encode(self, buffer: Sequence[Outgoing]) -> Body:
        """The packets of a poll's answer."""
        ...

    def decode(self, body: bytes, *, binary: bool) -> list[str | bytes]:
        """The packets of a POST; `binary` says that it is `application/octet-stream`. Never raises."""
        ...


class Payload4:
    """Engine.IO protocol 4: text packets with a separator between them, binary as base64."""

    __slots__ = ()
    takes_binary = False

    def encode(self, buffer: Sequence[Outgoing]) -> Body:
        """The packets of a poll's answer."""
        return Body(utf8(RECORD_SEPARATOR.join([outgoing.payload for outgoing in buffer])))

    def decode(self, body: bytes, *, binary: bool) -> list[str | bytes]:
        """The packets of a POST; Node decodes invalid UTF-8 to U+FFFD."""
        return [*body.decode("utf-8", "replace").split(RECORD_SEPARATOR)]


PAYLOAD_4: Final = Payload4()


def decode_base64(text: str) -> bytes:
    """Decode as Node's `Buffer.from(text, "base64")` does: never fails."""
    body = _NOT_BASE64.sub("", text.partition("=")[0].translate(_URL_SAFE))
    if len(body) % 4 == 1:
        body = body[:-1]  # six bits are no byte
    return a2b_base64(body + "=" * (-len(body) % 4))


def utf8(text: str) -> bytes:
    """As UTF-8; a lone surrogate becomes U+FFFD as in Node."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
