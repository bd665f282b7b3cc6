"""Per-packet middlewares and listeners to what is sent: what stands on one socket alone."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from socketio_parser import EncodeError
from socketio_proto import Ack, AckTimeout, Socket, Trouble

from tests.sim.runtime import Start
from tests.sim.socketio import Stage

starts = pytest.mark.parametrize("start", list(Start))


class Refused(Exception):
    """What the tests' middlewares raise."""


class TestUse:
    def test_it_may_change_the_packet(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        stage.server.on("new", lambda socket, *args: args)

        @socket.use
        def rename(packet: list[Any]) -> None:
            if packet[0] == "old":
                packet[:] = ["new", *packet[1:], "added"]

        ada.send('20["old",1]', '21["new",2]')
        stage.advance()
        assert ada.take() == ['30[1,"added"]', "31[2]"]

    @starts
    @pytest.mark.parametrize("later", [False, True])
    def test_raising_is_a_no(self, start: Start, later: bool) -> None:
        stage = Stage(start=start)
        ada = stage.connect()
        socket = stage.socket(ada)
        seen: list[Any] = []
        socket.on_any(lambda *args: seen.append(("any", *args)))

        def refuse(packet: list[Any]) -> None:
            if packet[0] == "bad":
                raise Refused(packet[1])

        async def refuse_later(packet: list[Any]) -> None:
            await stage.runtime.sleep()
            refuse(packet)

        socket.use(refuse_later if later else refuse)
        socket.use(lambda packet: seen.append(("second", *packet)))
        stage.server.on("error", lambda socket, error: seen.append(("namespace", socket.id, str(error))))
        socket.on("error", lambda error: seen.append(("own", str(error))))
        for name in ("bad", "good"):
            stage.server.on(name, lambda socket, n, _name=name: seen.append((_name, n)))
        ada.send('20["bad",1]', '21["good",2]')
        stage.advance()
        assert seen == [
            ("any", "bad", 1),
            ("namespace", ada.id, "1"),
            ("own", "1"),
            ("any", "good", 2),
            ("second", "good", 2),
            ("good", 2),
        ]
        assert ada.take() == ["31[]"]

    def test_what_nobody_hears_is_reported(self) -> None:
        stage = Stage()
        ada = stage.connect()

        @stage.socket(ada).use
        def refuse(packet: list[Any]) -> None:
            raise Refused

        ada.send('2["x"]')
        stage.advance()
        assert [(type(r.error), r.trouble) for r in stage.runtime.reports] == [(Refused, Trouble.HANDLER)]
        stage.runtime.reports.clear()

    @starts
    def test_events_behind_one_that_awaits_wait(self, start: Start) -> None:
        """The reference lets them overtake."""
        stage = Stage(start=start)
        stage.server.of("/a")
        ada = stage.connect("/a")
        other = stage.socket(ada, "/a")
        ada.join()
        socket = stage.socket(ada)
        seen: list[Any] = []

        @socket.use
        async def slow(packet: list[Any]) -> None:
            seen.append(("use", packet[1]))
            if packet[1] == 1:
                await stage.runtime.sleep(1.0)

        async def handler(n: int) -> None:
            seen.append(("first", n))
            await stage.runtime.sleep(5.0)

        socket.on("x", handler)
        socket.on("x", lambda n: seen.append(("second", n)))
        socket.on("disconnect", lambda reason: seen.append(reason))
        other.on("x", lambda n: seen.append(("other", n)))
        ada.send('2["x",1]', '2["x",2]', '2/a,["x",3]')
        stage.advance(0.5)
        assert seen == [("use", 1)]
        ada.leave()
        stage.advance(0.25)
        assert seen == [("use", 1)]
        stage.advance(0.25)
        assert [entry for entry in seen if entry[0] != "second"] == [
            ("use", 1),
            ("first", 1),
            ("use", 2),
            ("first", 2),
            ("other", 3),
            "transport close",
        ]
        assert [entry[1] for entry in seen if entry[0] == "second"] == [1, 2]
        stage.advance(10.0)
        assert stage.runtime.tasks == []

    @starts
    def test_what_waits_is_bounded(self, start: Start) -> None:
        stage = Stage(start=start, max_inbox=4)
        ada = stage.connect()
        socket = stage.socket(ada)
        seen: list[int] = []

        @socket.use
        async def slow(packet: list[Any]) -> None:
            await stage.runtime.sleep(1.0)

        socket.on("x", seen.append)
        for n in range(6):
            ada.send(f'2["x",{n}]')
            stage.advance()
        assert socket.conn.paused
        stage.advance(10.0)
        assert seen == [0, 1, 2, 3, 4, 5]
        assert not socket.conn.paused

    @starts
    def test_disconnected_meanwhile(self, start: Start) -> None:
        stage = Stage(start=start)
        ada = stage.connect()
        socket = stage.socket(ada)
        seen: list[str] = []

        async def slow(packet: list[Any]) -> None:
            await stage.runtime.sleep(1.0)

        socket.use(slow)
        socket.use(lambda packet: seen.append("use"))
        socket.on("x", lambda: seen.append("x"))
        ada.send('2["x"]', '2["x"]')
        stage.advance()
        socket.disconnect()
        stage.advance(5.0)
        assert seen == []
        assert ada.take() == ["1"]

    @starts
    def test_the_last_one_disconnects(self, start: Start) -> None:
        stage = Stage(start=start)
        ada = stage.connect()
        socket = stage.socket(ada)
        seen: list[str] = []

        @socket.use
        async def kick(packet: list[Any]) -> None:
            await stage.runtime.sleep()
            socket.disconnect()

        socket.on("x", lambda: seen.append("x"))
        ada.send('2["x"]')
        stage.advance()
        assert (seen, ada.take()) == ([], ["1"])

    def test_a_no_to_a_socket_that_is_gone_is_reported(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        socket.on("error", lambda error: pytest.fail("it is gone"))

        @socket.use
        def refuse(packet: list[Any]) -> None:
            socket.disconnect()
            raise Refused

        ada.send('2["x"]')
        stage.advance()
        assert [type(report.error) for report in stage.runtime.reports] == [Refused]
        stage.runtime.reports.clear()

    @starts
    def test_it_may_ask_the_client(self, start: Start) -> None:
        stage = Stage(start=start)
        ada = stage.connect()
        socket = stage.socket(ada)

        @socket.use
        async def ask(packet: list[Any]) -> None:
            packet.append(await socket.emit_with_ack("sure?"))

        socket.on("x", lambda answer: answer)
        ada.send('25["x"]')
        stage.advance()
        assert ada.take() == ['20["sure?"]']
        ada.send('30["yes"]')
        stage.advance()
        assert ada.take() == ['35["yes"]']

    def test_it_may_answer(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        socket.on("error", lambda error: None)

        @socket.use
        def refuse(packet: list[Any], ack: Ack) -> None:
            ack({"error": "no"})
            raise Refused

        ada.send('25["x"]', '2["x"]')
        stage.advance()
        assert ada.take() == ['35[{"error":"no"}]']

    @pytest.mark.parametrize("left", [[], [None], [["x"]], [{}]])
    def test_a_packet_without_a_name(self, left: list[Any]) -> None:
        stage = Stage()
        ada = stage.connect()

        @stage.socket(ada).use
        def spoil(packet: list[Any]) -> None:
            packet[:] = left

        ada.send('2["x"]')
        stage.advance()
        assert "the middlewares left a packet without an event's name" in str(stage.runtime.reports[0].error)
        stage.runtime.reports.clear()

    @pytest.mark.parametrize("name", ["disconnect", "connection", "error"])
    def test_a_name_of_the_librarys_reaches_no_lifecycle_handler(self, name: str) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.server.on(name, lambda *args: pytest.fail("faked"))

        @stage.socket(ada).use
        def rename(packet: list[Any]) -> None:
            packet[0] = name

        ada.send('2["x"]')
        stage.advance()
        assert stage.socket(ada).connected
        stage.server.off(name)

    def test_added_while_one_runs(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        seen: list[str] = []

        @socket.use
        def first(packet: list[Any]) -> None:
            seen.append("first")
            socket.use(lambda packet: seen.append("added"))

        ada.send('2["x"]')
        stage.advance()
        assert seen == ["first"]

    def test_mistakes(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())
        wrong: Any = 5
        with pytest.raises(TypeError, match="use: a handler must be callable, not 5"):
            socket.use(wrong)
        for wrong in (lambda: None, lambda event, next: None):
            with pytest.raises(TypeError, match=r"must take one argument, the packet \[event, \*arguments\]"):
                socket.use(wrong)


class TestOutgoing:
    def test_what_they_hear(self) -> None:
        stage = Stage()
        ada, bob = stage.connect(), stage.connect()
        socket = stage.socket(ada)
        socket.join("room")
        seen: list[Any] = []
        socket.on_any_outgoing(lambda *args: seen.append(("second", *args)))
        socket.prepend_any_outgoing(lambda *args: seen.append(("first", *args)))
        socket.emit("one", 1)
        socket.send("two")
        socket.volatile.emit("three")  # dropped, and heard, as in the reference
        socket.compress(False).emit("four")
        stage.server.emit("five", b"x")
        stage.server.to("room").emit("six")
        stage.socket(bob).broadcast.emit("seven")
        socket.broadcast.emit("not to it")
        stage.server.except_("room").emit("not to it")
        stage.run(stage.server.timeout(1.0).emit_with_ack("eight"))
        stage.run(socket.timeout(1.0).emit_with_ack("nine"))
        heard = ["one", "message", "three", "four", "five", "six", "seven", "eight", "nine"]
        assert [entry[1] for entry in seen if entry[0] == "first"] == heard
        assert seen[:4] == [
            ("first", "one", 1),
            ("second", "one", 1),
            ("first", "message", "two"),
            ("second", "message", "two"),
        ]
        assert ("first", "five", b"x") in seen

    def test_once_each_with_recovery(self) -> None:
        """There what is sent to one goes by the adapter, too."""
        stage = Stage(connection_state_recovery=True)
        socket = stage.socket(stage.connect())
        seen: list[str] = []
        socket.on_any_outgoing(lambda event, *args: seen.append(event))
        socket.emit("one")
        socket.volatile.emit("two")
        stage.server.emit("three")
        stage.run(socket.timeout(1.0).emit_with_ack("four"))
        assert seen == ["one", "two", "three", "four"]

    def test_no_acknowledgements(self) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.socket(ada).on_any_outgoing(lambda *args: pytest.fail("an acknowledgement"))
        stage.server.on("x", lambda socket: "answer")
        ada.send('20["x"]')
        stage.advance()
        assert ada.take() == ['30["answer"]']

    def test_off(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())

        def a(*args: Any) -> None: ...
        def b(*args: Any) -> None: ...

        socket.off_any_outgoing()
        assert socket.listeners_any_outgoing() == []
        for listener in (a, b, a):
            assert socket.on_any_outgoing(listener) is listener
        socket.off_any_outgoing(a)
        assert socket.listeners_any_outgoing() == [b, a]
        socket.off_any_outgoing(print)
        assert socket.prepend_any_outgoing(a) is a
        assert socket.listeners_any_outgoing() == [a, b, a]
        assert stage.server.sockets.overheard == {socket}
        socket.off_any_outgoing()
        assert socket.listeners_any_outgoing() == []
        assert stage.server.sockets.overheard == set()

    def test_called_on_a_snapshot(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())
        seen: list[str] = []

        def first(event: str) -> None:
            seen.append("first")
            socket.off_any_outgoing()

        socket.on_any_outgoing(first)
        socket.on_any_outgoing(lambda event: seen.append("second"))
        socket.emit("x")
        socket.emit("x")
        assert seen == ["first", "second"]

    def test_one_that_raises_stops_nothing(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        seen: list[str] = []

        def bad(event: str) -> None:
            raise Refused

        socket.on_any_outgoing(bad)
        socket.on_any_outgoing(lambda event: seen.append(event))
        socket.emit("x")
        stage.advance()
        assert (seen, ada.take()) == (["x"], ['2["x"]'])
        assert [type(report.error) for report in stage.runtime.reports] == [Refused]
        stage.runtime.reports.clear()

    def test_what_cannot_be_sent_is_not_heard(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())
        socket.on_any_outgoing(lambda *args: pytest.fail("it was not sent"))
        for emitter in (socket, socket.volatile, stage.server):
            with pytest.raises(EncodeError):
                emitter.emit("x", object())
        socket.disconnect()
        socket.emit("late")
        socket.volatile.emit("late")

    def test_mistakes(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())

        async def later(event: str) -> None: ...

        with pytest.raises(TypeError, match="is async; it is called while the event is sent"):
            socket.on_any_outgoing(later)
        with pytest.raises(TypeError, match=r"must take \(event, \*arguments\)"):
            socket.on_any_outgoing(lambda: None)
        assert stage.server.sockets.overheard == set()


@pytest.mark.parametrize("way", ["leaves", "is refused", "goes while joining"])
def test_a_socket_that_is_over_needs_no_garbage_collector(way: str) -> None:
    stage = Stage()
    ids: list[str] = []

    def listen(socket: Socket) -> None:
        ids.append(socket.id)
        socket.on("x", lambda: socket)
        socket.once("y", lambda: socket)
        socket.use(lambda packet: print(socket))
        socket.on_any(lambda event: socket)
        socket.on_any_outgoing(lambda event: socket)

    async def door(socket: Socket) -> None:
        listen(socket)
        if way == "is refused":
            raise Refused
        await stage.runtime.sleep(1.0)

    if way == "leaves":
        stage.server.on("connection", listen)
    else:
        stage.server.use(door)
    gc.collect()  # what other tests left
    gc.disable()
    try:
        visitor = stage.visitor()
        visitor.send("0")
        stage.advance()
        visitor.leave()
        stage.advance(2.0)
        stage.events.clear()
        stage.runtime.reports.clear()
        assert len(ids) == 1
        sockets = [thing for thing in gc.get_objects() if isinstance(thing, Socket)]
        assert [socket for socket in sockets if socket.namespace.server is stage.server] == []
        assert stage.server.sockets.overheard == set()
    finally:
        gc.enable()


def test_a_broadcast_that_nobody_answers() -> None:
    stage = Stage()
    stage.socket(stage.connect()).on_any_outgoing(lambda event: None)
    task = stage.run(stage.server.timeout(1.0).emit_with_ack("x"))
    stage.advance(1.0)
    assert isinstance(task.error, AckTimeout)
