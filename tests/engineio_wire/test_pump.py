"""`Pump`: the pass that every driver makes, driven by hand around a real engine."""

from __future__ import annotations

import os
from math import inf

from engineio_proto import EngineEvent, EngineServer, Exchange, MessageReceived, Response, SessionOpened
from engineio_wire import Pump

GET = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"
POLL = "/engine.io/?EIO=4&transport=polling"


class Loop:
    """A driver of one connection, without a socket."""

    def __init__(self) -> None:
        self.core = EngineServer(random_bytes=os.urandom)
        self.events: list[EngineEvent] = []
        self.others: list[tuple[str, bytes]] = []
        self.pump: Pump[EngineEvent] = Pump(self.core, self.events.extend, self.other)
        self.wire = self.pump.wires.wire(now=0.0)

    def other(self, exchange: Exchange, body: bytes) -> None:
        self.others.append((exchange.request.path, body))
        exchange.answer(Response(200, (), b"mine"))
        self.core.dirty.mark(exchange.owner)

    def receive(self, data: bytes, now: float) -> bytes:
        self.pump.feed(self.wire.receive_bytes, data, now)
        return self.flush(now)

    def flush(self, now: float) -> bytes:
        written = b""
        while wires := self.pump.take():
            assert wires == [self.wire]
            written += self.wire.take_bytes(now)
        return written


def test_an_input_is_dispatched_and_its_answer_taken() -> None:
    loop = Loop()
    answer = loop.receive(GET % POLL.encode(), 0.0)
    [opened] = loop.events
    assert isinstance(opened, SessionOpened)
    assert opened.session.id.encode() in answer
    assert loop.pump.take() == []


def test_what_a_command_caused_is_dispatched_by_take() -> None:
    loop = Loop()
    loop.receive(GET % POLL.encode(), 0.0)
    [opened] = loop.events
    assert isinstance(opened, SessionOpened)
    loop.events.clear()
    opened.session.close(1.0, discard=True)
    assert loop.flush(1.0) == b""
    assert [type(event).__name__ for event in loop.events] == ["SessionClosed"]


def test_a_request_outside_the_path_goes_to_its_own_handler() -> None:
    loop = Loop()
    assert loop.receive(GET % b"/mine", 0.0).endswith(b"mine")
    assert loop.others == [("/mine", b"")]
    assert loop.events == []


def test_moved_is_said_once() -> None:
    loop = Loop()
    assert loop.pump.deadline == inf
    assert loop.pump.moved  # the first request's head has a deadline
    assert loop.pump.deadline == 60.0
    assert not loop.pump.moved
    loop.receive(GET % POLL.encode(), 1.0)
    assert loop.pump.moved
    assert loop.pump.deadline == 6.0  # keep-alive comes before the first ping


def test_what_is_due_happens_before_the_bytes_that_came_later() -> None:
    loop = Loop()
    loop.receive(GET % POLL.encode(), 0.0)
    [opened] = loop.events
    assert isinstance(opened, SessionOpened)
    loop.events.clear()
    other = loop.pump.wires.wire(now=44.0)
    assert loop.pump.moved
    loop.pump.expire(25.0)  # the ping
    loop.flush(25.0)
    assert loop.pump.moved
    assert loop.pump.deadline == 45.0  # its pong
    post = b"POST %s&sid=%s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n4x"
    loop.pump.feed(other.receive_bytes, post % (POLL.encode(), opened.session.id.encode()), 45.0)
    assert [type(event).__name__ for event in loop.events] == ["SessionClosed", "RequestRefused"]
    assert not any(isinstance(event, MessageReceived) for event in loop.events)


def test_early_expiry_does_nothing_and_close_closes_all() -> None:
    loop = Loop()
    loop.receive(GET % POLL.encode(), 0.0)
    loop.events.clear()
    loop.pump.expire(0.5)
    assert loop.events == []
    assert loop.pump.moved
    loop.pump.close(1.0)
    assert [type(event).__name__ for event in loop.events] == ["SessionClosed"]
