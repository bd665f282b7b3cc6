"""`to`, `except_` and the flags: immutable, and each client once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from engineio_proto import Outgoing

from tests.sim.socketio import Stage, Visitor


class Party:
    """Three clients: ada in red, bob in red and blue, eve in blue."""

    def __init__(self, namespace: str = "/") -> None:
        self.stage = Stage()
        self.server = self.stage.server
        self.namespace = self.server.of(namespace)
        self.visitors = {name: self.stage.connect(namespace) for name in ("ada", "bob", "eve")}
        self.sockets = {name: self.stage.socket(v, namespace) for name, v in self.visitors.items()}
        self.sockets["ada"].join("red")
        self.sockets["bob"].join(["red", "blue"])
        self.sockets["eve"].join("blue")

    def reached(self) -> str:
        """Who got something; twice is told."""
        self.stage.advance()
        return " ".join(name for name, visitor in self.visitors.items() for _ in visitor.take())

    def visitor(self, name: str) -> Visitor:
        return self.visitors[name]


Emit = Callable[[Party], Any]

SERVER: list[tuple[Emit, str]] = [
    (lambda p: p.server.emit("x"), "ada bob eve"),
    (lambda p: p.server.send("x"), "ada bob eve"),
    (lambda p: p.server.to("red").emit("x"), "ada bob"),
    (lambda p: p.server.in_("red").emit("x"), "ada bob"),
    (lambda p: p.server.to(["red", "blue"]).emit("x"), "ada bob eve"),
    (lambda p: p.server.to("red").to("blue").emit("x"), "ada bob eve"),
    (lambda p: p.server.to("red").in_("blue").emit("x"), "ada bob eve"),
    (lambda p: p.server.to({"red", "blue"}).except_("red").emit("x"), "eve"),
    (lambda p: p.server.except_("red").emit("x"), "eve"),
    (lambda p: p.server.except_(["red", "blue"]).emit("x"), ""),
    (lambda p: p.server.except_("red").except_("blue").emit("x"), ""),
    (lambda p: p.server.to("nowhere").emit("x"), ""),
    (lambda p: p.server.except_("nowhere").emit("x"), "ada bob eve"),
    (lambda p: p.server.to([]).emit("x"), "ada bob eve"),
    (lambda p: p.server.to(p.sockets["ada"].id).emit("x"), "ada"),
    (lambda p: p.server.except_(p.sockets["ada"].id).emit("x"), "bob eve"),
    (lambda p: p.server.local.emit("x"), "ada bob eve"),
    (lambda p: p.server.volatile.emit("x"), "ada bob eve"),
    (lambda p: p.server.compress(False).emit("x"), "ada bob eve"),
    (lambda p: p.server.timeout(5.0).emit("x"), "ada bob eve"),
]
SOCKET: list[tuple[Emit, str]] = [
    (lambda p: p.sockets["ada"].emit("x"), "ada"),
    (lambda p: p.sockets["ada"].broadcast.emit("x"), "bob eve"),
    (lambda p: p.sockets["ada"].to("red").emit("x"), "bob"),
    (lambda p: p.sockets["ada"].in_("red").emit("x"), "bob"),
    (lambda p: p.sockets["ada"].to("blue").emit("x"), "bob eve"),
    (lambda p: p.sockets["ada"].to(["red", "blue"]).emit("x"), "bob eve"),
    (lambda p: p.sockets["ada"].except_("blue").emit("x"), ""),
    (lambda p: p.sockets["eve"].except_("blue").emit("x"), "ada"),
    (lambda p: p.sockets["ada"].to(p.sockets["bob"].id).emit("x"), "bob"),
    (lambda p: p.sockets["ada"].to(p.sockets["ada"].id).emit("x"), ""),
    (lambda p: p.sockets["ada"].local.emit("x"), "bob eve"),
    (lambda p: p.sockets["ada"].broadcast.volatile.emit("x"), "bob eve"),
    (lambda p: p.sockets["ada"].timeout(5.0).volatile.compress(False).timeout(1).emit("x"), "ada"),
]


@pytest.mark.parametrize(("emit", "names"), SERVER)
@pytest.mark.parametrize("namespace", ["/", "/a"])
def test_server_and_namespace(emit: Emit, names: str, namespace: str) -> None:
    party = Party(namespace)
    if namespace != "/":
        party.server = party.namespace  # type: ignore[assignment]  # the same words
    emit(party)
    assert party.reached() == names


@pytest.mark.parametrize(("emit", "names"), SOCKET)
def test_socket(emit: Emit, names: str) -> None:
    party = Party()
    emit(party)
    assert party.reached() == names


def test_immutable() -> None:
    party = Party()
    red = party.server.to("red")
    red.to("blue")
    red.except_("red")
    _ = red.volatile, red.local
    red.emit("x")
    assert party.reached() == "ada bob"
    socket = party.sockets["ada"]
    operator = socket.compress(True)
    operator.compress(False)
    operator.emit("x")
    (outgoing,) = socket.conn.take_buffer()
    assert outgoing.compress


def test_compress() -> None:
    party = Party()
    party.server.to("red").compress(False).emit("x")
    queued: list[Outgoing] = party.sockets["ada"].conn.take_buffer()
    assert [outgoing.compress for outgoing in queued] == [False]


def test_volatile_skips_who_cannot_take_it() -> None:
    party = Party()
    party.sockets["ada"].emit("waits")
    party.server.volatile.emit("x")
    party.stage.advance()
    assert [len(visitor.take()) for visitor in party.visitors.values()] == [1, 1, 1]
    assert party.visitor("ada").take() == []


@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        ("5", TypeError),
        (True, TypeError),
        (None, TypeError),
        (0, ValueError),
        (-1, ValueError),
        (float("nan"), ValueError),
        (2e9, ValueError),
    ],
)
def test_wrong_timeouts(timeout: Any, error: type[Exception]) -> None:
    party = Party()
    for operator in (party.server, party.server.local, party.sockets["ada"], party.sockets["ada"].volatile):
        with pytest.raises(error, match="a timeout must be"):
            operator.timeout(timeout)
