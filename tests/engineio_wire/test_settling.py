"""What follows the 101 of an old client waits until that client has read the 101."""

from __future__ import annotations

from typing import Any

import pytest
from engineio_proto import EngineConfig

from tests.engineio_wire.peer import PATH, Connection, frame, poll, real, text, upgrade

pytestmark = pytest.mark.usefixtures("each_http_engine")

SETTLED = 0.02


def opened(protocol: int = 3) -> Connection[Any]:
    """Behind the 101 of a session that begins on a WebSocket."""
    connection = real(EngineConfig(allow_eio3=True, ping_interval=25.0))
    connection.feed(upgrade(f"{PATH}?EIO={protocol}&transport=websocket"))
    assert connection.output.startswith(b"HTTP/1.1 101 ") and connection.output.endswith(b"\r\n\r\n")
    connection.output = b""
    return connection


def session(connection: Connection[Any]) -> Any:
    (session,) = connection.server.engine.sessions.values()  # type: ignore[attr-defined]
    return session


def test_the_open_packet_waits() -> None:
    connection = opened()
    assert connection.at(SETTLED - 0.001).take() == b""
    assert connection.at(SETTLED).take()[2:].startswith(b'0{"sid":')
    assert connection.wire.websocket is None
    assert connection.wire not in connection.server.deadlines
    assert session(connection).writable


def test_protocol_4_does_not_wait() -> None:
    connection = opened(protocol=4)
    assert connection.take()[2:].startswith(b'0{"sid":')
    assert connection.wire.websocket is None


def test_an_upgrade_does_not_wait() -> None:
    connection = real(EngineConfig(allow_eio3=True))
    connection.feed(poll().replace(b"EIO=4", b"EIO=3"))
    candidate = Connection(connection.server)
    candidate.feed(upgrade(f"{PATH}?EIO=3&transport=websocket&sid={session(connection).id}") + text("2probe"))
    assert candidate.take().endswith(b"\r\n\r\n\x81\x063probe")


def test_what_is_sent_meanwhile_is_behind_it() -> None:
    connection = opened()
    connection.feed(text("4hi"))
    assert type(connection.events[-1]).__name__ == "MessageReceived"
    session(connection).send_message("one")
    connection.feed(frame(0x89, b"ping"))
    assert connection.take() == b""
    output = connection.at(SETTLED).take()
    assert output.startswith(b"\x8a\x04ping\x81") and output.endswith(b"\x81\x044one")


def test_the_server_closes_meanwhile() -> None:
    connection = opened()
    session(connection).close(0.0)
    output = connection.take()
    assert output[2:].startswith(b'0{"sid":') and output.endswith(b"\x88\x00")
    connection.at(SETTLED)
    assert connection.open, "the client has its time to answer the close"
    assert not connection.feed(frame(0x88, b"")).open


def test_the_server_closes_meanwhile_and_the_client_is_silent() -> None:
    connection = opened()
    session(connection).close(0.0)
    connection.take()
    connection.at(29.0)
    assert not connection.wire.abort
    connection.at(31.0)
    assert connection.wire.abort


def test_the_client_closes_meanwhile() -> None:
    connection = opened()
    connection.feed(frame(0x88, b"\x03\xe8"))
    assert connection.take().endswith(b"\x88\x02\x03\xe8")
    assert not connection.open


def test_the_client_breaks_the_protocol_meanwhile() -> None:
    connection = opened()
    connection.feed(frame(0x83, b""))
    assert connection.take().endswith(b"\x88\x02\x03\xea")
    assert not connection.open and not connection.wire.abort


def test_the_connection_is_blocked_longer() -> None:
    connection = opened()
    connection.wire.write_blocked(0.0)
    assert connection.at(SETTLED).take() == b""
    assert connection.unblock().take()[2:].startswith(b'0{"sid":')


def test_the_session_closes_while_blocked() -> None:
    connection = opened()
    connection.wire.write_blocked(0.0)
    session(connection).close(0.0)
    assert connection.at(SETTLED).take() == b""
    assert connection.open and not connection.wire.abort
    connection.at(60.0)
    assert connection.wire.abort


def test_the_connection_is_lost_meanwhile() -> None:
    connection = opened()
    connection.lose()
    assert connection.server.engine.timers.deadline is None
