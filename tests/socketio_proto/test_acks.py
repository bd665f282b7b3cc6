"""Acknowledgements, both ways."""

from __future__ import annotations

from typing import Any

import pytest
from engineio_proto import Outgoing
from socketio_parser import EncodeError
from socketio_proto import (
    Ack,
    AckDisconnected,
    AckError,
    AckTimeout,
    LocalProtocolError,
    ReservedEventError,
    Socket,
    Trouble,
)

from tests.sim.runtime import Cancelled, Start, Task
from tests.sim.socketio import Stage

starts = pytest.mark.parametrize("start", list(Start))


class TestAnswers:
    """The client asks."""

    @pytest.mark.parametrize("later", [False, True])
    @pytest.mark.parametrize(
        ("value", "answer"),
        [
            (None, "[]"),
            ((), "[]"),
            (0, "[0]"),
            ("ok", '["ok"]'),
            ((1, "two"), '[1,"two"]'),
            ([1, 2], "[[1,2]]"),
            ({"a": None}, '[{"a":null}]'),
            ((None,), "[null]"),
        ],
    )
    def test_returned_values(self, value: object, answer: str, later: bool) -> None:
        stage = Stage()

        async def work(socket: Socket) -> object:
            await stage.runtime.sleep(1.0)
            return value

        stage.server.on("ask", work if later else lambda socket: value)
        ada = stage.connect()
        ada.send('27["ask"]', '2["ask"]')
        stage.advance(1.0)
        assert ada.take() == [f"37{answer}"]

    def test_in_a_namespace(self) -> None:
        stage = Stage()
        stage.server.of("/a").on("ask", lambda socket: "ok")
        ada = stage.connect("/a")
        ada.send('2/a,7["ask"]')
        stage.advance()
        assert ada.take() == ['3/a,7["ok"]']

    def test_binary(self) -> None:
        stage = Stage()
        stage.server.on("ask", lambda socket, data: data + b"!")
        ada = stage.connect(polling=True)
        ada.send('51-7["ask",{"_placeholder":true,"num":0}]', b"hey")
        stage.advance()
        assert ada.take() == ['61-7[{"_placeholder":true,"num":0}]', b"hey!"]

    def test_first_listener_answers(self) -> None:
        stage = Stage()
        called: list[int] = []
        for n in range(3):

            @stage.server.on("ask")
            def ask(socket: Socket, n: int = n) -> int:
                called.append(n)
                return n

        ada = stage.connect()
        ada.send('27["ask"]')
        stage.advance()
        assert called == [0, 1, 2]
        assert ada.take() == ["37[0]"]

    @starts
    @pytest.mark.parametrize("own", [False, True])
    def test_the_first_registered_answers_not_the_first_to_finish(self, start: Start, own: bool) -> None:
        stage = Stage(start=start)
        ada = stage.connect()
        socket = stage.socket(ada)

        async def slow(*args: object) -> str:
            await stage.runtime.sleep(2.0)
            return "first"

        async def quick(*args: object) -> str:
            await stage.runtime.sleep(1.0)
            return "second"

        who = socket if own else stage.server
        who.on("ask", slow)
        who.on("ask", quick)
        who.on("ask", lambda *args: "third")
        socket.on("ask", lambda *args: "the socket's own")
        ada.send('27["ask"]')
        stage.advance(1.5)
        assert ada.take() == []
        stage.advance(0.5)
        assert ada.take() == ['37["first"]']

    def test_the_first_of_all_is_the_namespaces(self) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.socket(ada).on("ask", lambda: "own")
        stage.server.on("ask", lambda socket: "namespace")
        ada.send('27["ask"]')
        stage.advance()
        assert ada.take() == ['37["namespace"]']

    def test_an_ack_parameter_of_a_later_listener_is_not_wanted(self) -> None:
        stage = Stage()
        wanted: list[bool] = []
        stage.server.on("ask", lambda socket: "first")

        @stage.server.on("ask")
        def second(socket: Socket, ack: Ack) -> None:
            wanted.append(ack.wanted)
            ack("second")

        ada = stage.connect()
        ada.send('27["ask"]')
        stage.advance()
        assert (wanted, ada.take()) == ([False], ['37["first"]'])

    def test_nobody_listens_nobody_answers(self) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.socket(ada).on_any(lambda event: "no answer")
        ada.send('27["ask"]')
        stage.advance()
        assert ada.take() == []

    def test_first_listener_that_raises_sends_none(self) -> None:
        stage = Stage()

        @stage.server.on("ask")
        def bad(socket: Socket) -> None:
            raise RuntimeError

        stage.server.on("ask", lambda socket: "second")
        ada = stage.connect()
        ada.send('27["ask"]')
        stage.advance()
        assert ada.take() == []
        assert len(stage.runtime.told(Trouble.HANDLER)) == 1

    def test_async_handler_that_raises_sends_none(self) -> None:
        stage = Stage()

        @stage.server.on("ask")
        async def bad(socket: Socket) -> None:
            await stage.runtime.sleep()
            raise RuntimeError

        ada = stage.connect()
        ada.send('27["ask"]')
        stage.advance()
        assert ada.take() == []
        assert len(stage.runtime.told(Trouble.HANDLER)) == 1

    @pytest.mark.parametrize("later", [False, True])
    def test_a_value_that_cannot_be_sent(self, later: bool) -> None:
        stage = Stage()

        async def work(socket: Socket) -> object:
            return object()

        stage.server.on("ask", work if later else lambda socket: object())
        ada = stage.connect()
        ada.send('27["ask"]', '28["ask"]')
        stage.advance()
        assert ada.take() == []
        assert {type(report.error) for report in stage.runtime.reports} == {EncodeError}
        assert not ada.gone

    def test_only_the_first_call_counts(self) -> None:
        stage = Stage()
        kept: list[Ack] = []
        wanted: list[bool] = []

        @stage.server.on("ask")
        def ask(socket: Socket, ack: Ack) -> str:
            kept.append(ack)
            wanted.append(ack.wanted)
            return "is not sent"

        ada = stage.connect()
        ada.send('27["ask"]', '2["ask"]')
        stage.advance()
        assert wanted == [True, False]
        assert ada.take() == []
        for ack in kept:
            ack(1, "two")
            ack("again")
            assert not ack.wanted
        stage.advance()
        assert ada.take() == ['37[1,"two"]']

    def test_after_the_namespace_was_left(self) -> None:
        stage = Stage()
        kept: list[Ack] = []

        @stage.server.on("ask")
        def ask(socket: Socket, ack: Ack) -> None:
            kept.append(ack)
            socket.disconnect()

        ada = stage.connect()
        ada.send('27["ask"]')
        stage.advance()
        kept[0]("late")
        stage.advance()
        assert ada.take() == ["1", '37["late"]']

    def test_after_the_client_is_gone(self) -> None:
        stage = Stage()
        kept: list[Ack] = []

        @stage.server.on("ask")
        def ask(socket: Socket, ack: Ack) -> None:
            kept.append(ack)

        ada = stage.connect()
        ada.send('27["ask"]')
        ada.leave()
        stage.advance()
        kept[0]("late")
        stage.advance()
        assert ada.take() == []


class TestQuestions:
    """The server asks one client."""

    def ask(self, stage: Stage, asked: Any, *args: object) -> Task:
        return stage.run(asked.emit_with_ack("question", *args))

    @pytest.mark.parametrize(
        ("answer", "value"),
        [("[]", None), ("", None), ("[1]", 1), ("[null]", None), ('[1,"b"]', (1, "b")), ("[[1,2]]", [1, 2])],
    )
    def test_values(self, answer: str, value: object) -> None:
        stage = Stage()
        ada = stage.connect()
        task = self.ask(stage, stage.socket(ada), 1, b"x")
        assert ada.take() == ['51-0["question",1,{"_placeholder":true,"num":0}]', b"x"]
        assert not task.done
        ada.send(f"30{answer}")
        stage.advance()
        assert (task.value, task.error) == (value, None)

    def test_ids_are_per_namespace(self) -> None:
        stage = Stage()
        ada, bob, eve = (
            stage.connect(),
            stage.connect(),
            stage.connect("/a") if stage.server.of("/a") else None,
        )
        assert eve is not None
        for visitor, namespace in ((ada, "/"), (bob, "/"), (eve, "/a"), (ada, "/")):
            self.ask(stage, stage.socket(visitor, namespace))
        assert ada.take() == ['20["question"]', '22["question"]']
        assert bob.take() == ['21["question"]']
        assert eve.take() == ['2/a,0["question"]']

    def test_unknown_and_repeated_answers_are_ignored(self) -> None:
        stage = Stage()
        ada, bob = stage.connect(), stage.connect()
        task = self.ask(stage, stage.socket(ada))
        ada.send('37["other"]', '3["no id"]', '30["first"]', '30["second"]')
        bob.send('30["somebody else\'s"]')
        stage.advance()
        assert task.value == "first"
        assert not ada.gone
        assert not bob.gone

    def test_answers_of_another_client_do_not_count(self) -> None:
        stage = Stage()
        ada, bob = stage.connect(), stage.connect()
        task, other = self.ask(stage, stage.socket(ada)), self.ask(stage, stage.socket(bob))
        bob.send('30["forged"]')
        stage.advance()
        assert not task.done
        assert not other.done

    def test_timeout_is_exact(self) -> None:
        stage = Stage(ping_interval=100.0)
        ada = stage.connect()
        socket = stage.socket(ada)
        stage.advance(20.0)  # nothing happens in between
        task = self.ask(stage, socket.timeout(5.0))
        stage.advance(4.999)
        assert not task.done
        stage.advance(0.001)
        assert stage.time == 25.0
        assert isinstance(task.error, AckTimeout)
        assert str(task.error) == "operation has timed out"
        assert task.error.responses == []
        ada.send("30[]")
        stage.advance()
        assert not ada.gone
        assert stage.server.sockets.sockets[ada.id].connection.awaiting == 0

    def test_timeouts_of_any_order(self) -> None:
        stage = Stage(ping_interval=100.0)
        socket = stage.socket(stage.connect())
        tasks = {seconds: self.ask(stage, socket.timeout(seconds)) for seconds in (3.0, 1.0, 2.0)}
        for second in (1.0, 2.0, 3.0):
            stage.advance(1.0)
            assert {s for s, task in tasks.items() if task.done} == {s for s in tasks if s <= second}

    def test_answer_in_time(self) -> None:
        stage = Stage(ping_interval=100.0)
        ada = stage.connect()
        task = self.ask(stage, stage.socket(ada).timeout(5.0).compress(False).volatile)
        stage.advance(4.999)
        ada.send("30[7]")
        stage.advance()
        assert task.value == 7
        stage.advance(10.0)
        assert stage.server.deadline == pytest.approx(stage.clock.now - 14.999 + 100.0)

    def test_disconnection(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        tasks = [self.ask(stage, socket), self.ask(stage, socket.timeout(5.0))]
        ada.send("1")
        stage.advance()
        for task in [*tasks, self.ask(stage, socket), self.ask(stage, socket.timeout(5.0))]:
            assert isinstance(task.error, AckDisconnected)
            assert isinstance(task.error, AckError)
            assert str(task.error) == "socket has been disconnected"
        stage.advance(10.0)

    def test_without_timeout_it_waits(self) -> None:
        stage = Stage()
        ada = stage.connect()
        task = self.ask(stage, stage.socket(ada))
        stage.advance(10_000.0)
        assert not task.done

    @starts
    def test_cancelled(self, start: Start) -> None:
        stage = Stage(start=start, ping_interval=100.0)
        ada = stage.connect()
        socket = stage.socket(ada)
        task = self.ask(stage, socket.timeout(5.0))
        assert (socket.connection.awaiting, len(socket._acks)) == (1, 1)
        task.cancel()
        assert isinstance(task.error, Cancelled)
        assert (socket.connection.awaiting, socket._acks) == (0, None)
        assert stage.server.deadline == pytest.approx(stage.clock.now + 100.0)
        ada.send("30[]")
        stage.advance(10.0)
        assert not ada.gone

    def test_max_pending_acks(self) -> None:
        stage = Stage(max_pending_acks=2)
        ada = stage.connect()
        socket = stage.socket(ada)
        first, second, third = (self.ask(stage, socket) for _ in range(3))
        assert isinstance(third.error, LocalProtocolError)
        assert "max_pending_acks" in str(third.error)
        assert ada.take() == ['20["question"]', '21["question"]']
        ada.send("30[]")
        stage.advance()
        assert first.done
        assert not self.ask(stage, socket).done
        assert not second.done

    def test_nothing_of_a_question_that_cannot_be_sent(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())
        task = self.ask(stage, socket.timeout(5.0), object())
        assert isinstance(task.error, EncodeError)
        assert (socket.connection.awaiting, socket._acks) == (0, None)
        reserved = stage.run(socket.emit_with_ack("disconnect"))
        assert isinstance(reserved.error, ReservedEventError)

    def test_a_full_send_buffer_ends_it(self) -> None:
        stage = Stage(max_send_buffer=1000)
        ada = stage.connect(window=1)
        assert ada.socket is not None
        ada.socket.down.hold()
        socket = stage.socket(ada)
        for _ in range(3):
            socket.emit("big", "x" * 300)
            stage.advance()
        task = self.ask(stage, socket, "x" * 500)
        assert isinstance(task.error, AckDisconnected)


class TestQuestionsToMany:
    def ask(self, stage: Stage, asked: Any) -> Task:
        return stage.run(asked.emit_with_ack("question"))

    def test_first_arguments_in_order_of_arrival(self) -> None:
        stage = Stage()
        visitors = [stage.connect(polling=n == 1) for n in range(3)]
        task = self.ask(stage, stage.server.timeout(5.0))
        for visitor in visitors:
            assert visitor.take() == ['20["question"]']
        for n in (2, 0, 1):
            assert not task.done
            visitors[n].send(f"30[{n},99]" if n else "30[]")
            stage.advance()
        assert task.value == [2, None, 1]
        assert stage.server.sockets.next_ack_id() == 1

    def test_timeout_has_the_answers_so_far(self) -> None:
        stage = Stage(ping_interval=100.0)
        visitors = [stage.connect() for _ in range(3)]
        task = self.ask(stage, stage.server.timeout(5.0))
        visitors[1].send("30[1]")
        stage.advance(4.999)
        assert not task.done
        stage.advance(0.001)
        assert isinstance(task.error, AckTimeout)
        assert task.error.responses == [1]
        assert all(stage.socket(visitor)._acks is None for visitor in visitors)

    def test_a_client_that_leaves_stays_missing(self) -> None:
        stage = Stage(ping_interval=100.0)
        ada, bob, eve = (stage.connect() for _ in range(3))
        task = self.ask(stage, stage.server.timeout(5.0))
        ada.leave()
        bob.send("30[1]")
        stage.advance()
        eve.leave()
        stage.advance(4.999)
        assert not task.done
        stage.advance(0.001)
        assert isinstance(task.error, AckTimeout)
        assert task.error.responses == [1]

    def test_nobody(self) -> None:
        stage = Stage()
        ada = stage.connect()
        assert self.ask(stage, stage.server.to("nowhere").timeout(5.0)).value == []
        assert self.ask(stage, stage.socket(ada).broadcast.timeout(5.0)).value == []
        assert ada.take() == []

    def test_volatile_asks_those_who_can_take_it(self) -> None:
        stage = Stage()
        ada, bob = stage.connect(), stage.connect(polling=True)
        bob.auto_poll = False
        stage.server.emit("release the poll")
        stage.advance()
        task = self.ask(stage, stage.server.volatile.timeout(5.0))
        ada.send("30[1]")
        stage.advance()
        assert task.value == [1]

    def test_max_pending_acks(self) -> None:
        """A client that owes too many answers is not waited for, and no other suffers from it."""
        stage = Stage(max_pending_acks=2)
        ada, bob = stage.connect(), stage.connect()
        for n in range(4):
            task = self.ask(stage, stage.server.timeout(5.0))
            bob.send(f"3{n}[{n}]")
            stage.advance()
            assert not task.done
        socket = stage.socket(ada)
        assert (len(socket._acks), socket.connection.awaiting) == (2, 2)
        assert len(ada.take()) == 4
        assert isinstance(self.ask(stage, socket).error, LocalProtocolError)
        ada.send("33[5]")
        stage.advance(5.0)
        assert isinstance(task.error, AckTimeout)
        assert task.error.responses == [3]
        assert socket._acks is None
        task = self.ask(stage, stage.server.timeout(5.0))
        for visitor in (ada, bob):
            visitor.send("34[1]")
        stage.advance()
        assert task.value == [1, 1]

    @pytest.mark.parametrize("what", ["to", "broadcast", "server", "namespace"])
    def test_a_timeout_is_required(self, what: str) -> None:
        stage = Stage()
        ada = stage.connect()
        operator = {
            "to": stage.server.to("x"),
            "broadcast": stage.socket(ada).broadcast,
            "server": stage.server,
            "namespace": stage.server.of("/a"),
        }[what]
        task = self.ask(stage, operator)
        assert isinstance(task.error, LocalProtocolError)
        assert ".timeout(5.0)" in str(task.error)

    def test_reserved(self) -> None:
        stage = Stage()
        task = stage.run(stage.server.timeout(5.0).emit_with_ack("connect"))
        assert isinstance(task.error, ReservedEventError)

    def test_cancelled(self) -> None:
        stage = Stage()
        visitors = [stage.connect() for _ in range(3)]
        task = self.ask(stage, stage.server.timeout(5.0))
        visitors[0].send("30[]")
        stage.advance()
        task.cancel()
        assert all(stage.socket(visitor)._acks is None for visitor in visitors)
        assert all(stage.socket(visitor).connection.awaiting == 0 for visitor in visitors)

    def test_one_message_for_all(self) -> None:
        stage = Stage()
        visitors = [stage.connect() for _ in range(3)]
        stage.runtime.run(stage.server.timeout(5.0).emit_with_ack("question"))
        queued: list[Outgoing] = []
        for visitor in visitors:
            queued += stage.socket(visitor).conn.take_buffer()
        assert len(queued) == 3
        assert len({id(outgoing) for outgoing in queued}) == 1
