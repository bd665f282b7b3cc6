"""What users put on one socket: its own handlers, catch-all listeners, per-packet middlewares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.bindings.client import DISCONNECT, Client, Packet
from tests.bindings.harness import Binding, Recorder, Running

Serve = Callable[..., Running]
Connect = Callable[..., Client]


def test_handlers_of_one_socket(
    binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
) -> None:
    io = binding.server()

    @io.on("connection")
    async def connected(socket: Any) -> None:
        name = socket.handshake.auth["name"]

        @socket.on("who")
        async def who(greeting: str) -> str:
            await binding.checkpoint()
            return f"{greeting}, {name}"

        socket.once("first", lambda: "only once")
        socket.on("disconnect", lambda reason: seen((name, reason)))

    running = serve(io)
    ada = connect(running, transport, auth={"name": "Ada"})
    bob = connect(running, transport, auth={"name": "Bob"})
    assert (ada.call("who", "Hello"), bob.call("who", "Hi")) == (["Hello, Ada"], ["Hi, Bob"])
    assert ada.call("first") == ["only once"]
    ada.emit("first")
    ada.send(Packet(DISCONNECT))
    assert seen.wait() == [("Ada", "client namespace disconnect")]


def test_handlers_start_in_the_order_of_arrival_behind_async_middlewares(
    binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
) -> None:
    io = binding.server()

    @io.on("connection")
    def connected(socket: Any) -> None:
        @socket.use
        async def decide(packet: list[Any]) -> None:
            for _ in range(packet[1] % 3):
                await binding.checkpoint()
            if packet[1] == 4:
                raise ValueError("not four")

        socket.on("error", lambda error: seen(str(error)))

        async def first(n: int) -> None:
            seen(("first", n))
            await binding.checkpoint()

        async def second(n: int) -> None:
            seen(("second", n))
            await binding.checkpoint()

        socket.on("n", first)
        socket.on("n", second)

    client = connect(serve(io), transport)
    for n in range(8):
        client.emit("n", n)
    expected: list[Any] = []
    for n in range(8):
        expected += ["not four"] if n == 4 else [("first", n), ("second", n)]
    assert seen.wait(len(expected)) == expected


def test_all_events_both_ways(
    binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
) -> None:
    io = binding.server()

    @io.on_any
    async def overheard(socket: Any, event: str, *args: Any) -> None:
        seen(("in", event, *args))
        await binding.checkpoint()

    @io.on("connection")
    def connected(socket: Any) -> None:
        socket.on_any_outgoing(lambda event, *args: seen(("out", event, *args)))
        socket.emit("welcome", b"x")

    @io.on("all")
    def all_of_them(socket: Any, n: int) -> int:
        io.emit("news", n)
        return n

    client = connect(serve(io), transport)
    assert client.event() == ["welcome", b"x"]
    assert client.call("all", 7) == [7]
    assert seen.wait(3) == [("out", "welcome", b"x"), ("in", "all", 7), ("out", "news", 7)]


def test_a_middleware_that_raises_and_nobody_hears_is_logged(
    binding: Binding, serve: Serve, connect: Connect
) -> None:
    io = binding.server()

    @io.on("connection")
    def connected(socket: Any) -> None:
        socket.on("fine", lambda: "yes")

        @socket.use
        async def decide(packet: list[Any]) -> None:
            await binding.checkpoint()
            if packet[0] != "fine":
                raise ValueError("swordfish")

    running = serve(io)
    client = connect(running)
    client.emit("x")
    assert client.call("fine") == ["yes"]
    (record,) = running.logged("handler of 'use'")
    assert record.exc_info is not None and "swordfish" in str(record.exc_info[1])
