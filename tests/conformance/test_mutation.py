"""A trace with one thing wrong is no trace of our core: its replay fails.

tests/socketio_conformance shows for every line of every trace that the matcher sees the change. Here the whole
replay runs, which may send other things than the recording did, so it could hide one. In every trace that replays
a server line is deleted, doubled, and exchanged with the next, at a place drawn by a seed: about 900 replays. All
places (5,900 when they were tried last, in two minutes) are tried by raising PLACES; none may survive.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace as changed

import pytest
from socketio_conformance import Line, Log, Mismatch, Trace, replay

from tests.conformance.test_sessions import REPLAYED, TRACES
from tests.conformance.virtual_peer import VirtualPeer

PLACES = 1
"""How many are tried in each trace for each kind of change."""

Change = Callable[[tuple[Line, ...], int], tuple[Line, ...] | None]


def delete(lines: tuple[Line, ...], at: int) -> tuple[Line, ...]:
    return lines[:at] + lines[at + 1 :]


def double(lines: tuple[Line, ...], at: int) -> tuple[Line, ...]:
    return lines[: at + 1] + lines[at:]


def swap(lines: tuple[Line, ...], at: int) -> tuple[Line, ...] | None:
    """With the server's next line, each on the other's wire; None when they say the same, or are on no wire."""
    following = (index for index in range(at + 1, len(lines)) if lines[index].side == "server")
    other = next(following, None)
    if other is None:
        return None
    a, b = lines[at].what, lines[other].what
    if a == b or isinstance(a, Log) is not isinstance(b, Log):
        return None
    result = list(lines)
    result[at], result[other] = changed(lines[at], what=b), changed(lines[other], what=a)
    return tuple(result)


def mutants(trace: Trace, change: Change) -> Iterator[Trace]:
    places = [index for index, line in enumerate(trace.lines) if line.side == "server"]
    random.Random(f"{trace.name} {change.__name__}").shuffle(places)
    made = (change(trace.lines, at) for at in places)
    for _, lines in zip(range(PLACES), (lines for lines in made if lines is not None), strict=False):
        yield changed(trace, lines=lines)


@pytest.mark.parametrize("change", [delete, double, swap])
@pytest.mark.parametrize("name", REPLAYED)
def test_a_changed_trace_fails(name: str, change: Change) -> None:
    for mutant in mutants(TRACES[name], change):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Mismatch), closing(VirtualPeer(mutant.config)) as peer:
                replay(mutant, peer)
