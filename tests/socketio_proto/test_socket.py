"""A socket as handlers hold it: sending, rooms, its end."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from engineio_proto import Session
from socketio_parser import EncodeError
from socketio_proto import AckTimeout, ReservedEventError, Socket, SocketDisconnected

from tests.sim.runtime import Start
from tests.sim.socketio import Stage

starts = pytest.mark.parametrize("start", list(Start))
RESERVED = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]


@pytest.mark.parametrize("polling", [False, True])
def test_emit(polling: bool) -> None:
    stage = Stage()
    ada = stage.connect(polling=polling)
    socket = stage.socket(ada)
    socket.emit("a", 1, {"b": [None]}, "é")
    socket.send("hello")
    socket.compress(False).emit("c", b"\0")
    stage.advance()
    assert ada.take() == [
        '2["a",1,{"b":[null]},"é"]',
        '2["message","hello"]',
        '51-["c",{"_placeholder":true,"num":0}]',
        b"\0",
    ]


def test_compress() -> None:
    stage = Stage()
    socket = stage.socket(stage.connect())
    socket.emit("a")
    socket.compress(False).emit("a")
    socket.compress(False).compress(True).emit("a")
    assert [outgoing.compress for outgoing in socket.conn.take_buffer()] == [True, False, True]


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_names(name: str) -> None:
    stage = Stage()
    ada = stage.connect()
    socket = stage.socket(ada)
    for emitter in (socket, socket.volatile, socket.broadcast, stage.server, stage.server.to("x")):
        with pytest.raises(ReservedEventError, match=f'"{name}" is a reserved event name'):
            emitter.emit(name)
    stage.advance()
    assert ada.take() == []


def test_what_cannot_be_sent_sends_nothing() -> None:
    stage = Stage()
    ada = stage.connect()
    for emitter in (stage.socket(ada), stage.socket(ada).volatile, stage.server):
        with pytest.raises(EncodeError):
            emitter.emit("a", b"x", object())
        nameless: Any = None
        with pytest.raises(EncodeError):
            emitter.emit(nameless)
    stage.advance()
    assert ada.take() == []


class TestFlags:
    """`socket.volatile`, `compress` and `timeout` go on to broadcasts, which leave out the socket itself."""

    def test_volatile(self) -> None:
        stage = Stage()
        ada, bob = stage.connect(), stage.connect(polling=True)
        socket = stage.socket(ada)
        stage.socket(bob).join("room")
        bob.auto_poll = False
        for emitter in (
            socket.volatile.to("room"),
            socket.volatile.in_("room"),
            socket.volatile.broadcast,
            socket.volatile.except_("other"),
            socket.volatile.local,
        ):
            emitter.emit("taken, then dropped")
        stage.advance()
        assert bob.take() == ['2["taken, then dropped"]']
        assert ada.take() == []

    def test_compress(self) -> None:
        stage = Stage()
        ada, bob = stage.connect(), stage.connect()
        socket = stage.socket(ada)
        socket.compress(False).broadcast.emit("a")
        socket.compress(False).to(bob.id).compress(True).emit("a")
        socket.broadcast.compress(False).emit("a")
        assert [outgoing.compress for outgoing in stage.socket(bob).conn.take_buffer()] == [
            False,
            True,
            False,
        ]
        assert socket.conn.take_buffer() == []

    def test_timeout(self) -> None:
        stage = Stage()
        ada, bob = stage.connect(), stage.connect()
        task = stage.run(stage.socket(ada).timeout(1.0).to(bob.id).emit_with_ack("a"))
        bob.send('30["yes","no"]')
        stage.advance()
        assert task.value == ["yes"]
        task = stage.run(stage.socket(ada).timeout(1.0).broadcast.emit_with_ack("a"))
        stage.advance(1.0)
        assert isinstance(task.error, AckTimeout)

    def test_send(self) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.socket(ada).compress(False).send("x")
        stage.advance()
        assert ada.take() == ['2["message","x"]']

    def test_one_does_not_change_another(self) -> None:
        stage = Stage()
        ada, bob, cyd = stage.connect(), stage.connect(), stage.connect()
        socket = stage.socket(ada)
        first = socket.compress(False).to(bob.id)
        first.to(cyd.id)
        first.volatile  # noqa: B018  # thrown away
        first.emit("a")
        socket.emit("b")
        stage.advance()
        assert (ada.take(), bob.take(), cyd.take()) == (['2["b"]'], ['2["a"]'], [])


class TestVolatile:
    def test_websocket(self) -> None:
        stage = Stage()
        ada = stage.connect(window=0)
        assert ada.socket is not None
        socket = stage.socket(ada)
        socket.volatile.emit("taken")
        socket.volatile.emit("dropped: one is queued")
        stage.advance()
        ada.socket.down.hold()
        socket.emit("blocks")
        stage.advance()
        socket.volatile.emit("dropped: blocked")
        ada.socket.down.release()
        stage.advance()
        socket.volatile.emit("taken again")
        stage.advance()
        assert ada.take() == ['2["taken"]', '2["blocks"]', '2["taken again"]']

    def test_polling(self) -> None:
        stage = Stage()
        ada = stage.connect(polling=True)
        ada.auto_poll = False
        socket = stage.socket(ada)
        socket.volatile.emit("taken")
        socket.volatile.emit("dropped")
        stage.advance()
        socket.volatile.emit("dropped: no poll")
        stage.advance()
        ada.poll()
        stage.advance()
        socket.volatile.emit("taken again", b"x")
        stage.advance()
        assert ada.take() == ['2["taken"]', '51-["taken again",{"_placeholder":true,"num":0}]', b"x"]


class TestRooms:
    def test_join_and_leave(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        assert socket.rooms == {ada.id}
        socket.join("a")
        socket.join(["b", "c"])
        socket.join("a")
        assert socket.rooms == {ada.id, "a", "b", "c"}
        socket.leave("a")
        socket.leave("a")
        socket.leave("never")
        assert socket.rooms == {ada.id, "b", "c"}

    def test_wrong_rooms(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())
        wrong: Any
        for wrong, text in (
            (5, "rooms must be a string or several, not 5"),
            ([5], "a room must be a string, not 5"),
        ):
            for call in (socket.join, socket.to, socket.except_, stage.server.to):
                with pytest.raises(TypeError, match=text):
                    call(wrong)
        assert len(socket.rooms) == 1

    @starts
    @pytest.mark.parametrize("way", ["client", "server", "gone", "shutdown", "violation"])
    def test_disconnecting_sees_them_and_disconnect_does_not(self, start: Start, way: str) -> None:
        stage = Stage(start=start)
        seen: list[Any] = []

        def sync_handler(name: str, socket: Socket, reason: str) -> None:
            seen.append((name, sorted(socket.rooms), socket.connected))

        async def async_handler(name: str, socket: Socket, reason: str) -> None:
            seen.append((name, sorted(socket.rooms), socket.connected))
            await stage.runtime.sleep()

        for name in ("disconnecting", "disconnect"):
            stage.server.on(name, partial(sync_handler, name))
            stage.server.on(name, partial(async_handler, name))
        ada = stage.connect()
        socket = stage.socket(ada)
        socket.join("a")
        if way == "client":
            ada.send("1")
        elif way == "server":
            socket.disconnect()
        elif way == "gone":
            ada.leave()
        elif way == "shutdown":
            stage.command(stage.server.close, stage.clock.now)
        else:
            ada.send("0")
        stage.advance()
        rooms = sorted([ada.id, "a"])
        assert seen == [
            ("disconnecting", rooms, False),
            ("disconnecting", rooms, False),
            ("disconnect", [], False),
            ("disconnect", [], False),
        ]
        assert stage.server.sockets.adapter.members("a") == frozenset()

    @pytest.mark.parametrize("handler", ["disconnecting", "disconnect", "later"])
    def test_join_afterwards_does_nothing(self, handler: str) -> None:
        stage = Stage()
        if handler != "later":
            stage.server.on(handler, lambda socket, reason: socket.join("late"))
        ada = stage.connect()
        socket = stage.socket(ada)
        ada.send("1")
        stage.advance()
        socket.join("late")
        socket.leave("late")
        assert stage.server.sockets.adapter.members("late") == frozenset()
        assert socket.rooms == frozenset()


class TestEnd:
    def test_emit_afterwards_is_dropped(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        socket.disconnect()
        assert socket.disconnected
        assert not socket.connected
        for emitter in (socket, socket.volatile):
            assert emitter.emit("late") is stage.runtime.ready
        stage.advance()
        assert ada.take() == ["1"]

    def test_twice_is_once(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        socket.disconnect()
        socket.disconnect()
        stage.advance()
        socket.disconnect()
        stage.advance()
        assert ada.take() == ["1"]
        assert sum(isinstance(event, SocketDisconnected) for event in stage.events) == 1

    def test_closing_from_a_socket_that_left_does_nothing(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        socket.disconnect()
        socket.disconnect(close=True)
        stage.advance()
        assert ada.take() == ["1"]
        assert not ada.gone

    @pytest.mark.parametrize("way", ["websocket", "poll pending", "no poll"])
    def test_close_says_goodbye_in_every_namespace(self, way: str) -> None:
        """The reference: `41`, `41/a,`, and on polling `1` behind them; a noop where a GET ends without a message."""
        stage = Stage()
        reasons: list[str] = []
        for name in ("/", "/a"):
            stage.server.of(name).on("disconnect", lambda socket, reason: reasons.append(reason))
        ada = stage.connect(polling=way != "websocket")
        socket = stage.socket(ada)
        ada.join("/a")
        if way == "no poll":
            ada.auto_poll = False
            socket.emit("ends the GET")
            stage.advance()
            ada.take()
        socket.disconnect(close=True)
        assert not socket.connected
        socket.emit("late")
        stage.advance()
        if way == "no poll":
            ada.auto_poll = True
            ada.poll()
        stage.advance(1.0)
        assert ada.take() == ["1", "1/a,"]
        assert [packet for _, packet in ada.packets if packet != "6"][1:] == (
            ["1"] if way != "websocket" else []
        )
        assert ada.gone
        assert reasons == ["server namespace disconnect"] * 2

    def test_an_answer_after_disconnect_is_sent(self) -> None:
        stage = Stage()
        ada = stage.connect()

        @stage.server.on("x")
        def leave(socket: Socket) -> str:
            socket.disconnect()
            return "late"

        ada.send('21["x"]')
        stage.advance()
        assert ada.take() == ["1", '31["late"]']

    def test_broadcasts_do_not_reach_it(self) -> None:
        stage = Stage()
        ada, bob = stage.connect(), stage.connect()
        stage.socket(ada).disconnect()
        stage.server.emit("news")
        stage.advance()
        assert ada.take() == ["1"]
        assert bob.take() == ['2["news"]']

    def test_it_may_still_broadcast(self) -> None:
        stage = Stage()
        ada, bob = stage.connect(), stage.connect()
        stage.server.on("disconnect", lambda socket, reason: socket.broadcast.emit("left", reason))
        ada.leave()
        stage.advance()
        assert bob.take() == ['2["left","transport close"]']


def test_getters() -> None:
    stage = Stage()
    ada = stage.connect(auth={"token": 5})
    socket = stage.socket(ada)
    assert socket.data == {}
    socket.data["name"] = "Ada"
    assert socket.data == {"name": "Ada"}
    assert socket.recovered is False
    assert isinstance(socket.conn, Session)
    assert socket.request is socket.conn.request
    assert (socket.conn.protocol, socket.conn.transport) == (4, "websocket")
    assert socket.conn.remote_address == socket.handshake.address == socket.request.remote_address
    assert socket.conn.id != socket.id
    assert repr(socket) == f"<Socket {ada.id} / connected>"
    socket.disconnect()
    assert repr(socket) == f"<Socket {ada.id} / disconnected>"
    assert socket.handshake.auth == {"token": 5}


def test_leaving_several_rooms() -> None:
    stage = Stage()
    socket = stage.socket(stage.connect())
    socket.join(["a", "b", "c"])
    socket.leave(("a", "b"))
    socket.leave("no such room")
    assert socket.rooms == {socket.id, "c"}
    for wrong in (5, ["a", 5]):
        with pytest.raises(TypeError, match="room"):
            socket.leave(wrong)
        with pytest.raises(TypeError, match="room"):
            socket.join(wrong)
    assert socket.rooms == {socket.id, "c"}
