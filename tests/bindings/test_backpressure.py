"""What is sent to a client that does not read: who waits, what is dropped, when it is closed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from tests.bindings.client import DEADLINE, Client
from tests.bindings.harness import Binding, Recorder, Running

Serve = Callable[..., Running]
Connect = Callable[..., Client]

# More than the kernel's two buffers hold, however they are tuned, and less than `max_send_buffer`.
TOO_MUCH = 12_000_000
SLOW = 4096
"""Bytes of a slow reader's receive buffer."""


def only(io: Any) -> Any:
    (socket,) = io.sockets.sockets.values()
    return socket


def server(binding: Binding, **options: Any) -> Any:
    io = binding.server(**options)
    io.on("echo", lambda socket, *args: args)
    return io


class TestAwaitingEmit:
    def test_it_is_ready_for_a_client_that_reads(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str
    ) -> None:
        io = server(binding)
        running = serve(io)
        client = connect(running, transport)

        async def job() -> list[Any]:
            return [await only(io).emit("n", n) for n in range(3)] + [only(io).volatile.emit("v")]

        results = running.start(job).result(DEADLINE)
        assert results[:3] == [None] * 3
        assert results[3] is io.runtime.ready, "one object for all that need not wait"
        assert [client.event() for _ in range(3)] == [["n", 0], ["n", 1], ["n", 2]]

    def test_whether_it_is_a_checkpoint(self, binding: Binding, serve: Serve, connect: Connect) -> None:
        """Of trio every await is; asyncio's custom is to go on at once when there is nothing to wait for."""
        io = server(binding)
        running = serve(io)
        connect(running)

        async def job() -> bool:
            steps = only(io).emit("n").__await__()
            try:
                while inspect.isgenerator(steps) or hasattr(steps, "send"):
                    next(steps)
                    return True
            except StopIteration:
                pass
            return False

        async def under_trio() -> bool:
            import trio.testing

            with trio.testing.assert_checkpoints():
                await only(io).emit("n")
            with trio.testing.assert_checkpoints():
                await io.emit("n")
            return True

        if binding.name == "trio":
            assert running.start(under_trio).result(DEADLINE)
        else:
            assert not running.start(job).result(DEADLINE)

    @pytest.mark.parametrize("end", ["client reads", "client vanishes", "server disconnects", "cancelled"])
    def test_over_the_mark_it_waits(
        self, binding: Binding, serve: Serve, connect: Connect, end: str
    ) -> None:
        io = server(binding, high_water_mark=1000)
        running = serve(io)
        slow = connect(running, receive_buffer=SLOW)
        other = connect(running)
        socket = running.call(lambda: io.sockets.sockets[slow.id])

        async def job() -> str:
            await socket.emit("big", "x" * TOO_MUCH)
            await socket.emit("small")
            return "went on"

        waiting = running.start(job)
        # The server's loop has turned many times when the other client has its answers.
        for number in range(20):
            assert other.call("echo", number) == [number]
        assert not waiting.done()
        assert running.call(lambda: socket.conn.buffered_bytes) > 1000
        if end == "client reads":
            assert len(slow.event()[1]) == TOO_MUCH
            assert slow.event() == ["small"]
        elif end == "client vanishes":
            slow.close()
        elif end == "server disconnects":
            running.call(lambda: socket.disconnect(close=True))
        else:
            running.stop_job(waiting)
            assert len(slow.event()[1]) == TOO_MUCH, "what was queued is sent all the same"
            return
        assert waiting.result(DEADLINE) == "went on"

    def test_over_polling_it_waits_for_the_next_poll(
        self, binding: Binding, serve: Serve, connect: Connect
    ) -> None:
        io = server(binding, high_water_mark=1000)
        running = serve(io)
        client = connect(running, "polling")

        async def job() -> str:
            await only(io).emit("big", "x" * 2000)
            return "went on"

        waiting = running.start(job)
        client.emit("echo")
        assert not waiting.done()
        assert client.event() == ["big", "x" * 2000]
        # Only the next poll tells that this one's answer arrived.
        client.transport.poll.start("GET", client.transport.target)
        assert waiting.result(DEADLINE) == "went on"


class TestSlowReader:
    def test_it_loses_volatile_events_before_any_bound_acts(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        # 64 MB are offered: four times the send buffer's bound, which would close the connection.
        io = server(binding)
        io.on("disconnect", lambda socket, reason: seen(reason))
        running = serve(io)
        slow = connect(running, receive_buffer=SLOW)
        count = 4000

        async def job() -> int:
            most = 0
            for number in range(count):
                await only(io).volatile.emit("v", number, "x" * 16_000)
                await binding.checkpoint()
                most = max(most, only(io).conn.buffered_bytes)
            only(io).emit("end")
            return most

        most = running.start(job).result(3 * DEADLINE)
        got = []
        while (event := slow.event())[0] == "v":
            got.append(event[1])
        assert event == ["end"]
        assert got == sorted(set(got)), "what arrives is in order"
        assert got[0] == 0 and len(got) < count
        assert most <= 3 * 16_100, "what did not fit the kernel's buffers was not queued"
        assert slow.call("echo", "alive") == ["alive"]
        assert not seen.items

    def test_a_client_that_reads_loses_none(
        self, binding: Binding, serve: Serve, connect: Connect
    ) -> None:
        """What the kernel takes at once is written at once: the next pass finds the client writable."""
        io = server(binding)
        io.on("again", lambda socket, number: socket.volatile.emit("v", number) and None)
        client = connect(serve(io))
        for number in range(200):
            client.emit("again", number)
            assert client.event() == ["v", number]

    def test_the_bound_of_the_send_buffer_closes_it(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        io = server(binding, max_send_buffer=100_000)

        @io.on("disconnect")
        def disconnected(socket: Any, reason: str, description: str) -> None:
            seen((str(reason), description))

        running = serve(io)
        slow, other = connect(running, transport, receive_buffer=SLOW), connect(running)
        socket = running.call(lambda: io.sockets.sockets[slow.id])

        async def job() -> int:
            sent = 0
            while socket.connected and sent < 4000:
                socket.emit("big", "x" * 16_000)  # not awaited: nothing slows this down
                sent += 1
                await binding.checkpoint()
            return sent

        assert running.start(job).result(3 * DEADLINE) < 4000
        ((reason, description),) = seen.wait()
        assert reason == "forced close"
        assert "send buffer full" in description and "max_send_buffer=100000" in description
        assert running.logged("send buffer full"), "a close by a bound is logged"
        assert other.call("echo", "alive") == ["alive"]

    def test_one_message_of_any_size_fits_an_empty_buffer(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str
    ) -> None:
        io = server(binding, max_send_buffer=1000)
        running = serve(io)
        client = connect(running, transport)
        running.call(lambda: only(io).emit("big", "x" * 50_000) and None)
        assert client.event() == ["big", "x" * 50_000]
        assert client.call("echo", "alive") == ["alive"]
