"""What handlers read of a handshake."""

from __future__ import annotations

import pytest
from engineio_proto import Request
from socketio_proto import Handshake

from tests.sim.socketio import ISSUED, Stage


def test_fields() -> None:
    stage = Stage()
    ada = stage.connect(auth={"token": "x"})
    handshake = stage.socket(ada).handshake
    assert handshake.auth == {"token": "x"}
    assert handshake.issued == ISSUED
    assert handshake.query == {"EIO": "4", "transport": "websocket"}
    assert handshake.url == "/socket.io/?EIO=4&transport=websocket"
    assert handshake.xdomain is False


def test_of_the_request() -> None:
    request = Request(
        "GET",
        "/socket.io/?a=b",
        [("Origin", "https://a"), ("X", "y")],
        remote_address="192.0.2.1",
        secure=True,
    )
    handshake = Handshake(request, {}, 5.0)
    assert handshake.headers["x"] == "y"
    assert (handshake.address, handshake.secure, handshake.xdomain) == ("192.0.2.1", True, True)


@pytest.mark.parametrize(
    ("issued", "time"),
    [
        # `new Date(issued * 1000) + ""` of Node 20 with TZ=UTC
        (0.0, "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"),
        (1795403592.672, "Mon Nov 23 2026 03:13:12 GMT+0000 (Coordinated Universal Time)"),
        (1709251199.999, "Thu Feb 29 2024 23:59:59 GMT+0000 (Coordinated Universal Time)"),
        (4102444800.0, "Fri Jan 01 2100 00:00:00 GMT+0000 (Coordinated Universal Time)"),
    ],
)
def test_time(issued: float, time: str) -> None:
    assert Handshake(Request("GET", "/socket.io/"), {}, issued).time == time


def test_an_empty_origin_is_none() -> None:
    assert not Handshake(Request("GET", "/", [("Origin", "")]), {}, 0.0).xdomain


def test_issued_is_per_namespace() -> None:
    stage = Stage()
    stage.server.of("/a")
    now = [5.0]
    stage.server.wall_clock = lambda: now[0]
    ada = stage.connect()
    first = stage.socket(ada)
    now[0] = 7.0
    ada.join("/a")
    assert (first.handshake.issued, stage.socket(ada, "/a").handshake.issued) == (5.0, 7.0)


def test_auth_is_per_namespace() -> None:
    stage = Stage()
    stage.server.of("/a")
    ada = stage.connect(auth={"n": 1})
    first = stage.socket(ada)
    ada.join("/a")
    second = stage.socket(ada, "/a")
    assert (first.handshake.auth, second.handshake.auth) == ({"n": 1}, {})
    assert first.handshake.headers is second.handshake.headers
