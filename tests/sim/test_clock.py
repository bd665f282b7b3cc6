"""Virtual time itself."""

from __future__ import annotations

import pytest

from tests.sim.clock import Clock


class Alarm:
    """A machine with one deadline after the other."""

    def __init__(self, clock: Clock, *deadlines: float) -> None:
        self.clock, self.left, self.fired = clock, list(deadlines), list[float]()

    @property
    def deadline(self) -> float | None:
        return self.left[0] if self.left else None

    def handle_timeout(self) -> bool:
        self.fired.append(self.clock.now)
        self.left.pop(0)
        return True


def test_calls_at_their_instants() -> None:
    clock, seen = Clock(0.0), list[tuple[float, str]]()

    def note(text: str) -> None:
        seen.append((clock.now, text))
        if text == "a":
            clock.call_later(0.0, lambda: note("a2"))

    for delay, text in [(2.0, "b"), (1.0, "a"), (1.0, "aa"), (9.0, "late")]:
        clock.call_later(delay, lambda text=text: note(text))
    clock.advance(5.0)
    assert seen == [(1.0, "a"), (1.0, "aa"), (1.0, "a2"), (2.0, "b")]
    assert clock.now == 5.0 and clock.next_instant == 9.0


def test_machines_fire_exactly() -> None:
    clock = Clock(0.0)
    alarm = Alarm(clock, 1.0, 1.0, 3.5)
    clock.machines.append(alarm)
    clock.advance(3.0)
    assert alarm.fired == [1.0, 1.0] and clock.now == 3.0
    clock.advance(10.0)
    assert alarm.fired[2:] == [3.5] and clock.next_instant is None


def test_the_deadline_law() -> None:
    class Stuck(Alarm):
        def handle_timeout(self) -> bool:
            return False

    clock = Clock(0.0)
    clock.machines.append(Stuck(clock, 1.0))
    with pytest.raises(AssertionError, match="stays due"):
        clock.advance(2.0)


def test_a_loop_without_an_end() -> None:
    clock = Clock(0.0)

    def again() -> None:
        clock.call_later(0.0, again)

    again()
    with pytest.raises(AssertionError, match="time stands still"):
        clock.advance(1.0)
