"""Connection state recovery: a client whose connection was lost goes on where it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from socketio_parser import EncodeError, Packet, PacketType
from socketio_proto import (
    BroadcastOptions,
    ConnectionRefused,
    LoggedPacket,
    PacketLog,
    Server,
    SessionAwareAdapter,
    Socket,
)

from tests.sim.socketio import ISSUED, Stage, Visitor


class Recovering(Stage):
    """A server with the option, whose wall clock goes with its time."""

    def __init__(self, recovery: dict[str, Any] | None = None, **options: Any) -> None:
        super().__init__(connection_state_recovery=recovery or {}, **options)

    def make(self, options: dict[str, Any], client_files: Any) -> Server:
        return Server(
            options,
            runtime=self.runtime,
            random_bytes=self.random,
            wall_clock=lambda: ISSUED + self.time,
            client_files=client_files,
        )

    def enter(self, auth: dict[str, Any] | None = None, **how: Any) -> Guest:
        """A client, and what CONNECT told it."""
        return Guest(self, auth, **how)

    @property
    def adapter(self) -> SessionAwareAdapter:
        adapter = self.server.sockets.adapter
        assert isinstance(adapter, SessionAwareAdapter)
        return adapter


class Guest:
    """A client that remembers what the official one does.

    Attributes:
        before: what came before CONNECT.
        sid, pid: what it was told.
        offset: the last argument of the last event that came.
    """

    def __init__(self, stage: Stage, auth: dict[str, Any] | None = None, **how: Any) -> None:
        self.stage = stage
        self.visitor: Visitor = stage.visitor(**how)
        self.visitor.send("0" if auth is None else "0" + json.dumps(auth))
        self.offset: str | None = None
        self.sid = self.pid = ""
        self.before: list[Any] = []
        stage.advance()
        self.before = self.read()

    def read(self) -> list[Any]:
        """The arguments of the events that came, without their offsets."""
        self.stage.advance()
        events: list[Any] = []
        for text in self.visitor.take():
            if isinstance(text, bytes):
                events.append(text)
                continue
            body = text.lstrip("0123456789-")
            kind = text[0]
            data = json.loads(body) if body else None
            if kind == "0":
                self.sid, self.pid = data["sid"], data["pid"]
            elif kind == "4":
                events.append(("refused", data["message"]))
            elif isinstance(data[-1], str) and len(data) > 1:
                self.offset = data.pop()
                events.append(data)
            else:
                events.append(data)
        return events

    def lose(self) -> None:
        self.visitor.leave()
        self.stage.advance()

    def back(self, **auth: Any) -> Guest:
        """The same client on a new connection."""
        said = {"pid": self.pid, "offset": self.offset, **auth}
        return Guest(self.stage, {key: value for key, value in said.items() if value is not None})

    @property
    def socket(self) -> Socket:
        return self.stage.server.sockets.sockets[self.sid]


def test_back_with_everything() -> None:
    stage = Recovering()
    reasons: list[tuple[str, bool]] = []
    stage.server.on("connection", lambda socket: reasons.append((socket.id, socket.recovered)))
    ada = stage.enter()
    assert len(ada.pid) == 20
    assert ada.pid != ada.sid
    ada.socket.join("room")
    ada.socket.data["name"] = "Ada"
    ada.socket.emit("one", 1)
    assert ada.read() == [["one", 1]]
    ada.lose()
    assert stage.server.sockets.sockets == {}
    stage.server.emit("two", 2)
    stage.server.to("room").emit("three", b"3")
    stage.server.to("elsewhere").emit("not", "hers")
    stage.server.except_("room").emit("not", "hers")
    stage.server.to(ada.sid).emit("four")
    again = ada.back()
    assert again.before == [["two", 2], ["three", {"_placeholder": True, "num": 0}], b"3", ["four"]]
    assert (again.sid, again.pid) == (ada.sid, ada.pid)
    assert again.socket.recovered
    assert again.socket.rooms == {ada.sid, "room"}
    assert again.socket.data == {"name": "Ada"}
    assert reasons == [(ada.sid, False), (ada.sid, True)]
    again.socket.emit("five")
    assert again.read() == [["five"]]


def test_what_was_sent_into_the_void_is_missed_too() -> None:
    """The server had not noticed yet that the connection was lost."""
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    assert ada.read() == [["one"]]
    offset = ada.offset
    stage.server.emit("two")
    ada.read()
    ada.offset = offset
    ada.lose()
    assert ada.back().before == [["two"]]


def test_a_socket_that_is_lost_is_still_spoken_to() -> None:
    stage = Recovering()
    ada = stage.enter()
    lost = ada.socket
    lost.emit("one")
    ada.read()
    ada.lose()
    assert not lost.connected
    lost.emit("two")
    lost.volatile.emit("volatile")
    again = ada.back()
    assert again.before == [["two"]]
    lost.emit("three")  # whoever holds the old object
    assert again.read() == [["three"]]


@pytest.mark.parametrize("offset", [True, False])
def test_who_never_received_an_event_begins_where_it_connected(offset: bool) -> None:
    """With no offset; or with one of a session before, which the official client keeps."""
    stage = Recovering()
    stage.server.emit("before")
    stage.advance(1.0)
    old = stage.enter()
    stage.server.emit("old")
    old.read()
    old.visitor.send("1")
    stage.advance(1.0)
    ada = stage.enter()
    ada.lose()
    stage.server.emit("one")
    ada.offset = old.offset if offset else None
    again = ada.back()
    assert again.before == [["one"]]
    assert again.sid == ada.sid


@pytest.mark.parametrize("offset", ["", "x", "hello", "1234567", "QHt3Zq1.!", "zzzzzzz", 5, ["a"]])
def test_an_offset_of_unknown_form_is_refused(offset: Any) -> None:
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    ada.read()
    ada.lose()
    again = ada.back(offset=offset)
    if offset == "1234567":  # it is of the form, and from the year 1977
        assert again.sid == ada.sid
        return
    assert again.before == []
    assert again.sid != ada.sid
    assert again.pid != ada.pid
    assert not again.socket.recovered


@pytest.mark.parametrize("pid", ["", "x", 5, None])
def test_an_unknown_pid_is_refused(pid: Any) -> None:
    stage = Recovering()
    again = stage.enter({"pid": pid, "offset": stage.adapter.offset})
    assert not again.socket.recovered
    assert again.socket.handshake.auth == {"pid": pid, "offset": stage.adapter.offset}


def test_a_session_is_for_one_client() -> None:
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    ada.read()
    ada.lose()
    first, second = ada.back(), ada.back()
    assert (first.sid, first.socket.recovered) == (ada.sid, True)
    assert second.sid != ada.sid
    assert len(stage.server.sockets.sockets) == 2


def test_again_and_again() -> None:
    stage = Recovering()
    ada = stage.enter()
    sid = ada.sid
    for n in range(5):
        stage.server.emit("n", n)
        assert (ada.read() or ada.before) == [["n", n]]
        ada.lose()
        stage.advance(100.0)
        stage.server.emit("m", n)
        ada = ada.back()
        assert ada.before == [["m", n]]
    assert ada.sid == sid


@pytest.mark.parametrize(("seconds", "recovered"), [(119.0, True), (121.0, False)])
def test_expiry(seconds: float, recovered: bool) -> None:
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    ada.read()
    ada.lose()
    stage.advance(seconds)
    assert ada.back().socket.recovered is recovered


def test_expiry_when_timers_are_late() -> None:
    stage = Recovering({"max_disconnection_duration": 10.0})
    ada = stage.enter()
    stage.server.emit("one")
    ada.read()
    ada.lose()
    stage.clock.machines.clear()  # nobody fires deadlines
    stage.advance(10.5)
    assert len(stage.adapter._sessions) == 1
    assert not ada.back().socket.recovered


def test_nothing_is_kept_for_ever() -> None:
    stage = Recovering()
    ada = stage.enter()
    for _ in range(10):
        stage.server.emit("one")
        stage.advance(1.0)
    ada.lose()
    assert (len(stage.adapter._log), len(stage.adapter._sessions)) == (10, 1)
    stage.advance(140.0)
    assert (len(stage.adapter._log), len(stage.adapter._sessions)) == (0, 0)
    assert stage.adapter._log.bytes == 0
    assert stage.adapter._log._serials == {stage.adapter.offset: 10}
    assert stage.server.deadline is None
    assert len(stage.server.adapter_timers) == 0


def test_silence_takes_no_offset_away() -> None:
    """The reference forgets every event after two minutes, and with it whoever got it last."""
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    ada.read()
    stage.advance(3600.0)
    assert len(stage.adapter._log) == 0
    ada.lose()
    stage.server.emit("two")
    assert ada.back().before == [["two"]]


def test_bounds_of_the_log() -> None:
    stage = Recovering({"max_packets": 3})
    ada, bob = stage.enter(), stage.enter()
    stage.server.emit("n", 0)
    ada.read()
    ada.lose()
    for n in (1, 2, 3):
        stage.server.emit("n", n)
    assert ada.back().before == [["n", 1], ["n", 2], ["n", 3]]
    bob.lose()
    bob.offset = ada.offset
    stage.server.emit("n", 4)
    assert not bob.back().socket.recovered


def test_bytes_of_the_log() -> None:
    stage = Recovering({"max_bytes": 300})
    ada = stage.enter()
    stage.server.emit("n", "x" * 100)
    ada.read()
    stage.server.emit("n", "x" * 100)
    stage.server.emit("n", "x" * 100)
    assert len(stage.adapter._log) == 2
    ada.offset, offset = None, ada.offset
    ada.lose()
    assert not ada.back().socket.recovered  # where it connected is gone
    assert stage.adapter._log.since(str(offset)) is not None
    stage.server.emit("n", "x" * 400)
    assert len(stage.adapter._log) == 0


def test_bound_of_sessions() -> None:
    stage = Recovering({"max_sessions": 2})
    guests = [stage.enter() for _ in range(3)]
    stage.server.emit("n")
    for guest in guests:
        guest.read()
        guest.lose()
    assert [guest.back().socket.recovered for guest in guests] == [False, True, True]


@pytest.mark.parametrize("how", ["client", "server", "close"])
def test_who_is_sent_away_is_not_expected_back(how: str) -> None:
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    ada.read()
    socket = ada.socket
    if how == "client":
        ada.visitor.send("1")
    else:
        socket.disconnect(how == "close")
    stage.advance()
    kept = len(stage.adapter._log)
    socket.emit("nobody hears")
    assert len(stage.adapter._log) == kept
    assert not ada.back().socket.recovered


@pytest.mark.parametrize("packet", ["x", "4"])
def test_who_broke_the_protocol_may_come_back(packet: str) -> None:
    """`forced close` and `forced server close` are recoverable, as in the reference."""
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    ada.read()
    ada.visitor.send(packet)
    stage.advance()
    assert ada.back().socket.recovered


def test_silent_clients() -> None:
    stage = Recovering(ping_interval=1.0, ping_timeout=1.0)
    ada = stage.enter()
    ada.visitor.auto_pong = False
    stage.server.emit("one")
    ada.read()
    stage.advance(3.0)
    assert stage.server.sockets.sockets == {}
    assert ada.back().socket.recovered


def test_what_is_not_kept() -> None:
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    ada.read()
    offset = stage.adapter.offset
    stage.server.volatile.emit("volatile", 1)
    asked = stage.runtime.run(stage.server.timeout(1.0).emit_with_ack("question", "text"))
    alone = stage.runtime.run(ada.socket.timeout(1.0).emit_with_ack("question", "text"))
    stage.advance()
    assert ada.visitor.take() == [
        '2["volatile",1]',
        '20["question","text"]',
        '21["question","text"]',
    ]
    ada.visitor.send("30[5]", "31[6]")
    stage.advance()
    assert (asked.value, alone.value) == ([5], 6)
    assert stage.adapter.offset == offset
    ada.lose()
    assert ada.back().before == []


@pytest.mark.parametrize("to", ["one", "all"])
def test_a_volatile_event_that_ends_with_a_text_says_where_its_client_is(to: str) -> None:
    """A client takes that text for an offset; the reference then refuses to recover it."""
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    assert ada.read() == [["one"]]
    target: Any = stage.server if to == "all" else ada.socket
    target.volatile.emit("volatile", "text")
    assert ada.read() == [["volatile", "text"]]
    assert ada.offset == stage.adapter.offset
    ada.lose()
    stage.server.emit("two")
    assert ada.back().before == [["two"]]


def test_offsets_on_the_wire() -> None:
    stage = Recovering()
    ada = stage.enter()
    stage.advance(1.0)
    stage.server.emit("a")
    stage.server.emit("b", "text")
    stage.server.emit("c", [1])
    stage.advance(0.001)
    stage.server.emit("d")
    stage.advance()
    first = stage.adapter._log._packets[1].offset
    assert ada.visitor.take() == [
        f'2["a","{first}"]',
        f'2["b","text","{first}.0"]',
        f'2["c",[1],"{first}.1"]',
        f'2["d","{stage.adapter.offset}"]',
    ]


class TestDoor:
    @pytest.mark.parametrize("skip", [True, False])
    def test_middlewares(self, skip: bool) -> None:
        stage = Recovering({"skip_middlewares": skip})
        seen: list[bool] = []
        stage.server.use(lambda socket: seen.append(socket.recovered))
        ada = stage.enter()
        stage.server.emit("one")
        ada.read()
        ada.lose()
        assert ada.back().socket.recovered
        assert seen == ([False] if skip else [False, True])

    def test_what_is_sent_while_a_middleware_runs(self) -> None:
        """The reference loses it."""
        stage = Recovering({"skip_middlewares": False})

        async def slow(socket: Socket) -> None:
            await stage.runtime.sleep(1.0)

        ada = stage.enter()
        ada.socket.join("room")
        stage.server.use(slow)
        stage.server.emit("one")
        ada.read()
        ada.lose()
        stage.server.emit("two")
        again = ada.back()
        assert again.before == []
        stage.server.to("room").emit("three")
        stage.server.to("elsewhere").emit("not hers")
        stage.server.volatile.emit("volatile")
        stage.advance(1.0)
        assert again.read() == [["two"], ["three"]]
        assert again.sid == ada.sid
        returning = stage.server.sockets.returning
        assert returning is not None
        assert returning.missed == {}

    def test_refused(self) -> None:
        """Who is refused gets nothing of what it missed; the reference sends it before it asks."""
        stage = Recovering({"skip_middlewares": False})

        def refuse(socket: Socket) -> None:
            raise ConnectionRefused("no")

        ada = stage.enter()
        ada.socket.join("room")
        stage.server.emit("one")
        ada.read()
        ada.lose()
        stage.server.emit("secret")
        stage.server.use(refuse)
        assert ada.back().before == [("refused", "no")]
        assert stage.server.sockets.adapter.members("room") == frozenset()
        assert stage.adapter._sessions == {}

    def test_lost_again_at_the_door(self) -> None:
        """What was restored for nothing is there for the next attempt."""
        stage = Recovering({"skip_middlewares": False})
        waiting: list[Socket] = []

        async def hold(socket: Socket) -> None:
            waiting.append(socket)
            if socket.recovered and len(waiting) == 1:
                await stage.runtime.waiter()

        ada = stage.enter()
        stage.server.use(hold)
        stage.server.emit("one")
        ada.read()
        ada.lose()
        stage.server.emit("two")
        again = ada.back()
        assert not stage.server.sockets.sockets
        again.lose()
        stage.server.emit("three")
        assert ada.back().before == [["two"], ["three"]]


def test_namespaces_are_apart() -> None:
    stage = Recovering()
    stage.server.of("/a")
    ada = stage.enter()
    stage.server.emit("one")
    ada.read()
    ada.lose()
    stage.server.of("/a").emit("not hers")
    other = stage.visitor()
    other.send("0/a," + json.dumps({"pid": ada.pid, "offset": ada.offset}))
    stage.advance()
    assert ada.sid not in str(other.take())
    assert ada.back().socket.recovered


def test_old_clients_have_no_session() -> None:
    """Their own events carry no offset that they could not use."""
    stage = Recovering(allow_eio3=True)
    old = stage.visitor(old=True)
    stage.advance()
    assert old.take() == ["0"]
    (socket,) = stage.server.sockets.sockets.values()
    socket.emit("one")
    stage.advance()
    assert old.take() == ['2["one"]']
    old.leave()
    stage.advance()
    assert stage.adapter._sessions == {}


def test_without_the_option_nothing_is_different() -> None:
    stage = Stage()
    ada = stage.visitor()
    ada.send('0{"pid":"x","offset":"y"}')
    stage.advance()
    (text,) = ada.take()
    assert list(json.loads(str(text)[1:])) == ["sid"]
    stage.server.emit("one")
    stage.advance()
    assert ada.take() == ['2["one"]']


def test_closing_the_server_forgets() -> None:
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    ada.read()
    stage.host.run(stage.server.close, stage.clock.now)
    assert (len(stage.adapter._log), len(stage.adapter._sessions)) == (0, 0)
    assert len(stage.server.adapter_timers) == 0


def test_what_cannot_be_sent_is_not_kept() -> None:
    stage = Recovering()
    ada = stage.enter()
    offset = stage.adapter.offset
    for target in (stage.server, ada.socket):
        with pytest.raises(EncodeError):
            loop: list[Any] = []
            loop.append(loop)
            target.emit("loop", loop)
    assert (stage.adapter.offset, len(stage.adapter._log)) == (offset, 0)


def test_the_log_holds_what_was_sent() -> None:
    """No copy: the very message that the clients got."""
    stage = Recovering()
    ada = stage.enter()
    stage.server.emit("one")
    (sent,) = ada.socket.conn.take_buffer()
    assert stage.adapter._log._packets[1].outgoing is sent


def test_a_log_by_itself() -> None:
    stage = Stage()
    outgoing = stage.server.encode

    def packet(offset: str, emitted: float) -> LoggedPacket:
        return LoggedPacket(
            offset, outgoing(Packet(PacketType.EVENT, "/", ["x"])), BroadcastOptions(), emitted
        )

    log = PacketLog("floor", 2, 10_000)
    assert log.since("floor") == []
    assert log.since("other") is None
    assert (log.oldest, log.latest, len(log)) == (None, "floor", 0)
    for n in range(3):
        log.append(packet(f"p{n}", float(n)))
    assert log.since("floor") is None
    assert [p.offset for p in log.since("p0") or []] == ["p1", "p2"]
    assert log.since("p2") == []
    log.expire(1.0)
    assert log.since("p0") is None
    assert [p.offset for p in log.since("p1") or []] == ["p2"]
    log.expire(5.0)
    assert (log.since("p2"), log.latest, log.bytes) == ([], "p2", 0)
