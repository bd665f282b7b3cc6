"""Clients that lose their connection and come back, in any course of events, over virtual time.

Whoever is recovered has got, in order, every event that was for it since it connected first: none is left out, none
comes twice. Who is not recovered is a new socket and begins anew. A model says who must be recovered.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from socketio_parser import Decoder, PacketType
from socketio_proto import Server, SessionAwareAdapter

from tests.sim.socketio import ISSUED, Stage, Visitor

DURATION = 60.0
ROOMS = ("red", "blue")
indexes = st.integers(min_value=0, max_value=9)


class Wanderer:
    """A client, as the official one, and what the model knows of it.

    Attributes:
        got: serials that came.
        wanted: serials that were for it since its socket was new.
        rooms: those it is in, its own not among them.
        lost: when its connection was lost; None while it is there.
        recovered: what CONNECT told it last.
    """

    def __init__(self) -> None:
        self.visitor: Visitor | None = None
        self.decoder = Decoder()
        self.sid = self.pid = ""
        self.offset: str | None = None
        self.got: list[int] = []
        self.wanted: list[int] = []
        self.rooms: set[str] = set()
        self.lost: float | None = None
        self.recovered = False

    def read(self) -> None:
        if self.visitor is None:
            return
        for message in self.visitor.take():
            packet = self.decoder.feed(message)
            if packet is None:
                continue
            data: Any = packet.data
            if packet.type == PacketType.CONNECT:
                self.recovered = data["pid"] == self.pid
                self.sid, self.pid = data["sid"], data["pid"]
            else:
                if isinstance(data[-1], str):
                    self.offset = data[-1]
                if data[0] == "news":
                    assert data[2] == b"x" * (data[1] % 2)
                    self.got.append(data[1])


class RecoveringStage(Stage):
    def make(self, options: dict[str, Any], client_files: Any) -> Server:
        return Server(
            options, runtime=self.runtime, random_bytes=self.random, wall_clock=lambda: ISSUED + self.time
        )


class Recoveries(RuleBasedStateMachine):
    """The machine."""

    @initialize(skip=st.booleans())
    def begin(self, skip: bool) -> None:
        self.stage = RecoveringStage(
            connection_state_recovery={"max_disconnection_duration": DURATION, "skip_middlewares": skip},
            ping_interval=5.0,
            ping_timeout=5.0,
        )
        self.skip = skip
        self.serial = 0
        self.wanderers: list[Wanderer] = []

        async def slow(socket: Any) -> None:
            await self.stage.runtime.sleep(0.3)

        self.stage.server.use(slow)
        for polling in (True, False):
            self.arrive(polling)

    @property
    def adapter(self) -> SessionAwareAdapter:
        adapter = self.stage.server.sockets.adapter
        assert isinstance(adapter, SessionAwareAdapter)
        return adapter

    def settle(self, seconds: float = 0.0) -> None:
        self.stage.advance(seconds)
        for wanderer in self.wanderers:
            wanderer.read()

    def connect(self, wanderer: Wanderer, polling: bool) -> None:
        """Up to where the middleware waits."""
        visitor = wanderer.visitor = self.stage.visitor(polling=polling)
        wanderer.decoder = Decoder()
        auth = {"pid": wanderer.pid, "offset": wanderer.offset}
        visitor.send("0" + json.dumps({key: value for key, value in auth.items() if value}))

    @precondition(lambda self: len(self.wanderers) < 5)
    @rule(polling=st.booleans())
    def arrive(self, polling: bool) -> None:
        wanderer = Wanderer()
        self.wanderers.append(wanderer)
        self.connect(wanderer, polling)
        self.settle(0.5)
        assert wanderer.sid and not wanderer.recovered

    def some(self, index: int, *, away: bool) -> Wanderer | None:
        found = [wanderer for wanderer in self.wanderers if (wanderer.lost is not None) == away]
        return found[index % len(found)] if found else None

    @rule(index=indexes, leaves=st.booleans(), room=st.sampled_from(ROOMS))
    def change_room(self, index: int, leaves: bool, room: str) -> None:
        wanderer = self.some(index, away=False)
        if wanderer is None:
            return
        # An event that is for a room is for who was in it when it was lost: let nothing be under way.
        self.emit("all", 0, False)
        self.settle()
        socket = self.stage.server.sockets.sockets[wanderer.sid]
        if leaves:
            socket.leave(room)
            wanderer.rooms.discard(room)
        else:
            socket.join(room)
            wanderer.rooms.add(room)

    @rule(to=st.sampled_from(["all", *ROOMS, "both", "not red", "one"]), index=indexes, settle=st.booleans())
    def emit(self, to: str, index: int, settle: bool) -> None:
        self.serial += 1
        server: Any = self.stage.server
        one = self.wanderers[index % len(self.wanderers)]
        reached = self.wanderers
        match to:
            case "all":
                pass
            case "both":
                server = server.to(ROOMS)
                reached = [w for w in reached if w.rooms]
            case "not red":
                server = server.except_("red")
                reached = [w for w in reached if "red" not in w.rooms]
            case "one":
                server = server.to(one.sid)
                reached = [one]
            case room:
                server = server.to(room)
                reached = [w for w in reached if room in w.rooms]
        server.emit("news", self.serial, b"x" * (self.serial % 2))
        for wanderer in reached:
            wanderer.wanted.append(self.serial)
        if settle:
            self.settle()

    @rule(index=indexes, polling=st.booleans())
    def say_what_is_not_kept(self, index: int, polling: bool) -> None:
        wanderer = self.some(index, away=False)
        if wanderer is not None:
            self.stage.server.sockets.sockets[wanderer.sid].volatile.emit("volatile", "text")

    @rule(index=indexes, unread=st.booleans())
    def lose(self, index: int, unread: bool) -> None:
        wanderer = self.some(index, away=False)
        if wanderer is None or wanderer.visitor is None:
            return
        if unread:  # what is under way, or queued, never arrives
            self.emit("all", 0, False)
        wanderer.visitor.leave()
        wanderer.visitor.take()
        self.settle()
        while (
            wanderer.sid in self.stage.server.sockets.sockets
        ):  # it had no GET pending, whose end would tell
            self.settle(1.0)
        assert wanderer.pid in self.adapter._sessions
        wanderer.lost = self.stage.time

    @rule(index=indexes, polling=st.booleans(), emits=st.booleans(), again=st.booleans())
    def come_back(self, index: int, polling: bool, emits: bool, again: bool) -> None:
        wanderer = self.some(index, away=True)
        if wanderer is None or wanderer.lost is None:
            return
        away = self.stage.time - wanderer.lost
        log = self.adapter._log
        kept = wanderer.pid in self.adapter._sessions and away < DURATION
        kept = kept and wanderer.offset is not None and log.since(wanderer.offset) is not None
        self.connect(wanderer, polling)
        self.settle()
        if emits:
            self.emit("all", 0, False)
            self.emit("one", self.wanderers.index(wanderer), False)
        if again and not self.skip and kept:
            # Lost at the door: the session is kept from now on.
            self.stage.advance(0.1)
            assert wanderer.visitor is not None
            wanderer.visitor.leave()
            self.settle()
            assert wanderer.pid in self.adapter._sessions
            wanderer.lost = self.stage.time
            return
        self.settle(0.5)
        wanderer.lost = None
        assert wanderer.recovered or not kept
        assert away <= DURATION or not wanderer.recovered
        if not wanderer.recovered:
            wanderer.got.clear()
            wanderer.wanted.clear()
            wanderer.rooms.clear()

    @rule(seconds=st.sampled_from([0.1, 1.0, 20.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.settle(seconds)

    @invariant()
    def nothing_twice_and_in_order(self) -> None:
        for wanderer in self.wanderers:
            assert wanderer.got == wanderer.wanted[: len(wanderer.got)]

    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        self.settle()
        for wanderer in self.wanderers:
            if wanderer.lost is None:
                assert wanderer.got == wanderer.wanted
            else:
                wanderer.visitor = None
        for wanderer in self.wanderers:
            if wanderer.lost is None and wanderer.visitor is not None:
                wanderer.visitor.leave()
        self.stage.advance(3 * DURATION)
        adapter = self.adapter
        assert (adapter._sessions, len(adapter._log), adapter._rooms) == ({}, 0, {})
        assert self.stage.server.adapter_timers.deadline is None


TestRecoveries = Recoveries.TestCase
TestRecoveries.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
