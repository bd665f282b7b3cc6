"""Several nodes over a simulated broker: the contract of an adapter, at work under delay and loss."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from socketio_proto import AckTimeout, AnswersMissing, RemoteSocket, Socket

from tests.sim.cluster import DETECTION, Cluster, NodeStage, missable
from tests.sim.runtime import Task
from tests.sim.socketio import Visitor


class Guest:
    """A client that behaves as the official one.

    Attributes:
        got: the arguments of the events that came, without offsets.
        recovered: as it would say itself; None until it is connected.
    """

    def __init__(self, cluster: Cluster, node: NodeStage, **auth: Any) -> None:
        self.cluster = cluster
        self.pid = self.sid = ""
        self.offset: str | None = None
        self.got: list[Any] = []
        self.recovered: bool | None = None
        self.enter(node, **auth)

    def enter(self, node: NodeStage, **auth: Any) -> None:
        """On a new connection, with what it knows."""
        self.node = node
        self.visitor: Visitor = node.visitor()
        self.recovered = None
        if self.pid:
            auth = {"pid": self.pid, **({} if self.offset is None else {"offset": self.offset}), **auth}
        self.visitor.send("0" + (json.dumps(auth) if auth else ""))

    def read(self) -> list[Any]:
        for text in self.visitor.take():
            assert isinstance(text, str)
            body = text.lstrip("0123456789-")
            data = json.loads(body) if body else None
            if text[0] == "0":
                assert self.recovered is None
                self.recovered = self.pid == data["pid"]
                if not self.recovered:
                    self.got.clear()
                self.sid, self.pid = data["sid"], data["pid"]
            elif text[0] == "2" and text[1] != "[":
                number = text[1 : text.index("[")]
                self.visitor.send(f"3{number}{json.dumps([self.sid])}")
            elif text[0] == "2":
                if isinstance(data[-1], str) and len(data) > 1:
                    self.offset = data.pop()
                self.got.append(data)
        return self.got

    def lose(self) -> None:
        self.visitor.leave()

    @property
    def socket(self) -> Socket:
        return self.node.server.sockets.sockets[self.sid]


class Guests:
    """A cluster and clients that read as time passes."""

    def __init__(self, latencies: tuple[float, ...] = (0.01, 0.03), answers: float = 0.02) -> None:
        self.cluster = Cluster(latencies, answers=answers)
        self.nodes = self.cluster.nodes
        self.guests: list[Guest] = []

    def enter(self, node: int, **auth: Any) -> Guest:
        guest = Guest(self.cluster, self.nodes[node], **auth)
        self.guests.append(guest)
        self.advance()
        assert guest.recovered is False
        return guest

    def advance(self, seconds: float = 0.0) -> None:
        self.cluster.advance(seconds)
        for guest in self.guests:
            guest.read()
        self.cluster.advance()

    def run(self, node: int, body: Any, seconds: float = 1.0) -> Task:
        task = self.nodes[node].runtime.run(body)
        for _ in range(10):
            self.advance(seconds / 10)
        return task


def test_a_broadcast_reaches_every_node_in_one_order() -> None:
    world = Guests()
    ada, bob = world.enter(0), world.enter(1)
    for n in range(3):
        world.nodes[0].server.emit("n", 0, n)
        world.nodes[1].server.emit("n", 1, n)
    assert ada.read() == bob.read() == []  # it comes back by the broker
    world.advance(1.0)
    assert ada.got == bob.got
    assert len(ada.got) == 6
    for node in (0, 1):
        assert [n for name, of, n in ada.got if of == node] == [0, 1, 2]
    assert ada.offset == bob.offset == "6-0"


def test_what_is_local_waits_for_what_came_before() -> None:
    world = Guests()
    ada, bob = world.enter(0), world.enter(1)
    world.nodes[0].server.emit("first")
    world.nodes[0].server.local.emit("second", 2)
    world.nodes[0].server.volatile.emit("third", "text")
    ada.socket.emit("fourth")
    world.advance(1.0)
    assert ada.got == [["first"], ["second", 2], ["third", "text"], ["fourth"]]
    assert bob.got == [["first"], ["third", "text"]]


def test_an_argument_that_changes_after_the_emit() -> None:
    world = Guests()
    ada = world.enter(0)
    value = [1]
    world.nodes[0].server.emit("value", value)
    value.append(2)
    world.advance(1.0)
    assert ada.got == [["value", [1]]]


def test_a_publication_that_is_lost_is_delivered_here_and_keeps_its_place() -> None:
    world = Guests()
    ada, bob = world.enter(0), world.enter(1)
    lost = ["n"]
    world.nodes[0].link.loses = lambda message: bool(lost and lost.pop())
    world.nodes[0].server.emit("n", 1)
    world.advance(0.5)
    world.nodes[0].server.emit("n", 2)
    world.advance(0.5)
    assert ada.got == [["n", 1], ["n", 2]]
    assert bob.got == [["n", 2]]
    lost.append("n")
    world.nodes[0].server.emit("n", 3)
    world.advance(1.9)
    assert ada.got[2:] == []
    world.advance(0.2)
    assert ada.got[2:] == [["n", 3]]
    world.advance(10.0)
    assert (len(ada.got), len(bob.got)) == (3, 1)


def test_rooms_of_other_nodes() -> None:
    world = Guests()
    ada, bob = world.enter(0), world.enter(1)
    server = world.nodes[0].server
    server.to(bob.sid).sockets_join(["red", "blue"])
    server.to(bob.sid).sockets_leave("blue")
    server.to("red").emit("red")
    server.to("blue").emit("blue")
    server.except_("red").emit("not red")
    world.advance(1.0)
    assert (ada.got, bob.got) == ([["not red"]], [["red"]])
    server.to("red").disconnect_sockets(close=True)
    world.advance(1.0)
    assert world.nodes[1].server.sockets.sockets == {}
    assert bob.visitor.gone


class TestQuestions:
    def test_fetch_sockets(self) -> None:
        world = Guests()
        ada, bob = world.enter(0), world.enter(1)
        bob.socket.data["name"] = "Bob"
        task = world.run(0, world.nodes[0].server.fetch_sockets())
        mine, remote = task.value
        assert mine is ada.socket
        assert isinstance(remote, RemoteSocket)
        assert (remote.id, remote.rooms, remote.data) == (bob.sid, {bob.sid}, {"name": "Bob"})
        remote.emit("hello", 1)
        remote.join("red")
        world.advance(1.0)
        assert bob.got == [["hello", 1]]
        assert bob.socket.rooms == {bob.sid, "red"}
        answer = world.run(0, remote.timeout(1.0).emit_with_ack("question"))
        assert answer.value == bob.sid
        remote.leave("red")
        remote.disconnect()
        world.advance(1.0)
        assert len(world.nodes[1].server.sockets.sockets) == 0

    def test_partial_answers(self) -> None:
        world = Guests((0.01, 0.01, 0.01))
        _, bob, _ = (world.enter(n) for n in range(3))
        world.nodes[2].link.loses = lambda message: True
        task = world.run(0, world.nodes[0].server.to(bob.sid).timeout(0.5).fetch_sockets())
        assert isinstance(task.error, AnswersMissing)
        assert str(task.error) == "timeout reached: missing 1 responses"
        assert [socket.id for socket in task.error.responses] == [bob.sid]
        assert world.nodes[0].adapter.asked == {}

    def test_a_node_that_dies_is_not_waited_for(self) -> None:
        world = Guests((0.01, 0.01, 0.01))
        ada, bob, _ = (world.enter(n) for n in range(3))
        world.nodes[2].link.loses = lambda message: True
        task = world.nodes[0].runtime.run(world.nodes[0].server.timeout(60.0).fetch_sockets())
        acks = world.nodes[0].runtime.run(world.nodes[0].server.timeout(60.0).emit_with_ack("question"))
        world.advance(0.1)
        world.cluster.kill(world.nodes[2])
        world.guests.pop()
        world.advance(DETECTION - 1.0)
        assert not task.done
        world.advance(2.0)
        assert {socket.id for socket in task.value} == {ada.sid, bob.sid}
        assert set(acks.value) == {ada.sid, bob.sid}
        count = world.run(0, world.nodes[0].server.sockets.ask_adapter(world.nodes[0].adapter.server_count))
        assert count.value == [2]

    def test_acknowledgements_of_many(self) -> None:
        world = Guests((0.01, 0.02, 0.03))
        guests = [world.enter(n) for n in (0, 0, 1)]  # the third node has none
        task = world.run(0, world.nodes[0].server.timeout(5.0).emit_with_ack("question"))
        assert set(task.value) == {guest.sid for guest in guests}
        assert all(guest.got == [] for guest in guests)

    def test_acknowledgements_in_part(self) -> None:
        world = Guests()
        ada = world.enter(0)
        world.enter(1)
        world.nodes[1].link.loses = lambda message: message.kind == "answer"
        task = world.run(0, world.nodes[0].server.timeout(0.5).emit_with_ack("question"))
        assert isinstance(task.error, AckTimeout)
        assert task.error.responses == [ada.sid]

    def test_a_question_of_another_node_is_forgotten_in_time(self) -> None:
        world = Guests()
        bob = world.enter(1)
        world.guests.clear()  # nobody reads, so nobody answers
        task = world.run(0, world.nodes[0].server.timeout(0.5).emit_with_ack("question"))
        assert isinstance(task.error, AckTimeout)
        assert bob.socket._acks is None
        world.advance(5.0)
        assert world.nodes[0].server.adapter_timers.deadline is None

    def test_server_side_events(self) -> None:
        world = Guests((0.01, 0.02, 0.03))
        heard: list[Any] = []

        for number, node in enumerate(world.nodes):

            @node.server.on_server_side("hello")
            def hello(text: str, number: int = number) -> int:
                heard.append((number, text))
                return number

        world.nodes[0].server.server_side_emit("hello", "world")
        world.advance(1.0)
        assert sorted(heard) == [(1, "world"), (2, "world")]
        task = world.run(0, world.nodes[0].server.server_side_emit_with_ack("hello", "again"))
        assert sorted(task.value) == [1, 2]
        world.nodes[1].link.loses = lambda message: message.kind == "answer"
        task = world.run(0, world.nodes[0].server.server_side_emit_with_ack("hello", "again"), 6.0)
        assert isinstance(task.error, AnswersMissing)
        assert task.error.responses == [2]

    def test_alone(self) -> None:
        world = Guests((0.01,))
        ada = world.enter(0)
        server = world.nodes[0].server
        assert world.run(0, server.server_side_emit_with_ack("hello")).value == []
        assert [socket.id for socket in world.run(0, server.fetch_sockets()).value] == [ada.sid]
        assert world.run(0, server.timeout(1.0).emit_with_ack("question")).value == [ada.sid]


class TestRecovery:
    def test_on_another_node(self) -> None:
        world = Guests()
        ada, bob = world.enter(0), world.enter(1)
        ada.socket.join("red")
        ada.socket.data["name"] = "Ada"
        world.nodes[1].server.emit("one")
        world.advance(1.0)
        sid = ada.sid
        ada.lose()
        world.advance(1.0)
        world.nodes[1].server.to("red").emit("two")
        world.nodes[1].server.to("blue").emit("not hers")
        world.advance(1.0)
        ada.enter(world.nodes[1])
        world.nodes[0].server.emit("three")  # while the broker is asked
        world.advance(1.0)
        assert ada.recovered
        assert ada.sid == sid
        assert ada.got == [["one"], ["two"], ["three"]]
        assert ada.socket.rooms == {sid, "red"}
        assert ada.socket.data == {"name": "Ada"}
        assert bob.got == [["one"], ["three"]]

    @pytest.mark.parametrize("answers", [0.0, 0.03, 0.1])
    @pytest.mark.parametrize("delay", [n * 0.005 for n in range(20)])
    def test_events_at_every_moment_of_it(self, delay: float, answers: float) -> None:
        """Before the broker looks, before its answer comes, after: each comes once, in order."""
        world = Guests(answers=answers)
        ada = world.enter(0)
        ada.lose()
        world.advance(1.0)
        for n in range(3):
            world.nodes[0].server.emit("n", 0, n)
        world.nodes[1].server.emit("n", 1, 0)
        world.advance(delay)
        ada.enter(world.nodes[1])
        world.advance(delay)
        world.nodes[0].server.emit("n", 0, 3)
        world.nodes[1].server.emit("n", 1, 1)
        world.advance(1.0)
        assert ada.recovered
        assert [n for _, of, n in ada.got if of == 0] == [0, 1, 2, 3]
        assert [n for _, of, n in ada.got if of == 1] == [0, 1]

    def test_who_never_received_an_event_of_this_session(self) -> None:
        """It still has the offset of a session before, as the official client."""
        world = Guests()
        ada = world.enter(0)
        world.nodes[0].server.emit("old")
        world.advance(1.0)
        stale = ada.offset
        ada.visitor.send("1")
        world.advance(1.0)
        world.nodes[0].server.emit("between")
        world.advance(1.0)
        ada.pid = ""
        ada.enter(world.nodes[0])
        world.advance(1.0)
        assert (ada.offset, ada.got) == (stale, [])
        ada.lose()
        world.advance(1.0)
        world.nodes[0].server.emit("new")
        ada.enter(world.nodes[1])
        world.advance(1.0)
        assert ada.recovered
        assert ada.got == [["new"]]

    def test_two_nodes_at_once(self) -> None:
        world = Guests()
        ada = world.enter(0)
        ada.lose()
        world.advance(1.0)
        thief = Guest(world.cluster, world.nodes[1])
        world.guests.append(thief)
        world.advance(1.0)
        thief.lose()
        thief.pid, thief.offset = ada.pid, ada.offset
        sid = ada.sid
        ada.enter(world.nodes[0])
        thief.enter(world.nodes[1])
        world.advance(1.0)
        assert [ada.recovered, thief.recovered] == [True, False]
        assert ada.sid == sid != thief.sid

    def test_the_client_goes_while_the_broker_is_asked(self) -> None:
        world = Guests()
        ada = world.enter(0)
        ada.lose()
        world.advance(1.0)
        ada.enter(world.nodes[1])
        world.advance(0.01)
        ada.lose()
        world.nodes[0].server.emit("one")
        world.advance(1.0)
        assert not any(node.server.sockets.sockets for node in world.nodes)
        ada.enter(world.nodes[0])
        world.advance(1.0)
        assert ada.recovered
        assert ada.got == [["one"]]

    def test_the_broker_does_not_answer(self) -> None:
        world = Guests()
        ada = world.enter(0)
        ada.lose()
        world.advance(1.0)
        world.nodes[1].link.loses = lambda message: message.kind == "restore"
        ada.enter(world.nodes[1])
        world.advance(4.9)
        assert ada.recovered is None
        world.advance(0.2)
        assert ada.recovered is False
        assert world.nodes[1].server.sockets.joining == 0

    def test_a_second_connect_while_the_broker_is_asked(self) -> None:
        world = Guests()
        ada = world.enter(0)
        ada.lose()
        world.advance(1.0)
        ada.enter(world.nodes[1])
        ada.visitor.send("0")
        world.advance(1.0)
        assert ada.visitor.gone
        assert world.nodes[1].server.sockets.joining == 0
        ada.enter(world.nodes[1])
        world.advance(1.0)
        assert ada.recovered

    def test_a_server_that_closes_leaves_its_clients_to_the_others(self) -> None:
        world = Guests()
        ada = world.enter(0)
        node = world.nodes[0]
        node.host.run(node.server.close, world.cluster.clock.now)
        world.advance(1.0)
        assert ada.visitor.gone
        world.nodes[1].server.emit("one")
        ada.enter(world.nodes[1])
        world.advance(1.0)
        assert ada.recovered
        assert ada.got == [["one"]]


class TestQuestionsThatAreOver:
    """The broker delivers later than the timeout: what comes then does nothing, and leaves nothing."""

    @pytest.mark.parametrize("room", ["nobody", None])
    def test_of_one_node(self, room: str | None) -> None:
        world = Guests(latencies=(0.05,))
        ada = world.enter(0)
        world.advance(1.0)
        server = world.nodes[0].server
        operator = server.to(room) if room else server
        task = world.run(0, operator.timeout(0.01).emit_with_ack("q"))
        assert isinstance(task.error, AckTimeout)
        assert not ada.socket.owes_too_many and ada.socket.connection.awaiting == 0
        assert ada.socket._acks is None

    def test_of_two_nodes(self) -> None:
        world = Guests(latencies=(0.05, 0.05))
        guests = [world.enter(0), world.enter(1)]
        world.advance(1.0)
        task = world.run(0, world.nodes[0].server.timeout(0.01).emit_with_ack("q"))
        assert isinstance(task.error, AckTimeout)
        world.advance(10.0)
        for guest in guests:
            assert guest.socket.connection.awaiting == 0


ROOMS = ("red", "blue")
nodes = st.integers(min_value=0, max_value=1)
delays = st.sampled_from([0.0, 0.005, 0.015, 0.02, 0.04, 0.1, 1.0])


class Wandering(RuleBasedStateMachine):
    """Clients that lose their connection and come back to any node, while both nodes emit.

    Each has got a beginning of what is for it: no event twice, none out of order, none left out; in the end it has all.
    """

    @initialize(
        latencies=st.tuples(*[st.sampled_from([0.0, 0.01, 0.03])] * 2),
        answers=st.sampled_from([0.0, 0.02, 0.1]),
    )
    def begin(self, latencies: tuple[float, float], answers: float) -> None:
        self.world = Guests(latencies, answers)
        self.serial = 0
        self.away: list[Guest] = []
        self.rooms: dict[str, frozenset[str]] = {}
        self.started: dict[str, int] = {}
        for node in (0, 1):
            # As it connects: what is on its way then must find it in its rooms.
            self.world.nodes[node].server.on(
                "connection", lambda socket: socket.join(socket.handshake.auth.get("rooms", ()))
            )
            self.come(node, ("red",) if node else ())

    def note(self, guest: Guest) -> None:
        """A socket that is new has rooms of its own, and begins now."""
        if guest.recovered is False and guest.sid not in self.rooms:
            self.rooms[guest.sid] = guest.socket.rooms
            self.started[guest.sid] = int(str(guest.socket.offset).partition("-")[0])

    def advance_all(self, seconds: float) -> None:
        self.world.advance(seconds)
        self.note_all()

    def note_all(self) -> None:
        for guest in self.world.guests:
            if guest not in self.away:
                self.note(guest)

    @precondition(lambda self: len(self.world.guests) < 4)
    @rule(node=nodes, rooms=st.sampled_from([(), ("red",), ("blue",), ROOMS]))
    def come(self, node: int, rooms: tuple[str, ...]) -> None:
        self.world.enter(node, rooms=rooms)
        self.note_all()

    @rule(node=nodes, to=st.sampled_from(["all", "red", "blue", "one", "not red"]), index=st.integers(0, 9))
    def emit(self, node: int, to: str, index: int) -> None:
        server: Any = self.world.nodes[node].server
        self.serial += 1
        if to == "one":
            server = server.to(self.world.guests[index % len(self.world.guests)].sid)
        elif to == "not red":
            server = server.except_("red")
        elif to != "all":
            server = server.to(to)
        server.emit("n", self.serial)

    @rule(node=nodes)
    def emit_what_is_not_kept(self, node: int) -> None:
        self.world.nodes[node].server.volatile.emit("volatile", "text")

    @precondition(lambda self: len(self.away) < len(self.world.guests))
    @rule(index=st.integers(0, 9))
    def lose(self, index: int) -> None:
        here = [guest for guest in self.world.guests if guest not in self.away]
        guest = here[index % len(here)]
        guest.lose()
        self.away.append(guest)

    @precondition(lambda self: bool(self.away))
    @rule(index=st.integers(0, 9), node=nodes, at_once=st.booleans(), busy=st.lists(delays, max_size=4))
    def come_back(self, index: int, node: int, at_once: bool, busy: list[float]) -> None:
        guest = self.away[index % len(self.away)]
        if not at_once:
            self.advance_all(0.1)
        if busy:
            self.emit(node, "all", 0)
        self.away.remove(guest)
        guest.enter(self.world.nodes[node])
        for seconds in busy:
            self.advance_all(seconds)
            self.emit(1 - node, "all", 0)

    @rule(seconds=delays)
    def wait(self, seconds: float) -> None:
        self.advance_all(seconds)

    def expected(self, guest: Guest) -> list[Any]:
        stream = self.world.cluster.broker.stream
        rooms = self.rooms[guest.sid]
        return [entry.body["data"] for entry in stream[self.started[guest.sid] :] if missable(entry, rooms)]

    @invariant()
    def everyone_has_a_beginning(self) -> None:
        for guest in self.world.guests:
            if guest.sid in self.rooms:
                got = [data for data in guest.got if data[0] == "n"]
                expected = self.expected(guest)
                assert got == expected[: len(got)]

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.advance_all(10.0)
        while self.away:
            self.come_back(0, 0, False, [])
        self.advance_all(10.0)
        for guest in self.world.guests:
            assert guest.recovered is not None
            assert [data for data in guest.got if data[0] == "n"] == self.expected(guest)
        for node in self.world.nodes:
            assert node.server.adapter_timers.deadline is None
            assert not node.adapter.pending
            assert node.server.sockets.joining == 0
            returning = node.server.sockets.returning
            assert returning is not None and returning.missed == {}


TestWandering = Wandering.TestCase
TestWandering.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
