"""An Engine.IO 4 and Socket.IO 5 client over blocking sockets, written by hand and knowing no event loop.

Every wait has a deadline: a socket's timeout. Nothing here is shared with what is tested.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl as ssl_module
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import Any

DEADLINE = 10.0
"""Seconds after which a test fails that waits for a byte. Never reached when all is well."""

PATH = "/socket.io/?EIO=4&transport="


class ClosedByServer(Exception):
    """The connection is over; `code` is that of a WebSocket's close frame, None without one."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code


OPEN: list[Tcp] = []
"""Every connection that was made; a fixture closes them at the test's end."""


class Tcp:
    """A TCP or TLS connection with a read buffer.

    Args:
        port: of the server, on this machine.
        ssl: a client's context makes it TLS.
        receive_buffer: bytes of the kernel's receive buffer, for a reader that is slow.
    """

    def __init__(
        self, port: int, *, ssl: ssl_module.SSLContext | None = None, receive_buffer: int | None = None
    ) -> None:
        self.socket = socket.socket()
        OPEN.append(self)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ssl is not None:
            self.socket = ssl.wrap_socket(self.socket, server_hostname="localhost")
        self._buffer = bytearray()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _more(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            raise ClosedByServer
        self._buffer += data

    def read(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def read_until(self, mark: bytes) -> bytes:
        while (end := self._buffer.find(mark)) < 0:
            self._more()
        return self.read(end + len(mark))

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close without a FIN: the peer sees an error."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Http(Tcp):
    """One keep-alive HTTP/1.1 connection."""

    def start(self, method: str, target: str, body: bytes = b"", **headers: str) -> None:
        """Send a request; `finish` reads its answer."""
        head = [f"{method} {target} HTTP/1.1", "Host: localhost"]
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            head.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    def finish(self) -> Answer:
        lines = self.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:-2])
        }
        return Answer(int(lines[0].split()[1]), headers, self.read(int(headers.get("content-length", 0))))

    def request(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        self.start(method, target, body, **headers)
        return self.finish()


def frame(message: str | bytes, opcode: int | None = None) -> bytes:
    """A masked WebSocket frame."""
    payload = message.encode() if isinstance(message, str) else message
    if opcode is None:
        opcode = 1 if isinstance(message, str) else 2
    size = len(payload)
    head = bytes([0x80 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += b"\xfe" + struct.pack(">H", size)
    else:
        head += b"\xff" + struct.pack(">Q", size)
    key = os.urandom(4)
    mask = (key * (size // 4 + 1))[:size]
    return head + key + (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(size)


class WebSocket(Tcp):
    """A WebSocket; `receive` gives whole messages and raises `ClosedByServer` at the end."""

    def open(self, target: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self.send(
            f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = self.read_until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head

    def send_message(self, message: str | bytes) -> None:
        self.send(frame(message))

    def receive(self) -> str | bytes:
        while True:
            first, size = self.read(2)
            assert first & 0x80, "a server of ours does not fragment"
            if size == 126:
                (size,) = struct.unpack(">H", self.read(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", self.read(8))
            payload = self.read(size)
            match first & 0x0F:
                case 1:
                    return payload.decode()
                case 2:
                    return payload
                case 8:
                    self.send(frame(payload, 8))
                    raise ClosedByServer(int.from_bytes(payload[:2]) if payload else None)
                case 9:
                    self.send(frame(payload, 10))

    def close_frame(self) -> None:
        """Begin the closing handshake."""
        self.send(frame(b"", 8))


class WebSocketTransport:
    """Engine.IO packets over one WebSocket."""

    def __init__(self, port: int, *, path: str = PATH, **options: Any) -> None:
        self.websocket = WebSocket(port, **options)
        self.websocket.open(path + "websocket")

    def send(self, packets: list[str | bytes]) -> None:
        """All packets in one write."""
        self.websocket.send(b"".join([frame(packet) for packet in packets]))

    def receive(self) -> str | bytes:
        return self.websocket.receive()

    def close(self) -> None:
        self.websocket.close()


class PollingTransport:
    """Engine.IO packets over two HTTP connections, as a browser keeps them."""

    def __init__(self, port: int, *, path: str = PATH, **options: Any) -> None:
        self.poll = Http(port, **options)
        self.post = Http(port, **options)
        self.target = path + "polling"
        self._received: deque[str | bytes] = deque()
        handshake = self.poll_once()
        self._received.append(handshake)
        self.target += "&sid=" + json.loads(handshake[1:])["sid"]

    def poll_once(self) -> str:
        try:
            answer = self.poll.request("GET", self.target)
        except ConnectionError:
            raise ClosedByServer from None
        if answer.status != 200:
            raise ClosedByServer(answer.status)
        return answer.text

    def send(self, packets: list[str | bytes]) -> None:
        """All packets in one POST; returns when it is answered."""
        answer = self.post.request("POST", self.target, payload(packets), Content_Type="text/plain")
        assert (answer.status, answer.text) == (200, "ok"), answer

    def receive(self) -> str | bytes:
        while not self._received:
            for packet in self.poll_once().split("\x1e"):
                self._received.append(base64.b64decode(packet[1:]) if packet[0] == "b" else packet)
        return self._received.popleft()

    def close(self) -> None:
        self.poll.close()
        self.post.close()


def payload(packets: list[str | bytes]) -> bytes:
    """The body of a POST."""
    return "\x1e".join(
        p if isinstance(p, str) else "b" + base64.b64encode(p).decode() for p in packets
    ).encode()


TRANSPORTS: dict[str, Any] = {"websocket": WebSocketTransport, "polling": PollingTransport}

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = range(7)


@dataclass
class Packet:
    """A Socket.IO packet, its attachments put back."""

    type: int
    namespace: str = "/"
    id: int | None = None
    data: Any = None
    attachments: list[bytes] = field(default_factory=list)

    def encode(self) -> list[str | bytes]:
        """The messages of Engine.IO that carry it."""
        attachments: list[bytes] = []

        def replace(value: Any) -> Any:
            if isinstance(value, bytes):
                attachments.append(value)
                return {"_placeholder": True, "num": len(attachments) - 1}
            if isinstance(value, (list, tuple)):
                return [replace(item) for item in value]
            if isinstance(value, dict):
                return {key: replace(item) for key, item in value.items()}
            return value

        data = replace(self.data)
        kind = self.type + 3 if attachments else self.type
        text = f"4{kind}" + (f"{len(attachments)}-" if attachments else "")
        if self.namespace != "/":
            text += self.namespace + ","
        if self.id is not None:
            text += str(self.id)
        if data is not None:
            text += json.dumps(data)
        return [text, *attachments]


def decode(text: str) -> tuple[Packet, int]:
    """A packet and the number of its attachments."""
    packet = Packet(int(text[0]))
    rest = text[1:]
    count = 0
    if packet.type in (BINARY_EVENT, BINARY_ACK):
        number, _, rest = rest.partition("-")
        count = int(number)
    if rest.startswith("/"):
        packet.namespace, _, rest = rest.partition(",")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    if digits:
        packet.id, rest = int(rest[:digits]), rest[digits:]
    packet.data = json.loads(rest) if rest else None
    return packet, count


class Client:
    """A Socket.IO client: what it sends is written at once, what it gets is asked for, pings are answered.

    Args:
        port: of the server.
        transport: `websocket` or `polling`.
        namespace: joined at once, with `auth`; None joins nothing.
        options: for `Tcp`.
    """

    def __init__(
        self,
        port: int,
        transport: str = "websocket",
        *,
        namespace: str | None = "/",
        auth: Any = None,
        **options: Any,
    ) -> None:
        self.transport = TRANSPORTS[transport](port, **options)
        self.handshake = json.loads(self.transport.receive()[1:])
        self.namespace = namespace or "/"
        self.pings = 0
        self._waiting: deque[Packet] = deque()
        self._ids = 0
        if namespace is not None:
            answer = self.join(namespace, auth)
            assert answer.type == CONNECT, answer
            self.id: str = answer.data["sid"]

    def join(self, namespace: str = "/", auth: Any = None) -> Packet:
        """CONNECT; returns the server's CONNECT or CONNECT_ERROR."""
        self.send(Packet(CONNECT, namespace, data=auth))
        return self.receive()

    def send(self, *packets: Packet) -> None:
        """Write packets in one go."""
        self.transport.send([message for packet in packets for message in packet.encode()])

    def emit(self, *data: Any, ack: int | None = None) -> None:
        self.send(Packet(EVENT, self.namespace, ack, list(data)))

    def acknowledge(self, ack_id: int | None, *data: Any) -> None:
        self.send(Packet(ACK, self.namespace, ack_id, list(data)))

    def call(self, *data: Any) -> list[Any]:
        """Emit, and return the acknowledgement's arguments."""
        self._ids += 1
        self.emit(*data, ack=self._ids)
        others: list[Packet] = []
        while True:
            packet = self.receive()
            if packet.type in (ACK, BINARY_ACK) and packet.id == self._ids:
                self._waiting.extendleft(reversed(others))
                return list(packet.data)
            others.append(packet)

    def event(self) -> list[Any]:
        """The next packet, an event: its name and arguments."""
        packet = self.receive()
        assert packet.type in (EVENT, BINARY_EVENT), packet
        return list(packet.data)

    def receive(self) -> Packet:
        """The next packet."""
        if self._waiting:
            return self._waiting.popleft()
        packet, count = decode(self._message())
        if count:
            attachments = [self.transport.receive() for _ in range(count)]
            packet.data = _restore(packet.data, attachments)
        return packet

    def _message(self) -> str:
        while True:
            text = self.transport.receive()
            assert isinstance(text, str), text
            if text == "2":
                self.pings += 1
                self.transport.send(["3"])
            elif text == "1":
                raise ClosedByServer
            elif text != "6":
                assert text[0] == "4", text
                return text[1:]

    def until_closed(self) -> ClosedByServer:
        """Read to the end."""
        try:
            while True:
                self.receive()
        except ClosedByServer as closed:
            return closed

    def close(self) -> None:
        """Vanish: the TCP connections close, without a word of any protocol."""
        self.transport.close()


def _restore(value: Any, attachments: list[Any]) -> Any:
    if isinstance(value, list):
        return [_restore(item, attachments) for item in value]
    if isinstance(value, dict):
        if value.get("_placeholder"):
            return attachments[value["num"]]
        return {key: _restore(item, attachments) for key, item in value.items()}
    return value
