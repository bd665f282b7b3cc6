"""The ASGI example on uvicorn: the official clients in Node, and clients that vanish."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bindings.client import Http, WebSocket, payload
from tests.interop.asgi_target import EXAMPLE
from tests.interop.target import SECONDS, Target, missing, play, play_scenario
from tests.interop.test_examples import running

needs_node = pytest.mark.skipif(missing() is not None, reason=missing() or "")
transports = pytest.mark.parametrize("transports", ["polling", "websocket", "polling,websocket"])
PATH = "/engine.io/?EIO=4&transport="
# What uvicorn 0.54 logs of an upgrade that was refused by `websocket.http.response`, though the client got it.
UVICORN_ON_REFUSALS = "ERROR:    ASGI callable returned without completing handshake."


def test_it_fits() -> None:
    assert len(EXAMPLE.read_text().splitlines()) < 150


@needs_node
@transports
def test_text_binary_and_the_upgrade(transports: str) -> None:
    with running(EXAMPLE.name, "--ping-interval", "0.2") as example:
        example.play("session", transports)


@needs_node
@transports
def test_the_end_of_the_server_answers_polls_and_closes_websockets(transports: str) -> None:
    with running(EXAMPLE.name) as example:
        example.play("session_ended", transports)


@contextlib.contextmanager
def target(
    mode: str = "engineio", behaviors: dict[str, Any] | None = None, **options: Any
) -> Iterator[Target]:
    served = Target(options, mode, behaviors, module="tests.interop.asgi_target")
    try:
        yield served
    finally:
        errors = served.stop()
    assert set(errors.splitlines()) <= {UVICORN_ON_REFUSALS}


@needs_node
@transports
def test_the_server_closes(transports: str) -> None:
    with target() as served:
        play("session_closed", served.url, transports, end=served.stop)


@needs_node
@transports
@pytest.mark.parametrize("scenario", ["messages", "acks", "rooms", "reasons"])
def test_socket_io(scenario: str, transports: str) -> None:
    with target("") as served:
        play_scenario(served, "scenarios.mjs", scenario, transports, "default")


@needs_node
def test_socket_io_loses_nothing_by_an_upgrade() -> None:
    with target("") as served:
        play_scenario(served, "scenarios.mjs", "upgrade", "polling,websocket", "default")


def port(served: Target) -> int:
    return int(served.url.rpartition(":")[2])


def logged(served: Target, kind: str) -> dict[str, Any]:
    """The first line of this kind in the target's log; waits for it."""
    found = threading.Event()
    for _ in range(int(SECONDS * 20)):
        for line in list(served.log):
            entry = json.loads(line.removeprefix("@"))
            if entry["event"] == kind:
                return dict(entry)
        found.wait(0.05)
    raise AssertionError(served.log)


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_a_websocket_that_vanishes() -> None:
    with target() as served:
        client = WebSocket(port(served))
        client.open(PATH + "websocket")
        client.receive()
        reset(client.socket)
        assert logged(served, "disconnect")["reason"] == "transport close"


def test_a_poll_that_vanishes() -> None:
    with target() as served:
        poll = Http(port(served))
        sid = json.loads(poll.request("GET", PATH + "polling").text[1:])["sid"]
        poll.start("GET", f"{PATH}polling&sid={sid}")
        reset(poll.socket)
        assert logged(served, "disconnect")["reason"] == "transport error"


def test_a_client_that_falls_silent() -> None:
    with target(pingInterval=50, pingTimeout=50) as served:
        client = WebSocket(port(served))
        client.open(PATH + "websocket")
        assert logged(served, "disconnect")["reason"] == "ping timeout"


def test_a_client_that_does_not_read() -> None:
    """Echoes wait in the session while uvicorn takes no more, and come when they are read."""
    with target() as served:
        client = WebSocket(port(served), receive_buffer=65_536)
        client.open(PATH + "websocket")
        client.receive()
        count, message = 10, b"\xfe" * 900_000
        for _ in range(count):  # all of them, before one is read
            client.send_message(message)
        assert all(client.receive() == message for _ in range(count))


@pytest.mark.parametrize("size", [1000, 1001])
def test_max_size_is_ours(size: int) -> None:
    with target(maxHttpBufferSize=1000) as served:
        client = WebSocket(port(served))
        client.open(PATH + "websocket")
        client.receive()
        client.send_message("4" + "x" * (size - 1))
        if size == 1000:
            assert client.receive() == "4" + "x" * 999
        else:
            with pytest.raises(Exception, match="1009"):
                client.receive()
            assert logged(served, "disconnect")["reason"] == "transport error"
        http = Http(port(served))
        sid = json.loads(http.request("GET", PATH + "polling").text[1:])["sid"]
        answer = http.request("POST", f"{PATH}polling&sid={sid}", payload(["4" + "x" * (size - 1)]))
        assert answer.status == (200 if size == 1000 else 413)


def test_refusals_have_their_bodies() -> None:
    with target() as served:
        http = Http(port(served))
        answer = http.request("GET", PATH + "polling&sid=nobody")
        assert (answer.status, answer.text) == (400, '{"code":1,"message":"Session ID unknown"}')
        assert http.request("GET", "/elsewhere").status == 404
        for target_, status in ((PATH + "websocket&sid=nobody", b" 400 "), ("/elsewhere", b" 404 ")):
            client = WebSocket(port(served))
            with pytest.raises(AssertionError) as caught:
                client.open(target_)
            assert status.decode() in str(caught.value)


def test_decisions() -> None:
    """An async `allow_request` decides about polls and WebSockets."""
    with target(behaviors={"allowRequest": "token"}) as served:
        http = Http(port(served))
        assert http.request("GET", PATH + "polling&token=wrong").status == 403
        assert http.request("GET", PATH + "polling&token=secret").status == 200
        client = WebSocket(port(served))
        client.open(PATH + "websocket&token=secret")
        assert str(client.receive()).startswith("0{")


@pytest.mark.parametrize("root", ["/app", "/engine.io"])
def test_mounted(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOT_PATH", root)
    with target() as served:
        answer = Http(port(served)).request("GET", PATH + "polling")
        assert answer.status == 200, answer


def test_options_that_only_a_wire_can_honour() -> None:
    from socketio_asyncio import EngineServer

    spec = importlib.util.spec_from_file_location("engineio_asgi", os.fspath(EXAMPLE))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.Application(EngineServer(max_http_buffer_size=5))
    for name, value in {
        "per_message_deflate": True,
        "http_engine": "httptools",
        "ws_engine": "wsproto",
    }.items():
        with pytest.raises(ValueError, match=f"need engineio-wire, and ASGI knows none.*{name}="):
            module.Application(EngineServer(**{name: value}))
