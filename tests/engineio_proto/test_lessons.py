"""What servers of this kind once fell to, as far as it concerns the engine: a row each, findable by its id.

A test here has the id in its name (`-k cve_2023_31125`). `ELSEWHERE` says where the rows are whose tests stand with
their module or their layer.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

import pytest
from cors_policy import CorsWarning
from engineio_proto import (
    EngineConfig,
    EngineServer,
    Exchange,
    ExchangeState,
    HookRaised,
    LinkState,
    MessageReceived,
    Request,
    RequestRefused,
    SessionOpened,
)

from tests.engineio_proto.driving import (
    Headers,
    ask,
    body,
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

TESTS = Path(__file__).parents[1]

ELSEWHERE = {
    "CVE-2017-16031, engine id and socket id": [
        "sim/test_lessons.py::test_cve_2017_16031_the_engines_id_is_no_sockets_id"
    ],
    "CVE-2019-13611": [
        "engineio_proto/test_verify.py::TestEnforceOrigin",
        "cors_policy/test_same_origin.py::test_same_origin",
    ],
    "CVE-2020-28481": ["cors_policy/test_origin.py::test_any_origin_with_credentials_warns_and_is_emitted"],
    "CVE-2020-36048, bodies": [
        "engineio_proto/test_polling.py::TestPost::test_too_large",
        "engineio_proto/test_polling.py::TestPost::test_overlap",
        "engineio_wire/test_http.py::test_one_byte_chunks_are_allowed_up_to_the_limit",
        "engineio_wire/test_http.py::test_413_closes_when_too_much_would_be_thrown_away",
    ],
    "6.6.7, wrong content type": ["engineio_proto/test_polling.py::TestPost::test_octet_stream"],
    "CVE-2024-47764": ["cookie_policy/test_lessons.py::test_cve_2024_47764_nothing_gets_out_of_its_place"],
    "CVE-2024-7592, CVE-2024-52804, CVE-2025-69230, CVE-2026-3644": [
        "cookie_policy/test_parse.py::test_work_grows_with_length_only",
        "cookie_policy/test_lessons.py::test_cve_2024_7592_and_2024_52804_quotes_are_read_once",
        "cookie_policy/test_lessons.py::test_cve_2025_69230_bad_cookies_are_silent",
        "cookie_policy/test_lessons.py::test_cve_2026_3644_no_control_character_is_written",
    ],
    "CVE-2026-48710 (BadHost)": ["cors_policy/test_same_origin.py::test_same_origin"],
    "CVE-2026-48802": [
        "engineio_proto/test_session.py::TestHeartbeat::test_pong_without_a_ping",
        "engineio_proto/test_session.py::TestHeartbeat::test_second_pong",
    ],
    "4.14/4.15, a body that arrives during an upgrade": [
        "engineio_proto/test_upgrade.py::TestCommit::test_arriving_post_is_aborted",
        "engineio_proto/test_upgrade.py::TestCommit::test_post_with_packets_left",
    ],
    "10.3 Leaks of closed clients": ["engineio_proto/test_leaks.py::test_ten_thousand"],
    "10.3 Backpressure": [
        "engineio_proto/test_session.py::TestSendBuffer::test_bound",
        "sim/test_close.py::test_reader_too_slow",
    ],
    "10.4 Ping timeouts": [
        "engineio_proto/test_session.py::TestHeartbeat::test_bytes_after_the_ping_extend_it_once",
        "engineio_proto/test_session.py::TestHeartbeat::test_polling_requests_extend",
        "sim/test_heartbeat.py::test_messages_extend_once",
        "sim/test_lessons.py::test_10_4_a_large_upload_delays_its_pong",
    ],
}


@pytest.mark.parametrize("where", sorted({where for places in ELSEWHERE.values() for where in places}))
def test_the_index_is_true(where: str) -> None:
    path, *names = where.split("::")
    nodes: Any = ast.parse((TESTS / path).read_text())
    for name in names:
        nodes = next(node for node in nodes.body if getattr(node, "name", None) == name)


# Ids.


def test_cve_2017_16031_ids_are_unguessable() -> None:
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return os.urandom(count)

    engine = EngineServer(EngineConfig(), random_bytes=random_bytes)
    ids = [open_polling(engine).id for _ in range(1000)]
    assert asked == [12] * 1000
    # The counter is in the last four characters; without it no two are alike either.
    assert len({sid[:16] for sid in ids}) == 1000


def test_cve_2017_16031_an_unknown_id_tells_nothing() -> None:
    """Near or far, in use once or never: one answer."""
    engine = new_engine()
    gone, here = open_polling(engine), open_polling(engine)
    gone.close(0.0, discard=True)
    answers = {
        ask(engine, method, target("polling", sid))[1]
        for method in ("GET", "POST")
        for sid in (
            gone.id,
            here.id[:-1],
            here.id + "A",
            here.id.lower(),
            "x",
            "0" * 20,
            "__proto__",
            "a" * 5000,
        )
    }
    assert [answer.status for answer in answers] == [400]


# CORS.

CROSS: Headers = (("Origin", "http://b.example"), ("Host", "a.example"))


def test_cve_2020_28481_no_cors_header_unless_asked_for() -> None:
    engine = new_engine()
    session = open_polling(engine, headers=CROSS)
    session.send_message("a")
    answers = [
        ask(engine, "GET", target("polling"), CROSS)[1],
        poll(engine, session, headers=CROSS).take_response(),
        post(engine, session, "4a", headers=CROSS)[1].take_response(),
        ask(engine, "OPTIONS", target("polling"), CROSS)[1],
        ask(engine, "GET", target("smoke"), CROSS)[1],
    ]
    assert [answer and answer.status for answer in answers] == [200, 200, 200, 400, 400]
    link = new_link(target("websocket"), CROSS)
    engine.receive_upgrade(link, 0.0)
    for headers in (*(answer.headers for answer in answers if answer), link.headers):
        assert not [name for name, _ in headers if name.lower().startswith(("access-control", "vary"))]


def test_cve_2020_28481_everyone_with_credentials_warns() -> None:
    with pytest.warns(CorsWarning, match="browsers refuse"):
        new_engine(cors={"origin": "*", "credentials": True})


# The request.


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "transport",
        "transport=",
        "transport=__proto__",
        "transport=constructor",
        "transport=hasOwnProperty",
        "transport=toString",
        "transport=websocket%00",
        "transport=WebSocket",
        "transport=websocket,polling",
        "transport=websocket&transport=",
        "transport=websocket&transport=__proto__",
        "transport[]=websocket",
        "transport=websocket&transport[]=polling",
        "Transport=websocket",
        "%74ransport",
        "transport=webtransport",
        "transport=%ff%fe",
        "&&&===&transport",
    ],
)
def test_cve_2023_31125_transport_of_an_upgrade(query: str, method: str) -> None:
    engine = new_engine()
    session = open_polling(engine)
    for sid in ("", f"&sid={session.id}"):
        link = new_link(f"/engine.io/?EIO=4{sid}&{query}", method=method)
        wanted = link.request.query.get("transport") == "websocket"
        events = engine.receive_upgrade(link, 0.0)
        if not wanted:
            assert [int(e.code) for e in events if isinstance(e, RequestRefused)] == [0]
            assert link.state is LinkState.REFUSED
        engine.link_closed(link, 0.0)
    session.send_message("still here")
    assert body(poll(engine, session)) == b"4still here"


def test_cve_2023_31125_polling_on_an_upgrade() -> None:
    engine = new_engine()
    session = open_polling(engine)
    for path in (
        target("polling"),
        target("polling", session.id),
        "/engine.io/?EIO=4&transport=websocket&transport=polling",
    ):
        link = new_link(path)
        assert engine.receive_upgrade(link, 0.0) == []
        assert link.state is LinkState.CLOSING
        assert engine.link_closed(link, 0.0) == []
    assert list(engine.sessions) == [session.id]


def test_cve_2023_31125_a_websocket_that_is_no_upgrade() -> None:
    engine = new_engine()
    events, response = ask(engine, "GET", target("websocket"))
    assert response.status == 400 and [type(event) for event in events] == [RequestRefused]


def test_cve_2026_48710_badhost_says_nothing_about_the_path() -> None:
    engine = new_engine()
    for host in (
        "a/engine.io/?transport=polling",
        "a?x",
        "a#",
        "@a",
        "a, b",
        "",
        "[",
        "\xe9",
        "a:b:c",
        "//",
        "a\\b",
    ):
        request = Request("GET", "/other/?EIO=4&transport=polling", (("Host", host),))
        assert request.path == "/other/" and not engine.owns(request.target)
        exchange = Exchange("wire", Request("GET", target("polling"), (("Host", host),)))
        assert [type(event) for event in engine.receive_request(exchange, 0.0)] == [SessionOpened]


# Cookies.


@pytest.mark.parametrize(
    "cookie",
    [
        {"name": "a=b; Domain=evil"},
        {"name": "a\r\nb"},
        {"name": ""},
        {"path": "/; Domain=evil"},
        {"path": "/\r\nSet-Cookie: a=b"},
        {"domain": "a.example; Secure"},
        {"domain": "a.example\n"},
        {"same_site": "lax; Domain=evil"},
        {"priority": "low; Domain=evil"},
    ],
)
def test_cve_2024_47764_refused_when_built(cookie: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="invalid"):
        new_engine(cookie=cookie)


@pytest.mark.parametrize("sid", ["a; Domain=evil", "a\r\nSet-Cookie: b=c", "\xe9", "a,b", '"', "\ud800"])
@pytest.mark.parametrize("encode", [None, str])
def test_cve_2024_47764_ids_of_the_users_own(sid: str, encode: Any) -> None:
    """Encoded; where the user's own encoding makes no cookie of it, the answer goes out without, and it is reported."""
    engine = new_engine(cookie={"name": "io", "encode": encode}, generate_id=lambda request: sid)
    exchange = new_exchange("GET", target("polling"))
    (question,) = engine.receive_request(exchange, 0.0)
    engine.decide(question.decision, sid, 0.0)  # type: ignore[union-attr]
    reported = [event for event in engine.take_events() if isinstance(event, HookRaised)]
    answer = exchange.take_response()
    assert answer is not None and answer.status == 200
    cookies = [value for name, value in answer.headers if name == "Set-Cookie"]
    if encode is str or sid == "\ud800":
        assert cookies == [] and [event.name for event in reported] == ["cookie"]
    else:
        (value,) = cookies
        assert value.isascii() and value.isprintable()
        assert value.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Lax"] and not reported


@pytest.mark.parametrize(
    "value", ['a="' + "\\" * 15_000, "a=b;" * 4000, "=;" * 8000, '"' * 15_000, "\xff" * 15_000]
)
def test_cve_2024_7592_the_engine_does_not_read_cookies(value: str) -> None:
    engine = new_engine(cookie=True)
    events, response = ask(engine, "GET", target("polling"), (("Cookie", value),))
    assert response.status == 200 and [type(event) for event in events] == [SessionOpened]


# The heartbeat.


def timers(engine: EngineServer) -> tuple[int, int, int]:
    return len(engine.ping_timers), len(engine.pong_timers), len(engine.late_pong_timers)


@pytest.mark.parametrize("answered", [False, True])
def test_cve_2026_48802_pong_floods_start_nothing(answered: bool) -> None:
    engine = new_engine()
    _, link = open_websocket(engine)
    polling = open_polling(engine)
    now = 0.0
    if answered:
        now = engine.deadline or 0.0
        engine.handle_timeout(now)
        assert timers(engine) == (0, 2, 0)
    for _ in range(5000):
        assert engine.receive_text(link, "3", now) == []
    _, exchange = post(engine, polling, "\x1e".join(["3"] * 5000), now=now)
    assert body(exchange) == b"ok"
    assert timers(engine) == (2, 0, 0)
    assert engine.deadline == now + 25.0  # no pong postpones a ping


def test_cve_2026_48802_a_pong_between_pings_postpones_nothing() -> None:
    engine = new_engine()
    _, link = open_websocket(engine)
    for second in range(1, 25):
        engine.receive_text(link, "3", float(second))
        assert engine.deadline == 25.0


def test_cve_2026_48802_one_timer_a_session() -> None:
    engine = new_engine()
    for count in range(1, 200):
        open_polling(engine)
        assert timers(engine) == (count, 0, 0)
        # Requests of a session start none.
        for session in list(engine.sessions.values())[:2]:
            session.send_message("a")
            poll(engine, session).take_response()
            post(engine, session, "4a")
        assert timers(engine) == (count, 0, 0)


# Requests at the wrong time, and bodies.


def test_4_14_no_request_after_an_upgrade() -> None:
    engine = new_engine()
    session = open_polling(engine)
    link = open_candidate(engine, session)
    engine.receive_text(link, "2probe", 0.0)
    engine.receive_text(link, "5", 0.0)
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        events, response = ask(engine, method, target("polling", session.id))
        assert response.status == 400
        assert [e.context["name"] for e in events if isinstance(e, RequestRefused)] == ["TRANSPORT_MISMATCH"]
    assert engine.receive_text(link, "4a", 0.0) == [MessageReceived(session, "a")]


@pytest.mark.parametrize(("method", "code"), [("POST", 2), ("PUT", 2), ("DELETE", 2)])
def test_4_14_no_request_before_the_handshake(method: str, code: int) -> None:
    engine = new_engine()
    exchange = new_exchange(method, target("polling"))
    (refused,) = engine.receive_request(exchange, 0.0)
    assert isinstance(refused, RequestRefused) and refused.code == code
    assert not exchange.wants_body and not engine.sessions
    assert engine.receive_body(exchange, b"4a", 0.0) == engine.receive_body_end(exchange, 0.0) == []


@pytest.mark.parametrize("chunk", [1, 7, 1000, 5000])
def test_4_15_no_body_is_kept_past_the_limit(chunk: int) -> None:
    """Counted while it arrives, whatever was announced; nothing of it is delivered, and the session lives on."""
    engine = new_engine(max_http_buffer_size=1000)
    session = open_polling(engine)
    exchange = start_post(engine, session, headers=(("Content-Length", "2"),))
    data = b"4" + b"x" * 4999
    longest = 0
    for start in range(0, len(data), chunk):
        assert engine.receive_body(exchange, data[start : start + chunk], 0.0) == []
        longest = max(longest, len(exchange.body or b""))
    assert engine.receive_body_end(exchange, 0.0) == []
    answer = exchange.take_response()
    assert answer is not None and answer.status == 413
    assert longest <= 1000 and exchange.body is None and exchange.state is ExchangeState.ANSWERED
    assert post(engine, session, "4" + "x" * 999)[0] == [MessageReceived(session, "x" * 999)]


def test_10_3_too_many_packets_in_a_payload_are_none() -> None:
    """Bytes bound a payload, not packets: all arrive, in order, a slice at a time, and so they do the other way."""
    engine = new_engine()
    session = open_polling(engine)
    count = 20_000
    events, exchange = post(engine, session, "\x1e".join(f"4{i}" for i in range(count)))
    assert events == [MessageReceived(session, str(i)) for i in range(count)]
    assert body(exchange) == b"ok"
    for i in range(count):
        assert session.send_message(str(i))
    assert body(poll(engine, session)) == "\x1e".join(f"4{i}" for i in range(count)).encode()


def test_10_3_one_limit_for_all_transports() -> None:
    engine = new_engine(max_http_buffer_size=1234)
    assert engine.wire_options.max_message_size == 1234
    assert b'"maxPayload":1234' in ask(engine, "GET", target("polling"))[1].body
