"""The load: many WebSocket connections driven by one epoll loop that does as little as possible.

It is no Socket.IO client. Frames are built beforehand, replies are compared with the one byte string
they must be (or counted by their frame lengths when reads cut them elsewhere), and pings are answered.
So the server, not this file, is busy; and every reply is still checked, because a server that answers
wrongly is fast.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import Self

from tests.benchmarks._target import BenchmarkError

MASK = b"\x37\xfa\x21\x3d"
SILENCE_SECONDS = 30.0
CONNECTS_AT_ONCE = 50
PORTS_PER_ADDRESS = 20_000
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

# What Chromium sends, for a server keeps some of it per connection and must parse all of it.
BROWSER_HEADERS = (
    "Host: 127.0.0.1:{port}\r\n"
    "{connection}"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36\r\n"
    "Origin: http://127.0.0.1:{port}\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: _ga=GA1.1.1043217811.1712345678; session=b7c4e1f0a29d4c6f8e3b5a7d9c1e2f40\r\n"
)
UPGRADE_HEADERS = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
)


def masked_frame(text: str) -> bytes:
    """A client's text frame of less than 64 KiB."""
    data = text.encode()
    size = len(data)
    head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + MASK + bytes(byte ^ MASK[i & 3] for i, byte in enumerate(data))


def server_frame(text: str) -> bytes:
    """The frame in which a server sends `text`."""
    data = text.encode()
    size = len(data)
    return (bytes((0x81, size)) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")) + data


# All open swarms: while one is busy, the servers of the others ping, and give up after 45 s without a pong.
_OPEN: list[Swarm] = []

JOIN, PONG = masked_frame("40"), masked_frame("3")


class Connection:
    """One WebSocket; `rest` is a frame that has not arrived whole."""

    __slots__ = ("recv", "rest", "send", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.recv, self.send = sock.recv, sock.send
        self.rest = b""

    def messages(self, data: bytes) -> list[bytes]:
        """The Engine.IO messages completed by `data`; pings are answered here."""
        data = self.rest + data
        size, at, found = len(data), 0, []
        while size - at >= 2:
            start, length = at + 2, data[at + 1]
            if length == 126:
                start, length = at + 4, int.from_bytes(data[at + 2 : at + 4], "big")
            elif length >= 127:
                raise BenchmarkError(f"a frame of 64 KiB or a masked one: {data[at : at + 10]!r}")
            end = start + length
            if end > size or start > size:
                break
            if data[at] != 0x81:
                raise BenchmarkError(f"not a text frame: {data[at : at + 40]!r}")
            packet = data[start:end]
            if packet == b"2":
                self.send(PONG)
            else:
                found.append(packet)
            at = end
        self.rest = data[at:]
        return found


class Swarm:
    """Connections to one server. Use as a context manager; leaving it resets them all."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._epoll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._request = (
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            + BROWSER_HEADERS.format(port=port, connection=UPGRADE_HEADERS)
            + "\r\n"
        ).encode()

    def __enter__(self) -> Self:
        _OPEN.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _OPEN.remove(self)
        for connection in self._connections.values():
            connection.sock.close()
        self._epoll.close()

    def __len__(self) -> int:
        return len(self._connections)

    def connect(self, count: int) -> None:
        """Open `count` more WebSocket connections, each joined to ``/``, at most 50 at a time."""
        waiting: dict[int, Connection] = {}
        opened = done = 0
        others_at = time.monotonic() + 5.0
        while done < count:
            if time.monotonic() > others_at:
                others_at += 5.0
                answer_all_pings(but=self)
            while opened < count and len(waiting) < CONNECTS_AT_ONCE:
                connection = Connection(self._open())
                connection.send(self._request)
                waiting[connection.sock.fileno()] = connection
                opened += 1
            for fd in self._ready():
                connection = waiting.get(fd) or self._connections[fd]
                if self._handshake(connection, self._read(connection)) and fd in waiting:
                    self._connections[fd] = waiting.pop(fd)
                    done += 1

    def disconnect(self) -> None:
        for fd, connection in self._connections.items():
            self._epoll.unregister(fd)
            connection.sock.close()
        self._connections.clear()

    def round_trips(self, total: int, in_flight: int, frame: bytes, reply: bytes) -> None:
        """Send `frame` `total` times over all connections, each having `in_flight` under way."""
        connections, poll, size = self._connections, self._epoll.poll, len(reply)
        done, left = 0, total
        for connection in connections.values():
            burst = min(in_flight, left)
            if burst:
                connection.send(frame * burst)
                left -= burst
        while done < total:
            ready = poll(SILENCE_SECONDS)
            if not ready:
                raise BenchmarkError(f"{SILENCE_SECONDS} s of silence after {done} of {total} replies")
            for fd, _ in ready:
                connection = connections[fd]
                data = connection.recv(65536)
                if data == reply and not connection.rest:
                    count = 1
                else:
                    count = len(data) // size
                    if connection.rest or data != reply * count or not data:
                        count = self._count(connection, data, reply)
                        if not count:
                            continue
                done += count
                if left >= count:
                    left -= count
                    connection.send(frame if count == 1 else frame * count)
                elif left:
                    connection.send(frame * left)
                    left = 0

    def broadcasts(self, total: int, in_flight: int, frame: bytes, delivery: bytes) -> None:
        """Make the first connection ask for `total` broadcasts, `in_flight` in one segment, waiting for all."""
        connections, poll, size = self._connections, self._epoll.poll, len(delivery)
        sender = next(iter(connections.values()))
        for _ in range(total // in_flight):
            missing = in_flight * len(connections)
            sender.send(frame * in_flight)
            while missing:
                ready = poll(SILENCE_SECONDS)
                if not ready:
                    raise BenchmarkError(f"{SILENCE_SECONDS} s of silence with {missing} deliveries missing")
                for fd, _ in ready:
                    connection = connections[fd]
                    data = connection.recv(65536)
                    count = len(data) // size
                    if connection.rest or data != delivery * count or not data:
                        count = self._count(connection, data, delivery)
                    missing -= count

    def answer_pings(self) -> None:
        """Answer what has arrived."""
        for fd, _ in self._epoll.poll(0):
            connection = self._connections[fd]
            connection.messages(self._read(connection))

    def rest(self, seconds: float) -> None:
        """Only answer pings for `seconds`."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._epoll.poll(left)
            self.answer_pings()

    def _count(self, connection: Connection, data: bytes, reply: bytes) -> int:
        if not data:
            raise BenchmarkError("the server closed a connection")
        messages = connection.messages(data)
        for message in messages:
            if not reply.endswith(message):
                raise BenchmarkError(f"expected {reply!r}, got {message!r}")
        return len(messages)

    def _open(self) -> socket.socket:
        sock = open_connection(self.port, len(self._connections) // PORTS_PER_ADDRESS + 1)
        self._epoll.register(sock.fileno(), select.EPOLLIN)
        return sock

    def _ready(self) -> list[int]:
        ready = self._epoll.poll(SILENCE_SECONDS)
        if not ready:
            raise BenchmarkError(f"{SILENCE_SECONDS} s of silence while connecting")
        return [fd for fd, _ in ready]

    def _read(self, connection: Connection) -> bytes:
        data = connection.recv(65536)
        if not data:
            raise BenchmarkError("the server closed a connection")
        return data

    def _handshake(self, connection: Connection, data: bytes) -> bool:
        """True once ``40{"sid":...}`` has come."""
        if connection.rest.startswith(b"HTTP") or data.startswith(b"HTTP"):
            data = connection.rest + data
            head, end, after = data.partition(b"\r\n\r\n")
            connection.rest = b"" if end else data
            if not end:
                return False
            if not head.startswith(b"HTTP/1.1 101"):
                raise BenchmarkError(f"the upgrade was refused: {data[:400]!r}")
            data = after
        for message in connection.messages(data):
            if message.startswith(b"0{"):
                connection.send(JOIN)
            elif message.startswith(b"40"):
                return True
            else:
                raise BenchmarkError(f"unexpected while connecting: {message!r}")
        return False


def answer_all_pings(*, but: Swarm | None = None) -> None:
    """Let every swarm answer its pings. What fails there is reported when that swarm is used next."""
    for swarm in _OPEN:
        if swarm is not but:
            with contextlib.suppress(BenchmarkError, OSError):
                swarm.answer_pings()


def open_connection(port: int, last_octet: int = 1) -> socket.socket:
    """A TCP connection from 127.0.0.`last_octet` that is reset, not closed, so that no TIME_WAIT stays."""
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    if last_octet > 1:
        with contextlib.suppress(AttributeError):
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((f"127.0.0.{last_octet}", 0))
    sock.connect(("127.0.0.1", port))
    return sock
