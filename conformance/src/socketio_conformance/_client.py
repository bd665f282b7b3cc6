"""The client's end of one wire: lines of a trace to bytes, bytes of the server to lines. Frames: see `_frames`.

Deliberately its own small HTTP and WebSocket: what is tested is not used to test. It reads strictly, for a
server that sends something odd should be caught here.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ._frames import ClientLink
from ._matcher import Mismatch
from ._msgpack import packed_payload, unpacked_payload
from ._names import Names
from ._trace import End, Request, Response, What

_brotli: Any = import_module("brotli")  # it has no types
_KEY = base64.b64encode(b"socketio-traces!").decode()
_ACCEPT = base64.b64encode(
    hashlib.sha1(f"{_KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False).digest()
).decode()

# What the recorder keeps of a response's headers; the rest is how a server frames and dates its answers.
_KEPT = (
    "cache-control", "content-encoding", "content-type", "etag", "location", "set-cookie", "upgrade", "vary",
    "sec-websocket-extensions", "sec-websocket-protocol", "sec-websocket-version",
)  # fmt: skip
_FILE = 32 * 1024
"""A body with more bytes is a file, which a trace has as its digest."""
_KEPT_PREFIXES = ("access-control-", "x-")


class ClientWire:
    """One connection as a client sees it.

    Args:
        msgpack: whether messages are of socket.io-msgpack-parser.
    """

    def __init__(self, *, msgpack: bool = False) -> None:
        self._msgpack = msgpack
        self._buffer = b""
        self._asked: list[Request] = []
        self._ended = False
        self._link: ClientLink | None = None

    @property
    def waits(self) -> bool:
        """Whether a request is unanswered."""
        return bool(self._asked)

    # Client to server.

    def bytes_of(self, what: What, names: Names, *, last: bool) -> bytes:
        """The bytes of a client's line.

        Args:
            what: the line; not its end.
            names: values of the names in it.
            last: whether no further request follows on this wire.
        """
        if isinstance(what, Request):
            self._asked.append(what)
            return _request_bytes(what, self._body_of(what, names), names, last=last)
        if self._link is None:
            raise Mismatch(f"there is no WebSocket yet, or any more, to send {what} on")
        return self._link.bytes_of(what, names)

    def _body_of(self, request: Request, names: Names) -> bytes:
        if isinstance(request.body, bytes):
            return request.body
        text = names.fill(request.body)
        return (packed_payload(text) if self._msgpack else text).encode()

    # Server to client.

    def receive(self, data: bytes, ended: bool) -> list[What]:
        """What the server did; `ended` once it has ended the connection."""
        self._buffer += data
        found: list[What] = []
        while self._link is None and self._asked:
            response = self._response(ended)
            if response is None:
                break
            found.append(response)
        if self._link is not None:
            frames, self._buffer = self._link.take(self._buffer)
            found += frames
        if ended and not self._ended:
            self._ended = True
            if self._asked or (self._link is not None and not self._link.closing):
                found.append(End())
        if self._buffer and not self._asked and self._link is None:
            raise Mismatch(f"the server sent what nobody asked for: {self._buffer[:200]!r}")
        return found

    def _response(self, ended: bool) -> Response | None:
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        first, *fields = head.decode("latin-1").split("\r\n")
        version, status_text, *_ = first.split(" ")
        if version != "HTTP/1.1" or not status_text.isdecimal():
            raise Mismatch(f"no HTTP/1.1 status line: {first!r}")
        status = int(status_text)
        headers: dict[str, list[str]] = {}
        for text in fields:
            name, colon, value = text.partition(":")
            if not colon or name != name.strip():
                raise Mismatch(f"no header line: {text!r}")
            headers.setdefault(name.lower(), []).append(value.strip())
        if status == 101 or status == 204 or status == 304 or self._asked[0].method == "HEAD":
            body, used = b"", 0
        else:
            taken = _body(headers, rest, ended)
            if taken is None:
                return None
            body, used = taken
        if status == 101:
            if headers.get("sec-websocket-accept") != [_ACCEPT]:
                raise Mismatch(
                    f"Sec-WebSocket-Accept is {headers.get('sec-websocket-accept')}, not {_ACCEPT}"
                )
            self._link = ClientLink(
                ", ".join(headers.get("sec-websocket-extensions", [])), msgpack=self._msgpack
            )
        self._asked.pop(0)
        self._buffer = rest[used:]
        kept = {
            name: values[0] if len(values) == 1 else tuple(values)
            for name, values in headers.items()
            if name in _KEPT or name.startswith(_KEPT_PREFIXES)
        }
        said = _text(_decoded(headers, body))
        return Response(
            status, kept, unpacked_payload(said) if self._msgpack and isinstance(said, str) else said
        )


def _request_bytes(request: Request, body: bytes, names: Names, *, last: bool) -> bytes:
    lines = [f"{request.method} {names.fill(request.target)} HTTP/1.1", "Host: 127.0.0.1"]
    for name, value in request.headers.items():
        lines += (f"{name}: {names.fill(one)}" for one in ((value,) if isinstance(value, str) else value))
    if request.is_upgrade:
        lines.append("Connection: Upgrade")
        for name, value in (("sec-websocket-version", "13"), ("sec-websocket-key", _KEY)):
            if name not in request.headers:
                lines.append(f"{name}: {value}")
    elif last:
        lines.append("Connection: close")
    if body or request.method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body) + (100 if request.incomplete else 0)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def _body(headers: Mapping[str, list[str]], data: bytes, ended: bool) -> tuple[bytes, int] | None:
    if "chunked" in headers.get("transfer-encoding", []):
        return _chunked(data)
    if "content-length" in headers:
        size = int(headers["content-length"][0])
        return (data[:size], size) if len(data) >= size else None
    return (data, len(data)) if ended else None


def _chunked(data: bytes) -> tuple[bytes, int] | None:
    body, at = b"", 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size, start = int(data[at:end], 16), end + 2
        at = start + size + 2
        if len(data) < at:
            return None
        if data[at - 2 : at] != b"\r\n":
            raise Mismatch(f"a chunk that does not end in CRLF: {data[at - 2 : at]!r}")
        if size == 0:
            return body, at
        body += data[start : start + size]


def _decoded(headers: Mapping[str, list[str]], body: bytes) -> bytes:
    """A trace holds what a compressed body says; the header that stays tells how it came."""
    coding = headers.get("content-encoding")
    if coding is None or not body:
        return body
    if coding not in (["br"], ["gzip"], ["deflate"]):
        raise Mismatch(f"a body in a coding that no trace has: {coding}")
    try:
        if coding == ["br"]:
            return bytes(_brotli.decompress(body))
        return zlib.decompress(body, wbits=31 if coding == ["gzip"] else 15)
    except (_brotli.error, zlib.error) as error:
        raise Mismatch(f"a body that is no {coding[0]}: {error}") from None


def _text(body: bytes) -> str | bytes:
    if len(body) > _FILE:
        return f"sha256:{hashlib.sha256(body).hexdigest()}"
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
