"""Namespaces: their names, their door."""

from __future__ import annotations

import pytest
from socketio_proto import Namespace, Socket

from tests.sim.socketio import Stage


def test_names() -> None:
    server = Stage().server
    assert server.of("/") is server.of("") is server.sockets
    assert server.of("chat") is server.of("/chat")
    assert server.of("chat").name == "/chat"
    assert server.of("//chat") is not server.of("chat")
    assert set(server.namespaces) == {"/", "/chat", "//chat"}
    assert repr(server.of("chat")) == "<Namespace /chat 0 sockets>"


def test_sockets() -> None:
    stage = Stage()
    namespace = stage.server.of("/a")
    ada, bob = stage.connect("/a"), stage.connect("/a")
    assert set(namespace.sockets) == {ada.id, bob.id}
    assert all(
        isinstance(socket, Socket) and socket.namespace is namespace for socket in namespace.sockets.values()
    )
    ada.leave()
    bob.send("1/a,")
    stage.advance()
    assert namespace.sockets == {}


def test_namespaces_are_apart() -> None:
    stage = Stage()
    here, there = stage.server.of("/a"), stage.server.of("/b")
    here.on("x", lambda socket: "a")
    there.on("x", lambda socket: "b")
    ada = stage.connect("/a")
    ada.join("/b")
    for name, namespace in (("/a", here), ("/b", there)):
        for socket in namespace.sockets.values():
            socket.join("room")
        ada.send(f'2{name},7["x"]')
        stage.advance()
        assert ada.take() == [f'3{name},7["{name[1]}"]']
    here.to("room").emit("news")
    stage.advance()
    assert ada.take() == ['2/a,["news"]']
    ada.send("1/a,")
    stage.advance()
    assert (len(here.sockets), len(there.sockets)) == (0, 1)


class Door:
    """A namespace where a middleware keeps a client waiting."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.namespace: Namespace = self.stage.server.of("/a")
        self.waiting: list[Socket] = []

        async def hold(socket: Socket) -> None:
            self.waiting.append(socket)
            await self.stage.runtime.waiter()

        self.namespace.use(hold)
        self.ada = self.stage.connect()
        self.knock()

    def knock(self) -> None:
        self.ada.send("0/a,")
        self.stage.advance()

    def answers(self) -> list[str]:
        self.stage.advance()
        return [str(text)[:4] for text in self.ada.take()]


def test_accept_once() -> None:
    door = Door()
    (socket,) = door.waiting
    door.namespace.accept(socket)
    door.namespace.accept(socket)
    door.namespace.refuse(socket, "late")
    assert door.answers() == ["0/a,"]
    assert socket.connected


def test_refuse_once() -> None:
    door = Door()
    (socket,) = door.waiting
    door.namespace.refuse(socket, "no")
    door.namespace.refuse(socket, "no")
    door.namespace.accept(socket)
    assert door.answers() == ["4/a,"]
    assert not socket.connected


def test_a_stale_answer_does_not_concern_the_next_socket() -> None:
    door = Door()
    door.namespace.refuse(door.waiting[0], "no")
    door.knock()
    first, second = door.waiting
    door.namespace.accept(first)
    door.namespace.refuse(first, "no")
    assert door.answers() == ["4/a,"]
    door.namespace.accept(second)
    assert door.answers() == ["0/a,"]


def test_a_name_that_no_client_can_ask_for() -> None:
    stage = Stage()
    with pytest.raises(ValueError, match="a namespace's name has no comma"):
        stage.server.of("/a,b")
    assert list(stage.server.namespaces) == ["/"]
