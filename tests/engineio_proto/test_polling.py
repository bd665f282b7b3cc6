"""HTTP long-polling: reference 1.7 with observed A1, A2, A3 and C."""

from __future__ import annotations

import pytest
from engineio_proto import (
    EngineServer,
    ExchangeState,
    MessageReceived,
    Response,
    SessionClosed,
    SessionState,
)

from tests.engineio_proto.driving import (
    ask,
    body,
    ends,
    new_engine,
    new_exchange,
    open_polling,
    poll,
    post,
    start_post,
    target,
)

OK = Response(200, (("Content-Type", "text/html"), ("cache-control", "no-store")), b"ok")


@pytest.fixture
def engine() -> EngineServer:
    return new_engine()


def messages(events: list[object]) -> list[str | bytes]:
    return [event.data for event in events if isinstance(event, MessageReceived)]


class TestPoll:
    def test_parks_and_is_answered_when_taken(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        get = poll(engine, session)
        assert get.parked and get.take_response() is None
        assert session.parked is get
        assert session.send_message("a")
        assert engine.dirty.take() == [get.owner]
        assert session.send_message("b")  # the answer is not made before it is taken
        assert engine.dirty.take() == []  # whoever was told takes all that waits by then
        headers = (("Content-Type", "text/plain; charset=UTF-8"), ("cache-control", "no-store"))
        assert get.take_response() == Response(200, headers, b"4a\x1e4b")
        assert not get.parked
        assert session.send_message("c")
        assert engine.dirty.take() == []  # there is no GET
        assert body(get) == b"4a\x1e4b"

    def test_what_waits_is_taken_at_once(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.send_message("é", b"\x01\x02\x03\x04")
        get = poll(engine, session)
        assert engine.dirty.take() == [get.owner]
        assert body(get) == "4é\x1ebAQIDBA==".encode()

    def test_nobody_to_mark_without_a_get(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.send_message("a")
        assert engine.dirty.take() == []
        assert session.has_buffered and session.buffered_bytes == 2

    @pytest.mark.parametrize(
        ("agent", "header"),
        [
            ("Mozilla/5.0 (compatible;MSIE 9.0)", True),
            ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0)", True),
            ("Mozilla/4.0 (compatible; MSIE 8.0)", False),
            ("curl", False),
        ],
    )
    def test_internet_explorer(self, engine: EngineServer, agent: str, header: bool) -> None:
        headers = (("User-Agent", agent),)
        _, response = ask(engine, "GET", target("polling"), headers)
        assert (("X-XSS-Protection", "0") in response.headers) == header
        session = open_polling(engine)
        get = poll(engine, session, headers=headers)
        session.send_message("a")
        answer = get.take_response()
        assert answer is not None and (("X-XSS-Protection", "0") in answer.headers) == header

    def test_overlap(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        first, second = poll(engine, session), new_exchange("GET", target("polling", session.id))
        events = engine.receive_request(second, 0.0)
        assert ends(events) == [("transport error", "overlap from client")]
        assert body(first) == b"1"
        assert second.take_response() == Response(400)
        assert not engine.sessions

    def test_aborted(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        get = poll(engine, session)
        events = engine.exchange_closed(get, 0.0)
        assert ends(events) == [("transport error", "poll connection closed prematurely")]
        assert get.state is ExchangeState.ABORTED and get.take_response() is None
        assert engine.exchange_closed(get, 0.0) == []

    def test_aborted_after_the_answer(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        get = poll(engine, session)
        session.send_message("a")
        assert body(get) == b"4a"
        assert engine.exchange_closed(get, 0.0) == []
        assert session.state is SessionState.OPEN

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
    def test_other_methods(self, engine: EngineServer, method: str) -> None:
        session = open_polling(engine)
        events, response = ask(engine, method, target("polling", session.id))
        assert (events, response) == ([], Response(500))
        assert session.state is SessionState.OPEN


class TestPost:
    def test_packets_then_ok(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        events, request = post(engine, session, "4a\x1e4\x1ebAQIDBA==\x1e4€")
        assert messages(events) == ["a", "", b"\x01\x02\x03\x04", "€"]
        assert request.take_response() == OK
        assert request.session is None

    def test_body_in_pieces(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        request = start_post(engine, session)
        assert request.wants_body
        for byte in "4a€\x1e4b".encode():
            assert engine.receive_body(request, bytes([byte]), 0.0) == []
        assert messages(engine.receive_body_end(request, 0.0)) == ["a€", "b"]

    def test_invalid_utf8(self, engine: EngineServer) -> None:
        events, _ = post(engine, open_polling(engine), b"4a\xff")
        assert messages(events) == ["a\ufffd"]

    def test_overlap(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        get, first = poll(engine, session), start_post(engine, session)
        second = new_exchange("POST", target("polling", session.id))
        events = engine.receive_request(second, 0.0)
        assert ends(events) == [("transport error", "data request overlap from client")]
        assert second.take_response() == Response(400)
        assert first.state is ExchangeState.ABORTED and first.take_response() is None
        assert body(get) == b"1"
        assert set(engine.dirty.take()) == {first.owner, get.owner}

    def test_octet_stream(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        get = poll(engine, session)
        request = new_exchange(
            "POST", target("polling", session.id), (("Content-Type", "application/octet-stream"),)
        )
        events = engine.receive_request(request, 0.0)
        assert ends(events) == [("transport error", "invalid content")]
        assert request.take_response() == Response(400)
        assert body(get) == b"1"

    def test_octet_stream_with_a_parameter_is_text(self, engine: EngineServer) -> None:
        headers = (("content-type", "application/octet-stream; charset=x"),)
        assert start_post(engine, open_polling(engine), headers=headers).wants_body

    @pytest.mark.parametrize("sizes", [(11,), (5, 6), (10, 1)])
    def test_too_large(self, sizes: tuple[int, ...]) -> None:
        engine = new_engine(max_http_buffer_size=10)
        session = open_polling(engine)
        request = start_post(engine, session)
        for size in sizes:
            assert request.wants_body
            assert engine.receive_body(request, b"4" * size, 0.0) == []
        assert request.take_response() == Response(413)
        assert not request.wants_body
        assert engine.receive_body(request, b"4", 0.0) == engine.receive_body_end(request, 0.0) == []
        assert engine.exchange_closed(request, 0.0) == []
        assert session.state is SessionState.OPEN
        events, again = post(engine, session, "4" + "a" * 9)
        assert messages(events) == ["a" * 9] and again.take_response() == OK

    @pytest.mark.parametrize("text", ["", "abc", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b", "7", "é"])
    def test_parse_error(self, engine: EngineServer, text: str) -> None:
        """Observed A1 and C: what came before it is delivered, the POST is answered `ok`."""
        session = open_polling(engine)
        get = poll(engine, session)
        events, request = post(engine, session, text)
        assert ends(events) == [("parse error", None)]
        assert messages(events) == (["a"] if text.startswith("4a") else [])
        assert isinstance(events[-1], SessionClosed)
        assert request.take_response() == OK
        assert body(get) == b"1"
        refused, response = ask(engine, "GET", target("polling", session.id))
        assert response.body == b'{"code":1,"message":"Session ID unknown"}' and len(refused) == 1

    @pytest.mark.parametrize("packet", ["2", "2probe"])
    def test_heartbeat_in_the_wrong_direction(self, engine: EngineServer, packet: str) -> None:
        events, request = post(engine, open_polling(engine), packet)
        assert ends(events) == [("transport error", "invalid heartbeat direction")]
        assert request.take_response() == OK

    @pytest.mark.parametrize("packet", ["0", "5", "6", "3", "0{}", "6x"])
    def test_ignored(self, engine: EngineServer, packet: str) -> None:
        events, request = post(engine, open_polling(engine), packet + "\x1e4a")
        assert messages(events) == ["a"] and len(events) == 1
        assert request.take_response() == OK

    @pytest.mark.parametrize("packet", ["1", "1abc"])
    def test_close(self, engine: EngineServer, packet: str) -> None:
        session = open_polling(engine)
        get = poll(engine, session)
        events, request = post(engine, session, f"4a\x1e{packet}\x1e4b")
        assert messages(events) == ["a"]
        assert ends(events) == [("transport close", None)]
        assert request.take_response() == OK
        assert body(get) == b"6"
        assert get.owner in engine.dirty.take()

    def test_close_without_a_get(self, engine: EngineServer) -> None:
        events, request = post(engine, open_polling(engine), "1")
        assert ends(events) == [("transport close", None)]
        assert request.take_response() == OK

    def test_aborted(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        get, request = poll(engine, session), start_post(engine, session)
        engine.receive_body(request, b"4a", 0.0)
        events = engine.exchange_closed(request, 0.0)
        assert ends(events) == [("transport error", "data request connection closed prematurely")]
        assert messages(events) == []
        assert body(get) == b"1"
        assert request.state is ExchangeState.ABORTED and not request.wants_body


class TestSlices:
    """A long payload does not keep the others waiting."""

    def test_one_slice_an_input(self) -> None:
        engine = new_engine(slice=2)
        session = open_polling(engine)
        request = start_post(engine, session)
        engine.receive_body(request, b"\x1e".join(b"4%d" % n for n in range(5)), 0.0)
        assert messages(engine.receive_body_end(request, 0.0)) == ["0", "1"]
        assert request.has_more and request.take_response() is None
        assert messages(engine.resume_body(request, 0.0)) == ["2", "3"]
        assert request.has_more
        assert messages(engine.resume_body(request, 0.0)) == ["4"]
        assert not request.has_more and request.take_response() == OK
        assert engine.resume_body(request, 0.0) == []

    def test_whole_last_slice(self) -> None:
        engine = new_engine(slice=2)
        _, request = post(engine, open_polling(engine), "4a\x1e4b")
        assert request.take_response() == OK

    def test_error_in_a_later_slice(self) -> None:
        engine = new_engine(slice=1)
        events, request = post(engine, open_polling(engine), "4a\x1ex\x1e4b")
        assert messages(events) == ["a"] and ends(events) == [("parse error", None)]
        assert request.take_response() == OK

    @pytest.mark.parametrize("end", ["close", "overlap", "timeout"])
    def test_session_ends_in_between(self, end: str) -> None:
        """The rest is dropped and the POST answered: a wire that resumes while `has_more` comes back."""
        engine = new_engine(slice=1)
        session = open_polling(engine)
        request = start_post(engine, session)
        engine.receive_body(request, b"4a\x1e4b", 0.0)
        assert messages(engine.receive_body_end(request, 0.0)) == ["a"]
        if end == "close":
            session.close(0.0, discard=True)
        elif end == "overlap":
            start_post(engine, session)
        else:
            engine.handle_timeout(25.0)
            engine.handle_timeout(45.0)
        assert session.state is SessionState.CLOSED
        assert not request.has_more and request.take_response() == OK
        assert request.owner in engine.dirty.take()
        assert messages(engine.resume_body(request, 0.0)) == []

    def test_graceful_close_in_between(self) -> None:
        """The rest is thrown away, as a closing session does with every POST."""
        engine = new_engine(slice=1)
        session = open_polling(engine)
        request = start_post(engine, session)
        engine.receive_body(request, b"4a\x1e4b\x1e4c", 0.0)
        engine.receive_body_end(request, 0.0)
        session.close(0.0)
        assert session.state is SessionState.CLOSING
        while request.has_more:
            assert engine.resume_body(request, 0.0) == []
        assert request.take_response() == OK

    def test_client_gone_in_between(self) -> None:
        """Packets that nobody will handle are lost, so the session cannot live on."""
        engine = new_engine(slice=1)
        session = open_polling(engine)
        request = start_post(engine, session)
        engine.receive_body(request, b"4a\x1e4b", 0.0)
        engine.receive_body_end(request, 0.0)
        events = engine.exchange_closed(request, 0.0)
        assert ends(events) == [("transport error", "data request connection closed prematurely")]
        assert not request.has_more


class TestPause:
    def test_withholds_the_answer(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        request = start_post(engine, session)
        engine.receive_body(request, b"4a\x1e4b", 0.0)
        session.pause(0.0)
        assert engine.receive_body_end(request, 0.0) == []  # not one packet
        assert not request.has_more and request.take_response() is None
        assert engine.resume_body(request, 0.0) == []
        session.resume()
        assert engine.dirty.take() == [request.owner]
        assert request.has_more
        assert messages(engine.resume_body(request, 0.0)) == ["a", "b"]
        assert request.take_response() == OK

    def test_in_the_middle(self) -> None:
        """By the handler of a packet: the slice ends where the list of events did."""
        engine = new_engine(slice=1)
        session = open_polling(engine)
        request = start_post(engine, session)
        engine.receive_body(request, b"4a\x1e4b", 0.0)
        engine.receive_body_end(request, 0.0)
        session.pause(0.0)
        assert not request.has_more
        session.resume()
        session.pause(0.0)
        session.pause(0.0)
        session.resume()
        session.resume()
        assert messages(engine.resume_body(request, 0.0)) == ["b"]
        assert request.take_response() == OK

    def test_body_that_still_arrives_is_not_touched(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.pause(0.0)
        request = start_post(engine, session)
        session.resume()
        assert engine.dirty.take() == []
        engine.receive_body(request, b"4a", 0.0)
        assert messages(engine.receive_body_end(request, 0.0)) == ["a"]

    def test_client_gone(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.pause(0.0)
        request = start_post(engine, session)
        engine.receive_body(request, b"4a", 0.0)
        engine.receive_body_end(request, 0.0)
        assert ends(engine.exchange_closed(request, 0.0)) != []

    def test_closed_while_paused(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.pause(0.0)
        request = start_post(engine, session)
        engine.receive_body(request, b"4a", 0.0)
        engine.receive_body_end(request, 0.0)
        session.close(0.0)
        assert session.state is SessionState.CLOSING and not session.paused
        assert engine.resume_body(request, 0.0) == []
        assert request.take_response() == OK


class TestServerCloses:
    """Reference 1.7 "Server-initiated close", observed A2 and C."""

    def test_with_a_get(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        get = poll(engine, session)
        session.close(0.0)
        assert ends(engine.take_events()) == [("forced close", None)]
        assert body(get) == b"1"
        assert engine.dirty.take() == [get.owner]

    def test_without_a_get(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.close(0.0)
        assert session.state is SessionState.CLOSING
        assert engine.take_events() == []
        session.close(0.0)  # again: nothing
        get = new_exchange("GET", target("polling", session.id))
        assert ends(engine.receive_request(get, 29.0)) == [("forced close", None)]
        assert body(get) == b"6\x1e1"

    def test_nobody_collects_it(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.close(1.0)
        assert engine.deadline == 31.0
        assert ends(engine.handle_timeout(31.0)) == [("forced close", None)]
        assert engine.deadline is None

    def test_buffered_packets_go_first(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.send_message("a")
        session.close(0.0)
        assert not session.send_message("b")
        get = poll(engine, session)
        assert body(get) == b"4a"
        assert session.state is SessionState.CLOSING
        assert body(poll(engine, session)) == b"6\x1e1"
        assert ends(engine.take_events()) == []  # returned by the input
        assert session.state is SessionState.CLOSED

    def test_buffered_packets_with_a_get(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        get = poll(engine, session)
        session.send_message("a")
        session.close(0.0)
        assert session.state is SessionState.CLOSING
        assert body(get) == b"4a"
        assert body(poll(engine, session)) == b"6\x1e1"

    def test_discard(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.send_message("a")
        session.close(0.0, discard=True)
        assert ends(engine.take_events()) == [("forced close", None)]
        session.close(0.0)
        assert engine.take_events() == []

    def test_discard_while_closing(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.close(0.0)
        session.close(1.0, discard=True)
        assert ends(engine.take_events()) == [("forced close", None)]
        assert engine.deadline is None

    def test_posts_are_ignored_while_closing(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        session.close(0.0)
        events, request = post(engine, session, "4a\x1ex\x1e2")
        assert events == [] and request.take_response() == OK
        events, request = post(engine, session, "4a\x1e1")
        assert ends(events) == [("transport close", None)] and request.take_response() == OK

    @pytest.mark.parametrize("with_get", [False, True])
    def test_while_a_post_arrives(self, engine: EngineServer, with_get: bool) -> None:
        """Aborted without a word, none of its packets delivered. The reason is ours: observed A2 is a quirk."""
        session = open_polling(engine)
        get = poll(engine, session) if with_get else None
        request = start_post(engine, session)
        engine.receive_body(request, b"4a", 0.0)
        session.close(0.0)
        assert ends(engine.take_events()) == [("forced close", None)]
        assert request.state is ExchangeState.ABORTED
        assert get is None or body(get) == b"1"
        assert engine.receive_body(request, b"4a", 0.0) == engine.receive_body_end(request, 0.0) == []

    def test_buffered_while_a_post_arrives(self, engine: EngineServer) -> None:
        session = open_polling(engine)
        request = start_post(engine, session)
        engine.receive_body(request, b"4a", 0.0)
        session.send_message("a")
        session.close(0.0)
        assert engine.receive_body_end(request, 0.0) == []
        assert request.take_response() == OK
        assert body(poll(engine, session)) == b"4a"
