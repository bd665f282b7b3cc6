"""Refusals: reference 1.3, in the order in which the reference checks."""

from __future__ import annotations

import pytest
from engineio_proto import (
    ERROR_MESSAGES,
    EngineEvent,
    EngineServer,
    ErrorCode,
    LinkState,
    RequestRefused,
    SessionClosed,
)

from tests.engineio_proto.driving import (
    ask,
    new_engine,
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
    def test_polling_is_accepted_and_closed(self, engine: EngineServer, protocol: str, with_session: bool) -> None:
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
