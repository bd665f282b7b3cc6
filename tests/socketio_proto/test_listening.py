"""Listening on a namespace and on one socket: who is called, in which order, until when."""

from __future__ import annotations

import re
from typing import Any

import pytest
from socketio_proto import Ack, LocalProtocolError, ReservedEventError, Socket, Trouble

from tests.sim.runtime import Start
from tests.sim.socketio import Stage

starts = pytest.mark.parametrize("start", list(Start))


class TestOn:
    @starts
    @pytest.mark.parametrize("later", [False, True])
    def test_those_of_the_namespace_come_first(self, start: Start, later: bool) -> None:
        stage = Stage(start=start)
        seen: list[Any] = []

        def noting(what: str) -> Any:
            def note(*args: Any) -> None:
                seen.append((what, args[-1]))

            async def note_later(*args: Any) -> None:
                note(*args)
                await stage.runtime.sleep()

            return note_later if later else note

        ada, bob = stage.connect(), stage.connect()
        stage.socket(ada).on("chat", noting("own"))
        stage.server.on("chat", noting("namespace"))
        stage.socket(ada).on("chat", noting("own too"))
        ada.send('2["chat",1]', '2["chat",2]')
        bob.send('2["chat",3]')
        stage.advance()
        assert [what for what in seen if what[1] != 3] == [
            ("namespace", 1),
            ("own", 1),
            ("own too", 1),
            ("namespace", 2),
            ("own", 2),
            ("own too", 2),
        ]
        assert [what for what in seen if what[1] == 3] == [("namespace", 3)]

    def test_as_decorators_they_leave_the_function(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())

        def f(*args: Any) -> None:
            raise AssertionError

        for who in (stage.server, stage.server.of("/a"), socket):
            assert who.on("a")(f) is f
            assert who.on("a", f) is f
            assert who.once("a")(f) is f
            assert who.once("a", f) is f
            assert who.on_any(f) is f
            assert who.prepend_any(f) is f
            assert who.listeners_any() == [f, f]

    def test_a_socket_answers_with_its_own_handler(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        socket.on("add", lambda a, b: a + b)

        @socket.on("later")
        def later(*args: int, ack: Ack) -> None:
            ack(*args)

        ada.send('20["add",1,2]', '21["later",3,4]')
        stage.advance()
        assert ada.take() == ["30[3]", "31[3,4]"]

    @starts
    @pytest.mark.parametrize("later", [False, True])
    def test_lifecycle(self, start: Start, later: bool) -> None:
        stage = Stage(start=start)
        seen: list[Any] = []

        def noting(*what: str) -> Any:
            def note(*args: Any) -> None:
                seen.append((*what, *map(str, args)))

            async def note_later(*args: Any) -> None:
                note(*args)
                await stage.runtime.sleep()

            return note_later if later else note

        ada = stage.connect()
        socket = stage.socket(ada)
        for name in ("disconnect", "disconnecting", "error"):
            socket.on(name, noting(name))
        stage.server.on("disconnect", lambda socket, reason: seen.append(("namespace", reason)))
        ada.send("x")
        stage.advance()
        assert [entry[0] for entry in seen] == ["error", "disconnecting", "namespace", "disconnect"]
        assert [entry[1] for entry in seen[1:]] == ["forced close"] * 3
        assert seen[1][2] == seen[3][2] == seen[0][1]

    def test_a_disconnect_handler_need_not_take_the_description(self) -> None:
        stage = Stage()
        ada = stage.connect()
        seen: list[str] = []
        stage.socket(ada).on("disconnect", lambda reason: seen.append(reason))
        ada.leave()
        stage.advance()
        assert seen == ["transport close"]

    def test_registered_at_connection_they_miss_nothing(self) -> None:
        stage = Stage()
        seen: list[int] = []
        stage.server.on("connection", lambda socket: socket.on("n", seen.append))
        stage.visitor(polling=True).send("0", '2["n",1]', '2["n",2]')
        stage.advance()
        assert seen == [1, 2]

    @pytest.mark.parametrize("name", ["connection", "connect", "new_namespace"])
    def test_what_only_a_namespace_is_told(self, name: str) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())
        with pytest.raises(
            ValueError, match=f"a socket is told disconnecting, disconnect, error; '{name}' is for a namesp"
        ):
            socket.on(name, lambda socket: None)

    def test_mistakes(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())
        wrong: Any = 5
        with pytest.raises(ReservedEventError):
            socket.on("connect_error", print)
        with pytest.raises(TypeError, match=r"takes 2 positional arguments, but is called with \(error\)"):
            socket.on("error", lambda socket, error: None)
        with pytest.raises(TypeError, match="must be callable, not 5"):
            socket.on("a", wrong)
        with pytest.raises(LocalProtocolError, match=r"write @socket.on\('len'\)"):
            socket.on(len)
        with pytest.raises(LocalProtocolError, match=r"write @io.once\('len'\)"):
            stage.server.once(len)
        wrong = None
        with pytest.raises(TypeError, match="off: an event's name must be a string, not None"):
            socket.off(wrong)
        assert socket.listeners is None or not socket.listeners.events

    def test_arguments_that_do_not_fit(self) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.socket(ada).on("add", lambda a, b: a + b)
        ada.send('20["add",1]', '21["add",1,2]')
        stage.advance()
        assert ada.take() == ["31[3]"]
        assert [report.trouble for report in stage.runtime.reports] == [Trouble.FIRST_MISFIT]
        assert "came with 1 arguments" in stage.runtime.reports[0].text
        assert "takes 2" in stage.runtime.reports[0].text
        stage.runtime.reports.clear()

    def test_on_a_socket_that_is_over_nothing_is_kept(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        ada.leave()
        stage.advance()
        socket.on("a", lambda: None)
        socket.use(lambda packet: None)
        socket.on_any_outgoing(lambda *args: None)
        assert socket.listeners is None
        assert stage.server.sockets.overheard == set()


class TestOnce:
    def test_on_a_socket(self) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.socket(ada).once("n", lambda n: n)
        ada.send('20["n",1]', '21["n",2]')
        stage.advance()
        assert ada.take() == ["30[1]"]

    def test_on_a_namespace_it_is_one_call_whoever_comes(self) -> None:
        stage = Stage()
        ada, bob = stage.connect(), stage.connect()
        stage.server.once("n", lambda socket, n: n)
        bob.send('20["n",1]')
        stage.advance()
        ada.send('20["n",2]')
        stage.advance()
        assert (bob.take(), ada.take()) == (["30[1]"], [])

    @starts
    def test_async(self, start: Start) -> None:
        stage = Stage(start=start)
        ada = stage.connect()

        async def later(n: int) -> int:
            await stage.runtime.sleep()
            return n

        stage.socket(ada).once("n", later)
        ada.send('20["n",1]', '21["n",2]')
        stage.advance()
        assert ada.take() == ["30[1]"]

    def test_arguments_that_do_not_fit_are_no_call(self) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.socket(ada).once("n", lambda n: n)
        ada.send('20["n"]', '21["n",2]')
        stage.advance()
        assert ada.take() == ["31[2]"]
        stage.runtime.reports.clear()

    def test_lifecycle(self) -> None:
        stage = Stage()
        seen: list[str] = []
        stage.server.once("connection", lambda socket: seen.append(socket.id))
        ada = stage.connect()
        stage.connect()
        assert seen == [ada.id]

    def test_one_that_raises_is_gone_too(self) -> None:
        stage = Stage()
        ada = stage.connect()

        def bad() -> None:
            raise ValueError

        stage.socket(ada).once("a", bad)
        ada.send('2["a"]', '2["a"]')
        stage.advance()
        assert len(stage.runtime.reports) == 1
        stage.runtime.reports.clear()

    def test_it_may_register_itself_again(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        seen: list[int] = []

        def note(n: int) -> None:
            seen.append(n)
            if n < 2:
                socket.once("n", note)

        socket.once("n", note)
        ada.send('2["n",1]', '2["n",2]', '2["n",3]')
        stage.advance()
        assert seen == [1, 2]

    def test_of_a_parent_it_is_one_call_in_each_child(self) -> None:
        stage = Stage()
        parent = stage.server.of(re.compile("^/dyn-"))
        parent.once("n", lambda socket, n: n)
        for name in ("/dyn-1", "/dyn-2"):
            ada = stage.connect(name)
            ada.send(f'2{name},0["n",1]', f'2{name},1["n",2]')
            stage.advance()
            assert ada.take() == [f"3{name},0[1]"]

    def test_off(self) -> None:
        stage = Stage()
        ada = stage.connect()

        def f(socket: Socket) -> int:
            return 1

        stage.server.once("a", f)
        stage.server.off("a", f)
        ada.send('20["a"]')
        stage.advance()
        assert ada.take() == []


class TestOff:
    def test_the_last_added_of_a_function(self) -> None:
        stage = Stage()
        ada = stage.connect()
        seen: list[str] = []

        class Listener:
            def __init__(self, name: str) -> None:
                self.name = name

            def heard(self, socket: Socket) -> None:
                seen.append(self.name)

        a, b = Listener("a"), Listener("b")
        for listener in (a, b, a):
            stage.server.on("x", listener.heard)
        stage.server.off("x", a.heard)  # another object each time, and equal
        ada.send('2["x"]')
        stage.advance()
        assert seen == ["a", "b"]
        stage.server.off("x", a.heard)
        stage.server.off("x", a.heard)
        ada.send('2["x"]')
        stage.advance()
        assert seen == ["a", "b", "b"]

    @pytest.mark.parametrize("own", [False, True])
    def test_all_of_an_event(self, own: bool) -> None:
        stage = Stage()
        ada = stage.connect()
        who = stage.socket(ada) if own else stage.server
        seen: list[Any] = []
        for name in ("x", "y", "disconnect"):
            who.on(name, lambda *args, _name=name: seen.append(_name))
            who.on(name, lambda *args, _name=name: seen.append(_name))
        who.off("x")
        who.off("x")
        who.off("disconnect")
        ada.send('2["x"]', '2["y"]', "1")
        stage.advance()
        assert seen == ["y", "y"]

    def test_within_a_handler(self) -> None:
        """Who is being called goes by what was there when it began."""
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        seen: list[str] = []

        def first() -> None:
            seen.append("first")
            socket.off("x")

        socket.on("x", first)
        socket.on("x", lambda: seen.append("second"))
        ada.send('2["x"]', '2["x"]')
        stage.advance()
        assert seen == ["first", "second"]


class TestOnAny:
    def test_order_and_arguments(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        seen: list[Any] = []
        stage.server.on("x", lambda *args: seen.append(("handler", *args[1:])))
        socket.on_any(lambda *args: seen.append(("own", *args)))
        socket.prepend_any(lambda *args: seen.append(("own first", *args)))
        stage.server.on_any(lambda *args: seen.append(("namespace", *args[1:])))
        stage.server.prepend_any(lambda *args: seen.append(("namespace first", args[0].id, *args[1:])))
        socket.use(lambda packet: seen.append(("use", *packet)))
        ada.send('2["x",1,2]', '2["nobody\'s"]', '2["x"]')
        stage.advance()
        assert seen[:6] == [
            ("namespace first", ada.id, "x", 1, 2),
            ("namespace", "x", 1, 2),
            ("own first", "x", 1, 2),
            ("own", "x", 1, 2),
            ("use", "x", 1, 2),
            ("handler", 1, 2),
        ]
        assert [entry[0] for entry in seen[6:]] == [
            *("namespace first", "namespace", "own first", "own", "use"),
            *("namespace first", "namespace", "own first", "own", "use", "handler"),
        ]

    def test_it_may_answer(self) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.server.on("x", lambda socket: "handler")

        @stage.server.on_any
        def overhear(socket: Socket, event: str, *args: Any, ack: Ack) -> str:
            if args:
                assert ack.wanted
                ack("any", event)
                assert not ack.wanted
            return "what it returns is nobody's answer"

        ada.send('20["x"]', '21["y"]', '22["y",1]')
        stage.advance()
        assert ada.take() == ['30["handler"]', '32["any","y"]']

    def test_once_only_whoever_answers(self) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.server.on("x", lambda socket, n: "handler")
        stage.server.on_any(lambda socket, event, n: None)

        @stage.server.on_any
        def overhear(socket: Socket, event: str, n: int, ack: Ack) -> None:
            ack("any")

        ada.send('20["x",1]')
        stage.advance()
        assert ada.take() == ['30["any"]']

    @starts
    def test_async(self, start: Start) -> None:
        stage = Stage(start=start)
        ada = stage.connect()
        seen: list[Any] = []

        @stage.server.on_any
        async def overhear(socket: Socket, event: str, n: int) -> None:
            seen.append(("any", n))
            await stage.runtime.sleep(1.0)
            raise ValueError(n)

        @stage.server.on("x")
        async def handler(socket: Socket, n: int) -> int:
            seen.append(("handler", n))
            return n

        ada.send('20["x",1]', '21["x",2]')
        stage.advance()
        assert seen == [("any", 1), ("handler", 1), ("any", 2), ("handler", 2)]
        assert ada.take() == ["30[1]", "31[2]"]
        assert stage.socket(ada).connection.in_flight == 2
        stage.advance(1.0)
        assert stage.socket(ada).connection.in_flight == 0
        assert [str(report.error) for report in stage.runtime.reports] == ["1", "2"]
        stage.runtime.reports.clear()

    def test_one_that_raises_stops_nothing_else(self) -> None:
        stage = Stage()
        ada = stage.connect()
        seen: list[str] = []

        def bad(*args: Any) -> None:
            raise ValueError("expected")

        stage.server.on_any(bad)
        stage.server.on_any(lambda socket, event: seen.append("any"))
        stage.server.on("x", lambda socket: seen.append("x"))
        ada.send('2["x"]')
        stage.advance()
        assert seen == ["any", "x"]
        assert [str(report.error) for report in stage.runtime.reports] == ["expected"]
        stage.runtime.reports.clear()

    def test_one_that_disconnects(self) -> None:
        stage = Stage()
        ada = stage.connect()
        socket = stage.socket(ada)
        seen: list[str] = []
        socket.on_any(lambda event: socket.disconnect())
        socket.use(lambda packet: seen.append("use"))
        socket.on("x", lambda: seen.append("x"))
        ada.send('2["x"]', '2["x"]')
        stage.advance()
        assert seen == []
        assert ada.take() == ["1"]

    def test_off(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())
        for who in (stage.server, socket):

            def a(*args: Any) -> None: ...
            def b(*args: Any) -> None: ...

            for listener in (a, b, a):
                who.on_any(listener)
            who.off_any(a)
            assert who.listeners_any() == [b, a]
            who.prepend_any(a)
            assert who.listeners_any() == [a, b, a]
            who.off_any(len)
            who.off_any()
            assert who.listeners_any() == []

    def test_mistakes(self) -> None:
        stage = Stage()
        socket = stage.socket(stage.connect())
        with pytest.raises(TypeError, match=r"takes too little; it is called with \(event, \*arguments\)"):
            socket.on_any(lambda: None)
        with pytest.raises(TypeError, match=r"it is called with \(socket, event, \*arguments\)"):
            stage.server.on_any(lambda event: None)
        wrong: Any = "x"
        with pytest.raises(TypeError, match="on_any: a handler must be callable, not 'x'"):
            socket.on_any(wrong)

    def test_arguments_that_do_not_fit(self) -> None:
        stage = Stage()
        ada = stage.connect()
        stage.server.on_any(lambda socket, event, a, b=None: None)
        ada.send('2["x"]', '2["x",1,2,3]', '2["x",1]')
        stage.advance()
        texts = [report.text for report in stage.runtime.reports]
        assert ["came with 0" in texts[0], "came with 3" in texts[1]] == [True, True]
        assert all("takes 1 to 2" in text for text in texts)
        assert len(texts) == 2
        stage.runtime.reports.clear()
