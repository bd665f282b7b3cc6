"""Our Socket.IO `Server` and scripted clients over virtual time.

    stage = Stage()
    ada = stage.connect()
    ada.send('2["hello"]')
    stage.advance()
    assert ada.take() == [...]

What a client sends and gets is written as on the wire, without the Engine.IO digit: `2["hello"]` is an event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from socketio_proto import ClientFiles, Server, SocketEvent

from tests.sim.client import Client, ClientRequest, text3
from tests.sim.clock import Clock
from tests.sim.host import Host
from tests.sim.runtime import Start, Task, VirtualRuntime

_PING_INTERVAL = 25.0
ISSUED = 1_700_000_000.0


class Visitor(Client):
    """A client that speaks Socket.IO.

    Attributes:
        id: its socket's id in the namespace joined last.
        polls: whether it is on polling.
        left: it ended the connection itself.
    """

    def __init__(self, stage: Stage, *, latency: float = 0.0, old: bool = False) -> None:
        super().__init__(stage.host, latency=latency)
        self.path = stage.path
        if old:
            self.eio = "3"
        self.auto_pong = True
        self.stage = stage
        self.id = ""
        self.polls = False
        self.left = False
        self._latest: ClientRequest | None = None
        self._posting: ClientRequest | None = None
        self._unsent: list[str | bytes] = []

    def poll(self) -> ClientRequest:
        self._latest = super().poll()
        return self._latest

    def post(self, *packets: str | bytes) -> ClientRequest | None:  # type: ignore[override]
        """One POST at a time, as the official client; what it cannot take yet goes with the next."""
        self._unsent.extend(packets)
        if self._posting is None or not self._posting.pending:
            packets, self._unsent = tuple(self._unsent), []
            self._posting = super().post(*packets)
        return self._posting

    @property
    def posted(self) -> bool:
        """Whether its last POST was answered."""
        return self._posting is None or not self._posting.pending

    def answered(self, request: ClientRequest) -> None:
        super().answered(request)
        if request is self._posting and self._unsent and not request.aborted:
            self.post()

    def upgrade(self) -> None:
        """Change to WebSocket, as the official client: probe, stop polling, upgrade."""
        candidate = self.websocket()
        self.stage.advance(2 * self.latency)
        candidate.send("2probe")
        self.stage.advance(2 * self.latency)
        self.auto_poll = False
        self.stage.advance(0.1 + 2 * self.latency)  # a noop ends the last GET
        if (self._posting is None or not self._posting.pending) and not self.polling and not candidate.closed:
            assert candidate.packets[0] == "3probe"
            candidate.send("5")
            self.socket, self.polls = candidate, False
            self.stage.advance(2 * self.latency)
        else:
            candidate.close()
            if not self.polling:
                self.auto_poll = True
                self.poll()

    def open(self, *, polling: bool = False, window: int | None = None) -> None:
        """The Engine.IO handshake, on the way."""
        if self.eio == "3":
            self.stage.clock.call_later(_PING_INTERVAL, self._ping)
        self.polls = self.auto_poll = polling
        if polling:
            self.open_polling()
        else:
            self.websocket(window=window)

    def _ping(self) -> None:
        """A client of protocol 3 asks whether the server is there."""
        if not self.gone and not self.left:
            self.stage.clock.call_later(_PING_INTERVAL, self._ping)
            if self.socket is not None:
                self.socket.send("2")
            else:
                self.post("2")

    def send(self, *messages: str | bytes) -> None:
        """Messages: frames of one segment, or the payload of one POST."""
        packets = [message if isinstance(message, bytes) else "4" + message for message in messages]
        if self.eio == "3":
            packets = [text3(packet) for packet in packets]
        if self.socket is not None:
            self.socket.send(*packets)
        else:
            self.post(*packets)

    def join(self, namespace: str = "/", auth: Any = None) -> str:
        """Ask for a namespace and return the id of the socket there."""
        text = (
            "0" + ("" if namespace == "/" else namespace + ",") + ("" if auth is None else json.dumps(auth))
        )
        self.send(text)
        self.stage.advance(4 * self.latency)
        reply = self.received.pop()
        head, _, body = str(reply).partition("{")
        assert head == ("0" if namespace == "/" else f"0{namespace},"), reply
        self.id = str(json.loads("{" + body)["sid"])
        return self.id

    def take(self) -> list[str | bytes]:
        """What came since the last time."""
        received, self.received = self.received, []
        return received

    def leave(self) -> None:
        """Be gone without a word."""
        self.left = True
        if self.socket is not None:
            self.socket.drop()
        else:
            self.auto_poll = False
            assert self._latest is not None
            self._latest.drop()

    def say_goodbye(self, *messages: str) -> None:
        """Messages and the end of the session, at once."""
        self.left = True
        self.auto_poll = False
        packets = [*("4" + message for message in messages), "1"]
        if self.socket is not None:
            self.socket.send(*packets)
        else:
            self.post(*packets)

    @property
    def gone(self) -> bool:
        """Whether the server ended the connection."""
        if self.socket is not None:
            return self.socket.closed
        return any(packet == "1" for _, packet in self.packets)


class Stage:
    """A server on virtual time.

    Attributes:
        server, runtime, clock, host: the parts.
        events: what the server said, in order.
        path: where it serves.
    """

    path = "/socket.io/"

    def __init__(
        self,
        *,
        start: Start = Start.EAGER,
        client_files: ClientFiles | None = None,
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        self.clock = clock if clock is not None else Clock()
        self._begin = self.clock.now
        self._ids = 0
        self.runtime = VirtualRuntime(self.clock, start)
        self.server = self.make(options, client_files)
        self.events: list[SocketEvent] = []
        self.host: Host[SocketEvent] = Host(self.clock, self.server, self._dispatch)
        self.woken = False
        self.runtime.after_turn = self._pass
        self.server.dirty.wake = self._wake

    def make(self, options: dict[str, Any], client_files: ClientFiles | None) -> Any:
        """The server."""
        return Server(
            options,
            runtime=self.runtime,
            random_bytes=self.random,
            wall_clock=lambda: ISSUED,
            client_files=client_files,
        )

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return round(self.clock.now - self._begin, 6)

    def advance(self, seconds: float = 0.0) -> None:
        """Let time pass; what commands of the test caused is looked after first."""
        self._pass()
        self.clock.advance(seconds)

    def visitor(
        self, *, polling: bool = False, latency: float = 0.0, window: int | None = None, old: bool = False
    ) -> Visitor:
        """A client after the Engine.IO handshake; an old one speaks protocol 3, and is in "/" then."""
        visitor = Visitor(self, latency=latency, old=old)
        visitor.open(polling=polling, window=window)
        self.advance(2 * latency)
        return visitor

    def connect(
        self,
        namespace: str = "/",
        *,
        auth: Any = None,
        polling: bool = False,
        latency: float = 0.0,
        window: int | None = None,
    ) -> Visitor:
        """A client that joined a namespace."""
        visitor = self.visitor(polling=polling, latency=latency, window=window)
        visitor.join(namespace, auth)
        return visitor

    def socket(self, visitor: Visitor, namespace: str = "/") -> Any:
        """The server's side of a client in a namespace."""
        return self.server.of(namespace).sockets[visitor.id]

    def run(self, body: Coroutine[Any, Any, Any]) -> Task:
        """A task of the user's own."""
        task = self.runtime.run(body)
        self.advance()
        return task

    def command(self, call: Callable[..., Any], *arguments: Any) -> None:
        """A command that returns events, such as `close`."""
        self.host.run(call, *arguments)
        self.advance()

    def random(self, size: int) -> bytes:
        """Bytes that are not."""
        self._ids += 1
        return self._ids.to_bytes(size, "big")

    def _dispatch(self, event: SocketEvent) -> None:
        self.events.append(event)
        self.server.dispatch((event,))

    def _wake(self) -> None:
        self.woken = True

    def _pass(self) -> None:
        # What waits must have woken its driver: an input is not to be relied on.
        assert self.woken or not len(self.server.dirty)
        self.woken = False
        self.host.wake()
