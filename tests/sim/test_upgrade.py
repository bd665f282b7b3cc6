"""Upgrades in whole conversations, with latency and loss at every point."""

from __future__ import annotations

import pytest
from engineio_proto import CloseReason

from tests.sim.client import ClientSocket
from tests.sim.pair import Pair


def upgrade(pair: Pair) -> ClientSocket:
    """As the official client does: probe, wait for the answer and for the poll to return, then commit."""
    pair.client.auto_poll = False
    socket = pair.client.websocket()
    socket.send("2probe")
    while "3probe" not in socket.packets or pair.client.polling:
        pair.advance(0.01)
    socket.send("5")
    return socket


@pytest.mark.parametrize("latency", [0.0, 0.03, 0.2, 1.0])
def test_nothing_is_lost_doubled_or_reordered(latency: float) -> None:
    pair = Pair(latency=latency)
    pair.client.auto_poll = True
    pair.connect_polling()
    sent = 0

    def send_some() -> None:
        nonlocal sent
        pair.send(*[str(sent + n) for n in range(3)])
        sent += 3
        if sent < 300:
            pair.clock.call_later(0.021, send_some)

    send_some()
    pair.advance(0.5)
    socket = upgrade(pair)
    pair.advance(20.0)
    assert len(pair.upgraded) == 1
    assert pair.client.received == [str(n) for n in range(300)]
    assert pair.closed == [] and not socket.closed


def test_the_parked_get_returns_with_a_noop() -> None:
    pair = Pair()
    pair.client.auto_poll = True
    pair.connect_polling()
    pair.advance(1.0)
    socket = upgrade(pair)
    pair.advance()
    noops = [(round(at - 1000.0, 6), packet) for at, packet in pair.client.packets if packet == "6"]
    assert noops == [(pytest.approx(1.1, abs=0.011), "6")]
    assert pair.session.transport == "websocket" and socket.packets == ["3probe"]


def test_probe_commit_and_message_in_one_segment() -> None:
    pair = Pair(latency=0.1)
    pair.connect_polling()
    socket = pair.client.websocket()
    socket.send("2probe", "5", "4a", b"b", "4c")
    pair.advance(0.1)
    assert pair.received == ["a", b"b", "c"] and len(pair.upgraded) == 1
    pair.send("d")
    pair.advance(0.1)
    assert socket.packets == ["3probe", "4d"]


def test_client_that_pauses_nothing() -> None:
    """It commits with a GET and a POST still under way: the GET gets `1`, the POST is aborted."""
    pair = Pair(latency=0.1)
    pair.connect_polling()
    get, post = pair.client.request(), pair.client.request("POST")
    post.send(b"4lost")
    pair.advance(0.1)
    socket = pair.client.websocket()
    socket.send("5", "4a")
    pair.advance(0.1)
    post.end()
    pair.advance(1.0)
    assert get.response is not None and get.response.body == b"1"
    assert post.aborted and pair.received == ["a"] and pair.closed == []


@pytest.mark.parametrize("stage", ["accepted", "probed", "answered", "committed"])
@pytest.mark.parametrize("latency", [0.0, 0.1])
def test_candidate_lost_at(stage: str, latency: float) -> None:
    """Before the commit the session stays on polling; after it, the link is the session."""
    pair = Pair(latency=latency)
    pair.client.auto_poll = True
    pair.connect_polling()
    socket = pair.client.websocket()
    if stage != "accepted":
        socket.send("2probe")
    if stage != "probed":
        pair.advance(2 * latency + 0.01)
    if stage == "committed":
        socket.send("5")
    socket.drop()
    pair.advance(1.0)
    if stage == "committed":
        assert [end[1] for end in pair.closed] == [CloseReason.TRANSPORT_CLOSE]
    else:
        assert pair.closed == [] and pair.upgraded == []
        pair.send("a")
        pair.client.post("4b")
        pair.advance(1.0)
        assert pair.client.received == ["a"] and pair.received == ["b"]
        again = pair.client.websocket()
        again.send("2probe", "5")
        pair.advance(1.0)
        assert len(pair.upgraded) == 1


def test_candidate_that_never_commits() -> None:
    pair = Pair()
    pair.client.auto_poll = True
    pair.connect_polling()
    socket = pair.client.websocket()
    socket.send("2probe")
    pair.advance(9.999)
    assert not socket.closed
    pair.advance(0.002)
    assert socket.closed and pair.closed == []
    polls = sum(packet == "6" for _, packet in pair.client.packets)
    assert polls == pytest.approx(99, abs=1)  # one for each GET that was pending at a tick


def test_server_closes_during_the_probe() -> None:
    pair = Pair(latency=0.05)
    pair.client.auto_poll = True
    pair.connect_polling()
    socket = pair.client.websocket()
    socket.send("2probe")
    pair.advance(0.12)
    pair.close()
    pair.advance(1.0)
    assert socket.closed and [end[1] for end in pair.closed] == [CloseReason.FORCED_CLOSE]
    assert pair.client.packets[-1][1] == "1"


def test_slow_reader_across_the_upgrade() -> None:
    pair = Pair(latency=0.01)
    pair.connect_polling()
    socket = pair.client.websocket(window=2)
    socket.send("2probe", "5")
    pair.advance(0.1)
    socket.down.hold()
    for n in range(20):
        pair.send(str(n))
    pair.advance(1.0)
    assert not pair.session.writable and pair.session.buffered_bytes > 0
    socket.down.release()
    pair.advance(1.0)
    assert pair.client.received == [str(n) for n in range(20)]
    assert pair.session.writable and pair.session.buffered_bytes == 0
