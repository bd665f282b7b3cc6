"""Requests and answers: keep-alive, pipelining, bodies, early answers, aborts, deadlines."""

from __future__ import annotations

import gc
import weakref

import pytest
from engineio_proto import EngineConfig, LocalProtocolError, Outgoing, Response
from engineio_wire import RequestReceived, WireConfig, WireServer, check_response

from tests.engineio_wire.peer import (
    PATH,
    Connection,
    RecordingEngine,
    poll,
    post,
    real,
    recording,
    request,
    splits,
)

pytestmark = pytest.mark.usefixtures("each_http_engine")

OK_POST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nok"


def handshake(connection: Connection[object]) -> str:
    """Open a polling session; its id."""
    connection.feed(poll())
    body = connection.take().partition(b"\r\n\r\n")[2]
    return body.decode().partition('"sid":"')[2].partition('"')[0]


def answer(connection: Connection[object], exchange_event: RequestReceived, response: Response) -> bytes:
    exchange_event.exchange.answer(response)
    connection.server.engine.dirty.mark(exchange_event.exchange.owner)
    return connection.take()


# Heads and answers.


def test_a_request_as_the_engine_sees_it() -> None:
    engine, connection = recording()
    connection.feed(request("GET", PATH + "?a=%20b", "X-A: 1", "x-a:  2 ", "Cookie: a=b", "cookie: c=d"))
    seen = engine.exchanges[0].request
    assert (seen.method, seen.target, seen.remote_address, seen.secure) == (
        "GET",
        PATH + "?a=%20b",
        "127.0.0.1",
        False,
    )
    assert seen.headers["X-A"] == "1, 2" and seen.headers["cookie"] == "a=b; c=d"


def test_non_ascii_header_values_are_latin_1() -> None:
    engine, connection = recording()
    connection.feed(request("GET", PATH, "X: é\u00ff"))
    assert engine.exchanges[0].request.headers["x"] == "é\u00ff"


@pytest.mark.parametrize(
    ("version", "headers", "stays"),
    [
        ("1.1", (), True),
        ("1.1", ("Connection: close",), False),
        ("1.1", ("Connection: foo, Close",), False),
        ("1.0", (), False),
        ("1.0", ("Connection: keep-alive",), True),
    ],
)
def test_keep_alive(version: str, headers: tuple[str, ...], stays: bool) -> None:
    _, connection = recording()
    connection.feed(request("POST", PATH, *headers, body=b"x", version=version))
    output = connection.take()
    assert output.startswith(b"HTTP/1.1 200 OK\r\n") and output.endswith(b"\r\n\r\nok")
    assert (b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n" in output) is stays
    assert (b"Connection: close\r\n" in output) is not stays
    assert connection.open is stays


def test_every_split_gives_the_same_answers() -> None:
    stream = (
        request("POST", PATH, body=b"one")
        + b"\r\n"
        + request(
            "POST", PATH, "Transfer-Encoding: chunked", body=b"2\r\ntw\r\n1;x=y\r\no\r\n0\r\nT: v\r\n\r\n"
        )
        + request("POST", PATH, "Content-Length: 0")
    )
    for chunks in splits(stream):
        engine, connection = recording()
        connection.feed(*chunks)
        assert [heard[1] for heard in engine.heard if heard[0] == "body"] == [b"one", b"two", b""]
        assert connection.output == OK_POST * 3
        assert connection.open


def test_date_when_it_is_given() -> None:
    connection = Connection(WireServer(RecordingEngine(), http_date=lambda: "Thu, 01 Jan 1970 00:00:00 GMT"))
    connection.feed(request("POST", PATH, body=b"x"))
    assert b"\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n" in connection.take()


def test_head_has_no_body() -> None:
    _, connection = recording()
    connection.feed(request("HEAD", "/page"))
    output = answer(connection, connection.events[-1], Response(200, (("X", "y"),), b"body"))
    assert output.startswith(b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 4\r\n") and output.endswith(
        b"\r\n\r\n"
    )


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body(status: int) -> None:
    _, connection = recording()
    connection.feed(request("GET", "/page"))
    output = answer(connection, connection.events[-1], Response(status))
    assert b"Content-Length" not in output and output.endswith(b"\r\n\r\n")


def test_a_poll_is_answered_when_its_session_has_something() -> None:
    connection = real()
    sid = handshake(connection)
    connection.feed(poll(sid))
    assert connection.take() == b"" and connection.wire.wants_read
    engine = connection.server.engine
    session = engine.sessions[sid]  # type: ignore[attr-defined]
    session.send_message("a")
    session.send_message("b")
    assert connection.take().endswith(b"\r\n\r\n4a\x1e4b")
    assert connection.open


# Pipelining.


def test_pipelined_requests_wait_for_the_answer_before_them() -> None:
    connection = real()
    sid = handshake(connection)
    connection.feed(poll(sid) + poll("unknown") + poll("unknown"))
    assert connection.take() == b"" and not connection.wire.has_pending
    connection.server.engine.sessions[sid].send_message("a")  # type: ignore[attr-defined]
    connection.flush()
    assert connection.wire.has_pending
    connection.feed(b"")
    output = connection.take()
    assert output.count(b"HTTP/1.1 400 Bad Request\r\n") == 2
    assert output.startswith(b"HTTP/1.1 200 OK")


def test_what_waits_behind_a_parked_poll_is_bounded() -> None:
    connection = real()
    sid = handshake(connection)
    connection.feed(poll(sid))
    fed = 0
    while connection.wire.wants_read:
        connection.feed(b"x" * 1000)
        fed += 1000
    assert 16_384 < fed <= 18_000
    assert connection.open


def test_a_peer_that_does_not_read_gets_no_next_request() -> None:
    engine, connection = recording()
    connection.wire.write_blocked(connection.now)
    connection.feed(request("POST", PATH, body=b"x") * 3)
    assert engine.heard == [] and not connection.wire.wants_read
    connection.unblock()
    assert len(engine.heard) == 6 and connection.output == OK_POST * 3


# Bodies.


def test_expect_100_continue() -> None:
    _, connection = recording()
    connection.feed(request("POST", PATH, "Expect: 100-Continue", "Content-Length: 3"))
    assert connection.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.feed(b"abc")
    assert connection.take() == OK_POST


def test_no_100_continue_for_a_request_that_is_refused() -> None:
    connection = real()
    connection.feed(
        request("POST", PATH + "?transport=polling&sid=no", "Expect: 100-continue", "Content-Length: 3")
    )
    output = connection.take()
    assert output.startswith(b"HTTP/1.1 400 Bad Request\r\n") and b"Connection: close\r\n" in output
    # Whether a body follows cannot be known, so nothing after it has a meaning.
    assert not connection.open


def test_one_byte_chunks_are_allowed_up_to_the_limit() -> None:
    engine, connection = recording(RecordingEngine(max_message_size=5000))
    connection.feed(request("POST", PATH, "Transfer-Encoding: chunked"))
    connection.feed(b"1\r\na\r\n" * 5000 + b"0\r\n\r\n")
    assert engine.heard[-1] == ("body", b"a" * 5000)


def test_tiny_chunks_are_read_in_slices() -> None:
    engine, connection = recording()
    connection.feed(request("POST", PATH, "Transfer-Encoding: chunked"))
    wire = connection.wire
    assert wire.receive_bytes(b"1\r\na\r\n" * 3000 + b"0\r\n\r\n", 0.0) == []
    body = engine.exchanges[0].body
    assert body is not None and len(body) == 1024
    assert wire.has_pending and not wire.wants_read
    connection.feed(b"")
    assert engine.heard[-1] == ("body", b"a" * 3000)


def test_413_while_the_body_arrives_keeps_the_connection() -> None:
    """Observed (A3): answered when the limit is passed, the rest is read and thrown away."""
    connection = real(EngineConfig(max_http_buffer_size=1000))
    sid = handshake(connection)
    connection.feed(post(sid, b"4" + b"a" * 5000)[:-3500])
    output = connection.take()
    assert output.startswith(b"HTTP/1.1 413 Payload Too Large\r\n") and b"keep-alive" in output
    connection.feed(b"a" * 3500 + post(sid, b"4ok"))
    assert connection.take().endswith(b"\r\n\r\nok")
    assert connection.open


def test_413_closes_when_too_much_would_be_thrown_away() -> None:
    config = WireConfig(max_drain_size=10_000)
    connection = real(EngineConfig(max_http_buffer_size=1000), config)
    sid = handshake(connection)
    connection.feed(
        request("POST", f"{PATH}?EIO=4&transport=polling&sid={sid}", "Transfer-Encoding: chunked")
    )
    read = 0
    while connection.open:
        connection.feed(b"3e8\r\n" + b"a" * 1000 + b"\r\n")
        read += 1000
    assert 10_000 < read < 15_000
    assert connection.take().startswith(b"HTTP/1.1 413 ")


def test_an_announced_body_that_is_too_long_to_throw_away() -> None:
    connection = real(EngineConfig(max_http_buffer_size=1000), WireConfig(max_drain_size=10_000))
    sid = handshake(connection)
    connection.feed(post(sid, b"a" * 20_000)[:3000])
    output = connection.take()
    assert output.startswith(b"HTTP/1.1 413 ") and b"\r\nConnection: close\r\n" in output
    assert connection.open, "the peer must be able to read the answer while it still sends"
    while connection.open:
        connection.feed(b"a" * 1000)


def test_an_upload_whose_session_closes_is_cut_off_without_an_answer() -> None:
    """Observed (A2)."""
    connection = real()
    sid = handshake(connection)
    connection.feed(post(sid, b"4abc")[:-1])
    connection.server.engine.sessions[sid].close(connection.now)  # type: ignore[attr-defined]
    connection.server.engine.sessions.get(sid)  # type: ignore[attr-defined]
    connection.at(connection.now + 30.0)
    assert connection.take() == b""
    assert connection.wire.abort and connection.wire.closing


# Requests that are none of the engine's.


def test_other_paths_are_collected() -> None:
    _, connection = recording()
    connection.feed(request("PUT", "/page?x", body=b"hello"))
    (event,) = connection.events
    assert isinstance(event, RequestReceived)
    assert (event.exchange.request.target, event.body) == ("/page?x", b"hello")
    assert connection.take() == b""
    assert answer(connection, event, Response(201, (("X", "y"),), b"made")) == (
        b"HTTP/1.1 201 Created\r\nX: y\r\nContent-Length: 4\r\n"
        b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nmade"
    )


@pytest.mark.parametrize("chunked", [False, True])
def test_other_paths_have_a_body_limit(chunked: bool) -> None:
    _, connection = recording(config=WireConfig(max_body_size=10))
    if chunked:
        connection.feed(
            request("PUT", "/p", "Transfer-Encoding: chunked", body=b"b\r\n01234567890\r\n0\r\n\r\n")
        )
    else:
        connection.feed(request("PUT", "/p", body=b"01234567890"))
    assert connection.events == []
    assert connection.take().startswith(b"HTTP/1.1 413 Payload Too Large\r\n")
    connection.feed(request("PUT", "/p", body=b"0123456789"))
    assert connection.events[0].body == b"0123456789"


def test_an_offer_of_another_protocol_is_an_ordinary_request() -> None:
    _, connection = recording()
    connection.feed(request("GET", "/page", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"))
    assert isinstance(connection.events[0], RequestReceived)


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (Response(200, (("X", "a\r\nSet-Cookie: b"),)), "control characters"),
        (Response(200, (("X", "a\nb"),)), "control characters"),
        (Response(200, (("X", "a\x00b"),)), "control characters"),
        (Response(200, (("X", "\u2028"),)), "control characters"),
        (Response(200, (("X: y\r\nZ", "a"),)), "token"),
        (Response(200, (("", "a"),)), "token"),
        (Response(200, (("Content-Length", "7"),), b"abc"), "3 bytes"),
        (Response(200, (("Transfer-Encoding", "chunked"),)), "set by the connection"),
        (Response(101), "200 to 999"),
        (Response(99), "200 to 999"),
    ],
)
def test_what_could_split_an_answer_is_refused(response: Response, told: str) -> None:
    with pytest.raises(LocalProtocolError, match=told):
        check_response(response)
    # And never leaves, when nobody asked.
    _, connection = recording()
    connection.feed(request("GET", "/page"))
    output = answer(connection, connection.events[0], response)
    assert output.startswith(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n")
    assert output.count(b"\r\n\r\n") == 1 and output.endswith(b"\r\n\r\n")


def test_426_says_what_to_upgrade_to() -> None:
    response = Response(426, (("Upgrade", "websocket"),))
    check_response(response)
    _, connection = recording()
    connection.feed(request("GET", "/page"))
    assert answer(connection, connection.events[0], response) == (
        b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\n"
        b"Connection: keep-alive, upgrade\r\nKeep-Alive: timeout=5\r\n\r\n"
    )
    with pytest.raises(LocalProtocolError, match="set by the connection"):
        check_response(Response(200, (("Upgrade", "websocket"),)))


def test_a_stated_length_is_kept() -> None:
    check_response(Response(200, (("Content-Length", "3"),), b"abc"))
    check_response(Response(200, (("Content-Length", "99"),)), method="HEAD")


def test_a_response_may_close() -> None:
    _, connection = recording()
    connection.feed(request("GET", "/page") * 2)
    output = answer(connection, connection.events[0], Response(200, (("connection", "close"),)))
    assert output == b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    assert not connection.open and len(connection.events) == 1


# Ends.


def test_eof_on_a_parked_poll_aborts_it() -> None:
    connection = real()
    sid = handshake(connection)
    connection.feed(poll(sid))
    connection.eof()
    closed = connection.events[-1]
    assert (str(closed.reason), closed.description) == (
        "transport error",
        "poll connection closed prematurely",
    )
    assert connection.wire.abort and connection.take() == b""


def test_eof_after_a_complete_request_still_gets_the_answer() -> None:
    _, connection = recording()
    connection.feed(request("GET", "/page"))
    connection.eof()
    assert connection.open
    output = answer(connection, connection.events[0], Response(200, (), b"hi"))
    assert b"Connection: close" in output and output.endswith(b"hi") and not connection.open


def test_eof_before_the_answer_was_taken() -> None:
    engine, connection = recording()
    wire = connection.wire
    wire.receive_bytes(request("POST", PATH, body=b"x"), 0.0)
    wire.receive_eof(0.0)
    assert not wire.closing
    assert wire.take_bytes(0.0).endswith(b"Connection: close\r\n\r\nok")
    assert wire.closing and not wire.abort and engine.heard[-1] == ("body", b"x")


def test_eof_behind_a_request_that_was_not_looked_at() -> None:
    _, connection = recording()
    connection.wire.write_blocked(connection.now)
    connection.feed(request("POST", PATH, body=b"x") * 2)
    connection.eof()
    assert connection.open
    connection.unblock()
    assert connection.take().count(b"\r\n\r\nok") == 2 and not connection.open


def test_eof_behind_a_body_that_is_read_in_slices() -> None:
    engine, connection = recording()
    connection.feed(request("POST", PATH, "Transfer-Encoding: chunked"))
    connection.wire.receive_bytes(b"1\r\na\r\n" * 3000 + b"0\r\n\r\n", 0.0)
    connection.events += connection.wire.receive_eof(0.0)
    connection.flush()
    assert connection.open
    connection._take(connection.wire.resume(0.0))
    assert engine.heard[-1] == ("body", b"a" * 3000)
    assert connection.take().endswith(b"\r\n\r\nok") and not connection.open


@pytest.mark.parametrize("cut", range(1, len(request("POST", PATH, body=b"abc"))))
def test_eof_in_the_middle_of_a_request(cut: int) -> None:
    engine, connection = recording()
    stream = request("POST", PATH, body=b"abc")
    connection.feed(stream[:cut])
    connection.eof()
    assert not connection.open and connection.take() == b""
    assert engine.heard in ([], [("request", "POST", PATH), ("exchange closed", PATH)])


@pytest.mark.parametrize("cut", range(0, len(request("POST", PATH, body=b"abc") * 2), 5))
def test_a_lost_connection_leaves_nothing_behind(cut: int) -> None:
    engine, connection = recording()
    connection.feed((request("POST", PATH, body=b"abc") * 2)[:cut])
    connection.lose()
    wire = weakref.ref(connection.wire)
    assert connection.wire not in connection.server.deadlines
    assert connection.wire not in engine.dirty.take()
    engine.exchanges.clear()
    gc.disable()
    try:
        del connection
        assert wire() is None, "a reference cycle, or somebody who remembers the wire"
    finally:
        gc.enable()


def test_the_engine_is_not_told_of_what_it_has_answered() -> None:
    engine, connection = recording(RecordingEngine(max_message_size=2))
    connection.wire.receive_bytes(request("POST", PATH, body=b"abc")[:-1], 0.0)
    connection.feed(b"")
    connection.lose()
    assert engine.heard == [("request", "POST", PATH), ("exchange closed", PATH)]
    for taken in (False, True):
        for cut in (1, 0):
            engine, connection = recording(RecordingEngine(max_message_size=2))
            connection.wire.receive_bytes(request("POST", PATH, body=b"abcde")[: -cut or None], 0.0)
            if taken:
                assert connection.take().startswith(b"HTTP/1.1 413 ")
            connection.lose()
            assert engine.heard == [("request", "POST", PATH)]


def test_broken_chunks_behind_an_early_answer_close_without_another() -> None:
    for taken in (False, True):
        engine, connection = recording(RecordingEngine(max_message_size=2))
        wire = connection.wire
        wire.receive_bytes(request("POST", PATH, "Transfer-Encoding: chunked") + b"3\r\nabc\r\n", 0.0)
        if taken:
            connection.flush()
        wire.receive_bytes(b"nonsense\r\n", 0.0)
        output = connection.take()
        assert output.startswith(b"HTTP/1.1 413 ") and output.count(b"HTTP/1.1") == 1
        assert wire.closing and engine.heard == [("request", "POST", PATH)]


def test_eof_in_a_body_that_was_answered_early() -> None:
    _, connection = recording(RecordingEngine(max_message_size=2))
    connection.wire.receive_bytes(request("POST", PATH, body=b"abcde")[:-1], 0.0)
    connection.wire.receive_eof(0.0)
    assert connection.open
    assert connection.take().startswith(b"HTTP/1.1 413 ") and not connection.open


def test_a_blocked_connection_waits_for_its_body_again() -> None:
    engine, connection = recording()
    connection.feed(request("POST", PATH, "Content-Length: 5", "Expect: 100-continue"))
    connection.wire.write_blocked(connection.now)
    connection.unblock()
    connection.at(299.0)
    assert connection.open
    connection.at(300.0)
    assert not connection.open and engine.heard[-1] == ("exchange closed", PATH)


# Deadlines.


def test_an_idle_new_connection_ends() -> None:
    _, connection = recording()
    connection.at(59.9)
    assert connection.open
    connection.at(60.0)
    assert not connection.open and connection.take() == b""


def test_a_slow_head_ends() -> None:
    """Slowloris: a byte now and then does not help."""
    _, connection = recording()
    head = request("GET", PATH, "X: " + "a" * 500)
    for i in range(60):
        connection.at(i).feed(head[i : i + 1])
    assert connection.open
    connection.at(60.0)
    assert connection.take() == b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"
    assert not connection.open


def test_a_slow_body_ends() -> None:
    engine, connection = recording()
    connection.feed(request("POST", PATH, "Content-Length: 1000"))
    for i in range(300):
        connection.at(i).feed(b"x")
    connection.at(300.0)
    assert connection.take().startswith(b"HTTP/1.1 408 ")
    assert engine.heard[-1] == ("exchange closed", PATH) and not connection.open


def test_an_idle_kept_alive_connection_ends() -> None:
    _, connection = recording()
    connection.feed(request("POST", PATH, body=b"x"))
    connection.at(4.9)
    assert connection.open
    connection.at(5.0)
    assert not connection.open


def test_the_keep_alive_never_ends_early() -> None:
    """The answer is taken long after the last input: the idle time begins then."""
    _, connection = recording()
    connection.feed(request("GET", "/page"))
    connection.at(100.0)
    answer(connection, connection.events[0], Response(200))
    connection.at(104.9)
    assert connection.open
    connection.at(105.0)
    assert not connection.open


@pytest.mark.parametrize("body", [b"", b"x"])
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_an_empty_line_behind_a_request_is_no_next_one(body: bytes, cut: int) -> None:
    """Old clients send one behind a body (RFC 9112 2.2): the connection is idle, with its deadline."""
    _, connection = recording()
    whole = request("POST", "/page", body=body) + b"\r\n"
    connection.feed(whole[: len(whole) - cut])
    answer(connection, connection.events[0], Response(200))
    connection._take([])  # the slice that is due
    connection.feed(*([whole[-cut:]] if cut else []))
    connection.at(4.9)
    assert connection.open
    connection.at(60.0)
    assert not connection.open


def test_the_next_request_stops_the_keep_alive() -> None:
    _, connection = recording()
    connection.feed(request("POST", PATH, body=b"x"))
    connection.at(4.0).feed(request("GET", "/page"))
    connection.at(1000.0)
    assert connection.open, "a handler may take its time"


def test_a_peer_that_never_reads_its_answer_ends() -> None:
    _, connection = recording()
    connection.feed(request("POST", PATH, body=b"x"))
    connection.wire.write_blocked(connection.now)
    connection.at(299.9)
    assert connection.open
    connection.at(300.0)
    assert connection.wire.abort


def test_a_last_answer_that_is_never_read_ends() -> None:
    _, connection = recording()
    connection.feed(b"nonsense\r\n\r\n")
    assert connection.wire.closing and not connection.wire.abort
    connection.at(29.9)
    assert not connection.wire.abort
    connection.at(30.0)
    assert connection.wire.abort


# The engine.


def test_a_long_payload_is_handled_in_slices() -> None:
    connection = real()
    sid = handshake(connection)
    wire = connection.wire
    body = "\x1e".join(f"4{i}" for i in range(1000)).encode()
    first = wire.receive_bytes(post(sid, body), 0.0)
    assert len(first) <= 65 and wire.has_pending
    connection.events.clear()
    connection.events += first
    connection.feed(b"")
    assert [event.data for event in connection.events] == [str(i) for i in range(1000)]
    assert connection.take().endswith(b"\r\n\r\nok")


def test_cors_and_errors_as_the_engine_gives_them() -> None:
    connection = real()
    connection.feed(poll("unknown"))
    assert connection.take() == (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 41\r\n"
        b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n"
        b'{"code":1,"message":"Session ID unknown"}'
    )


def test_outgoing_over_polling_and_websocket_is_one_object() -> None:
    outgoing = Outgoing(("4a",))
    connection = real()
    sid = handshake(connection)
    connection.feed(poll(sid))
    connection.server.engine.sessions[sid].send(outgoing)  # type: ignore[attr-defined]
    assert connection.take().endswith(b"\r\n\r\n4a")
    assert outgoing.frame is None
