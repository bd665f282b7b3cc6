"""Dynamic namespaces by function: sync and async, whoever goes meanwhile, whatever it raises."""

from __future__ import annotations

import re
from typing import Any

import pytest
from socketio_proto import ConnectionRefused, Trouble

from tests.sim.runtime import Start
from tests.sim.socketio import Stage, Visitor

STARTS = pytest.mark.parametrize("start", Start)
INVALID = '4/x,{"message":"Invalid namespace"}'


def knock(stage: Stage, name: str = "/x", auth: str = "") -> Visitor:
    visitor = stage.visitor()
    visitor.send(f"0{name},{auth}")
    stage.advance()
    return visitor


def answer(visitor: Visitor) -> list[str]:
    return [re.sub(r'"sid":"[^"]*"', '"sid"', str(text)) for text in visitor.take()]


@pytest.mark.parametrize("asynchronous", [False, True])
@STARTS
def test_it_gets_name_and_auth(start: Start, asynchronous: bool) -> None:
    stage = Stage(start=start)
    asked: list[Any] = []

    def decide(name: str, auth: dict[str, Any]) -> bool:
        asked.append((name, auth))
        return auth.get("key") == "k"

    async def decide_later(name: str, auth: dict[str, Any]) -> bool:
        return decide(name, auth)

    parent = stage.server.of(decide_later if asynchronous else decide)
    assert answer(knock(stage, auth='{"key":"k"}')) == ['0/x,{"sid"}']
    assert answer(knock(stage, "/y")) == ['4/y,{"message":"Invalid namespace"}']
    assert answer(knock(stage, "/x")) == ['0/x,{"sid"}'], "it exists by now"
    assert answer(knock(stage, "/y", "5")) == ['4/y,{"message":"Invalid namespace"}']
    assert asked == [("/x", {"key": "k"}), ("/y", {}), ("/y", {})]
    assert set(parent.children) == {"/x"}


def test_a_function_of_the_name() -> None:
    stage = Stage()
    stage.server.of(lambda name: name == "/x")
    assert answer(knock(stage)) == ['0/x,{"sid"}']


@pytest.mark.parametrize(
    ("function", "takes"),
    [
        (lambda: True, "takes 0 positional arguments"),
        (lambda name, auth, more: True, "takes 3 positional arguments"),
    ],
)
def test_a_function_that_could_never_be_called(function: Any, takes: str) -> None:
    with pytest.raises(TypeError, match=rf"of\(function\): .*{takes}, but is called with \(name\[, auth\]\)"):
        Stage().server.of(function)


@STARTS
def test_errors_and_no_move_on_in_order(start: Start) -> None:
    stage = Stage(start=start)
    asked: list[str] = []

    async def no(name: str) -> bool:
        asked.append("no")
        return False

    def raising(name: str) -> bool:
        asked.append("raising")
        raise ValueError("a bug")

    async def raising_later(name: str) -> bool:
        asked.append("raising later")
        raise ValueError("a bug")

    def refusing(name: str) -> bool:
        asked.append("refusing")
        raise ConnectionRefused("a way to say no")

    for function in (no, raising, raising_later, refusing):
        stage.server.of(function)
    parent = stage.server.of(re.compile("^/x"))
    stage.server.of(lambda name: asked.append("never"))
    assert answer(knock(stage)) == ['0/x,{"sid"}']
    assert set(parent.children) == {"/x"}
    assert asked == ["no", "raising", "raising later", "refusing"]
    reports = [report for report in stage.runtime.reports if report.trouble is Trouble.HANDLER]
    assert [str(report.error) for report in reports] == ["a bug", "a bug"]
    assert "for the namespace '/x'" in reports[0].text


def test_nobody_wants_it() -> None:
    stage = Stage()
    stage.server.of(lambda name: False)
    visitor = knock(stage)
    assert answer(visitor) == [INVALID]
    visitor.send("0/x,")  # the connection stays, and may ask again
    stage.advance()
    assert answer(visitor) == [INVALID]


class Slow:
    """A function that answers when the test says so."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.gates: list[Any] = []
        self.cancelled = 0
        stage.server.of(self.decide)

    async def decide(self, name: str) -> bool:
        gate = self.stage.runtime.waiter()
        self.gates.append(gate)
        try:
            return bool(await gate)
        except BaseException:
            self.cancelled += 1
            raise

    def decided(self, answer: bool) -> None:
        self.gates.pop(0).set(answer)
        self.stage.advance()


@STARTS
def test_first_clients_at_once_make_one_child(start: Start) -> None:
    stage = Stage(start=start)
    slow = Slow(stage)
    created: list[Any] = []
    stage.server.on("new_namespace", created.append)
    ada, bob, eve = knock(stage), knock(stage), knock(stage)
    slow.decided(True)
    slow.decided(True)
    slow.decided(False)
    assert answer(ada) == answer(bob) == ['0/x,{"sid"}']
    assert answer(eve) == [INVALID]
    assert created == [stage.server.namespaces["/x"]]
    assert len(created[0].sockets) == 2


def test_a_second_connect_meanwhile_is_a_violation() -> None:
    stage = Stage()
    slow = Slow(stage)
    ada = knock(stage)
    ada.send("0/x,")
    stage.advance()
    assert ada.gone
    assert slow.cancelled == 1


def test_it_counts_as_one_of_the_connections_namespaces() -> None:
    stage = Stage(max_namespaces=1)
    Slow(stage)
    ada = knock(stage)
    ada.send("0/y,")
    stage.advance()
    assert answer(ada) == ['4/y,{"message":"Too many namespaces (max_namespaces=1)"}']


@STARTS
def test_a_client_that_goes_cancels_it(start: Start) -> None:
    stage = Stage(start=start)
    slow = Slow(stage)
    ada = knock(stage)
    ada.leave()
    stage.advance()
    assert slow.cancelled == 1
    assert set(stage.server.namespaces) == {"/"}


@STARTS
def test_a_client_that_goes_in_the_same_breath(start: Start) -> None:
    stage = Stage(start=start)
    slow = Slow(stage)
    visitor = stage.visitor()
    visitor.say_goodbye("0/x,")
    stage.advance()
    assert slow.gates == [] or slow.cancelled == 1
    assert set(stage.server.namespaces) == {"/"}


def test_one_that_never_answers_ends_with_the_connect_timeout() -> None:
    stage = Stage(connect_timeout=1.0, ping_interval=1000.0)
    slow = Slow(stage)
    ada = knock(stage)
    stage.advance(1.0)
    assert ada.gone
    assert slow.cancelled == 1


def test_the_function_closes_the_connection() -> None:
    stage = Stage()

    async def decide(name: str) -> bool:
        for socket in list(stage.server.sockets.sockets.values()):
            socket.disconnect(close=True)
        return True

    stage.server.of(decide)
    visitor = stage.connect()
    visitor.send("0/x,")
    stage.advance()
    assert visitor.gone
    assert set(stage.server.namespaces) == {"/"}


def test_the_server_closes_meanwhile() -> None:
    stage = Stage()
    slow = Slow(stage)
    ada = knock(stage)
    stage.command(stage.server.close, stage.clock.now)
    assert ada.gone
    assert slow.cancelled == 1


@STARTS
def test_the_loop_cancels_it(start: Start) -> None:
    """The client must not wait for ever."""
    stage = Stage(start=start)
    slow = Slow(stage)
    stage.server.of(lambda name: True)
    ada = knock(stage)
    (task,) = stage.runtime.tasks
    task.cancel()
    stage.advance()
    assert slow.cancelled == 1
    assert answer(ada) == [INVALID]


def test_old_clients() -> None:
    """Protocol 4: the query of the name is the auth."""
    stage = Stage(allow_eio3=True)
    asked: list[Any] = []
    stage.server.of(lambda name, auth: asked.append((name, auth)))
    ada = Visitor(stage)
    ada.websocket(EIO="3")
    stage.advance()
    ada.send("0/x?key=k,")
    stage.advance()
    assert asked == [("/x", {"key": "k"})]
    assert ada.take() == ["0", INVALID]
