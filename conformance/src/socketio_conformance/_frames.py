"""The client's end of a WebSocket: lines of a trace to frames, frames of the server to lines.

Whether a message is compressed is the trace's to say for the client, and noted for the server. The agreed
parameters of permessage-deflate (RFC 7692, 7.1) are held to: a server that keeps a context that it gave up, or
uses a larger window than it agreed to, sends what cannot be inflated here.
"""

from __future__ import annotations

import re
import struct
import zlib
from functools import partial

from ._matcher import Mismatch
from ._msgpack import packed, unpacked
from ._names import Names
from ._trace import Close, Control, Message, Raw, What

_MASK = b"mask"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_COMPRESSED = 0x40
# RFC 7692, 7.2.1: the end of a flushed block, which is not sent.
_TAIL = b"\x00\x00\xff\xff"


class ClientLink:
    """One WebSocket as a client sees it.

    Args:
        extensions: of the server's answer, "" for none.
        msgpack: whether binary messages are of socket.io-msgpack-parser.

    Attributes:
        closing: a close frame was sent or received.
    """

    def __init__(self, extensions: str, *, msgpack: bool = False) -> None:
        self._msgpack = msgpack
        self._deflates = extensions.startswith("permessage-deflate")
        self._own = _Side(extensions, "client")
        self._peers = _Side(extensions, "server")
        self._new_deflate = partial(zlib.compressobj, wbits=-self._own.bits)
        self._new_inflate = partial(zlib.decompressobj, wbits=-self._peers.bits)
        self._deflate = self._new_deflate()
        self._inflate = self._new_inflate()
        self._parts: list[bytes] = []
        self._opcode = 0
        self._compressed = False
        self.closing = False

    # Client to server.

    def bytes_of(self, what: What, names: Names) -> bytes:
        """The bytes of a client's line."""
        match what:
            case Message(str(text), compressed, msgpack=True):
                return self._message(_BINARY, packed(names.fill(text)), compressed)
            case Message(str(text), compressed):
                return self._message(_TEXT, names.fill(text).encode(), compressed)
            case Message(bytes(data), compressed):
                return self._message(_BINARY, data, compressed)
            case Control(kind, payload):
                return _frame(_PING if kind == "ping" else _PONG, payload.encode("latin-1"))
            case Close(code, reason):
                self.closing = True
                return _frame(_CLOSE, b"" if code is None else struct.pack("!H", code) + reason.encode())
            case Raw(data):
                return data
            case _:
                raise TypeError(f"a client cannot send {what}")

    def _message(self, opcode: int, payload: bytes, compressed: bool | None) -> bytes:
        if not compressed:
            return _frame(opcode, payload)
        data = self._deflate.compress(payload) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        if self._own.resets:
            self._deflate = self._new_deflate()
        return _frame(opcode | _COMPRESSED, data.removesuffix(_TAIL))

    # Server to client.

    def take(self, data: bytes) -> tuple[list[What], bytes]:
        """What whole frames say, and what is left of the bytes.

        Raises:
            Mismatch: this is no frame that a server may send.
        """
        found: list[What] = []
        while (taken := _take_frame(data)) is not None:
            first, payload, data = taken
            what = self._read(first, payload)
            if what is not None:
                found.append(what)
        return found, data

    def _read(self, first: int, payload: bytes) -> What | None:
        opcode = first & 0x0F
        compressed = bool(first & _COMPRESSED)
        if first & 0x30 or (compressed and not (self._deflates and opcode in (_TEXT, _BINARY))):
            raise Mismatch(f"a frame with RSV bits: {first:#x} {payload[:20].hex()}")
        if opcode == _CLOSE:
            self.closing = True
            code = struct.unpack("!H", payload[:2])[0] if payload else None
            return Close(code, payload[2:].decode())
        if opcode in (_PING, _PONG):
            return Control("ping" if opcode == _PING else "pong", payload.decode("latin-1"))
        if opcode:
            self._opcode, self._compressed = opcode, compressed
        self._parts.append(payload)
        if not first & 0x80:
            return None
        message, self._parts = b"".join(self._parts), []
        if self._compressed:
            message = self._inflated(message)
        is_compressed = self._compressed if self._deflates else None
        if self._opcode == _TEXT:
            return Message(message.decode(), is_compressed)
        said = unpacked(message) if self._msgpack else None
        return Message(message, is_compressed) if said is None else Message(said, is_compressed, msgpack=True)

    def _inflated(self, data: bytes) -> bytes:
        try:
            message = self._inflate.decompress(data + _TAIL)
        except zlib.error as error:
            raise Mismatch(f"a compressed message that cannot be inflated: {error}") from None
        if self._peers.resets:
            self._inflate = self._new_inflate()
        return message


class _Side:
    """What permessage-deflate agreed on for one side."""

    def __init__(self, extensions: str, side: str) -> None:
        bits = re.search(rf"\b{side}_max_window_bits=(\d+)", extensions)
        # zlib deflates with a window of 2**9 where 2**8 is asked for; nothing here is large enough to tell.
        self.bits = max(9, int(bits[1])) if bits else 15
        self.resets = f"{side}_no_context_takeover" in extensions


def _take_frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """First byte, payload and the bytes behind it; None when the frame is not whole."""
    if len(data) < 2:
        return None
    length, at = data[1], 2
    if length & 0x80:
        raise Mismatch(f"a frame with a mask: {data[:2].hex()}")
    if length == 126:
        at = 4
        length = int.from_bytes(data[2:4], "big")
    elif length == 127:
        at = 10
        length = int.from_bytes(data[2:10], "big")
    if len(data) < at + length:
        return None
    return data[0], data[at : at + length], data[at + length :]


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
