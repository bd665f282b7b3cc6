"""Frames, messages and closes after the 101 (RFC 6455 sections 5 and 7), on both ways of a frame."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import pytest
from engineio_proto import Outgoing, message
from engineio_wire import WireConfig

from tests.engineio_wire.peer import MASK, RecordingEngine, frame, real, text, upgrade, websocket
from tests.engineio_wire.ways import EVERY, Way


def close(code: int) -> bytes:
    return b"\x88\x02" + code.to_bytes(2, "big")


# Receiving.


@EVERY
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 125, 126, 127, 4096, 4097, 65_535, 65_536, 200_001])
def test_messages_of_every_size(size: int, way: Way) -> None:
    for first, payload in (
        (0x81, ("aé€😀" * size)[:size].encode()),
        (0x82, bytes(range(256)) * (size // 256 + 1)),
    ):
        payload = payload if first == 0x81 else payload[:size]
        engine, connection = way.open()
        connection.feed(frame(first, payload))
        assert engine.heard == [("message", payload.decode() if first == 0x81 else payload)]
        assert (connection.wire.websocket is None) is not way.lasts, "nothing is held at an idle boundary"


@EVERY
def test_fragments_with_control_frames_between_them(way: Way) -> None:
    engine, connection = way.open()
    connection.feed(
        frame(0x01, b"a\xe2"),
        frame(0x89, b"ping"),
        frame(0x00, b"\x82"),
        frame(0x8A, b"unasked"),
        frame(0x00, b""),
        frame(0x80, b"\xac"),
        text("next"),
    )
    assert engine.heard == [("message", "a€"), ("message", "next")]
    assert connection.take() == b"\x8a\x04ping"
    assert (connection.wire.websocket is None) is not way.lasts


@EVERY
def test_a_frame_byte_by_byte(way: Way) -> None:
    engine, connection = way.open()
    data = frame(0x82, bytes(300)) + text("é" * 100)
    connection.feed(*[data[i : i + 1] for i in range(len(data))])
    assert engine.heard == [("message", bytes(300)), ("message", "é" * 100)]


def test_every_read_is_seen_by_the_heartbeat() -> None:
    engine, connection = websocket()
    for now, data in ((1.0, text("a")), (2.0, b"\x81"), (3.0, b"\x81" + MASK), (4.0, frame(0x8A, b""))):
        connection.now = now
        connection.feed(data)
        assert engine.links[0].last_received == now


REFUSED = {
    "unmasked": (frame(0x81, b"a", mask=None), 1002),
    "unmasked and empty": (frame(0x81, b"", mask=None), 1002),
    "RSV1": (frame(0xC1, b"a"), 1002),
    "RSV2": (frame(0xA1, b"a"), 1002),
    "RSV3": (frame(0x91, b"a"), 1002),
    "opcode 3": (frame(0x83, b"a"), 1002),
    "opcode 7": (frame(0x87, b"a"), 1002),
    "opcode 11": (frame(0x8B, b"a"), 1002),
    "opcode 15": (frame(0x8F, b"a"), 1002),
    "continuation of nothing": (frame(0x80, b"a"), 1002),
    "empty continuation of nothing": (frame(0x80, b""), 1002),
    "message inside a message": (frame(0x01, b"a") + frame(0x81, b"b"), 1002),
    "binary inside text": (frame(0x01, b"a") + frame(0x82, b"b"), 1002),
    "continuation of nothing, too big": (frame(0x80, bytes(100_001)), 1002),
    "message inside a message, too big": (frame(0x01, b"a") + frame(0x81, bytes(100_001)), 1002),
    "fragmented ping": (frame(0x09, b"a"), 1002),
    "fragmented close": (frame(0x08, b""), 1002),
    "long ping": (frame(0x89, b"a" * 126), 1002),
    "long close": (frame(0x88, b"a" * 126), 1002),
    "one-byte close": (frame(0x88, b"\x03"), 1002),
    "close 999": (frame(0x88, b"\x03\xe7"), 1002),
    "close 1005": (frame(0x88, b"\x03\xed"), 1002),
    "close 1004": (frame(0x88, b"\x03\xec"), 1002),
    "close 1015": (frame(0x88, b"\x03\xf7"), 1002),
    "close 2999": (frame(0x88, b"\x0b\xb7"), 1002),
    "close 1006": (frame(0x88, b"\x03\xee"), 1002),
    "close 1016": (frame(0x88, b"\x03\xf8"), 1002),
    "close 5000": (frame(0x88, b"\x13\x88"), 1002),
    "close reason not UTF-8": (frame(0x88, b"\x03\xe8\xff"), 1007),
    "length not minimal, 16 bit": (frame(0x81, b"a" * 125, form=126), 1002),
    "length not minimal, 64 bit": (frame(0x81, b"a" * 126, form=127), 1002),
    "length of 2**63": (b"\x82\xff" + (2**63).to_bytes(8, "big") + MASK, 1002),
    "invalid UTF-8": (frame(0x81, b"a\xff"), 1007),
    "surrogate in UTF-8": (frame(0x81, b"\xed\xa0\x80"), 1007),
    "overlong UTF-8": (frame(0x81, b"\xc0\xaf"), 1007),
    "cut UTF-8": (frame(0x81, b"\xe2\x82"), 1007),
    "cut UTF-8 over fragments": (frame(0x01, b"\xe2") + frame(0x80, b"\x82"), 1007),
    "too big": (frame(0x82, bytes(100_001)), 1009),
    "too big, in fragments": (frame(0x02, bytes(60_000)) + frame(0x80, bytes(40_001)), 1009),
}

# The library's own judgement, where it differs: None is another one than an error that ends with the frame.
WEBSOCKETS: dict[str, int | None] = {
    "continuation of nothing, too big": 1009,
    "message inside a message, too big": 1009,
    "length not minimal, 16 bit": None,
    "length not minimal, 64 bit": None,
    "length of 2**63": None,  # 1009, and then nobody waits for the end of this frame
}


@EVERY
@pytest.mark.parametrize("name", REFUSED)
def test_refused_frames(name: str, way: Way) -> None:
    data, code = REFUSED[name]
    if way.engine == "websockets":
        code = WEBSOCKETS.get(name, code)
    if code is None or (name == "RSV1" and way.deflate):
        return  # with permessage-deflate, a compressed message
    engine, connection = way.open(RecordingEngine(max_message_size=100_000))
    connection.feed(text("before") + data + text("after"))
    assert connection.take() == close(code)
    assert engine.heard[0] == ("message", "before")
    [(what, error)] = engine.heard[1:]
    assert what == "link closed" and error
    if code == 1009:
        assert error == "Max payload size exceeded"
    # The peer's answer ends the connection; after 1002 its frames cannot be read any more.
    assert connection.open is (code != 1002 and name != "close reason not UTF-8")
    connection.feed(frame(0x88, code.to_bytes(2, "big")))
    assert not connection.open and connection.take() == b""
    connection.lose()
    assert len(engine.heard) == 2


def test_invalid_text_is_refused_before_it_is_complete() -> None:
    engine, connection = websocket()
    connection.feed(frame(0x81, b"a" * 50 + b"\xff" + b"a" * 1000)[:100])
    assert connection.take() == close(1007) and engine.heard[0][0] == "link closed"


@pytest.mark.parametrize("cut", [b"\xed\xa0", b"\xf4\x90", b"\xe0\x9f", b"\xc1", b"a\x80"])
def test_invalid_text_is_refused_by_the_byte_that_makes_it_so(cut: bytes) -> None:
    """Python's own decoder would wait for the third byte of a surrogate."""
    data = frame(0x81, "é".encode() + cut + b"\x80\x80")
    engine, connection = websocket()
    connection.feed(*[data[i : i + 1] for i in range(8 + len(cut) - 1)])
    assert engine.heard == []
    connection.feed(data[8 + len(cut) - 1 :][:1])
    assert connection.take() == close(1007)


def test_a_message_that_is_too_big_is_refused_by_its_header() -> None:
    engine, connection = websocket(RecordingEngine(max_message_size=1000))
    connection.feed(b"\x82\xff" + (10**12).to_bytes(8, "big") + MASK)
    assert connection.take() == close(1009)
    assert engine.heard == [("link closed", "Max payload size exceeded")]


def test_the_peer_may_finish_a_message_that_was_too_big() -> None:
    """So that it can read why: closing a socket with unread input would reset the connection."""
    _, connection = websocket(RecordingEngine(max_message_size=1000))
    big = frame(0x82, bytes(5000))
    connection.feed(big[:2000])
    assert connection.take() == close(1009)
    connection.feed(big[2000:], text("ignored"))
    assert connection.open
    connection.feed(frame(0x88, b"\x03\xf1"))
    assert not connection.open and connection.take() == b""


@EVERY
def test_the_limit_counts_the_payload_and_is_inclusive(way: Way) -> None:
    for size, refused in ((1000, False), (1001, True)):
        engine, connection = way.open(RecordingEngine(max_message_size=1000))
        connection.feed(frame(0x82, bytes(size)))
        assert (connection.take() == close(1009)) is refused
        assert (engine.heard == [("message", bytes(size))]) is not refused


@EVERY
def test_fragments_are_counted(way: Way) -> None:
    """Observed (A7): as many as the bound are delivered, one more is 1008."""
    for count, refused in ((10, False), (11, True)):
        engine, connection = way.open(config=WireConfig(max_fragments=10))
        connection.feed(frame(0x01, b"a") + frame(0x00, b"a") * (count - 2) + frame(0x80, b"a"))
        if refused:
            assert connection.take() == close(1008)
            assert engine.heard == [("link closed", "Too many message fragments")]
        else:
            assert engine.heard == [("message", "a" * 10)]


def test_endless_empty_continuations_end() -> None:
    """CVE-2026-42786."""
    _, connection = websocket()
    connection.feed(frame(0x01, b"a"))
    for _ in range(200):
        connection.feed(frame(0x00, b"") * 100)
    assert connection.take() == close(1008)


def test_a_large_frame_in_small_reads_takes_linear_memory() -> None:
    engine, connection = websocket()
    data = frame(0x81, ("é" * 400_000).encode())
    tracemalloc.start()
    try:
        for i in range(0, len(data), 100):
            connection.feed(data[i : i + 100])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert engine.heard == [("message", "é" * 400_000)]
    assert peak < 6 * len(data)


def test_a_lie_about_the_length_reserves_nothing() -> None:
    _, connection = websocket()
    tracemalloc.start()
    try:
        connection.feed(b"\x82\xff" + (1_000_000).to_bytes(8, "big") + MASK + b"a")
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()


# Slices.


@EVERY
def test_a_burst_is_delivered_in_slices(way: Way) -> None:
    engine, connection = way.open()
    wire = connection.wire
    burst = b"".join(text(str(i)) for i in range(1000))
    assert len(wire.receive_bytes(burst, 0.0)) == 64
    assert wire.has_pending and not wire.wants_read and wire in engine.dirty.take()
    engine.dirty.mark(wire)
    connection.flush()
    assert len(wire.resume(0.0)) == 64
    connection.feed(text("last"))
    assert engine.heard == [("message", str(i)) for i in range(1000)] + [("message", "last")]
    assert wire.wants_read and (wire.websocket is None) is not way.lasts


@EVERY
def test_frames_without_events_are_sliced_too(way: Way) -> None:
    _, connection = way.open()
    wire = connection.wire
    assert wire.receive_bytes(frame(0x8A, b"") * 1000, 0.0) == []
    assert wire.has_pending
    connection.flush()
    slices = 1
    while wire.has_pending:
        wire.resume(0.0)
        connection.flush()
        slices += 1
    assert slices == 4


@EVERY
def test_pause_and_resume(way: Way) -> None:
    engine, connection = way.open()
    link = engine.links[0]
    link.paused = True
    engine.dirty.mark(connection.wire)
    connection.flush()
    assert not connection.wire.wants_read
    connection.feed(text("a") + text("b"), text("c"))
    assert engine.heard == [] and not connection.wire.has_pending
    link.paused = False
    engine.dirty.mark(connection.wire)
    connection.flush()
    assert connection.wire.has_pending and not connection.wire.wants_read
    connection.feed(b"")
    assert engine.heard == [("message", "a"), ("message", "b"), ("message", "c")]
    assert connection.wire.wants_read


def test_a_paused_link_that_is_closed_reads_on() -> None:
    engine, connection = websocket()
    link = engine.links[0]
    link.paused = True
    engine.dirty.mark(connection.wire)
    connection.flush()
    connection.feed(text("never delivered"))
    link.close()
    engine.dirty.mark(connection.wire)
    connection.flush()
    connection.feed(frame(0x88, b""))
    assert not connection.open and engine.heard == [("link closed", None)]


# Sending.


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        ("", b"\x81\x00"),
        ("4hé", b"\x81\x044h\xc3\xa9"),
        (b"\x00\xff", b"\x82\x02\x00\xff"),
        ("a" * 125, b"\x81\x7d" + b"a" * 125),
        ("a" * 126, b"\x81\x7e\x00\x7e" + b"a" * 126),
        ("a" * 65_536, b"\x81\x7f" + (65_536).to_bytes(8, "big") + b"a" * 65_536),
        # JavaScript: a lone surrogate becomes U+FFFD, a pair is one character.
        ("4\ud800x", "\x814\ufffdx".encode().replace(b"\xc2\x81", b"\x81\x05")),
        ("\udc00\ud800", b"\x81\x06" + b"\xef\xbf\xbd" * 2),
        ("\ud83d\ude00", b"\x81\x04" + "😀".encode()),
    ],
)
def test_frames_of_a_server(packet: str | bytes, expected: bytes) -> None:
    engine, connection = websocket()
    engine.links[0].push(Outgoing((packet,)))
    engine.dirty.mark(connection.wire)
    assert connection.take() == expected


def test_a_broadcast_is_framed_once_and_not_copied() -> None:
    outgoing = message("hello", b"attachment")
    taken = []
    for _ in range(3):
        connection = real()
        connection.feed(upgrade())
        connection.take()
        [session] = connection.server.engine.sessions.values()  # type: ignore[attr-defined]
        session.send(outgoing)
        taken.append(connection.flush())
    assert taken[0] == b"\x81\x064hello\x82\x0aattachment"
    assert taken[0] is taken[1] is taken[2] is outgoing.frame


def test_one_write_for_all_that_is_queued() -> None:
    connection = real()
    connection.feed(upgrade())
    connection.take()
    [session] = connection.server.engine.sessions.values()  # type: ignore[attr-defined]
    connection.writes.clear()
    for i in range(5):
        session.send_message(str(i))
    connection.flush()
    assert connection.writes == [b"".join(b"\x81\x024%d" % i for i in range(5))]


@EVERY
def test_pings_are_answered_and_a_flood_is_bounded(way: Way) -> None:
    engine, connection = way.open()
    wire = connection.wire
    wire.receive_bytes(b"".join(frame(0x89, b"%d" % i) for i in range(100)), 0.0)
    expected = b"".join(b"\x8a\x02%d" % i for i in range(84, 100))
    assert wire.take_bytes(0.0) == expected
    # While nothing can be written, nothing is.
    wire.write_blocked(0.0)
    for _ in range(50):
        wire.receive_bytes(frame(0x89, b"a" * 125) * 100, 0.0)
        while wire.has_pending:
            wire.resume(0.0)
        assert wire.take_bytes(0.0) == b""
    wire.write_ready(0.0)
    assert wire in engine.dirty.take()
    assert wire.take_bytes(0.0) == (b"\x8a\x7d" + b"a" * 125) * 16


def test_nothing_is_taken_while_the_transport_is_blocked() -> None:
    engine, connection = websocket()
    wire, link = connection.wire, engine.links[0]
    wire.write_blocked(0.0)
    assert link.blocked
    link.push(Outgoing(("4a",)))
    assert wire.take_bytes(0.0) == b""
    connection.unblock()
    assert not link.blocked and connection.output == b"\x81\x024a"


# Closing.


@EVERY
@pytest.mark.parametrize(
    "payload", [b"", b"\x03\xe8", b"\x03\xe9bye", b"\x03\xf6", b"\x13\x87", b"\x0f\xa0" + "é".encode()]
)
def test_the_peers_close_is_echoed(payload: bytes, way: Way) -> None:
    engine, connection = way.open(RecordingEngine(echo=True))
    connection.feed(text("a") + frame(0x88, payload) + text("after"))
    assert engine.heard == [("message", "a"), ("link closed", None)]
    # The answer to what came before goes first.
    assert connection.take() == b"\x81\x01a\x88" + bytes([len(payload)]) + payload
    assert connection.wire.closing and not connection.wire.abort


@EVERY
def test_our_close(way: Way) -> None:
    """Observed: what is buffered, then `88 00`; then the peer's close ends it."""
    engine, connection = way.open()
    link = engine.links[0]
    link.close([Outgoing(("4a",)), Outgoing(("4b",))])
    engine.dirty.mark(connection.wire)
    assert connection.take() == b"\x81\x024a\x81\x024b\x88\x00"
    assert connection.open and engine.heard == []
    connection.feed(text("ignored"), frame(0x89, b"no pong"), frame(0xF1, b"nor this"))
    assert connection.take() == b"" and connection.open and engine.heard == []
    connection.feed(frame(0x88, b"\x03\xe8"))
    assert engine.heard == [("link closed", None)]
    assert connection.take() == b"" and not connection.open


@EVERY
def test_our_close_that_is_not_taken_yet(way: Way) -> None:
    engine, connection = way.open()
    engine.links[0].close()
    assert connection.wire.receive_bytes(text("too late"), 0.0) == []
    assert connection.wire.take_bytes(0.0) == b"\x88\x00" and engine.heard == []


@EVERY
def test_both_close_at_once(way: Way) -> None:
    engine, connection = way.open()
    engine.links[0].close([Outgoing(("4a",))])
    connection.wire.receive_bytes(frame(0x88, b"\x03\xe8"), 0.0)
    assert connection.wire.take_bytes(0.0) == b"\x81\x024a\x88\x00"
    assert engine.heard == [("link closed", None)] and not connection.open


@EVERY
@pytest.mark.parametrize("cut", range(1, 12))
def test_our_close_in_the_middle_of_a_frame(cut: int, way: Way) -> None:
    for data in (text("hello"), frame(0x88, b"\x03\xe8bye"), frame(0x01, b"ab") + frame(0x80, b"c")):
        if cut >= len(data):
            continue
        engine, connection = way.open()
        connection.feed(data[:cut])
        engine.links[0].close()
        engine.dirty.mark(connection.wire)
        connection.flush()
        connection.feed(data[cut:])
        if data[0] == 0x88:
            assert not connection.open
        else:
            assert connection.open
            connection.feed(frame(0x88, b""))
        assert not connection.open and engine.heard == [("link closed", None)]


def test_a_peer_that_does_not_answer_our_close() -> None:
    engine, connection = websocket()
    engine.links[0].close()
    engine.dirty.mark(connection.wire)
    connection.flush()
    connection.at(29.9)
    assert connection.open
    connection.at(30.0)
    assert connection.wire.abort and engine.heard == [("link closed", None)]


def test_a_peer_that_does_not_read_and_is_closed() -> None:
    engine, connection = websocket()
    connection.wire.write_blocked(0.0)
    engine.links[0].close()
    engine.dirty.mark(connection.wire)
    assert connection.take() == b""
    connection.at(29.9)
    assert not connection.wire.abort
    connection.at(30.0)
    assert connection.wire.abort and engine.heard == [("link closed", None)]


def test_a_peer_that_goes_on_after_an_error() -> None:
    _, connection = websocket(RecordingEngine(max_message_size=10))
    connection.feed(frame(0x82, bytes(11)))
    for i in range(30):
        assert connection.open
        connection.at(i).feed(text("more"))
    connection.at(30.0)
    assert connection.wire.abort


@pytest.mark.parametrize("how", ["eof", "lose"])
def test_the_end_without_a_close(how: str) -> None:
    engine, connection = websocket()
    connection.feed(text("a") + b"\x81")
    getattr(connection, how)()
    connection.lose()
    assert engine.heard == [("message", "a"), ("link closed", None)]
    assert not connection.open


def test_what_came_before_the_end_is_delivered_first() -> None:
    engine, connection = websocket()
    wire = connection.wire
    wire.receive_bytes(b"".join(text(str(i)) for i in range(200)), 0.0)
    connection.events += wire.receive_eof(0.0)
    assert connection.open
    connection._take([])
    assert engine.heard == [("message", str(i)) for i in range(200)] + [("link closed", None)]
    assert not connection.open


STATES = {
    "open": b"",
    "in a header": b"\x81",
    "in a frame": text("hello")[:8],
    "in a message": frame(0x01, b"a"),
    "after an error": frame(0x81, b"\xff"),
    "after a broken frame": frame(0xF1, b""),
    "after a close": frame(0x88, b""),
    "with a ping": frame(0x89, b""),
    "with a burst": text("a") * 1000,
}


@pytest.mark.parametrize("state", STATES)
@EVERY
def test_a_lost_connection_leaves_nothing_behind(state: str, way: Way) -> None:
    engine, connection = way.open()
    wire = connection.wire
    wire.receive_bytes(STATES[state], 0.0)
    connection.lose()
    assert wire not in connection.server.deadlines and wire not in engine.dirty.take()
    assert engine.heard[-1][0] == "link closed"
    assert [heard[0] for heard in engine.heard].count("link closed") == 1
    engine.links.clear()
    alive = weakref.ref(wire)
    gc.disable()
    try:
        del wire, connection
        assert alive() is None, "a reference cycle, or somebody who remembers the wire"
    finally:
        gc.enable()


def test_nothing_is_read_after_the_end() -> None:
    engine, connection = websocket()
    connection.feed(frame(0x88, b""))
    wire = connection.wire
    assert wire.receive_bytes(text("a"), 0.0) == [] and wire.receive_eof(0.0) == [] and wire.resume(0.0) == []
    assert wire.connection_lost(0.0) == [] and wire.receive_bytes(text("a"), 0.0) == []
    assert engine.heard == [("link closed", None)]
