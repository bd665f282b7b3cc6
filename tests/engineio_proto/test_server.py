"""The engine as a whole: handshakes (reference 1.5), cors, cookie, close, deadlines, events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cors_policy import CorsPolicy
from engineio_proto import (
    CloseReason,
    EngineConfig,
    EngineServer,
    LinkState,
    MessageReceived,
    Response,
    SessionClosed,
    SessionOpened,
    Timers,
)

from tests.engineio_proto.driving import (
    ask,
    body,
    ends,
    new_engine,
    new_exchange,
    new_link,
    open_candidate,
    open_polling,
    open_websocket,
    packets,
    poll,
    start_post,
    target,
)

CORS: dict[str, Any] = {"origin": ["https://a.example"], "credentials": True}
FROM_A = (("Origin", "https://a.example"),)
ALLOWED = (
    ("Access-Control-Allow-Origin", "https://a.example"),
    ("Vary", "Origin"),
    ("Access-Control-Allow-Credentials", "true"),
)


class TestHandshake:
    def test_polling(self) -> None:
        engine = new_engine()
        events, response = ask(engine, "GET", target("polling"))
        (event,) = events
        assert isinstance(event, SessionOpened)
        assert response == Response(
            200,
            (("Content-Type", "text/plain; charset=UTF-8"), ("cache-control", "no-store")),
            b'0{"sid":"' + event.session.id.encode() + b'","upgrades":["websocket"],"pingInterval":25000,'
            b'"pingTimeout":20000,"maxPayload":1000000}',
        )
        assert engine.sessions == {event.session.id: event.session}

    def test_websocket(self) -> None:
        engine = new_engine()
        link = new_link(target("websocket"))
        (event,) = engine.receive_upgrade(link, 0.0)
        assert isinstance(event, SessionOpened) and event.session.link is link
        assert (link.state, link.headers, event.session.transport) == (LinkState.OPEN, (), "websocket")
        assert not event.session.writable  # the open packet is still to go
        (opened,) = packets(link)
        assert isinstance(opened, str)
        assert list(json.loads(opened[1:])) == [
            "sid",
            "upgrades",
            "pingInterval",
            "pingTimeout",
            "maxPayload",
        ]
        assert json.loads(opened[1:])["upgrades"] == []
        assert event.session.writable

    def test_the_open_packet_is_first(self) -> None:
        engine = new_engine()
        link = new_link(target("websocket"))
        (event,) = engine.receive_upgrade(link, 0.0)
        assert isinstance(event, SessionOpened)
        event.session.send_message("a")
        first, second = packets(link)
        assert str(first)[0] == "0" and second == "4a"

    @pytest.mark.parametrize(
        ("options", "upgrades"),
        [
            ({}, ["websocket"]),
            ({"allow_upgrades": False}, []),
            ({"transports": ["polling"]}, []),
            ({"transports": ("websocket", "polling")}, ["websocket"]),
        ],
    )
    def test_upgrades(self, options: dict[str, Any], upgrades: list[str]) -> None:
        _, response = ask(new_engine(**options), "GET", target("polling"))
        assert json.loads(response.body[1:])["upgrades"] == upgrades

    def test_milliseconds(self) -> None:
        engine = new_engine(ping_interval=0.3, ping_timeout=0.2001, max_http_buffer_size=10)
        _, response = ask(engine, "GET", target("polling"))
        sent = json.loads(response.body[1:])
        assert (sent["pingInterval"], sent["pingTimeout"], sent["maxPayload"]) == (300, 200, 10)

    def test_what_a_handler_sends_is_not_part_of_it(self) -> None:
        engine = new_engine()
        exchange = new_exchange("GET", target("polling"))
        (event,) = engine.receive_request(exchange, 0.0)
        assert isinstance(event, SessionOpened)
        event.session.send_message("a")
        assert b"\x1e" not in (body(exchange) or b"")
        assert body(poll(engine, event.session)) == b"4a"

    def test_an_id_that_is_taken_is_not_given_again(self) -> None:
        given = iter([b"a" * 12, b"a" * 12, b"b" * 12])
        engine = EngineServer(random_bytes=lambda size: next(given))
        engine.admission._generate_id._count = 0xFFFFFF  # pyright: ignore
        first = open_polling(engine)
        engine.admission._generate_id._count = 0xFFFFFF  # pyright: ignore
        assert open_polling(engine).id != first.id
        assert len(engine.sessions) == 2

    def test_empty_sid_is_none(self) -> None:
        engine = new_engine()
        _, response = ask(engine, "GET", target("polling", ""))
        assert response.status == 200


class TestCookie:
    @pytest.mark.parametrize(
        ("cookie", "text"),
        [
            (True, "io={}; Path=/; HttpOnly; SameSite=Lax"),
            ({}, "io={}; Path=/; HttpOnly; SameSite=Lax"),
            ({"name": "s", "path": False, "http_only": False}, "s={}; SameSite=Lax"),
            ({"same_site": "strict"}, "io={}; Path=/; HttpOnly; SameSite=Strict"),
        ],
    )
    def test_polling_handshake(self, cookie: Any, text: str) -> None:
        engine = new_engine(cookie=cookie)
        _, response = ask(engine, "GET", target("polling"))
        (sid,) = engine.sessions
        assert response.headers[-1] == ("Set-Cookie", text.format(sid))
        session = engine.sessions[sid]
        session.send_message("a")
        answer = poll(engine, session).take_response()
        assert answer is not None and "Set-Cookie" not in dict(answer.headers)

    def test_not_on_websocket(self) -> None:
        engine = new_engine(cookie=True)
        _, link = open_websocket(engine)
        assert link.headers == ()

    @pytest.mark.parametrize("cookie", [None, False])
    def test_none(self, cookie: Any) -> None:
        _, response = ask(new_engine(cookie=cookie), "GET", target("polling"))
        assert "Set-Cookie" not in dict(response.headers)


class TestCors:
    def test_preflight(self) -> None:
        engine = new_engine(cors=CORS)
        headers = (*FROM_A, ("Access-Control-Request-Headers", "x-a"))
        for path in (target("polling"), target("polling", open_polling(engine).id), target(None)):
            events, response = ask(engine, "OPTIONS", path, headers)
            assert events == []
            assert (response.status, response.body) == (204, b"")
            assert "Access-Control-Allow-Methods" in dict(response.headers)
            assert response.headers[-1] == ("Content-Length", "0"), "Safari hangs without it"

    def test_actual(self) -> None:
        engine = new_engine(cors=CORS, cookie=True)
        _, response = ask(engine, "GET", target("polling"), FROM_A)
        assert response.headers[:3] == ALLOWED
        (session,) = engine.sessions.values()
        get = poll(engine, session, headers=FROM_A)
        session.send_message("a")
        answer = get.take_response()
        assert answer is not None and answer.headers[:3] == ALLOWED
        request = start_post(engine, session, headers=FROM_A)
        engine.receive_body(request, b"4", 0.0)
        engine.receive_body_end(request, 0.0)
        answer = request.take_response()
        assert answer is not None and answer.headers[:3] == ALLOWED

    def test_errors(self) -> None:
        _, response = ask(new_engine(cors=CORS), "GET", target(None), FROM_A)
        assert response.status == 400
        assert response.headers == (*ALLOWED, ("Content-Type", "application/json"))

    def test_websocket(self) -> None:
        engine = new_engine(cors=CORS)
        link = new_link(target("websocket"), FROM_A)
        engine.receive_upgrade(link, 0.0)
        assert link.headers == ALLOWED

    def test_other_origin_is_served_all_the_same(self) -> None:
        engine = new_engine(cors=CORS)
        _, response = ask(engine, "GET", target("polling"), (("Origin", "https://b.example"),))
        assert response.status == 200
        assert "Access-Control-Allow-Origin" not in dict(response.headers)

    def test_continued_preflight_falls_to_verify(self) -> None:
        engine = new_engine(cors={"origin": "*", "preflight_continue": True})
        _, response = ask(engine, "OPTIONS", target("polling"), FROM_A)
        assert response.body == b'{"code":2,"message":"Bad handshake method"}'
        sid = open_polling(engine).id
        _, response = ask(engine, "OPTIONS", target("polling", sid), FROM_A)
        assert response.status == 500

    def test_policy_object(self) -> None:
        engine = EngineServer(EngineConfig(cors=CorsPolicy(origin="*")), random_bytes=bytes)
        _, response = ask(engine, "GET", target("polling"))
        assert ("Access-Control-Allow-Origin", "*") in response.headers


class TestPath:
    @pytest.mark.parametrize(
        ("options", "mine", "others"),
        [
            ({}, ["/engine.io/", "/engine.io/?a", "/engine.io/x"], ["/engine.io", "/engine.io?a", "/", ""]),
            ({"path": "/s/"}, ["/s/", "/s/?EIO=4"], ["/s", "/sx"]),
            ({"path": "/s", "add_trailing_slash": False}, ["/s", "/s?x", "/sfoo", "/s/"], ["/", "/t"]),
            ({"path": "/"}, ["/", "/?a", "/x"], [""]),
        ],
    )
    def test_owns(self, options: dict[str, Any], mine: list[str], others: list[str]) -> None:
        engine = new_engine(**options)
        assert [path for path in mine + others if engine.owns(path)] == mine


class TestClose:
    def test_everything(self) -> None:
        engine = new_engine()
        polling, closing, (_, link) = open_polling(engine), open_polling(engine), open_websocket(engine)
        probed = open_polling(engine)
        candidate = open_candidate(engine, probed)
        get, request = poll(engine, polling), start_post(engine, probed)
        closing.close(0.0)
        events = engine.close(0.0)
        assert ends(events) == [("forced close", None)] * 4
        assert not engine.sessions and engine.deadline is None
        assert body(get) == b"1"
        assert (link.state, candidate.state) == (LinkState.CLOSING, LinkState.CLOSING)
        assert request.take_response() is None and not request.wants_body
        assert engine.close(0.0) == []

    def test_afterwards(self) -> None:
        engine = new_engine()
        sid = open_polling(engine).id
        engine.close(0.0)
        assert ask(engine, "GET", target("polling"))[1] == Response(503)
        assert (
            ask(engine, "GET", target("polling", sid))[1].body == b'{"code":1,"message":"Session ID unknown"}'
        )
        link = new_link(target("websocket"))
        assert engine.receive_upgrade(link, 0.0) == []
        assert link.refusal is not None and link.refusal.status == 503


class TestTime:
    def test_no_deadline_without_sessions(self) -> None:
        engine = new_engine()
        assert engine.deadline is None and engine.handle_timeout(1e9) == []

    def test_early_and_twice(self) -> None:
        engine = new_engine()
        session, link = open_websocket(engine)
        assert engine.handle_timeout(24.0) == [] and engine.deadline == 25.0
        engine.handle_timeout(25.0)
        assert packets(link) == ["2"]
        engine.handle_timeout(25.0)
        assert link.take() == [] and engine.deadline == 45.0
        assert session.id in engine.sessions

    def test_clock_never_runs_backwards(self) -> None:
        engine = new_engine()
        _, first = open_websocket(engine, now=100.0)
        _, second = open_websocket(engine, now=50.0)
        assert engine.deadline == 125.0
        engine.handle_timeout(75.0)
        assert first.take() == second.take() == []
        engine.handle_timeout(125.0)
        assert packets(first) == packets(second) == ["2"]

    def test_every_deadline_is_in_the_shared_clock(self) -> None:
        timers = Timers()
        engine = EngineServer(random_bytes=bytes, timers=timers)
        assert engine.timers is timers
        open_polling(engine)
        assert timers.deadline == engine.deadline == 25.0 and timers.earlier


class TestEvents:
    def test_commands_leave_them_for_the_next_input(self) -> None:
        engine = new_engine()
        woken: list[int] = []
        engine.dirty.wake = lambda: woken.append(1)
        first, _ = open_websocket(engine)
        engine.dirty.take()
        woken.clear()
        first.close(0.0)
        assert woken
        events, _ = ask(engine, "GET", target("polling"))
        assert events[0] == SessionClosed(first, CloseReason.FORCED_CLOSE)
        assert isinstance(events[1], SessionOpened)

    def test_take_events(self) -> None:
        engine = new_engine()
        session, _ = open_websocket(engine)
        session.close(0.0)
        assert len(engine.take_events()) == 1
        assert engine.take_events() == []

    def test_inputs_for_strangers_do_nothing(self) -> None:
        engine = new_engine()
        exchange, link = new_exchange("POST", target("polling")), new_link(target("websocket"))
        assert engine.receive_body(exchange, b"4a", 0.0) == engine.receive_body_end(exchange, 0.0) == []
        assert engine.resume_body(exchange, 0.0) == engine.exchange_closed(exchange, 0.0) == []
        assert engine.receive_text(link, "4a", 0.0) == engine.receive_bytes(link, b"", 0.0) == []
        engine.link_blocked(link)
        assert engine.link_writable(link, 0.0) == engine.link_closed(link, 0.0) == []

    def test_wire_options(self) -> None:
        assert new_engine(max_http_buffer_size=5).wire_options.max_message_size == 5

    def test_message_type(self) -> None:
        engine = new_engine()
        session, link = open_websocket(engine)
        (event,) = engine.receive_text(link, "4a", 0.0)
        assert event == MessageReceived(session, "a") and event != MessageReceived(session, "b")
