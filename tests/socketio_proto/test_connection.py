"""The connection: what a client may send, its inbox, backpressure outwards, and its ends."""

from __future__ import annotations

from functools import partial

import pytest
from engineio_proto import Exchange, Request
from socketio_proto import (
    ConnectionClosed,
    ConnectRequested,
    DisconnectReason,
    EventReceived,
    NamespaceCreated,
    Socket,
    SocketConnected,
    SocketDisconnected,
    SocketErrored,
    Trouble,
)

from tests.sim.runtime import Start
from tests.sim.socketio import Stage, Visitor

starts = pytest.mark.parametrize("start", list(Start))
transports = pytest.mark.parametrize("polling", [False, True], ids=["websocket", "polling"])

R = DisconnectReason


def reasons(stage: Stage) -> list[tuple[DisconnectReason, str | None]]:
    return [(e.reason, e.description) for e in stage.events if isinstance(e, SocketDisconnected)]


def kinds(stage: Stage) -> list[type[object]]:
    """Of the events about clients."""
    return [type(event) for event in stage.events if not isinstance(event, NamespaceCreated)]


class TestConnect:
    @transports
    def test_sid_is_not_the_sessions(self, polling: bool) -> None:
        stage = Stage()
        ada = stage.connect(polling=polling)
        assert len(ada.id) == 20
        assert ada.id not in ada.sid
        assert stage.socket(ada).conn.id == ada.sid

    def test_auth(self) -> None:
        stage = Stage()
        got: list[object] = []
        stage.server.on("connection", lambda socket: got.append(socket.handshake.auth))
        stage.connect(auth={"token": "x"})
        stage.connect()
        assert got == [{"token": "x"}, {}]

    def test_reply_comes_before_what_the_handler_emits(self) -> None:
        stage = Stage()
        stage.server.on("connection", lambda socket: socket.emit("welcome"))
        ada = stage.visitor()
        ada.send("0")
        stage.advance()
        connect, welcome = ada.take()
        assert str(connect).startswith('0{"sid":')
        assert welcome == '2["welcome"]'

    def test_empty_text_is_no_connect(self) -> None:
        stage = Stage()
        ada = stage.visitor()
        ada.send("")
        stage.advance()
        assert ada.gone

    def test_unknown_namespace(self) -> None:
        stage = Stage()
        stage.server.of("/a")
        ada = stage.visitor()
        ada.send("0/a?x=1,", "0/A,", "0/a/,", "0//a,")
        stage.advance()
        message = '{"message":"Invalid namespace"}'
        assert ada.take() == [f"4/a?x=1,{message}", f"4/A,{message}", f"4/a/,{message}", f"4//a,{message}"]
        assert not ada.gone

    def test_max_namespaces(self) -> None:
        stage = Stage(max_namespaces=2)
        for name in ("/a", "/b"):
            stage.server.of(name)
        ada = stage.connect()
        ada.join("/a")
        ada.send("0/b,")
        stage.advance()
        assert ada.take() == ['4/b,{"message":"Too many namespaces (max_namespaces=2)"}']
        ada.send("1/a,", "0/b,")
        stage.advance()
        assert [str(text)[:4] for text in ada.take()] == ["0/b,"]

    def test_joining_ones_count(self) -> None:
        stage = Stage(max_namespaces=1)
        stage.server.of("/a").use(lambda socket: stage.runtime.sleep(1.0))
        ada = stage.visitor()
        ada.send("0/a,", "0")
        stage.advance()
        assert ada.take() == ['4{"message":"Too many namespaces (max_namespaces=1)"}']

    @transports
    def test_second_connect_closes(self, polling: bool) -> None:
        stage = Stage()
        ada = stage.connect(polling=polling)
        ada.send("0")
        stage.advance()
        assert ada.gone
        assert reasons(stage) == [(R.FORCED_SERVER_CLOSE, "second CONNECT for '/'")]
        assert len(stage.runtime.told(Trouble.CLOSED)) == 1

    def test_second_connect_closes_while_joining(self) -> None:
        stage = Stage()
        stage.server.use(lambda socket: stage.runtime.sleep(1.0))
        connected: list[Socket] = []
        stage.server.on("connection", connected.append)
        ada = stage.visitor()
        ada.send("0", "0")
        stage.advance()
        assert ada.gone
        stage.advance(2.0)
        assert not connected
        assert not stage.server.sockets.sockets
        assert not stage.server.sockets.adapter.members("")

    def test_connect_timeout(self) -> None:
        stage = Stage(connect_timeout=3.0)
        ada = stage.visitor()
        stage.advance(2.999)
        assert not ada.gone
        stage.advance(0.001)
        assert ada.gone

    def test_connect_timeout_while_a_middleware_runs(self) -> None:
        stage = Stage(connect_timeout=3.0)
        stage.server.use(lambda socket: stage.runtime.sleep(10.0))
        ada = stage.visitor()
        ada.send("0")
        stage.advance(3.0)
        assert ada.gone
        stage.advance(10.0)
        assert kinds(stage) == [ConnectRequested]

    def test_no_connect_timeout_once_joined(self) -> None:
        stage = Stage(connect_timeout=3.0)
        ada = stage.connect()
        ada.send("1")
        stage.advance(10.0)
        assert not ada.gone

    def test_rejoining_is_a_new_socket(self) -> None:
        stage = Stage()
        ada = stage.connect()
        first = stage.socket(ada)
        ada.send("1")
        stage.advance()
        ada.join()
        assert stage.socket(ada) is not first
        assert stage.socket(ada).id != first.id
        first.disconnect()
        first.leave(ada.id)
        stage.advance()
        assert stage.socket(ada).connected


class TestViolations:
    @transports
    @pytest.mark.parametrize(
        "packet",
        ['2["early"]', "30[]", "1", '4{"message":"x"}', '2/a,["early"]'],
        ids=["EVENT", "ACK", "DISCONNECT", "CONNECT_ERROR", "EVENT elsewhere"],
    )
    def test_before_joining(self, packet: str, polling: bool) -> None:
        stage = Stage()
        stage.server.of("/a")
        ada = stage.visitor(polling=polling)
        ada.send(packet)
        stage.advance()
        assert ada.gone
        assert kinds(stage) == [ConnectionClosed]
        (text,) = stage.runtime.told(Trouble.CLOSED)
        assert "protocol violation" in text
        assert ada.sid in text

    def test_event_while_joining(self) -> None:
        stage = Stage()
        stage.server.use(lambda socket: stage.runtime.sleep(1.0))
        ada = stage.visitor()
        ada.send("0", '2["early"]')
        stage.advance()
        assert ada.gone

    def test_event_glued_to_connect_is_delivered(self) -> None:
        stage = Stage()
        got: list[object] = []
        stage.server.on("hello", lambda socket: got.append(socket.connected))
        stage.visitor(polling=True).send("0", '2["hello"]')
        stage.advance()
        assert got == [True]

    def test_connect_error_from_a_client(self) -> None:
        stage = Stage()
        ada = stage.connect()
        ada.send('4{"message":"x"}')
        stage.advance()
        assert ada.gone
        assert reasons(stage) == [(R.FORCED_SERVER_CLOSE, "CONNECT_ERROR packet from a client")]

    def test_an_event_without_data_is_nobodys(self) -> None:
        stage = Stage()
        ada = stage.connect()
        ada.send("2", "27", "2")
        stage.advance()
        assert ada.take() == []
        assert [e.name for e in stage.events if isinstance(e, EventReceived)] == [None] * 3
        assert not ada.gone

    def test_violation_ends_all_namespaces(self) -> None:
        stage = Stage()
        stage.server.of("/a")
        ada = stage.connect()
        ada.join("/a")
        ada.send('2/b,["x"]', '2["never"]')
        stage.advance()
        assert [reason for reason, _ in reasons(stage)] == [R.FORCED_SERVER_CLOSE] * 2
        assert EventReceived not in kinds(stage)
        assert len(stage.runtime.told(Trouble.CLOSED)) == 1

    @pytest.mark.parametrize("packet", ['51-["x",{"_placeholder":true,"num":0}]', "51-/a,[0]"])
    def test_binary_before_joining(self, packet: str) -> None:
        stage = Stage()
        stage.server.of("/a")
        ada = stage.visitor()
        ada.send(packet)
        stage.advance()
        assert ada.gone
        assert "binary packet before" in stage.runtime.told(Trouble.CLOSED)[0]

    @transports
    @pytest.mark.parametrize(
        "packet",
        ["5woooot", "9", "x", '2["disconnect"]', '2["connect_error",1]', "2{}", b"\0", "1{}", "2[", "0[]"],
    )
    def test_undecodable(self, packet: str | bytes, polling: bool) -> None:
        stage = Stage()
        stage.server.of("/a")
        told: list[tuple[str, str, bool]] = []
        for name in ("/", "/a"):
            stage.server.of(name).on(
                "error",
                lambda socket, error: told.append((socket.namespace.name, str(error), socket.connected)),
            )
        ada = stage.connect(polling=polling)
        ada.join("/a")
        ada.send(packet, '2["never"]')
        stage.advance()
        assert ada.gone
        assert [(name, connected) for name, _, connected in told] == [("/", False), ("/a", False)]
        assert kinds(stage)[2:] == [SocketErrored, SocketErrored, ConnectionClosed, *[SocketDisconnected] * 2]
        assert {reason for reason, _ in reasons(stage)} == {R.FORCED_CLOSE}
        assert len(stage.runtime.told(Trouble.CLOSED)) == 1

    def test_undecodable_before_joining(self) -> None:
        stage = Stage()
        ada = stage.visitor()
        ada.send("x")
        stage.advance()
        assert ada.gone
        assert kinds(stage) == [ConnectionClosed]


class TestEnds:
    @transports
    @starts
    def test_what_came_before_is_delivered(self, polling: bool, start: Start) -> None:
        stage = Stage(start=start)
        got: list[object] = []
        stage.server.on("bye", lambda socket, n: got.append(n))
        stage.server.on("disconnect", lambda socket, reason: got.append(reason))
        ada = stage.connect(polling=polling)
        ada.send('2["bye",1]', '2["bye",2]', "1")
        stage.advance()
        assert got == [1, 2, R.CLIENT_NAMESPACE_DISCONNECT]

    def test_what_came_before_the_end_of_the_session_is_delivered(self) -> None:
        stage = Stage()
        got: list[object] = []
        stage.server.on("bye", lambda socket, n: got.append(n))
        stage.server.on("disconnect", lambda socket, reason: got.append(reason))
        ada = stage.connect(polling=True)
        request = ada.request("POST")
        request.send(b'42["bye",1]\x1e42["bye",2]\x1e1')
        request.end()
        stage.advance()
        assert got == [1, 2, R.TRANSPORT_CLOSE]

    @pytest.mark.parametrize("left", [False, True])
    def test_disconnect_glued_to_the_end_of_the_session(self, left: bool) -> None:
        stage = Stage()
        ada = stage.connect(polling=True)
        request = ada.request("POST")
        request.send(b"41\x1e1" if left else b"1")
        request.end()
        stage.advance()
        assert reasons(stage) == [(R.CLIENT_NAMESPACE_DISCONNECT if left else R.TRANSPORT_CLOSE, None)]

    def test_nothing_after_its_disconnect(self) -> None:
        stage = Stage()
        ada = stage.connect()
        ada.send("1", '2["late"]')
        stage.advance()
        assert EventReceived not in kinds(stage)
        assert ada.gone  # as in the reference

    def test_ping_timeout(self) -> None:
        stage = Stage()
        ada = stage.connect()
        ada.auto_pong = False
        stage.advance(45.0)
        assert reasons(stage) == [(R.PING_TIMEOUT, None)]
        assert ada.gone

    def test_transport_close(self) -> None:
        stage = Stage()
        stage.connect().leave()
        stage.advance()
        assert reasons(stage) == [(R.TRANSPORT_CLOSE, None)]

    def test_transport_error(self) -> None:
        stage = Stage()
        ada = stage.connect()
        assert ada.socket is not None
        ada.socket.fail("invalid frame")
        stage.advance()
        assert reasons(stage) == [(R.TRANSPORT_ERROR, "invalid frame")]

    def test_aborted_poll(self) -> None:
        stage = Stage()
        stage.connect(polling=True).leave()
        stage.advance()
        assert [reason for reason, _ in reasons(stage)] == [R.TRANSPORT_ERROR]

    def test_parse_error(self) -> None:
        stage = Stage()
        ada = stage.connect()
        assert ada.socket is not None
        ada.socket.send("z")
        stage.advance()
        assert reasons(stage) == [(R.PARSE_ERROR, None)]

    def test_server_disconnects_one_namespace(self) -> None:
        stage = Stage()
        stage.server.of("/a")
        ada = stage.connect()
        ada.join("/a")
        stage.socket(ada, "/a").disconnect()
        stage.advance()
        assert ada.take() == ["1/a,"]
        assert reasons(stage) == [(R.SERVER_NAMESPACE_DISCONNECT, None)]
        assert not ada.gone

    @transports
    def test_server_disconnects_all(self, polling: bool) -> None:
        stage = Stage()
        stage.server.of("/a")
        stage.server.of("/b").use(lambda socket: stage.runtime.sleep(1.0))
        ada = stage.connect(polling=polling)
        socket = stage.socket(ada)
        ada.join("/a")
        ada.send("0/b,")
        stage.advance()
        socket.disconnect(True)
        socket.disconnect(True)
        stage.advance(2.0)
        assert ada.take() == ["1", "1/a,"]
        assert [reason for reason, _ in reasons(stage)] == [R.SERVER_NAMESPACE_DISCONNECT] * 2
        assert ada.gone

    @transports
    def test_server_closes(self, polling: bool) -> None:
        stage = Stage()
        stage.server.of("/a").use(lambda socket: stage.runtime.sleep(1.0))
        ada = stage.connect(polling=polling)
        ada.send("0/a,")
        stage.advance()
        stage.command(stage.server.close, stage.clock.now)
        assert ada.take() == []
        assert reasons(stage) == [(R.SERVER_SHUTTING_DOWN, None)]
        assert ada.gone
        stage.advance(2.0)
        assert not stage.server.of("/a").sockets

    def test_a_full_send_buffer_is_reported(self) -> None:
        stage = Stage(max_send_buffer=1000)
        ada = stage.connect(window=1)
        assert ada.socket is not None
        ada.socket.down.hold()
        socket = stage.socket(ada)
        for _ in range(20):
            socket.emit("big", "x" * 400)
            stage.advance()
        assert [reason for reason, _ in reasons(stage)] == [R.FORCED_CLOSE]
        (text,) = stage.runtime.told(Trouble.CLOSED)
        assert "send buffer full" in text


class TestInbox:
    """Events wait when too many handlers run."""

    def slow(self, stage: Stage, seconds: float = 1.0) -> list[object]:
        started: list[object] = []

        @stage.server.on("work")
        async def work(socket: Socket, n: object) -> None:
            started.append(n)
            await stage.runtime.sleep(seconds)

        return started

    @starts
    def test_handlers_in_flight_are_bounded(self, start: Start) -> None:
        stage = Stage(start=start, max_handlers=3)
        started = self.slow(stage)
        ada = stage.connect()
        ada.send(*[f'2["work",{n}]' for n in range(8)])
        stage.advance()
        assert started == [0, 1, 2]
        stage.advance(1.0)
        assert started == [0, 1, 2, 3, 4, 5]
        stage.advance(1.0)
        assert started == list(range(8))
        stage.advance(1.0)
        connection = stage.socket(ada).connection
        assert (connection.in_flight, connection.inbox, connection.held) == (0, None, None)

    @starts
    @transports
    def test_order_of_mixed_handlers(self, start: Start, polling: bool) -> None:
        stage = Stage(start=start, max_handlers=4)
        got: list[object] = []
        stage.server.on("sync", lambda socket, n: got.append(n))

        @stage.server.on("async")
        async def slow(socket: Socket, n: int) -> None:
            got.append(n)
            await stage.runtime.sleep(n % 3)

        @stage.server.on("async")
        async def second(socket: Socket, n: int) -> None:
            got.append(n)

        ada = stage.connect(polling=polling)
        ada.send(*[f'2["{"async" if n % 3 else "sync"}",{n}]' for n in range(60)])
        stage.advance(100.0)
        assert got == [n for n in range(60) for _ in range(2 if n % 3 else 1)]

    @transports
    def test_pause_and_resume(self, polling: bool) -> None:
        stage = Stage(max_handlers=1, max_inbox=4)
        started = self.slow(stage)
        ada = stage.connect(polling=polling)
        for n in range(12):
            ada.send(f'2["work",{n}]')
            stage.advance()
            if polling and n == 4:
                break  # its POST is not answered: the client sends no other
        session = stage.socket(ada).conn
        connection = stage.socket(ada).connection
        assert session.paused
        assert len(connection.inbox) == 4
        stage.advance(1.0)
        assert started == [0, 1]
        assert session.paused is (not polling)  # over WebSocket the next was read at once
        stage.advance(20.0)
        assert started == list(range(5 if polling else 12))
        assert not session.paused
        assert not ada.gone

    def test_bytes_pause_too(self) -> None:
        stage = Stage(max_handlers=1, max_http_buffer_size=1000)
        self.slow(stage)
        ada = stage.connect()
        big = "x" * 600
        for _ in range(3):
            ada.send(f'2["work","{big}"]')
            stage.advance()
        assert stage.socket(ada).conn.paused

    def test_bytes_of_attachments_count(self) -> None:
        stage = Stage(max_handlers=1, max_http_buffer_size=1000)
        self.slow(stage)
        ada = stage.connect()
        packet = '52-["work",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]]'
        for _ in range(3):
            ada.send(packet, b"x" * 600, b"")
            stage.advance()
        assert stage.socket(ada).conn.paused

    def test_the_smallest_inbox(self) -> None:
        stage = Stage(max_handlers=1, max_inbox=1)
        started = self.slow(stage)
        ada = stage.connect()
        session = stage.socket(ada).conn
        for n in range(3):
            ada.send(f'2["work",{n}]')
        stage.advance()
        assert session.paused
        stage.advance(2.0)
        assert started == [0, 1, 2]
        assert not session.paused

    @starts
    def test_two_namespaces_leave_while_one_starts(self, start: Start) -> None:
        stage = Stage(start=start)
        seen: list[tuple[str, str]] = []

        async def note(name: str, socket: Socket, reason: str) -> None:
            seen.append((name, socket.namespace.name))

        for namespace in ("/", "/a"):
            for name in ("disconnecting", "disconnect"):
                stage.server.of(namespace).on(name, partial(note, name))
        stage.server.on("event", lambda socket: note("event", socket, ""))
        ada = stage.connect(polling=True)
        ada.join("/a")
        ada.send('2["event"]', "1", "1/a,")
        stage.advance()
        assert seen.pop(0) == ("event", "/")
        assert seen == [(name, nsp) for nsp in ("/", "/a") for name in ("disconnecting", "disconnect")]

    def test_stalled(self) -> None:
        stage = Stage(max_handlers=1, max_inbox=1, stall_timeout=10.0)
        self.slow(stage, 1000.0)
        ada = stage.connect()
        ada.send('2["work",1]', '2["work",2]')
        stage.advance(9.999)
        assert not ada.gone
        stage.advance(0.001)
        assert ada.gone
        assert [reason for reason, _ in reasons(stage)] == [R.FORCED_CLOSE]
        (text,) = stage.runtime.told(Trouble.CLOSED)
        assert "stall_timeout" in text

    def test_reading_goes_on_while_an_answer_is_awaited(self) -> None:
        stage = Stage(max_handlers=2, max_inbox=4)
        answers: list[object] = []

        @stage.server.on("ask")
        async def ask(socket: Socket, n: int) -> None:
            answers.append(await socket.emit_with_ack("question", n))

        ada = stage.connect()
        ada.send(*[f'2["ask",{n}]' for n in range(10)])
        stage.advance()
        connection = stage.socket(ada).connection
        assert len(connection.inbox) == 8
        assert not connection.session.paused
        assert ada.take() == ['20["question",0]', '21["question",1]']
        for n in range(10):
            ada.send(f"3{n}[{n}]")
            stage.advance()
            assert ada.take() == ([f'2{n + 2}["question",{n + 2}]'] if n < 8 else [])
        assert answers == list(range(10))
        assert connection.inbox is None

    def test_the_answer_came_so_reading_stops(self) -> None:
        stage = Stage(max_handlers=1, max_inbox=2)

        @stage.server.on("ask")
        async def ask(socket: Socket) -> None:
            await socket.emit_with_ack("question")
            await stage.runtime.sleep(1.0)

        ada = stage.connect()
        ada.send(*['2["ask"]'] * 4)
        stage.advance()
        session = stage.socket(ada).conn
        assert not session.paused
        ada.send("30[]")
        stage.advance()
        assert session.paused
        stage.advance(1.0)
        assert not session.paused  # the next handler asks

    @starts
    def test_hundred_handlers_that_ask_their_own_client(self, start: Start) -> None:
        stage = Stage(start=start, max_handlers=16)
        answers: list[object] = []

        @stage.server.on("ask")
        async def ask(socket: Socket, n: int) -> None:
            answers.append(await socket.emit_with_ack("question", n))

        ada = stage.connect(polling=True)
        ada.send(*[f'2["ask",{n}]' for n in range(100)])
        for _ in range(20):
            stage.advance(0.1)
            texts = ada.take()
            if texts:
                ada.send(*["3" + str(text)[1:].replace('"question",', "") for text in texts])
        assert answers == list(range(100))
        assert not ada.gone

    def test_hard_bound(self) -> None:
        stage = Stage(max_handlers=1, max_inbox=2, slice=1)
        stage.server.of("/a")

        @stage.server.on("ask")
        async def ask(socket: Socket) -> None:
            await socket.emit_with_ack("question")

        ada = stage.connect()
        ada.join("/a")
        for _ in range(9):
            ada.send('2["ask"]')
        stage.advance()
        assert not ada.gone
        ada.send('2["ask"]')
        stage.advance()
        assert ada.gone
        assert [reason for reason, _ in reasons(stage)] == [R.FORCED_SERVER_CLOSE] * 2
        (text,) = stage.runtime.told(Trouble.CLOSED)
        assert "inbox full: 9 events of " in text

    def test_hard_bound_of_bytes(self) -> None:
        stage = Stage(max_handlers=1, max_http_buffer_size=100)

        @stage.server.on("ask")
        async def ask(socket: Socket, text: str) -> None:
            await socket.emit_with_ack("question")

        ada = stage.connect()
        for _ in range(5):
            ada.send('2["ask","' + "x" * 80 + '"]')
        stage.advance()
        assert not ada.gone
        ada.send('2["ask","' + "x" * 80 + '"]')
        stage.advance()
        assert ada.gone

    @starts
    def test_client_gone_delivers_what_waits(self, start: Start) -> None:
        stage = Stage(start=start, max_handlers=1)
        started = self.slow(stage)
        stage.server.on("disconnect", lambda socket, reason: started.append(reason))
        ada = stage.connect()
        ada.send(*[f'2["work",{n}]' for n in range(5)])
        ada.leave()
        stage.advance()
        assert started == [0, 1, 2, 3, 4, R.TRANSPORT_CLOSE]

    @starts
    def test_leaving_a_namespace_keeps_the_bound(self, start: Start) -> None:
        """Else a client that joins and leaves in turn has any number of handlers run."""
        stage = Stage(start=start, max_handlers=3)
        started = self.slow(stage, 1000.0)
        stage.server.on("disconnect", lambda socket, reason: started.append(reason))
        ada = stage.connect()
        for round_ in range(3):
            ada.send(*[f'2["work",{round_}]' for _ in range(4)], "1")
            stage.advance()
            ada.join()
        assert started == [0, 0, 0]
        ada.leave()
        stage.advance()
        gone = R.CLIENT_NAMESPACE_DISCONNECT
        assert started == [0] * 4 + [gone] + [1] * 4 + [gone] + [2] * 4 + [gone, R.TRANSPORT_CLOSE]

    @starts
    def test_left_before_it_was_gone(self, start: Start) -> None:
        """`socket.disconnect()` of the official client: a DISCONNECT, then the connection's end."""
        stage = Stage(start=start, max_handlers=1)
        started = self.slow(stage, 1000.0)
        stage.server.on("disconnect", lambda socket, reason: started.append(reason))
        ada = stage.connect()
        ada.send('2["work",0]', '2["work",1]', "1")
        stage.advance()
        assert started == [0]
        ada.leave()
        stage.advance()
        assert started == [0, 1, R.CLIENT_NAMESPACE_DISCONNECT]

    @starts
    def test_the_servers_disconnect_drops_what_waits(self, start: Start) -> None:
        stage = Stage(start=start, max_handlers=1)
        started = self.slow(stage)
        ada = stage.connect()
        ada.send(*[f'2["work",{n}]' for n in range(5)])
        stage.advance()
        stage.socket(ada).disconnect()
        stage.advance(10.0)
        assert started == [0]
        assert SocketDisconnected in kinds(stage)

    @starts
    def test_the_servers_disconnect_in_a_handler_drops_the_rest_of_the_segment(self, start: Start) -> None:
        stage = Stage(start=start)
        got: list[object] = []

        @stage.server.on("quit")
        def quit_(socket: Socket) -> None:
            got.append("quit")
            socket.disconnect()

        stage.server.on("work", lambda socket: got.append("work"))
        ada = stage.connect(polling=True)
        ada.send('2["quit"]', '2["work"]')
        stage.advance()
        assert got == ["quit"]


class TestDrained:
    """What an `emit` returns."""

    @transports
    def test_ready_below_the_mark(self, polling: bool) -> None:
        stage = Stage()
        ada = stage.connect(polling=polling)
        assert stage.socket(ada).emit("x") is stage.runtime.ready
        assert stage.socket(ada).volatile.emit("x") is stage.runtime.ready
        assert stage.server.emit("x") is stage.runtime.ready

    def fill(self, stage: Stage, visitor: Visitor, *, times: int = 1) -> list[str]:
        done: list[str] = []
        socket = stage.socket(visitor)

        async def fill() -> None:
            for _ in range(times):
                await socket.emit("big", "x" * 600)
                await socket.compress(False).emit("big", "x" * 600)
            done.append("done")

        stage.run(fill())
        return done

    def test_a_transport_that_takes_it_all(self) -> None:
        stage = Stage(high_water_mark=1000)
        ada = stage.connect()
        assert self.fill(stage, ada, times=3) == ["done"]
        assert len(ada.take()) == 6

    def test_a_transport_that_is_full(self) -> None:
        stage = Stage(high_water_mark=1000)
        ada = stage.connect(window=0)
        assert ada.socket is not None
        ada.socket.down.hold()
        done = self.fill(stage, ada)
        stage.advance(5.0)
        assert done == []
        ada.socket.down.release()
        stage.advance()
        assert done == ["done"]

    def test_polling(self) -> None:
        stage = Stage(high_water_mark=1000)
        ada = stage.connect(polling=True)
        ada.auto_poll = False
        stage.server.emit("release the poll")
        stage.advance()
        done = self.fill(stage, ada)
        stage.advance(5.0)
        assert done == []
        ada.poll()
        stage.advance()
        assert done == ["done"]

    def test_after_an_upgrade(self) -> None:
        stage = Stage(high_water_mark=1000)
        ada = stage.connect(polling=True)
        ada.auto_poll = False
        stage.server.emit("release the poll")
        stage.advance()
        done = self.fill(stage, ada)
        socket = ada.websocket()
        stage.advance()
        socket.send("2probe")
        stage.advance()
        socket.send("5")
        stage.advance()
        assert done == ["done"]

    @transports
    def test_close(self, polling: bool) -> None:
        stage = Stage(high_water_mark=1000)
        ada = stage.connect(polling=polling, window=0)
        if ada.socket is not None:
            ada.socket.down.hold()
        else:
            ada.auto_poll = False
            stage.server.emit("release the poll")
            stage.advance()
        done = self.fill(stage, ada)
        assert done == []
        if polling:
            stage.advance(60.0)
        else:
            ada.leave()
            stage.advance()
        assert done == ["done"]
        assert stage.server.engine.sessions == {}

    def test_several_wait(self) -> None:
        stage = Stage(high_water_mark=1000)
        ada = stage.connect(window=0)
        assert ada.socket is not None
        ada.socket.down.hold()
        first, second = self.fill(stage, ada), self.fill(stage, ada)
        assert (first, second) == ([], [])
        ada.socket.down.release()
        stage.advance()
        assert (first, second) == (["done"], ["done"])

    def test_a_broadcast_does_not_wait(self) -> None:
        stage = Stage(high_water_mark=1000)
        ada = stage.connect(window=0)
        assert ada.socket is not None
        ada.socket.down.hold()
        for _ in range(5):
            assert stage.server.emit("big", "x" * 600) is stage.runtime.ready


def test_events_are_returned_in_order() -> None:
    stage = Stage()
    stage.server.of("/a")
    ada = stage.visitor(polling=True)
    server, now = stage.server, stage.clock.now
    exchange = Exchange(object(), Request("POST", f"/socket.io/?EIO=4&transport=polling&sid={ada.sid}"))
    assert server.receive_request(exchange, now) == []
    body = '40\x1e42["e",1]\x1e40/a,\x1e42/a,["f"]\x1e41\x1e42/a,3["g",2]\x1e41/a,'
    assert server.receive_body(exchange, body.encode(), now) == []
    events = server.receive_body_end(exchange, now)
    names = [(type(event).__name__, event.socket.namespace.name) for event in events]  # type: ignore[union-attr]
    assert names == [
        ("SocketConnected", "/"),
        ("EventReceived", "/"),
        ("SocketConnected", "/a"),
        ("EventReceived", "/a"),
        ("SocketDisconnected", "/"),
        ("EventReceived", "/a"),
        ("SocketDisconnected", "/a"),
    ]
    last = events[5]
    assert isinstance(last, EventReceived)
    assert (last.name, last.args, last.ack_id, last.size) == ("g", [2], 3, len('2/a,3["g",2]'))
    assert server.take_events() == []
    assert isinstance(events[0], SocketConnected)
    assert repr(events[0].socket.connection) == f"<Connection {ada.sid} []>"
