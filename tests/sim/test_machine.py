"""A client that does anything at any time, and a server that sends, pauses and closes: what must hold all the same.

* No message of a live session is lost, doubled or reordered, across upgrades, slow readers and pauses.
* After its `SessionClosed` nothing is delivered from a session, and each session has exactly one; while it is
  paused nothing is delivered either. Every request has an end.
* A session has exactly the timers of its state; the deadline law holds (see `clock.py` and `host.py`).
* Only pairs of the lifecycle tables are ever asked for: any other would raise.
"""

from __future__ import annotations

from contextlib import ExitStack

from engineio_proto import (
    EngineEvent,
    MessageReceived,
    Session,
    SessionClosed,
    SessionOpened,
    SessionState,
    SessionUpgraded,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.engineio_proto.moves import EVERY_PAIR, recorded_moves
from tests.sim.client import Client, ClientRequest, ClientSocket
from tests.sim.pair import Pair

GARBAGE = st.sampled_from(["", "2", "3", "5", "6", "0", "7", "1", "2probe", "b!", "\x1e", "é", "4\x1e4"])
FEW = st.integers(1, 5)
SOON = st.sampled_from([0.0, 0.05, 0.12, 0.7])
"""Seconds that pass after an action: none, a way, a tick of the upgrade, a round trip."""


class Conversation(RuleBasedStateMachine):
    """One client at a time; every message is a number, counted up over all sessions."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.moves = self.stack.enter_context(recorded_moves())
        self.opened: list[Session] = []
        self.ended: list[Session] = []
        self.sent_up = 0
        self.sent_down = 0
        self.posts: list[tuple[ClientRequest, list[str]]] = []
        self.unfinished: ClientRequest | None = None
        self.polls: list[ClientRequest] = []
        self.candidate: ClientSocket | None = None
        self.carrier: ClientSocket | None = None
        self.on_carrier: list[str] = []
        self.may_miss = False

    @initialize(latency=st.sampled_from([0.0, 0.05, 0.3]))
    def start(self, latency: float) -> None:
        self.latency = latency
        self.pair = Pair(latency=latency, slice=2, max_http_buffer_size=60)
        self.pair.on_event = self.look
        self.client = self.pair.client

    def look(self, event: EngineEvent) -> None:
        match event:
            case SessionOpened(session):
                self.opened.append(session)
            case SessionClosed(session):
                assert session not in self.ended
                self.ended.append(session)
            case MessageReceived(session):
                assert session in self.opened and session not in self.ended and not session.paused
            case SessionUpgraded(session):
                assert session in self.opened and session not in self.ended
            case _:
                pass

    @property
    def live(self) -> bool:
        return bool(self.opened) and self.opened[-1].state is SessionState.OPEN

    @property
    def session(self) -> Session:
        return self.opened[-1]

    @property
    def on_polling(self) -> bool:
        return bool(self.client.handshake) and self.carrier is None

    def numbers(self, count: int) -> list[str]:
        self.sent_up += count
        return [f"{n:04}" for n in range(self.sent_up - count, self.sent_up)]

    # The client.

    @precondition(lambda self: not self.pair.engine.sessions)
    @rule(websocket=st.booleans(), window=st.sampled_from([None, 1]))
    def connect(self, websocket: bool, window: int | None) -> None:
        self.pair.advance(1.0)  # whatever of the last one was under way
        self.client = Client(self.pair.host, latency=self.latency)
        self.posts, self.polls, self.on_carrier = [], [], []
        self.unfinished = self.candidate = self.carrier = None
        self.may_miss, self.sent_down = False, 0
        if websocket:
            self.carrier = self.client.websocket(window=window)
        else:
            self.client.open_polling()
        self.pair.advance(2 * self.latency)

    @precondition(lambda self: self.on_polling and not any(p.pending for p in self.polls))
    @rule(then=SOON)
    def poll(self, then: float) -> None:
        self.polls.append(self.client.poll())
        self.pair.advance(then)

    @precondition(lambda self: self.on_polling and not any(p.pending for p, _ in self.posts))
    @rule(count=FEW, then=SOON)
    def post(self, count: int, then: float) -> None:
        numbers = self.numbers(count)
        self.posts.append((self.client.post(*["4" + n for n in numbers]), numbers))
        self.pair.advance(then)

    @precondition(lambda self: self.on_polling and not any(p.pending for p, _ in self.posts))
    @rule(then=SOON)
    def begin_post(self, then: float) -> None:
        (number,) = self.numbers(1)
        self.unfinished = self.client.request("POST")
        self.unfinished.send(b"4")
        self.unfinished.send(number.encode())
        self.posts.append((self.unfinished, [number]))
        self.pair.advance(then)

    @precondition(lambda self: self.unfinished)
    @rule()
    def end_post(self) -> None:
        assert self.unfinished is not None
        self.unfinished.end()
        self.unfinished = None

    @precondition(lambda self: self.on_polling and self.candidate is None)
    @rule(window=st.sampled_from([None, 1]), probe=st.booleans(), then=SOON)
    def upgrade(self, window: int | None, probe: bool, then: float) -> None:
        self.candidate = self.client.websocket(window=window)
        if probe:
            self.candidate.send("2probe")
        self.pair.advance(then)

    @precondition(lambda self: self.candidate)
    @rule(then=SOON)
    def commit(self, then: float) -> None:
        assert self.candidate is not None
        self.candidate.send("5")
        if not self.candidate.closed:
            self.carrier = self.candidate
        self.candidate = None
        self.pair.advance(then)

    @precondition(lambda self: self.carrier)
    @rule(count=FEW, then=SOON)
    def send(self, count: int, then: float) -> None:
        assert self.carrier is not None
        numbers = self.numbers(count)
        self.on_carrier += numbers
        self.carrier.send(*["4" + n for n in numbers])
        self.pair.advance(then)

    @precondition(lambda self: self.carrier)
    @rule(read=st.booleans())
    def read_slowly(self, read: bool) -> None:
        assert self.carrier is not None
        if read:
            self.carrier.down.release()
        else:
            self.carrier.down.hold()

    @precondition(lambda self: self.live)
    @rule()
    def pong(self) -> None:
        if self.carrier is not None:
            self.carrier.send("3")
        elif not any(p.pending for p, _ in self.posts):
            self.client.post("3")

    # The server, and time.

    @precondition(lambda self: self.live)
    @rule(count=FEW, then=SOON)
    def server_sends(self, count: int, then: float) -> None:
        for _ in range(count):
            if self.session.send_message(f"{self.sent_down:04}"):
                self.sent_down += 1
        self.pair.host.wake()
        self.pair.advance(then)

    @precondition(lambda self: self.live)
    @rule(pause=st.booleans())
    def server_pauses(self, pause: bool) -> None:
        if pause:
            self.pair.pause()
        else:
            self.pair.resume()

    @precondition(lambda self: self.opened)
    @rule(seconds=st.sampled_from([0.1, 0.3, 1.0, 11.0, 25.0, 46.0]))
    def wait(self, seconds: float) -> None:
        self.pair.advance(seconds)

    # What ends things: one rule, so that sessions live long enough to be interesting.

    @precondition(lambda self: self.live)
    @rule(what=st.integers(0, 17), packet=GARBAGE, flag=st.booleans(), then=SOON)
    def mischief(self, what: int, packet: str, flag: bool, then: float) -> None:
        client, carrier, candidate = self.client, self.carrier, self.candidate
        if what == 0:
            self.pair.close(discard=flag)
        elif what == 1:
            self.polls.append(client.poll())
        elif what == 2:
            client.post(packet)
        elif what == 3 and self.polls:
            self.may_miss = True  # an answer may be under way already: nobody can know
            self.polls.pop().drop()
        elif what in (4, 5) and self.unfinished is not None:
            if what == 4:
                self.unfinished.drop()
            else:
                self.unfinished.send(b"x" * 100)
            self.unfinished = None
        elif what == 6 and self.posts:
            self.posts[-1][0].drop()
            self.unfinished = None
        elif what == 7:
            client.request("PUT")
            client.request("HEAD", sid="none" if flag else "")
            client.websocket(transport="polling" if flag else "none")
        elif what == 8:
            client.websocket().send("2probe", "5")  # beside another candidate, or after the upgrade
        elif what in (9, 10, 11) and candidate is not None:
            candidate.send(b"2probe" if flag else packet)
        elif what == 12 and candidate is not None:
            candidate.drop()
            self.candidate = None
        elif what == 13 and candidate is not None:
            candidate.close()
            self.candidate = None
        elif what == 14 and carrier is not None:
            self.may_miss = True
            carrier.send(packet)
        elif what in (15, 16, 17) and carrier is not None:
            self.may_miss = True
            (carrier.drop, carrier.close, lambda: carrier.fail("broken frame"))[what - 15]()
        self.pair.advance(then)

    # What must hold.

    @invariant()
    def in_order(self) -> None:
        up = [n for n in self.pair.received if isinstance(n, str) and len(n) == 4 and n.isdigit()]
        assert up == sorted(set(up))
        down = [n for n in self.client.received if isinstance(n, str)]
        if not self.may_miss:
            assert down == [f"{n:04}" for n in range(len(down))]
        else:
            assert down == sorted(set(down))

    @invariant()
    def timers(self) -> None:
        engine = self.pair.engine
        for session in engine.sessions.values():
            beats = [session in q for q in (engine.ping_timers, engine.pong_timers, engine.late_pong_timers)]
            is_open = session.state is SessionState.OPEN
            assert sum(beats) == is_open
            assert (session in engine.close_timers) == (not is_open)
            assert (session in engine.stall_timers) == session.paused
            upgrade = session.upgrade
            assert upgrade is None or (upgrade in engine.upgrade_timers and session.link is None)
            assert not session.writable or (is_open and not session.has_buffered)
        sessions = len(engine.sessions)
        for queue in (engine.ping_timers, engine.close_timers, engine.stall_timers, engine.upgrade_timers):
            assert len(queue) <= sessions
        assert len(engine.noop_timers) <= len(engine.upgrade_timers)

    @invariant()
    def only_table_pairs(self) -> None:
        assert self.moves <= EVERY_PAIR

    def teardown(self) -> None:
        try:
            if hasattr(self, "pair"):
                self.finish()
        finally:
            self.stack.close()

    def finish(self) -> None:
        """Let a live session deliver all that is under way, then end everything."""
        pair = self.pair
        if self.live:
            pair.resume()
        if self.unfinished is not None:
            self.unfinished.end()
        if self.carrier is not None:
            self.carrier.down.release()
        pair.advance(2.0)
        if self.live and self.session.link is None and not any(p.pending for p in self.polls):
            self.client.poll()
            pair.advance(2.0)
        self.in_order()
        if self.live:
            down = [n for n in self.client.received if isinstance(n, str)]
            assert self.may_miss or down == [f"{n:04}" for n in range(self.sent_down)]
            for post, numbers in self.posts:
                answered = post.response is not None and post.response.body == b"ok"
                delivered = [n for n in numbers if n in pair.received]
                assert delivered == (numbers if answered or (post.dropped and delivered) else [])
            if self.carrier is not None and self.session.link is self.carrier.server.link:
                assert [n for n in self.on_carrier if n in pair.received] == self.on_carrier
        pair.host.run(pair.engine.close, pair.clock.now)
        assert sorted(s.id for s in self.ended) == sorted(s.id for s in self.opened)
        assert not pair.engine.sessions and pair.engine.deadline is None
        pair.advance(2.0)
        requests = [*self.polls, *[post for post, _ in self.posts]]
        assert not any(request.pending for request in requests), "a request that nobody ends"
        assert self.carrier is None or self.carrier.closed or self.carrier.refused is not None


Conversation.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestConversation = Conversation.TestCase
