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

from engineio_proto import Link, LinkState, PerMessageDeflate, Request, Response

from ._negotiation import DeflateParameters, OffersRefused, negotiate
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


def check_handshake(
    request: Request, deflate: PerMessageDeflate | None
) -> tuple[list[str], DeflateParameters | None]:
    """The lines of the 101 answer that depend on the request, and the compression that is agreed on.

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
    offered = headers.get("sec-websocket-extensions")
    if deflate is None or offered is None:
        # Without the option the reference does not even parse the header.
        return lines, None
    try:
        agreed = negotiate(offered, deflate)
    except OffersRefused:
        raise HandshakeRefused(400, "Invalid or unacceptable Sec-WebSocket-Extensions header") from None
    if agreed is None:
        return lines, None
    answer, parameters = agreed
    return [*lines, f"Sec-WebSocket-Extensions: {answer}"], parameters


def _first_subprotocol(offered: str) -> str:
    protocols = [protocol.strip(" \t") for protocol in offered.split(",")]
    if len(set(protocols)) != len(protocols) or not all(_TOKEN.fullmatch(p) for p in protocols):
        raise HandshakeRefused(400, "Invalid Sec-WebSocket-Protocol header")
    return protocols[0]


class Handshake:
    """An upgrade request and its answer.

    Args:
        link: what the engine decides about.
        deflate: the server's option.

    Attributes:
        accepted: the 101 was taken.
        deflate: the permessage-deflate that is agreed on, if any.

    Raises:
        HandshakeRefused: the request is no WebSocket handshake.
    """

    __slots__ = ("_lines", "accepted", "deflate", "link")

    def __init__(self, link: Link, deflate: PerMessageDeflate | None) -> None:
        self.link = link
        self._lines, self.deflate = check_handshake(link.request, deflate)
        self.accepted = False

    def take_answer(self) -> bytes:
        """The answer, once the engine has decided; b"" before that and after it was taken."""
        link = self.link
        if self.accepted or link.state is LinkState.DECIDING:
            return b""
        if link.state is LinkState.REFUSED and link.refusal is not None:
            return _refused_bytes(link.refusal)
        self.accepted = True
        # A header that could split the answer is left out.
        return _answer(
            101, [*self._lines, *[f"{name}: {value}" for name, value in safe_headers(link.headers)]], ""
        )


def _refused_bytes(response: Response) -> bytes:
    """The engine's refusal, raw as engine.io's `abortUpgrade` writes it."""
    headers = [
        (name, value)
        for name, value in safe_headers(response.headers)
        if name.lower() not in ("connection", "content-length", "transfer-encoding")
    ]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.insert(0, ("Content-type", "text/html"))
    lines = [f"{name}: {value}" for name, value in headers]
    length = f"Content-Length: {len(response.body)}"
    return _answer(response.status, ["Connection: close", *lines, length], "") + response.body
