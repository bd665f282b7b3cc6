"""Inputs that HTTP servers of this kind once fell to: the protocol's own error, a clean close, bounded memory.

Each has the id under which the world knows it. What another file of this folder shows is named in `ELSEWHERE`.
"""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from engineio_proto import EngineConfig, LinkState
from engineio_wire import WireConfig
from engineio_wire._head import METHODS

from tests.engineio_wire.peer import (
    PATH,
    Connection,
    RecordingEngine,
    frame,
    poll,
    post,
    real,
    recording,
    request,
    splits,
    upgrade,
)

pytestmark = pytest.mark.usefixtures("each_http_engine")

POST = f"POST {PATH}?x HTTP/1.1\r\nHost: a\r\n".encode()
GET = f"GET {PATH}?x HTTP/1.1\r\nHost: a\r\n".encode()
SMUGGLED = f"GET {PATH}?smuggled HTTP/1.1\r\nHost: a\r\n\r\n".encode()

ELSEWHERE = {
    "CVE-2022-21676": "test_handshake.py: glued to the handshake",
    "CVE-2022-41940": "test_handshake.py: test_a_reset_at_every_byte_of_the_handshake",
    "CVE-2025-43859": "test_smuggling.py: wrong end of a chunk",
    "h11 0.15 (endless digits of a length)": "test_smuggling.py: huge length",
    "CVE-2020-7695 (CRLF in an answer's header)": "test_http.py: test_what_could_split_an_answer_is_refused",
    "CVE-2023-47627 (signs and blanks in lengths)": "test_smuggling.py: signed length",
    "CVE-2023-47627 (control characters)": "test_smuggling.py: bare CR in a header",
    "CVE-2023-47641 (length and coding)": "test_smuggling.py: length and coding (RFC 9112 6.1)",
    "CVE-2024-23829 (white space before the colon)": "test_smuggling.py: space before the colon",
    "CVE-2024-23829 (bare LF)": "test_smuggling.py: bare LF in a header",
    "aiohttp: obs-fold": "test_smuggling.py: folded line",
    "aiohttp: two Hosts": "test_smuggling.py: two equal Hosts",
    "CVE-2025-69229 (tiny chunks hold the loop)": "test_http.py: test_tiny_chunks_are_read_in_slices",
    "CVE-2025-69228 (trailers without end)": "test_smuggling.py: endless trailers",
    "CVE-2026-22815 (totals, not parts)": "test_smuggling.py: test_extensions_around_tiny_chunks_are_bounded",
    "CVE-2026-48710 BadHost": "test_smuggling.py: Host with a path (BadHost)",
    "CVE-2024-1135 (unknown codings)": "test_smuggling.py: test_unknown_transfer_coding",
    "hypercorn#277": "test_smuggling.py: CONNECT",
}


@pytest.mark.parametrize("id", ELSEWHERE)
def test_elsewhere(id: str) -> None:
    file, _, what = ELSEWHERE[id].partition(": ")
    assert what in (Path(__file__).parent / file).read_text()


# id -> bytes: refused with this status and a close, nothing heard, nothing behind it read.
REFUSED = {
    "CVE-2020-7694 (an escape for the terminal that shows the log)": (
        400,
        b"GET /\x1b[31m HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    "CVE-2020-7694 in a header": (400, GET + b"User-Agent: \x1b[31m\r\n\r\n"),
    "CVE-2023-49082 (a request injected by the method)": (
        400,
        b"GET\r\nX: / HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    "CVE-2023-49082 (a method of no letters)": (400, b"{GET} / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "CVE-2023-49082 (a method that Node does not know)": (400, b"GETS / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "CVE-2023-49081 (a request injected by the version)": (400, b"GET / HTTP/1.1 x\r\nHost: a\r\n\r\n"),
    "CVE-2023-49081 (two digits)": (400, b"GET / HTTP/1.11\r\nHost: a\r\n\r\n"),
    "CVE-2023-49081 (a digit that is none in ASCII)": (
        400,
        "GET / HTTP/1.\u0661\r\nHost: a\r\n\r\n".encode(),
    ),
    "CVE-2023-47627 (underscore)": (400, POST + b"Content-Length: 1_0\r\n\r\n0123456789"),
    "CVE-2023-47627 (tab before the length)": (400, POST + b"Content-Length:\t3\r\n\r\nabc"),
    "CVE-2023-47627 (digits that are none in ASCII)": (
        400,
        POST + "Content-Length: \u0663\r\n\r\nabc".encode(),
    ),
    "CVE-2023-37276 (a name with a control character)": (
        400,
        POST + b"Transfer-Encoding\x01: chunked\r\n\r\n",
    ),
    "CVE-2023-37276 (a name in quotes)": (400, POST + b'"Content-Length": 3\r\n\r\nabc'),
    "CVE-2024-23829 (NUL in a name)": (400, POST + b"Content\x00-Length: 3\r\n\r\nabc"),
    "CVE-2024-23829 (no-break space)": (400, POST + b"Content-Length:\xa03\r\n\r\nabc"),
    "CVE-2024-6827 (coding behind a tab)": (501, POST + b"Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n"),
    "CVE-2024-6827 (coding before a vertical tab)": (
        400,
        POST + b"Transfer-Encoding: chunked\x0b\r\n\r\n0\r\n\r\n",
    ),
    "CVE-2024-6827 (coding with a parameter)": (
        501,
        POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    ),
    "CVE-2024-6827 (chunked twice)": (501, POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "CVE-2024-1135 (chunked, then another)": (501, POST + b"Transfer-Encoding: chunked, identity\r\n\r\n"),
    "CVE-2024-1135 (in quotes)": (501, POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n'),
    "CVE-2026-48710 BadHost (query)": (400, f"GET {PATH} HTTP/1.1\r\nHost: a?b\r\n\r\n".encode()),
    "CVE-2026-48710 BadHost (fragment)": (400, f"GET {PATH} HTTP/1.1\r\nHost: a#b\r\n\r\n".encode()),
    "CVE-2026-48710 BadHost (backslash)": (400, f"GET {PATH} HTTP/1.1\r\nHost: a\\b\r\n\r\n".encode()),
    "CVE-2026-48710 BadHost (not ASCII)": (
        400,
        f"GET {PATH} HTTP/1.1\r\nHost: \xe4\r\n\r\n".encode("latin-1"),
    ),
    "CVE-2026-48710 BadHost (in the target)": (400, b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    "CVE-2026-22815 (a hundred fields, each below a limit)": (
        431,
        GET + (b"X: " + b"a" * 300 + b"\r\n") * 90 + b"\r\n",
    ),
    "CVE-2024-37890 (2000 headers, then Upgrade)": (431, upgrade(PATH, *["X: a"] * 2000)),
    "CVE-2024-37890 (101 headers)": (431, upgrade(PATH, *["X: a"] * 96)),
}


@pytest.mark.parametrize("id", REFUSED)
def test_refused(id: str) -> None:
    status, head = REFUSED[id]
    cuts = splits(head + SMUGGLED) if len(head) < 300 else iter([[head + SMUGGLED]])
    for chunks in cuts:
        engine, connection = recording()
        connection.feed(*chunks)
        output = connection.take()
        assert output.startswith(b"HTTP/1.1 %d " % status) and output.endswith(
            b"\r\nConnection: close\r\n\r\n"
        )
        assert not connection.open and engine.heard == []


def test_cve_2020_7694_what_is_escaped_stays_escaped() -> None:
    engine, connection = recording()
    connection.feed(request("GET", PATH + "%1b%5b31m%0d%0aX:%20y"))
    assert engine.exchanges[0].request.target == PATH + "%1b%5b31m%0d%0aX:%20y"


def test_cve_2024_6827_an_underscore_is_no_hyphen() -> None:
    """Who maps names to variables reads both as one."""
    engine, connection = recording()
    connection.feed(POST + b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED)
    assert engine.heard[1] == ("body", b"0\r\n\r\n") and engine.heard[2][2] == f"{PATH}?smuggled"


def test_cve_2026_48710_a_host_changes_no_path() -> None:
    engine, connection = recording()
    connection.feed(f"GET {PATH}?x HTTP/1.1\r\nHost: ..%2f;admin\r\n\r\n".encode())
    seen = engine.exchanges[0].request
    assert (seen.path, seen.target, seen.headers["host"]) == (PATH, f"{PATH}?x", "..%2f;admin")


@pytest.mark.parametrize("what", [" ", ",", ", ", "a ", "a,", "\t"])
def test_cve_2021_32640_a_long_list_of_subprotocols(what: str) -> None:
    """Linear, or this takes hours."""
    _, connection = recording(config=WireConfig(max_head_size=2_000_000))
    connection.feed(upgrade(PATH, "Sec-WebSocket-Protocol: a" + what * (1_000_000 // len(what)) + "b"))
    assert connection.take().startswith(b"HTTP/1.1 400 ") and not connection.open


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({"Upgrade": None}, b'{"code":3,"message":"Bad request"}'),
        ({"Upgrade": ""}, b"Invalid Upgrade header"),
        ({"Connection": None}, b'{"code":3,"message":"Bad request"}'),
        ({"Connection": "keep-alive"}, b'{"code":3,"message":"Bad request"}'),
        ({"Connection": ",,"}, b'{"code":3,"message":"Bad request"}'),
    ],
)
def test_cve_2024_37890_an_upgrade_without_its_header(headers: dict[str, str | None], answer: bytes) -> None:
    connection = real().feed(upgrade(PATH + "?EIO=4&transport=websocket", **headers))
    output = connection.take()
    assert output.startswith(b"HTTP/1.1 400 ") and output.endswith(answer)


def test_cve_2022_21676_reserved_bits_glued_to_the_handshake() -> None:
    for first in (0x91, 0xA1, 0xB1, 0xC1, 0xF1):
        for chunks in splits(upgrade() + frame(first, b"")):
            connection = real().feed(*chunks)
            output = connection.take()
            assert output.startswith(b"HTTP/1.1 101 ") and output.endswith(b"\x88\x02\x03\xea")
            assert not connection.open and not connection.server.engine.sessions  # type: ignore[attr-defined]


def sid_of(connection: Connection[Any]) -> str:
    connection.feed(poll())
    return connection.take().partition(b'"sid":"')[2].partition(b'"')[0].decode()


@pytest.mark.parametrize("chunked", [False, True])
def test_cve_2020_36048_a_hundred_megabytes_in_a_post(chunked: bool) -> None:
    connection = real(EngineConfig(max_http_buffer_size=100_000), WireConfig(max_drain_size=100_000))
    sid = sid_of(connection)
    how = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100000000"
    piece = b"2710\r\n" + b"4" * 10_000 + b"\r\n" if chunked else b"4" * 10_000
    connection.feed(request("POST", f"{PATH}?EIO=4&transport=polling&sid={sid}", how))
    tracemalloc.start()
    try:
        sent = 0
        while connection.open and sent < 100_000_000:
            connection.feed(piece)
            sent += 10_000
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert connection.take().startswith(b"HTTP/1.1 413 ")
    assert sent <= 300_000 and most < 500_000
    assert sid in connection.server.engine.sessions  # type: ignore[attr-defined]


def test_cve_2020_36048_many_posts_of_one_session() -> None:
    """The second one ends the session, so there is one body at most."""
    first = real()
    sid = sid_of(first)
    first.feed(post(sid, b"4" * 1000)[:-1])
    answers: list[bytes] = []
    for _ in range(100):
        other = Connection(first.server).feed(post(sid, b"4" * 1000)[:-1])
        answers.append(other.take())
    assert all(answer.startswith(b"HTTP/1.1 400 Bad Request\r\n") for answer in answers)
    assert b'"Session ID unknown"' not in answers[0] and all(
        b'"Session ID unknown"' in a for a in answers[1:]
    )
    assert first.wire.take_bytes(0.0) == b"" and first.wire.abort
    assert not first.server.engine.sessions  # type: ignore[attr-defined]


def test_cve_2025_69229_tiny_chunks_take_linear_time() -> None:
    """Or this takes hours."""
    engine, connection = recording()
    connection.feed(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    connection.feed(b"1\r\na\r\n" * 200_000 + b"0\r\n\r\n")
    assert engine.heard[-1] == ("body", b"a" * 200_000)


@pytest.mark.parametrize("method", sorted(map(bytes.decode, METHODS - {b"GET", b"POST"})))
def test_hypercorn_277_other_methods_have_an_answer(method: str) -> None:
    connection = real()
    sid = sid_of(connection)
    connection.feed(request(method, f"{PATH}?EIO=4&transport=polling"))
    output = connection.take()
    assert output.startswith(b"HTTP/1.1 400 ")
    assert output.endswith(
        b"\r\n\r\n" if method == "HEAD" else b'{"code":2,"message":"Bad handshake method"}'
    )
    connection.feed(request(method, f"{PATH}?EIO=4&transport=polling&sid={sid}"))
    assert connection.take().startswith(b"HTTP/1.1 500 ") and connection.open


HEADERS = [
    "Host",
    "Connection",
    "Upgrade",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
    "Origin",
    "Cookie",
    "User-Agent",
    "Accept-Encoding",
    "Content-Type",
    "Content-Length",
    "Transfer-Encoding",
    "Expect",
    "Keep-Alive",
    "X",
    "Access-Control-Request-Headers",
]


@pytest.mark.parametrize("name", HEADERS)
def test_granian_bytes_that_are_no_ascii(name: str) -> None:
    """Alone, before and behind what is usual there: an answer, and never an exception."""
    for value in ("\xff", "\xe9\x80", "websocket\xff", "\xa0upgrade", "13\xb2", "chunked\x85"):
        for data in (
            upgrade(**{name: value}),
            request("GET", f"{PATH}?EIO=4&transport=polling", f"{name}: {value}"),
            request("OPTIONS", f"{PATH}?EIO=4&transport=polling", f"{name}: {value}"),
        ):
            connection = real(EngineConfig.from_options({"cors": {"origin": True, "credentials": True}}))
            connection.feed(data)
            assert connection.take().startswith(b"HTTP/1.1 ")
            connection.lose()


def test_engineio_6_6_7_a_wrong_content_type_has_an_answer() -> None:
    connection = real()
    sid = sid_of(connection)
    connection.feed(post(sid, b"4a", "Content-Type: application/octet-stream"))
    assert connection.take().startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert not connection.server.engine.sessions  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "query",
    ["", "transport=", "transport=__proto__", "transport=constructor", "transport=polling&transport=x"],
)
def test_cve_2023_31125_odd_transports_on_an_upgrade(query: str) -> None:
    connection = real().feed(upgrade(f"{PATH}?EIO=4&{query}"))
    assert connection.take().endswith(b"Transport unknown") and not connection.open


def test_cve_2023_31125_polling_on_an_upgrade() -> None:
    connection = real().feed(upgrade(f"{PATH}?EIO=4&transport=polling"))
    output = connection.take()
    assert output.startswith(b"HTTP/1.1 101 ") and output.endswith(b"\x88\x00")
    assert connection.wire.link is None or connection.wire.link.state is not LinkState.OPEN


def test_an_engine_that_is_never_asked() -> None:
    """Nothing that is refused above comes as far as a parser."""

    class Deaf:
        def read_head(self, raw: bytes, /) -> Any:
            raise AssertionError(raw)

    for status, head in REFUSED.values():
        if b"Host" in head and b"Host: a\r\n" not in head:
            continue  # What a Host means is looked at afterwards.
        _, connection = recording(RecordingEngine(http_engine=Deaf()))
        assert connection.feed(head).take().startswith(b"HTTP/1.1 %d " % status)
