"""What was sent, or came, before an end is not lost with it."""

from __future__ import annotations

from typing import Any

import pytest
from engineio_proto import EngineConfig
from engineio_wire import WireConfig

from tests.engineio_wire.peer import PATH, Connection, frame, poll, post, real, request, text, upgrade

pytestmark = pytest.mark.usefixtures("each_http_engine")


def opened(config: EngineConfig | None = None) -> tuple[Connection[Any], Any]:
    """A session on polling, and another connection of its client."""
    first = real(config)
    first.feed(poll())
    (session,) = first.server.engine.sessions.values()  # type: ignore[attr-defined]
    return Connection(first.server), session


class TestAPollThatClosesItsConnection:
    """The official client in Node asks for it with every poll."""

    def test_may_be_read_slowly(self) -> None:
        connection, session = opened()
        connection.feed(poll(session.id, "Connection: close"))
        session.send_message("x" * 500_000)
        assert connection.take().endswith(b"x") and not connection.open
        connection.wire.write_blocked(0.0)
        connection.at(200.0)
        assert not connection.wire.abort
        connection.unblock()
        connection.at(229.0)
        assert not connection.wire.abort
        connection.at(231.0)
        assert connection.wire.abort, "the client had its 30 s to close"

    def test_not_for_ever(self) -> None:
        connection, session = opened()
        connection.feed(poll(session.id, "Connection: close"))
        session.send_message("x")
        connection.take()
        connection.wire.write_blocked(0.0)
        connection.at(WireConfig().body_timeout + 1)
        assert connection.wire.abort


class TestTheEndBehindAPost:
    @pytest.mark.parametrize("paused", [False, True])
    def test_its_packets_arrive_and_it_is_answered(self, paused: bool) -> None:
        connection, session = opened()
        if paused:
            session.pause(0.0)
        packets = [f"4{n}" for n in range(300)]
        events = list(connection.wire.receive_bytes(post(session.id, "\x1e".join(packets).encode()), 0.0))
        events += connection.wire.receive_eof(0.0)
        if paused:
            assert events == []
            session.resume()
        connection.events += events
        connection._take([])
        assert [event.data for event in connection.events] == [str(n) for n in range(300)]
        assert connection.take().endswith(b"\r\n\r\nok")
        assert not connection.open
        assert session.state.value == "open"


class TestACloseBehindASend:
    """The reference has written what could be written when the close comes."""

    def test_websocket(self) -> None:
        connection = real()
        connection.feed(upgrade())
        connection.take()
        engine: Any = connection.server.engine
        (session,) = engine.sessions.values()
        session.send_message("bye")
        engine.close(0.0)
        assert connection.take() == b"\x81\x044bye\x88\x00"

    def test_polling(self) -> None:
        connection, session = opened()
        connection.feed(poll(session.id))
        session.send_message("bye")
        connection.server.engine.close(0.0)  # type: ignore[attr-defined]
        assert connection.take().endswith(b"\r\n\r\n4bye")


class TestWithoutWebSockets:
    """`transports=["polling"]`. Observed: nobody looks at an upgrade then."""

    def test_asking_for_a_websocket(self) -> None:
        connection = real(EngineConfig(transports=("polling",)))
        connection.feed(upgrade())
        answer = connection.take()
        assert answer.startswith(b"HTTP/1.1 400 ") and answer.endswith(b'{"code":0,"message":"Transport unknown"}')
        assert connection.open

    def test_an_upgrade_that_asks_for_polling(self) -> None:
        connection = real(EngineConfig(transports=("polling",)))
        connection.feed(upgrade(PATH + "?EIO=4&transport=polling"))
        answer = connection.take()
        assert answer.startswith(b"HTTP/1.1 200 ") and b'0{"sid":' in answer


def test_a_preflight_has_a_length() -> None:
    connection = real(EngineConfig.from_options({"cors": {"origin": "http://a"}}))
    preflight = ("Origin: http://a", "Access-Control-Request-Method: POST")
    connection.feed(request("OPTIONS", PATH + "?EIO=4&transport=polling", *preflight))
    answer = connection.take()
    assert answer.startswith(b"HTTP/1.1 204 ") and answer.count(b"Content-Length: 0\r\n") == 1


def test_of_a_header_that_is_repeated_the_first_counts() -> None:
    connection, session = opened()
    connection.feed(post(session.id, b"4hi", *["Content-Type: application/octet-stream"] * 2))
    assert connection.take().startswith(b"HTTP/1.1 400 ")
    assert session.state.value == "closed"


def test_probes_that_nobody_reads() -> None:
    connection, session = opened()
    candidate = Connection(connection.server)
    candidate.feed(upgrade(f"{PATH}?EIO=4&transport=websocket&sid={session.id}"))
    candidate.take()
    candidate.wire.write_blocked(0.0)
    candidate.feed(text("2probe") * 64)
    assert session.upgrade is not None
    candidate.feed(text("2probe"))
    assert session.upgrade is None and session.state.value == "open"
    assert len(candidate.unblock().feed(frame(0x88, b"")).take()) < 1000
