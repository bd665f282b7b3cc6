"""What handlers read of a handshake."""

from __future__ import annotations

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


def test_auth_is_per_namespace() -> None:
    stage = Stage()
    stage.server.of("/a")
    ada = stage.connect(auth={"n": 1})
    first = stage.socket(ada)
    ada.join("/a")
    second = stage.socket(ada, "/a")
    assert (first.handshake.auth, second.handshake.auth) == ({"n": 1}, {})
    assert first.handshake.headers is second.handshake.headers
