"""Does what a server sends agree with a trace?

What passed is sorted into lanes, in each of which order matters, while between them it does not:

    exchange w n   the answer to the n-th request of wire w: status, headers, body; or its end without one
    poll s         the packets that the polls of session s brought, and the headers they came with
    link w         messages, control frames, close and end of the WebSocket on wire w
    log            the log lines, when the server under test has a log that can be read

Inside a lane the n-th entry must be the n-th of the trace, exactly, ids apart (see `_names`). Which packets share
a payload is free, for servers join writes differently, and so is which message a server compresses; a line marked
`exact` binds that too. Time, `Date`,
`Content-Length` and the like are not in a trace at all.

The matcher is told of both directions while they happen: what a client sent says what the answer belongs to.
A disagreement is an exception at once, at the first wrong entry; what never came is found by `finish`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, final

from ._names import Names
from ._payload import packets_of
from ._trace import Close, Control, End, Line, Log, Message, Raw, Request, Response, Trace, What

Lane: TypeAlias = tuple[str, str | int, int]
LOG: Lane = ("log", "", 0)


class Mismatch(AssertionError):
    """The server did something else than the trace: the text says where, what and what was expected."""


@final
@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of a polling payload."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """What must come at one place of a lane."""

    what: Response | Packet | Message | Control | Close | End | Log
    line: int
    "index of the trace's line that it is from"


@final
@dataclass(slots=True)
class _Lane:
    expected: list[Entry] = field(default_factory=list[Entry])
    seen: int = 0
    exact: list[tuple[int, int, int, Response]] = field(default_factory=list[tuple[int, int, int, Response]])
    "first packet, end, line, head of a payload that may not be cut elsewhere"
    heads: list[Response] = field(default_factory=list[Response])
    "the responses that payloads came in, with what calls them (JSONP) for a body"
    cuts: dict[int, Response] = field(default_factory=dict[int, Response])
    "where payloads of the server under test began, and in which head"


class Sorter:
    """Says which lane a line belongs to; it remembers the requests that are unanswered."""

    def __init__(self) -> None:
        self._asked: dict[int, list[tuple[int, Request]]] = defaultdict(list)
        self._count: dict[int, int] = defaultdict(int)
        self._links: set[int] = set()

    def request(self, line: Line, request: Request) -> None:
        """A client sent a request."""
        self._asked[line.wire].append((self._count[line.wire], request))
        self._count[line.wire] += 1

    def place(self, line: Line) -> tuple[Lane, Request | None]:
        """The lane of something that the server did, and the request that it answers."""
        what, wire = line.what, line.wire
        if isinstance(what, Log):
            return LOG, None
        if wire in self._links:
            return ("link", wire, 0), None
        if not isinstance(what, Response | End):
            raise Mismatch(f"wire {wire} is no WebSocket, and the server sent {what}")
        if not self._asked[wire]:
            raise Mismatch(f"wire {wire}: nothing was asked, and the server sent {what}")
        ordinal, request = self._asked[wire].pop(0)
        if isinstance(what, Response):
            if what.status == 101:
                self._links.add(wire)
            if request.is_poll and what.status == 200:
                return ("poll", request.session or "", 0), request
        return ("exchange", wire, ordinal), request


def _payload(what: What, request: Request | None) -> tuple[Response, list[Packet]]:
    """The head of a poll's answer, and its packets."""
    assert isinstance(what, Response) and request is not None
    call, packets = packets_of(request, what.body)
    return Response(what.status, what.headers, call), [Packet(packet) for packet in packets]


class Matcher:
    """One comparison: tell it of each line in turn, then `finish`.

    Args:
        trace: what is expected.
        with_log: whether the server under test tells its log.

    Attributes:
        names: the ids bound so far; a client needs them to fill its own lines in.
    """

    def __init__(self, trace: Trace, *, with_log: bool = True) -> None:
        self.names = Names()
        self._trace = trace
        self._with_log = with_log
        self._sorter = Sorter()
        self._lanes: dict[Lane, _Lane] = defaultdict(_Lane)
        sorter = Sorter()
        for index, line in enumerate(trace.lines):
            if isinstance(line.what, Request):
                sorter.request(line, line.what)
            elif line.side == "server":
                self._expect(*sorter.place(line), line, index)

    def observe(self, line: Line) -> None:
        """Something passed: a request of the client (with names), or what the server under test did.

        Raises:
            Mismatch: it is not what the trace has there.
        """
        if isinstance(line.what, Request):
            self._sorter.request(line, line.what)
        elif line.side == "server" and (self._with_log or not isinstance(line.what, Log)):
            lane, request = self._sorter.place(line)
            if lane[0] == "poll":
                self._observe_payload(lane, *_payload(line.what, request))
            else:
                self._observe(lane, line.what)

    def missing(self, before: int | None = None, *, lanes: str | None = None) -> list[tuple[Lane, Entry]]:
        """What the trace has before this line (default: at all) and the server has not done yet."""
        found: list[tuple[Lane, Entry]] = []
        for lane, state in self._lanes.items():
            if lanes is not None and lane[0] != lanes:
                continue
            if lane == LOG and not self._with_log:
                continue
            found += ((lane, e) for e in state.expected[state.seen :] if before is None or e.line < before)
        return sorted(found, key=lambda pair: pair[1].line)

    def finish(self) -> None:
        """Everything was told.

        Raises:
            Mismatch: something never came, or came in another payload than an `exact` line says.
        """
        missing = self.missing()
        if missing:
            lane, entry = missing[0]
            raise Mismatch(
                f"{self._trace.name}: {_title(lane)}: {len(missing)} entries never came, the first is"
                f" {entry.what} (trace line {entry.line + 2})"
            )
        for lane, state in self._lanes.items():
            cuts = {*state.cuts, state.seen}
            for first, end, line, head in state.exact:
                if {cut for cut in cuts if first <= cut <= end} != {first, end}:
                    raise Mismatch(
                        f"{self._trace.name}: {_title(lane)}: packets {first} to {end - 1} must come in one payload"
                        f" of their own (trace line {line + 2}); payloads were cut at {sorted(cuts)}"
                    )
                if not self._same(head, state.cuts[first]):
                    raise Mismatch(
                        f"{self._trace.name}: {_title(lane)}: packets {first} to {end - 1} must come with {head}"
                        f" (trace line {line + 2}); they came with {state.cuts[first]}"
                    )

    def _expect(self, lane: Lane, request: Request | None, line: Line, index: int) -> None:
        state = self._lanes[lane]
        if lane[0] != "poll":
            assert not isinstance(line.what, Request | Raw)
            state.expected.append(Entry(line.what, index))
            return
        head, packets = _payload(line.what, request)
        if head not in state.heads:
            state.heads.append(head)
        first = len(state.expected)
        state.expected += (Entry(packet, index) for packet in packets)
        if line.exact:
            state.exact.append((first, len(state.expected), index, head))

    def _observe_payload(self, lane: Lane, head: Response, packets: list[Packet]) -> None:
        state = self._lanes[lane]
        if not any(self._same(expected, head) for expected in state.heads):
            raise Mismatch(
                f"{self._trace.name}: {_title(lane)}: a payload came with {head}, expected {state.heads}"
            )
        state.cuts[state.seen] = head
        for packet in packets:
            self._observe(lane, packet)

    def _observe(self, lane: Lane, actual: What | Packet) -> None:
        state = self._lanes[lane]
        where = f"{self._trace.name}: {_title(lane)}, entry {state.seen}"
        if state.seen == len(state.expected):
            raise Mismatch(f"{where}: {actual} came, and nothing more is expected there")
        entry = state.expected[state.seen]
        if not self._same(entry.what, actual):
            raise Mismatch(
                f"{where} (trace line {entry.line + 2}):\n  expected {entry.what}\n  came     {actual}"
            )
        state.seen += 1

    def _same(self, expected: What | Packet, actual: What | Packet) -> bool:
        match expected, actual:
            case Packet(text), Packet(came):
                return self.names.matches(text, came)
            case Message(data, compressed, msgpack), Message(came, is_compressed, is_msgpack):
                if msgpack is not is_msgpack:
                    return False
                if compressed is not None and compressed is not is_compressed:
                    return False
                if isinstance(data, str) and isinstance(came, str):
                    return self.names.matches(data, came)
                return data == came
            case Response(), Response():
                return (
                    expected.status == actual.status
                    and self.names.matches(_canonical(expected.headers), _canonical(actual.headers))
                    and self._same(Message(expected.body), Message(actual.body))
                )
            case Log(entry), Log(came):
                return self.names.matches(_canonical(entry), _canonical(came))
            case _:
                return expected == actual


def match(trace: Trace, lines: Iterable[Line], *, with_log: bool = True) -> None:
    """Compare a finished recording with a trace.

    Raises:
        Mismatch: they disagree.
    """
    matcher = Matcher(trace, with_log=with_log)
    for line in lines:
        matcher.observe(line)
    matcher.finish()


def lanes_of(lines: Sequence[Line]) -> list[Lane | None]:
    """The lane of each line; None for a client's."""
    sorter = Sorter()
    lanes: list[Lane | None] = []
    for line in lines:
        if isinstance(line.what, Request):
            sorter.request(line, line.what)
        lanes.append(sorter.place(line)[0] if line.side == "server" else None)
    return lanes


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _title(lane: Lane) -> str:
    match lane:
        case ("exchange", wire, ordinal):
            return f"answer to request {ordinal + 1} of wire {wire}"
        case ("poll", session, _):
            return f"polls of {session}"
        case ("link", wire, _):
            return f"WebSocket on wire {wire}"
        case _:
            return "log"
