"""Each pair of each table is visited through the public inputs; a pair that is in no table raises."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from itertools import product
from typing import Any

import pytest
from engineio_proto import (
    ExchangeInput,
    ExchangeState,
    LinkInput,
    LinkState,
    LocalProtocolError,
    SessionInput,
    SessionState,
    UpgradeInput,
    UpgradeState,
)
from engineio_proto._tables import move

from tests.engineio_proto.driving import (
    ask,
    new_engine,
    new_exchange,
    new_link,
    open_candidate,
    open_polling,
    open_websocket,
    poll,
    post,
    start_post,
    target,
)
from tests.engineio_proto.moves import EVERY_PAIR, TABLES, Pair, recorded_moves


def _session_deferred() -> None:
    engine = new_engine()
    session = open_polling(engine)
    session.close(0.0)
    poll(engine, session)


def _session_ended() -> None:
    engine = new_engine()
    post(engine, open_polling(engine), "1")


def _probed(*packets: str) -> Callable[[], None]:
    def scenario() -> None:
        engine = new_engine()
        link = open_candidate(engine, open_polling(engine))
        for packet in packets:
            engine.receive_text(link, packet, 0.0)

    return scenario


def _candidate_gone() -> None:
    engine = new_engine()
    engine.link_closed(open_candidate(engine, open_polling(engine)), 0.0)


def _refused_request() -> None:
    ask(new_engine(), "GET", target(None))


def _poll_gone() -> None:
    engine = new_engine()
    engine.exchange_closed(poll(engine, open_polling(engine)), 0.0)


def _post() -> None:
    engine = new_engine()
    post(engine, open_polling(engine), "4a")


def _post_too_large() -> None:
    engine = new_engine(max_http_buffer_size=1)
    engine.receive_body(start_post(engine, open_polling(engine)), b"4a", 0.0)


def _post_gone() -> None:
    engine = new_engine()
    engine.exchange_closed(start_post(engine, open_polling(engine)), 0.0)


def _link_gone_twice() -> None:
    engine = new_engine()
    _, link = open_websocket(engine)
    engine.link_closed(link, 0.0)
    engine.link_closed(link, 0.0)


def _link_refused() -> None:
    engine = new_engine()
    link = new_link(target(None))
    engine.receive_upgrade(link, 0.0)
    engine.link_closed(link, 0.0)


def _link_gone_before_it_was_asked_for() -> None:
    new_engine().link_closed(new_link(target("websocket")), 0.0)


def _link_closed_by_us() -> None:
    engine = new_engine()
    session, link = open_websocket(engine)
    session.close(0.0)
    engine.link_closed(link, 0.0)


SCENARIOS: dict[Pair, Callable[[], None]] = {
    (SessionState.OPEN, SessionInput.DEFER_CLOSE): _session_deferred,
    (SessionState.OPEN, SessionInput.END): _session_ended,
    (SessionState.CLOSING, SessionInput.END): _session_deferred,
    (UpgradeState.CANDIDATE, UpgradeInput.PROBE): _probed("2probe"),
    (UpgradeState.CANDIDATE, UpgradeInput.COMMIT): _probed("5"),
    (UpgradeState.CANDIDATE, UpgradeInput.ABANDON): _probed("x"),
    (UpgradeState.PROBED, UpgradeInput.PROBE): _probed("2probe", "2probe"),
    (UpgradeState.PROBED, UpgradeInput.COMMIT): _probed("2probe", "5"),
    (UpgradeState.PROBED, UpgradeInput.ABANDON): _probed("2probe", "x"),
    (ExchangeState.WAITING, ExchangeInput.EXPECT_BODY): _post,
    (ExchangeState.WAITING, ExchangeInput.ANSWER): _refused_request,
    (ExchangeState.WAITING, ExchangeInput.ABORT): _poll_gone,
    (ExchangeState.RECEIVING, ExchangeInput.BODY_END): _post,
    (ExchangeState.RECEIVING, ExchangeInput.ANSWER): _post_too_large,
    (ExchangeState.RECEIVING, ExchangeInput.ABORT): _post_gone,
    (LinkState.DECIDING, LinkInput.ACCEPT): _link_closed_by_us,
    (LinkState.DECIDING, LinkInput.REFUSE): _link_refused,
    (LinkState.DECIDING, LinkInput.END): _link_gone_before_it_was_asked_for,
    (LinkState.OPEN, LinkInput.CLOSE): _link_closed_by_us,
    (LinkState.OPEN, LinkInput.END): _link_gone_twice,
    (LinkState.REFUSED, LinkInput.END): _link_refused,
    (LinkState.CLOSING, LinkInput.END): _link_closed_by_us,
    (LinkState.CLOSED, LinkInput.CLOSE): _candidate_gone,
    (LinkState.CLOSED, LinkInput.END): _link_gone_twice,
}


def test_every_pair_has_a_scenario() -> None:
    assert set(SCENARIOS) == EVERY_PAIR


@pytest.mark.parametrize("pair", SCENARIOS, ids=lambda pair: f"{pair[0]} {pair[1].name}")
def test_visited(pair: Pair) -> None:
    with recorded_moves() as seen:
        SCENARIOS[pair]()
    assert pair in seen
    assert seen <= EVERY_PAIR


ENUMS: dict[str, tuple[type[Enum], type[Enum]]] = {
    "session": (SessionState, SessionInput),
    "upgrade": (UpgradeState, UpgradeInput),
    "exchange": (ExchangeState, ExchangeInput),
    "link": (LinkState, LinkInput),
}


@pytest.mark.parametrize("name", TABLES)
def test_pairs_in_no_table_raise(name: str) -> None:
    table: Any = TABLES[name]
    states, inputs = ENUMS[name]
    for state, input_ in product(states, inputs):
        if (state, input_) in table:
            assert move(table, state, input_) is table[state, input_]
        else:
            with pytest.raises(LocalProtocolError, match=f"'{state.value}'"):
                move(table, state, input_)


@pytest.mark.parametrize("name", TABLES)
def test_every_state_and_input_is_used(name: str) -> None:
    table: Any = TABLES[name]
    states, inputs = ENUMS[name]
    assert {state for state, _ in table} | set(table.values()) == set(states)
    assert {input_ for _, input_ in table} == set(inputs)


class TestTheCallersOwnMistakes:
    """They raise, and have changed nothing."""

    def test_second_answer(self) -> None:
        from engineio_proto import Response

        exchange = new_exchange("GET", "/")
        exchange.answer(Response(200, (), b"a"))
        with pytest.raises(LocalProtocolError, match="'answer' cannot follow in state 'answered'"):
            exchange.answer(Response(500))
        with pytest.raises(LocalProtocolError):
            exchange.abort()
        assert exchange.take_response() == Response(200, (), b"a")

    def test_request_twice(self) -> None:
        engine = new_engine()
        exchange = new_exchange("GET", target(None))
        engine.receive_request(exchange, 0.0)
        with pytest.raises(LocalProtocolError):
            engine.receive_request(exchange, 0.0)

    def test_link_twice(self) -> None:
        engine = new_engine()
        _, link = open_websocket(engine)
        with pytest.raises(LocalProtocolError, match="'accept' cannot follow in state 'open'"):
            link.accept()
        assert link.state is LinkState.OPEN

    def test_message_of_a_wrong_type(self) -> None:
        engine = new_engine()
        session = open_polling(engine)
        wrong: Any = 5
        with pytest.raises(TypeError):
            session.send_message(wrong)
        assert not session.has_buffered and session.buffered_bytes == 0
