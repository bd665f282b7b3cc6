"""The server: its contract, its timers, its end; and what it leaves behind, which is nothing."""

from __future__ import annotations

import pytest
from engineio_proto import Engine, Exchange, Link, Request
from socketio_proto import Server, Socket, SocketEvent

from tests.sim.socketio import Stage


def test_it_is_an_engine() -> None:
    server = Stage(path="/chat", max_http_buffer_size=5000).server
    engine: Engine[SocketEvent] = server
    assert engine.wire_options.max_message_size == 5000
    assert engine.owns("/chat/?EIO=4")
    assert not engine.owns("/socket.io/?EIO=4")
    assert engine.dirty is server.engine.dirty
    assert engine.timers is server.engine.timers
    assert server.deadline is None


def test_handle_timeout_early_or_twice_does_nothing() -> None:
    stage = Stage(connect_timeout=5.0)
    stage.visitor()
    now = stage.clock.now
    assert stage.server.deadline == now + 5.0
    assert stage.server.handle_timeout(now + 4.9) == []
    assert stage.server.deadline == now + 5.0
    stage.server.handle_timeout(now + 5.0)
    assert stage.server.handle_timeout(now + 5.0) == []
    assert stage.server.deadline is None


def test_a_link_whose_session_is_over_becomes_writable() -> None:
    stage = Stage()
    link = Link(object(), Request("GET", "/socket.io/?EIO=4&transport=websocket"), now=stage.clock.now)
    stage.server.receive_upgrade(link, stage.clock.now)
    stage.server.link_blocked(link)
    stage.server.receive_text(link, "1", stage.clock.now)
    stage.server.close(stage.clock.now)
    assert link.session is None
    assert stage.server.link_writable(link, stage.clock.now) == []


def test_vocabulary_of_the_main_namespace() -> None:
    stage = Stage()
    server = stage.server
    seen: list[object] = []

    @server.use
    def check(socket: Socket) -> None:
        seen.append("use")

    server.on("connection", seen.append)
    ada = stage.connect()
    assert seen == ["use", stage.socket(ada)]
    assert server.sockets is server.of("/")


class TestClose:
    def test_events_come_back(self) -> None:
        stage = Stage()
        ada = stage.connect()
        server = stage.server
        events = server.close(stage.clock.now)
        assert [type(event).__name__ for event in events] == ["SocketDisconnected"]
        assert server.take_events() == []
        assert server.engine.sessions == {}
        server.dispatch(events)
        stage.advance()
        assert ada.gone

    def test_what_waits_in_the_inbox_is_dropped(self) -> None:
        stage = Stage(max_handlers=1)
        seen: list[object] = []

        @stage.server.on("work")
        async def work(socket: Socket, n: int) -> None:
            seen.append(n)
            await stage.runtime.sleep(1.0)

        stage.server.on("disconnect", lambda socket, reason: seen.append(reason))
        ada = stage.connect()
        ada.send(*[f'2["work",{n}]' for n in range(3)])
        stage.advance()
        stage.command(stage.server.close, stage.clock.now)
        stage.advance(5.0)
        assert seen == [0, "server shutting down"]

    def test_nobody_comes_in_any_more(self) -> None:
        stage = Stage()
        stage.command(stage.server.close, stage.clock.now)
        exchange = Exchange(object(), Request("GET", "/socket.io/?EIO=4&transport=polling"))
        assert stage.server.receive_request(exchange, stage.clock.now) == []
        response = exchange.take_response()
        assert response is not None
        assert response.status == 503
        link = Link(object(), Request("GET", "/socket.io/?EIO=4&transport=websocket"), now=stage.clock.now)
        assert stage.server.receive_upgrade(link, stage.clock.now) == []
        assert link.refusal is not None


def test_a_command_outside_of_a_pass_wakes() -> None:
    """`Dirty.wake` is called when output or pending events appear."""
    stage = Stage()
    ada = stage.connect()
    stage.woken = False
    stage.server.emit("news")
    assert stage.woken
    stage.advance()
    assert ada.take() == ['2["news"]']
    stage.woken = False
    stage.socket(ada).disconnect()
    assert stage.woken
    stage.advance()
    stage.woken = False
    stage.server.of("/new")
    assert stage.woken


@pytest.mark.parametrize("command", ["emit", "broadcast", "ack", "disconnect"])
def test_a_wake_that_refuses_changes_nothing(command: str) -> None:
    """As in a thread that is not the server's: the next one, of the right thread, does all that it should."""
    stage = Stage()
    bob, ada = stage.connect(), stage.connect()
    socket = stage.socket(ada)
    # For who cannot take now there is nobody to wake, so he would be sent what the others are not.
    slow = stage.socket(bob).conn
    stage.server.engine.link_blocked(slow.link)
    wake = stage.server.dirty.wake

    def refuse() -> None:
        raise RuntimeError("another thread")

    stage.server.dirty.wake = refuse
    with pytest.raises(RuntimeError, match="another thread"):
        if command == "emit":
            socket.emit("lost")
        elif command == "broadcast":
            stage.server.emit("lost")
        elif command == "ack":
            socket.send_ack(1, [])
        else:
            socket.disconnect()
    assert not slow.has_buffered and len(stage.server.dirty) == 0
    stage.server.dirty.wake = wake
    stage.advance()
    assert ada.take() == []
    socket.emit("heard")
    stage.advance()
    assert ada.take() == ['2["heard"]']


def test_an_earlier_deadline_wakes() -> None:
    stage = Stage()
    socket = stage.socket(stage.connect())
    stage.advance()
    server: Server = stage.server
    server.timers.earlier = False
    stage.woken = False
    task = stage.runtime.run(socket.timeout(1.0).emit_with_ack("question"))
    assert stage.woken
    assert server.timers.earlier
    assert server.deadline == stage.clock.now + 1.0
    stage.advance(1.0)
    assert task.done


def test_a_message_arms_no_timer() -> None:
    stage = Stage()
    stage.server.on("ask", lambda socket: "ok")
    ada = stage.connect()
    stage.server.timers.earlier = False
    deadline = stage.server.deadline
    ada.send(*['21["ask"]'] * 10)
    stage.advance()
    assert len(ada.take()) == 10
    assert not stage.server.timers.earlier
    assert stage.server.deadline == deadline
