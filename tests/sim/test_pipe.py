"""One direction of a connection, itself."""

from __future__ import annotations

from tests.sim.clock import Clock
from tests.sim.pipe import Pipe


def test_latency_and_order() -> None:
    clock, seen = Clock(0.0), list[tuple[float, str]]()
    pipe: Pipe[str] = Pipe(clock, lambda item: seen.append((clock.now, item)), latency=0.5)
    pipe.send("a")
    clock.advance(0.25)
    pipe.send("b")
    clock.advance(1.0)
    assert seen == [(0.5, "a"), (0.75, "b")]


def test_slow_reader() -> None:
    clock, seen, said = Clock(0.0), list[str](), list[str]()
    pipe: Pipe[str] = Pipe(clock, seen.append, window=1)
    pipe.on_blocked, pipe.on_writable = (lambda: said.append("blocked")), (lambda: said.append("writable"))
    pipe.hold()
    for item in "abc":
        pipe.send(item)
    clock.advance(60.0)
    assert (seen, said, pipe.blocked, len(pipe)) == ([], ["blocked"], True, 3)
    pipe.release()
    clock.advance()
    assert (seen, said, pipe.blocked) == (["a", "b", "c"], ["blocked", "writable"], False)


def test_cut() -> None:
    clock, seen = Clock(0.0), list[str]()
    pipe: Pipe[str] = Pipe(clock, seen.append, latency=1.0)
    pipe.send("a")
    pipe.cut()
    pipe.send("b")
    clock.advance(2.0)
    assert seen == []
