"""A link by itself."""

from __future__ import annotations

from engineio_proto import LinkState, Outgoing, Response

from tests.engineio_proto.driving import (
    new_engine,
    new_link,
    open_candidate,
    open_polling,
    open_websocket,
    packets,
)


def test_undecided() -> None:
    link = new_link("/x", now=7.0)
    assert (link.state, link.refusal, link.headers, link.session) == (LinkState.DECIDING, None, (), None)
    assert (link.paused, link.blocked, link.last_received) == (False, False, 7.0)
    assert link.take() == []


def test_decided() -> None:
    link = new_link("/x")
    link.accept((("a", "b"),))
    assert (link.state, link.headers) == (LinkState.OPEN, (("a", "b"),))
    refused = new_link("/x")
    refused.refuse(Response(400))
    assert (refused.state, refused.refusal) == (LinkState.REFUSED, Response(400))


def test_own_packets_go_before_the_sessions() -> None:
    engine = new_engine()
    session, link = open_websocket(engine)
    session.send_message("a")
    link.push(Outgoing(("3probe",)))
    link.push(Outgoing(("6",)))
    assert packets(link) == ["3probe", "6", "4a"]
    assert link.take() == []


def test_candidate_takes_nothing_of_its_session() -> None:
    engine = new_engine()
    session = open_polling(engine)
    session.send_message("a")
    link = open_candidate(engine, session)
    assert link.take() == []
    link.push(Outgoing(("3probe",)))
    assert packets(link) == ["3probe"]
    assert session.has_buffered


def test_close_with_a_rest() -> None:
    link = new_link("/x")
    link.accept()
    link.close([Outgoing(("4a",)), Outgoing(("4b",))])
    assert (packets(link), link.state) == (["4a", "4b"], LinkState.CLOSING)


def test_nothing_is_sent_on_a_link_that_ended() -> None:
    link = new_link("/x")
    link.accept()
    link.push(Outgoing(("4a",)))
    link.ended()
    link.close([Outgoing(("4b",))])
    assert (link.take(), link.state) == ([], LinkState.CLOSED)
