"""Any course of events between a server and its clients, over virtual time.

Whatever happens: no event is lost on a live connection, none comes twice or out of order, every question ends once,
nothing is delivered after a disconnection, the tables of rooms agree with a model and are empty when all are gone,
and (held by the clock) a deadline that was handled is over.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from socketio_parser import Decoder, Packet, PacketType
from socketio_proto import (
    AckDisconnected,
    AckTimeout,
    DisconnectReason,
    RemoteProtocolError,
    Socket,
    Trouble,
)

from tests.sim.runtime import Cancelled, Start, Task
from tests.sim.socketio import Stage, Visitor

NAMESPACES = ("/", "/a")
ROOMS = ("red", "blue")
# In "/a" `old` is renamed to `sync`, `bad` is refused, `own` and `once` have handlers of the socket's own.
KINDS = ("sync", "async", "raise", "nobody's", "old", "bad", "own", "once")
indexes = st.integers(min_value=0, max_value=30)
namespaces = st.sampled_from(NAMESPACES)
rooms = st.sampled_from(ROOMS)


class Seat:
    """One socket, from both ends.

    Attributes:
        sent: serials of the client's events.
        started: serials that the server's handlers were called with, or an `error` handler for a refused one.
        any: serials of all events that the client sent, and those that a catch-all listener heard.
        outgoing: serials that an outgoing listener heard.
        queued: serials that the server emitted to it.
        got: serials that arrived.
        heard: how many had started when the server disconnected it: no more may.
        left: who ended it: None, "client" (what it sent before counts) or "server".
    """

    def __init__(self, guest: Guest, namespace: str, id: str) -> None:
        self.guest = guest
        self.namespace = namespace
        self.id = id
        self.rooms = {id}
        self.sent: list[int] = []
        self.started: list[int] = []
        self.any: tuple[list[int], list[int]] = ([], [])
        self.outgoing: list[int] = []
        self.queued: list[int] = []
        self.got: list[int] = []
        self.asked_back: dict[int, int] = {}
        self.answered: dict[int, Any] = {}
        self.used: set[str] = set()
        self.left: str | None = None
        self.heard: int | None = None
        self.reasons: list[DisconnectReason] = []


class Refused(Exception):
    """What a middleware of "/a" raises for the event `bad`."""


class Guest:
    """A client: its connection, its seats by namespace, and what it does with questions."""

    def __init__(self, visitor: Visitor, *, answers: bool) -> None:
        self.visitor = visitor
        self.answers = answers
        self.decoder = Decoder()
        self.seats: dict[str, Seat] = {}
        self.alive = True

    def prefix(self, namespace: str) -> str:
        return "" if namespace == "/" else f"{namespace},"


class Rooms(RuleBasedStateMachine):
    """The machine."""

    @initialize(start=st.sampled_from(list(Start)), max_handlers=st.sampled_from([1, 3, 100]))
    def begin(self, start: Start, max_handlers: int) -> None:
        self.stage = Stage(
            start=start,
            max_handlers=max_handlers,
            max_inbox=1000,
            stall_timeout=1000.0,
            ping_interval=50.0,
            allow_eio3=True,
        )
        self.serial = 0
        self.guests: list[Guest] = []
        self.seats: dict[str, Seat] = {}
        self.questions: list[Task] = []
        server, runtime = self.stage.server, self.stage.runtime
        for name in NAMESPACES:
            namespace = server.of(name)

            @namespace.on("sync")
            def sync(socket: Socket, serial: int) -> int:
                self.starts(socket, serial)
                return serial

            @namespace.on("async")
            async def later(socket: Socket, serial: int) -> int:
                self.starts(socket, serial)
                await runtime.sleep(serial % 3 * 0.5)
                await socket.emit("done")
                return serial

            @namespace.on("raise")
            def bad(socket: Socket, serial: int) -> None:
                self.starts(socket, serial)
                raise RemoteProtocolError("expected by the test")

            @namespace.on("disconnect")
            def gone(socket: Socket, reason: DisconnectReason) -> None:
                assert socket.rooms == frozenset()
                self.seats[socket.id].reasons.append(reason)

        async def slow(socket: Socket) -> None:
            socket.join("red")
            await runtime.sleep(0.3)

        @server.on_any
        def overhear_in_namespace(socket: Socket, event: str, serial: int) -> None:
            self.seats[socket.id].any[1].append(serial)

        @server.of("/a").on("connection")
        def listen(socket: Socket) -> None:
            if self.serial % 2:
                socket.use(partial(self.dawdle, socket))

            @socket.use
            def rename_or_refuse(packet: list[Any]) -> None:
                if packet[0] == "old":
                    packet[0] = "sync"
                elif packet[0] == "bad":
                    raise Refused(packet[1])

            @socket.on("error")
            def refused(error: Exception) -> None:
                if isinstance(error, Refused):
                    self.starts(socket, error.args[0])

            socket.on_any(lambda event, serial: self.seats[socket.id].any[1].append(serial))
            socket.on("own", lambda serial: self.starts(socket, serial))
            socket.once("once", lambda serial: self.starts(socket, serial))

            @socket.on_any_outgoing
            def overhear_outgoing(event: str, *args: Any) -> None:
                if event == "news":
                    self.seats[socket.id].outgoing.append(args[0])

        server.of("/a").use(slow)
        for polling in (True, False, True):
            self.connect(polling, not polling, False)
            self.join(-1, "/a")
        self.connect(True, True, True)

    def starts(self, socket: Socket, serial: int) -> None:
        seat = self.seats[socket.id]
        assert seat.reasons == [], "an event after the disconnection"
        seat.started.append(serial)

    async def dawdle(self, socket: Socket, packet: list[Any]) -> None:
        """A middleware that takes its time."""
        await self.stage.runtime.sleep(packet[1] % 3 * 0.25)
        assert self.seats[socket.id].reasons == [], "the disconnection overtook an event"

    def next(self) -> int:
        self.serial += 1
        return self.serial

    # What clients read.

    def settle(self, seconds: float = 0.0) -> None:
        self.stage.advance(seconds)
        while sum(self.read(guest) for guest in self.guests):  # each is read
            self.stage.advance()

    def read(self, guest: Guest) -> bool:
        messages = guest.visitor.take()
        for message in messages:
            packet = guest.decoder.feed(message)
            if packet is not None:
                self.receive(guest, packet)
        if guest.visitor.gone and guest.alive:
            self.lose(guest, "server")
        return bool(messages)

    def receive(self, guest: Guest, packet: Packet) -> None:
        name = packet.namespace
        data: Any = packet.data
        if packet.type == PacketType.CONNECT:
            visitor = guest.visitor
            if visitor.eio == "3":
                assert data is None
                sid = visitor.sid if name == "/" else f"{name}#{visitor.sid}"
            else:
                sid = data["sid"]
            seat = self.seats.setdefault(sid, Seat(guest, name, sid))
            assert name not in guest.seats
            seat.rooms.update({"red"} if name == "/a" else ())
            guest.seats[name] = seat
        elif packet.type == PacketType.DISCONNECT:
            seat = guest.seats.pop(name)
            assert seat.left == "server"
        elif packet.type == PacketType.ACK:
            seat = next(s for s in self.seats.values() if s.guest is guest and packet.id in s.asked_back)
            assert packet.id not in seat.answered, "answered twice"
            assert packet.id is not None
            seat.answered[packet.id] = data
        elif data[0] == "question":
            if guest.answers:
                guest.visitor.send(f"3{guest.prefix(name)}{packet.id}[1]")
        elif data[0] == "news":
            seat = next(s for s in reversed(self.seats.values()) if s.guest is guest and s.namespace == name)
            if name not in guest.seats:  # the client left while this was under way, and ignores it
                assert seat.left == "client"
                return
            assert data[2] == b"x" * (data[1] % 2), "an attachment went with another packet"
            seat.got.append(data[1])

    def lose(self, guest: Guest, by: str) -> None:
        guest.alive = False
        for seat in guest.seats.values():
            seat.left = seat.left or by
        guest.seats.clear()

    # Choices.

    def guest(self, index: int) -> Guest | None:
        alive = [guest for guest in self.guests if guest.alive]
        return alive[index % len(alive)] if alive else None

    def seat(self, index: int) -> Seat | None:
        seats = [seat for guest in self.guests for seat in guest.seats.values()]
        return seats[index % len(seats)] if seats else None

    def socket(self, seat: Seat) -> Socket | None:
        return self.stage.server.of(seat.namespace).sockets.get(seat.id)

    def crowded(self) -> bool:
        """So that rules that end a client are not most of what happens."""
        return sum(guest.alive for guest in self.guests) > 2

    # Rules: clients.

    @precondition(lambda self: sum(guest.alive for guest in self.guests) < 5)
    @rule(polling=st.booleans(), answers=st.booleans(), old=st.booleans())
    def connect(self, polling: bool, answers: bool, old: bool) -> None:
        guest = Guest(self.stage.visitor(polling=polling, old=old), answers=answers)
        self.guests.append(guest)
        if not old:
            guest.visitor.send("0")
        self.settle()
        assert "/" in guest.seats

    @rule(index=indexes, namespace=namespaces)
    def join(self, index: int, namespace: str) -> None:
        guest = self.guest(index)
        if guest is None or namespace in guest.seats:
            return
        if guest.visitor.eio == "3":
            # It would have the id that it had, by which seats are known here; test_old_clients.py has that case.
            if any(seat.guest is guest and seat.namespace == namespace for seat in self.seats.values()):
                return
            namespace += "?old=1"
        guest.visitor.send("0" + guest.prefix(namespace))
        self.settle(0.3)

    @rule(answers=st.booleans(), seconds=st.sampled_from([0.0, 0.2, 0.3]))
    def leave_while_joining(self, answers: bool, seconds: float) -> None:
        guest = Guest(self.stage.visitor(), answers=answers)
        self.guests.append(guest)
        guest.visitor.send("0/a,")
        self.settle(seconds)
        guest.visitor.leave()
        self.lose(guest, "client")
        self.settle()

    @rule(
        index=indexes,
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=5),
        acks=st.booleans(),
        leaves=st.sampled_from(["", "", "namespace", "session"]),
    )
    def emit_from_client(self, index: int, kinds: list[str], acks: bool, leaves: str) -> None:
        seat = self.seat(index)
        if seat is None:
            return
        prefix = seat.guest.prefix(seat.namespace)
        texts: list[str] = []
        for kind in kinds:
            serial = self.next()
            id = ""
            if acks and (kind in ("sync", "async") or (kind, seat.namespace) == ("old", "/a")):
                seat.asked_back[serial] = serial
                id = str(serial)
            texts.append(f'2{prefix}{id}["{kind}",{serial}]')
            seat.any[0].append(serial)
            if kind in ("sync", "async", "raise") or (
                kind in ("old", "bad", "own", "once") and seat.namespace == "/a" and kind not in seat.used
            ):
                seat.sent.append(serial)
            if kind == "once":
                seat.used = {"once"}
        if leaves == "namespace":
            texts.append(f"1{prefix}")
            seat.left = "client"
            del seat.guest.seats[seat.namespace]
        if leaves == "session":
            seat.guest.visitor.say_goodbye(*texts)
            self.lose(seat.guest, "client")
        else:
            seat.guest.visitor.send(*texts)
        self.settle()

    @precondition(crowded)
    @rule(index=indexes, seconds=st.sampled_from([0.0, 0.1]))
    def drop(self, index: int, seconds: float) -> None:
        guest = self.guest(index)
        if guest is not None:
            guest.visitor.leave()
            self.lose(guest, "client")
            self.settle(seconds)

    @precondition(crowded)
    @rule(index=indexes, packet=st.sampled_from(["x", "2{}", "4", "51-[]", b"\0", '2/b,["x"]', "0"]))
    def garbage(self, index: int, packet: str | bytes) -> None:
        guest = self.guest(index)
        if guest is None or (packet == "0" and "/" not in guest.seats):
            return
        guest.visitor.send(packet)
        for seat in guest.seats.values():
            seat.left = "client"
        self.settle()
        if packet == "51-[]" and guest.alive:  # it was the beginning of something
            guest.visitor.send("x")
            self.settle()
        assert not guest.alive

    @rule(index=indexes)
    def upgrade(self, index: int) -> None:
        guest = self.guest(index)
        if guest is not None and guest.visitor.polls:
            guest.visitor.upgrade()
            self.settle()

    # Rules: the server.

    @rule(index=indexes, to=st.sampled_from(["one", "all", "others", *ROOMS]), settle=st.booleans())
    def emit_from_server(self, index: int, to: str, settle: bool) -> None:
        seat = self.seat(index)
        if seat is None or (socket := self.socket(seat)) is None:
            return
        serial = self.next()
        data = b"x" * (serial % 2)
        present = [
            s for s in self.seats.values() if s.namespace == seat.namespace and self.socket(s) is not None
        ]
        if to == "one":
            socket.emit("news", serial, data)
            reached = [seat]
        elif to == "all":
            socket.namespace.emit("news", serial, data)
            reached = present
        elif to == "others":
            socket.broadcast.emit("news", serial, data)
            reached = [s for s in present if s is not seat]
        else:
            socket.namespace.to([to, seat.id]).emit("news", serial, data)
            reached = [s for s in present if s is seat or to in s.rooms]
        for s in reached:
            s.queued.append(serial)
        if settle:
            self.settle()

    @rule(index=indexes, room=rooms, leaves=st.booleans())
    def change_room(self, index: int, room: str, leaves: bool) -> None:
        seat = self.seat(index)
        if seat is not None and (socket := self.socket(seat)) is not None:
            if leaves:
                socket.leave(room)
                seat.rooms.discard(room)
            else:
                socket.join(room)
                seat.rooms.add(room)

    @rule(index=indexes)
    def slow_down(self, index: int) -> None:
        """One more middleware, from the next event on."""
        seat = self.seat(index)
        if seat is not None and (socket := self.socket(seat)) is not None:
            socket.use(partial(self.dawdle, socket))

    @rule(index=indexes, timeout=st.sampled_from([None, 0.5, 5.0]), many=st.booleans())
    def ask(self, index: int, timeout: float | None, many: bool) -> None:
        seat = self.seat(index)
        if seat is None or (socket := self.socket(seat)) is None:
            return
        asked: Any = socket if timeout is None else socket.timeout(timeout)
        if many:
            asked = socket.namespace.timeout(timeout or 1.0)
        self.questions.append(self.stage.runtime.run(asked.emit_with_ack("question")))
        self.settle()

    @precondition(lambda self: any(not task.done for task in self.questions))
    @rule(index=indexes)
    def cancel(self, index: int) -> None:
        tasks = [task for task in self.questions if not task.done]
        tasks[index % len(tasks)].cancel()
        self.settle()

    @precondition(crowded)
    @rule(index=indexes, close=st.booleans())
    def disconnect(self, index: int, close: bool) -> None:
        seat = self.seat(index)
        if seat is None or (socket := self.socket(seat)) is None:
            return
        for other in list(seat.guest.seats.values()) if close else [seat]:
            other.left = "server"
            other.heard = len(other.started)
        socket.disconnect(close)
        self.settle()
        assert seat.namespace not in seat.guest.seats
        assert close is False or not seat.guest.alive

    @rule(seconds=st.sampled_from([0.0, 0.25, 1.0, 20.0, 100.0]))
    def advance(self, seconds: float) -> None:
        self.settle(seconds)

    # What holds.

    @invariant()
    def no_report_but_the_expected(self) -> None:
        for report in self.stage.runtime.reports:
            expected = isinstance(report.error, RemoteProtocolError) or report.trouble is Trouble.CLOSED
            assert expected, report
        self.stage.runtime.reports.clear()

    @invariant()
    def rooms_agree(self) -> None:
        for name in NAMESPACES:
            namespace = self.stage.server.of(name)
            by_room = {(id, room) for room, ids in namespace.adapter._rooms.items() for id in ids}
            by_socket = {(id, room) for id, mine in namespace.adapter._sockets.items() for room in mine}
            assert by_room == by_socket
            assert all(namespace.adapter._rooms.values())
            assert by_room == {(id, room) for id in namespace.sockets for room in self.seats[id].rooms}

    @invariant()
    def in_order_and_once(self) -> None:
        for seat in self.seats.values():
            assert seat.started == seat.sent[: len(seat.started)]
            assert seat.got == seat.queued[: len(seat.got)]
            assert seat.any[1] == seat.any[0][: len(seat.any[1])]
            assert seat.outgoing == (seat.queued if seat.namespace == "/a" else [])
            assert len(seat.reasons) <= 1
            assert seat.heard in (None, len(seat.started))
            assert all(answer == [id] for id, answer in seat.answered.items())

    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        self.settle(10_000.0)
        self.in_order_and_once()
        for seat in self.seats.values():
            if seat.left != "server":  # whoever ended it himself was heard to the end
                assert seat.started == seat.sent
                assert seat.any[1] == seat.any[0]
                assert bool(seat.reasons) == (seat.left == "client")
            if seat.left is None:
                assert seat.got == seat.queued
                assert set(seat.answered) == set(seat.asked_back)
        for guest in list(self.guests):
            if guest.alive:
                guest.visitor.leave()
                self.lose(guest, "client")
        self.settle(100.0)
        for seat in self.seats.values():
            assert len(seat.reasons) == 1
        for task in self.questions:
            assert task.done
            assert task.error is None or isinstance(task.error, AckDisconnected | AckTimeout | Cancelled)
        server = self.stage.server
        assert server.engine.sessions == {}
        assert self.stage.runtime.tasks == []
        assert server.deadline is None
        for name in NAMESPACES:
            namespace = server.of(name)
            assert namespace.overheard == set()
            assert (namespace.sockets, namespace.adapter._rooms, namespace.adapter._sockets) == ({}, {}, {})


Rooms.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestRooms = Rooms.TestCase
