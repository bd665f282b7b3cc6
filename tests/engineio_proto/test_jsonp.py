"""JSONP polling, in both protocols: reference 1.7 with observed C. `test_traces.py` has the bodies."""

from __future__ import annotations

import json

import pytest
from engineio_proto import MessageReceived, Response
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engineio_proto.driving import (
    ask,
    body,
    ends,
    new_engine,
    new_exchange,
    open_form,
    poll,
    post,
    start_post,
    target,
)

HEADERS = (("Content-Type", "text/plain; charset=UTF-8"), ("cache-control", "no-store"))
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
BOUNDED = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize("protocol", ["4", "3"])
def test_handshake(protocol: str) -> None:
    engine = new_engine(allow_eio3=True, cookie=True)
    _, response = ask(engine, "GET", target("polling", EIO=protocol, j="1a2"))
    text = response.body.decode()
    assert response.status == 200
    assert response.headers[:2] == HEADERS
    assert response.headers[2][0] == "Set-Cookie"
    assert text.startswith("___eio[12](") and text.endswith(");")
    payload = json.loads(text[len("___eio[12](") : -2])
    assert payload.startswith('0{"sid":' if protocol == "4" else '118:0{"sid":')


def test_the_handshake_decides() -> None:
    """Later values of `j` change nothing, for better or worse."""
    engine = new_engine()
    session, _ = open_form(engine, "polling", 4, j="12")
    session.send_message("a")
    later = new_exchange("GET", target("polling", session.id, j="7"))
    engine.receive_request(later, 0.0)
    assert later.take_response() == Response(200, HEADERS, b'___eio[12]("4a");')
    plain, _ = open_form(engine, "polling", 4)
    plain.send_message("a")
    later = new_exchange("GET", target("polling", plain.id, j="7"))
    engine.receive_request(later, 0.0)
    assert body(later) == b"4a"


def test_binary_is_always_base64() -> None:
    """Without `b64` the reference sends a Buffer as JSON, which no client reads."""
    engine = new_engine(allow_eio3=True)
    session, _ = open_form(engine, "polling", 3, j="0")
    session.send_message("a", b"\x01\x02\x03\x04")
    assert body(poll(engine, session)) == b'___eio[0]("2:4a10:b4AQIDBA==");'


def test_post() -> None:
    engine = new_engine()
    session, _ = open_form(engine, "polling", 4, j="0")
    events, exchange = post(engine, session, "d=4a%1E4b", headers=FORM)
    assert events == [MessageReceived(session, "a"), MessageReceived(session, "b")]
    assert body(exchange) == b"ok"


def test_octets() -> None:
    """Protocol 4 refuses them; in protocol 3 the reference finds no form in them, and says ok."""
    octets = (("Content-Type", "application/octet-stream"),)
    engine = new_engine(allow_eio3=True)
    session, _ = open_form(engine, "polling", 3, j="0")
    events, exchange = post(engine, session, "d=2:4a", headers=octets)
    assert (events, body(exchange)) == ([], b"ok")
    session, _ = open_form(engine, "polling", 4, j="0")
    exchange = new_exchange("POST", target("polling", session.id), octets)
    assert ends(engine.receive_request(exchange, 0.0)) == [("transport error", "invalid content")]
    assert exchange.take_response() == Response(400)


def test_too_large() -> None:
    engine = new_engine(max_http_buffer_size=10)
    session, _ = open_form(engine, "polling", 4, j="0")
    exchange = start_post(engine, session, headers=FORM)
    engine.receive_body(exchange, b"d=" + b"4" * 9, 0.0)
    assert exchange.take_response() == Response(413)


ENGINE = new_engine(allow_eio3=True)


@BOUNDED
@given(st.binary() | st.text("d=&%20+:4a\\nb").map(str.encode), st.sampled_from([3, 4]))
def test_any_body(data: bytes, protocol: int) -> None:
    session, _ = open_form(ENGINE, "polling", protocol, j="0")
    _, exchange = post(ENGINE, session, data, headers=FORM)
    assert body(exchange) == b"ok"
    session.close(0.0, discard=True)
    ENGINE.take_events()


@BOUNDED
@given(st.text())
def test_every_answer_is_one_call(text: str) -> None:
    """Nothing that is sent leaves its string."""
    session, _ = open_form(ENGINE, "polling", 4, j="0")
    session.send_message(text)
    answer = body(poll(ENGINE, session))
    assert answer is not None
    script = answer.decode()
    assert not any(c in script for c in "\n\r\u2028\u2029")
    sent = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert json.loads(script.removeprefix("___eio[0](").removesuffix(");")) == "4" + sent
    session.close(0.0, discard=True)
    ENGINE.take_events()
