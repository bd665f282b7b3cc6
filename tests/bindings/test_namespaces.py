"""Dynamic namespaces, class-based ones, and what is done to all sockets, on every runtime."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.bindings.client import CONNECT, DISCONNECT, Client, Packet
from tests.bindings.harness import Binding, Recorder, Running

Serve = Callable[..., Running]
Connect = Callable[..., Client]


def test_a_pattern(binding: Binding, serve: Serve, connect: Connect, transport: str) -> None:
    io = binding.server(cleanup_empty_child_namespaces=True)
    parent = io.of(re.compile(r"^/dyn-\d+$"))
    parent.on("where", lambda socket: socket.namespace.name)
    running = serve(io)
    one = connect(running, transport, namespace="/dyn-1")
    two = connect(running, transport, namespace="/dyn-2")
    assert (one.call("where"), two.call("where")) == (["/dyn-1"], ["/dyn-2"])
    running.call(parent.emit, "all", 7)
    assert one.event() == two.event() == ["all", 7]
    assert sorted(io.namespaces) == ["/", "/dyn-1", "/dyn-2"]
    running.call(parent.disconnect_sockets)
    assert sorted(io.namespaces) == ["/"]


def test_an_async_function(binding: Binding, serve: Serve, connect: Connect, transport: str) -> None:
    io = binding.server()

    async def allow(name: str, auth: Any) -> bool:
        await binding.checkpoint()
        return bool(auth.get("key") == "k")

    io.of(allow).on("echo", lambda socket, value: value)
    running = serve(io)
    client = connect(running, transport)
    refusal = client.join("/any", {"key": "x"})
    assert refusal.data == {"message": "Invalid namespace"}
    client.join("/any", {"key": "k"})
    client.namespace = "/any"
    assert client.call("echo", 7) == [7]


def test_a_client_that_goes_cancels_the_function(
    binding: Binding, serve: Serve, connect: Connect, seen: Recorder
) -> None:
    io = binding.server()

    async def never(name: str) -> bool:
        seen("asked")
        try:
            await binding.forever()
        except binding.cancelled:
            seen("cancelled")
            raise
        return True

    io.of(never)
    client = connect(serve(io))
    client.send(Packet(CONNECT, "/x"))
    seen.wait()
    client.close()
    assert seen.wait(2) == ["asked", "cancelled"]
    assert list(io.namespaces) == ["/"]


def test_a_class(binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder) -> None:
    class Chat(binding.module.ClassNamespace):  # type: ignore[misc, name-defined]
        def on_connection(self, socket: Any) -> None:
            socket.join("room")

        async def on_say(self, socket: Any, text: str) -> int:
            await self.to("room").emit("said", text)
            return len(await self.in_("room").fetch_sockets())

        async def on_disconnect(self, socket: Any, reason: str) -> None:
            await binding.checkpoint()
            seen(str(reason))

    io = binding.server()
    io.register_namespace(Chat("/chat"))
    client = connect(serve(io), transport, namespace="/chat")
    assert client.call("say", "hi") == [1]
    assert client.event() == ["said", "hi"]
    client.send(Packet(DISCONNECT, "/chat"))
    assert seen.wait() == ["client namespace disconnect"]


def test_alone_in_the_cluster(binding: Binding, serve: Serve) -> None:
    io = binding.server()
    running = serve(io)

    async def ask() -> Any:
        return await io.server_side_emit_with_ack("load")

    assert running.start(ask).result(10) == []
    (record,) = running.logged("does not support the server_side_emit() functionality")
    assert record.levelname == "WARNING"
