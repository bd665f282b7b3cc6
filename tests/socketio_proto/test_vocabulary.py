"""What a server and a namespace say about all their sockets, their rooms, and to other servers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from socketio_proto import Ack, LocalProtocolError, ReservedEventError, Socket, Trouble

from tests.sim.runtime import Start
from tests.sim.socketio import Stage, Visitor


class Room:
    """Ada and Bob are in "room", Eve is not."""

    def __init__(self, **options: Any) -> None:
        self.stage = Stage(**options)
        self.server = self.stage.server
        self.ada, self.bob, self.eve = (self.stage.connect() for _ in range(3))
        for visitor in (self.ada, self.bob):
            self.socket(visitor).join("room")

    def socket(self, visitor: Visitor) -> Any:
        return self.server.sockets.sockets[visitor.id]

    def names(self, sockets: list[Socket]) -> list[str]:
        return sorted(
            name for name in ("ada", "bob", "eve") for s in sockets if s.id == getattr(self, name).id
        )

    def fetch(self, target: Any) -> list[str]:
        return self.names(self.stage.run(target.fetch_sockets()).value)


class TestSockets:
    def test_fetch(self) -> None:
        room = Room()
        io = room.server
        assert room.fetch(io) == room.fetch(io.sockets) == room.fetch(io.local) == ["ada", "bob", "eve"]
        assert room.fetch(io.in_("room")) == ["ada", "bob"]
        assert room.fetch(io.in_(["room", room.eve.id]).except_(room.ada.id)) == ["bob", "eve"]
        assert room.fetch(io.except_("room")) == ["eve"]
        assert room.fetch(io.to("nobody")) == room.fetch(io.of("/other")) == []
        assert room.fetch(room.socket(room.ada).broadcast) == ["bob", "eve"]

    def test_join_and_leave(self) -> None:
        room = Room()
        io = room.server
        io.sockets_join("all")
        io.in_("room").sockets_join(["a", "b"])
        assert io.in_("room").sockets_join(("c",)) is io.ready
        assert room.socket(room.ada).rooms == {room.ada.id, "room", "all", "a", "b", "c"}
        assert room.socket(room.eve).rooms == {room.eve.id, "all"}
        io.in_(room.bob.id).sockets_leave(["a", "b", "nowhere"])
        io.sockets.sockets_leave("all")
        assert room.socket(room.bob).rooms == {room.bob.id, "room", "c"}
        assert room.socket(room.eve).rooms == {room.eve.id}

    @pytest.mark.parametrize("word", ["sockets_join", "sockets_leave"])
    def test_rooms_that_are_none(self, word: str) -> None:
        io = Stage().server
        with pytest.raises(TypeError, match="rooms must be a string or several, not 5"):
            getattr(io, word)(5)

    def test_disconnect(self) -> None:
        room = Room()
        assert room.server.in_("room").disconnect_sockets() is room.server.ready
        room.stage.advance()
        assert [visitor.take() for visitor in (room.ada, room.bob, room.eve)] == [["1"], ["1"], []]
        assert not room.ada.gone
        assert room.fetch(room.server) == ["eve"]

    def test_disconnect_and_close(self) -> None:
        room = Room()
        room.server.of("/other")
        room.ada.join("/other")
        room.server.disconnect_sockets(close=True)
        room.stage.advance()
        assert all(visitor.gone for visitor in (room.ada, room.bob, room.eve))
        assert room.ada.take() == ["1", "1/other,"]

    def test_disconnect_one_connection_twice_over(self) -> None:
        """Protocol 4 aside, a connection has one socket in a namespace; others may go with the first."""
        room = Room()
        io = room.server

        @io.on("disconnect")
        def gone(socket: Socket, reason: str) -> None:
            seen.append(reason)

        seen: list[str] = []
        io.disconnect_sockets(close=True)
        io.disconnect_sockets(close=True)
        room.stage.advance()
        assert seen == ["server namespace disconnect"] * 3

    def test_of_a_parent(self) -> None:
        stage = Stage()
        parent = stage.server.of(re.compile("^/dyn"))
        ada, bob = stage.connect("/dyn-1"), stage.connect("/dyn-2")
        parent.sockets_join("room")
        parent.in_(bob.id).sockets_leave("room")
        assert stage.socket(ada, "/dyn-1").rooms == {ada.id, "room"}
        assert stage.socket(bob, "/dyn-2").rooms == {bob.id}
        parent.in_("room").disconnect_sockets()
        stage.advance()
        assert (ada.take(), bob.take()) == (["1/dyn-1,"], [])
        for call in (parent.fetch_sockets, lambda: parent.server_side_emit_with_ack("x")):
            error = stage.run(call()).error
            assert isinstance(error, LocalProtocolError)
            assert "is not supported on parent namespaces" in str(error)
        with pytest.raises(LocalProtocolError, match=r"server_side_emit\(\) is not supported"):
            parent.server_side_emit("x")


class TestRoomEvents:
    NAMES = ("create-room", "join-room", "leave-room", "delete-room")

    def listen(self, stage: Stage) -> list[Any]:
        told: list[Any] = []
        for name in self.NAMES:
            count = 1 if name in ("create-room", "delete-room") else 2
            handlers: dict[int, Callable[..., None]] = {
                1: lambda room, name=name: told.append((name, room)),
                2: lambda room, id, name=name: told.append((name, room, id)),
            }
            stage.server.on_room(name, handlers[count])
        return told

    def test_in_the_order_of_the_reference(self) -> None:
        stage = Stage()
        told = self.listen(stage)

        @stage.server.on("connection")
        def connected(socket: Socket) -> None:
            told.append("connection")
            socket.join(["r"])
            socket.join("r")
            socket.leave("r")
            socket.leave("r")

        ada = stage.connect()
        assert told == [
            ("create-room", ada.id),
            ("join-room", ada.id, ada.id),
            "connection",
            ("create-room", "r"),
            ("join-room", "r", ada.id),
            ("leave-room", "r", ada.id),
            ("delete-room", "r"),
        ]
        bob = stage.connect()
        for visitor in (ada, bob):
            stage.socket(visitor).join("s")
        stage.advance()
        told.clear()
        ada.leave()
        stage.advance()
        assert sorted(told) == [
            ("delete-room", ada.id),
            ("leave-room", ada.id, ada.id),
            ("leave-room", "s", ada.id),
        ]
        assert told.index(("delete-room", ada.id)) == told.index(("leave-room", ada.id, ada.id)) + 1

    def test_a_refused_client_leaves(self) -> None:
        stage = Stage()
        told = self.listen(stage)

        @stage.server.use
        def refuse(socket: Socket) -> None:
            socket.join("r")
            raise ValueError

        stage.visitor().send("0")
        stage.advance()
        assert [change[0] for change in told] == ["create-room", "join-room", "leave-room", "delete-room"]

    def test_nobody_listens(self) -> None:
        stage = Stage()
        stage.connect().leave()
        stage.advance()
        assert not [event for event in stage.events if type(event).__name__ == "RoomChanged"]

    @pytest.mark.parametrize("start", Start)
    def test_async_and_raising_handlers(self, start: Start) -> None:
        stage = Stage(start=start)
        told: list[str] = []

        @stage.server.on_room("join-room")
        async def later(room: str, id: str) -> None:
            await stage.runtime.sleep(1.0)
            told.append(room)
            raise ValueError("later")

        @stage.server.on_room("join-room")
        def now(room: str, id: str) -> None:
            raise ValueError("now")

        ada = stage.connect()
        stage.advance(1.0)
        assert told == [ada.id]
        assert sorted(str(report.error) for report in stage.runtime.reports) == ["later", "now"]

    def test_what_could_never_be_called(self) -> None:
        io = Stage().server
        with pytest.raises(ValueError, match="on: 'joined' is no event of the rooms; there are create-room"):
            io.on_room("joined", lambda room: None)
        with pytest.raises(TypeError, match=r"on_room\('join-room'\): .*is called with \(room, id\)"):
            io.on_room("join-room", lambda room: None)


class TestServerSide:
    def test_an_adapter_of_one_node_says_so(self) -> None:
        stage = Stage()
        io = stage.server
        io.on_server_side("hi", lambda: 1 / 0)
        assert io.server_side_emit("hi", 1) is io.ready
        assert stage.run(io.of("/a").server_side_emit_with_ack("hi")).value == []
        stage.advance()
        reports = stage.runtime.told(Trouble.UNSUPPORTED)
        expected = "this adapter does not support the server_side_emit() functionality (event 'hi')"
        assert reports == [expected, expected]

    @pytest.mark.parametrize("name", ["connect", "connection", "new_namespace"])
    def test_reserved(self, name: str) -> None:
        stage = Stage()
        io = stage.server
        with pytest.raises(ReservedEventError):
            io.server_side_emit(name)
        with pytest.raises(ReservedEventError):
            io.on_server_side(name, print)
        assert isinstance(stage.run(io.server_side_emit_with_ack(name)).error, ReservedEventError)
        with pytest.raises(TypeError, match="an event's name must be a string, not 5"):
            io.server_side_emit(5)

    @pytest.mark.parametrize("start", Start)
    def test_what_another_server_emits(self, start: Start) -> None:
        stage = Stage(start=start)
        io = stage.server
        seen: list[Any] = []

        @io.on_server_side("sum")
        async def add(*numbers: int) -> int:
            await stage.runtime.sleep(1.0)
            return sum(numbers)

        io.on_server_side("sum", lambda *numbers: seen.append(numbers))
        io.sockets.receive_server_side("sum", [1, 2], seen.append)
        io.sockets.receive_server_side("sum", [3])
        io.of("/other").receive_server_side("sum", [4], seen.append)
        stage.advance(1.0)
        assert seen == [(1, 2), (3,), 3]

    def test_raising_and_misfits_do_not_answer(self) -> None:
        stage = Stage()
        io = stage.server
        seen: list[Any] = []

        @io.on_server_side("x")
        def one(argument: int) -> int:
            return 1 // argument

        io.on_server_side("x", lambda *args: "second")
        for args in ([1], [0], []):
            io.sockets.receive_server_side("x", args, seen.append)
        stage.advance()
        assert seen == [1]
        assert "server-side event 'x' raised" in stage.runtime.told(Trouble.HANDLER)[0]
        assert "'x' came with 0 arguments" in stage.runtime.told(Trouble.FIRST_MISFIT, Trouble.MISFIT)[0]

    def test_an_async_one_that_raises(self) -> None:
        stage = Stage()
        seen: list[Any] = []

        @stage.server.on_server_side("x")
        async def fail() -> None:
            raise ValueError

        stage.server.sockets.receive_server_side("x", [], seen.append)
        stage.advance()
        assert seen == []
        assert len(stage.runtime.told(Trouble.HANDLER)) == 1

    def test_no_client_can_send_one(self) -> None:
        """Three tables, never mixed."""
        stage = Stage()
        io = stage.server
        seen: list[str] = []
        io.on_server_side("x", lambda *args: seen.append("server"))
        io.on("x", lambda socket: seen.append("client"))
        io.on_room("join-room", lambda room, id: seen.append("room"))
        ada = stage.connect()
        ada.send('2["x"]', '2["join-room","a","b"]', '2["connection"]')
        stage.advance()
        io.sockets.receive_server_side("x", [])
        io.sockets.receive_server_side("join-room", ["a", "b"])
        stage.advance()
        assert seen == ["room", "client", "server"]

    def test_an_ack_parameter_is_refused(self) -> None:
        def save(document: str, ack: Ack) -> None: ...

        with pytest.raises(TypeError, match=r"on_server_side\('x'\): .*has an Ack parameter"):
            Stage().server.on_server_side("x", save)


def test_shutdown_asks_the_runtime() -> None:
    stage = Stage()
    stage.server.on("stop", lambda socket: stage.server.shutdown())
    ada = stage.connect()
    ada.send('2["stop"]')
    stage.advance()
    assert stage.runtime.stopped
