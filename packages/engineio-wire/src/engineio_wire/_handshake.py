"""The HTTP side of a WebSocket: the checks of the upgrade request, the 101, and the refusals.

Sources: ws 8.21 `lib/websocket-server.js` (`handleUpgrade`, `abortHandshake`) and `lib/subprotocol.js`; engine.io
`server.ts` (`abortUpgrade`). The reference asks its own `verify` first and ws second. Here a malformed
handshake is refused before the engine hears of it, because the engine opens a session when it accepts; a client
sees a difference only in the text of a request that is wrong in both ways.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha1
from typing import Final

from engineio_proto import Request, Response

from ._response import REASONS, safe_headers

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
# 16 bytes in base64 (RFC 6455 4.1, item 7).
_KEY: Final = re.compile(r"[+/0-9A-Za-z]{22}==")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class HandshakeRefused(Exception):
    """An upgrade request that is no WebSocket handshake; `answer` is the whole HTTP answer."""

    def __init__(self, status: int, text: str, *lines: str) -> None:
        super().__init__(text)
        # Header order and spelling of ws's abortHandshake.
        self.answer = _answer(
            status,
            ["Connection: close", "Content-Type: text/html", f"Content-Length: {len(text)}", *lines],
            text,
        )


def _answer(status: int, lines: list[str], body: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status} {REASONS.get(status, '')}", *lines])
    return (head + "\r\n\r\n" + body).encode("latin-1")


def check_handshake(request: Request) -> list[str]:
    """The lines of the 101 answer that depend on the request.

    Raises:
        HandshakeRefused: with the reference's status and text.
    """
    headers = request.headers
    if request.method != "GET":
        raise HandshakeRefused(405, "Invalid HTTP method")
    if headers.get("upgrade", "").lower() != "websocket":
        raise HandshakeRefused(400, "Invalid Upgrade header")
    key = headers.get("sec-websocket-key", "")
    if _KEY.fullmatch(key) is None:
        raise HandshakeRefused(400, "Missing or invalid Sec-WebSocket-Key header")
    if headers.get("sec-websocket-version") not in ("13", "8"):
        raise HandshakeRefused(
            400, "Missing or invalid Sec-WebSocket-Version header", "Sec-WebSocket-Version: 13, 8"
        )
    accept = b64encode(sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()).decode("ascii")
    lines = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"]
    offered = headers.get("sec-websocket-protocol")
    if offered is not None:
        lines.append(f"Sec-WebSocket-Protocol: {_first_subprotocol(offered)}")
    # Extensions: the seam for permessage-deflate. Without it the reference does not even parse the header.
    return lines


def _first_subprotocol(offered: str) -> str:
    protocols = [protocol.strip(" \t") for protocol in offered.split(",")]
    if len(set(protocols)) != len(protocols) or not all(_TOKEN.fullmatch(p) for p in protocols):
        raise HandshakeRefused(400, "Invalid Sec-WebSocket-Protocol header")
    return protocols[0]


def accepted_bytes(lines: list[str], headers: tuple[tuple[str, str], ...]) -> bytes:
    """The 101 answer. A header that could split it is left out."""
    return _answer(101, [*lines, *[f"{name}: {value}" for name, value in safe_headers(headers)]], "")


def refused_bytes(response: Response) -> bytes:
    """The engine's refusal, raw as engine.io's `abortUpgrade` writes it."""
    lines = ["Connection: close"]
    names = {name.lower() for name, _ in response.headers}
    if "content-type" not in names:
        lines.append("Content-type: text/html")
    lines.append(f"Content-Length: {len(response.body)}")
    for name, value in safe_headers(response.headers):
        if name.lower() not in ("connection", "content-length", "transfer-encoding"):
            lines.append(f"{name}: {value}")
    return _answer(response.status, lines, "") + response.body
