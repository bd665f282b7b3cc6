"""What is measured. Each case connects to a running server, warms it up, and then measures a slice on demand.

Slices are short, about half a second, and the runner takes them from the servers in turn: a virtual
machine's speed drifts by the second, and a ratio is only worth something if both sides saw the drift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.benchmarks._generator import Swarm, answer_all_pings, masked_frame, server_frame
from tests.benchmarks._polling import PollingSwarm
from tests.benchmarks._target import Cost, Target

TEXT = "The quick brown fox jumps over the lazy dog, and then once more."
assert len(TEXT) == 64
WARM_UP_CPU_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One slice of one case against one server."""

    value: float
    """Microseconds of CPU, or KiB, per unit."""
    kernel: float | None = None
    """The kernel's part of it, roughly (its clock ticks are coarse); None where it means nothing."""


Measure: TypeAlias = Callable[[], Sample]
Prepare: TypeAlias = Callable[[Target], AbstractContextManager[Measure]]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    unit: str
    about: str
    prepare: Prepare = field(repr=False)
    """Connects and warms up; what it yields measures one slice."""
    aim: float | None = None
    """The ratio to Node that the project aims at, at most; None where it has set none."""
    fresh: bool = False
    """A slice needs a server that has done nothing yet."""


def _sample(cost: Cost, units: int) -> Sample:
    return Sample(cost.cpu / units * 1e6, cost.kernel / units * 1e6)


def _warm_up(server: Target, slices: int, once: Callable[[], None]) -> None:
    """Run `slices` slices, fewer on a slow server: V8 compiles the hot path last after some 50,000 messages."""
    begun = server.cpu_seconds()
    for _ in range(slices):
        if server.cpu_seconds() - begun < WARM_UP_CPU_SECONDS:
            once()
            answer_all_pings()


def _round_trips(
    sent: str, expected: str, *, connections: int = 50, in_flight: int = 1, messages: int = 10_000
) -> Prepare:
    frame, reply = masked_frame(sent), server_frame(expected)

    @contextmanager
    def prepare(server: Target) -> Iterator[Measure]:
        def measure() -> Sample:
            with server.measured() as cost:
                swarm.round_trips(messages, in_flight, frame, reply)
            return _sample(cost, messages)

        with Swarm(server.port) as swarm:
            swarm.connect(connections)
            _warm_up(server, 6, lambda: swarm.round_trips(messages, in_flight, frame, reply))
            yield measure

    return prepare


def _echo(event: str, *, connections: int = 50, in_flight: int = 1, messages: int = 10_000) -> Prepare:
    packet = f'42["{event}","{TEXT}"]'
    return _round_trips(packet, packet, connections=connections, in_flight=in_flight, messages=messages)


def _broadcast(in_flight: int) -> Prepare:
    members, casts, packet = 1000, 20, f'42["cast","{TEXT}"]'
    frame, delivery = masked_frame(packet), server_frame(packet)

    @contextmanager
    def prepare(server: Target) -> Iterator[Measure]:
        def measure() -> Sample:
            with server.measured() as cost:
                swarm.broadcasts(casts, in_flight, frame, delivery)
            return _sample(cost, casts * members)

        with Swarm(server.port) as swarm:
            swarm.connect(members)
            _warm_up(server, 3, lambda: swarm.broadcasts(casts, in_flight, frame, delivery))
            yield measure

    return prepare


@contextmanager
def _polling(server: Target) -> Iterator[Measure]:
    trips, packet = 2500, f'42["echo","{TEXT}"]'

    def measure() -> Sample:
        # New sessions in each slice: between two, Node closes idle keep-alive connections after 5 s.
        with PollingSwarm(server.port, 50, packet, packet) as swarm:
            swarm.round_trips(200)
            with server.measured() as cost:
                swarm.round_trips(trips)
        return _sample(cost, trips)

    with PollingSwarm(server.port, 50, packet, packet) as swarm:
        _warm_up(server, 4, lambda: swarm.round_trips(trips))
    yield measure


@contextmanager
def _connect(server: Target) -> Iterator[Measure]:
    def measure() -> Sample:
        with server.measured() as cost:
            swarm.connect(connections)
        swarm.disconnect()
        server.rest()  # so that it has seen the ends of these before the next slice
        return _sample(cost, connections)

    connections = 500
    with Swarm(server.port) as swarm:
        for _ in range(3):
            swarm.connect(connections)
            swarm.disconnect()
            server.rest()
        yield measure


@contextmanager
def _idle_memory(server: Target) -> Iterator[Measure]:
    def measure() -> Sample:
        before = server.rss()
        swarm.connect(connections)
        swarm.rest(1.0)
        return Sample((server.rss() - before) / connections / 1024)

    connections = 5000
    with Swarm(server.port) as swarm:
        swarm.connect(100)  # so that what is loaded once, on first use, does not count
        swarm.disconnect()
        swarm.rest(0.5)
        yield measure


CASES = (
    Case("echo", "us/message", "64-byte event and back, 50 connections, 1 in flight", _echo("echo"), 1.3),
    Case("echo-16", "us/message", "the same, 16 in flight", _echo("echo", in_flight=16, messages=20_000), 0.6),
    Case("echo-async", "us/message", "echo by an async handler, 1 in flight", _echo("aecho")),
    Case("echo-async-16", "us/message", "the same, 16 in flight", _echo("aecho", in_flight=16, messages=20_000)),
    Case(
        "ack", "us/message", "event with an acknowledgement, 50 connections, 1 in flight",
        _round_trips(f'4217["ack","{TEXT}"]', f'4317["{TEXT}"]'),
    ),
    Case("broadcast", "us/delivery", "to 1,000 connections, one at a time", _broadcast(1), 0.5),
    Case("broadcast-2", "us/delivery", "to 1,000 connections, two in one segment", _broadcast(2), 0.5),
    Case("polling", "us/round trip", "POST that emits, GET that collects, 50 sessions", _polling),
    Case("connect", "us/connect", "WebSocket and namespace, browser's headers, 50 at a time", _connect),
    Case(
        "idle-memory", "KiB/connection", "RSS growth over 5,000 WebSockets joined to /, browser's headers",
        _idle_memory, 0.5, fresh=True,
    ),
    Case("echo-5000", "us/message", "echo, 5,000 connections, 1 in flight each", _echo("echo", connections=5000)),
)  # fmt: skip
