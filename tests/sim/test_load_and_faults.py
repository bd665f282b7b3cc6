"""Behaviour under load and faults: each promise a class, held over both transports and on every kind of event loop.

`test_socketio_stateful.py` holds them for any course of events.
"""

from __future__ import annotations

import itertools
import traceback
from typing import Any

import pytest
from socketio_proto import AckDisconnected, AckTimeout, Socket, Trouble

from tests.sim.runtime import Start
from tests.sim.socketio import Stage, Visitor

starts = pytest.mark.parametrize("start", list(Start))
transports = pytest.mark.parametrize("polling", [False, True])


class TestBoundedHandlersWithBackpressureOnThatConnectionOnly:
    @starts
    @transports
    def test_one_floods(self, start: Start, polling: bool) -> None:
        stage = Stage(start=start, max_handlers=2, max_inbox=4)
        running: dict[str, int] = {}
        most: dict[str, int] = {}
        done: list[tuple[str, int]] = []

        @stage.server.on("work")
        async def work(socket: Socket, n: int) -> int:
            running[socket.id] = running.get(socket.id, 0) + 1
            most[socket.id] = max(most.get(socket.id, 0), running[socket.id])
            await stage.runtime.sleep(1.0)
            running[socket.id] -= 1
            done.append((socket.id, n))
            return n

        ada, bob = stage.connect(polling=polling), stage.connect(polling=polling)
        for n in range(20):
            ada.send(f'2["work",{n}]')
            stage.advance()
        assert stage.socket(ada).conn.paused
        assert not stage.socket(bob).conn.paused
        bob.send('20["work",0]')
        stage.advance(1.0)
        assert bob.take() == ["30[0]"]
        stage.advance(30.0)
        assert most == {ada.id: 2, bob.id: 1}
        assert [n for id, n in done if id == ada.id] == list(range(20))
        assert not stage.socket(ada).conn.paused
        assert not ada.gone


class TestAHandlerThatRaisesIsReportedWithItsTracebackAndAffectsNoOneElse:
    @starts
    @pytest.mark.parametrize("later", [False, True])
    @pytest.mark.parametrize("where", ["event", "connection", "disconnect", "use", "any", "outgoing", "own"])
    def test_wherever_it_stands(self, start: Start, later: bool, where: str) -> None:
        stage = Stage(start=start)
        server = stage.server

        def the_culprit(*args: Any) -> None:
            raise ZeroDivisionError

        async def the_later_culprit(*args: Any) -> None:
            await stage.runtime.sleep()
            the_culprit()

        handler = the_later_culprit if later and where != "outgoing" else the_culprit

        @server.on("connection")
        def connected(socket: Socket) -> None:
            if socket.handshake.auth.get("bad"):
                match where:
                    case "use":
                        socket.use(lambda packet: handler())
                    case "any":
                        socket.on_any(handler)
                    case "outgoing":
                        socket.on_any_outgoing(handler)
                    case "own":
                        socket.on("x", handler)
                    case _:
                        pass

        if where in ("event", "connection", "disconnect"):

            @server.on("x" if where == "event" else where)
            def guarded(socket: Socket, *args: Any) -> Any:
                return handler() if socket.handshake.auth.get("bad") else None

        server.on("x", lambda socket: None)
        server.on("fine", lambda socket: "fine")
        bob = stage.connect()
        ada = stage.connect(auth={"bad": True})
        ada.send('2["x"]', '2["x"]')
        stage.advance()
        server.emit("news")
        bob.send('27["fine"]')
        stage.advance()
        assert bob.take() == ['2["news"]', '37["fine"]']
        assert ada.take() == ['2["news"]']
        assert not ada.gone
        ada.leave()
        stage.advance()
        reports = stage.runtime.reports
        assert len(reports) == {"connection": 1, "disconnect": 1, "outgoing": 1}.get(where, 2)
        for report in reports:
            assert report.trouble is Trouble.HANDLER
            assert isinstance(report.error, ZeroDivisionError)
            assert "the_culprit" in "".join(traceback.format_exception(report.error))
        reports.clear()
        assert list(server.sockets.sockets) == [bob.id]
        assert stage.runtime.tasks == []


class TestASlowConsumerIsLimitedByItsSendBufferAndClosedWithAReason:
    @transports
    def test_among_those_who_read(self, polling: bool) -> None:
        stage = Stage(max_send_buffer=5000)
        reasons: list[tuple[str, str, str]] = []

        @stage.server.on("disconnect")
        def gone(socket: Socket, reason: str, description: str) -> None:
            reasons.append((socket.id, reason, description))

        slow = stage.connect(polling=polling, window=None if polling else 1)
        if slow.socket is not None:
            slow.socket.down.hold()
        else:
            slow.auto_poll = False
        readers = [stage.connect(), stage.connect(polling=True)]
        session = stage.socket(slow).conn
        for n in range(40):
            stage.server.emit("news", n, "x" * 400)
            stage.advance()
            assert session.buffered_bytes <= 5000
        assert reasons == [(slow.id, "forced close", reasons[0][2])]
        assert "send buffer" in reasons[0][2]
        assert "send buffer full" in stage.runtime.told(Trouble.CLOSED)[0]
        for reader in readers:
            assert len(reader.take()) == 40
            assert not reader.gone


class TestVolatileDropsWhenNotWritable:
    @transports
    def test_and_only_that(self, polling: bool) -> None:
        stage = Stage()
        ada = stage.connect(polling=polling, window=None if polling else 0)
        socket = stage.socket(ada)
        if ada.socket is not None:
            ada.socket.down.hold()
        else:
            ada.auto_poll = False
        socket.emit("kept", 1)
        stage.advance()
        for n in range(5):
            socket.volatile.emit("dropped", n)
            stage.server.volatile.emit("dropped too", n)
        socket.emit("kept", 2)
        if ada.socket is not None:
            ada.socket.down.release()
        else:
            ada.auto_poll = True
            ada.poll()
        stage.advance()
        socket.volatile.emit("taken", b"x")
        stage.advance()
        taken = ['51-["taken",{"_placeholder":true,"num":0}]', b"x"]
        assert ada.take() == ['2["kept",1]', '2["kept",2]', *taken]


class TestHandlersOfOneSocketStartInOrder:
    @starts
    @transports
    @pytest.mark.parametrize("max_handlers", [1, 2, 100])
    def test_plain_async_and_decided_about(self, start: Start, polling: bool, max_handlers: int) -> None:
        stage = Stage(start=start, max_handlers=max_handlers)
        seen: list[tuple[int, str]] = []

        @stage.server.on("async")
        async def later(socket: Socket, n: int) -> None:
            seen.append((n, "namespace"))
            await stage.runtime.sleep(n % 3 * 0.5)

        stage.server.on("plain", lambda socket, n: seen.append((n, "namespace")))

        @stage.server.on("connection")
        def connected(socket: Socket) -> None:
            async def own(n: int) -> None:
                seen.append((n, "own"))
                await stage.runtime.sleep(0.25)

            socket.on("plain", own)
            socket.on("async", lambda n: seen.append((n, "own")))

            @socket.use
            async def decide(packet: list[Any]) -> None:
                if packet[1] % 5 == 0:
                    await stage.runtime.sleep(0.1)

        ada = stage.connect(polling=polling)
        ada.send(*(f'2["{"async" if n % 2 else "plain"}",{n}]' for n in range(30)))
        stage.advance(100.0)
        assert seen == list(itertools.product(range(30), ("namespace", "own")))


class TestAcksResolveOnce:
    @starts
    @transports
    def test_whatever_else_comes(self, start: Start, polling: bool) -> None:
        stage = Stage(start=start)
        ada = stage.connect(polling=polling)
        socket = stage.socket(ada)
        answered, late, gone = (
            stage.run(asked.emit_with_ack("q")) for asked in (socket, socket.timeout(1.0), socket)
        )
        ada.send('30["first"]', '30["second"]', '30["third"]')
        stage.advance(1.0)
        ada.send('31["too late"]')
        stage.advance()
        ada.send("1", '32["after the end"]') if not polling else ada.send("1")
        stage.advance(5.0)
        assert answered.value == "first"
        assert isinstance(late.error, AckTimeout)
        assert isinstance(gone.error, AckDisconnected)
        assert socket.connection.awaiting == 0


class TestNothingIsDeliveredAfterDisconnect:
    @starts
    @transports
    @pytest.mark.parametrize("close", [False, True])
    def test_not_even_what_has_arrived(self, start: Start, polling: bool, close: bool) -> None:
        stage = Stage(start=start, max_handlers=2)
        seen: list[Any] = []

        @stage.server.on("x")
        async def handler(socket: Socket, n: int) -> None:
            seen.append(n)
            await stage.runtime.sleep(1.0)

        @stage.server.on("connection")
        def connected(socket: Socket) -> None:
            socket.on("disconnect", lambda reason: seen.append(reason))
            socket.on_any(lambda event, n: seen.append(("any", n)))

            @socket.use
            async def decide(packet: list[Any]) -> None:
                await stage.runtime.sleep(0.1)

        ada = stage.connect(polling=polling)
        ada.send(*(f'2["x",{n}]' for n in range(10)))
        stage.advance(0.25)
        assert seen == [("any", 0), 0, ("any", 1), 1]
        stage.socket(ada).disconnect(close)
        stage.advance(10.0)
        assert seen == [("any", 0), 0, ("any", 1), 1, "server namespace disconnect"]


class TestAClientThatGoesWhileItsEventsWait:
    @starts
    @transports
    def test_is_heard_to_the_end(self, start: Start, polling: bool) -> None:
        stage = Stage(start=start, max_handlers=1)
        seen: list[Any] = []

        @stage.server.on("x")
        async def handler(socket: Socket, n: int) -> None:
            seen.append(n)
            await stage.runtime.sleep(1.0)

        stage.server.on("disconnect", lambda socket, reason: seen.append("gone"))
        ada: Visitor = stage.connect(polling=polling)
        ada.send(*(f'2["x",{n}]' for n in range(5)))
        stage.advance(0.5)
        ada.leave()
        stage.advance(100.0)
        assert seen == [0, 1, 2, 3, 4, "gone"]
        assert stage.runtime.tasks == []
