"""Engine.IO alone: its handlers run in order, bounded, and apart from each other."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from engineio_proto import MessageReceived, RequestRefused, Session, SessionUpgraded
from socketio_proto import EngineSession, LocalProtocolError, Trouble
from socketio_proto._engine_session import EnginePeer

from tests.sim.engine import EngineStage
from tests.sim.runtime import Start, VirtualWaiter

starts = pytest.mark.parametrize("start", list(Start))
transports = pytest.mark.parametrize("polling", [False, True], ids=["websocket", "polling"])


class TestConnection:
    @transports
    def test_it_gets_the_session(self, polling: bool) -> None:
        stage = EngineStage()
        opened: list[EngineSession] = []

        @stage.server.on("connection")
        def connected(session: EngineSession) -> None:
            assert stage.server.clients[session.id] is session
            opened.append(session)
            session.send("welcome")

        ada = stage.visitor(polling=polling)
        stage.advance()
        assert opened == [stage.session(ada)]
        assert ada.take() == ["welcome"]

    @starts
    def test_messages_wait_until_it_has_started(self, start: Start) -> None:
        """What it registers before its first await hears the first message, wherever tasks start late."""
        stage = EngineStage(start=start)

        @stage.server.on("connection")
        async def connected(session: EngineSession) -> None:
            session.on("message", stage.heard.append)
            await stage.runtime.sleep(1.0)
            stage.heard.append("connected")

        ada = stage.visitor()
        ada.send("first", "second")
        stage.advance(2.0)
        assert stage.heard == ["first", "second", "connected"]

    def test_without_handlers_nothing_happens(self) -> None:
        stage = EngineStage()
        ada = stage.visitor(polling=True)
        ada.send("x", b"y")
        ada.upgrade()
        ada.say_goodbye()
        stage.advance()
        assert stage.server.clients == {} and stage.runtime.reports == []


class TestMessages:
    @starts
    @transports
    def test_handlers_start_in_order_of_arrival(self, start: Start, polling: bool) -> None:
        stage = EngineStage(start=start)
        ended: list[str] = []

        @stage.server.on("connection")
        def connected(session: EngineSession) -> None:
            @session.on("message")
            async def slow(data: str) -> None:
                stage.heard.append(data)
                await stage.runtime.sleep(5.0 - int(data))
                ended.append(data)

            @session.on("message")
            def quick(data: str) -> None:
                stage.heard.append(f"then {data}")

        ada = stage.visitor(polling=polling)
        ada.send("1", "2", "3")
        stage.advance(6.0)
        assert [data for data in stage.heard if data in "123"] == ["1", "2", "3"]
        assert [data for data in stage.heard if data not in "123"] == ["then 1", "then 2", "then 3"]
        assert ended == ["3", "2", "1"], "they overlap"

    def test_text_and_bytes(self) -> None:
        stage = EngineStage()
        stage.listen()
        ada = stage.visitor()
        ada.send("", b"", "grüße", b"\xff")
        stage.advance()
        assert stage.heard == ["", b"", "grüße", b"\xff"]

    @transports
    def test_what_came_before_the_client_left_is_delivered(self, polling: bool) -> None:
        stage = EngineStage()
        stage.listen()
        ada = stage.visitor(polling=polling)
        ada.say_goodbye("a", "b")
        stage.advance()
        assert stage.heard == ["a", "b", ("close", "transport close", None)]

    @starts
    @transports
    def test_bound_of_handlers_at_once(self, start: Start, polling: bool) -> None:
        stage = EngineStage(start=start, max_handlers=2, max_inbox=3)
        running: list[str] = []

        @stage.server.on("connection")
        def connected(session: EngineSession) -> None:
            @session.on("message")
            async def work(data: str) -> None:
                running.append(data)
                assert len(running) <= 2
                await stage.runtime.sleep(1.0)
                running.remove(data)
                stage.heard.append(data)

        ada = stage.visitor(polling=polling)
        names = [str(n) for n in range(20)]
        for name in names:
            ada.send(name)
        stage.advance(0.5)
        # Two run, some wait, the rest is not even read.
        assert running == ["0", "1"] and ada.sid in stage.server.clients
        assert stage.server.sessions[ada.sid].paused
        stage.advance(20.0)
        assert stage.heard == names
        assert not stage.server.sessions[ada.sid].paused

    def test_the_end_lets_all_that_waits_start(self) -> None:
        stage = EngineStage(max_handlers=1)
        waiters: list[VirtualWaiter] = []

        @stage.server.on("connection")
        def connected(session: EngineSession) -> None:
            session.on("close", stage.heard.append)

            @session.on("message")
            async def work(data: str) -> None:
                stage.heard.append(data)
                waiters.append(stage.runtime.waiter())
                await waiters[-1]

        ada = stage.visitor()
        ada.send("1", "2", "3")
        stage.advance()
        assert stage.heard == ["1"]
        ada.leave()
        stage.advance()
        assert stage.heard == ["1", "2", "3", "transport close"]
        for waiter in waiters:
            waiter.set(None)
        stage.advance()
        assert stage.runtime.tasks == []

    def test_the_hard_bound_closes_and_is_reported(self) -> None:
        stage = EngineStage(max_handlers=1, max_inbox=1, slice=1)
        never = stage.runtime.waiter()

        @stage.server.on("connection")
        def connected(session: EngineSession) -> None:
            session.on("close", lambda *how: stage.heard.append(how))

            @session.on("message")
            async def work(data: str) -> None:
                await never

        ada = stage.visitor()
        assert ada.socket is not None
        session = stage.server.sessions[ada.sid]
        # A wire that does not mind the pause.
        for _ in range(6):
            stage.host.run(stage.server.receive_text, session.link, "4x", stage.clock.now)
        ((reason, description),) = stage.heard
        assert (reason, description[:12]) == ("forced close", "inbox full: ")
        (text,) = stage.runtime.told(Trouble.CLOSED)
        assert "5 events" in text and "max_inbox=1" in text
        never.set(None)
        stage.advance()


class TestUpgrade:
    @starts
    def test_it_keeps_its_place(self, start: Start) -> None:
        stage = EngineStage(start=start)
        stage.listen()
        ada = stage.visitor(polling=True)
        ada.send("before")
        stage.advance()
        ada.upgrade()
        ada.send("after")
        stage.advance()
        assert stage.heard == ["before", ("upgrade", "websocket"), "after"]
        assert stage.session(ada).transport == "websocket"

    def test_of_a_session_that_was_closed_meanwhile(self) -> None:
        """The handler of the message before starts late, and closes."""
        stage = EngineStage(start=Start.IN_ORDER)

        @stage.server.on("connection")
        def connected(session: EngineSession) -> None:
            for name in ("upgrade", "close"):
                session.on(name, stage.heard.append)

            @session.on("message")
            async def work(data: str) -> None:
                stage.heard.append(data)
                session.close()

        ada = stage.visitor(polling=True)
        session = stage.server.sessions[ada.sid]
        now = stage.clock.now
        ada.websocket()
        stage.advance()
        server = stage.server
        link = session.upgrade.link
        events = [MessageReceived(session, "x"), *server.receive_text(link, "2probe", now)]
        events += [*server.receive_text(link, "5", now), *server.receive_text(link, "4y", now)]
        assert [type(event) for event in events] == [MessageReceived, SessionUpgraded, MessageReceived]
        stage.host.run(lambda: events)
        stage.advance()
        assert stage.heard == ["x", "forced close"]


class TestApart:
    @pytest.mark.parametrize("late", [False, True], ids=["plain", "async"])
    @pytest.mark.parametrize("name", ["connection", "message", "upgrade", "close"])
    def test_a_handler_that_raises_is_reported_and_harms_nobody(self, name: str, late: bool) -> None:
        stage = EngineStage()
        error = RuntimeError("mine")

        def broken(what: object) -> Any:
            if not late:
                raise error

            async def later() -> None:
                raise error

            return later()

        @stage.server.on("connection")
        def first(session: EngineSession) -> None:
            if name != "connection":
                session.on(name, broken)

        if name == "connection":
            stage.server.on(name, broken)
        stage.listen()  # its handlers come after
        ada, bob = stage.visitor(polling=True), stage.visitor(polling=True)
        for client in (ada, bob):
            client.send("hello")
            stage.advance()
            client.upgrade()
            client.say_goodbye()
            stage.advance()
        each = ["hello", ("upgrade", "websocket"), ("close", "transport close", None)]
        assert stage.heard == each * 2
        reports = [report for report in stage.runtime.reports if report.trouble is Trouble.HANDLER]
        assert [report.error for report in reports] == [error] * 2
        assert all(f"handler of {name!r} raised for <Session" in report.text for report in reports)

    def test_what_ends_the_process_goes_on_upwards(self) -> None:
        stage = EngineStage()

        @stage.server.on("connection")
        def connected(session: EngineSession) -> None:
            @session.on("message")
            def interrupted(data: str) -> None:
                raise KeyboardInterrupt

        ada = stage.visitor()
        ada.send("x")
        with pytest.raises(KeyboardInterrupt):
            stage.advance()


class TestDoor:
    def test_decisions_and_refusals(self) -> None:
        async def allow(request: Any) -> bool:
            await stage.runtime.sleep(1.0)
            return request.query.get("token") == "yes"

        stage = EngineStage(allow_request=allow)
        refusals: list[RequestRefused] = []
        stage.server.on("connection_error", refusals.append)

        @stage.server.use
        def stamp(request: Any, response: Any) -> None:
            response.headers["x-door"] = "open"

        @stage.server.on("initial_headers")
        def initial(headers: Any, request: Any) -> None:
            headers["x-first"] = "1"

        ada, bob = stage.visitor(), stage.visitor()
        good = ada.websocket(token="yes")
        bad = bob.websocket(token="no")
        stage.advance(1.0)
        assert good.accepted is not None and ("x-door", "open") in good.accepted
        assert ("x-first", "1") in good.accepted
        assert bad.refused is not None and bad.refused.status == 400
        assert {refused.code for refused in refusals} == {4}


class TestOn:
    def test_decorator_gives_the_function_back(self) -> None:
        server = EngineStage().server

        def function(what: object) -> None: ...

        for name in ("connection", "connection_error"):
            assert server.on(name, function) is function
            assert server.on(name)(function) is function

    @pytest.mark.parametrize("name", ["conection", "message", "close", 1, None])
    def test_unknown_name(self, name: Any) -> None:
        server = EngineStage().server
        for register in (server.on, partial(server.on, function=print)):
            with pytest.raises(
                ValueError, match="no event of the engine; there are connection, connection_error"
            ):
                register(name)

    def test_forgotten_name(self) -> None:
        with pytest.raises(LocalProtocolError, match=r"write @engine.on\('connection'\)"):
            EngineStage().server.on(lambda session: None)

    @pytest.mark.parametrize("name", ["connection", "connection_error", "headers", "initial_headers"])
    def test_function_that_could_never_be_called(self, name: str) -> None:
        with pytest.raises(TypeError, match="called with"):
            EngineStage().server.on(name, lambda: None)


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "error", "text"),
        [
            ({"max_handler": 1}, TypeError, "did you mean 'max_handlers'"),
            ({"ping_intervall": 1}, TypeError, "did you mean 'ping_interval'"),
            ({"max_inbox": 0}, ValueError, "max_inbox must be at least 1, not 0"),
            ({"high_water_mark": "1"}, TypeError, "high_water_mark must be an integer, not '1'"),
            ({"ping_interval": -1}, ValueError, "ping_interval"),
            ({"serve_client": True}, TypeError, "unknown option 'serve_client'"),
            ({"cors": {"origins": "*"}}, TypeError, "did you mean 'origin'"),
        ],
    )
    def test_wrong_ones_are_named(self, options: dict[str, Any], error: type[Exception], text: str) -> None:
        with pytest.raises(error, match=text):
            EngineStage(**options)

    def test_path(self) -> None:
        assert EngineStage().server.owns("/engine.io/?EIO=4")
        assert EngineStage(path="/live").server.owns("/live/")


def test_close_ends_every_session() -> None:
    stage = EngineStage()
    stage.listen()
    ada, bob = stage.visitor(), stage.visitor(polling=True)
    stage.command(stage.server.close, stage.clock.now)
    assert stage.heard == [("close", "forced close", None)] * 2
    assert ada.gone and bob.gone and stage.server.clients == {}


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@starts
@pytest.mark.usefixtures("_no_collector")
def test_sessions_leave_nothing_behind(start: Start) -> None:
    """Listeners that hold their session are a cycle, which its end unties."""
    stage = EngineStage(start=start)

    @stage.server.on("connection")
    def connected(session: EngineSession) -> None:
        session.data["self"] = session

        @session.on("message")
        async def message(data: str) -> None:
            await session.send(data * 3)

        @session.on("close")
        async def close(reason: str) -> None:
            await stage.runtime.sleep(0.1)
            session.on("message", message)
            del session.data["self"]

    def alive() -> int:
        kinds = (Session, EnginePeer, EngineSession)
        return sum(isinstance(thing, kinds) for thing in gc.get_objects())

    before = alive()
    for number in range(1000):
        ada = stage.visitor()  # on polling the requests of these clients would keep their session
        ada.send("x")
        stage.advance()
        if number % 3:
            ada.say_goodbye()
        else:
            stage.session(ada).close(discard=True)
        stage.advance(1.0)
        stage.events.clear()
    assert alive() - before < 10
