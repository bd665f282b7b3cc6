"""What servers of this kind once fell to, where it takes more than one layer; `tests/engineio_proto/test_lessons.py`
has the index."""

from __future__ import annotations

import pytest
from engineio_proto import EngineConfig, EngineEvent, EngineServer, SessionClosed
from engineio_wire import Wire, WireServer
from socketio_proto import SocketEvent

from tests.engineio_wire.peer import frame, poll, post, upgrade
from tests.sim.socketio import Stage


def connect(engine: EngineServer) -> Wire[EngineEvent]:
    return WireServer(engine).wire(now=0.0, remote_address="192.0.2.1", secure=False)


def test_cve_2017_16031_the_engines_id_is_no_sockets_id() -> None:
    """Whoever knows the engine's id is the client; the socket's is a room that others may hear of."""
    stage = Stage()
    stage.server.of("/a")
    visitors = [stage.connect() for _ in range(3)]
    ids = {visitor.id for visitor in visitors} | {visitor.join("/a") for visitor in visitors}
    secret = set(stage.server.engine.sessions)
    assert len(ids) == 6 and len(secret) == 3
    assert not ids & secret
    stage.server.emit("ids", sorted(ids))
    stage.advance()
    assert not [
        sid for visitor in visitors for packet in visitor.take() for sid in secret if sid in str(packet)
    ]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_10_4_a_large_upload_delays_its_pong(transport: str) -> None:
    """Any byte after the ping extends its deadline, once: half a frame, or half a body."""
    engine = EngineServer(EngineConfig(), random_bytes=bytes)
    upload = connect(engine)
    if transport == "websocket":
        upload.receive_bytes(upgrade(), 0.0)
        upload.take_bytes(0.0)
        data = frame(0x81, b"4" + b"x" * 100_000)
    else:
        upload.receive_bytes(poll(), 0.0)
        upload.take_bytes(0.0)
        (sid,) = engine.sessions
        data = post(sid, b"4" + b"x" * 100_000)
        upload.receive_bytes(data[:1000], 0.0)
        data = data[1000:]
    engine.handle_timeout(25.0)
    for second in range(25, 64):
        if second == 45:
            assert engine.deadline == 45.0
            assert engine.handle_timeout(45.0) == []
        start = (second - 25) * 1000
        upload.receive_bytes(data[start : start + 1000], second + 0.5)
    # At 45 there were bytes of 44.5: 20 seconds more. Whatever came then does not count.
    assert engine.deadline == 64.5
    (end,) = engine.handle_timeout(64.5)
    assert isinstance(end, SessionClosed) and end.reason == "ping timeout"


ORIGINS = [
    ([], True),
    (["Origin: https://a.example"], True),
    (["origin:https://a.example"], True),
    (["Origin: https://b.example"], False),
    (["Origin: null"], False),
    (["Origin:"], False),
    (["Origin: https://a.example", "Origin: https://b.example"], False),
    (["Origin: https://b.example", "X-Forwarded-Host: b.example"], False),
    (["Origin: https://b.example", "Forwarded: host=b.example"], False),
    (["Origin: https://a.example.b.example"], False),
    (["Origin: https://a.ex\xe4mple"], False),
    (["Origin: https://a.example:8443"], False),
]


UPGRADE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize(("lines", "let_in"), ORIGINS)
@pytest.mark.parametrize(
    "cors", [None, {"origin": ["https://a.example"]}, {"origin": lambda o: o == "https://a.example"}]
)
def test_cve_2019_13611_cross_site_requests(lines: list[str], let_in: bool, cors: object) -> None:
    stage = Stage(enforce_origin=True, cors=cors)
    wires: WireServer[SocketEvent] = WireServer(stage.server)
    for head in ("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n", UPGRADE):
        wire = wires.wire(now=stage.clock.now, remote_address="192.0.2.1", secure=False)
        data = (head + "\r\n".join(["Host: a.example", *lines, "", ""])).encode("latin-1")
        stage.server.dispatch(wire.receive_bytes(data, stage.clock.now))  # type: ignore[arg-type]
        stage.server.dispatch(stage.server.take_events())
        answer = wire.take_bytes(stage.clock.now)
        refused = answer.startswith(b"HTTP/1.1 400 Bad Request") and b"Bad request" in answer
        assert refused is not let_in
    assert len(stage.server.engine.sessions) == (2 if let_in else 0)
