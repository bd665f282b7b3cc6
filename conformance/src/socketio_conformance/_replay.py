"""Play the client's part of a trace against a server, and compare the server's.

Client lines are sent at their time in the trace; what the server does in between is told to the matcher. Two
freedoms follow from the freedom of payload boundaries, and both keep what a polling client does: always one
poll outstanding, never two.

- A poll is left out while the previous one of its session still waits, where in the trace it had been answered.
- At the end, packets that are still missing are polled for.

On a peer that is not instant, a client line also waits until the server has done all that the trace has before
it, for at most the peer's patience; later lines are then as much later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ._client import ClientWire
from ._matcher import Matcher, Mismatch
from ._peer import Connection, Peer
from ._trace import End, Line, Log, Request, Trace, What

_TICK = 0.005
# A recording ends when nothing has passed for 0.08 s: what comes within a part of that is too much.
_QUIET = 0.05
_MOST_EXTRA_POLLS = 20


@final
@dataclass(slots=True)
class _Wire:
    connection: Connection
    client: ClientWire
    gone: bool = False
    "the client has ended it, by itself or after the server"


def replay(trace: Trace, peer: Peer) -> None:
    """Play one trace against a fresh peer.

    Raises:
        Mismatch: the server does something else than the trace.
    """
    Replay(trace, peer).run()


class Replay:
    """One run of a trace."""

    def __init__(self, trace: Trace, peer: Peer) -> None:
        self._trace = trace
        self._peer = peer
        self._matcher = Matcher(trace, with_log=peer.has_log)
        self._wires: dict[int, _Wire] = {}
        self._clock = 0.0
        self._polls: dict[str, int] = {}  # session -> wire of its poll, while it waits
        self._left_out: set[int] = set()
        self._last_request = {
            line.wire: index for index, line in enumerate(trace.lines) if isinstance(line.what, Request)
        }
        self._overlapping = _overlapping(trace)

    def run(self) -> None:
        """Play it.

        Raises:
            Mismatch: the server does something else than the trace.
        """
        before = 0
        for index, line in enumerate(self._trace.lines):
            self._advance((line.t - before) / 1000)
            before = line.t
            if line.side == "client":
                self._await(index)
                self._act(index, line)
                self._collect()
        self._await(None)
        self._poll_for_the_rest()
        self._advance(_QUIET)
        self._matcher.finish()

    def _act(self, index: int, line: Line) -> None:
        what = line.what
        if line.wire in self._left_out:
            return
        if isinstance(what, Request) and what.is_poll:
            session = what.session or ""
            if session in self._polls and index not in self._overlapping:
                self._left_out.add(line.wire)
                return
            self._polls[session] = line.wire
        self._send(line.wire, what, last=self._last_request.get(line.wire, index) <= index)

    def _send(self, number: int, what: What, *, last: bool) -> None:
        wire = self._wires.get(number)
        if wire is None:
            wire = self._wires[number] = _Wire(
                self._peer.open(), ClientWire(msgpack=self._trace.speaks_msgpack)
            )
        if wire.gone:
            return  # the server ended it earlier than in the trace, as it may once the closing has begun
        if isinstance(what, Request):
            self._matcher.observe(Line(self._now, "client", number, what))
        if isinstance(what, End):
            self._end(number, wire)
        else:
            wire.connection.send(wire.client.bytes_of(what, self._matcher.names, last=last))

    def _advance(self, seconds: float) -> None:
        if seconds > 0:
            self._peer.advance(seconds)
            self._clock += seconds
        self._collect()

    def _collect(self) -> None:
        for number, wire in self._wires.items():
            if wire.gone:
                continue  # what is sent to a client that has gone reaches nobody
            for what in wire.client.receive(wire.connection.receive(), wire.connection.ended):
                self._matcher.observe(Line(self._now, "server", number, what))
            if wire.connection.ended:
                self._end(number, wire)
            elif not wire.client.waits:
                self._forget_polls(number)
        for entry in self._peer.take_log():
            self._matcher.observe(Line(self._now, "server", 0, Log(entry)))

    def _end(self, number: int, wire: _Wire) -> None:
        wire.gone = True
        wire.connection.end()
        self._forget_polls(number)

    def _forget_polls(self, number: int) -> None:
        for session in [session for session, wire in self._polls.items() if wire == number]:
            del self._polls[session]

    def _await(self, before: int | None) -> None:
        waited = 0.0
        while waited < self._peer.patience and self._matcher.missing(before):
            self._advance(_TICK)
            waited += _TICK

    def _poll_for_the_rest(self) -> None:
        for number in range(_MOST_EXTRA_POLLS):
            sessions = {
                str(lane[1]) for lane, _ in self._matcher.missing(lanes="poll") if lane[1] not in self._polls
            }
            if not sessions:
                return
            session = min(sessions)
            wire = 1_000_000 + number
            self._polls[session] = wire
            self._send(wire, self._poll_of(session), last=True)
            self._advance(_TICK)
            self._await(None)

    def _poll_of(self, session: str) -> Request:
        for line in self._trace.lines:
            if isinstance(line.what, Request) and line.what.is_poll and line.what.session == session:
                return line.what
        raise Mismatch(f"{self._trace.name}: no poll of {session} to repeat")

    @property
    def _now(self) -> int:
        return round(self._clock * 1000)


def _overlapping(trace: Trace) -> set[int]:
    """The polls that were sent although the previous one of their session still waited: line indices."""
    waiting: dict[int, str] = {}
    found: set[int] = set()
    for index, line in enumerate(trace.lines):
        what = line.what
        if isinstance(what, Request) and what.is_poll:
            session = what.session or ""
            if session in waiting.values():
                found.add(index)
            waiting[line.wire] = session
        elif line.side == "server" or isinstance(what, End):
            waiting.pop(line.wire, None)
    return found
