"""Whatever arrives: no exception, bounded memory, one end, and nothing left behind."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from typing import Any

import pytest
from engineio_proto import EngineConfig, Exchange, Link
from engineio_wire import Wire, WireConfig
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
    text,
    upgrade,
    websocket,
)

pytestmark = pytest.mark.usefixtures("each_http_engine")

HTTP = [
    request("GET", PATH),
    request("POST", PATH, body=b"abc"),
    request("POST", PATH, "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"),
    request("GET", "/page"),
    poll(),
    poll("nobody"),
    upgrade(),
    upgrade(PATH + "?EIO=4&transport=polling"),
    upgrade("/elsewhere"),
    text("4hello"),
    text("2probe"),
    frame(0x88, b""),
    frame(0x89, b"p"),
    frame(0x01, b"a"),
    b"\r\n",
    b"GET / HTTP/1.1\r\n",
]
pieces = st.one_of(st.sampled_from(HTTP), st.sampled_from(HTTP), st.binary(max_size=40))


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Requests and frames with some bytes changed, cut anywhere."""
    data = bytearray(b"".join(draw(st.lists(pieces, min_size=1, max_size=6))))
    for at, value in draw(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4)):
        if at < len(data):
            data[at] = value
    cuts = sorted({cut for cut in draw(st.lists(st.integers(0, 2000), max_size=8)) if 0 < cut < len(data)})
    places = [0, *cuts, len(data)]
    return [bytes(data[a:b]) for a, b in itertools.pairwise(places)]


steps = st.lists(st.sampled_from(["block", "ready", "time", "eof", "answer", "message"]), max_size=6)


@settings(deadline=None, max_examples=300)
@given(streams(), steps)
@example([upgrade() + frame(0x88, b"")], ["message", "eof"])
def test_no_bytes_raise(chunks: list[bytes], moves: list[str]) -> None:
    connection = real()
    engine: Any = connection.server.engine
    moves = list(moves)
    for chunk in chunks:
        connection.feed(chunk)
        if not moves:
            continue
        move = moves.pop()
        if move == "block":
            connection.wire.write_blocked(connection.now)
            connection.flush()
        elif move == "ready":
            connection.unblock()
        elif move == "time":
            connection.at(connection.now + 20.0)
        elif move == "eof":
            connection.eof()
        elif move == "message":
            for session in engine.sessions.values():
                session.send_message("hello")
            connection.flush()
    connection.lose()
    assert connection.wire not in connection.server.deadlines
    assert connection.wire not in engine.dirty.take()
    # A polling session outlives its connections, but not its deadlines.
    for now in (50.0, 100.0, 150.0, 200.0):
        engine.handle_timeout(connection.now + now)
    assert engine.sessions == {} and engine.timers.deadline is None


@settings(deadline=None, max_examples=150)
@given(streams())
def test_no_bytes_raise_after_the_101(chunks: list[bytes]) -> None:
    engine, connection = websocket()
    connection.feed(*chunks)
    connection.lose()
    assert [heard[0] for heard in engine.heard].count("link closed") == 1


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300), st.integers(0, 300))
def test_no_bytes_raise_in_a_body(data: bytes, cut: int) -> None:
    for how in ("Content-Length: 200", "Transfer-Encoding: chunked"):
        _, connection = recording(RecordingEngine(max_message_size=100))
        connection.feed(request("POST", PATH, how), data[:cut], data[cut:])
        connection.eof()
        connection.lose()


FLOODS = {
    "a head": (b"", b"X" * 1000),
    "headers": (b"GET / HTTP/1.1\r\n", b"X: a\r\n" * 100),
    "a body": (request("POST", PATH, "Content-Length: 999999999"), b"a" * 1000),
    "a foreign body": (request("POST", "/page", "Content-Length: 99999999"), b"a" * 1000),
    "chunks": (request("POST", PATH, "Transfer-Encoding: chunked"), b"1\r\na\r\n" * 200),
    "pipelined requests": (request("GET", "/page"), request("GET", "/page") * 10),
    "pings": (upgrade(), frame(0x89, b"a" * 125) * 10),
    "a message": (upgrade() + b"\x02\xfe\xff\xff" + bytes(4), b"a" * 1000),
    "fragments": (upgrade() + frame(0x01, b"a"), frame(0x00, b"a" * 100) * 10),
    "frames after an error": (upgrade() + frame(0x81, b"\xff"), text("a") * 100),
    "a frame after an error": (upgrade() + frame(0x81, b"\xff") + b"\x82\xff" + b"\x7f" * 12, b"a" * 1000),
}


@pytest.mark.parametrize("name", FLOODS)
def test_memory_is_bounded(name: str) -> None:
    """A million bytes of it, from a peer that reads nothing."""
    first, more = FLOODS[name]
    config = WireConfig(max_body_size=10_000, max_drain_size=20_000)
    engine = RecordingEngine(max_message_size=10_000)
    _, connection = recording(engine, config)
    connection.feed(first)
    if connection.wire.http is None:
        # An HTTP peer that does not read is not read from either.
        connection.wire.write_blocked(connection.now)
        engine.dirty.mark(connection.wire)
        connection.flush()
    fed = 0
    gc.collect()
    gc.disable()  # A frame's parser is no reference cycle.
    tracemalloc.start()
    try:
        for _ in range(1_000_000 // len(more)):
            if not connection.wire.wants_read or connection.wire.closing:
                break
            connection.feed(more)
            fed += len(more)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()
    assert held < 30_000 and fed > 10_000


def live(*kinds: type) -> int:
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())


def test_ten_thousand_connections_leave_no_object() -> None:
    """With the garbage collector off: connects, aborts and refusals over both transports."""
    connection = real(EngineConfig())
    engine: Any = connection.server.engine
    connection.lose()
    before = live(Wire, Exchange, Link)
    ways = [
        lambda c: c.feed(upgrade(), text("4hi"), frame(0x88, b"")),
        lambda c: c.feed(upgrade(), text("4hi")),
        lambda c: c.feed(upgrade(), frame(0xF1, b"")),
        lambda c: c.feed(upgrade(PATH + "?transport=no")),
        lambda c: c.feed(upgrade("/elsewhere")),
        lambda c: c.feed(poll("nobody")),
        lambda c: c.feed(b"nonsense\r\n\r\n"),
        lambda c: c.feed(b"GET / HT"),
        lambda c: c.feed(post("nobody", b"4hi")[:-1]),
        lambda c: c.feed(poll()),
    ]
    gc.collect()
    gc.disable()
    try:
        for i in range(10_000):
            connection = Connection(connection.server)
            ways[i % len(ways)](connection)
            connection.lose()
        for now in (50.0, 100.0, 150.0):
            engine.handle_timeout(now)
        connection.events.clear()
        assert engine.sessions == {} and engine.timers.deadline is None
        del connection
        assert live(Wire, Exchange, Link) <= before + 1
    finally:
        gc.enable()
