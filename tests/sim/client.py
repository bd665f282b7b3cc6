"""A scripted Engine.IO client: it does what the test says, and reads the protocol of what comes back.

Nothing is automatic but what `auto_poll` and `auto_pong` ask for. `received` is every message of the session, over
whichever transport it came, in order of arrival.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import urlencode

from engineio_proto import Request, Response

from tests.sim.host import Accepted, Closed, Downward, Host, HostExchange, HostSocket, Refused
from tests.sim.pipe import Pipe

Headers = tuple[tuple[str, str], ...]


class ClientRequest:
    """An HTTP request: `response` is its answer.

    Attributes:
        aborted: the server closed the connection without an answer.
        dropped: the client did.
    """

    def __init__(self, client: Client, method: str, target: str, headers: Headers) -> None:
        self.client = client
        self.response: Response | None = None
        self.aborted = False
        self.dropped = False
        self._down: Pipe[Downward] = Pipe(client.host.clock, self._receive, latency=client.latency)
        self._up: Pipe[bytes | Closed | None] = Pipe(client.host.clock, self._arrive, latency=client.latency)
        self._server = HostExchange(client.host, Request(method, target, headers), self._down)
        client.host.clock.call_later(client.latency, self._server.receive)

    @property
    def pending(self) -> bool:
        """Whether it has neither an answer nor an end."""
        return self.response is None and not self.aborted and not self.dropped

    def send(self, data: bytes) -> None:
        """A piece of the body."""
        self._up.send(data)

    def end(self) -> None:
        """The end of the body."""
        self._up.send(None)

    def drop(self) -> None:
        """Lose the connection: what is under way upwards still arrives, then the end; nothing arrives here."""
        self._down.cut()
        self._up.send(Closed())
        self.dropped = True
        self.client.answered(self)

    def _arrive(self, item: bytes | Closed | None) -> None:
        if isinstance(item, Closed):
            self._server.lost()
        elif item is None:
            self._server.receive_body_end()
        else:
            self._server.receive_body(item)

    def _receive(self, item: Downward) -> None:
        if isinstance(item, Response):
            self.response = item
        else:
            self.aborted = True
        self.client.answered(self)


class ClientSocket:
    """A WebSocket of the client.

    Attributes:
        accepted: the headers of the 101.
        refused: another answer.
        packets: what came, in order.
        closed: the server closed it.
    """

    def __init__(self, client: Client, target: str, headers: Headers, window: int | None) -> None:
        self.client = client
        self.accepted: Headers | None = None
        self.refused: Response | None = None
        self.packets: list[str | bytes] = []
        self.closed = False
        self.down: Pipe[Downward] = Pipe(
            client.host.clock, self._receive, latency=client.latency, window=window
        )
        self.up: Pipe[str | bytes | Closed] = Pipe(client.host.clock, self._arrive, latency=client.latency)
        self.server = HostSocket(client.host, Request("GET", target, headers), self.down)
        client.host.clock.call_later(client.latency, self.server.receive)

    def send(self, *packets: str | bytes) -> None:
        """Packets, each in a frame of its own, in one segment."""
        for packet in packets:
            self.up.send(packet)

    def close(self) -> None:
        """A close frame."""
        self.up.send(Closed())
        self.closed = True

    def drop(self) -> None:
        """Lose the connection: what is under way upwards still arrives, then the end; nothing arrives here."""
        self.down.cut()
        self.close()

    def fail(self, error: str) -> None:
        """Break the framing: the wire reports an error at once."""
        self.down.cut()
        self.closed = True
        self.server.lost(error)

    def _arrive(self, item: str | bytes | Closed) -> None:
        self.server.receive_message(item)

    def _receive(self, item: Downward) -> None:
        if isinstance(item, Accepted):
            self.accepted = item.headers
        elif isinstance(item, Refused):
            self.refused = item.response
        elif isinstance(item, Closed):
            if not self.closed:
                self.close()  # the closing handshake
        else:
            assert isinstance(item, str | bytes)
            self.packets.append(item)
            self.client.packet(item, self)


class Client:
    """One client of a host.

    Attributes:
        handshake: the open packet's JSON.
        received: messages, in order.
        packets: every packet but messages, with the instant of its arrival.
        auto_poll: always keep a GET pending while on polling.
        auto_pong: answer pings.
        latency: seconds, each way.
        eio: the protocol, "4" or "3"; of 3 it speaks what a client without binary support does, over both transports.
    """

    path = "/engine.io/"
    eio = "4"

    def __init__(self, host: Host[Any], *, latency: float = 0.0) -> None:
        self.host = host
        self.latency = latency
        self.handshake: dict[str, Any] = {}
        self.received: list[str | bytes] = []
        self.packets: list[tuple[float, str]] = []
        self.auto_poll = False
        self.auto_pong = False
        self.socket: ClientSocket | None = None
        self._polls: list[ClientRequest] = []

    @property
    def sid(self) -> str:
        """The session's id."""
        return str(self.handshake["sid"])

    @property
    def polling(self) -> bool:
        """Whether a GET is under way."""
        return bool(self._polls)

    # Actions.

    def request(self, method: str = "GET", *, headers: Headers = (), **query: str) -> ClientRequest:
        """Any request; without a query, a polling one of this session."""
        return ClientRequest(self, method, self._target("polling", query), headers)

    def open_polling(self) -> ClientRequest:
        """The handshake."""
        request = self.request()
        self._polls.append(request)
        return request

    def poll(self) -> ClientRequest:
        """A GET."""
        request = self.request()
        self._polls.append(request)
        return request

    def post(self, *packets: str | bytes) -> ClientRequest:
        """A POST of these packets, in one piece."""
        request = self.request("POST")
        request.send(payload(*packets) if self.eio == "4" else payload3(*packets))
        request.end()
        return request

    def websocket(self, *, headers: Headers = (), window: int | None = None, **query: str) -> ClientSocket:
        """A WebSocket: the session's own, or a candidate when the session has an id."""
        socket = ClientSocket(self, self._target("websocket", query), headers, window)
        if "sid" not in self.handshake:
            self.socket = socket
        return socket

    def _target(self, transport: str, query: dict[str, str]) -> str:
        given = {"EIO": self.eio, "transport": transport}
        if self.eio == "3":
            given["b64"] = "1"
        if "sid" in self.handshake:
            given["sid"] = self.sid
        return self.path + "?" + urlencode({**given, **query})

    # What comes back.

    def answered(self, request: ClientRequest) -> None:
        """A request has its end."""
        response = request.response
        if request not in self._polls:
            return
        self._polls.remove(request)
        if response is None or response.status != 200:
            return
        text = response.body.decode()
        for packet in text.split("\x1e") if self.eio == "4" else packets3(text):
            self.packet(packet, None)
        if self.auto_poll:
            self.poll()

    def packet(self, packet: str | bytes, socket: ClientSocket | None) -> None:
        """One packet, from the given WebSocket or from polling."""
        if isinstance(packet, bytes):
            self.received.append(packet)
        elif packet[0] == "4":
            self.received.append(packet[1:])
        elif packet[0] == "b":
            self.received.append(b64decode(packet[1 if self.eio == "4" else 2 :]))
        else:
            self.packets.append((self.host.clock.now, packet))
            if packet[0] == "0":
                self.handshake = json.loads(packet[1:])
            elif packet == "1":
                self.auto_poll = False
            elif packet == "2" and self.auto_pong:
                if socket is not None:
                    socket.send("3")
                else:
                    self.post("3")


def payload(*packets: str | bytes) -> bytes:
    """A POST's body."""
    texts = [p if isinstance(p, str) else "b" + b64encode(p).decode() for p in packets]
    return "\x1e".join(texts).encode()


def payload3(*packets: str | bytes) -> bytes:
    """The same of protocol 3: each packet behind its length, in UTF-16 code units."""
    texts = [text3(packet) for packet in packets]
    return "".join(f"{len(text.encode('utf-16-le')) // 2}:{text}" for text in texts).encode()


def text3(packet: str | bytes) -> str:
    """A packet as a client of protocol 3 without binary support writes it."""
    return packet if isinstance(packet, str) else "b4" + b64encode(packet).decode()


def packets3(payload: str) -> list[str]:
    """The packets of a payload of protocol 3; they are ASCII here, so code units are characters."""
    packets: list[str] = []
    while payload:
        length, _, rest = payload.partition(":")
        packets.append(rest[: int(length)])
        payload = rest[int(length) :]
    return packets
