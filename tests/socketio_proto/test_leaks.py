"""With the garbage collector off, ten thousand clients that come and go leave nothing behind."""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from engineio_proto import Exchange, Link, Request, Session
from socketio_proto import Connection, ConnectionRefused, Server, Socket
from socketio_proto._acks import Ack, PendingAck

from tests.sim.clock import Clock
from tests.sim.runtime import Start, VirtualRuntime, VirtualWaiter

KINDS = (Socket, Connection, Session, Link, Exchange, PendingAck, Ack, VirtualWaiter, Request)
ROUNDS = 10_000


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def alive() -> Counter[str]:
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, KINDS))


class Mill:
    """The least that drives a server: no pipes, no host."""

    def __init__(self, start: Start) -> None:
        self.clock = Clock()
        self.runtime = VirtualRuntime(self.clock, start)
        self.choose = random.Random(7)
        self.server = Server(
            {"max_handlers": 2, "high_water_mark": 50},
            runtime=self.runtime,
            random_bytes=self.choose.randbytes,
            wall_clock=lambda: 0.0,
        )
        self.runtime.after_turn = self.settle
        server = self.server

        @server.of("/closed").use
        def refuse(socket: Socket) -> None:
            socket.join("early")
            raise ConnectionRefused("no")

        @server.of("/slow").use
        async def slow(socket: Socket) -> None:
            socket.join("early")
            self.listen(socket)
            await self.runtime.sleep(self.choose.choice([0.0, 50.0]))

        @server.on("connection")
        async def connected(socket: Socket) -> None:
            socket.join("room")
            socket.data["self"] = "x"
            if self.choose.random() < 0.3:
                self.listen(socket)
            await socket.timeout(0.5).emit_with_ack("question")

        @server.on("work")
        async def work(socket: Socket, *args: object, ack: Ack) -> None:
            await self.runtime.sleep(0.25)
            ack(len(args))
            await socket.to("room").emit("worked", *args)
            await socket.emit("worked", "x" * 40)
            await socket.emit("worked", "x" * 40)

        @server.on("many")
        async def many(socket: Socket) -> None:
            await server.to("room").timeout(0.5).emit_with_ack("many")

        @server.on("bad")
        def bad(socket: Socket) -> None:
            raise KeyError

    def listen(self, socket: Socket) -> None:
        """Listeners that hold the socket that holds them."""
        socket.on("work", lambda *args: socket.id)
        socket.once("many", lambda: socket.id)
        socket.once("disconnect", lambda reason: socket.id)
        socket.on_any_outgoing(lambda event, *args: socket.id)

        @socket.on_any
        def overhear(event: str, *args: object, ack: Ack) -> None:
            if self.choose.random() < 0.1:
                ack("overheard", socket.id)

        @socket.use
        async def decide(packet: list[object]) -> None:
            await self.runtime.sleep(self.choose.choice([0.0, 0.0, 0.25]))
            if packet[0] == "bad":
                raise KeyError(socket)

    def settle(self) -> None:
        while events := self.server.take_events():
            self.server.dispatch(events)
        self.server.dirty.take()

    def pass_(self, events: object) -> None:
        self.server.dispatch(events)  # type: ignore[arg-type]
        self.settle()
        self.runtime.reports.clear()

    def visit(self) -> None:
        now, server = self.clock.now, self.server
        link = Link(object(), Request("GET", "/socket.io/?EIO=4&transport=websocket"), now=now)
        self.pass_(server.receive_upgrade(link, now))
        for _ in range(self.choose.randrange(6)):
            text = self.choose.choice(
                [
                    "40", "40", "40", "40", "40/closed,", "40/slow,", "40/nowhere,", '42["work",1]', '42["many"]',
                    '427["work"]', '42["bad"]', '42["work",1,2]', "430[1]", "41", "1", "z", "4x", "40/slow,",
                    '451-["work",{"_placeholder":true,"num":0}]',
                ]
            )  # fmt: skip
            self.pass_(server.receive_text(link, text, now))
            if text.startswith("451") and self.choose.random() < 0.5:
                self.pass_(server.receive_bytes(link, b"x", now))
            if self.choose.random() < 0.7:
                link.take()
        if self.choose.random() < 0.3:
            server.link_blocked(link)
        if self.choose.random() < 0.5:
            self.turn()
        if self.choose.random() < 0.05:
            for socket in list(server.sockets.sockets.values()):
                socket.disconnect(self.choose.random() < 0.5)
            self.settle()
        self.pass_(server.link_closed(link, now, self.choose.choice([None, "reset"])))

    def poll(self) -> None:
        now, server = self.clock.now, self.server
        opened = Exchange(object(), Request("GET", "/socket.io/?EIO=4&transport=polling"))
        self.pass_(server.receive_request(opened, now))
        response = opened.take_response()
        assert response is not None
        sid = response.body.decode().partition('"sid":"')[2][:20]
        target = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
        poll = Exchange(object(), Request("GET", target))
        self.pass_(server.receive_request(poll, now))
        post = Exchange(object(), Request("POST", target))
        self.pass_(server.receive_request(post, now))
        body = self.choose.choice([b"40", b"40/slow,", b'40\x1e42["work"]', b"4x", b"40\x1e41", b"40\x1e1"])
        self.pass_(server.receive_body(post, body, now))
        if self.choose.random() < 0.8:
            self.pass_(server.receive_body_end(post, now))
            poll.take_response()
        self.pass_(server.exchange_closed(post, now))
        self.pass_(server.exchange_closed(poll, now))

    def turn(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)
        self.pass_(self.server.handle_timeout(self.clock.now))


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("start", [Start.EAGER, Start.REVERSED])
def test_ten_thousand_visits(start: Start) -> None:
    mill = Mill(start)
    before = alive()
    for n in range(ROUNDS):
        (mill.poll if n % 3 == 0 else mill.visit)()
        if n % 16 == 0:
            mill.turn(0.25)
    for _ in range(10):
        mill.turn(50.0)
    server = mill.server
    assert mill.runtime.tasks == []
    assert server.engine.sessions == {}
    for namespace in server.namespaces.values():
        assert (namespace.sockets, namespace.adapter._rooms, namespace.adapter._sockets) == ({}, {}, {})
    assert server.deadline is None
    assert server.take_events() == []
    assert alive() - before == Counter()
