"""An exchange by itself."""

from __future__ import annotations

import pytest
from engineio_proto import ExchangeState, LocalProtocolError, Response

from tests.engineio_proto.driving import new_engine, new_exchange, open_polling, poll, start_post


def test_answer_carries_the_headers_of_the_request() -> None:
    exchange = new_exchange("GET", "/x")
    exchange.headers = (("a", "1"),)
    exchange.answer(Response(200, (("b", "2"),), b"c"))
    assert exchange.take_response() == Response(200, (("a", "1"), ("b", "2")), b"c")
    assert exchange.state is ExchangeState.ANSWERED


def test_without_headers_it_is_shared() -> None:
    exchange, response = new_exchange("GET", "/x"), Response(204)
    exchange.answer(response)
    assert exchange.take_response() is response


def test_body() -> None:
    exchange = new_exchange("POST", "/x")
    assert not exchange.wants_body and exchange.body is None
    exchange.expect_body()
    assert exchange.wants_body and exchange.body == b""
    exchange.body.extend(b"abc")
    assert exchange.body_complete() == b"abc"
    assert exchange.body is None and not exchange.wants_body
    with pytest.raises(LocalProtocolError):
        exchange.body_complete()


def test_abort_drops_what_it_held() -> None:
    engine = new_engine()
    exchange = start_post(engine, open_polling(engine))
    exchange.abort()
    assert (exchange.body, exchange.backlog, exchange.session) == (None, None, None)
    assert exchange.take_response() is None and not exchange.has_more


def test_parked() -> None:
    engine = new_engine()
    session = open_polling(engine)
    exchange = new_exchange("GET", "/x")
    assert not exchange.parked
    get = poll(engine, session)
    assert get.parked
    session.send_message("a")
    get.take_response()
    assert not get.parked
