"""A session: packets, heartbeat, send buffer, pause, end. Reference 1.9, 1.11, 1.12 with observed B3 and C."""

from __future__ import annotations

import pytest
from engineio_proto import (
    CloseReason,
    EngineServer,
    LinkState,
    MessageReceived,
    Session,
    SessionClosed,
    SessionState,
    message,
)

from tests.engineio_proto.driving import (
    body,
    ends,
    new_engine,
    open_candidate,
    open_polling,
    open_websocket,
    packets,
    poll,
    post,
)


@pytest.fixture
def engine() -> EngineServer:
    return new_engine()


class TestWebSocket:
    def test_messages(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        for text, data in [
            ("4a", "a"),
            ("4", ""),
            ("4€", "€"),
            ("4\x1e", "\x1e"),
            ("bAQID", b"\x01\x02\x03"),
        ]:
            assert engine.receive_text(link, text, 0.0) == [MessageReceived(session, data)]
        for data in (b"", b"4a", bytes(1000)):
            assert engine.receive_bytes(link, data, 0.0) == [MessageReceived(session, data)]

    def test_pending_events_come_first(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        other, _ = open_websocket(engine)
        other.close(0.0)
        events = engine.receive_text(link, "4a", 0.0)
        assert events == [SessionClosed(other, CloseReason.FORCED_CLOSE), MessageReceived(session, "a")]
        other, _ = open_websocket(engine)
        other.close(0.0)
        assert isinstance(engine.receive_bytes(link, b"", 0.0)[0], SessionClosed)

    @pytest.mark.parametrize(
        ("packet", "end"),
        [
            ("1", ("transport close", None)),
            ("2", ("transport error", "invalid heartbeat direction")),
            ("2probe", ("transport error", "invalid heartbeat direction")),
            ("", ("parse error", None)),
            ("7", ("parse error", None)),
            ("a", ("parse error", None)),
            ("\x00", ("parse error", None)),
        ],
    )
    def test_packets_that_end_it(
        self, engine: EngineServer, packet: str, end: tuple[str, str | None]
    ) -> None:
        session, link = open_websocket(engine)
        session.send_message("a")
        assert ends(engine.receive_text(link, packet, 0.0)) == [end]
        assert (session.state, link.state, session.link) == (SessionState.CLOSED, LinkState.CLOSING, None)
        assert engine.receive_text(link, "4a", 0.0) == engine.receive_bytes(link, b"a", 0.0) == []
        assert packets(link) == ["4a"]  # what was queued, then the close
        assert engine.link_closed(link, 0.0) == []

    @pytest.mark.parametrize("packet", ["0", "3", "5", "6", "3x"])
    def test_packets_that_mean_nothing(self, engine: EngineServer, packet: str) -> None:
        session, link = open_websocket(engine)
        before = engine.deadline
        assert engine.receive_text(link, packet, 7.0) == []
        assert (session.state, engine.deadline) == (SessionState.OPEN, before)

    @pytest.mark.parametrize(
        ("error", "end"),
        [
            (None, ("transport close", None)),
            ("too many fragments", ("transport error", "too many fragments")),
        ],
    )
    def test_link_closed(self, engine: EngineServer, error: str | None, end: tuple[str, str | None]) -> None:
        session, link = open_websocket(engine)
        session.send_message("a")
        assert ends(engine.link_closed(link, 0.0, error)) == [end]
        assert engine.link_closed(link, 0.0, error) == []
        assert (link.state, link.take(), session.buffered_bytes) == (LinkState.CLOSED, [], 0)

    def test_close_sends_what_is_queued_and_no_packet(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        session.send_message("a")
        session.close(0.0, description="because")
        assert ends(engine.take_events()) == [("forced close", "because")]
        assert packets(link) == ["4a"]
        assert engine.dirty.take() == [link.owner]

    def test_discard(self, engine: EngineServer) -> None:
        """What could leave at once has left, in the reference; what waits for the client is dropped."""
        session, link = open_websocket(engine)
        session.send_message("a")
        session.close(0.0, discard=True)
        assert packets(link) == ["4a"]

    def test_discard_while_blocked(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        engine.link_blocked(link)
        session.send_message("a")
        session.close(0.0, discard=True)
        assert link.take() == []

    def test_what_was_written_long_ago_is_not_unwritten(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        session.send_message("a" * 900)
        assert len(link.take()) == 1
        assert link.take() == []  # such as for a pong, which then blocks
        engine.link_blocked(link)
        assert session.buffered_bytes == 0


class TestHeartbeat:
    """`ping_interval` 25 s, `ping_timeout` 20 s; exact instants."""

    def test_ping_and_pong(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine, now=100.0)
        assert engine.deadline == 125.0
        assert engine.handle_timeout(124.999) == [] and link.take() == []
        assert engine.handle_timeout(125.0) == []
        assert engine.dirty.take() == [link.owner]
        assert packets(link) == ["2"]
        assert engine.deadline == 145.0
        assert engine.receive_text(link, "3", 130.0) == []
        assert engine.deadline == 155.0
        assert session.state is SessionState.OPEN

    def test_silence(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        engine.handle_timeout(25.0)
        link.take()
        assert engine.handle_timeout(44.999) == []
        assert engine.handle_timeout(45.0) == [SessionClosed(session, CloseReason.PING_TIMEOUT)]
        assert engine.deadline is None
        assert link.state is LinkState.CLOSING

    def test_nothing_for_long_then_the_timeout(self, engine: EngineServer) -> None:
        """A process that slept: the ping goes out late, and its pong has its full time."""
        _, _ = open_websocket(engine)
        assert engine.handle_timeout(1000.0) == []
        assert engine.deadline == 1020.0

    def test_polling(self, engine: EngineServer) -> None:
        """The ping waits for a GET; the pong's time runs regardless."""
        session = open_polling(engine)
        engine.handle_timeout(25.0)
        assert engine.deadline == 45.0
        assert body(poll(engine, session, now=44.0)) == b"2"
        events, _ = post(engine, session, "3", now=44.5)
        assert events == [] and engine.deadline == 69.5

    def test_pong_without_a_ping(self, engine: EngineServer) -> None:
        """A stray pong must not postpone pings for ever."""
        _, link = open_websocket(engine)
        for now in (5.0, 10.0, 24.9):
            engine.receive_text(link, "3", now)
        assert engine.deadline == 25.0

    def test_second_pong(self, engine: EngineServer) -> None:
        _, link = open_websocket(engine)
        engine.handle_timeout(25.0)
        engine.receive_text(link, "3", 26.0)
        engine.receive_text(link, "3", 30.0)
        assert engine.deadline == 51.0

    def test_bytes_after_the_ping_extend_it_once(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        engine.handle_timeout(25.0)
        link.last_received = 35.0
        assert engine.handle_timeout(45.0) == []
        assert engine.deadline == 55.0
        link.last_received = 54.0
        assert engine.handle_timeout(55.0) == [SessionClosed(session, CloseReason.PING_TIMEOUT)]

    def test_bytes_before_the_ping_do_not(self, engine: EngineServer) -> None:
        _, link = open_websocket(engine)
        link.last_received = 25.0
        engine.handle_timeout(25.0)
        assert ends(engine.handle_timeout(45.0)) == [("ping timeout", None)]

    def test_late_pong(self, engine: EngineServer) -> None:
        """A pong in the extension is a pong, and the next ping may be extended again."""
        session, link = open_websocket(engine)
        engine.handle_timeout(25.0)
        link.last_received = 44.0
        engine.handle_timeout(45.0)
        engine.receive_text(link, "3", 60.0)
        assert engine.deadline == 85.0
        engine.handle_timeout(85.0)
        link.last_received = 100.0
        assert engine.handle_timeout(105.0) == []
        assert engine.deadline == 120.0
        assert session.state is SessionState.OPEN

    def test_timeout_called_late(self, engine: EngineServer) -> None:
        """The extension may be over already when its time is first looked at."""
        _, link = open_websocket(engine)
        engine.handle_timeout(25.0)
        link.last_received = 30.0
        assert ends(engine.handle_timeout(50.0)) == [("ping timeout", None)]

    def test_polling_requests_extend(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        engine.handle_timeout(25.0)
        post(engine, session, "4a", now=40.0)
        assert engine.handle_timeout(45.0) == []
        assert engine.deadline == 60.0

    def test_suspended_while_paused(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        engine.handle_timeout(25.0)
        session.pause(30.0)
        for now in (45.0, 65.0, 85.0):
            assert engine.handle_timeout(now) == []
            assert engine.deadline is not None and engine.deadline > now
        session.resume()
        # The pong may have waited unread: it has its full time after the pause.
        assert engine.handle_timeout(105.0) == [] and engine.deadline == 125.0
        assert ends(engine.handle_timeout(125.0)) == [("ping timeout", None)]
        assert link.state is LinkState.CLOSING

    def test_short_pause(self, engine: EngineServer) -> None:
        session, _ = open_websocket(engine)
        engine.handle_timeout(25.0)
        session.pause(44.0)
        session.resume()
        assert engine.handle_timeout(45.0) == [] and engine.deadline == 65.0
        assert ends(engine.handle_timeout(65.0)) == [("ping timeout", None)]

    def test_pause_that_was_over_before_the_ping(self, engine: EngineServer) -> None:
        session, _ = open_websocket(engine)
        session.pause(1.0)
        session.resume()
        engine.handle_timeout(25.0)
        assert ends(engine.handle_timeout(45.0)) == [("ping timeout", None)]


class TestStall:
    def test_closed(self, engine: EngineServer) -> None:
        session, _ = open_websocket(engine)
        session.pause(1.0)
        now = 0.0
        events = []
        while not events:
            assert engine.deadline is not None and engine.deadline > now
            now = engine.deadline
            events = engine.handle_timeout(now)
        assert now == 61.0
        assert ends(events) == [("forced close", "paused for longer than stall_timeout")]
        assert engine.deadline is None

    def test_resumed(self, engine: EngineServer) -> None:
        session, _ = open_websocket(engine)
        session.pause(0.0)
        session.resume()
        assert len(engine.stall_timers) == 0

    def test_of_a_session_that_is_over(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        session.close(0.0)
        session.pause(0.0)
        assert not session.paused and not link.paused and len(engine.stall_timers) == 0

    def test_link_is_told(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        session.pause(0.0)
        assert link.paused and engine.dirty.take() == [link.owner]
        session.pause(0.0)
        assert engine.dirty.take() == []
        session.resume()
        assert not link.paused and engine.dirty.take() == [link.owner]
        session.pause(0.0)
        session.close(0.0)
        assert not link.paused


class TestSendBuffer:
    def test_bound(self) -> None:
        engine = new_engine(max_send_buffer=10)
        session, link = open_websocket(engine)
        assert session.send_message("a" * 4)
        assert session.send_message("b" * 4)
        assert session.buffered_bytes == 10
        assert not session.send_message("")
        text = "send buffer full: 10 bytes wait, 1 more would pass max_send_buffer=10"
        assert ends(engine.take_events()) == [("forced close", text)]
        assert link.take() == [] and link.state is LinkState.CLOSING

    def test_small_messages_are_counted_as_well(self) -> None:
        """An object for each costs more than its bytes: answers to a client that asks and never reads."""
        engine = new_engine(max_send_buffer=128 * 1024)
        session, link = open_websocket(engine)
        engine.link_blocked(link)
        assert all(session.send_message("") for _ in range(2048))
        assert not session.send_message("")
        text = "send buffer full: 2048 messages wait, no more may with max_send_buffer=131072"
        assert ends(engine.take_events()) == [("forced close", text)]

    def test_one_message_always_fits(self) -> None:
        engine = new_engine(max_send_buffer=10)
        session, link = open_websocket(engine)
        assert session.send_message("a" * 1000)
        assert not session.send_message("b")
        assert session.state is SessionState.CLOSED and link.take() == []

    def test_taken_bytes_count_until_they_are_written(self) -> None:
        engine = new_engine(max_send_buffer=10)
        session, link = open_websocket(engine)
        session.send_message("a" * 7)
        link.take()
        engine.link_blocked(link)
        assert session.buffered_bytes == 8
        assert session.send_message("b")
        assert session.buffered_bytes == 10
        assert engine.link_writable(link, 0.0) == []
        assert session.buffered_bytes == 2
        assert session.send_message("c" * 7)
        link.take()
        engine.link_blocked(link)
        engine.link_blocked(link)  # told twice: counted once
        assert session.buffered_bytes == 10
        assert not session.send_message("d")
        (end,) = engine.take_events()
        assert isinstance(end, SessionClosed) and end.description is not None
        assert end.description.startswith("send buffer full: 10 bytes wait, 2 more")

    def test_polling(self) -> None:
        engine = new_engine(max_send_buffer=10)
        session = open_polling(engine)
        get = poll(engine, session)
        session.send_message("a" * 9)
        assert not session.send_message("b")
        assert session.state is SessionState.CLOSED
        assert body(get) == b"1"

    def test_control_packets_need_no_room(self) -> None:
        engine = new_engine(max_send_buffer=10)
        session, link = open_websocket(engine)
        session.send_message("a" * 9)
        engine.handle_timeout(25.0)
        assert packets(link) == ["4" + "a" * 9, "2"]

    def test_closed_session_takes_nothing(self, engine: EngineServer) -> None:
        session, _ = open_websocket(engine)
        session.close(0.0)
        assert not session.send(message("a"))
        assert session.buffered_bytes == 0


class TestWritable:
    def test_websocket(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        assert session.writable
        session.send_message("a")
        assert not session.writable  # queued since the last take
        link.take()
        assert session.writable
        session.send_message("b")
        link.take()
        engine.link_blocked(link)
        assert not session.writable  # taken, not written
        engine.link_writable(link, 0.0)
        assert session.writable
        session.close(0.0)
        assert not session.writable

    def test_what_was_sent_while_blocked(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        engine.link_blocked(link)
        engine.dirty.take()
        session.send_message("a")
        assert engine.dirty.take() == []  # out of the set until it is writable
        engine.link_writable(link, 0.0)
        assert engine.dirty.take() == [link.owner]
        assert not session.writable
        assert packets(link) == ["4a"] and session.writable

    def test_polling(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        assert not session.writable
        get = poll(engine, session)
        assert session.writable
        session.send_message("a")
        assert not session.writable
        get.take_response()
        assert not session.writable

    def test_closing(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.send_message("a")
        session.close(0.0)
        poll(engine, session)
        assert not session.writable

    def test_links_that_carry_no_session(self, engine: EngineServer) -> None:
        session, link = open_websocket(engine)
        session.close(0.0)
        engine.link_blocked(link)
        assert link.blocked
        engine.link_writable(link, 0.0)
        assert not link.blocked and not session.writable


def test_values(engine: EngineServer) -> None:
    session = open_polling(engine)
    assert (session.protocol, session.transport, session.user) == (4, "polling", None)
    assert repr(session) == f"<Session {session.id} polling open>"
    assert isinstance(session, Session) and session.upgrade is None
    open_candidate(engine, session)
    assert session.upgrade is not None
