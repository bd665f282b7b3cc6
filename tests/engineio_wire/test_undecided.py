"""A request that waits for the user's code: what comes behind its head is held back, and nothing of it is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engineio_proto import Decision, DecisionAbandoned, DecisionRequested, EngineServer, MessageReceived
from engineio_wire import WireConfig

from tests.engineio_wire.peer import Connection, poll, post, real, request, splits, text, upgrade

pytestmark = pytest.mark.usefixtures("each_http_engine")


def opened(config: WireConfig | None = None) -> tuple[EngineServer, Connection[Any], str]:
    """A session on polling, and from now on a middleware, for which the test answers."""
    connection = real(wire=config)
    engine: Any = connection.server.engine
    connection.feed(poll())
    sid = json.loads(connection.take().partition(b"\r\n\r\n0")[2])["sid"]
    connection.events.clear()
    engine.use(lambda request, response: None)
    return engine, connection, sid


def question(connection: Connection[Any]) -> Decision:
    """The question that is open, and the only event."""
    (event,) = connection.events
    assert isinstance(event, DecisionRequested)
    connection.events.clear()
    return event.decision


def decide(engine: EngineServer, connection: Connection[Any]) -> bytes:
    """Reply, and do what a driver does then."""
    engine.decide(question(connection), None, connection.now)
    connection._take(engine.take_events())
    return connection.take()


@pytest.mark.parametrize("body", [b"4hello", b""])
def test_a_body_waits(body: bytes) -> None:
    """However the bytes come: the body is delivered after the decision, and the pipelined request after it."""
    for chunks in splits(post("x" * 20, body)):
        engine, connection, sid = opened()
        *first, last = pieces(post(sid, body), [len(chunk) for chunk in chunks])
        connection.feed(*first, last + poll(sid))
        assert connection.take() == b""
        engine.decide(question(connection), None, 0.0)
        connection._take(engine.take_events())
        assert connection.take().endswith(b"\r\n\r\nok")
        received = [event.data for event in connection.events if isinstance(event, MessageReceived)]
        assert received == (["hello"] if body else [])
        # An empty payload is no packet and ends the session. The next request is asked about, in its turn.
        assert (sid in engine.sessions) is bool(body)
        assert isinstance(connection.events[-1], DecisionRequested)


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    """The data in pieces of these sizes."""
    cut: list[bytes] = []
    for size in sizes:
        cut.append(data[:size])
        data = data[size:]
    return cut


def test_a_large_body_stops_the_reading() -> None:
    engine, connection, sid = opened()
    body = b"4" + b"x" * 200_000
    data = post(sid, body)
    connection.feed(data[:1000])
    assert not connection.wire.wants_read
    engine.decide(question(connection), None, 0.0)
    connection._take(engine.take_events())
    assert connection.wire.wants_read
    connection.feed(data[1000:])
    assert connection.events == [MessageReceived(engine.sessions[sid], "x" * 200_000)]


def test_a_body_that_nobody_wants_is_thrown_away() -> None:
    engine, connection, _ = opened()
    connection.feed(post("nobody", b"4a"))
    answer = decide(engine, connection)
    assert b'{"code":1,"message":"Session ID unknown"}' in answer and connection.open


def test_the_peer_leaves() -> None:
    engine, connection, sid = opened()
    connection.feed(poll(sid))
    decision = question(connection)
    connection.eof()
    (event,) = connection.events
    assert isinstance(event, DecisionAbandoned) and event.decision is decision
    assert connection.wire.abort and not engine.decisions.undecided and sid in engine.sessions


def test_the_peer_shuts_its_half_behind_a_post() -> None:
    engine, connection, sid = opened()
    connection.feed(post(sid, b"4a")).eof()
    engine.decide(question(connection), None, 0.0)
    connection._take(engine.take_events())
    assert connection.events == [MessageReceived(engine.sessions[sid], "a")]
    assert connection.take().endswith(b"ok")


def test_frames_behind_an_undecided_upgrade() -> None:
    engine, connection, _ = opened()
    connection.feed(upgrade() + text("4a"), text("4b"))
    assert connection.take() == b""
    engine.decide(question(connection), None, 0.0)
    connection._take(engine.take_events())
    assert [event.data for event in connection.events if isinstance(event, MessageReceived)] == ["a", "b"]


def test_no_more_than_a_head_behind_an_undecided_upgrade() -> None:
    _, connection, _ = opened(WireConfig(max_head_size=4096))
    connection.feed(upgrade())
    assert connection.wire.wants_read
    connection.feed(text("x" * 5000))
    assert not connection.wire.wants_read


def test_other_paths_ask_nobody() -> None:
    _, connection, _ = opened()
    connection.feed(request("GET", "/other"))
    assert [type(event).__name__ for event in connection.events] == ["RequestReceived"]
