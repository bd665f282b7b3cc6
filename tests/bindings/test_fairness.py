"""Order of handlers, how many run at once, and that one client's burst does not starve the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.bindings.client import ACK, DEADLINE, EVENT, Client, Packet
from tests.bindings.harness import Binding, Recorder, Running

Serve = Callable[..., Running]
Connect = Callable[..., Client]

SLICE = 64
"""Events of one connection that are handled before others get their turn (`slice`, `max_events_per_slice`)."""


class TestOrder:
    @pytest.mark.parametrize("kinds", ["async", "sync", "mixed"])
    def test_a_thousand_events_in_one_segment_start_in_order(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, kinds: str, seen: Recorder
    ) -> None:
        io = binding.server()

        @io.on("sync")
        def sync(socket: Any, number: int) -> None:
            seen(number)

        @io.on("async")
        async def asynchronous(socket: Any, number: int) -> None:
            seen(number)
            for _ in range(number % 7):  # some end at once, some overlap with those that come after
                await binding.checkpoint()

        client = connect(serve(io), transport)
        names = {"async": ["async"], "sync": ["sync"], "mixed": ["async", "sync", "sync", "async", "sync"]}
        chosen = names[kinds]
        client.send(*(Packet(EVENT, data=[chosen[n % len(chosen)], n]) for n in range(1000)))
        assert seen.wait(1000) == list(range(1000))

    def test_connection_comes_before_the_first_event_and_disconnect_after_the_last(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        io = binding.server(max_handlers=2)

        @io.on("connection")
        async def connected(socket: Any) -> None:
            seen("connection")
            await binding.checkpoint()

        @io.on("event")
        async def event(socket: Any, number: int) -> None:
            seen(number)
            await binding.checkpoint()

        @io.on("disconnect")
        async def disconnected(socket: Any, reason: str) -> None:
            seen("disconnect")

        client = connect(serve(io), namespace=None)
        # CONNECT, the events and the end in one segment.
        client.transport.send(["40", *(f'42["event",{n}]' for n in range(100)), "41"])
        assert seen.wait(102) == ["connection", *range(100), "disconnect"]

    def test_several_handlers_of_one_event(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        io = binding.server()

        @io.on("event")
        async def first(socket: Any, number: int) -> str:
            seen((1, number))
            await binding.checkpoint()
            return "first"

        @io.on("event")
        def second(socket: Any, number: int) -> str:
            seen((2, number))
            return "second"

        client = connect(serve(io))
        assert client.call("event", 5) == ["first"], "the first registered one's value is the acknowledgement"
        assert sorted(seen.wait(2)) == [(1, 5), (2, 5)]


class TestHandlersInFlight:
    def test_a_hundred_that_await_an_ack_of_the_same_client(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        io = binding.server(max_handlers=16, ping_interval=0.05, ping_timeout=5.0)
        running, most = 0, 0

        @io.on("ask me")
        async def ask(socket: Any, number: int) -> Any:
            nonlocal running, most
            running += 1
            most = max(most, running)
            answer = await socket.emit_with_ack("question", number)
            running -= 1
            return answer

        io.on("disconnect", lambda socket, reason: seen(reason))
        client = connect(serve(io), transport)
        client.send(*(Packet(EVENT, id=n, data=["ask me", n]) for n in range(100)))
        answered: dict[int | None, Any] = {}
        questions: list[Packet] = []
        while len(answered) < 100:
            packet = client.receive()
            if packet.type == ACK:
                answered[packet.id] = packet.data
                continue
            questions.append(packet)
            assert packet.data[0] == "question"
            # No answer before all that may run do run.
            for question in questions if len(questions) == 16 else questions[-1:] if len(questions) > 16 else []:
                client.acknowledge(question.id, question.data[1] * 2)
        assert answered == {n: [2 * n] for n in range(100)}
        assert (len(questions), most) == (100, 16)
        assert not seen.items, "nobody was disconnected"

    def test_the_bound_is_per_connection(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        io = binding.server(max_handlers=2)
        release = Recorder()

        @io.on("wait")
        async def wait(socket: Any, number: int) -> int:
            event = binding.event()
            release(event)
            seen(number)
            await event.wait()
            return number

        running = serve(io)
        first, second = connect(running), connect(running)
        first.send(*(Packet(EVENT, id=n, data=["wait", n]) for n in range(5)))
        assert seen.wait(2) == [0, 1]
        second.emit("wait", 10, ack=0)
        assert seen.wait(3) == [0, 1, 10], "another client is not held up"
        for number in range(6):
            running.call(release.wait(number + 1)[number].set)
        assert sorted(first.receive().data[0] for _ in range(5)) == [0, 1, 2, 3, 4]
        assert second.receive().data == [10]

    def test_an_inbox_that_overflows_while_acks_are_awaited_closes_the_connection(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        io = binding.server(max_handlers=1, max_inbox=4)

        @io.on("ask me")
        async def ask(socket: Any) -> None:
            await socket.emit_with_ack("question")

        io.on("disconnect", lambda socket, reason: seen(str(reason)))
        running = serve(io)
        client = connect(running)
        client.send(*(Packet(EVENT, data=["ask me"]) for _ in range(1000)))
        client.until_closed()
        assert seen.wait() == ["forced server close"]
        assert running.logged("inbox full")

    def test_a_full_inbox_pauses_the_client(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        """Without acks awaited nothing is closed: the client waits, and every event is handled."""
        io = binding.server(max_handlers=1, max_inbox=4, ping_interval=0.05, ping_timeout=10.0)

        @io.on("event")
        async def event(socket: Any, number: int) -> None:
            await binding.checkpoint()
            seen(number)

        client = connect(serve(io), transport)
        client.send(*(Packet(EVENT, data=["event", n]) for n in range(2000)))
        assert seen.wait(2000) == list(range(2000))


class TestFairness:
    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_a_burst_delays_another_client_by_no_more_than_a_slice(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, kind: str, seen: Recorder
    ) -> None:
        """Proved by order: the first event of the burst waits, in the server's thread, until the other client's
        echo lies in the kernel. What is handled between is the rest of that slice and at most one slice more."""
        io = binding.server()
        begun, go_on = threading.Event(), threading.Event()
        handled = 0

        def tick(socket: Any) -> None:
            nonlocal handled
            handled += 1
            if handled == 1:
                begun.set()
                assert go_on.wait(DEADLINE)
            if handled == 20_000:
                seen("all")

        async def async_tick(socket: Any) -> None:
            tick(socket)

        io.on("tick", tick if kind == "sync" else async_tick)
        io.on("echo", lambda socket: handled)
        running = serve(io)
        bursting, other = connect(running, transport), connect(running)
        other.call("echo")
        burst = threading.Thread(target=bursting.send, args=[Packet(EVENT, data=["tick"])] * 20_000)
        burst.start()
        assert begun.wait(DEADLINE)
        other.emit("echo", ack=77)
        go_on.set()
        (before_echo,) = other.receive().data
        assert seen.wait() == ["all"]
        burst.join(DEADLINE)
        assert 1 <= before_echo <= 2 * SLICE
