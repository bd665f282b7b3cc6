"""From polling to WebSocket: reference 1.10 with observed B2 and C."""

from __future__ import annotations

import pytest
from engineio_proto import (
    EngineServer,
    ExchangeState,
    Link,
    LinkState,
    MessageReceived,
    Response,
    Session,
    SessionState,
    SessionUpgraded,
)

from tests.engineio_proto.driving import (
    body,
    ends,
    new_engine,
    new_link,
    open_candidate,
    open_polling,
    packets,
    poll,
    post,
    start_post,
    target,
)


@pytest.fixture
def engine() -> EngineServer:
    return new_engine()


@pytest.fixture
def session(engine: EngineServer) -> Session:
    return open_polling(engine)


@pytest.fixture
def link(engine: EngineServer, session: Session) -> Link:
    return open_candidate(engine, session)


class TestProbe:
    def test_answered(self, engine: EngineServer, link: Link) -> None:
        engine.dirty.take()
        assert engine.receive_text(link, "2probe", 0.0) == []
        assert engine.dirty.take() == [link.owner]
        assert packets(link) == ["3probe"]

    def test_each_is_answered(self, engine: EngineServer, link: Link) -> None:
        for _ in range(3):
            engine.receive_text(link, "2probe", 0.0)
        assert packets(link) == ["3probe"] * 3
        assert link.take() == []

    def test_messages_go_on_over_polling(self, engine: EngineServer, session: Session, link: Link) -> None:
        engine.receive_text(link, "2probe", 0.0)
        session.send_message("a")
        assert packets(link) == ["3probe"]
        assert body(poll(engine, session)) == b"4a"

    def test_noop_after_100_ms(self, engine: EngineServer, session: Session, link: Link) -> None:
        get = poll(engine, session, now=5.0)
        engine.receive_text(link, "2probe", 5.0)
        assert engine.deadline == pytest.approx(5.1)
        engine.handle_timeout(5.09)
        assert body(get) is None
        engine.dirty.take()
        engine.handle_timeout(5.11)
        assert engine.dirty.take() == [get.owner]
        assert body(get) == b"6"

    def test_one_noop_for_each_get(self, engine: EngineServer, session: Session, link: Link) -> None:
        engine.receive_text(link, "2probe", 0.0)
        engine.receive_text(link, "2probe", 0.05)  # the interval goes on
        for tick in range(1, 4):
            get = poll(engine, session)
            engine.handle_timeout(tick * 0.1 + 0.001)
            assert body(get) == b"6"
        engine.handle_timeout(0.5)  # nothing is parked: nothing is queued
        assert not session.has_buffered

    def test_no_noop_beside_a_message(self, engine: EngineServer, session: Session, link: Link) -> None:
        get = poll(engine, session)
        engine.receive_text(link, "2probe", 0.0)
        session.send_message("a")
        engine.handle_timeout(0.2)
        assert body(get) == b"4a"


class TestCommit:
    def test_the_buffer_goes_out_on_the_link(
        self, engine: EngineServer, session: Session, link: Link
    ) -> None:
        session.send_message("a")
        engine.receive_text(link, "2probe", 0.0)
        events = engine.receive_text(link, "5", 0.0)
        assert events == [SessionUpgraded(session)]
        assert (session.transport, session.link) == ("websocket", link)
        assert link.owner in engine.dirty.take()
        session.send_message("b")
        assert packets(link) == ["3probe", "4a", "4b"]
        assert session.writable

    def test_without_a_probe(self, engine: EngineServer, session: Session, link: Link) -> None:
        assert engine.receive_text(link, "5", 0.0) == [SessionUpgraded(session)]

    def test_glued(self, engine: EngineServer, session: Session, link: Link) -> None:
        """`2probe`, `5` and messages in one segment, handled in order."""
        events = [e for text in ("2probe", "5", "4a", "4b") for e in engine.receive_text(link, text, 0.0)]
        assert events == [
            SessionUpgraded(session),
            MessageReceived(session, "a"),
            MessageReceived(session, "b"),
        ]

    def test_pending_get_gets_the_close(self, engine: EngineServer, session: Session, link: Link) -> None:
        get = poll(engine, session)
        engine.receive_text(link, "5", 0.0)
        assert get.owner in engine.dirty.take()
        assert body(get) == b"1"
        assert session.state is SessionState.OPEN

    def test_arriving_post_is_aborted(self, engine: EngineServer, session: Session, link: Link) -> None:
        request = start_post(engine, session)
        engine.receive_body(request, b"4a", 0.0)
        assert engine.receive_text(link, "5", 0.0) == [SessionUpgraded(session)]
        assert request.state is ExchangeState.ABORTED
        assert request.owner in engine.dirty.take()
        assert engine.receive_body_end(request, 0.0) == []

    def test_post_with_packets_left(self) -> None:
        """They would be lost, or overtaken: the candidate is abandoned, and the session goes on."""
        engine = new_engine(slice=1)
        session = open_polling(engine)
        link = open_candidate(engine, session)
        request = start_post(engine, session)
        engine.receive_body(request, b"4a\x1e4b", 0.0)
        engine.receive_body_end(request, 0.0)
        assert engine.receive_text(link, "5", 0.0) == []
        assert (link.state, session.transport) == (LinkState.CLOSING, "polling")
        assert engine.resume_body(request, 0.0) == [MessageReceived(session, "b")]

    def test_ping_timer_starts_again(self, engine: EngineServer, session: Session, link: Link) -> None:
        """The reference clears the pong timer and never times out a client that falls silent (observed C, 1.10)."""
        engine.handle_timeout(25.0)  # a ping is out, and the candidate, silent for 10 s, is gone
        link = open_candidate(engine, session, now=30.0)
        engine.receive_text(link, "5", 30.0)
        assert engine.deadline == 55.0
        assert engine.handle_timeout(55.0) == []
        assert engine.deadline == 75.0
        assert ends(engine.handle_timeout(75.0)) == [("ping timeout", None)]

    def test_paused_session(self, engine: EngineServer, session: Session, link: Link) -> None:
        session.pause(0.0)
        engine.receive_text(link, "5", 0.0)
        assert link.paused
        session.resume()
        assert not link.paused
        assert link.owner in engine.dirty.take()

    def test_blocked_candidate(self, engine: EngineServer, session: Session, link: Link) -> None:
        engine.link_blocked(link)
        session.send_message("a")
        engine.receive_text(link, "5", 0.0)
        assert not session.writable
        engine.dirty.take()
        assert engine.link_writable(link, 0.0) == []
        assert engine.dirty.take() == [link.owner]
        assert packets(link) == ["4a"]

    def test_bytes_of_polls_do_not_count_against_the_link(
        self, engine: EngineServer, session: Session, link: Link
    ) -> None:
        session.send_message("x" * 100)
        poll(engine, session).take_response()
        engine.receive_text(link, "5", 0.0)
        engine.link_blocked(link)
        assert session.buffered_bytes == 0

    def test_closing_session(self, engine: EngineServer, session: Session) -> None:
        """What was buffered goes out on the link, then it closes."""
        session.send_message("a")
        session.close(0.0)
        link = open_candidate(engine, session)
        assert ends(engine.receive_text(link, "5", 0.0)) == [("forced close", None)]
        assert packets(link) == ["4a"]
        assert link.state is LinkState.CLOSING


class TestAbandon:
    @pytest.mark.parametrize("packet", ["2", "2Probe", "2probe ", "3", "4a", "1", "6", "", "x", "5x"])
    @pytest.mark.parametrize("probed", [False, True])
    def test_other_packet(
        self, engine: EngineServer, session: Session, link: Link, packet: str, probed: bool
    ) -> None:
        if probed:
            engine.receive_text(link, "2probe", 0.0)
        assert engine.receive_text(link, packet, 0.0) == []
        assert (link.state, link.session, session.upgrade) == (LinkState.CLOSING, None, None)
        assert engine.receive_text(link, "5", 0.0) == engine.receive_bytes(link, b"", 0.0) == []
        self.lives(engine, session)

    def test_binary(self, engine: EngineServer, session: Session, link: Link) -> None:
        assert engine.receive_bytes(link, b"2probe", 0.0) == []
        assert link.state is LinkState.CLOSING
        self.lives(engine, session)

    @pytest.mark.parametrize("error", [None, "broken frame"])
    def test_gone(self, engine: EngineServer, session: Session, link: Link, error: str | None) -> None:
        assert engine.link_closed(link, 0.0, error) == []
        assert link.state is LinkState.CLOSED
        assert engine.link_closed(link, 0.0) == []
        self.lives(engine, session)

    def test_timeout(self, engine: EngineServer, session: Session, link: Link) -> None:
        assert engine.deadline == 10.0
        assert engine.handle_timeout(9.999) == []
        assert link.state is LinkState.OPEN
        assert engine.handle_timeout(10.0) == []
        assert link.state is LinkState.CLOSING
        assert link.owner in engine.dirty.take()
        self.lives(engine, session)

    def test_timeout_at_the_instant_of_a_noop(self) -> None:
        engine = new_engine(upgrade_timeout=0.1)
        session = open_polling(engine)
        link = open_candidate(engine, session)
        engine.receive_text(link, "2probe", 0.0)
        engine.handle_timeout(0.1)
        assert link.state is LinkState.CLOSING
        assert len(engine.noop_timers) == len(engine.upgrade_timers) == 0

    def test_session_closes_at_once(self, engine: EngineServer, session: Session, link: Link) -> None:
        engine.receive_text(link, "2probe", 0.0)
        session.close(0.0, discard=True)
        assert link.state is LinkState.CLOSING
        assert packets(link) == ["3probe"]
        assert session.state is SessionState.CLOSED
        assert len(engine.noop_timers) == len(engine.upgrade_timers) == 0

    def test_session_waits_to_close(self, engine: EngineServer, session: Session, link: Link) -> None:
        """The client may have sent its `5` already, and then takes what is queued from the link alone."""
        engine.receive_text(link, "2probe", 0.0)
        session.send_message("a")
        session.close(0.0)
        assert (link.state, session.state) == (LinkState.OPEN, SessionState.CLOSING)
        events = engine.receive_text(link, "5", 0.0)
        assert ends(events) == [("forced close", None)]
        assert packets(link) == ["3probe", "4a"]
        assert link.state is LinkState.CLOSING
        assert len(engine.noop_timers) == len(engine.upgrade_timers) == len(engine.close_timers) == 0

    def test_session_waits_to_close_and_nobody_comes(
        self, engine: EngineServer, session: Session, link: Link
    ) -> None:
        engine.receive_text(link, "2probe", 0.0)
        session.close(0.0)
        for now in (10.0, 30.0):
            events = engine.handle_timeout(now)
        assert ends(events) == [("forced close", None)]
        assert link.state is LinkState.CLOSING

    def test_second_upgrade_is_closed(self, engine: EngineServer, session: Session, link: Link) -> None:
        second = new_link(target("websocket", session.id))
        assert engine.receive_upgrade(second, 0.0) == []
        assert second.state is LinkState.CLOSING
        assert engine.receive_text(link, "2probe", 0.0) == []
        assert packets(link) == ["3probe"]

    def test_again(self, engine: EngineServer, session: Session, link: Link) -> None:
        engine.receive_text(link, "x", 0.0)
        again = open_candidate(engine, session)
        assert engine.link_closed(link, 0.0) == []  # the old one's end does not touch the new one
        assert engine.receive_text(again, "5", 0.0) == [SessionUpgraded(session)]

    def lives(self, engine: EngineServer, session: Session) -> None:
        assert (session.state, session.transport) == (SessionState.OPEN, "polling")
        assert len(engine.noop_timers) == len(engine.upgrade_timers) == 0
        events, request = post(engine, session, "4a")
        assert events == [MessageReceived(session, "a")]
        response = request.take_response()
        assert isinstance(response, Response) and response.status == 200


def test_upgrade_that_was_not_advertised() -> None:
    """As the reference: `allow_upgrades` only empties the list of the handshake."""
    engine = new_engine(allow_upgrades=False)
    session = open_polling(engine)
    assert engine.receive_text(open_candidate(engine, session), "5", 0.0) == [SessionUpgraded(session)]
