"""Replay of how ws 8.21 negotiates permessage-deflate (conformance/recorder/deflate.mjs). No Node is needed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engineio_proto import PerMessageDeflate
from engineio_wire import DeflateParameters
from engineio_wire._negotiation import OffersRefused, negotiate

from tests.engineio_wire.peer import ACCEPT, RecordingEngine, recording, upgrade

TRACES = Path(__file__).parents[2] / "conformance" / "traces" / "deflate"


def load() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(TRACES.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield f"{path.stem}:{number}", json.loads(line)


LINES = dict(load())
CASES = {where: line for where, line in LINES.items() if not where.endswith(":1")}


def option(value: Any) -> PerMessageDeflate | None:
    if isinstance(value, dict):
        value = {re.sub("[A-Z]", lambda m: "_" + m[0].lower(), key): item for key, item in value.items()}
    return PerMessageDeflate.from_option(value)


def play(case: dict[str, Any]) -> bytes:
    _, connection = recording(RecordingEngine(per_message_deflate=option(case["options"])))
    connection.feed(upgrade("/engine.io/", *[f"Sec-WebSocket-Extensions: {line}" for line in case["offer"]]))
    return connection.take()


def answer(response: dict[str, Any]) -> bytes:
    """The whole answer that a recorded one stands for."""
    if response["status"] == 101:
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines.append(f"Sec-WebSocket-Accept: {ACCEPT}")
        if response["extensions"] is not None:
            lines.append(f"Sec-WebSocket-Extensions: {response['extensions']}")
        return "\r\n".join([*lines, "", ""]).encode()
    text = response["text"]
    head = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/html\r\n"
    return f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode()


@pytest.mark.parametrize("where", CASES)
def test_replay(where: str) -> None:
    assert play(CASES[where]) == answer(CASES[where]["response"])


def test_provenance() -> None:
    for where in LINES.keys() - CASES.keys():
        assert (LINES[where]["reference"], LINES[where]["version"]) == ("ws", "8.21.3")
    assert len(CASES) >= 60
    answers = {json.dumps(case["response"]) for case in CASES.values()}
    assert len(answers) > 20, "the cases tell nothing apart"


def test_what_was_agreed_on() -> None:
    options = PerMessageDeflate(client_max_window_bits=10)
    offer = "permessage-deflate; client_max_window_bits; server_max_window_bits=9; server_no_context_takeover"
    agreed = negotiate(offer, options)
    assert agreed is not None
    assert agreed[1] == DeflateParameters(options, True, False, 9, 10)
    assert negotiate("permessage-deflate", PerMessageDeflate()) == (
        "permessage-deflate",
        DeflateParameters(PerMessageDeflate(), False, False, 15, 15),
    )


@pytest.mark.parametrize(
    "header",
    [
        " " * 16_000,
        "," * 16_000,
        "a" * 16_000 + "(",
        "permessage-deflate" + ";a" * 8_000 + "(",
        'a;b="' + "\\a" * 8_000,
        "permessage-deflate; client_max_window_bits=" + "9" * 15_000,
        "permessage-deflate; client_max_window_bits=0x" + "f" * 15_000,
        "permessage-deflate; client_max_window_bits=1e" + "9" * 15_000,
    ],
)
def test_long_headers_take_linear_time(header: str) -> None:
    """CVE-2021-32640 of ws, in its neighbour header."""
    start = time.perf_counter()
    with pytest.raises(OffersRefused):
        negotiate(header, PerMessageDeflate())
    assert time.perf_counter() - start < 0.5
