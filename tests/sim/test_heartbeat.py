"""Heartbeat in whole conversations: reference 1.11, observed B3."""

from __future__ import annotations

import pytest
from engineio_proto import CloseReason

from tests.sim.pair import Pair

TIMEOUT = CloseReason.PING_TIMEOUT


@pytest.mark.parametrize("transport", ["polling", "websocket", "upgraded"])
def test_a_live_client_stays(transport: str) -> None:
    pair = connect(transport, latency=0.05)
    pair.client.auto_pong = True
    pair.advance(1000.0)
    assert pair.closed == []
    pings = [at for at, packet in pair.client.packets if packet == "2"]
    assert len(pings) == pytest.approx(1000 / 25.1, abs=1)
    pair.send("still here")
    pair.advance(1.0)
    assert pair.client.received == ["still here"]


@pytest.mark.parametrize("transport", ["polling", "websocket", "upgraded"])
def test_a_silent_client_is_closed(transport: str) -> None:
    """At exactly interval + timeout; after an upgrade too, which re-arms the ping timer."""
    pair = connect(transport)
    start = pair.time if transport == "upgraded" else 0.0
    pair.advance(44.999)
    assert pair.closed == []
    pair.advance(0.002)
    assert pair.closed == [(start + 45.0, TIMEOUT, None)]


def test_ping_sent_on_polling_and_answered_by_nobody_then_upgraded() -> None:
    """The reference never closes this session (observed C, 1.10)."""
    pair = Pair()
    pair.connect_polling()
    pair.advance(26.0)  # the ping is out, or rather in the buffer
    socket = pair.client.websocket()
    socket.send("2probe", "5")
    pair.advance(1.0)
    assert socket.packets == ["3probe", "2"]
    pair.advance(100.0)
    assert pair.closed == [(71.0, TIMEOUT, None)]
    assert socket.closed


def test_polling_client_that_never_polls() -> None:
    pair = Pair()
    pair.connect_polling()
    pair.advance(60.0)
    assert pair.closed == [(45.0, TIMEOUT, None)]
    get = pair.client.poll()
    pair.advance()
    assert get.response is not None and get.response.status == 400


def test_messages_extend_once() -> None:
    pair = Pair()
    _, socket = pair.connect_websocket()
    pair.advance(30.0)
    for _ in range(100):
        socket.send("4a")
        pair.advance(1.0)
    # The ping at 25, its time over at 45: the bytes that came at 44 or 45 give it 20 s more, once.
    (end,) = pair.closed
    assert end[1] is TIMEOUT and 64.0 <= end[0] <= 65.0


def test_process_that_slept() -> None:
    """Nothing for 20 s, then `timeout(5)`: deadlines count from when they were armed, not from the last pass."""
    pair = Pair(ping_interval=25.0)
    pair.connect_websocket()
    pair.clock.now += 20.0  # nobody called anything
    assert pair.engine.handle_timeout(pair.clock.now) == []
    pair.advance(4.999)
    assert [packet for _, packet in pair.client.packets if packet == "2"] == []
    pair.advance(0.001)
    assert [packet for _, packet in pair.client.packets if packet == "2"] == ["2"]


def test_paused_for_long_is_no_timeout() -> None:
    """The client answered in time; its pong waits unread behind what the handlers do not take."""
    pair = Pair()
    _, socket = pair.connect_websocket()
    pair.client.auto_pong = True
    pair.advance(20.0)
    pair.pause()
    socket.send("4a")
    pair.advance(44.9999)
    pair.resume()
    pair.advance(100.0)
    assert pair.closed == [] and pair.received == ["a"]


def test_paused_for_too_long() -> None:
    pair = Pair(stall_timeout=60.0)
    pair.connect_websocket()
    pair.advance(1.0)
    pair.pause()
    pair.advance(100.0)
    assert pair.closed == [(61.0, CloseReason.FORCED_CLOSE, "paused for longer than stall_timeout")]


def connect(transport: str, *, latency: float = 0.0) -> Pair:
    pair = Pair(latency=latency)
    pair.client.auto_poll = True
    if transport == "websocket":
        pair.connect_websocket()
        return pair
    pair.connect_polling()
    if transport == "upgraded":
        pair.client.auto_poll = False
        pair.advance(1.0)
        socket = pair.client.websocket()
        socket.send("2probe")
        pair.advance(1.0)
        socket.send("5")
        pair.advance(latency)
        assert pair.session.transport == "websocket"
    return pair
