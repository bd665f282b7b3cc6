"""How sessions end, in whole conversations."""

from __future__ import annotations

import pytest
from engineio_proto import CloseReason, MessageReceived, SessionOpened

from tests.sim.pair import Pair

FORCED = CloseReason.FORCED_CLOSE


def test_collected_by_the_next_get() -> None:
    pair = Pair(latency=0.1)
    pair.connect_polling()
    pair.send("a")
    pair.close()
    first = pair.client.poll()
    pair.advance(0.3)
    assert first.response is not None and first.response.body == b"4a"
    second = pair.client.poll()
    pair.advance(0.3)
    assert second.response is not None and second.response.body == b"6\x1e1"
    assert [end[1:] for end in pair.closed] == [(FORCED, None)]


def test_collected_by_nobody() -> None:
    pair = Pair()
    pair.connect_polling()
    pair.advance(5.0)
    pair.close()
    pair.advance(100.0)
    assert pair.closed == [(35.0, FORCED, None)]


def test_get_is_pending() -> None:
    pair = Pair()
    pair.connect_polling()
    get = pair.client.poll()
    pair.advance(1.0)
    pair.close()
    pair.advance()
    assert get.response is not None and get.response.body == b"1"
    assert pair.closed == [(1.0, FORCED, None)]


def test_client_says_goodbye() -> None:
    pair = Pair(latency=0.1)
    pair.connect_polling()
    get, post = pair.client.poll(), pair.client.post("4a", "1", "4b")
    pair.advance(0.3)
    assert get.response is not None and get.response.body == b"6"
    assert post.response is not None and post.response.body == b"ok"
    assert pair.received == ["a"]
    assert [end[1] for end in pair.closed] == [CloseReason.TRANSPORT_CLOSE]


@pytest.mark.parametrize("what", ["poll", "post"])
def test_connection_lost(what: str) -> None:
    pair = Pair(latency=0.1)
    pair.connect_polling()
    request = pair.client.poll() if what == "poll" else pair.client.request("POST")
    request.send(b"4a")
    pair.advance(0.15)
    request.drop()
    pair.advance(0.1)
    text = (
        "poll connection closed prematurely"
        if what == "poll"
        else "data request connection closed prematurely"
    )
    assert [end[1:] for end in pair.closed] == [(CloseReason.TRANSPORT_ERROR, text)]
    assert pair.received == []


def test_websocket() -> None:
    pair = Pair(latency=0.1)
    _, socket = pair.connect_websocket()
    pair.send("a")
    pair.close()
    pair.advance(1.0)
    assert socket.closed and pair.client.received == ["a"]
    assert pair.closed == [(0.2, FORCED, None)]


@pytest.mark.parametrize(
    ("how", "end"),
    [
        ("close", (CloseReason.TRANSPORT_CLOSE, None)),
        ("drop", (CloseReason.TRANSPORT_CLOSE, None)),
        ("fail", (CloseReason.TRANSPORT_ERROR, "Max payload size exceeded")),
    ],
)
def test_websocket_gone(how: str, end: tuple[CloseReason, str | None]) -> None:
    pair = Pair(latency=0.1)
    _, socket = pair.connect_websocket()
    socket.send("4a")
    pair.advance(0.2)
    if how == "fail":
        socket.fail("Max payload size exceeded")
    else:
        getattr(socket, how)()
    pair.advance(1.0)
    assert pair.received == ["a"] and [e[1:] for e in pair.closed] == [end]


def test_closed_by_the_first_of_many_handlers() -> None:
    """Events that the same input returned may be stale; later inputs deliver nothing."""
    pair = Pair(slice=1)
    pair.on_event = lambda event: (
        pair.session.close(pair.clock.now, discard=True) if isinstance(event, MessageReceived) else None
    )
    pair.connect_polling()
    post = pair.client.post("4a", "4b", "4c")
    pair.advance(1.0)
    assert pair.received == ["a"] and [end[1] for end in pair.closed] == [FORCED]
    assert post.response is not None and post.response.body == b"ok"


def test_closed_by_the_handler_of_the_handshake() -> None:
    pair = Pair()
    pair.on_event = lambda event: (
        event.session.close(pair.clock.now) if isinstance(event, SessionOpened) else None
    )
    socket = pair.client.websocket()
    pair.advance(1.0)
    assert socket.closed and pair.closed == [(0.0, FORCED, None)]
    assert str(socket.packets[0])[0] == "0"


def test_reader_too_slow() -> None:
    pair = Pair(max_send_buffer=100)
    _, socket = pair.connect_websocket(window=1)
    socket.down.hold()
    for _ in range(100):
        if pair.closed:
            break
        pair.send("x" * 9)
    (end,) = pair.closed
    text = "send buffer full: 100 bytes wait, 10 more would pass max_send_buffer=100"
    assert end[1:] == (FORCED, text)


def test_slow_reader_is_not_writable_before_any_bound() -> None:
    pair = Pair()
    session, socket = pair.connect_websocket(window=1)
    assert session.writable
    socket.down.hold()
    pair.send("a", "b")
    assert not session.writable
    socket.down.release()
    pair.advance()
    assert session.writable and pair.client.received == ["a", "b"]


def test_engine_closes() -> None:
    pair = Pair()
    session = pair.connect_polling()
    get = pair.client.poll()
    pair.advance()
    pair.host.run(pair.engine.close, pair.clock.now)
    pair.advance()
    assert get.response is not None and get.response.body == b"1"
    again = pair.client.poll()
    pair.advance()
    assert again.response is not None and b'"code":1' in again.response.body
    assert session.id not in pair.engine.sessions and pair.engine.deadline is None
