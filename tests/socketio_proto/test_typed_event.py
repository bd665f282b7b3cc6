"""Typed events when the program runs; `tests/types` has the type checkers' part."""

from __future__ import annotations

from typing import Any

import pytest
from socketio_proto import ClassNamespace, ReservedEventError, Socket, TypedEvent

from tests.sim.socketio import Stage


class Chat:
    say = TypedEvent[[str], bool]("say")
    said = TypedEvent[[str, str], None]("said")


def test_it_is_its_name() -> None:
    """A plain string: no way through the code is another one for it."""
    assert type(Chat.say) is str
    assert type(TypedEvent("x")) is str


def test_there_and_back() -> None:
    stage = Stage()
    io = stage.server

    @io.on(Chat.say)
    def say(socket: Socket, text: str) -> bool:
        io.emit(Chat.said, "someone", text)
        socket.compress(False).emit(Chat.said, "you", text)
        return True

    @io.on("connection")
    def connected(socket: Socket) -> None:
        socket.on(Chat.said, lambda who, text: heard.append((who, text)))

    heard: list[Any] = []
    ada = stage.connect()
    ada.send('21["say","hi"]', '2["said","a","b"]')
    stage.advance()
    assert ada.take() == ['2["said","someone","hi"]', '2["said","you","hi"]', "31[true]"]
    assert heard == [("a", "b")]
    io.off(Chat.say, say)
    ada.send('22["say","hi"]')
    stage.advance()
    assert ada.take() == []


def test_answers() -> None:
    stage = Stage()
    ada = stage.connect()
    one = stage.run(stage.socket(ada).emit_with_ack(Chat.say, "hi"))
    many = stage.run(stage.server.timeout(1.0).emit_with_ack(Chat.say, "hi"))
    assert ada.take() == ['20["say","hi"]', '21["say","hi"]']
    ada.send("30[true]", "31[false]")
    stage.advance()
    assert (one.value, many.value) == (True, [False])


def test_methods() -> None:
    class Room(ClassNamespace):
        @ClassNamespace.event(Chat.say)
        def heard(self, socket: Socket, text: str) -> bool:
            return text == "hi"

    stage = Stage()
    stage.server.register_namespace(Room())
    ada = stage.connect()
    ada.send('21["say","hi"]')
    stage.advance()
    assert ada.take() == ["31[true]"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("connect", ReservedEventError),
        ("disconnecting", ReservedEventError),
        ("connection", ValueError),
        ("new_namespace", ValueError),
        ("error", ValueError),
        (5, TypeError),
    ],
)
def test_names_that_cannot_be(name: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        TypedEvent(name)
