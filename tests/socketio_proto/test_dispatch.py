"""Running handlers: order, isolation, middlewares, reports."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from engineio_proto import RequestRefused
from socketio_proto import (
    Ack,
    ConnectionRefused,
    ConnectRequested,
    Namespace,
    Socket,
    SocketConnected,
    Trouble,
)

from tests.sim.runtime import Cancelled, Start, Task
from tests.sim.socketio import Stage

starts = pytest.mark.parametrize("start", list(Start))
LIFECYCLE = ["connection", "disconnect", "disconnecting", "error", "new_namespace"]


class TestLifecycle:
    @starts
    def test_order(self, start: Start) -> None:
        stage = Stage(start=start)
        seen: list[str] = []
        for name in ("disconnect", "disconnecting", "connection", "connect"):
            stage.server.on(name, lambda socket, *args, _name=name: seen.append(_name))
        ada = stage.connect()
        ada.leave()
        stage.advance()
        assert seen == ["connect", "connection", "disconnecting", "disconnect"]

    @starts
    def test_async_ones_start_in_order(self, start: Start) -> None:
        stage = Stage(start=start)
        seen: list[object] = []

        async def note(what: object) -> None:
            seen.append(what)
            await stage.runtime.sleep(1.0)

        for name in ("connect", "connection", "disconnecting", "disconnect"):
            for n in range(2):
                stage.server.on(name, lambda socket, *args, _what=(name, n): note(_what))
        stage.server.on("event", lambda socket, n: note(n))
        stage.server.on("event", lambda socket, n: note(n + 0.5))
        ada = stage.visitor(polling=True)
        ada.send("0", '2["event",1]', '2["event",2]', "1")
        stage.advance()
        assert seen == [
            *[(name, n) for name in ("connect", "connection") for n in range(2)],
            *(1, 1.5, 2, 2.5),
            *[(name, n) for name in ("disconnecting", "disconnect") for n in range(2)],
        ]
        stage.advance(1.0)
        assert stage.runtime.tasks == []

    @pytest.mark.parametrize("name", LIFECYCLE)
    def test_a_client_cannot_fake_it(self, name: str) -> None:
        stage = Stage()
        called: list[object] = []
        ada = stage.connect()
        stage.server.on(name, lambda *args: called.append(args))
        ada.send(f'27["{name}","x"]')
        stage.advance()
        if ada.gone:  # the parser's reserved names
            assert name in ("disconnect", "disconnecting")
            assert all("x" not in args for args in called if isinstance(args, tuple))
        else:
            assert called == []
            assert ada.take() == []

    def test_new_namespace(self) -> None:
        stage = Stage()
        seen: list[Namespace] = []
        stage.server.on("new_namespace", seen.append)
        made = stage.server.of("chat")
        assert stage.server.of("/chat") is made
        stage.server.of("/")
        assert seen == []
        stage.advance()
        assert seen == [made]

    def test_a_socket_kicked_before_its_turn(self) -> None:
        """Who sees a `disconnect` has seen the `connection`."""
        stage = Stage()
        seen: list[tuple[str, str]] = []
        stage.server.of("/a")

        @stage.server.on("connection")
        def kick_all(socket: Socket) -> None:
            for other in list(stage.server.of("/a").sockets.values()):
                other.disconnect()

        stage.server.of("/a").on("connection", lambda socket: seen.append(("connection", socket.id)))
        stage.server.of("/a").on("disconnect", lambda socket, reason: seen.append(("disconnect", socket.id)))
        ada = stage.visitor(polling=True)
        ada.send("0", "0/a,")
        stage.advance()
        assert [name for name, _ in seen] == ["connection", "disconnect"]

    @starts
    def test_async_connection_handler_starts_before_events(self, start: Start) -> None:
        stage = Stage(start=start)
        seen: list[str] = []

        @stage.server.on("connection")
        async def connected(socket: Socket) -> None:
            seen.append("connection")
            await stage.runtime.sleep(1.0)
            seen.append("later")

        stage.server.on("event", lambda socket: seen.append("event"))
        stage.server.on("error", lambda socket, error: seen.append("error"))
        stage.visitor(polling=True).send("0", '2["event"]', "x")
        stage.advance(1.0)
        assert sorted(seen[:3], key=["connection", "event", "error"].index) == [
            "connection",
            "event",
            "error",
        ]
        assert seen[0] == "connection"
        assert seen[3] == "later"

    @starts
    @pytest.mark.parametrize("order", ["async first", "sync first", "both"])
    def test_several_listeners_start_in_order_sync_or_async(self, start: Start, order: str) -> None:
        stage = Stage(start=start)
        seen: list[Any] = []

        def noting(what: str, later: bool) -> Any:
            def note(socket: Socket, *args: Any) -> None:
                seen.append((what, *args))

            async def note_later(socket: Socket, *args: Any) -> None:
                note(socket, *args)
                await stage.runtime.sleep(1.0)

            return note_later if later else note

        kinds = {
            "async first": (True, False, True),
            "sync first": (False, True, False),
            "both": (True, True, False),
        }
        for n, later in enumerate(kinds[order]):
            stage.server.on("x", noting(f"handler {n}", later))
            stage.server.on_any(noting(f"any {n}", later))
        ada = stage.connect()
        ada.send('2["x",1]', '2["x",2]')
        stage.advance()
        assert seen == [
            entry
            for serial in (1, 2)
            for entry in (
                *((f"any {n}", "x", serial) for n in range(3)),
                *((f"handler {n}", serial) for n in range(3)),
            )
        ]
        stage.advance(1.0)
        assert stage.runtime.tasks == []
        assert stage.socket(ada).connection.in_flight == 0


class TestIsolation:
    @starts
    @pytest.mark.parametrize("error", [ValueError("x"), Cancelled()])
    @pytest.mark.parametrize("later", [False, True])
    def test_an_error_stops_nothing_else(self, start: Start, error: BaseException, later: bool) -> None:
        stage = Stage(start=start)
        seen: list[object] = []

        def bad(*args: Any) -> Any:
            raise error

        async def bad_later(*args: Any) -> None:
            await stage.runtime.sleep()
            raise error

        for name in ("connection", "event", "disconnecting", "disconnect"):
            stage.server.on(name, bad_later if later else bad)
            stage.server.on(name, lambda socket, *args, _name=name: seen.append(_name))
        ada = stage.visitor(polling=True)
        ada.send("0", '2["event"]', '2["event"]', "1")
        stage.advance()
        assert seen == ["connection", "event", "event", "disconnecting", "disconnect"]
        reports = stage.runtime.reports
        expected = 0 if later and isinstance(error, Cancelled) else 5
        assert [(report.trouble, report.error) for report in reports] == [(Trouble.HANDLER, error)] * expected
        if reports:
            assert "handler of 'connection' raised for <Socket" in reports[0].text

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    def test_what_ends_the_process_does(self, error: type[BaseException]) -> None:
        stage = Stage()

        @stage.server.on("event")
        def event(socket: Socket) -> None:
            raise error

        ada = stage.connect()
        ada.send('2["event"]')
        with pytest.raises(error):
            stage.advance()

    @starts
    def test_a_cancelled_handler_frees_its_place(self, start: Start) -> None:
        stage = Stage(start=start, max_handlers=1)
        started: list[int] = []

        @stage.server.on("work")
        async def work(socket: Socket, n: int) -> None:
            started.append(n)
            await stage.runtime.waiter()

        ada = stage.connect()
        ada.send(*[f'2["work",{n}]' for n in range(3)])
        stage.advance()
        for n in range(3):
            assert started == list(range(n + 1))
            (task,) = stage.runtime.tasks
            assert isinstance(task, Task)
            task.cancel()
            stage.advance()
        connection = stage.socket(ada).connection
        assert (connection.in_flight, connection.inbox) == (0, None)

    def test_other_clients_are_undisturbed(self) -> None:
        stage = Stage(max_handlers=1)

        @stage.server.on("hang")
        async def hang(socket: Socket) -> None:
            await stage.runtime.waiter()

        stage.server.on("ask", lambda socket: "ok")
        ada, bob = stage.connect(), stage.connect()
        ada.send(*['2["hang"]'] * 50, '21["ask"]')
        bob.send('21["ask"]')
        stage.advance()
        assert ada.take() == []
        assert bob.take() == ['31["ok"]']

    def test_awaitables_that_are_no_coroutines(self) -> None:
        stage = Stage()
        stage.server.on("ask", lambda socket: stage.runtime.ready)
        stage.server.on("disconnect", lambda socket, reason: stage.runtime.ready)
        ada = stage.connect()
        ada.send('21["ask"]')
        stage.advance()
        assert ada.take() == ["31[]"]
        ada.leave()
        stage.advance()
        assert stage.runtime.reports == []

    @starts
    def test_registering_in_a_handler(self, start: Start) -> None:
        stage = Stage(start=start)
        seen: list[str] = []

        @stage.server.on("event")
        def event(socket: Socket) -> None:
            seen.append("first")
            stage.server.on("event", lambda socket: seen.append("second"))

        ada = stage.connect()
        ada.send('2["event"]')
        stage.advance()
        assert seen == ["first"]

    @starts
    def test_a_handler_never_runs_inside_a_command(self, start: Start) -> None:
        stage = Stage(start=start)
        seen: list[str] = []
        stage.server.on("disconnect", lambda socket, reason: seen.append("disconnect"))

        @stage.server.on("event")
        def event(socket: Socket) -> None:
            socket.disconnect()
            seen.append("event")

        ada = stage.connect()
        ada.send('2["event"]')
        stage.advance()
        assert seen == ["event", "disconnect"]


class TestMisfits:
    @pytest.mark.parametrize("args", ["", ",1", ",1,2,3"])
    def test_not_called_but_reported(self, args: str) -> None:
        stage = Stage()

        @stage.server.on("save")
        def save(socket: Socket, a: int, b: int) -> str:
            raise AssertionError

        ada = stage.connect()
        ada.send(f'27["save"{args}]')
        stage.advance()
        (text,) = stage.runtime.told(Trouble.FIRST_MISFIT)
        assert f"event 'save' of <Socket {ada.id} / connected> came with {args.count(',')} arguments" in text
        assert "save> takes 2" in text
        hint = "return the acknowledgement, or annotate the last parameter with Ack"
        assert (hint in text) is (args == ",1"), "as if the last one were a callback"
        assert ada.take() == []
        assert stage.runtime.reports == []

    def test_the_next_listener_is_called_but_does_not_answer(self) -> None:
        stage = Stage()
        called: list[object] = []
        stage.server.on("save", lambda socket: None)

        @stage.server.on("save")
        def save(socket: Socket, *args: int) -> str:
            called.append(args)
            return "no"

        ada = stage.connect()
        ada.send('27["save",1]')
        stage.advance()
        assert called == [(1,)]
        assert ada.take() == []

    def test_three_per_connection(self) -> None:
        stage = Stage()
        stage.server.on("save", lambda socket: None)
        ada, bob = stage.connect(), stage.connect()
        ada.send(*['2["save",1]'] * 10)
        bob.send('2["save",1]')
        stage.advance()
        assert len(stage.runtime.told(Trouble.FIRST_MISFIT)) == 1
        assert len(stage.runtime.told(Trouble.MISFIT)) == 3

    def test_of_each_socket_s_own_handler_the_first_is_told_loudly(self) -> None:
        stage = Stage()
        stage.server.on("connection", lambda socket: socket.on("save", lambda: None))
        for _ in range(3):
            stage.connect().send('2["save",1]')
        stage.advance()
        assert len(stage.runtime.told(Trouble.FIRST_MISFIT)) == 1
        assert len(stage.runtime.told(Trouble.MISFIT)) == 2

    def test_not_for_a_client_that_is_gone(self) -> None:
        stage = Stage()
        stage.server.on("save", lambda socket: None)
        ada = stage.connect()
        ada.send('2["save",1]', "x")
        ada.leave()
        stage.advance()
        assert len(stage.runtime.told(Trouble.FIRST_MISFIT, Trouble.MISFIT)) <= 1

    def test_keyword_defaults_are_not_filled(self) -> None:
        stage = Stage()
        seen: list[object] = []

        @stage.server.on("save")
        def save(socket: Socket, a: int, *, b: int = 5) -> None:
            seen.append((a, b))

        ada = stage.connect()
        ada.send('2["save",1]', '2["save",1,2]')
        stage.advance()
        assert seen == [(1, 5)]
        assert len(stage.runtime.told(Trouble.FIRST_MISFIT, Trouble.MISFIT)) == 1


class TestMiddlewares:
    @starts
    def test_order(self, start: Start) -> None:
        stage = Stage(start=start)
        seen: list[object] = []

        @stage.server.use
        def first(socket: Socket) -> None:
            seen.append(("first", socket.connected, socket.rooms))
            socket.join("early")

        @stage.server.use
        async def second(socket: Socket) -> None:
            await stage.runtime.sleep(1.0)
            seen.append(("second", sorted(socket.rooms)))

        @stage.server.use
        def third(socket: Socket) -> None:
            seen.append("third")
            socket.emit("dropped")
            socket.data["n"] = 5

        @stage.server.use
        async def fourth(socket: Socket) -> None:
            seen.append("fourth")

        stage.server.on("connection", lambda socket: seen.append(("in", sorted(socket.rooms), socket.data)))
        ada = stage.visitor()
        ada.send("0")
        stage.advance()
        assert stage.server.sockets.sockets == {}
        assert ada.take() == []
        stage.advance(1.0)
        (text,) = ada.take()
        sid = str(text)[8:-2].strip('"')
        assert seen == [
            ("first", False, frozenset()),
            ("second", ["early"]),
            "third",
            "fourth",
            ("in", sorted(["early", sid]), {"n": 5}),
        ]

    @pytest.mark.parametrize("later", [False, True])
    @pytest.mark.parametrize(
        ("data", "text"), [(None, ""), ({"retry": 5}, ',"data":{"retry":5}'), (False, ',"data":false')]
    )
    def test_refusal(self, data: object, text: str, later: bool) -> None:
        stage = Stage()
        stage.server.of("/a")
        after: list[object] = []

        def refuse(socket: Socket) -> Any:
            socket.join("early")
            raise ConnectionRefused("not you", data)

        async def refuse_later(socket: Socket) -> None:
            await stage.runtime.sleep()
            refuse(socket)

        stage.server.of("/a").use(refuse_later if later else refuse)
        stage.server.of("/a").use(after.append)
        ada = stage.connect()
        ada.send("0/a,")
        stage.advance()
        assert ada.take() == ['4/a,{"message":"not you"' + text + "}"]
        assert after == []
        assert stage.server.of("/a").adapter.members("early") == frozenset()
        assert not ada.gone
        assert len(stage.runtime.told(Trouble.REFUSED)) == 1
        ada.send("0/a,")  # it may try again
        stage.advance()
        assert len(ada.take()) == 1

    @pytest.mark.parametrize("later", [False, True])
    def test_bug(self, later: bool) -> None:
        stage = Stage()

        def bug(socket: Socket) -> Any:
            socket.join("early")
            raise KeyError("secret")

        async def bug_later(socket: Socket) -> None:
            await stage.runtime.sleep()
            bug(socket)

        stage.server.use(bug_later if later else bug)
        ada = stage.visitor()
        ada.send("0")
        stage.advance()
        assert ada.take() == ['4{"message":"Internal error"}']
        (report,) = stage.runtime.reports
        assert isinstance(report.error, KeyError)
        assert "handler of 'use' raised" in report.text
        assert stage.server.sockets.adapter.members("early") == frozenset()

    def test_cancelled(self) -> None:
        stage = Stage()
        stage.server.use(lambda socket: stage.runtime.waiter())
        ada = stage.visitor()
        ada.send("0")
        stage.advance()
        (task,) = stage.runtime.tasks
        task.cancel()
        stage.advance()
        assert ada.take() == ['4{"message":"Connection refused"}']

    def test_sync_one_that_raises_no_exception(self) -> None:
        stage = Stage()

        @stage.server.use
        def odd(socket: Socket) -> None:
            raise Cancelled

        ada = stage.visitor()
        ada.send("0")
        stage.advance()
        assert ada.take() == ['4{"message":"Internal error"}']

    def test_data_that_cannot_be_sent(self) -> None:
        stage = Stage()

        @stage.server.use
        def refuse(socket: Socket) -> None:
            raise ConnectionRefused("not you", object())

        ada = stage.visitor()
        ada.send("0")
        stage.advance()
        assert ada.take() == ['4{"message":"not you"}']
        assert len(stage.runtime.told(Trouble.HANDLER)) == 1

    @pytest.mark.parametrize("outcome", ["accept", "refuse", "bug", "join"])
    def test_client_leaves_meanwhile(self, outcome: str) -> None:
        stage = Stage()
        rest: list[object] = []

        @stage.server.use
        async def slow(socket: Socket) -> None:
            socket.join("early")
            await stage.runtime.sleep(1.0)
            socket.join("late")
            if outcome == "refuse":
                raise ConnectionRefused
            if outcome == "bug":
                raise KeyError

        if outcome == "join":
            stage.server.use(rest.append)
        stage.server.on("connection", rest.append)
        stage.server.on("disconnect", lambda socket, reason: rest.append(reason))
        ada = stage.visitor()
        ada.send("0")
        stage.advance(0.5)
        assert stage.server.sockets.adapter.members("early")
        ada.leave()
        stage.advance()
        assert not stage.server.sockets.adapter.members("early")
        stage.advance(1.0)
        assert rest == []
        assert not stage.server.sockets.adapter.members("late")
        assert stage.server.sockets.sockets == {}

    def test_it_closes_the_connection(self) -> None:
        stage = Stage()
        rest: list[object] = []
        stage.server.use(lambda socket: socket.disconnect(True))
        stage.server.use(rest.append)
        ada = stage.visitor()
        ada.send("0")
        stage.advance()
        assert ada.gone
        assert ada.take() == []
        assert rest == []
        assert stage.server.sockets.sockets == {}

    def test_disconnecting_the_namespace_is_nothing_yet(self) -> None:
        stage = Stage()
        stage.server.use(lambda socket: socket.disconnect())
        assert stage.connect().id in stage.server.sockets.sockets

    def test_namespaces_have_their_own(self) -> None:
        stage = Stage()
        seen: list[str] = []
        stage.server.use(lambda socket: seen.append("/"))
        stage.server.of("/a").use(lambda socket: seen.append("/a"))
        stage.connect("/a")
        assert seen == ["/a"]

    def test_must_be_callable(self) -> None:
        with pytest.raises(TypeError, match="use: a handler must be callable, not 5"):
            Stage().server.use(5)  # type: ignore[type-var]

    @pytest.mark.parametrize("wrong", [lambda: None, lambda socket, next: next()])
    def test_must_take_a_socket(self, wrong: Any) -> None:
        with pytest.raises(TypeError, match=r"use: .* but is called with \(socket\)"):
            Stage().server.use(wrong)

    @pytest.mark.parametrize("no", [False, ConnectionRefused("no"), ValueError("no")])
    @pytest.mark.parametrize("later", [False, True])
    def test_returning_a_no_lets_nobody_in(self, no: object, later: bool) -> None:
        stage = Stage()

        async def returns_later(socket: Socket) -> object:
            return no

        stage.server.use(returns_later if later else lambda socket: no)
        visitor = stage.visitor()
        visitor.send("0")
        stage.advance()
        assert visitor.take() == ['4{"message":"Internal error"}']
        (report,) = stage.runtime.reports
        assert "to keep a client out, raise ConnectionRefused" in str(report.error)
        stage.runtime.reports.clear()

    def test_events(self) -> None:
        stage = Stage()
        stage.server.use(lambda socket: None)
        stage.connect()
        assert [type(event) for event in stage.events] == [ConnectRequested, SocketConnected]


def test_requests_that_were_refused_are_reported() -> None:
    stage = Stage()
    ada = stage.visitor()
    ada.handshake["sid"] = "nobody"
    ada.request("GET")
    stage.advance()
    assert isinstance(stage.events[-1], RequestRefused)
    (text,) = stage.runtime.told(Trouble.REFUSED)
    assert "code 1 Session ID unknown {'sid': 'nobody'}" in text


def test_handler_may_keep_its_ack() -> None:
    stage = Stage()

    @stage.server.on("ask")
    async def ask(socket: Socket, ack: Ack) -> str:
        await stage.runtime.sleep(1.0)
        ack("later")
        return "not sent"

    ada = stage.connect()
    ada.send('21["ask"]')
    stage.advance(1.0)
    assert ada.take() == ['31["later"]']


class TestLifecycleOfOneClient:
    @starts
    def test_in_order_of_registration(self, start: Start) -> None:
        stage = Stage(start=start)
        seen: list[str] = []

        def register(name: str) -> None:
            @stage.server.on(name)
            async def later(socket: Socket, *args: object) -> None:
                seen.append(f"{name} 1")
                await stage.runtime.sleep()

            stage.server.on(name, lambda socket, *args: seen.append(f"{name} 2"))

        names = ("connect", "connection", "disconnecting", "disconnect")
        for name in names:
            register(name)
        ada = stage.connect()
        ada.send("1")
        stage.advance()
        assert seen == [f"{name} {n}" for name in names for n in (1, 2)]
        stage.advance(1.0)
        assert stage.runtime.tasks == []

    @starts
    def test_a_socket_comes_behind_what_the_one_before_it_sent(self, start: Start) -> None:
        stage = Stage(start=start, max_handlers=1)
        seen: list[object] = []
        for name in ("connection", "disconnect"):
            stage.server.on(name, lambda socket, *args, _name=name: seen.append(_name))
        stage.server.on("e", lambda socket, n: seen.append(n))

        @stage.server.on("slow")
        async def slow(socket: Socket) -> None:
            seen.append("slow")
            await stage.runtime.sleep(1.0)

        ada = stage.connect()
        ada.send('2["slow"]', '2["e",1]', "1", "0", '2["e",2]')
        stage.advance()
        assert seen == ["connection", "slow"]
        stage.advance(2.0)
        assert seen == ["connection", "slow", 1, "disconnect", "connection", 2]

    @starts
    @pytest.mark.parametrize("name", ["connection", "disconnect"])
    def test_joining_and_leaving_in_turn_is_bounded(self, start: Start, name: str) -> None:
        stage = Stage(start=start, max_handlers=2, max_namespaces=3)

        @stage.server.on(name)
        async def for_ever(socket: Socket, *args: object) -> None:
            await stage.runtime.sleep(1000.0)

        ada, bob = stage.connect(), stage.connect()
        for _ in range(300):
            ada.send("1", "0")
        stage.advance()
        assert ada.gone and not bob.gone
        (text,) = stage.runtime.told(Trouble.CLOSED)
        assert "handlers of its sockets' connections and disconnections run (at most 20)" in text
        # And those of the slice of its input that was decoded already: whoever was in has a beginning and an end.
        assert len(stage.runtime.tasks) <= 20 + stage.server.order.slice
        stage.advance(2000.0)
        assert stage.runtime.tasks == []


@starts
def test_once_is_once_for_all_clients(start: Start) -> None:
    """Behind an async handler it may have to wait, and meanwhile others meet it."""
    stage = Stage(start=start)
    seen: list[str] = []

    @stage.server.on("e")
    async def first(socket: Socket) -> None:
        await stage.runtime.sleep()

    stage.server.once("e", lambda socket: seen.append(socket.id))
    visitors = [stage.connect() for _ in range(3)]
    for visitor in visitors:
        visitor.send('2["e"]')
    stage.advance()
    assert len(seen) == 1


@pytest.mark.parametrize("packet", ["2[1.5]", "2[0]", '2["e"]'])
def test_who_hears_all_hears_numbers(packet: str) -> None:
    stage = Stage()
    seen: list[object] = []
    stage.server.on_any(lambda socket, event: seen.append(event))
    stage.connect().send(packet)
    stage.advance()
    assert len(seen) == 1
    assert stage.runtime.reports == []


@pytest.mark.parametrize("annotation", [Ack, Ack | None, "Ack | None", "Optional[Ack]"])
def test_an_ack_that_may_be_none_is_one(annotation: Any) -> None:
    def save(socket, text, ack=None):  # type: ignore[no-untyped-def]
        ack(text)

    save.__annotations__["ack"] = annotation
    save.__globals__.setdefault("Optional", Optional)
    stage = Stage()
    stage.server.on("save", save)
    ada = stage.connect()
    ada.send('21["save","a"]')
    stage.advance()
    assert ada.take() == ['31["a"]']
