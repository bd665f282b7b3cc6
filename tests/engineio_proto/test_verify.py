"""Refusals: reference 1.3, in the order in which the reference checks."""

from __future__ import annotations

import inspect
import re

import pytest
from engineio_proto import (
    ERROR_MESSAGES,
    DecisionRequested,
    EngineEvent,
    EngineServer,
    ErrorCode,
    Exchange,
    LinkState,
    Request,
    RequestRefused,
    SessionClosed,
)

from tests.engineio_proto.driving import (
    ask,
    new_engine,
    new_exchange,
    new_link,
    open_candidate,
    open_polling,
    open_websocket,
    target,
)

ORIGIN = (("Origin", "http://a\x01b"),)


def refusal(events: list[EngineEvent]) -> tuple[int, str, dict[str, object]]:
    (event,) = events
    assert isinstance(event, RequestRefused)
    return int(event.code), event.message, dict(event.context)


@pytest.fixture
def engine() -> EngineServer:
    return new_engine()


class TestTable:
    """Code, message, context and the exact body."""

    @pytest.mark.parametrize(
        ("method", "path", "headers", "code", "context"),
        [
            ("GET", target(None), (), 0, {}),
            ("GET", target("webtransport"), (), 0, {"transport": "webtransport"}),
            ("GET", target("constructor"), (), 0, {"transport": "constructor"}),
            ("GET", target("__proto__"), (), 0, {"transport": "__proto__"}),
            ("GET", target(""), (), 0, {"transport": ""}),
            ("GET", target("polling"), ORIGIN, 3, {"name": "INVALID_ORIGIN", "origin": "http://a\x01b"}),
            ("GET", target("polling", "none"), (), 1, {"sid": "none"}),
            ("GET", target("polling", "__proto__"), (), 1, {"sid": "__proto__"}),
            ("POST", target("polling"), (), 2, {"method": "POST"}),
            ("PUT", target("polling"), (), 2, {"method": "PUT"}),
            ("HEAD", target("polling"), (), 2, {"method": "HEAD"}),
            ("OPTIONS", target("polling"), (), 2, {"method": "OPTIONS"}),
            ("POST", target("polling", ""), (), 2, {"method": "POST"}),
            ("GET", target("websocket"), (), 3, {"name": "TRANSPORT_HANDSHAKE_ERROR"}),
            ("GET", target("polling", EIO="3"), (), 5, {"protocol": 3}),
            ("GET", target("polling", EIO="5"), (), 5, {"protocol": 3}),
            ("GET", "/engine.io/?transport=polling", (), 5, {"protocol": 3}),
        ],
    )
    def test_http(
        self,
        engine: EngineServer,
        method: str,
        path: str,
        headers: tuple[tuple[str, str], ...],
        code: int,
        context: dict[str, object],
    ) -> None:
        events, response = ask(engine, method, path, headers)
        message = ERROR_MESSAGES[ErrorCode(code)]
        assert refusal(events) == (code, message, context)
        assert response.status == 400
        assert response.headers == (("Content-Type", "application/json"),)
        assert response.body == f'{{"code":{code},"message":"{message}"}}'.encode()
        assert not engine.sessions

    def test_messages(self) -> None:
        assert list(ERROR_MESSAGES.values()) == [
            "Transport unknown",
            "Session ID unknown",
            "Bad handshake method",
            "Bad request",
            "Forbidden",
            "Unsupported protocol version",
        ]

    def test_transport_that_is_not_offered(self) -> None:
        engine = new_engine(transports=["websocket"])
        events, _ = ask(engine, "GET", target("polling"))
        assert refusal(events)[0] == 0

    def test_polling_after_the_upgrade(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        link = open_candidate(engine, session)
        engine.receive_text(link, "5", 0.0)
        for method in ("GET", "POST"):
            events, response = ask(engine, method, target("polling", session.id))
            context = {"name": "TRANSPORT_MISMATCH", "transport": "polling", "previousTransport": "websocket"}
            assert refusal(events) == (3, "Bad request", context)
            assert response.body == b'{"code":3,"message":"Bad request"}'
        assert session.id in engine.sessions

    def test_plain_request_for_a_websocket_session_is_answered(self, engine: EngineServer) -> None:
        """The reference lets it pass and never answers it (observed C, 1.3): ours is a refusal."""
        session, _ = open_websocket(engine)
        for method in ("GET", "POST"):
            events, response = ask(engine, method, target("websocket", session.id))
            assert refusal(events)[2]["name"] == "TRANSPORT_MISMATCH"
            assert response.status == 400

    def test_websocket_transport_for_a_polling_session(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        events, _ = ask(engine, "GET", target("websocket", session.id))
        context = {"name": "TRANSPORT_MISMATCH", "transport": "websocket", "previousTransport": "polling"}
        assert refusal(events)[2] == context

    @pytest.mark.parametrize("protocol", ["3", "", "44"])
    def test_protocol_mismatch(self, engine: EngineServer, protocol: str) -> None:
        session = open_polling(engine)
        events, _ = ask(engine, "GET", target("polling", session.id, EIO=protocol))
        context = {"name": "PROTOCOL_MISMATCH", "protocol": 3, "previousProtocol": 4}
        assert refusal(events) == (3, "Bad request", context)
        assert session.id in engine.sessions


class TestOrder:
    """Of two faults the earlier check speaks."""

    @pytest.mark.parametrize(
        ("method", "path", "headers", "first"),
        [
            ("GET", target("smoke"), ORIGIN, "transport"),
            ("POST", target("polling", "none"), ORIGIN, "name"),
            ("POST", target("polling", "none", EIO="3"), (), "sid"),
            ("POST", target("websocket", EIO="3"), (), "method"),
            ("GET", target("websocket", EIO="3"), (), "name"),
        ],
    )
    def test_pairs(
        self, engine: EngineServer, method: str, path: str, headers: tuple[tuple[str, str], ...], first: str
    ) -> None:
        events, _ = ask(engine, method, path, headers)
        assert next(iter(refusal(events)[2])) == first

    def test_transport_before_protocol(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        events, _ = ask(engine, "GET", target("websocket", session.id, EIO="3"))
        assert refusal(events)[2]["name"] == "TRANSPORT_MISMATCH"


class TestOrigin:
    @pytest.mark.parametrize("origin", ["http://a\tb", "http://\xe9", "null", ""])
    def test_legal(self, engine: EngineServer, origin: str) -> None:
        _, response = ask(engine, "GET", target("polling"), (("Origin", origin),))
        assert response.status == 200

    @pytest.mark.parametrize("origin", ["\x00", "a\x1f", "a\x7f", "\u0100"])
    def test_illegal(self, engine: EngineServer, origin: str) -> None:
        events, _ = ask(engine, "GET", target("polling"), (("Origin", origin),))
        assert refusal(events)[2]["name"] == "INVALID_ORIGIN"


SITE = "https://a.example"
HOST = ("Host", "a.example")


def cross(engine: EngineServer, origin: str | None, host: tuple[str, str] = HOST) -> list[dict[str, object]]:
    """Ask by polling and by WebSocket, and twice with a session; the contexts of the refusals, all alike."""
    headers = (host, *((("Origin", origin),) if origin is not None else ()))
    sid = open_polling(engine).id if engine.config.cors is None else None
    contexts: list[dict[str, object]] = []
    for path in (target("polling"), target("polling", sid)):
        exchange = new_exchange("GET", path, headers)
        contexts += refusals(engine, engine.receive_request(exchange, 0.0))
        answer = exchange.take_response()
        if contexts:
            assert answer is not None and (answer.status, answer.body) == (
                400,
                b'{"code":3,"message":"Bad request"}',
            )
    for path in (target("websocket"), target("websocket", sid)):
        link = new_link(path, headers)
        contexts += refusals(engine, engine.receive_upgrade(link, 0.0))
        if contexts:
            assert link.refusal is not None and (link.refusal.status, link.refusal.body) == (
                400,
                b"Bad request",
            )
        else:
            assert link.state is LinkState.OPEN
    assert len(contexts) in (0, 4) and all(context == contexts[0] for context in contexts)
    return contexts[:1]


def refusals(engine: EngineServer, events: list[EngineEvent]) -> list[dict[str, object]]:
    """Reply to every question with what the function gives, or is awaited to give."""
    found: list[dict[str, object]] = []
    for event in events:
        if isinstance(event, DecisionRequested):
            answer = event.decision.ask()
            if inspect.iscoroutine(answer):
                with pytest.raises(StopIteration) as stop:
                    answer.send(None)
                answer = stop.value.value
            engine.decide(event.decision, answer, 0.0)
            found += refusals(engine, engine.take_events())
        elif isinstance(event, RequestRefused):
            assert event.code is ErrorCode.BAD_REQUEST
            found.append(dict(event.context))
    return found


async def only_site(origin: str | None) -> bool:
    return origin == SITE


async def options_of(request: Request) -> dict[str, object]:
    return {"origin": [SITE]}


class TestEnforceOrigin:
    """CVE-2019-13611: cross-site WebSocket hijacking; and polling, which a page cannot read but can send."""

    @pytest.mark.parametrize("origin", ["http://b.example", "null", "", "http://b.example:99"])
    def test_off_by_default(self, origin: str) -> None:
        assert cross(new_engine(), origin) == []

    @pytest.mark.parametrize(
        ("origin", "host", "allowed"),
        [
            (None, "a.example", True),
            (None, "b.example, c.example", True),
            (SITE, "a.example", True),
            ("https://A.Example:443", "a.example", True),
            ("http://xn--mnchen-3ya.example", "xn--mnchen-3ya.example", True),
            ("http://m\u00fcnchen.example", "m\u00fcnchen.example", False),
            ("http://b.example", "a.example", False),
            ("http://a.example:3000", "a.example", False),
            ("null", "a.example", False),
            ("", "a.example", False),
            ("http://a.example", "a.example/?@b.example", False),
            ("http://a.example", "a.example, a.example", False),
            ("http://a.example, http://b.example", "a.example", False),
        ],
    )
    def test_without_cors_it_must_be_the_host(self, origin: str | None, host: str, allowed: bool) -> None:
        refused = [{"name": "CROSS_ORIGIN", "origin": origin, "host": host, "secure": False}]
        assert cross(new_engine(enforce_origin=True), origin, ("Host", host)) == ([] if allowed else refused)
        off = new_engine(enforce_origin=True, cors={"origin": False})
        assert cross(off, origin, ("Host", host)) == ([] if allowed else refused)

    def test_without_a_host(self) -> None:
        (context,) = cross(new_engine(enforce_origin=True), SITE, ("X-Forwarded-Host", "a.example"))
        assert context == {"name": "CROSS_ORIGIN", "origin": SITE, "host": None, "secure": False}

    @pytest.mark.parametrize(
        ("rule", "allowed", "refused"),
        [
            (
                [SITE],
                [SITE, None],
                ["http://a.example", SITE + ":443", "HTTPS://a.example", "null", "", SITE + ", " + SITE],
            ),
            (SITE, [SITE, None], ["https://b.example", "null"]),
            (
                re.compile(r"^https://\w+\.example$"),
                [SITE, "https://b.example"],
                ["https://a.example.b", "null"],
            ),
            ([SITE, "null"], ["null"], ["http://a.example"]),
            ([], [None], [SITE]),
            (True, ["http://b.example", "null"], ["", "a b"]),
            ("*", ["http://b.example", "null"], [""]),
            (lambda origin: origin == SITE, [SITE, None], ["http://a.example", "null"]),
            (lambda origin: [SITE], [SITE, None], ["http://a.example", "null"]),
            (only_site, [SITE, None], ["http://a.example", "null"]),
        ],
    )
    def test_with_cors_the_policy_alone_decides(
        self, rule: object, allowed: list[str | None], refused: list[str]
    ) -> None:
        """Not the Host, too: behind a name of the attacker's own (DNS rebinding) it is the Origin's."""
        for origin in allowed:
            assert cross(new_engine(enforce_origin=True, cors={"origin": rule}), origin) == []
        for origin in refused:
            host = ("Host", origin.partition("//")[2])
            (context,) = cross(new_engine(enforce_origin=True, cors={"origin": rule}), origin, host)
            assert (context["name"], context["origin"]) == ("CROSS_ORIGIN", origin)
            assert "cors" in context

    @pytest.mark.parametrize(
        ("query", "site", "allowed"),
        [
            ({}, None, True),
            ({}, "same-origin", True),
            ({}, "none", True),
            ({}, "cross-site", False),
            ({}, "same-site", False),
            ({"j": "0"}, "same-origin", True),
            ({"j": "0"}, "cross-site", False),
            ({"j": "0"}, None, False),
            ({"j": ""}, None, False),
        ],
    )
    def test_scripts_and_images_carry_no_origin(
        self, query: dict[str, str], site: str | None, allowed: bool
    ) -> None:
        """A page of any site can load a JSONP poll as a script, with the user's cookies, and read it."""
        fetched = [] if site is None else [("Sec-Fetch-Site", site)]
        for cors, seen in (
            ({"origin": [SITE]}, {"cors": (SITE,)}),
            (None, {"host": "a.example", "secure": False}),
        ):
            engine = new_engine(enforce_origin=True, cors=cors, allow_eio3=True)
            for number in ("3", "4"):
                exchange = new_exchange("GET", target("polling", EIO=number, **query), (HOST, *fetched))
                refused = refusals(engine, engine.receive_request(exchange, 0.0))
                assert refused == ([] if allowed else [{"name": "CROSS_ORIGIN", "origin": None, **seen}])
        everybody = new_engine(enforce_origin=True, cors={"origin": "*"})
        exchange = new_exchange("GET", target("polling", **query), (HOST, *fetched))
        assert refusals(everybody, everybody.receive_request(exchange, 0.0)) == []

    @pytest.mark.parametrize("options", [lambda request: {"origin": [SITE]}, options_of])
    def test_with_options_by_a_function(self, options: object) -> None:
        assert cross(new_engine(enforce_origin=True, cors=options), SITE) == []
        (context,) = cross(new_engine(enforce_origin=True, cors=options), "http://b.example")
        assert context == {"name": "CROSS_ORIGIN", "origin": "http://b.example", "cors": (SITE,)}

    def test_over_tls_the_page_must_have_come_by_tls(self) -> None:
        engine = new_engine(enforce_origin=True)
        for scheme, count in (("https", 0), ("http", 1)):
            headers = (HOST, ("Origin", f"{scheme}://a.example"))
            request = Request("GET", target("polling"), headers, secure=True)
            assert len(refusals(engine, engine.receive_request(Exchange("wire", request), 0.0))) == count

    @pytest.mark.parametrize("rule", [[SITE], lambda origin: [SITE]])
    def test_a_preflight_is_answered_by_cors(self, rule: object) -> None:
        """It carries nothing and opens nothing; the browser learns what is allowed."""
        engine = new_engine(enforce_origin=True, cors={"origin": rule})
        exchange = new_exchange("OPTIONS", target("polling"), (("Origin", "http://b.example"),))
        assert refusals(engine, engine.receive_request(exchange, 0.0)) == []
        answer = exchange.take_response()
        assert answer is not None and answer.status == 204
        assert "Access-Control-Allow-Origin" not in dict(answer.headers)

    def test_no_middleware_and_no_check_comes_first(self) -> None:
        engine = new_engine(enforce_origin=True, allow_request=lambda request: True)
        engine.use(lambda request, response: response.end(200, "secret"))
        for path in (target("polling"), target("smoke"), target("polling", "none")):
            exchange = new_exchange("GET", path, (HOST, ("Origin", "http://b.example")))
            (context,) = refusals(engine, engine.receive_request(exchange, 0.0))
            assert context["name"] == "CROSS_ORIGIN"
            assert not engine.decisions.undecided

    def test_cors_headers_are_on_the_refusal(self) -> None:
        engine = new_engine(enforce_origin=True, cors={"origin": [SITE]})
        _, response = ask(engine, "GET", target("polling"), (("Origin", "http://b.example"),))
        assert response.headers == (("Vary", "Origin"), ("Content-Type", "application/json"))


class TestUpgrade:
    """Refused upgrades: plain text, always 400, `Connection: close`."""

    @pytest.mark.parametrize(
        ("path", "method", "code"),
        [
            (target(None), "GET", 0),
            (target("websocket", "none"), "GET", 1),
            (target("websocket"), "POST", 2),
            (target("websocket", EIO="3"), "GET", 5),
        ],
    )
    def test_refused(self, engine: EngineServer, path: str, method: str, code: int) -> None:
        link = new_link(path, method=method)
        events = engine.receive_upgrade(link, 0.0)
        message = ERROR_MESSAGES[ErrorCode(code)]
        assert refusal(events)[:2] == (code, message)
        assert link.state is LinkState.REFUSED
        assert link.refusal == (
            400,
            (("Connection", "close"), ("Content-type", "text/html")),
            message.encode(),
        )
        assert engine.dirty.take() == [link.owner]
        assert engine.link_closed(link, 0.0) == []
        assert link.state is LinkState.CLOSED

    def test_protocol_of_a_candidate(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        link = new_link(target("websocket", session.id, EIO="3"))
        assert refusal(engine.receive_upgrade(link, 0.0))[2]["name"] == "PROTOCOL_MISMATCH"
        assert session.upgrade is None

    @pytest.mark.parametrize("protocol", ["4", "3"])
    @pytest.mark.parametrize("with_session", [False, True])
    def test_polling_is_accepted_and_closed(
        self, engine: EngineServer, protocol: str, with_session: bool
    ) -> None:
        """Observed C, 1.3: 101, then the close frame; the session is untouched."""
        sid = open_polling(engine).id if with_session else None
        if with_session and protocol == "3":
            return  # refused: PROTOCOL_MISMATCH, above
        link = new_link(target("polling", sid, EIO=protocol))
        assert engine.receive_upgrade(link, 0.0) == []
        assert (link.state, link.take()) == (LinkState.CLOSING, [])
        assert list(engine.sessions) == ([sid] if sid else [])
        assert engine.link_closed(link, 0.0) == []

    def test_session_that_started_on_websocket(self, engine: EngineServer) -> None:
        session, _ = open_websocket(engine)
        link = new_link(target("websocket", session.id))
        events = engine.receive_upgrade(link, 0.0)
        assert link.state is LinkState.CLOSING
        assert not any(isinstance(event, SessionClosed) for event in events)
        assert session.id in engine.sessions
