"""The official client's files under the path."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from engineio_proto import Exchange, Request, RequestRefused, Response
from socketio_proto import ClientFiles, _client_files

from tests.sim.socketio import Stage

FILES = {"socket.io.js": b"js", "socket.io.min.js": b"min", "socket.io.min.js.map": b"{}"}


def get(stage: Stage, target: str, *, method: str = "GET", **headers: str) -> Response:
    exchange = Exchange(
        object(), Request(method, target, [(k.replace("_", "-"), v) for k, v in headers.items()])
    )
    events = stage.server.receive_request(exchange, stage.clock.now)
    response = exchange.take_response()
    assert response is not None
    assert (response.status == 400) == (len(events) == 1)
    return response


def stage(**options: Any) -> Stage:
    return Stage(client_files=ClientFiles("4.8.4", FILES), **options)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_served(method: str) -> None:
    assert get(stage(), "/socket.io/socket.io.js?v=1", method=method) == Response(
        200,
        (
            ("Cache-Control", "public, max-age=0"),
            ("Content-Type", "application/javascript; charset=utf-8"),
            ("ETag", '"4.8.4"'),
        ),
        b"js",
    )


DECODE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate", "gzip"),
        ("deflate, gzip", "deflate"),
        ("gzip;q=0.5, deflate", "deflate"),
        ("gzip;q=0", None),
    ],
)
def test_codings(accepted: str, coding: str | None) -> None:
    """`br` is shown by the traces sio-client-coding-*: it needs a package that is no dependency."""
    response = get(stage(), "/socket.io/socket.io.js", accept_encoding=accepted)
    assert dict(response.headers).get("Content-Encoding") == coding
    assert (DECODE[coding](response.body) if coding else response.body) == b"js"


def test_without_brotli(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_client_files, "FILE_CODINGS", ("gzip", "deflate"))
    for accepted, coding in (("br, gzip", "gzip"), ("br", None)):
        response = get(stage(), "/socket.io/socket.io.js", accept_encoding=accepted)
        assert dict(response.headers).get("Content-Encoding") == coding


def test_a_file_is_compressed_once_a_coding() -> None:
    a = stage()
    first, again, other = (
        get(a, "/socket.io/socket.io.js", accept_encoding=accepted).body
        for accepted in ("gzip", "gzip", "deflate")
    )
    assert first is again
    assert first != other


def test_map() -> None:
    response = get(stage(), "/socket.io/socket.io.min.js.map")
    assert dict(response.headers)["Content-Type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("tag", "status"), [('"4.8.4"', 304), ('W/"4.8.4"', 304), ("*", 200), ('"4.8.4", "x"', 200)]
)
def test_etag(tag: str, status: int) -> None:
    response = get(stage(), "/socket.io/socket.io.js", if_none_match=tag)
    assert response.status == status
    if status == 304:
        assert response == Response(304)


@pytest.mark.parametrize(
    "target",
    ["/socket.io/socket.io.esm.js", "/socket.io/x/socket.io.js", "/socket.io/", "/socket.io/../socket.io.js"],
)
def test_other_names_fall_to_the_engine(target: str) -> None:
    assert get(stage(), target).body == b'{"code":0,"message":"Transport unknown"}'


def test_a_slash_is_required() -> None:
    server = stage()
    assert not server.server.owns("/socket.ioXsocket.io.js")
    bare = stage(add_trailing_slash=False)
    assert bare.server.owns("/socket.ioXsocket.io.js")
    assert get(bare, "/socket.ioXsocket.io.js").status == 400
    assert get(bare, "/socket.io/socket.io.js").status == 200


def test_not_served() -> None:
    assert get(stage(serve_client=False), "/socket.io/socket.io.js").status == 400
    assert get(Stage(), "/socket.io/socket.io.js").status == 400


def test_refusal_is_told() -> None:
    a = stage()
    exchange = Exchange(object(), Request("GET", "/socket.io/nothing", remote_address="192.0.2.1"))
    (event,) = events = a.server.receive_request(exchange, a.clock.now)
    assert isinstance(event, RequestRefused)
    a.server.dispatch(events)
    (report,) = a.runtime.reports
    assert "refused GET '/socket.io/nothing' from 192.0.2.1: code 0 Transport unknown" in report.text


def test_cors() -> None:
    a = stage(cors={"origin": "https://example.com"})
    response = get(a, "/socket.io/socket.io.js", origin="https://example.com")
    headers = dict(response.headers)
    assert headers["Access-Control-Allow-Origin"] == "https://example.com"
    assert response.body == b"js"


def test_preflight_is_answered() -> None:
    a = stage(cors={"origin": "https://example.com"})
    response = get(
        a,
        "/socket.io/socket.io.js",
        method="OPTIONS",
        origin="https://example.com",
        access_control_request_method="GET",
    )
    assert response.status == 204
    assert response.body == b""
    assert dict(response.headers)["Access-Control-Allow-Origin"] == "https://example.com"
    assert "ETag" not in dict(response.headers)


def test_a_file_is_read_once() -> None:
    read: list[str] = []

    class Lazy(dict[str, bytes]):
        def __getitem__(self, name: str) -> bytes:
            read.append(name)
            return super().__getitem__(name)

    a = Stage(client_files=ClientFiles("1", Lazy(FILES)))
    assert read == []
    for _ in range(3):
        assert get(a, "/socket.io/socket.io.js").body == b"js"
    assert read == ["socket.io.js"]


def test_events_that_waited_are_returned() -> None:
    a = stage()
    a.server.of("/late")
    exchange = Exchange(object(), Request("GET", "/socket.io/socket.io.js"))
    assert [type(e).__name__ for e in a.server.receive_request(exchange, a.clock.now)] == ["NamespaceCreated"]
