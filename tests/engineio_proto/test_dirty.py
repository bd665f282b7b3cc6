"""The set of owners to flush."""

from __future__ import annotations

import pytest
from engineio_proto import Dirty


def test_order_and_once() -> None:
    dirty = Dirty()
    for owner in ("b", "a", "b"):
        dirty.mark(owner)
    assert len(dirty) == 2
    assert dirty.take() == ["b", "a"]
    assert dirty.take() == [] and len(dirty) == 0


def test_wakes_when_it_turns_non_empty() -> None:
    """Before anything is in it: a wake may refuse, and then nothing has changed."""
    dirty, sizes = Dirty(), []
    dirty.mark("a")  # nobody to wake
    dirty.take()
    dirty.wake = lambda: sizes.append(len(dirty))
    dirty.mark("a")
    dirty.mark("b")
    dirty.take()
    dirty.mark("a")
    assert sizes == [0, 0]

    def refuse() -> None:
        raise RuntimeError

    dirty.take()
    dirty.wake = refuse
    with pytest.raises(RuntimeError):
        dirty.mark("a")
    assert len(dirty) == 0


def test_forget() -> None:
    dirty = Dirty()
    dirty.mark("a")
    dirty.forget("a")
    dirty.forget("a")
    assert dirty.take() == []
