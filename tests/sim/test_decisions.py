"""The user's decisions, one input at a time: order, every end of a question, bounds (reference 1.3 to 1.5).

A test is the user's code here: it gets `DecisionRequested` and replies when it likes, which is what an async
function does. That sync and async functions come to the same is tested with the runner, at the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from engineio_proto import (
    Abandonment,
    AnswerHeaders,
    Decision,
    DecisionAbandoned,
    DecisionRequested,
    EngineEvent,
    EngineServer,
    Exchange,
    ExchangeState,
    HookRaised,
    Link,
    LinkState,
    LocalProtocolError,
    MiddlewareResponse,
    Request,
    RequestRefused,
    Response,
    SessionOpened,
    Stage,
)
from socketio_proto import ConnectionRefused, DecisionRunner, Trouble

from tests.engineio_proto.driving import (
    Headers,
    ask,
    new_engine,
    new_exchange,
    new_link,
    open_polling,
    open_websocket,
    packets,
    poll,
    start_post,
    target,
)
from tests.sim.clock import Clock
from tests.sim.runtime import Start, VirtualRuntime

GOOD = "https://a.good"


def nobody(*_: object) -> Any:
    """A function of the user's that the test answers for."""
    raise AssertionError("the engine never calls it")


def question(events: list[EngineEvent]) -> Decision:
    """The only thing that happened."""
    (event,) = events
    assert isinstance(event, DecisionRequested)
    return event.decision


def answer_of(carrier: Exchange | Link) -> Response:
    response = carrier.refusal if isinstance(carrier, Link) else carrier.take_response()
    assert response is not None
    return response


def start(
    engine: EngineServer, *, upgrade: bool = False, headers: Headers = (), now: float = 0.0, **query: str
) -> Any:
    """A handshake: its carrier, and the first question."""
    if upgrade:
        link = new_link(target("websocket", **query), headers)
        return link, question(engine.receive_upgrade(link, now))
    exchange = new_exchange("GET", target("polling", **query), headers)
    return exchange, question(engine.receive_request(exchange, now))


def codes(events: list[EngineEvent]) -> list[tuple[int, str, dict[str, object]]]:
    return [(int(e.code), e.message, dict(e.context)) for e in events if isinstance(e, RequestRefused)]


class TestAllowRequest:
    @pytest.mark.parametrize("upgrade", [False, True])
    def test_accepts(self, upgrade: bool) -> None:
        engine = new_engine(allow_request=nobody)
        carrier, decision = start(engine, upgrade=upgrade)
        assert (decision.stage, decision.request) == (Stage.ALLOW_REQUEST, carrier.request)
        assert not engine.sessions
        engine.dirty.take()
        engine.decide(decision, True, 1.0)
        (event,) = engine.take_events()
        assert isinstance(event, SessionOpened) and len(engine.dirty) == 1
        if upgrade:
            assert carrier.state is LinkState.OPEN and len(packets(carrier)) == 1
        else:
            assert answer_of(carrier).status == 200 and not carrier.undecided
        assert engine.decisions.undecided == {} and len(engine.decisions.timers) == 0

    @pytest.mark.parametrize(
        ("answer", "text"),
        [(False, "Forbidden"), ("", "Forbidden"), ("thou shall not pass", "thou shall not pass")],
    )
    def test_refuses_a_poll(self, answer: bool | str, text: str) -> None:
        engine = new_engine(allow_request=nobody)
        exchange, decision = start(engine)
        engine.decide(decision, answer, 0.0)
        body = json.dumps({"code": 4, "message": text}, separators=(",", ":")).encode()
        assert answer_of(exchange) == Response(403, (("Content-Type", "application/json"),), body)
        assert codes(engine.take_events()) == [(4, "Forbidden", {"message": answer or None})]

    def test_refuses_an_upgrade(self) -> None:
        engine = new_engine(allow_request=nobody)
        link, decision = start(engine, upgrade=True)
        assert link.state is LinkState.DECIDING
        engine.decide(decision, "no entry", 0.0)
        headers = (("Connection", "close"), ("Content-type", "text/html"))
        assert link.refusal == Response(400, headers, b"no entry")
        assert codes(engine.take_events()) == [(4, "Forbidden", {"message": "no entry"})]

    @pytest.mark.parametrize("answer", [None, 1, ("no", "entry")])
    def test_what_is_no_answer_lets_nobody_in(self, answer: object) -> None:
        engine = new_engine(allow_request=nobody)
        exchange, decision = start(engine)
        engine.decide(decision, answer, 0.0)
        raised, refused = engine.take_events()
        assert isinstance(raised, HookRaised) and raised.name == "allow_request"
        assert repr(answer) in str(raised.error)
        assert codes([refused]) == [(4, "Forbidden", {"message": None})] and answer_of(exchange).status == 403

    def test_raising_lets_nobody_in(self) -> None:
        engine = new_engine(allow_request=nobody)
        exchange, decision = start(engine)
        engine.fail_decision(decision, StopIteration("mine"), 0.0)
        raised, refused = engine.take_events()
        assert isinstance(raised, HookRaised) and repr(raised.error) == "StopIteration('mine')"
        assert codes([refused]) == [(4, "Forbidden", {"message": None})] and answer_of(exchange).status == 403

    def test_text_that_utf8_cannot_carry(self) -> None:
        engine = new_engine(allow_request=nobody)
        exchange, decision = start(engine)
        engine.decide(decision, "\ud800", 0.0)
        assert answer_of(exchange).body == b'{"code":4,"message":"?"}'

    def test_only_handshakes(self) -> None:
        engine = new_engine(allow_request=nobody)
        _exchange, decision = start(engine)
        engine.decide(decision, True, 0.0)
        (opened,) = engine.take_events()
        assert isinstance(opened, SessionOpened)
        get, post = poll(engine, opened.session), start_post(engine, opened.session)
        assert get.parked and post.wants_body
        link = new_link(target("websocket", opened.session.id))
        assert engine.receive_upgrade(link, 0.0) == [] and link.state is LinkState.OPEN

    def test_verify_comes_first_and_the_protocol_last(self) -> None:
        engine = new_engine(allow_request=nobody)
        events, _response = ask(engine, "GET", target("nonsense"))
        assert codes(events) == [(0, "Transport unknown", {"transport": "nonsense"})]
        exchange = new_exchange("GET", "/engine.io/?EIO=3&transport=polling")
        decision = question(engine.receive_request(exchange, 0.0))
        engine.decide(decision, True, 0.0)
        assert codes(engine.take_events()) == [(5, "Unsupported protocol version", {"protocol": 3})]


class TestGenerateId:
    @pytest.mark.parametrize("upgrade", [False, True])
    def test_is_the_id(self, upgrade: bool) -> None:
        engine = new_engine(generate_id=nobody, cookie=True)
        carrier, decision = start(engine, upgrade=upgrade)
        assert decision.stage is Stage.GENERATE_ID
        engine.decide(decision, "mine", 0.0)
        assert list(engine.sessions) == ["mine"]
        if not upgrade:
            assert ("Set-Cookie", "io=mine; Path=/; HttpOnly; SameSite=Lax") in answer_of(carrier).headers

    @pytest.mark.parametrize("sid", [None, "", 7, "taken"])
    def test_is_none(self, sid: object) -> None:
        engine = new_engine(generate_id=nobody)
        _, first = start(engine)
        engine.decide(first, "taken", 0.0)
        engine.take_events()
        exchange, decision = start(engine)
        engine.decide(decision, sid, 0.0)
        raised, refused = engine.take_events()
        assert isinstance(raised, HookRaised) and repr(sid) in str(raised.error)
        context = {"name": "ID_GENERATION_ERROR", "error": raised.error}
        assert codes([refused]) == [(3, "Bad request", context)]
        assert answer_of(exchange).status == 400 and list(engine.sessions) == ["taken"]

    def test_raises_for_an_upgrade(self) -> None:
        engine = new_engine(generate_id=nobody)
        link, decision = start(engine, upgrade=True)
        engine.fail_decision(decision, ValueError("empty"), 0.0)
        assert (answer_of(link).status, answer_of(link).body) == (400, b"Bad request")

    def test_after_allow_request(self) -> None:
        engine = new_engine(allow_request=nobody, generate_id=nobody)
        _, first = start(engine)
        engine.decide(first, True, 1.0)
        second = question(engine.take_events())
        assert second.stage is Stage.GENERATE_ID and first.ended
        engine.decide(first, False, 1.0)  # an answer to another question
        assert engine.take_events() == []
        engine.decide(second, "mine", 2.0)
        assert list(engine.sessions) == ["mine"]

    def test_not_asked_when_no_session_opens(self) -> None:
        engine = new_engine(generate_id=nobody)
        link = new_link(target("polling"))
        assert engine.receive_upgrade(link, 0.0) == [] and link.state is LinkState.CLOSING
        _, response = ask(engine, "GET", "/engine.io/?EIO=3&transport=polling")
        assert response.status == 400


class TestMiddlewares:
    def test_order_and_headers(self) -> None:
        engine = new_engine(cors={"origin": [GOOD]}, allow_request=nobody)
        seen: list[str] = []

        def first(request: Request, response: MiddlewareResponse) -> None:
            seen.append("first " + response.headers["vary"])
            response.headers["X-One"] = "1"

        def second(request: Request, response: MiddlewareResponse) -> None:
            seen.append("second " + response.headers["x-one"])
            response.headers["x-one"] = "2"
            response.headers.add("set-cookie", "a=b")
            response.headers.add("set-cookie", "c=d")

        assert engine.use(first) is first
        engine.use(second)
        exchange, decision = start(engine, headers=(("Origin", GOOD),))
        for stage in (Stage.MIDDLEWARE, Stage.MIDDLEWARE, Stage.ALLOW_REQUEST):
            assert decision.stage is stage
            if stage is Stage.MIDDLEWARE:
                engine.decide(decision, decision.ask(), 0.0)
                decision = question(engine.take_events())
        engine.decide(decision, True, 0.0)
        assert seen == ["first Origin", "second 1"]
        assert answer_of(exchange).headers == (
            ("Access-Control-Allow-Origin", GOOD),
            ("Vary", "Origin"),
            ("x-one", "2"),
            ("set-cookie", "a=b"),
            ("set-cookie", "c=d"),
            ("Content-Type", "text/plain; charset=UTF-8"),
            ("cache-control", "no-store"),
        )

    def test_every_kind_of_request(self) -> None:
        engine = new_engine()
        session = open_polling(engine)
        engine.use(lambda request, response: response.headers.update({"x-m": "1"}))
        get = new_exchange("GET", target("polling", session.id))
        decision = question(engine.receive_request(get, 0.0))
        engine.decide(decision, decision.ask(), 0.0)
        assert get.parked
        post = new_exchange("POST", target("polling", session.id))
        decision = question(engine.receive_request(post, 0.0))
        assert not post.wants_body and post.undecided
        engine.decide(decision, decision.ask(), 0.0)
        assert post.wants_body and not post.undecided
        engine.receive_body(post, b"4hello", 0.0)
        engine.receive_body_end(post, 0.0)
        assert ("x-m", "1") in answer_of(post).headers
        link = new_link(target("websocket", session.id))
        decision = question(engine.receive_upgrade(link, 0.0))
        engine.decide(decision, decision.ask(), 0.0)
        assert link.state is LinkState.OPEN and link.headers == (("x-m", "1"),)
        unknown = new_exchange("GET", target("polling", "nobody"))
        decision = question(engine.receive_request(unknown, 0.0))
        engine.decide(decision, decision.ask(), 0.0)
        assert answer_of(unknown).status == 400 and ("x-m", "1") in answer_of(unknown).headers

    @pytest.mark.parametrize("upgrade", [False, True])
    def test_ends_the_response(self, upgrade: bool) -> None:
        engine = new_engine(allow_request=nobody)

        def busy(request: Request, response: MiddlewareResponse) -> None:
            response.headers["Retry-After"] = "5"
            response.end(503, "later")
            with pytest.raises(LocalProtocolError, match="503"):
                response.end()

        engine.use(busy)
        engine.use(nobody)
        carrier, decision = start(engine, upgrade=upgrade)
        engine.decide(decision, decision.ask(), 0.0)
        assert engine.take_events() == []
        assert answer_of(carrier) == Response(503, (("Retry-After", "5"),), b"later")

    @pytest.mark.parametrize("upgrade", [False, True])
    def test_raises(self, upgrade: bool) -> None:
        engine = new_engine()
        engine.use(nobody)
        carrier, decision = start(engine, upgrade=upgrade)
        error = KeyError("mine")
        engine.fail_decision(decision, error, 0.0)
        raised, refused = engine.take_events()
        assert isinstance(raised, HookRaised) and (raised.name, raised.error) == ("use", error)
        assert codes([refused]) == [(3, "Bad request", {"name": "MIDDLEWARE_FAILURE"})]
        body = b"Bad request" if upgrade else b'{"code":3,"message":"Bad request"}'
        assert (answer_of(carrier).status, answer_of(carrier).body) == (400, body)

    def test_raises_after_it_ended(self) -> None:
        engine = new_engine()
        engine.use(lambda request, response: response.end(503, b"pp"))
        exchange, decision = start(engine)
        decision.ask()
        engine.fail_decision(decision, KeyError(), 0.0)
        assert codes(engine.take_events()) == [(3, "Bad request", {"name": "MIDDLEWARE_FAILURE"})]
        assert answer_of(exchange) == Response(503, (), b"pp")

    @pytest.mark.parametrize("function", [None, lambda: None, lambda request: None])
    def test_what_could_never_be_called(self, function: Any) -> None:
        with pytest.raises(TypeError, match="use"):
            new_engine().use(function)


class TestCors:
    def test_origin_function(self) -> None:
        engine = new_engine(cors={"origin": lambda origin: origin == GOOD, "credentials": True})
        exchange, decision = start(engine, headers=(("Origin", GOOD),))
        assert decision.stage is Stage.CORS and decision.ask() is True
        engine.decide(decision, True, 0.0)
        assert answer_of(exchange).headers[:3] == (
            ("Access-Control-Allow-Origin", GOOD),
            ("Vary", "Origin"),
            ("Access-Control-Allow-Credentials", "true"),
        )
        engine.take_events()
        other, decision = start(engine)
        assert decision.ask() is False
        engine.decide(decision, False, 0.0)
        assert answer_of(other).headers[0][0] == "Content-Type"

    def test_delegate_and_preflight(self) -> None:
        engine = new_engine(cors=lambda request: {"origin": lambda origin: True})
        exchange = new_exchange("OPTIONS", target("polling"), (("Origin", GOOD),))
        decision = question(engine.receive_request(exchange, 0.0))
        engine.decide(decision, decision.ask(), 0.0)
        decision = question(engine.take_events())
        assert decision.stage is Stage.CORS
        engine.decide(decision, decision.ask(), 0.0)
        response = answer_of(exchange)
        assert response.status == 204 and ("Access-Control-Allow-Origin", GOOD) in response.headers
        assert dict(response.headers)["Content-Length"] == "0"

    def test_upgrade(self) -> None:
        engine = new_engine(cors=lambda request: {"origin": "https://b.example"})
        link, decision = start(engine, upgrade=True)
        engine.decide(decision, decision.ask(), 0.0)
        assert link.headers == (("Access-Control-Allow-Origin", "https://b.example"), ("Vary", "Origin"))

    @pytest.mark.parametrize("answer", [None, 7, {"orign": "*"}])
    def test_what_is_no_option_is_a_failure(self, answer: object) -> None:
        engine = new_engine(cors=lambda request: answer)
        _exchange, decision = start(engine)
        engine.decide(decision, decision.ask(), 0.0)
        raised, refused = engine.take_events()
        assert isinstance(raised, HookRaised) and raised.name == "cors"
        assert codes([refused]) == [(3, "Bad request", {"name": "MIDDLEWARE_FAILURE"})]


class TestFilesOfOthers:
    """A request that the layer above answers, once cors has put its headers on it."""

    def serve(self, engine: EngineServer, exchange: Exchange) -> list[object]:
        policies: list[object] = []

        def answer(policy: object) -> Response:
            policies.append(policy)
            return Response(200, (("ETag", '"1"'),), b"file")

        engine.decisions.begin_cors(exchange, answer, 0.0)
        return policies

    def test_nobody_to_ask(self) -> None:
        engine = new_engine(cors={"origin": "*"})
        exchange = new_exchange("GET", "/engine.io/file.js")
        assert self.serve(engine, exchange) == [engine.config.cors]
        assert answer_of(exchange).body == b"file" and engine.take_events() == []

    @pytest.mark.parametrize(("method", "status"), [("GET", 200), ("OPTIONS", 204)])
    def test_a_function(self, method: str, status: int) -> None:
        engine = new_engine(cors={"origin": lambda origin: GOOD})
        exchange = new_exchange(method, "/engine.io/file.js")
        policies = self.serve(engine, exchange)
        decision = question(engine.take_events())
        engine.decide(decision, decision.ask(), 0.0)
        assert policies == [None] * (status == 200)
        assert answer_of(exchange).status == status
        assert answer_of(exchange).headers[0] == ("Access-Control-Allow-Origin", GOOD)

    def test_a_function_that_raises(self) -> None:
        engine = new_engine(cors=lambda request: {})
        exchange = new_exchange("GET", "/engine.io/file.js")
        assert self.serve(engine, exchange) == []
        engine.fail_decision(question(engine.take_events()), KeyError(), 0.0)
        (raised,) = engine.take_events()
        assert isinstance(raised, HookRaised) and answer_of(exchange) == Response(500)


class TestHeaderHooks:
    def test_which_answers(self) -> None:
        engine = new_engine(
            cookie=True,
            initial_headers=lambda headers, request: headers.update({"x-i": "1", "set-cookie": "u=1"}),
            headers=lambda headers, request: headers.update(
                {"x-h": request.method, "Cache-Control": "private"}
            ),
        )
        engine.on("headers", lambda headers, request: headers.update({"x-later": headers["x-h"]}))
        _, response = ask(engine, "GET", target("polling"))
        (session,) = engine.sessions.values()
        assert response.headers == (
            ("Content-Type", "text/plain; charset=UTF-8"),
            ("Set-Cookie", f"io={session.id}; Path=/; HttpOnly; SameSite=Lax"),
            ("x-i", "1"),
            ("set-cookie", "u=1"),
            ("x-h", "GET"),
            ("Cache-Control", "private"),
            ("x-later", "GET"),
        )
        post = start_post(engine, session)
        engine.receive_body(post, b"4a", 0.0)
        engine.receive_body_end(post, 0.0)
        assert dict(answer_of(post).headers)["x-h"] == "POST"
        get = poll(engine, session)
        session.send_message("b")
        assert dict(answer_of(get).headers)["x-later"] == "GET"
        link = new_link(target("websocket", session.id))
        engine.receive_upgrade(link, 0.0)
        assert link.headers == (("x-h", "GET"), ("Cache-Control", "private"), ("x-later", "GET"))
        _, direct = open_websocket(engine)
        assert ("x-i", "1") in direct.headers
        _, refused = ask(engine, "GET", target("polling", "nobody"))
        assert refused.headers == (("Content-Type", "application/json"),)

    def test_raises_and_the_answer_goes_out(self) -> None:
        def broken(headers: AnswerHeaders, request: Request) -> None:
            headers["x-before"] = "1"
            headers["x-bad"] = "a\r\nb: c"

        engine = new_engine(headers=broken)
        events, response = ask(engine, "GET", target("polling"))
        assert response.status == 200 and ("x-before", "1") in response.headers
        (raised,) = [event for event in events if isinstance(event, HookRaised)]
        assert raised.name == "headers" and "'a\\r\\nb: c'" in str(raised.error)

    def test_registered_later(self) -> None:
        engine = new_engine()
        engine.on("initial_headers", lambda headers, request: headers.update({"x-i": "1"}))
        engine.use(min)  # a builtin without a signature is trusted
        exchange, decision = start(engine)
        engine.decide(decision, None, 0.0)
        assert ("x-i", "1") in answer_of(exchange).headers

    def test_unknown_event(self) -> None:
        with pytest.raises(ValueError, match=r"preflight.*headers, initial_headers, connection_error"):
            new_engine().on("preflight", nobody)


class TestAnswerHeaders:
    def test_mapping(self) -> None:
        headers = AnswerHeaders()
        headers.add("A", "1")
        headers.add("a", "2")
        assert (headers["a"], list(headers), len(headers), "b" in headers) == ("1, 2", ["a"], 1, False)
        del headers["A"]
        assert headers.pairs == () and headers.get("a") is None
        with pytest.raises(KeyError):
            del headers["a"]

    @pytest.mark.parametrize(
        ("name", "value", "error"),
        [
            ("a b", "1", ValueError),
            ("", "1", ValueError),
            ("a", "1\n", ValueError),
            ("a", "\u20ac", ValueError),
            ("a", 1, TypeError),
            ("Content-Length", "1", ValueError),
            ("sec-websocket-accept", "1", ValueError),
        ],
    )
    def test_mistakes(self, name: str, value: Any, error: type[Exception]) -> None:
        headers = AnswerHeaders()
        with pytest.raises(error):
            headers[name] = value
        assert headers.pairs == ()

    @pytest.mark.parametrize(("status", "body"), [(101, ""), (True, ""), ("200", ""), (600, ""), (200, 7)])
    def test_end_of_a_response(self, status: Any, body: Any) -> None:
        with pytest.raises((TypeError, ValueError), match="end:"):
            MiddlewareResponse().end(status, body)


CARRIERS = pytest.mark.parametrize("upgrade", [False, True])


class TestEnds:
    """A question ends by its reply, the peer's abort, a close, or its deadline."""

    def check_abandoned(
        self, engine: EngineServer, events: list[EngineEvent], decision: Decision, reason: str
    ) -> None:
        assert events[0] == DecisionAbandoned(decision, Abandonment(reason))
        assert decision.ended and not engine.decisions.undecided and not len(engine.decisions.timers)
        engine.decide(decision, True, 99.0)
        engine.fail_decision(decision, KeyError(), 99.0)
        assert engine.take_events() == [] and not engine.sessions

    @CARRIERS
    def test_abort(self, upgrade: bool) -> None:
        engine = new_engine(allow_request=nobody)
        carrier, decision = start(engine, upgrade=upgrade)
        if upgrade:
            events = engine.link_closed(carrier, 1.0)
            assert carrier.state is LinkState.CLOSED
        else:
            events = engine.exchange_closed(carrier, 1.0)
            assert carrier.state is ExchangeState.ABORTED
        assert len(events) == 1
        self.check_abandoned(engine, events, decision, "the client is gone")

    @CARRIERS
    def test_close(self, upgrade: bool) -> None:
        engine = new_engine(allow_request=nobody)
        carrier, decision = start(engine, upgrade=upgrade)
        events = engine.close(1.0)
        assert answer_of(carrier).status == 503 and len(engine.dirty) == 1
        self.check_abandoned(engine, events, decision, "the server closes")
        later = new_exchange("GET", target("polling"))
        assert engine.receive_request(later, 2.0) == [] and answer_of(later).status == 503

    @CARRIERS
    def test_deadline(self, upgrade: bool) -> None:
        engine = new_engine(allow_request=nobody, generate_id=nobody, decision_timeout=5.0)
        carrier, first = start(engine, upgrade=upgrade, now=10.0)
        assert engine.deadline == 15.0
        engine.decide(first, True, 14.0)
        decision = question(engine.take_events())
        assert engine.deadline == 15.0  # all stages together
        assert engine.handle_timeout(14.9) == []
        events = engine.handle_timeout(15.0)
        assert answer_of(carrier).status == 503
        self.check_abandoned(engine, events, decision, "decision_timeout is over")

    def test_session_closed_meanwhile(self) -> None:
        engine = new_engine()
        session = open_polling(engine)
        engine.use(nobody)
        get = new_exchange("GET", target("polling", session.id))
        decision = question(engine.receive_request(get, 0.0))
        session.close(1.0, discard=True)
        engine.take_events()
        engine.decide(decision, None, 2.0)
        assert codes(engine.take_events()) == [(1, "Session ID unknown", {"sid": session.id})]
        assert answer_of(get).status == 400

    def test_session_upgraded_meanwhile(self) -> None:
        engine = new_engine()
        session = open_polling(engine)
        link = new_link(target("websocket", session.id))
        engine.receive_upgrade(link, 0.0)
        engine.use(nobody)
        get = new_exchange("GET", target("polling", session.id))
        decision = question(engine.receive_request(get, 0.0))
        engine.receive_text(link, "2probe", 0.0)
        engine.receive_text(link, "5", 0.0)
        engine.decide(decision, None, 1.0)
        ((code, _, context),) = codes(engine.take_events())
        assert (code, context["name"]) == (3, "TRANSPORT_MISMATCH")

    def test_bound(self) -> None:
        engine = new_engine(allow_request=nobody, max_undecided=2)
        first = start(engine)
        start(engine, upgrade=True)
        exchange, link = new_exchange("GET", target("polling")), new_link(target("websocket"))
        assert engine.receive_request(exchange, 0.0) == engine.receive_upgrade(link, 0.0) == []
        assert answer_of(exchange).status == answer_of(link).status == 503
        engine.decide(first[1], False, 0.0)
        engine.take_events()
        start(engine)  # there is room again

    def test_nothing_remains(self) -> None:
        engine = new_engine(allow_request=nobody)
        for now in range(50):
            _, decision = start(engine, now=float(now))
            engine.decide(decision, False, float(now))
            engine.take_events()
            exchange, _ = start(engine, now=float(now))
            engine.exchange_closed(exchange, float(now))
        engine.take_events()
        assert not engine.decisions.undecided and engine.deadline is None

    def test_no_function_no_stage(self) -> None:
        engine = new_engine(cors={"origin": "*"})
        events, response = ask(engine, "GET", target("polling"))
        assert [type(event) for event in events] == [SessionOpened] and response.status == 200


class Desk:
    """An engine whose questions a `DecisionRunner` answers, on virtual time."""

    def __init__(self, start: Start = Start.EAGER, **options: Any) -> None:
        self.clock = Clock()
        self.runtime = VirtualRuntime(self.clock, start)
        self.engine = new_engine(**options)
        self.runner = DecisionRunner(self.engine, self.runtime)
        self.runtime.after_turn = lambda: self.run([])

    def run(self, events: list[EngineEvent]) -> None:
        while events:
            for event in events:
                if not isinstance(event, SessionOpened):
                    self.runner.receive(event)  # type: ignore[arg-type]
            events = self.engine.take_events()
        pending = self.engine.take_events()
        if pending:
            self.run(pending)

    def get(self, **query: str) -> Exchange:
        exchange = new_exchange("GET", target("polling", **query))
        self.run(self.engine.receive_request(exchange, self.clock.now))
        return exchange

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.run(self.engine.handle_timeout(self.clock.now))


def both(function: Callable[..., Any], seconds: float, desk: Callable[[], Desk]) -> list[Callable[..., Any]]:
    """A function, and an async one that gives the same later."""

    async def later(*args: Any) -> Any:
        await desk().runtime.sleep(seconds)
        return function(*args)

    return [function, later]


STARTS = pytest.mark.parametrize("begin", Start)


class TestRunner:
    @STARTS
    @pytest.mark.parametrize("later", [False, True])
    def test_every_stage(self, begin: Start, later: bool) -> None:
        made: list[Desk] = []

        def pick(function: Callable[..., Any]) -> Any:
            return both(function, 1.0, lambda: made[0])[later]

        desk = Desk(
            begin,
            cors=pick(lambda *_: {"origin": pick(lambda *_: "https://b.example")}),
            allow_request=pick(lambda *_: True),
            generate_id=pick(lambda *_: "mine"),
        )
        made.append(desk)
        desk.engine.use(pick(lambda *args: args[1].headers.add("x-m", "1")))
        exchange = desk.get()
        for _ in range(6):
            desk.advance(1.0)
        response = answer_of(exchange)
        assert response.status == 200 and b'"sid":"mine"' in response.body
        assert response.headers[:3] == (
            ("Access-Control-Allow-Origin", "https://b.example"),
            ("Vary", "Origin"),
            ("x-m", "1"),
        )
        assert desk.runtime.tasks == [] and desk.runtime.reports == []

    @STARTS
    @pytest.mark.parametrize("end", ["abort", "close", "deadline"])
    @pytest.mark.parametrize("started", [False, True])
    def test_abandoned_tasks_are_cancelled(self, begin: Start, end: str, started: bool) -> None:
        made: list[str] = []

        async def allow(request: Request) -> bool:
            made.append("began")
            try:
                await desk.runtime.sleep(1000.0)
            finally:
                made.append("ended")
            return True

        desk = Desk(begin, allow_request=allow, decision_timeout=5.0)
        exchange = desk.get()
        if started:
            desk.clock.advance(0.0)
        match end:
            case "abort":
                desk.run(desk.engine.exchange_closed(exchange, desk.clock.now))
            case "close":
                desk.run(desk.engine.close(desk.clock.now))
            case _:
                desk.run(desk.engine.handle_timeout(desk.clock.now + 5.0))
        desk.clock.advance(1.0)
        assert made in ([], ["began", "ended"]) and desk.runtime.tasks == []
        texts = desk.runtime.told(Trouble.HANDLER)
        assert ["allow_request did not answer" in text for text in texts] == [True] * (end == "deadline")

    def test_connection_refused_is_a_text(self) -> None:
        def allow(request: Request) -> bool:
            raise ConnectionRefused("not you")

        desk = Desk(allow_request=allow)
        assert answer_of(desk.get()).body == b'{"code":4,"message":"not you"}'
        assert desk.runtime.told(Trouble.HANDLER) == []

    @pytest.mark.parametrize("later", [False, True])
    def test_errors_are_reported(self, later: bool) -> None:
        def allow(request: Request) -> bool:
            raise KeyError("mine")

        made: list[Desk] = []
        made.append(Desk(allow_request=both(allow, 1.0, lambda: made[0])[later]))
        (desk,) = made
        exchange = desk.get()
        desk.advance(1.0)
        assert answer_of(exchange).status == 403
        (report,) = [r for r in desk.runtime.reports if r.trouble is Trouble.HANDLER]
        assert "allow_request raised" in report.text and repr(report.error) == "KeyError('mine')"

    def test_listeners_of_refusals(self) -> None:
        desk = Desk(allow_request=lambda request: "no")
        seen: list[tuple[int, str, object]] = []

        async def slow(refused: RequestRefused) -> None:
            await desk.runtime.sleep(1.0)
            raise KeyError("late")

        desk.engine.on("connection_error", lambda r: seen.append((int(r.code), r.message, dict(r.context))))
        desk.engine.on("connection_error", slow)
        desk.engine.on("connection_error", lambda refused: seen.missing)  # type: ignore[attr-defined]
        desk.get()
        desk.advance(1.0)
        assert seen == [(4, "Forbidden", {"message": "no"})]
        assert len(desk.runtime.told(Trouble.HANDLER)) == 2
