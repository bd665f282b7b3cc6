"""The ways a connection ends, the heartbeat, and the upgrade with messages sent while it happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.bindings.client import DISCONNECT, PATH, Client, ClosedByServer, Packet, WebSocket
from tests.bindings.harness import Binding, Recorder, Running

Serve = Callable[..., Running]
Connect = Callable[..., Client]


def recording_server(binding: Binding, seen: Recorder, **options: Any) -> Any:
    """Records (event, reason, rooms but its own) of the two events that tell the end."""
    io = binding.server(**options)

    @io.on("connection")
    def connected(socket: Any) -> None:
        socket.join("lobby")

    @io.on("disconnecting")
    def disconnecting(socket: Any, reason: str) -> None:
        seen(("disconnecting", str(reason), sorted(socket.rooms - {socket.id})))

    @io.on("disconnect")
    async def disconnected(socket: Any, reason: str) -> None:
        rooms = sorted(socket.rooms)
        await binding.checkpoint()
        seen(("disconnect", str(reason), rooms))

    @io.on("echo")
    def echo(socket: Any, *args: Any) -> Any:
        return args

    return io


def ended(reason: str) -> list[tuple[str, str, list[str]]]:
    return [("disconnecting", reason, ["lobby"]), ("disconnect", reason, [])]


def only(io: Any) -> Any:
    (socket,) = io.sockets.sockets.values()
    return socket


class TestReasons:
    def test_client_leaves_the_namespace(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        client = connect(serve(recording_server(binding, seen)), transport)
        client.send(Packet(DISCONNECT))
        assert seen.wait(2) == ended("client namespace disconnect")
        client.join()
        assert client.call("echo", "again") == ["again"], "the connection lives on"

    def test_server_disconnects_a_socket(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        io = recording_server(binding, seen)
        running = serve(io)
        client = connect(running, transport)
        running.call(lambda: only(io).disconnect())
        assert client.receive() == Packet(DISCONNECT)
        assert seen.wait(2) == ended("server namespace disconnect")
        client.join()
        assert client.call("echo", "again") == ["again"]

    def test_server_closes_the_connection(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        io = recording_server(binding, seen)
        running = serve(io)
        client = connect(running, transport)
        running.call(lambda: only(io).disconnect(close=True))
        assert client.receive() == Packet(DISCONNECT)
        client.until_closed()
        assert seen.wait(2) == ended("server namespace disconnect")

    def test_client_vanishes(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        client = connect(serve(recording_server(binding, seen)))
        client.close()
        assert seen.wait(2) == ended("transport close")

    def test_client_resets(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        client = connect(serve(recording_server(binding, seen)))
        client.transport.websocket.reset()
        assert seen.wait(2) == ended("transport close")

    def test_close_frame(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        client = connect(serve(recording_server(binding, seen)))
        client.transport.websocket.close_frame()
        client.until_closed()
        assert seen.wait(2) == ended("transport close")

    def test_close_packet(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        client = connect(serve(recording_server(binding, seen)), transport)
        client.transport.send(["1"])
        client.until_closed()
        assert seen.wait(2) == ended("transport close")

    def test_a_poll_that_is_dropped(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        client = connect(serve(recording_server(binding, seen)), "polling")
        client.transport.poll.start("GET", client.transport.target)
        client.transport.poll.close()
        assert seen.wait(2) == ended("transport error")

    def test_no_pong(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        io = recording_server(binding, seen, ping_interval=0.25, ping_timeout=0.25)
        client = connect(serve(io), transport)
        if transport == "polling":
            client.transport.receive()  # the ping
        assert seen.wait(2) == ended("ping timeout")

    def test_pings_are_sent_and_pongs_keep_it_alive(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        io = recording_server(binding, seen, ping_interval=0.02, ping_timeout=20)
        client = connect(serve(io), transport)
        while client.pings < 5:
            client.call("echo")
        assert not seen.items

    def test_garbage(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        running = serve(recording_server(binding, seen))
        client = connect(running, transport)
        client.transport.send(['42["unfinished'])
        client.until_closed()
        assert seen.wait(2) == ended("forced close")
        assert running.logged("undecodable packet")

    def test_no_namespace_in_time(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        io = recording_server(binding, seen, connect_timeout=0.05)
        client = connect(serve(io), transport, namespace=None)
        client.until_closed()
        assert not seen.items

    def test_every_reason_leaves_nothing(
        self, binding: Binding, serve: Serve, connect: Connect, transport: str, seen: Recorder
    ) -> None:
        io = recording_server(binding, seen)
        running = serve(io)
        for number in range(4):
            client = connect(running, transport)
            match number:
                case 0:
                    client.transport.send(["1"])
                case 1:
                    running.call(lambda: only(io).disconnect(close=True))
                case 2:
                    client.transport.send(["4garbage"])
                case 3:
                    client.emit("echo", ack=1)
                    client.receive()
                    running.call(lambda: only(io).conn.close(io.runtime.now(), discard=True))
            client.until_closed()
            seen.wait(2 * number + 2)
        assert running.call(lambda: (len(io.engine.sessions), io.sockets.sockets)) == (0, {})


class TestUpgrade:
    def test_messages_sent_during_it_arrive_once_and_in_order(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        io = recording_server(binding, seen)
        got = Recorder()
        io.on("count", lambda socket, number: got(number))
        running = serve(io)
        client = connect(running, "polling")
        polling = client.transport
        sid = client.handshake["sid"]

        def from_server(*numbers: int) -> None:
            running.call(lambda: [only(io).emit("n", number) for number in numbers] and None)

        client.emit("count", 0)
        from_server(0, 1)
        websocket = WebSocket(running.port)
        websocket.open(f"{PATH}websocket&sid={sid}")
        websocket.send_message("2probe")
        assert websocket.receive() == "3probe"
        client.emit("count", 1)
        from_server(2)
        numbers = [client.event()[1] for _ in range(3)]
        assert numbers == [0, 1, 2], "until the client commits, polling carries the session"
        # A parked poll is let go by a noop, so that the client can stop polling.
        assert polling.poll_once() == "6"
        from_server(3, 4)
        websocket.send_message("5")
        websocket.send_message('42["count",2]')
        from_server(5)
        assert [websocket.receive() for _ in range(3)] == [f'42["n",{n}]' for n in (3, 4, 5)]
        websocket.send_message('42["count",3]')
        assert got.wait(4) == [0, 1, 2, 3]
        assert running.call(lambda: only(io).conn.transport) == "websocket"
        websocket.send_message('421["echo","all"]')
        assert websocket.receive() == '431["all"]'
        assert not seen.items
        websocket.close()
        assert seen.wait(2) == ended("transport close")

    def test_one_that_fails_leaves_the_session_on_polling(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        io = recording_server(binding, seen, upgrade_timeout=0.5)
        running = serve(io)
        client = connect(running, "polling")
        target = f"{PATH}websocket&sid={client.handshake['sid']}"
        # It ends in the middle; says something else; never commits.
        for said in ("2probe", "garbage", ""):
            websocket = WebSocket(running.port)
            websocket.open(target)
            if said:
                websocket.send_message(said)
            if said == "2probe":
                assert websocket.receive() == "3probe"
            else:
                with pytest.raises(ClosedByServer):
                    websocket.receive()
            websocket.close()
            assert client.call("echo", said) == [said]
        assert not seen.items
