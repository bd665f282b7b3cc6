"""Compressed polls, against what engine.io 6.6.12 answered (conformance/recorder/compression.mjs); no Node needed."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import brotli
import pytest
from engineio_proto import (
    EngineConfig,
    Exchange,
    HttpCompression,
    Request,
    Response,
    SessionOpened,
    message,
)
from engineio_proto import _compression as compression

from tests.engineio_proto.driving import ask, new_engine, new_exchange, open_polling, poll, post, target

TRACES = Path(__file__).parents[2] / "conformance" / "traces" / "compression"
DECODE = {"gzip": gzip.decompress, "deflate": zlib.decompress, "br": brotli.decompress}
LONG = "x" * 5000


def load() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(TRACES.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield f"{path.stem}:{number}", json.loads(line)


LINES = dict(load())
CASES = {where: line for where, line in LINES.items() if not where.endswith(":1")}


def snake(options: Any) -> Any:
    if not isinstance(options, dict):
        return options
    return {re.sub("[A-Z]", lambda m: "_" + m[0].lower(), k): snake(v) for k, v in options.items()}


def decoded(response: Response) -> str:
    coding = dict(response.headers).get("Content-Encoding")
    return (DECODE[coding](response.body) if coding else response.body).decode()


def play(case: dict[str, Any]) -> dict[str, Any]:
    """Our answer to a case, in the form of the recording."""
    engine = new_engine(**snake(case["options"]))
    headers = tuple(("Accept-Encoding", value) for value in case["accept"])
    response: Response | None
    if case["request"] == "handshake":
        _, response = ask(engine, "GET", target("polling"), headers)
        (sid,) = engine.sessions
    else:
        session = open_polling(engine)
        sid = session.id
        for step in case.get("steps", ()):
            if "ping" in step:
                engine.handle_timeout(25.0)
            elif "close" in step:
                session.close(0.0)
            else:
                session.send_message(step["send"] * step["times"], compress=step["compress"])
        if case["request"] == "post":
            _, exchange = post(engine, session, "4hello", headers=headers)
        else:
            exchange = poll(engine, session, headers=headers)
        response = exchange.take_response()
    assert response is not None
    text = decoded(response).replace(sid, "${sid}")
    return {
        "status": response.status,
        "headers": [list(pair) for pair in response.headers],
        "body": re.sub(r"(.)\1{19,}", lambda run: f"{run[1]}{{{len(run[0])}}}", text),
    }


@pytest.mark.parametrize("where", CASES)
def test_replay(where: str) -> None:
    assert play(CASES[where]) == CASES[where]["response"]


def test_what_is_recorded() -> None:
    first = [line for where, line in LINES.items() if where not in CASES]
    assert {(line["reference"], line["version"]) for line in first} == {("engine.io", "6.6.12")}
    assert len({tuple(c["accept"]) for w, c in CASES.items() if w.startswith("negotiation:")}) >= 80
    options = [snake(case["options"].get("httpCompression")) for case in CASES.values()]
    given = {name for option in options if isinstance(option, dict) for name in option}
    assert given == {"threshold", "level", "mem_level", "window_bits", "strategy", "chunk_size"}


# What the reference does not have, or cannot show.


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip, br;q=0.9", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0", None),
        ("*", "br"),
        ("gzip, *;q=0.5", "gzip"),
        ("*, deflate", "br"),
        ("BR", "br"),
        ("identity", None),
    ],
)
def test_brotli(accept: str, coding: str | None) -> None:
    assert HttpCompression(brotli=True).coding_for(accept) == coding
    engine = new_engine(http_compression={"brotli": True})
    _, response = ask(engine, "GET", target("polling"), (("accept-encoding", accept),))
    assert dict(response.headers).get("Content-Encoding") == coding
    assert decoded(response).startswith("0{")


@pytest.fixture
def without_brotli(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as it is where brotli is not installed."""
    monkeypatch.setitem(sys.modules, "brotli", None)
    spec = importlib.util.spec_from_file_location("engineio_proto._compression_alone", compression.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # where a dataclass looks up its module
    spec.loader.exec_module(module)
    return module


def test_without_brotli(without_brotli: ModuleType) -> None:
    assert without_brotli.HttpCompression.from_option({"brotli": False}).brotli is False
    with pytest.raises(ImportError, match=r"brotli=True.*pip install engineio-proto\[brotli\]"):
        without_brotli.HttpCompression(brotli=True)


def test_forms_of_the_option() -> None:
    def of(option: object) -> HttpCompression | None:
        return EngineConfig.from_options({"http_compression": option}).http_compression

    assert EngineConfig.from_options({}).http_compression == HttpCompression(threshold=1024)
    assert of(False) is of(None) is None
    assert of(True) == of({}) == HttpCompression(threshold=0)
    ready = HttpCompression(level=3)
    assert of(ready) is ready


@pytest.mark.parametrize(
    ("option", "error", "words"),
    [
        ({"level": 99}, ValueError, ["level", "99", "from -1 to 9"]),
        ({"level": -2}, ValueError, ["level", "-2", "from -1 to 9"]),
        ({"level": "9"}, TypeError, ["level", "'9'", "from -1 to 9"]),
        ({"mem_level": 0}, ValueError, ["mem_level", "0", "from 1 to 9"]),
        ({"mem_level": 10}, ValueError, ["mem_level", "10", "from 1 to 9"]),
        ({"window_bits": 8}, ValueError, ["window_bits", "8", "from 9 to 15"]),
        ({"window_bits": 16}, ValueError, ["window_bits", "16", "from 9 to 15"]),
        ({"strategy": 5}, ValueError, ["strategy", "5", "from 0 to 4"]),
        ({"chunk_size": 63}, ValueError, ["chunk_size", "63", "at least 64"]),
        ({"threshold": -1}, ValueError, ["threshold", "-1", "at least 0"]),
        ({"threshold": True}, TypeError, ["threshold", "True", "integer"]),
        ({"threshold": 1.5}, TypeError, ["threshold", "1.5", "integer"]),
        ({"brotli": 1}, TypeError, ["brotli", "1", "True or False"]),
        ({"treshold": 1}, TypeError, ["http_compression", "'treshold'", "did you mean 'threshold'"]),
        ({"memLevel": 1}, TypeError, ["'memLevel'", "did you mean 'mem_level'"]),
        ("gzip", TypeError, ["http_compression", "'gzip'", "mapping"]),
        (1, TypeError, ["http_compression", "1", "mapping"]),
    ],
)
def test_mistakes(option: object, error: type[Exception], words: list[str]) -> None:
    with pytest.raises(error) as raised:
        EngineConfig.from_options({"http_compression": option})
    for word in words:
        assert word in str(raised.value)


def test_config_takes_the_value_only() -> None:
    wrong: Any = {"threshold": 1}
    with pytest.raises(TypeError, match="http_compression must be an HttpCompression or None"):
        EngineConfig(http_compression=wrong)


class Counting:
    """zlib, counting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        real = zlib.compressobj

        def compressobj(*arguments: Any) -> Any:
            self.calls += 1
            return real(*arguments)

        monkeypatch.setattr(zlib, "compressobj", compressobj)


def test_a_broadcast_is_compressed_once_per_coding(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = new_engine()
    polls = [
        poll(engine, open_polling(engine), headers=(("accept-encoding", coding),))
        for coding in ["gzip", "deflate", "gzip, deflate", "deflate, gzip", "identity", "gzip"]
    ]
    count = Counting(monkeypatch)
    shared = message(LONG)
    for session in engine.sessions.values():
        session.send(shared)
    answers = [exchange.take_response() for exchange in polls]
    assert count.calls == 2
    assert [dict(a.headers).get("Content-Encoding") for a in answers if a] == [
        "gzip", "deflate", "gzip", "deflate", None, "gzip",
    ]  # fmt: skip
    assert {decoded(answer) for answer in answers if answer} == {"4" + LONG}


def test_a_body_of_several_messages_is_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = new_engine()
    sessions = [open_polling(engine) for _ in range(2)]
    count = Counting(monkeypatch)
    shared = message(LONG)
    for number, session in enumerate(sessions):
        session.send(shared)
        session.send_message(f"to {number}")
        answer = poll(engine, session, headers=(("accept-encoding", "gzip"),)).take_response()
        assert answer is not None and decoded(answer) == f"4{LONG}\x1e4to {number}"
    assert count.calls == 2 and shared.compressed is None


def test_clients_of_both_protocols_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = new_engine(allow_eio3=True)
    kinds = [{"EIO": "4"}, {"EIO": "3"}, {"EIO": "3", "b64": "1"}] * 3
    polls: list[Exchange] = []
    for kind in kinds:
        events, _ = ask(engine, "GET", target("polling", **kind))
        (opened,) = events
        assert isinstance(opened, SessionOpened)
        path = target("polling", opened.session.id, **kind)
        polls.append(new_exchange("GET", path, (("accept-encoding", "gzip"),)))
        engine.receive_request(polls[-1], 0.0)
    count = Counting(monkeypatch)
    shared = message(LONG, b"\x01")
    for session in engine.sessions.values():
        session.send(shared)
    answers = [exchange.take_response() for exchange in polls]
    assert count.calls == 3
    forms = [
        b"4" + LONG.encode() + b"\x1ebAQ==",
        b"\0\5\0\0\1\xff4" + LONG.encode() + b"\1\2\xff\4\1",
        b"5001:4" + LONG.encode() + b"6:b4AQ==",
    ]
    assert [gzip.decompress(answer.body) for answer in answers if answer] == forms * 3


def test_a_body_that_only_begins_like_another() -> None:
    """What is kept is compared as a whole before it is used: JSONP has its client's number in it."""
    settings, shared = HttpCompression(threshold=0), message(LONG)
    request = Request("GET", target("polling"), (("accept-encoding", "gzip"),))
    for text in ('___eio[0]("4a");', '___eio[1]("4a");', '___eio[0]("4a");'):
        plain = Response(200, (("Content-Type", "text/plain"),), text.encode())
        assert decoded(settings.apply(request, plain, [shared])) == text


def test_below_the_threshold_no_header_is_read() -> None:
    class NoHeaders:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"it looks at {name}")

    request: Any = NoHeaders()
    response = Response(200, (), b"4" + b"x" * 1022)
    assert HttpCompression().apply(request, response, [message("x")]) is response
    plain = Response(200, (), LONG.encode())
    assert HttpCompression().apply(request, plain, [message("x", compress=False)]) is plain


def test_long_headers_are_read_in_linear_time() -> None:
    for piece in ("gzip,", ",", ";", " ", "gzip;q=", "gzip;q=1e", "*;q=0.1,", "=", "gzip;" + ";" * 100):
        assert HttpCompression().coding_for(piece * (16_384 // len(piece))) in ("gzip", None)
