"""One client of Engine.IO alone: getters, listening, sending, closing."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from socketio_proto import EngineSession, LocalProtocolError

from tests.sim.engine import EngineStage
from tests.sim.socketio import Visitor

transports = pytest.mark.parametrize("polling", [False, True], ids=["websocket", "polling"])


def busy_client(stage: EngineStage, *, polling: bool = False) -> tuple[Visitor, EngineSession]:
    """A client that does not read what it is sent next, for 50 bytes are on their way to it."""
    ada = stage.visitor(polling=polling, window=0)
    session = stage.session(ada)
    stage.advance()
    if ada.socket is None:
        ada.auto_poll = False
    else:
        ada.socket.down.hold()
    session.send("x" * 50)
    stage.advance()
    return ada, session


async def send(session: EngineSession, data: str) -> None:
    await session.send(data)


class TestGetters:
    @transports
    def test_what_it_knows(self, polling: bool) -> None:
        stage = EngineStage()
        ada = stage.visitor(polling=polling)
        session = stage.session(ada)
        assert session.id == ada.sid
        assert (session.state, session.protocol) == ("open", 4)
        assert session.transport == ("polling" if polling else "websocket")
        assert session.request.query["EIO"] == "4"
        assert session.remote_address == session.request.remote_address
        assert repr(session) == f"<EngineSession {ada.sid} {session.transport} open>"

    def test_data(self) -> None:
        stage = EngineStage()
        ada, bob = stage.visitor(), stage.visitor()
        stage.session(ada).data["name"] = "ada"
        assert (stage.session(ada).data, stage.session(bob).data) == ({"name": "ada"}, {})


class TestOn:
    def test_decorator_gives_the_function_back(self) -> None:
        stage = EngineStage()
        session = stage.session(stage.visitor())

        def function(data: object) -> None: ...

        assert session.on("message", function) is function
        assert session.on("message")(function) is function

    @pytest.mark.parametrize("name", ["mesage", "connection", "headers", "", 1, None])
    def test_unknown_name(self, name: Any) -> None:
        session = (stage := EngineStage()).session(stage.visitor())
        for register in (session.on, partial(session.on, handler=print)):
            with pytest.raises(
                ValueError, match="no event of the session; there are message, upgrade, close"
            ):
                register(name)

    def test_forgotten_name(self) -> None:
        session = (stage := EngineStage()).session(stage.visitor())
        with pytest.raises(LocalProtocolError, match=r"write @session.on\('message'\)"):
            session.on(lambda data: None)  # type: ignore[call-overload]

    @pytest.mark.parametrize(
        ("name", "function", "shown"),
        [
            ("message", lambda: None, "takes 0 positional arguments, but is called with (data)"),
            ("message", lambda a, b: None, "takes 2 positional arguments, but is called with (data)"),
            ("upgrade", lambda: None, "takes 0 positional arguments, but is called with (transport)"),
            ("close", lambda: None, "is called with (reason[, description])"),
            ("close", lambda a, b, c: None, "is called with (reason[, description])"),
            ("message", "print", "must be callable, not 'print'"),
        ],
    )
    def test_function_that_could_never_be_called(self, name: str, function: Any, shown: str) -> None:
        session = (stage := EngineStage()).session(stage.visitor())
        with pytest.raises(TypeError) as caught:
            session.on(name, function)
        assert shown in str(caught.value)

    @pytest.mark.parametrize(
        ("make", "heard"),
        [
            (lambda put: lambda reason: put((reason,)), ("forced close",)),
            (lambda put: lambda reason, more: put((reason, more)), ("forced close", None)),
            (lambda put: lambda reason, more="x": put((reason, more)), ("forced close", None)),
            (lambda put: lambda *how: put(how), ("forced close", None)),
            (lambda put: lambda reason, *, more=1: put((reason, more)), ("forced close", 1)),
            (lambda put: lambda reason, more, most=1: put((reason, more, most)), ("forced close", None, 1)),
        ],
    )
    def test_a_function_gets_what_it_takes(self, make: Any, heard: Any) -> None:
        stage = EngineStage()
        session = stage.session(stage.visitor())
        session.on("close", make(stage.heard.append))
        session.close()
        stage.advance()
        assert stage.heard == [heard]

    def test_after_the_end_it_does_nothing(self) -> None:
        stage = EngineStage()
        ada = stage.visitor()
        session = stage.session(ada)
        session.close()
        stage.advance()
        session.on("close", lambda reason: stage.heard.append(reason))
        with pytest.raises(ValueError, match="no event"):
            session.on("closed", print)
        stage.advance()
        assert stage.heard == []


class TestSend:
    @transports
    def test_text_and_bytes_in_order(self, polling: bool) -> None:
        stage = EngineStage()
        ada = stage.visitor(polling=polling)
        session = stage.session(ada)
        for data in ("grüße 🚀", b"\x00\xff", "", b""):
            session.send(data)
        stage.advance()
        assert ada.take() == ["grüße 🚀", b"\x00\xff", "", b""]

    @pytest.mark.parametrize("data", [None, 1, {"a": 1}, ["a"], bytearray(b"a"), memoryview(b"a")])
    def test_wrong_type_raises_and_sends_nothing(self, data: Any) -> None:
        stage = EngineStage()
        ada = stage.visitor()
        with pytest.raises(TypeError, match="a message is str or bytes, not"):
            stage.session(ada).send(data)
        stage.advance()
        assert ada.take() == []

    @pytest.mark.parametrize("compress", [True, False])
    def test_compress_is_told_to_the_transport(self, compress: bool) -> None:
        stage = EngineStage()
        ada = stage.visitor()
        stage.session(ada).send("x", compress=compress)
        assert ada.socket is not None
        (outgoing,) = ada.socket.server.link.take()
        assert outgoing.compress is compress

    def test_it_is_ready_under_the_mark(self) -> None:
        stage = EngineStage(high_water_mark=100)
        ada = stage.visitor(window=10)
        assert stage.session(ada).send("x" * 90) is stage.runtime.ready

    @transports
    def test_over_the_mark_it_waits_for_the_client(self, polling: bool) -> None:
        stage = EngineStage(high_water_mark=100)
        ada, session = busy_client(stage, polling=polling)
        task = stage.run(send(session, "y" * 200))
        stage.advance(1.0)
        assert not task.done
        if ada.socket is None:
            ada.poll()
        else:
            ada.socket.down.release()
        stage.advance()
        assert task.done
        assert ada.take() == ["x" * 50, "y" * 200]

    @pytest.mark.parametrize("end", ["leave", "close", "server"])
    def test_the_end_of_the_session_ends_the_wait(self, end: str) -> None:
        stage = EngineStage(high_water_mark=100)
        ada, session = busy_client(stage)
        task = stage.run(send(session, "y" * 200))
        assert not task.done
        if end == "leave":
            ada.leave()
        elif end == "close":
            session.close()
        else:
            stage.command(stage.server.close, stage.clock.now)
        stage.advance()
        assert task.done and task.error is None

    def test_waiting_needs_no_poll_of_its_own_when_a_decision_is_over(self) -> None:
        """A poll that waits for a middleware is what the sender waits for."""
        stage = EngineStage(high_water_mark=100)
        ada = stage.visitor(polling=True)
        stage.server.use(lambda request, response: stage.runtime.sleep(1.0))
        session = stage.session(ada)
        session.send("x")
        stage.advance()  # the next GET waits for the middleware now
        ada.auto_poll = False
        task = stage.run(send(session, "y" * 200))
        assert not task.done
        stage.advance(1.1)
        assert task.done and ada.take() == ["x", "y" * 200]

    @pytest.mark.parametrize("first", ["messages", "upgrade"])
    def test_a_client_that_upgrades_is_not_waited_for(self, first: str) -> None:
        """It does not poll before its last POST is answered, which waits for the handlers, which would wait for it."""
        stage = EngineStage(high_water_mark=100, max_handlers=2, max_inbox=2, slice=2)

        @stage.server.on("connection")
        def connected(session: EngineSession) -> None:
            @session.on("message")
            async def echo(data: str) -> None:
                await session.send(data * 60)

        ada = stage.visitor(polling=True)
        ada.auto_poll = False
        stage.session(ada).send("answers the poll")
        stage.advance()
        numbers = [chr(65 + n) for n in range(20)]
        if first == "messages":
            ada.send(*numbers)
            stage.advance(1.0)
            assert stage.server.sessions[ada.sid].paused, "the handlers wait for a poll"
        candidate = ada.websocket()
        candidate.send("2probe")
        stage.advance()
        if first == "upgrade":
            ada.send(*numbers)
        stage.advance(1.0)
        assert candidate.packets == ["3probe"]
        assert ada.posted, "the POST is answered"
        candidate.send("5")
        stage.advance(1.0)
        assert ada.take() == ["answers the poll", *[n * 60 for n in numbers]]

    @transports
    def test_a_full_buffer_closes_and_is_reported(self, polling: bool) -> None:
        stage = EngineStage(max_send_buffer=1000)
        stage.listen()
        ada, session = busy_client(stage, polling=polling)
        session.send("x" * 900)
        session.send("y" * 900)
        stage.advance()
        ((kind, reason, description),) = stage.heard
        assert (kind, reason) == ("close", "forced close")
        assert "max_send_buffer=1000" in description
        (text,) = [report.text for report in stage.runtime.reports]
        assert ada.sid in text and "send buffer full" in text


class TestClose:
    def test_what_was_sent_goes_out_first(self) -> None:
        stage = EngineStage()
        ada = stage.visitor()
        session = stage.session(ada)
        session.send("last")
        session.close()
        session.send("too late")
        assert session.state == "closed"
        stage.advance()
        assert ada.take() == ["last"] and ada.gone

    def test_discard(self) -> None:
        stage = EngineStage()
        ada = stage.visitor()
        session = stage.session(ada)
        session.send("last")  # it could leave at once
        session.close(discard=True)
        stage.advance()
        assert ada.take() == ["last"] and ada.gone

    def test_on_polling_the_next_get_learns_it(self) -> None:
        stage = EngineStage()
        stage.listen()
        ada = stage.visitor(polling=True)
        ada.auto_poll = False
        session = stage.session(ada)
        session.send("1")
        stage.advance()
        session.send("last")
        session.close()
        stage.advance()
        assert session.state == "closing" and stage.heard == []
        for _ in range(2):
            ada.poll()
            stage.advance()
        assert ada.take() == ["1", "last"]
        assert session.state == "closed" and stage.heard == [("close", "forced close", None)]

    def test_twice(self) -> None:
        stage = EngineStage()
        stage.listen()
        session = stage.session(stage.visitor())
        session.close()
        session.close()
        stage.advance()
        assert stage.heard == [("close", "forced close", None)]

    @transports
    def test_nothing_is_delivered_after_it(self, polling: bool) -> None:
        stage = EngineStage()

        @stage.server.on("connection")
        def connected(session: EngineSession) -> None:
            @session.on("message")
            def message(data: str) -> None:
                stage.heard.append(data)
                if data == "2":
                    session.close()

            session.on("close", stage.heard.append)

        ada = stage.visitor(polling=polling)
        ada.send("1", "2", "3", "4")  # decoded in one go on polling
        stage.advance()
        assert stage.heard == ["1", "2", "forced close"]
        assert ada.gone
