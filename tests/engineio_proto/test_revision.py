"""What protocol 3 does differently, beside payloads: reference 1.3, 1.11, 1.13 with observed B1 to B3 and C."""

from __future__ import annotations

import json

import pytest
from engineio_proto import (
    EngineServer,
    ErrorCode,
    MessageReceived,
    RequestRefused,
    SessionState,
    SessionUpgraded,
    message,
)

from tests.engineio_proto.driving import (
    ask,
    body,
    ends,
    new_engine,
    new_exchange,
    new_link,
    open_candidate,
    open_form,
    packets,
    poll,
    post,
    start_post,
    target,
)


@pytest.fixture
def engine() -> EngineServer:
    return new_engine(allow_eio3=True, ping_interval=25.0, ping_timeout=20.0)


class TestHandshake:
    @pytest.mark.parametrize("eio", ["3", None, "", "5", "4.0", "abc"])
    def test_whatever_is_not_4_is_3(self, engine: EngineServer, eio: str | None) -> None:
        _, response = ask(engine, "GET", target("polling", EIO=eio))
        size, _, packet = response.body.decode().partition(":")
        assert len(packet) == int(size)
        opened = json.loads(packet[1:])
        assert list(opened) == ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]
        assert engine.sessions[opened["sid"]].protocol == 3

    def test_websocket(self, engine: EngineServer) -> None:
        link = new_link(target("websocket", EIO="3"))
        engine.receive_upgrade(link, 0.0)
        (opened,) = packets(link)
        assert isinstance(opened, str) and opened.startswith('0{"sid":')

    def test_off(self) -> None:
        engine = new_engine()
        events, response = ask(engine, "GET", target("polling", EIO="3"))
        assert response.body == b'{"code":5,"message":"Unsupported protocol version"}'
        (refused,) = events
        assert isinstance(refused, RequestRefused)
        assert (refused.code, refused.context) == (ErrorCode.UNSUPPORTED_PROTOCOL_VERSION, {"protocol": 3})

    @pytest.mark.parametrize(("protocol", "other"), [(3, 4), (4, 3)])
    def test_mismatch(self, engine: EngineServer, protocol: int, other: int) -> None:
        session, _ = open_form(engine, "polling", protocol)
        path = target("polling", session.id, EIO=str(other))
        (refused,), response = ask(engine, "GET", path)
        assert response.body == b'{"code":3,"message":"Bad request"}'
        assert isinstance(refused, RequestRefused)
        assert refused.context == {
            "name": "PROTOCOL_MISMATCH",
            "protocol": other,
            "previousProtocol": protocol,
        }
        link = new_link(path.replace("polling", "websocket"))
        engine.receive_upgrade(link, 0.0)
        assert link.refusal is not None and (link.refusal.status, link.refusal.body) == (400, b"Bad request")
        assert session.state is SessionState.OPEN


class TestHeartbeat:
    def test_the_server_does_not_ping(self, engine: EngineServer) -> None:
        session, link = open_form(engine, "websocket", 3)
        assert link is not None
        assert engine.deadline == 45.0
        assert engine.handle_timeout(44.9) == []
        assert packets(link) == []
        assert ends(engine.handle_timeout(45.0)) == [("ping timeout", None)]
        assert session.state is SessionState.CLOSED and engine.deadline is None

    @pytest.mark.parametrize("ping", ["2", "2probe", b"\x02", b"\x02x", "b2", "b2AQ=="])
    def test_ping(self, engine: EngineServer, ping: str | bytes) -> None:
        _, link = open_form(engine, "websocket", 3)
        assert link is not None
        if isinstance(ping, bytes):
            assert engine.receive_bytes(link, ping, 30.0) == []
        else:
            assert engine.receive_text(link, ping, 30.0) == []
        assert packets(link) == ["3"]
        assert engine.deadline == 75.0

    def test_ping_on_polling(self, engine: EngineServer) -> None:
        session, _ = open_form(engine, "polling", 3)
        get = poll(engine, session)
        events, exchange = post(engine, session, "1:2", now=30.0)
        assert (events, body(exchange), body(get)) == ([], b"ok", b"1:3")
        assert ends(engine.handle_timeout(74.9)) == []
        assert ends(engine.handle_timeout(75.0)) == [("ping timeout", None)]

    def test_other_packets_do_not_count(self, engine: EngineServer) -> None:
        session, link = open_form(engine, "websocket", 3)
        assert link is not None
        link.last_received = 40.0
        assert engine.receive_text(link, "4a", 40.0) == [MessageReceived(session, "a")]
        engine.receive_text(link, "6", 40.0)
        assert ends(engine.handle_timeout(45.0)) == [("ping timeout", None)]

    @pytest.mark.parametrize("pong", ["3", "3probe", b"\x03"])
    def test_pong(self, engine: EngineServer, pong: str | bytes) -> None:
        _, link = open_form(engine, "websocket", 3)
        assert link is not None
        events = (
            engine.receive_bytes(link, pong, 0.0)
            if isinstance(pong, bytes)
            else engine.receive_text(link, pong, 0.0)
        )
        assert ends(events) == [("transport error", "invalid heartbeat direction")]

    def test_paused(self, engine: EngineServer) -> None:
        """A ping may wait unread behind what a pause holds up."""
        session, link = open_form(engine, "websocket", 3)
        assert link is not None
        session.pause(1.0)
        assert engine.handle_timeout(45.0) == []
        session.resume()
        assert engine.handle_timeout(60.0) == []
        assert engine.handle_timeout(90.0) == []
        assert ends(engine.handle_timeout(135.0)) == [("ping timeout", None)]

    def test_a_flood_of_pings_meets_the_bound(self) -> None:
        engine = new_engine(allow_eio3=True, max_send_buffer=100)
        session, link = open_form(engine, "websocket", 3)
        assert link is not None
        engine.link_blocked(link)
        events = [event for _ in range(101) for event in engine.receive_text(link, "2", 0.0)]
        ((reason, description),) = ends(events)
        assert reason == "forced close" and "send buffer full" in (description or "")
        assert engine.deadline is None and session.state is SessionState.CLOSED

    def test_nothing_is_due_while_closing(self, engine: EngineServer) -> None:
        session, _ = open_form(engine, "polling", 3)
        session.close(0.0)
        assert engine.deadline == 30.0
        _, exchange = post(engine, session, "1:2")
        assert body(exchange) == b"ok"
        assert body(poll(engine, session)) == b"1:61:1"


class TestMessages:
    def test_websocket(self, engine: EngineServer) -> None:
        session, link = open_form(engine, "websocket", 3)
        assert link is not None
        assert engine.receive_bytes(link, b"\x04\x01\x02", 0.0) == [MessageReceived(session, b"\x01\x02")]
        assert engine.receive_bytes(link, b"\x04", 0.0) == [MessageReceived(session, b"")]
        assert engine.receive_text(link, "b4AQI=", 0.0) == [MessageReceived(session, b"\x01\x02")]
        for ignored in (b"", b"\x07", b"\xff4", b"\x06", b"\x00{}", b"\x05"):
            assert engine.receive_bytes(link, ignored, 0.0) == []
        assert engine.receive_text(link, "b7AQ==", 0.0) == engine.receive_text(link, "b", 0.0) == []
        session.send_message("a", b"\x01")
        assert packets(link) == ["4a", b"\x04\x01"]
        assert ends(engine.receive_bytes(link, b"\x01", 0.0)) == [("transport close", None)]

    @pytest.mark.parametrize(("protocol", "sent"), [(3, "b4AQ=="), (4, "bAQ==")])
    def test_base64(self, engine: EngineServer, protocol: int, sent: str) -> None:
        session, link = open_form(engine, "websocket", protocol, b64="1")
        assert link is not None
        session.send_message("a", b"\x01")
        assert packets(link) == ["4a", sent]

    def test_what_is_left_at_the_close(self, engine: EngineServer) -> None:
        session, link = open_form(engine, "websocket", 3)
        assert link is not None
        session.send_message(b"\x01")
        session.close(0.0)
        assert packets(link) == [b"\x04\x01"]

    def test_polling(self, engine: EngineServer) -> None:
        session, _ = open_form(engine, "polling", 3)
        events, _ = post(engine, session, "2:4a6:b4AQI=")
        assert events == [MessageReceived(session, "a"), MessageReceived(session, b"\x01\x02")]
        session.send_message("a")
        assert body(poll(engine, session)) == b"2:4a"
        session.send_message(b"\x01\x02")
        get = poll(engine, session)
        answer = get.take_response()
        assert answer is not None
        assert answer.body == b"\x01\x03\xff\x04\x01\x02"
        assert answer.headers[0] == ("Content-Type", "application/octet-stream")

    def test_close_packet(self, engine: EngineServer) -> None:
        session, _ = open_form(engine, "polling", 3)
        get = poll(engine, session)
        events, exchange = post(engine, session, "2:4a1:12:4b")
        assert events[0] == MessageReceived(session, "a")
        assert ends(events) == [("transport close", None)]
        assert (body(get), body(exchange)) == (b"1:6", b"ok")

    def test_the_handshake_decides_about_b64(self, engine: EngineServer) -> None:
        session, _ = open_form(engine, "polling", 3, b64="1")
        session.send_message(b"\x01\x02")
        assert body(poll(engine, session)) == b"6:b4AQI="

    def test_parse_error(self, engine: EngineServer) -> None:
        session, _ = open_form(engine, "polling", 3)
        get = poll(engine, session)
        events, exchange = post(engine, session, "abc")
        assert ends(events) == [("parse error", None)]
        assert (body(get), body(exchange)) == (b"1:1", b"ok")

    def test_octets_with_a_parameter_are_text(self, engine: EngineServer) -> None:
        session, _ = open_form(engine, "polling", 3)
        headers = (("Content-Type", "application/octet-stream; charset=x"),)
        events, _ = post(engine, session, "2:4a", headers=headers)
        assert events == [MessageReceived(session, "a")]
        assert start_post(engine, session).wants_body


class TestUpgrade:
    @pytest.mark.parametrize(("b64", "sent"), [(None, b"\x04\x01"), ("1", "b4AQ==")])
    def test_buffer_and_form(self, engine: EngineServer, b64: str | None, sent: str | bytes) -> None:
        """The buffer goes over in the form of the WebSocket, whatever polling's was."""
        session, _ = open_form(engine, "polling", 3)
        link = open_candidate(engine, session, b64=b64)
        engine.receive_text(link, "2probe", 0.0)
        assert packets(link) == ["3probe"]
        get = poll(engine, session)
        engine.handle_timeout(0.1)
        assert body(get) == b"1:6"
        session.send_message("a", b"\x01")
        assert engine.receive_text(link, "5", 10.0) == [SessionUpgraded(session)]
        assert packets(link) == ["4a", sent]
        # The reference forgets its timer here, and a silent client stays for ever.
        assert engine.deadline == 55.0
        assert ends(engine.handle_timeout(55.0)) == [("ping timeout", None)]

    def test_pending_get(self, engine: EngineServer) -> None:
        session, _ = open_form(engine, "polling", 3)
        link = open_candidate(engine, session)
        get = poll(engine, session)
        engine.receive_text(link, "5", 0.0)
        assert body(get) == b"1:1"

    def test_binary_from_a_candidate(self, engine: EngineServer) -> None:
        session, _ = open_form(engine, "polling", 3)
        link = open_candidate(engine, session)
        assert engine.receive_bytes(link, b"\x02probe", 0.0) == []
        assert session.upgrade is None and session.state is SessionState.OPEN


def test_one_broadcast_to_every_kind_of_client(engine: EngineServer) -> None:
    """One Outgoing, encoded once per form."""
    outgoing = message("a", b"\x01")
    forms: list[object] = []
    for _ in range(2):
        sent: list[object] = []
        for protocol, b64 in ((4, None), (3, None), (4, "1"), (3, "1")):
            session, link = open_form(engine, "websocket", protocol, b64=b64)
            assert link is not None
            session.send(outgoing)
            sent += link.take()
        forms.append(sent)
        bodies: list[bytes | None] = []
        for protocol, b64, j in (
            (4, None, None),
            (3, None, None),
            (3, "1", None),
            (4, None, "0"),
            (3, "1", "0"),
        ):
            session, _ = open_form(engine, "polling", protocol, b64=b64, j=j)
            session.send(outgoing)
            bodies.append(body(poll(engine, session)))
        assert bodies == [
            b"4a\x1ebAQ==",
            b"\x00\x02\xff4a\x01\x02\xff\x04\x01",
            b"2:4a6:b4AQ==",
            b'___eio[0]("4a\\u001ebAQ==");',
            b'___eio[0]("2:4a6:b4AQ==");',
        ]
    first, second = forms
    assert isinstance(first, list) and isinstance(second, list)
    assert [o.packets for o in first] == [("4a", b"\1"), ("4a", b"\4\1"), ("4a", "bAQ=="), ("4a", "b4AQ==")]
    assert first[0] is outgoing
    assert all(a is b for a, b in zip(first, second, strict=True))  # the wire's frames are kept in these


def test_a_request_of_another_method(engine: EngineServer) -> None:
    session, _ = open_form(engine, "polling", 3)
    exchange = new_exchange("PUT", target("polling", session.id, EIO="3"))
    engine.receive_request(exchange, 0.0)
    response = exchange.take_response()
    assert response is not None and response.status == 500
