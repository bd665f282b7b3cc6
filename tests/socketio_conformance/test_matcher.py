"""The matcher agrees with every recording of itself, and with no recording in which one thing is wrong."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from socketio_conformance import (
    Close,
    Control,
    End,
    Line,
    Log,
    Message,
    Mismatch,
    Request,
    Response,
    Trace,
    line_from_json,
    load_trace,
    match,
)

PATHS = sorted((Path(__file__).parents[2] / "conformance" / "traces" / "sessions").glob("*.jsonl"))
every_trace = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def recorded_again(path: Path) -> list[Line]:
    """The same session with other ids, an hour later."""
    ids: dict[str, str] = {}

    def other_id(name: re.Match[str]) -> str:
        return ids.setdefault(name[0], f"id-{len(ids)}_AAAA")

    rows = [json.loads(re.sub(r"\$\{[^}]*\}", other_id, text)) for text in path.read_text().splitlines()[1:]]
    return [line_from_json({**row, "t": row["t"] + 3_600_000}) for row in rows]


def named_requests(lines: list[Line], trace: Trace) -> list[Line]:
    """Requests as a replay tells them: with names, for it fills them in later."""
    return [
        replace(line, what=named.what) if isinstance(line.what, Request) else line
        for line, named in zip(lines, trace.lines, strict=True)
    ]


def load(path: Path) -> tuple[Trace, list[Line]]:
    trace = load_trace(path)
    return trace, named_requests(recorded_again(path), trace)


def server_lines(lines: list[Line]) -> list[int]:
    return [index for index, line in enumerate(lines) if line.side == "server"]


def changed(what: Any) -> Iterator[Any]:
    """The same with one thing wrong."""
    match what:
        case Response(status, headers, body):
            yield replace(what, status=status + 1)
            yield replace(what, headers={**headers, "x-more": "1"})
            if headers:
                yield replace(what, headers={})
            yield replace(what, body=f"{body!s}x")
            if body:
                yield replace(what, body="")
        case Message(str(text)):
            yield Message(text + "x")
            yield Message(text[:-1])
            yield Message(text.encode())
        case Message(bytes(data)):
            yield Message(data + b"x")
            yield Message(data.decode("latin-1"))
        case Close(code, _):
            yield Close((code or 1000) + 1)
            yield replace(what, reason="x")
        case Control(kind, payload):
            yield Control("pong" if kind == "ping" else "ping", payload)
            yield Control(kind, payload + "x")
        case Log(entry):
            yield Log({**entry, "event": "other"})
            yield Log({key: value for key, value in entry.items() if key != "event"})
        case _:
            yield Message("in place of an end")


def with_what(lines: list[Line], index: int, what: Any) -> list[Line]:
    return [*lines[:index], replace(lines[index], what=what), *lines[index + 1 :]]


@every_trace
def test_other_ids_and_times_agree(path: Path) -> None:
    match_trace, lines = load(path)
    match(match_trace, lines)


@every_trace
def test_a_line_is_missing(path: Path) -> None:
    trace, lines = load(path)
    for index in server_lines(lines):
        with pytest.raises(Mismatch):
            match(trace, lines[:index] + lines[index + 1 :])


@every_trace
def test_a_line_comes_twice(path: Path) -> None:
    trace, lines = load(path)
    for index in server_lines(lines):
        with pytest.raises(Mismatch):
            match(trace, [*lines[: index + 1], *lines[index:]])


@every_trace
def test_two_lines_change_places(path: Path) -> None:
    trace, lines = load(path)
    indices = server_lines(lines)
    for first, second in itertools.pairwise(indices):
        a, b = lines[first].what, lines[second].what
        if a == b or isinstance(a, Log) is not isinstance(b, Log):
            continue
        with pytest.raises(Mismatch):
            match(trace, with_what(with_what(lines, first, b), second, a))


@every_trace
def test_a_line_is_different(path: Path) -> None:
    trace, lines = load(path)
    for index in server_lines(lines):
        for what in changed(lines[index].what):
            with pytest.raises(Mismatch):
                match(trace, with_what(lines, index, what))


def with_other_id(what: Any, old: str) -> Any:
    match what:
        case Message(str(text)):
            return Message(text.replace(old, "other_AAAA"))
        case Response(body=str(body)):
            return replace(what, body=body.replace(old, "other_AAAA"))
        case Log(entry):
            return Log(json.loads(json.dumps(entry).replace(old, "other_AAAA")))
        case _:
            return what


@every_trace
def test_an_id_is_different(path: Path) -> None:
    trace, lines = load(path)
    seen: set[str] = set()
    checked = 0
    for index in server_lines(lines):
        what = lines[index].what
        for old in set(re.findall(r"id-\d+_AAAA", repr(what))):
            if old in seen:
                with pytest.raises(Mismatch):
                    match(trace, with_what(lines, index, with_other_id(what, old)))
                checked += 1
            seen.add(old)
    assert checked or not path.stem.startswith("eio-upgrade")  # in these an id certainly comes again


# What is free.

POLL = Request("GET", "/?EIO=4&transport=polling&sid=${sid}", {})
HEADERS = {"content-type": "text/plain; charset=UTF-8"}


def polls(*payloads: str, exact: bool = False) -> list[Line]:
    lines: list[Line] = []
    for wire, payload in enumerate(payloads, 1):
        lines.append(Line(wire, "client", wire, POLL))
        lines.append(Line(wire, "server", wire, Response(200, HEADERS, payload), exact))
    return lines


def trace_of(lines: list[Line]) -> Trace:
    return Trace("made", {"scenario": "made"}, tuple(lines))


@pytest.mark.parametrize("came", [("4a", "4b", "4c"), ("4a\x1e4b\x1e4c",), ("4a\x1e4b", "4c")])
def test_payload_boundaries_are_free(came: tuple[str, ...]) -> None:
    match(trace_of(polls("4a", "4b\x1e4c")), polls(*came))


@pytest.mark.parametrize("came", [("4a", "4b", "4c"), ("4a\x1e4b\x1e4c",), ("4a\x1e4b", "4c")])
def test_unless_a_line_says_exact(came: tuple[str, ...]) -> None:
    trace = trace_of(polls("4a", "4b\x1e4c", exact=True))
    with pytest.raises(Mismatch, match="must come in one payload of their own"):
        match(trace, polls(*came))
    match(trace, polls("4a", "4b\x1e4c"))


def test_a_payload_comes_with_the_headers_of_the_trace() -> None:
    wrong = polls("4a\x1e4b")
    wrong[1] = replace(wrong[1], what=Response(200, {"content-type": "text/html"}, "4a\x1e4b"))
    with pytest.raises(Mismatch, match=r"a payload came with .*text/html"):
        match(trace_of(polls("4a", "4b")), wrong)


CODED = Response(200, {**HEADERS, "content-encoding": "gzip"}, "4a")


def test_an_exact_line_binds_its_headers_too() -> None:
    two = [*polls("4a", "4b", exact=True)]
    two[1] = replace(two[1], what=CODED)
    match(trace_of(two), two)
    swapped = [two[0], replace(two[1], what=Response(200, HEADERS, "4a")), two[2]]
    swapped.append(replace(two[3], what=replace(CODED, body="4b")))
    free = [replace(line, exact=False) for line in two]
    match(trace_of(free), swapped)
    with pytest.raises(Mismatch, match=r"packets 0 to 0 must come with .*gzip"):
        match(trace_of(two), swapped)


def test_a_call_belongs_to_the_head() -> None:
    call = [replace(line, what=replace(line.what, body='___eio[0]("4a");')) if line.side == "server" else line
            for line in polls("4a")]  # fmt: skip
    match(trace_of(call), call)
    with pytest.raises(Mismatch, match="a payload came with"):
        match(trace_of(call), polls("4a"))


@pytest.mark.parametrize("expected", [None, True, False])
@pytest.mark.parametrize("came", [True, False, None])
def test_whether_a_message_is_compressed_is_free_unless_it_is_said(
    expected: bool | None, came: bool | None
) -> None:
    def link(compressed: bool | None) -> list[Line]:
        return [
            Line(0, "client", 1, Request("GET", "/", {"upgrade": "websocket"})),
            Line(0, "server", 1, Response(101, {})),
            Line(0, "server", 1, Message("4a", compressed)),
            Line(0, "server", 1, Message(b"a", compressed)),
        ]

    if expected is None or expected is came:
        match(trace_of(link(expected)), link(came))
    else:
        with pytest.raises(Mismatch, match=f"compressed={expected}"):
            match(trace_of(link(expected)), link(came))


def test_the_order_between_connections_is_free() -> None:
    first = Line(0, "client", 1, Request("GET", "/1", {})), Line(0, "server", 1, Response(404, {}))
    second = Line(0, "client", 2, Request("GET", "/2", {})), Line(0, "server", 2, Response(200, {}))
    match(trace_of([*first, *second]), [*second, *first])


def test_the_log_counts_only_where_it_can_be_read() -> None:
    trace = trace_of([*polls("4a"), Line(9, "server", 0, Log({"event": "connect"}))])
    with pytest.raises(Mismatch, match="log: 1 entries never came"):
        match(trace, polls("4a"))
    match(trace, polls("4a"), with_log=False)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        (Response(200, {}), "nothing was asked"),
        (End(), "nothing was asked"),
        (Message("4a"), "no WebSocket"),
        (Close(None), "no WebSocket"),
    ],
)
def test_out_of_the_blue(what: Any, error: str) -> None:
    with pytest.raises(Mismatch, match=error):
        match(trace_of(polls("4a")), [Line(0, "server", 1, what)])


def test_the_text_says_where() -> None:
    with pytest.raises(Mismatch, match=r"made: polls of \$\{sid\}, entry 1 \(trace line 5\)"):
        match(trace_of(polls("4a", "4b")), polls("4a", "4x"))
