"""The user's decisions on real sockets, in every binding: one function sync, one async, and clients that leave."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.bindings.client import DEADLINE, PATH, Client, ClosedByServer, Http, WebSocket, frame
from tests.bindings.harness import Binding, Recorder, Running

Serve = Callable[..., Running]
Connect = Callable[..., Client]
LATER = pytest.mark.parametrize("later", [False, True])


def pick(binding: Binding, function: Callable[..., Any], later: bool) -> Callable[..., Any]:
    """A function, or an async one that gives the same after the loop has turned."""

    async def slow(*args: Any) -> Any:
        await binding.checkpoint()
        return function(*args)

    return slow if later else function


@LATER
def test_every_stage(binding: Binding, serve: Serve, connect: Connect, transport: str, later: bool) -> None:
    io = binding.server(
        cors=pick(
            binding, lambda *_: {"origin": pick(binding, lambda *_: "https://b.example", later)}, later
        ),
        allow_request=pick(binding, lambda request: request.query["transport"] == transport, later),
        generate_id=pick(binding, lambda request: "mine", later),
    )
    io.on("echo", lambda socket, *args: args)
    io.engine.use(pick(binding, lambda request, response: response.headers.add("x-m", "1"), later))
    client = connect(serve(io), transport)
    assert client.handshake["sid"] == "mine"
    assert client.call("echo", "a") == ["a"]
    assert client.call("echo", b"b") == [b"b"]


@LATER
def test_refusals(binding: Binding, serve: Serve, seen: Recorder, later: bool) -> None:
    io = binding.server(allow_request=pick(binding, lambda request: "no entry", later))
    io.engine.on("connection_error", pick(binding, lambda r: seen((int(r.code), dict(r.context))), later))
    running = serve(io)
    answer = Http(running.port).request("GET", PATH + "polling")
    assert (answer.status, answer.text) == (403, '{"code":4,"message":"no entry"}')
    websocket = WebSocket(running.port)
    with pytest.raises(AssertionError, match=r"HTTP/1\.1 400 Bad Request"):
        websocket.open(PATH + "websocket")
    assert websocket.read(len("no entry")) == b"no entry"
    assert seen.wait(2) == [(4, {"message": "no entry"})] * 2
    assert len(running.logged("code 4 Forbidden")) == 2


def test_headers(binding: Binding, serve: Serve) -> None:
    io = binding.server(
        headers=lambda headers, request: headers.update({"x-h": "1"}),
        initial_headers=lambda headers, request: headers.update({"x-i": "1"}),
    )
    running = serve(io)
    http = Http(running.port)
    answer = http.request("GET", PATH + "polling")
    assert (answer.headers["x-h"], answer.headers["x-i"]) == ("1", "1")
    sid = json.loads(answer.text[1:])["sid"]
    answer = http.request("POST", f"{PATH}polling&sid={sid}", b"40")
    assert answer.headers["x-h"] == "1" and "x-i" not in answer.headers


@pytest.mark.parametrize("upgrade", [False, True])
def test_the_client_leaves(binding: Binding, serve: Serve, seen: Recorder, upgrade: bool) -> None:
    async def allow(request: Any) -> bool:
        seen("asked")
        try:
            await binding.forever()
        except binding.cancelled:
            seen("cancelled")
            raise
        return True

    io = binding.server(allow_request=allow)
    running = serve(io)
    if upgrade:
        websocket = WebSocket(running.port)
        websocket.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            websocket.open(PATH + "websocket")
        websocket.close()
    else:
        http = Http(running.port)
        http.start("GET", PATH + "polling")
        seen.wait(1)
        http.reset()
    assert seen.wait(2) == ["asked", "cancelled"]
    assert running.call(lambda: dict(io.engine.decisions.undecided)) == {}


def test_its_time_is_over(binding: Binding, serve: Serve, seen: Recorder) -> None:
    async def allow(request: Any) -> bool:
        try:
            await binding.forever()
        except binding.cancelled:
            seen("cancelled")
            raise
        return True

    running = serve(binding.server(allow_request=allow, decision_timeout=0.1))
    assert Http(running.port).request("GET", PATH + "polling").status == 503
    assert seen.wait() == ["cancelled"]
    assert len(running.logged("allow_request did not answer")) == 1


def test_the_server_stops(binding: Binding, serve: Serve, seen: Recorder) -> None:
    async def allow(request: Any) -> bool:
        seen("asked")
        await binding.forever()
        return True

    running = serve(binding.server(allow_request=allow), close_grace=0.2)
    http = Http(running.port)
    http.start("GET", PATH + "polling")
    seen.wait()
    running.begin_stop()
    assert http.finish().status == 503
    running.stop()


@LATER
def test_posts_wait_with_their_body(binding: Binding, serve: Serve, seen: Recorder, later: bool) -> None:
    """A body of several reads, one in the very segment of its head, and none at all."""
    io = binding.server()
    io.on("take", lambda socket, text: seen(len(text)))
    io.engine.use(pick(binding, lambda request, response: None, later))
    running = serve(io)
    http = Http(running.port)
    sid = json.loads(http.request("GET", PATH + "polling").text[1:])["sid"]
    target = f"{PATH}polling&sid={sid}"
    assert http.request("POST", target, b"40").text == "ok"
    assert http.request("POST", target, b'42["take","abc"]').text == "ok"
    big = b'42["take","' + b"x" * 600_000 + b'"]'
    assert http.request("POST", target, big).text == "ok"
    assert seen.wait(2) == [3, 600_000]
    # The session ends: an empty payload is no packet. What counts is that it is answered.
    assert http.request("POST", target).status == 200


def test_bytes_behind_an_undecided_upgrade(binding: Binding, serve: Serve, seen: Recorder) -> None:
    async def allow(request: Any) -> bool:
        for _ in range(20):
            await binding.checkpoint()
        return True

    io = binding.server(allow_request=allow)
    io.on("hello", lambda socket: seen("hello"))
    websocket = WebSocket(serve(io).port)
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    head = (
        f"GET {PATH}websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    websocket.send(head.encode() + frame("40") + frame('42["hello"]'))
    assert websocket.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
    assert seen.wait() == ["hello"]


def test_a_poll_that_waited_drains(binding: Binding, serve: Serve, connect: Connect, seen: Recorder) -> None:
    """Who awaits an emit to a slow client goes on, though its GET had to wait for a middleware."""
    io = binding.server(high_water_mark=10)

    async def slow(request: Any, response: Any) -> None:
        await binding.checkpoint()

    io.engine.use(slow)

    @io.on("fill")
    async def fill(socket: Any) -> None:
        await socket.emit("data", "x" * 100)
        seen("drained")

    client = connect(serve(io), "polling")
    client.emit("fill")
    assert "x" * 100 in str(client.transport.poll_once())
    assert seen.wait() == ["drained"]


@LATER
def test_client_files_pass_cors(binding: Binding, serve: Serve, later: bool) -> None:
    io = binding.server(cors={"origin": pick(binding, lambda origin: origin == "https://a.good", later)})
    http = Http(serve(io).port)
    answer = http.request("GET", "/socket.io/socket.io.js", Origin="https://a.good")
    assert answer.status == 200 and answer.headers["access-control-allow-origin"] == "https://a.good"
    answer = http.request("GET", "/socket.io/socket.io.js", Origin="https://a.bad")
    assert answer.status == 200 and "access-control-allow-origin" not in answer.headers
    answer = http.request("OPTIONS", "/socket.io/socket.io.js", Origin="https://a.good")
    assert answer.status == 204


def test_middleware_ends_an_upgrade(binding: Binding, serve: Serve) -> None:
    io = binding.server()
    io.engine.use(lambda request, response: response.end(429, "slow down"))
    websocket = WebSocket(serve(io).port)
    with pytest.raises(AssertionError, match=r"HTTP/1\.1 429 Too Many Requests"):
        websocket.open(PATH + "websocket")
    assert websocket.read(9) == b"slow down"
    websocket.socket.settimeout(DEADLINE)
    with contextlib.suppress(ConnectionError), pytest.raises(ClosedByServer):
        websocket.read(1)
