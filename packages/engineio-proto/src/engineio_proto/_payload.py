"""Engine.IO protocol 4: packets in a polling payload, and base64 as the reference reads it.

Source: the Engine.IO protocol 4, "Packet encoding" and "HTTP long-polling"; `engine.io-parser/lib/index.ts`.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import Final

from ._outgoing import RECORD_SEPARATOR, Outgoing

# Node's base64 decoder takes the url-safe alphabet too, skips every other character and stops at a `=`.
_URL_SAFE: Final = str.maketrans("-_", "+/")
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]+")


def decode_base64(text: str) -> bytes:
    """Decode as Node's `Buffer.from(text, "base64")` does: never fails."""
    body = _NOT_BASE64.sub("", text.partition("=")[0].translate(_URL_SAFE))
    if len(body) % 4 == 1:
        body = body[:-1]  # six bits are no byte
    return a2b_base64(body + "=" * (-len(body) % 4))


def encode_payload(buffer: list[Outgoing]) -> bytes:
    """Join packets with the record separator, as UTF-8; a lone surrogate becomes U+FFFD as in Node."""
    text = RECORD_SEPARATOR.join([outgoing.payload for outgoing in buffer])
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def split_payload(body: bytes) -> list[str]:
    """The packets of a POST body; Node decodes invalid UTF-8 to U+FFFD."""
    return body.decode("utf-8", "replace").split(RECORD_SEPARATOR)
