"""Connection state recovery over real connections, on each runtime."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.bindings.client import CONNECT, DEADLINE, Client, Packet
from tests.bindings.harness import Binding, Running

Serve = Callable[..., Running]
Connect = Callable[..., Client]


@pytest.mark.parametrize("skip", [True, False])
def test_back_after_a_lost_connection(
    binding: Binding, serve: Serve, connect: Connect, transport: str, skip: bool
) -> None:
    io = binding.server(connection_state_recovery={"skip_middlewares": skip})
    gone = threading.Event()
    passed: list[bool] = []

    @io.use
    async def door(socket: Any) -> None:
        await binding.checkpoint()
        passed.append(socket.recovered)

    @io.on("connection")
    def connected(socket: Any) -> None:
        socket.join("room")
        socket.data["visits"] = socket.data.get("visits", 0) + 1
        socket.emit("welcome", socket.recovered)

    @io.on("disconnect")
    async def disconnected(socket: Any, reason: str) -> None:
        await binding.checkpoint()
        io.to("room").emit("missed", b"1")
        socket.emit("missed", 2)
        gone.set()

    running = serve(io)
    client = connect(running, transport, namespace=None)
    told = client.join().data
    event, recovered, offset = client.event()
    assert (event, recovered) == ("welcome", False)
    if transport == "polling":
        client.transport.send(["1"])  # without a GET pending, nobody would know
    client.close()
    assert gone.wait(DEADLINE)

    again = connect(running, transport, namespace=None)
    again.send(Packet(CONNECT, data={"pid": told["pid"], "offset": offset}))
    first, second = again.event(), again.event()
    assert (first[:2], second[:2]) == (["missed", b"1"], ["missed", 2])
    answer = again.receive()
    assert (answer.type, answer.data) == (CONNECT, told)
    assert again.event()[:2] == ["welcome", True]
    (socket,) = io.sockets.sockets.values()
    assert (socket.id, socket.data, socket.rooms) == (told["sid"], {"visits": 2}, {told["sid"], "room"})
    assert passed == ([False] if skip else [False, True])
