"""Events and acknowledgements, both ways, text and binary, over both transports."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.bindings.client import ACK, BINARY_EVENT, CONNECT_ERROR, DEADLINE, Client, Packet, WebSocket
from tests.bindings.harness import Binding, Recorder, Running

Serve = Callable[..., Running]
Connect = Callable[..., Client]


def echo_server(binding: Binding, **options: Any) -> Any:
    """`echo` returns its arguments; `later` does after a checkpoint."""
    io = binding.server(**options)

    @io.on("echo")
    def echo(socket: Any, *args: Any) -> Any:
        return args

    @io.on("later")
    async def later(socket: Any, *args: Any) -> Any:
        await binding.checkpoint()
        return args

    return io


def the_socket(io: Any, namespace: str = "/") -> Any:
    """The only socket of a namespace."""
    (socket,) = io.of(namespace).sockets.values()
    return socket


class TestConnect:
    def test_handlers_get_the_socket(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        io = binding.server()

        @io.on("connection")
        async def connected(socket: Any) -> None:
            await binding.checkpoint()
            socket.emit("hello", socket.handshake.auth)
            seen((socket.id, socket.conn.transport))

        client = connect(serve(io), transport, auth={"token": "abc"})
        assert client.event() == ["hello", {"token": "abc"}]
        assert seen.wait() == [(client.id, transport)]

    def test_a_namespace_that_does_not_exist(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str
    ) -> None:
        client = connect(serve(binding.server()), transport, namespace=None)
        answer = client.join("/nowhere")
        assert (answer.type, answer.namespace) == (CONNECT_ERROR, "/nowhere")
        assert answer.data == {"message": "Invalid namespace"}

    def test_two_namespaces_on_one_connection(self, binding: Binding, serve: Serve, connect: Connect) -> None:
        io = echo_server(binding)
        io.of("/other").on("echo", lambda socket, *args: ("other", *args))
        client = connect(serve(io))
        client.join("/other")
        assert client.call("echo", 1) == [1]
        client.namespace = "/other"
        assert client.call("echo", 1) == ["other", 1]

    def test_data_of_a_refusal(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        io = binding.server()
        io.on("connection", seen)
        refused = binding.module.ConnectionRefused
        calls: list[str] = []

        @io.of("/sync").use
        def sync(socket: Any) -> None:
            raise refused("not you", {"code": 7})

        @io.of("/async").use
        async def ask(socket: Any) -> None:
            calls.append("first")
            await binding.checkpoint()
            if socket.handshake.auth.get("token") != "ok":
                raise refused("wrong token", {"got": socket.handshake.auth})

        @io.of("/async").use
        def second(socket: Any) -> None:
            calls.append("second")

        io.of("/async").on("echo", lambda socket, *args: args)
        client = connect(serve(io), transport, namespace=None)
        answer = client.join("/sync")
        assert (answer.type, answer.data) == (CONNECT_ERROR, {"message": "not you", "data": {"code": 7}})
        answer = client.join("/async", {"token": "no"})
        assert answer.type == CONNECT_ERROR
        assert answer.data == {"message": "wrong token", "data": {"got": {"token": "no"}}}
        assert calls == ["first"]
        assert client.join("/async", {"token": "ok"}).data["sid"]
        assert calls == ["first", "first", "second"]
        client.namespace = "/async"
        assert client.call("echo", 1) == [1]
        assert not seen.items, "nobody joined the main namespace"

    def test_a_middleware_with_a_bug_tells_nothing(
        self, binding: Binding, serve: Serve, connect: Connect
    ) -> None:
        io = binding.server()

        @io.use
        async def broken(socket: Any) -> None:
            await binding.checkpoint()
            raise RuntimeError("the password is swordfish")

        running = serve(io)
        answer = connect(running, namespace=None).join()
        assert (answer.type, answer.data) == (CONNECT_ERROR, {"message": "Internal error"})
        (record,) = running.logged("handler of 'use'")
        assert record.exc_info is not None and "swordfish" in str(record.exc_info[1])


class TestEcho:
    @pytest.mark.parametrize("event", ["echo", "later"])
    def test_the_value_returned_is_the_acknowledgement(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, event: str
    ) -> None:
        client = connect(serve(echo_server(binding)), transport)
        assert client.call(event) == []
        assert client.call(event, 1, "zwei", [3.5, None], {"vier": True}) == [
            1,
            "zwei",
            [3.5, None],
            {"vier": True},
        ]

    @pytest.mark.parametrize("event", ["echo", "later"])
    def test_binary(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, event: str
    ) -> None:
        client = connect(serve(echo_server(binding)), transport)
        blob = bytes(range(256)) * 300
        assert client.call(event, b"", {"deep": [blob]}, "x") == [b"", {"deep": [blob]}, "x"]

    def test_an_ack_to_call_later(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str
    ) -> None:
        io = binding.server()

        async def save(socket: Any, text: str, ack: Any) -> str:
            await binding.checkpoint()
            ack("saved", text)
            return "this is not sent"

        save.__annotations__["ack"] = binding.module.Ack
        io.on("save", save)
        client = connect(serve(io), transport)
        assert client.call("save", "poem") == ["saved", "poem"]
        assert client.call("save", "prose") == ["saved", "prose"]


class TestAckOfTheClient:
    def test_one_none_and_several_arguments(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str
    ) -> None:
        io = binding.server()
        running = serve(io)
        client = connect(running, transport)
        for answer, value in (([], None), ([5], 5), ([1, 2], (1, 2)), ([b"\x00\xff"], b"\x00\xff")):
            asking = running.start(lambda: the_socket(io).emit_with_ack("question", b"abc", 42))
            question = client.receive()
            assert (question.type, question.data) == (BINARY_EVENT, ["question", b"abc", 42])
            client.acknowledge(question.id, *answer)
            assert asking.result(DEADLINE) == value

    def test_timeout_and_disconnection_are_told_apart(
        self, binding: Binding, serve: Serve, connect: Connect
    ) -> None:
        io = binding.server()
        running = serve(io)
        module = binding.module
        client = connect(running)
        late = running.start(lambda: the_socket(io).timeout(0.05).emit_with_ack("never"))
        with pytest.raises(module.AckTimeout) as timeout:
            late.result(DEADLINE)
        asking = running.start(lambda: the_socket(io).timeout(1000).emit_with_ack("then gone"))
        assert [client.event(), client.event()] == [["never"], ["then gone"]]
        socket = running.call(the_socket, io)
        client.close()
        with pytest.raises(module.AckDisconnected) as disconnected:
            asking.result(DEADLINE)
        after = running.start(lambda: socket.emit_with_ack("nobody there"))
        with pytest.raises(module.AckDisconnected):
            after.result(DEADLINE)
        for error in (timeout.value, disconnected.value):
            assert isinstance(error, module.AckError)
        assert not isinstance(timeout.value, module.AckDisconnected)
        assert not isinstance(disconnected.value, module.AckTimeout)

    def test_an_answer_that_is_too_late_is_ignored(
        self, binding: Binding, serve: Serve, connect: Connect
    ) -> None:
        io = echo_server(binding)
        running = serve(io)
        client = connect(running)
        asking = running.start(lambda: the_socket(io).timeout(0.01).emit_with_ack("slow"))
        question = client.receive()
        with pytest.raises(binding.module.AckTimeout):
            asking.result(DEADLINE)
        client.acknowledge(question.id, "too late")
        assert client.call("echo", "alive") == ["alive"]

    def test_cancelling_removes_the_entry(self, binding: Binding, serve: Serve, connect: Connect) -> None:
        io = echo_server(binding)
        running = serve(io)
        client = connect(running)
        socket = running.call(the_socket, io)

        def pending() -> tuple[int, int]:
            return len(socket._acks or ()), socket.connection.awaiting

        asking = running.start(lambda: socket.emit_with_ack("question"))
        question = client.receive()
        assert running.call(pending) == (1, 1)
        running.stop_job(asking)
        assert running.call(pending) == (0, 0)
        client.acknowledge(question.id, "nobody waits")
        assert client.call("echo", "alive") == ["alive"]

    def test_of_a_broadcast(self, binding: Binding, serve: Serve, connect: Connect) -> None:
        io = binding.server()
        running = serve(io)
        clients = [connect(running), connect(running, "polling")]
        asking = running.start(lambda: io.timeout(1000).emit_with_ack("count"))
        for number, client in enumerate(clients):
            client.acknowledge(client.receive().id, number)
        assert sorted(asking.result(DEADLINE)) == [0, 1]

        asking = running.start(lambda: io.timeout(0.1).emit_with_ack("count"))
        clients[0].acknowledge(clients[0].receive().id, "only me")
        with pytest.raises(binding.module.AckTimeout) as timeout:
            asking.result(DEADLINE)
        # The question was sent first, but on a slow machine the answer may come after the deadline.
        assert timeout.value.responses in (["only me"], [])

    def test_timers_of_trio_work_inside_handlers(
        self, binding: Binding, serve: Serve, connect: Connect
    ) -> None:
        """A handler is a task of its loop: its timeouts, groups and cancellation work as everywhere."""
        if binding.name == "trio":
            import trio

            async def handler(socket: Any) -> Any:
                with trio.move_on_after(0.01) as scope:
                    await trio.sleep_forever()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(trio.lowlevel.checkpoint)
                return scope.cancelled_caught
        else:
            import asyncio

            async def handler(socket: Any) -> Any:
                try:
                    async with asyncio.timeout(0.01):
                        await asyncio.sleep(1000)
                except TimeoutError:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(asyncio.sleep(0))
                    return True

        io = binding.server()
        io.on("work", handler)
        assert connect(serve(io)).call("work") == [True]


class TestRooms:
    def test_to_and_except(self, binding: Binding, serve: Serve, connect: Connect, transport: str) -> None:
        io = echo_server(binding)

        @io.on("join")
        def join(socket: Any, *rooms: str) -> str:
            socket.join(rooms)
            return "joined"

        @io.on("shout")
        def shout(socket: Any, rooms: list[str], but: list[str], text: str) -> None:
            socket.to(rooms).except_(but).emit("heard", text)

        running = serve(io)
        names = ["ann", "bob", "cat", "dan"]
        clients = {name: connect(running, transport) for name in names}
        for name, rooms in zip(names, (["a"], ["a", "b"], ["b"], ["b", "c"]), strict=True):
            assert clients[name].call("join", *rooms) == ["joined"]

        def heard() -> dict[str, list[Any]]:
            """What each client got, up to a mark that everybody gets."""
            running.call(io.emit, "mark")
            got: dict[str, list[Any]] = {}
            for name, client in clients.items():
                got[name] = list(itertools.takewhile(lambda e: e != ["mark"], iter(client.event, None)))
            return {name: events for name, events in got.items() if events}

        clients["ann"].emit("shout", ["a", "b"], ["c"], "hi")
        clients["ann"].call("echo")
        assert heard() == {"bob": [["heard", "hi"]], "cat": [["heard", "hi"]]}
        running.call(lambda: io.to("b").except_(clients["bob"].id).emit("heard", b"\x01\x02"))
        assert heard() == {"cat": [["heard", b"\x01\x02"]], "dan": [["heard", b"\x01\x02"]]}
        running.call(lambda: io.except_(["a", "c"]).emit("heard", 1))
        assert heard() == {"cat": [["heard", 1]]}
        running.call(lambda: io.sockets.sockets[clients["cat"].id].leave("b"))
        running.call(lambda: io.to("b").emit("heard", 2))
        assert set(heard()) == {"bob", "dan"}

    def test_a_broadcast_is_always_ready(self, binding: Binding, serve: Serve, connect: Connect) -> None:
        io = binding.server(high_water_mark=1)
        running = serve(io)
        clients = [connect(running), connect(running)]

        async def shout() -> str:
            await io.emit("big", "x" * 100_000)
            return "done"

        assert running.start(shout).result(DEADLINE) == "done"
        assert [client.event()[0] for client in clients] == ["big", "big"]


class TestBadHandlers:
    def test_one_that_raises_harms_no_one(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        io = echo_server(binding)

        @io.on("sync")
        def sync(socket: Any) -> None:
            raise ValueError("sync bug")

        @io.on("async")
        async def asynchronous(socket: Any) -> None:
            await binding.checkpoint()
            raise ValueError("async bug")

        @io.on("connection")
        async def connected(socket: Any) -> None:
            raise ValueError("connection bug")

        @io.on("disconnect")
        def first(socket: Any, reason: str) -> None:
            raise ValueError("disconnect bug")

        io.on("disconnect", lambda socket, reason: seen(reason))
        running = serve(io)
        client, other = connect(running), connect(running, "polling")
        for event in ("sync", "async"):
            client.emit(event, ack=1)
            client.emit(event)
        assert client.call("later", "alive") == ["alive"], "an event whose handler raised is not acknowledged"
        assert other.call("echo", "alive") == ["alive"]
        client.close()
        assert seen.wait() == ["transport close"]
        for name, count in (("sync", 2), ("async", 2), ("connection", 2), ("disconnect", 1)):
            records = running.logged(f"handler of {name!r} raised")
            assert len(records) == count
            for record in records:
                assert (record.name, record.levelname) == ("socketio", "ERROR")
                assert record.exc_info is not None and str(record.exc_info[1]) == f"{name} bug"

    def test_arguments_that_do_not_fit(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        io = echo_server(binding)
        io.on("two", lambda socket, a, b: seen((a, b)))
        running = serve(io)
        client = connect(running)
        for _ in range(50):
            client.emit("two", 1)
        client.emit("two", 1, 2, 3)
        assert client.call("echo", "alive") == ["alive"]
        assert not seen.items
        assert 1 <= len(running.logged("event 'two'")) <= 5, "reported, but not for every packet"

    def test_a_wrong_signature_raises_at_once(self, binding: Binding) -> None:
        io = binding.server()

        async def nothing() -> None: ...

        async def keyword(socket: Any, *, room: str) -> None: ...

        for event, handler, text in (
            ("chat", nothing, "takes no argument"),
            ("chat", keyword, "keyword-only parameter 'room'"),
            ("connection", lambda socket, other: None, "called with"),
            ("disconnect", lambda socket: None, "called with"),
            ("new_namespace", nothing, "called with"),
            ("chat", "not a function", "must be callable"),
        ):
            with pytest.raises(TypeError, match=text):
                io.on(event, handler)
        with pytest.raises(ValueError, match="reserved"):
            io.on("connect_error", lambda socket: None)
        with pytest.raises(TypeError, match="did you mean 'ping_interval'"):
            binding.server(ping_intervall=25)

    def test_reserved_names_cannot_be_emitted(
        self, binding: Binding, serve: Serve, connect: Connect
    ) -> None:
        io = binding.server()
        running = serve(io)
        connect(running)
        with pytest.raises(ValueError, match="reserved"):
            running.call(lambda: the_socket(io).emit("disconnect"))

    @pytest.mark.parametrize(
        "name", ["connection", "connect", "disconnect", "disconnecting", "error", "new_namespace"]
    )
    def test_no_client_reaches_a_lifecycle_handler(
        self, binding: Binding, serve: Serve, connect: Connect, name: str
    ) -> None:
        io = echo_server(binding)
        calls: list[tuple[str, tuple[Any, ...]]] = []

        def recorder(event: str, takes: int) -> Callable[..., None]:
            def two(first: Any, second: Any) -> None:
                calls.append((event, (second,)))

            def one(first: Any) -> None:
                calls.append((event, ()))

            return one if takes == 1 else two

        for event in ("connect", "connection", "new_namespace"):
            io.on(event, recorder(event, 1))
        for event in ("disconnect", "disconnecting", "error"):
            io.on(event, recorder(event, 2))
        running = serve(io)
        client = connect(running)
        client.emit(name, "faked")
        if name in ("connect", "disconnect", "disconnecting"):
            # The reference's parser takes these for garbage and closes the connection; that is told as it is.
            client.until_closed()
            connect(running).call("echo")
            kinds = [event for event, _ in calls]
            assert kinds[:2] == ["connect", "connection"]
            assert kinds[2:5] == ["error", "disconnecting", "disconnect"]
            assert calls[3][1] == calls[4][1] == ("forced close",)
            assert isinstance(calls[2][1][0], Exception)
        else:
            client.emit(name)
            assert client.call("echo", "alive") == ["alive"]
            assert calls == [("connect", ()), ("connection", ())]
        assert not any("faked" in args for _, args in calls)


def test_ack_packet_nobody_asked_for(binding: Binding, serve: Serve, connect: Connect) -> None:
    client = connect(serve(echo_server(binding)))
    client.send(Packet(ACK, id=12345, data=["?"]))
    assert client.call("echo", 1) == [1]


def test_a_client_of_protocol_4(binding: Binding, serve: Serve) -> None:
    io = echo_server(binding, allow_eio3=True)

    @io.of("/chat").use
    async def check(socket: Any) -> None:
        await binding.checkpoint()
        if socket.handshake.auth != {"token": "x"}:
            raise binding.module.ConnectionRefused("no")

    client = WebSocket(serve(io).port)
    client.open("/socket.io/?EIO=3&transport=websocket")
    assert str(client.receive()).startswith('0{"sid":')
    assert client.receive() == "40"
    client.send_message('451-7["later",{"_placeholder":true,"num":0}]')
    client.send_message(b"\x04\x01\x02")
    assert [client.receive(), client.receive()] == ['461-7[{"_placeholder":true,"num":0}]', b"\x04\x01\x02"]
    client.send_message("40/chat?token=y,")
    assert client.receive() == '44/chat,"no"'
    client.send_message("40/chat?token=x,")
    assert client.receive() == "40/chat,"
    client.send_message("2")
    assert client.receive() == "3"
    client.close()
