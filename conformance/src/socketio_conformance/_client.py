"""The client's end of one wire: lines of a trace to bytes, bytes of the server to lines.

Deliberately its own small HTTP and WebSocket: what is tested is not used to test. It reads strictly, for a
server that sends something odd should be caught here.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Mapping

from ._matcher import Mismatch
from ._names import Names
from ._trace import Close, Control, End, Message, Request, Response, What

_KEY = base64.b64encode(b"socketio-traces!").decode()
_ACCEPT = base64.b64encode(
    hashlib.sha1(f"{_KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False).digest()
).decode()
_MASK = b"mask"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10

# What the recorder keeps of a response's headers; the rest is how a server frames and dates its answers.
_KEPT = (
    "cache-control", "content-encoding", "content-type", "location", "set-cookie", "upgrade", "vary",
    "sec-websocket-extensions", "sec-websocket-protocol", "sec-websocket-version",
)  # fmt: skip
_KEPT_PREFIXES = ("access-control-", "x-")


class ClientWire:
    """One connection as a client sees it."""

    def __init__(self) -> None:
        self._buffer = b""
        self._asked: list[Request] = []
        self._ended = False
        self._parts: list[bytes] = []
        self._opcode = 0
        self._is_link = False
        self._closing = False

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
        match what:
            case Request():
                self._asked.append(what)
                return _request_bytes(what, names, last=last)
            case Message(str(text)):
                return _frame(_TEXT, names.fill(text).encode())
            case Message(bytes(data)):
                return _frame(_BINARY, data)
            case Control(kind, payload):
                return _frame(_PING if kind == "ping" else _PONG, payload.encode("latin-1"))
            case Close(code, reason):
                self._closing = True
                return _frame(_CLOSE, b"" if code is None else struct.pack("!H", code) + reason.encode())
            case _:
                raise TypeError(f"a client cannot send {what}")

    # Server to client.

    def receive(self, data: bytes, ended: bool) -> list[What]:
        """What the server did; `ended` once it has ended the connection."""
        self._buffer += data
        found: list[What] = []
        while not self._is_link and self._asked:
            response = self._response(ended)
            if response is None:
                break
            found.append(response)
        while self._is_link and (what := self._frame()) is not None:
            if isinstance(what, Message | Control | Close):
                found.append(what)
        if ended and not self._ended:
            self._ended = True
            if self._asked or (self._is_link and not self._closing):
                found.append(End())
        if self._buffer and not self._asked and not self._is_link:
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
            self._is_link = True
        self._asked.pop(0)
        self._buffer = rest[used:]
        kept = {
            name: values[0] if len(values) == 1 else tuple(values)
            for name, values in headers.items()
            if name in _KEPT or name.startswith(_KEPT_PREFIXES)
        }
        return Response(status, kept, _text(body))

    def _frame(self) -> What | bool | None:
        """The next frame: what it completes, True when it completes nothing, None when it is not whole."""
        data = self._buffer
        if len(data) < 2:
            return None
        first, second = data[0], data[1]
        if first & 0x70 or second & 0x80:
            raise Mismatch(f"a frame with RSV bits or a mask: {data[:2].hex()}")
        length, at = second, 2
        if second == 126:
            at = 4
            length = int.from_bytes(data[2:4], "big")
        elif second == 127:
            at = 10
            length = int.from_bytes(data[2:10], "big")
        if len(data) < at + length:
            return None
        payload, self._buffer = data[at : at + length], data[at + length :]
        opcode = first & 0x0F
        if opcode == _CLOSE:
            self._closing = True
            code = struct.unpack("!H", payload[:2])[0] if payload else None
            return Close(code, payload[2:].decode())
        if opcode in (_PING, _PONG):
            return Control("ping" if opcode == _PING else "pong", payload.decode("latin-1"))
        if opcode:
            self._opcode = opcode
        self._parts.append(payload)
        if not first & 0x80:
            return True
        message, self._parts = b"".join(self._parts), []
        return Message(message.decode() if self._opcode == _TEXT else message)


def _request_bytes(request: Request, names: Names, *, last: bool) -> bytes:
    body = request.body if isinstance(request.body, bytes) else names.fill(request.body).encode()
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


def _text(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    mask = (_MASK * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")
    return head + _MASK + masked.to_bytes(size, "big")
