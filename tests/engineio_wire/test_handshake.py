"""The upgrade request and its answers (RFC 6455 section 4; the refusals are those of ws and engine.io)."""

from __future__ import annotations

import pytest
from engineio_proto import EngineConfig, LinkState, Response

from tests.engineio_wire.peer import (
    ACCEPT,
    KEY,
    PATH,
    RecordingEngine,
    frame,
    poll,
    real,
    recording,
    request,
    splits,
    text,
    upgrade,
)

pytestmark = pytest.mark.usefixtures("each_http_engine")

SWITCHED = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Accept: {ACCEPT}\r\n"
).encode()


def refusal(status: str, text: str, *more: str) -> bytes:
    """As `abortHandshake` of ws writes it."""
    lines = [
        f"HTTP/1.1 {status}",
        "Connection: close",
        "Content-Type: text/html",
        f"Content-Length: {len(text)}",
        *more,
        "",
        text,
    ]
    return "\r\n".join(lines).encode()


METHOD = refusal("405 Method Not Allowed", "Invalid HTTP method")
UPGRADE = refusal("400 Bad Request", "Invalid Upgrade header")
NO_KEY = refusal("400 Bad Request", "Missing or invalid Sec-WebSocket-Key header")
VERSION = refusal(
    "400 Bad Request",
    "Missing or invalid Sec-WebSocket-Version header",
    "Sec-WebSocket-Version: 13, 8",
)
PROTOCOL = refusal("400 Bad Request", "Invalid Sec-WebSocket-Protocol header")


@pytest.mark.parametrize(
    ("handshake", "answer"),
    [
        (upgrade(method="POST"), METHOD),
        (upgrade(method="HEAD"), METHOD),
        (upgrade(Upgrade="h2c"), UPGRADE),
        (upgrade(Upgrade="websocket, h2c"), UPGRADE),
        (upgrade(Upgrade="websockets"), UPGRADE),
        (upgrade(Sec_WebSocket_Key=None), NO_KEY),
        (upgrade(Sec_WebSocket_Key=""), NO_KEY),
        (upgrade(Sec_WebSocket_Key=KEY[:-1]), NO_KEY),
        (upgrade(Sec_WebSocket_Key="A" + KEY), NO_KEY),
        (upgrade(Sec_WebSocket_Key=KEY.replace("d", "é")), NO_KEY),
        (upgrade(PATH, f"Sec-WebSocket-Key: {KEY}"), NO_KEY),
        (upgrade(Sec_WebSocket_Version=None), VERSION),
        (upgrade(Sec_WebSocket_Version="12"), VERSION),
        (upgrade(Sec_WebSocket_Version="14"), VERSION),
        (upgrade(Sec_WebSocket_Version="13a"), VERSION),
        (upgrade(Sec_WebSocket_Protocol=""), PROTOCOL),
        (upgrade(Sec_WebSocket_Protocol="a,,b"), PROTOCOL),
        (upgrade(Sec_WebSocket_Protocol="a, a"), PROTOCOL),
        (upgrade(Sec_WebSocket_Protocol="a b"), PROTOCOL),
        (upgrade(Sec_WebSocket_Protocol="\u00e9"), PROTOCOL),
        (upgrade(Sec_WebSocket_Protocol=" ,\t" * 5000), PROTOCOL),
    ],
)
def test_refused_handshakes(handshake: bytes, answer: bytes) -> None:
    engine, connection = recording()
    connection.feed(handshake + text("never read"))
    assert connection.take() == answer
    assert not connection.open and engine.heard == []


@pytest.mark.parametrize(
    "handshake",
    [
        upgrade(),
        upgrade(Upgrade="WebSocket", Connection="keep-alive, UPGRADE"),
        upgrade(Sec_WebSocket_Version="8"),
        upgrade(Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits"),
        upgrade(Sec_WebSocket_Extensions="foo;=bad"),  # observed (A5): not even parsed
        upgrade(Sec_WebSocket_Extensions="constructor"),
        upgrade(PATH, *[f"X-{i}: a" for i in range(90)]),
    ],
)
def test_accepted_handshakes(handshake: bytes) -> None:
    _, connection = recording()
    connection.feed(handshake)
    assert connection.take() == SWITCHED + b"\r\n"
    assert connection.open


def test_the_first_subprotocol_is_echoed() -> None:
    _, connection = recording()
    connection.feed(upgrade(Sec_WebSocket_Protocol="chat.v2 ,\tother"))
    assert connection.take() == SWITCHED + b"Sec-WebSocket-Protocol: chat.v2\r\n\r\n"


def test_headers_of_the_engine_follow_and_cannot_split_the_answer() -> None:
    headers = (("Vary", "Origin"), ("X", "a\r\nSet-Cookie: b"), ("Y\r\nZ", "a"), ("é", "a"), ("W", "é"))
    _, connection = recording(RecordingEngine(headers=headers))
    connection.feed(upgrade())
    assert connection.take() == SWITCHED + "Vary: Origin\r\nW: é\r\n\r\n".encode("latin-1")


def test_the_answer_is_written_by_itself() -> None:
    """A client that listens for messages once it is open must not find the first one in the same read."""
    connection = real()
    connection.feed(upgrade())
    connection.take()
    switched, opened = connection.writes
    assert switched.startswith(SWITCHED) and switched.endswith(b"\r\n\r\n")
    assert opened[2:].startswith(b'0{"sid":')


def test_other_paths_have_no_websocket() -> None:
    engine, connection = recording()
    connection.feed(upgrade("/elsewhere"))
    assert connection.take() == b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
    assert not connection.open and engine.heard == connection.events == []


def test_an_upgrade_header_alone_is_no_upgrade() -> None:
    for data in (upgrade(Connection=None), upgrade().replace(b"HTTP/1.1", b"HTTP/1.0")):
        engine, connection = recording()
        connection.feed(data)
        assert engine.heard[0][0] == "request"


# The engine's decision.


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?EIO=4&transport=constructor", "Transport unknown"),
        ("?EIO=4", "Transport unknown"),
        ("?EIO=4&transport=websocket&sid=nobody", "Session ID unknown"),
    ],
)
def test_refused_by_the_engine(query: str, message: str) -> None:
    """Observed: raw, plain text, always 400."""
    for chunks in splits(upgrade(PATH + query)):
        connection = real()
        connection.feed(*chunks)
        assert (
            connection.take()
            == (
                "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-type: text/html\r\n"
                f"Content-Length: {len(message)}\r\n\r\n{message}"
            ).encode()
        )
        assert not connection.open
        connection.lose()
        assert len(connection.server.engine.timers._sources) > 0 and connection.server.engine.sessions == {}  # type: ignore[attr-defined]


def test_an_undecided_upgrade_holds_what_follows() -> None:
    engine, connection = recording(RecordingEngine(decide=False))
    connection.feed(upgrade() + text("a"), text("b"))
    assert connection.take() == b"" and len(engine.heard) == 1 and not connection.wire.has_pending
    engine.links[0].accept()
    engine.dirty.mark(connection.wire)
    assert connection.take() == SWITCHED + b"\r\n"
    assert connection.wire.has_pending
    connection._take(connection.wire.resume(0.0))
    assert engine.heard[1:] == [("message", "a"), ("message", "b")]


def test_what_waits_behind_an_undecided_upgrade_is_bounded() -> None:
    engine, connection = recording(RecordingEngine(decide=False))
    connection.feed(upgrade())
    fed = 0
    while connection.wire.wants_read:
        connection.feed(b"x" * 1000)
        fed += 1000
    assert 16_384 < fed <= 18_000
    engine.links[0].refuse(Response(503, (("Retry-After", "1"),), b"no"))
    engine.dirty.mark(connection.wire)
    assert connection.take() == (
        b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-type: text/html\r\n"
        b"Retry-After: 1\r\nContent-Length: 2\r\n\r\nno"
    )
    assert not connection.open
    connection.lose()
    assert engine.heard == [("upgrade", PATH + "?EIO=4&transport=websocket")]


@pytest.mark.parametrize("how", ["eof", "lose"])
def test_an_undecided_upgrade_whose_peer_leaves(how: str) -> None:
    engine, connection = recording(RecordingEngine(decide=False))
    connection.feed(upgrade())
    getattr(connection, how)()
    connection.lose()
    assert engine.heard[1:] == [("link closed", None)]
    assert connection.take() == b"" and not connection.open


def test_frames_in_the_segment_of_the_upgrade() -> None:
    """CVE-2022-21676: a bad frame glued to the handshake. Good ones are delivered (C 1.9)."""
    for chunks in splits(upgrade() + text("a") + frame(0x82, b"b") + frame(0xF1, b"bad")):
        engine, connection = recording()
        connection.feed(*chunks)
        assert engine.heard[1:] == [
            ("message", "a"),
            ("message", b"b"),
            ("link closed", "Reserved bit set unexpectedly"),
        ]
        assert connection.take() == SWITCHED + b"\r\n\x88\x02\x03\xea"


def test_probe_and_upgrade_in_the_segment_of_the_handshake() -> None:
    connection = real()
    connection.feed(poll())
    sid = connection.take().decode().partition('"sid":"')[2].partition('"')[0]
    engine = connection.server.engine
    candidate = type(connection)(connection.server)
    candidate.feed(
        upgrade(f"{PATH}?EIO=4&transport=websocket&sid={sid}") + text("2probe") + text("5") + text("4hi")
    )
    assert candidate.take().endswith(b"\r\n\r\n\x81\x063probe")
    assert [type(event).__name__ for event in candidate.events] == ["SessionUpgraded", "MessageReceived"]
    assert engine.sessions[sid].transport == "websocket"  # type: ignore[attr-defined]


def test_an_upgrade_that_is_accepted_and_closed_at_once() -> None:
    """Observed: `transport=polling` on an upgrade gets the 101, then `88 00`."""
    connection = real(EngineConfig())
    connection.feed(upgrade(PATH + "?EIO=4&transport=polling"))
    assert connection.take() == SWITCHED + b"\r\n\x88\x00"
    connection.feed(frame(0x88, b""))
    assert not connection.open


@pytest.mark.parametrize("cut", range(1, len(upgrade())))
def test_a_reset_at_every_byte_of_the_handshake(cut: int) -> None:
    """CVE-2022-41940."""
    engine, connection = recording()
    connection.feed(upgrade()[:cut])
    connection.lose()
    assert engine.heard == []


def test_the_wire_is_small_after_the_101() -> None:
    engine, connection = recording()
    connection.feed(upgrade())
    connection.flush()
    wire = connection.wire
    assert wire.http is None and wire.websocket is None
    assert wire.link is engine.links[0] and wire.link.state is LinkState.OPEN
    assert wire not in connection.server.deadlines


def test_polling_requests_after_a_refused_poll_on_one_connection() -> None:
    connection = real()
    connection.feed(request("GET", PATH + "?transport=websocket&EIO=4"))
    assert connection.take().startswith(b"HTTP/1.1 400 ")
    connection.feed(upgrade())
    assert connection.take().startswith(SWITCHED)
