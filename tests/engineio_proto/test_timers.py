"""Deadlines: exact, O(1), and nothing left of a cancelled one."""

from __future__ import annotations

import gc
import weakref

import pytest
from engineio_proto import TimerHeap, TimerQueue, Timers
from hypothesis import given, settings
from hypothesis import strategies as st


class Owner:
    """Something that may be collected."""


class TestQueue:
    def test_first_armed_first_due(self) -> None:
        queue: TimerQueue[str] = Timers().queue(10.0)
        assert queue.deadline is None and queue.take_due(1e9) == []
        queue.arm("a", 0.0)
        queue.arm("b", 1.0)
        queue.arm("c", 2.0)
        assert queue.deadline == 10.0
        assert queue.take_due(9.999) == []
        assert queue.take_due(11.0) == ["a", "b"]
        assert queue.take_due(11.0) == []
        assert (queue.deadline, len(queue), "c" in queue, "a" in queue) == (12.0, 1, True, False)

    def test_armed_again(self) -> None:
        queue: TimerQueue[str] = Timers().queue(10.0)
        queue.arm("a", 0.0)
        queue.arm("b", 1.0)
        queue.arm("a", 2.0)
        assert queue.take_due(100.0) == ["b", "a"]

    def test_cancel(self) -> None:
        queue: TimerQueue[str] = Timers().queue(10.0)
        queue.arm("a", 0.0)
        queue.arm("b", 1.0)
        queue.cancel("a")
        queue.cancel("a")
        assert queue.deadline == 11.0
        queue.cancel("b")
        assert queue.deadline is None and len(queue) == 0

    def test_backwards(self) -> None:
        queue: TimerQueue[str] = Timers().queue(10.0)
        queue.arm("a", 5.0)
        queue.arm("b", 1.0)
        assert queue.take_due(14.9) == []
        assert queue.take_due(15.0) == ["a", "b"]


class TestHeap:
    def test_any_order(self) -> None:
        heap: TimerHeap[str] = Timers().heap()
        assert heap.deadline is None and heap.take_due(1e9) == []
        for owner, deadline in [("c", 3.0), ("a", 1.0), ("b", 2.0), ("B", 2.0)]:
            heap.arm(owner, deadline)
        assert (heap.deadline, len(heap), "a" in heap) == (1.0, 4, True)
        assert heap.take_due(2.0) == ["a", "b", "B"]
        assert heap.take_due(2.0) == [] and "a" not in heap
        assert heap.deadline == 3.0

    def test_armed_again(self) -> None:
        heap: TimerHeap[str] = Timers().heap()
        heap.arm("a", 1.0)
        heap.arm("b", 2.0)
        heap.arm("a", 3.0)
        assert heap.deadline == 2.0
        assert heap.take_due(100.0) == ["b", "a"]

    def test_cancel(self) -> None:
        heap: TimerHeap[str] = Timers().heap()
        heap.arm("a", 1.0)
        heap.arm("b", 2.0)
        heap.cancel("a")
        heap.cancel("a")
        heap.cancel("none")
        assert (heap.deadline, len(heap)) == (2.0, 1)
        assert heap.take_due(100.0) == ["b"]

    @pytest.mark.parametrize("again", [False, True])
    def test_cancelled_ones_are_swept(self, again: bool) -> None:
        heap: TimerHeap[object] = Timers().heap()
        heap.arm("first", 0.5)
        for n in range(10_000):
            heap.arm("a" if again else n, 1.0 + n)
            if not again:
                heap.cancel(n)
        assert len(heap._heap) < 100
        assert heap.take_due(1e9) == (["first", "a"] if again else ["first"])

    @pytest.mark.parametrize("again", [False, True])
    def test_a_cancelled_one_keeps_no_owner_alive(self, again: bool) -> None:
        heap: TimerHeap[Owner] = Timers().heap()
        first, owner = Owner(), Owner()
        heap.arm(first, 1.0)
        heap.arm(owner, 2.0)
        if again:
            heap.arm(owner, 3.0)
        heap.cancel(owner)
        gone = weakref.ref(owner)
        gc.disable()
        try:
            del owner
            assert gone() is None
        finally:
            gc.enable()


class TestTimers:
    def test_the_earliest_of_all(self) -> None:
        timers = Timers()
        assert timers.deadline is None
        slow: TimerQueue[str] = timers.queue(10.0)
        quick: TimerQueue[str] = timers.queue(1.0)
        heap: TimerHeap[str] = timers.heap()
        slow.arm("a", 0.0)
        assert timers.deadline == 10.0
        quick.arm("b", 0.0)
        assert timers.deadline == 1.0
        heap.arm("c", 0.5)
        assert timers.deadline == 0.5
        heap.cancel("c")
        quick.cancel("b")
        assert timers.deadline == 10.0

    def test_earlier(self) -> None:
        """True whenever the deadline moved forward; a binding resets it."""
        timers = Timers()
        queue: TimerQueue[str] = timers.queue(10.0)
        heap: TimerHeap[str] = timers.heap()
        assert not timers.earlier
        queue.arm("a", 0.0)
        assert timers.earlier
        timers.earlier = False
        queue.arm("b", 1.0)
        queue.arm("b", 2.0)
        queue.cancel("a")
        heap.arm("c", 5.0)
        assert timers.earlier
        timers.earlier = False
        heap.arm("d", 6.0)
        assert not timers.earlier

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from([0.0, 0.5, 1.0, 3.0]), st.booleans())))
    def test_against_a_plain_dict(self, steps: list[tuple[str, float, bool]]) -> None:
        timers = Timers()
        heap: TimerHeap[str] = timers.heap()
        queue: TimerQueue[str] = timers.queue(2.0)
        in_heap: dict[str, float] = {}
        in_queue: dict[str, float] = {}
        now, armed_for = 0.0, None
        for owner, delay, cancel in steps:
            if cancel:
                heap.cancel(owner)
                queue.cancel(owner)
                in_heap.pop(owner, None)
                in_queue.pop(owner, None)
            else:
                heap.arm(owner, now + delay)
                queue.arm(owner, now)
                in_heap[owner], in_queue[owner] = now + delay, now + 2.0
            deadlines = [*in_heap.values(), *in_queue.values()]
            assert timers.deadline == min(deadlines, default=None)
            if timers.earlier:
                armed_for, timers.earlier = timers.deadline, False
            if deadlines:  # a binding that re-arms only when told never sleeps too long
                assert armed_for is not None and armed_for <= min(deadlines)
            now += 0.25
            for plain, due in ((in_heap, heap.take_due(now)), (in_queue, queue.take_due(now))):
                assert set(due) == {o for o, deadline in plain.items() if deadline <= now}
                for o in due:
                    del plain[o]
            if armed_for is not None and armed_for <= now:
                armed_for = timers.deadline
