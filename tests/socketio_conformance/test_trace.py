"""Reading traces: everything that was recorded, and clear errors for what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from socketio_conformance import (
    Close,
    Control,
    End,
    Line,
    Log,
    Message,
    Raw,
    Request,
    Response,
    TraceError,
    line_from_json,
    load_trace,
    load_traces,
)

FOLDER = Path(__file__).parents[2] / "conformance" / "traces" / "sessions"
HEAD = json.dumps({"scenario": "s", "mode": "engineio", "options": {"a": 1}, "behaviors": {}})


@pytest.mark.parametrize("trace", load_traces(FOLDER), ids=lambda trace: trace.name)
def test_recorded(trace) -> None:  # type: ignore[no-untyped-def]
    assert (FOLDER / f"{trace.name}.jsonl").is_file()
    assert {"reference", "version", "about", "date", "client"} <= set(trace.provenance)
    times = [line.t for line in trace.lines]
    assert times == sorted(times)
    assert times[0] == 0
    assert {line.side for line in trace.lines} == {"client", "server"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {"request": {"method": "GET", "target": "/?a=1", "headers": {"x": ["1", "2"]}}},
            Request("GET", "/?a=1", {"x": ("1", "2")}),
        ),
        (
            {
                "request": {
                    "method": "POST",
                    "target": "/",
                    "headers": {},
                    "base64": "/w==",
                    "incomplete": True,
                }
            },
            Request("POST", "/", {}, b"\xff", True),
        ),
        ({"response": {"status": 200, "headers": {}, "body": "ok"}}, Response(200, {}, "ok")),
        ({"text": "4a"}, Message("4a")),
        ({"binary": "AQI="}, Message(b"\x01\x02")),
        ({"close": {"code": None, "reason": ""}}, Close(None)),
        ({"ping": "\xff"}, Control("ping", "\xff")),
        ({"pong": ""}, Control("pong", "")),
        ({"raw": "gYA="}, Raw(b"\x81\x80")),
        ({"text": "4a", "compressed": True}, Message("4a", compressed=True)),
        ({"binary": "AQI=", "compressed": False}, Message(b"\x01\x02", compressed=False)),
        ({"end": True}, End()),
    ],
)
def test_lines(row: dict[str, object], expected: object) -> None:
    line = {"t": 5, "wire": 2, "from": "server", **row}
    assert line_from_json(line) == Line(5, "server", 2, expected)  # type: ignore[arg-type]


def test_a_log_line_is_on_no_wire() -> None:
    line = line_from_json({"t": 5, "from": "server", "log": {"event": "connect"}})
    assert line == Line(5, "server", 0, Log({"event": "connect"}))


def test_exact() -> None:
    row = {"t": 0, "wire": 1, "from": "server", "response": {"status": 200, "headers": {}}, "exact": True}
    assert line_from_json(row).exact


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", ":1: the first line must be the provenance"),
        ("[]", ":1: the first line must be the provenance"),
        (HEAD + "\n{", ":2: "),
        (HEAD + '\n{"t": 0, "wire": 1, "from": "server"}', ":2: ValueError: a line is exactly one of"),
        (HEAD + '\n{"t": 0, "wire": 1, "from": "server", "text": "", "end": true}', ":2: .*exactly one of"),
        (HEAD + '\n{"t": 0, "wire": 1, "from": "me", "text": ""}', """:2: .*"from" is 'me'"""),
        (
            HEAD + '\n{"t": 0, "wire": 1, "from": "server", "text": "", "txt": 1}',
            r":2: .*unknown keys \['txt'\]",
        ),
        (
            HEAD + '\n{"t": 0, "wire": 1, "from": "server", "ping": "", "compressed": true}',
            ":2: .*of a message only",
        ),
        (HEAD + '\n{"t": 0, "from": "server", "text": ""}', ":2: KeyError: 'wire'"),
        (HEAD + '\n{"t": 0, "wire": 1, "from": "server", "binary": "?"}', ":2: "),
    ],
)
def test_what_is_no_trace(tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(TraceError, match=f"x.jsonl{error}"):
        load_trace(path)


def test_requests() -> None:
    poll = Request("GET", "/engine.io/?EIO=4&transport=polling&sid=${sid}", {})
    assert (poll.is_poll, poll.session, poll.is_upgrade) == (True, "${sid}", False)
    handshake = Request("GET", "/engine.io/?EIO=4&transport=polling&sid=", {})
    assert (handshake.is_poll, handshake.session) == (False, None)
    assert not Request("POST", poll.target, {}).is_poll
    assert Request("GET", "/?transport=websocket&sid=a", {"upgrade": "websocket"}).is_upgrade


def test_configuration(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(HEAD + "\n")
    assert load_trace(path).config == {"mode": "engineio", "options": {"a": 1}, "behaviors": {}}
