"""Heads that two parsers may read differently: each is refused with a bare status line and a close."""

from __future__ import annotations

from time import process_time

import pytest
from engineio_wire import WireConfig

from tests.engineio_wire.peer import PATH, RecordingEngine, recording, splits

pytestmark = pytest.mark.usefixtures("each_http_engine")

BAD = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
POST = f"POST {PATH}?x HTTP/1.1\r\nHost: a\r\n".encode()
GET = f"GET {PATH}?x HTTP/1.1\r\nHost: a\r\n".encode()

REFUSED = {
    "length and coding (RFC 9112 6.1)": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "coding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    "two lengths (6.3)": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "two equal lengths": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "negative length": POST + b"Content-Length: -1\r\n\r\n",
    "hexadecimal length": POST + b"Content-Length: 0x1\r\n\r\na",
    "length with an underscore": POST + b"Content-Length: 1_0\r\n\r\n0123456789",
    "length in superscript": POST + b"Content-Length: \xb2\r\n\r\nab",
    "empty length": POST + b"Content-Length: \r\n\r\n",
    "huge length": POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "coding in HTTP/1.0": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n",
    "folded line (5.2)": GET + b"X: a\r\n b\r\n\r\n",
    "folded line with a tab": GET + b"X: a\r\n\tb\r\n\r\n",
    "folded first header": f"GET {PATH} HTTP/1.1\r\n Host: a\r\n\r\n".encode(),
    "bare LF after the request line (2.2)": f"GET {PATH} HTTP/1.1\nHost: a\r\n\r\n".encode(),
    "bare LF in a header": GET + b"X: a\nContent-Length: 3\r\n\r\n",
    "bare LFs at the end": GET + b"\n\n",
    "bare CR in a header": GET + b"X: a\rContent-Length: 3\r\n\r\n",
    "CR CR LF": GET + b"X: a\r\r\n\r\n",
    "NUL": GET + b"X: a\x00b\r\n\r\n",
    "control character (observed: Node refuses it)": GET + b"Origin: a\x01\r\n\r\n",
    "delete character": GET + b"Origin: a\x7f\r\n\r\n",
    "no Host (3.2)": f"GET {PATH} HTTP/1.1\r\nX: a\r\n\r\n".encode(),
    "two Hosts": GET + b"Host: b\r\n\r\n",
    "two equal Hosts": GET + b"host: a\r\n\r\n",
    "two Hosts in HTTP/1.0": GET.replace(b"1.1", b"1.0") + b"Host: b\r\n\r\n",
    "Host with a path (BadHost)": f"GET {PATH} HTTP/1.1\r\nHost: a/b?c\r\n\r\n".encode(),
    "Host with userinfo": f"GET {PATH} HTTP/1.1\r\nHost: u@a\r\n\r\n".encode(),
    "Host with a space": f"GET {PATH} HTTP/1.1\r\nHost: a b\r\n\r\n".encode(),
    "space before the colon (5.1)": GET + b"Content-Length : 3\r\n\r\nabc",
    "header without a colon": GET + b"Nothing\r\n\r\n",
    "header without a name": GET + b": a\r\n\r\n",
    "name with a space": GET + b"A B: c\r\n\r\n",
    "two spaces in the request line (3)": f"GET  {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "space in the target": f"GET {PATH} x HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "tab in the request line": f"GET\t{PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "non-ASCII target": f"GET {PATH}é HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "HTTP/0.9": f"GET {PATH}\r\n\r\n".encode(),
    "HTTP/1.2": f"GET {PATH} HTTP/1.2\r\nHost: a\r\n\r\n".encode(),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "lower-case http": f"GET {PATH} http/1.1\r\nHost: a\r\n\r\n".encode(),
    "method that is no token": f"G(T {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "CONNECT": b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "NUL at once": b"\x00",
    "upgrade with a body": POST
    + b"Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc",
    "upgrade with a coding": GET
    + b"Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    # Trailing data is what a smuggler wants to be read as a request of its own.
    for tail in (b"", f"GET {PATH}?smuggled HTTP/1.1\r\nHost: a\r\n\r\n".encode()):
        engine, connection = recording()
        connection.feed(REFUSED[name] + tail)
        assert connection.take() == BAD
        assert connection.wire.closing and not connection.wire.abort
        assert engine.heard == []


@pytest.mark.parametrize("name", [name for name in REFUSED if "huge" not in name])
def test_refused_wherever_it_is_cut(name: str) -> None:
    for chunks in splits(REFUSED[name]):
        engine, connection = recording()
        connection.feed(*chunks)
        assert connection.take() == BAD, chunks
        assert engine.heard == []


@pytest.mark.parametrize("coding", [b"gzip", b"gzip, chunked", b"chunked, gzip", b"xchunked", b"identity"])
def test_unknown_transfer_coding(coding: bytes) -> None:
    engine, connection = recording()
    connection.feed(POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n")
    assert connection.take() == b"HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n"
    assert engine.heard == []


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
        GET + b"X: " + b"a" * 20_000,
        b"G" * 20_000,
        GET + b"X: a\r\n" * 101 + b"\r\n",
        GET + b"X: a\r\n" * 2500 + b"\r\n",
        b"\r\n" * 10_000,
    ],
    ids=["size", "size, incomplete", "method", "101 headers", "2500 headers", "empty lines"],
)
def test_too_large(head: bytes) -> None:
    engine, connection = recording()
    connection.feed(*[head[i : i + 1000] for i in range(0, len(head), 1000)])
    expected = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n"
    if head == b"\r\n" * 10_000:
        # Empty lines before a request are skipped, and nothing of them is kept.
        assert connection.take() == b"" and connection.open
        assert connection.wire.http is not None and connection.wire.http.buffer == b""
    else:
        assert connection.take() == expected and not connection.open
    assert engine.heard == []


def test_a_flood_of_empty_lines_takes_linear_time() -> None:
    engine, connection = recording()
    started = process_time()
    connection.feed(b"\r\n" * 300_000 + GET + b"\r\n")
    assert process_time() - started < 0.5
    assert engine.heard == [("request", "GET", f"{PATH}?x")]


def test_the_limits_are_reached_and_not_passed() -> None:
    # 99 and the Host header.
    _, connection = recording()
    connection.feed(GET + b"X: a\r\n" * 99 + b"\r\n")
    assert connection.open and connection.take() == b""
    head = GET + b"X: " + b"a" * 1000
    size = len(head) + 4
    for limit, status in ((size, b""), (size - 1, b"HTTP/1.1 431 ")):
        _, connection = recording(config=WireConfig(max_head_size=limit))
        connection.feed(head + b"\r\n\r\n")
        assert connection.take()[:13] == status


def test_what_follows_a_body_is_a_request_of_its_own() -> None:
    """The length counts bytes, whatever they look like."""
    body = f"GET {PATH}?inner HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    stream = POST + f"Content-Length: {len(body)}\r\n\r\n".encode() + body + GET + b"\r\n"
    for chunks in splits(stream):
        engine, connection = recording()
        connection.feed(*chunks)
        assert engine.heard == [
            ("request", "POST", f"{PATH}?x"),
            ("body", body),
            ("request", "GET", f"{PATH}?x"),
        ]


CHUNKS_REFUSED = {
    "no size": b"\r\nabc\r\n",
    "no hexadecimal digit": b"x\r\n",
    "negative": b"-1\r\n",
    "signed": b"+3\r\nabc\r\n",
    "prefixed": b"0x3\r\nabc\r\n",
    "huge": b"f" * 21 + b"\r\n",
    "wrong end of a chunk (CVE-2025-43859)": b"3\r\nabcXX0\r\n\r\n",
    "bare LF after a chunk": b"3\r\nabc\n0\r\n\r\n",
    "space in a size": b"1 0\r\nabc",
    "trailer without a colon": b"0\r\nnothing\r\n\r\n",
    "endless extension": b"3;" + b"a" * 20_000,
    "endless trailers": b"0\r\n" + b"a: b\r\n" * 4000,
}


@pytest.mark.parametrize("name", CHUNKS_REFUSED)
def test_broken_chunks(name: str) -> None:
    engine, connection = recording()
    connection.feed(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    connection.feed(*[CHUNKS_REFUSED[name][i : i + 1000] for i in range(0, len(CHUNKS_REFUSED[name]), 1000)])
    output = connection.take()
    assert output.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 ")) and output.endswith(b"close\r\n\r\n")
    assert not connection.open
    assert engine.heard == [("request", "POST", f"{PATH}?x"), ("exchange closed", f"{PATH}?x")]


def test_extensions_around_tiny_chunks_are_bounded() -> None:
    """Total bytes count, not those of a part (CVE-2026-22815)."""
    engine = RecordingEngine()
    _, connection = recording(engine)
    connection.feed(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    sent = 0
    while connection.open and sent < 10_000_000:
        connection.feed(b"1;" + b"x" * 8000 + b"\r\na\r\n")
        sent += 8000
    assert sent < 200_000
    assert connection.take().startswith(b"HTTP/1.1 400 ")
