"""What engine.io-parser 5.2.3, engine.io's copy of the old parser and its JSONP transport did with the same packets
and payloads, recorded by conformance/recorder/engine_parser.mjs.

What is decoded is given to a session: one effect per packet. Where we differ on purpose, `DIFFERENCES` says how; a
difference that is gone fails too.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from engineio_proto import (
    EngineEvent,
    EngineServer,
    MessageReceived,
    Outgoing,
    Session,
    SessionClosed,
    message,
)
from engineio_proto._jsonp import Jsonp
from engineio_proto._payload import PayloadForm
from engineio_proto._revision import REVISIONS

from tests.engineio_proto.driving import body, new_engine, open_form, packets, poll, post

TRACES = Path(__file__).parents[2] / "conformance" / "traces" / "engine_parser"
TYPES = ("open", "close", "ping", "pong", "message", "upgrade", "noop")

PARSE_ERROR = [("closed", "parse error", None)]

# case of protocol 3 -> our effects. The reference reads a length as JavaScript reads any number.
DIFFERENCES: dict[str, list[Any]] = {
    f"decode payload {json.dumps(text, ensure_ascii=False)}": PARSE_ERROR
    for text in (
        " 2:4a",
        "+2:4a",
        "2 :4a",
        "\n2:4a",
        "2.0:4a",
        "1e0:4",
        "1e1:4123456789",
        "0x2:4a",
        "2e0:4a",
        "-0:2:4a",
        "\ufeff2:4a",
    )
}


def read(scenario: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    first, *lines = (TRACES / f"{scenario}.jsonl").read_text("utf-8").rstrip("\n").split("\n")
    return json.loads(first), [json.loads(line) for line in lines]


def revive(value: Any) -> Any:
    return base64.b64decode(value["$bytes"]) if isinstance(value, dict) else value


def outgoing(packet: dict[str, Any]) -> Outgoing:
    """What a session queues for it."""
    data = revive(packet.get("data", ""))
    if packet["type"] == "message":
        return message(data)
    return Outgoing((str(TYPES.index(packet["type"])) + data,))


def utf8(value: Any) -> Any:
    """As a body or a frame carries it: a surrogate without its partner is U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def expected_effects(protocol: int, recorded: list[dict[str, Any]]) -> list[Any]:
    """What a session does with the packets that the reference found, up to its end."""
    effects: list[Any] = []
    for packet in recorded:
        match packet.get("type"), protocol:
            case "message", _:
                effects.append(("message", revive(packet.get("data", ""))))
            case ("error", _):
                return [*effects, *PARSE_ERROR]
            case ("close", _):
                return [*effects, ("closed", "transport close", None)]
            case ("ping", 4) | ("pong", 3):
                return [*effects, ("closed", "transport error", "invalid heartbeat direction")]
            case "ping", 3:
                effects.append(("sent", "3"))
            case _:
                pass  # nothing follows
    return effects


def effects_of(events: list[EngineEvent], sent: list[str | bytes]) -> list[Any]:
    effects: list[Any] = []
    for event in events:
        match event:
            case MessageReceived(data=data):
                effects.append(("message", data))
            case SessionClosed(reason=reason, description=description):
                effects.append(("closed", str(reason), description))
            case _:
                raise AssertionError(event)
    pongs = [("sent", packet) for packet in sent if packet == "3"]
    return sorted(pongs) + effects


def normal(effects: list[Any]) -> list[Any]:
    """Answers are sent beside the events, so their place among them is not known."""
    return sorted([e for e in effects if e[0] == "sent"]) + [e for e in effects if e[0] != "sent"]


def check_codec(protocol: int, case: dict[str, Any]) -> None:
    """Raises AssertionError when we do not do what was recorded."""
    revision = REVISIONS[protocol]
    if case["op"] == "encode_packet":
        form = revision.link_form(base64=not case["binary"])
        made = outgoing(case["packets"][0])
        assert list((form(made) if form is not None else made).packets) == [revive(case["result"])]
    elif case["op"] == "encode_payload":
        check_encoded(revision.payload_form(base64=not case["binary"]), case)
    elif case["op"] == "decode_packet":
        check_decoded_packet(protocol, revive(case["data"]), case)
    else:
        check_decoded_payload(protocol, revive(case["data"]), case)


def check_encoded(form: PayloadForm, case: dict[str, Any]) -> None:
    data, (_, content_type) = form.encode([outgoing(packet) for packet in case["packets"]])
    result = revive(case["result"])
    is_text = isinstance(result, str)
    assert content_type == ("text/plain; charset=UTF-8" if is_text else "application/octet-stream")
    assert (data.decode() if is_text else data) == utf8(result)


def check_decoded_packet(protocol: int, data: str | bytes, case: dict[str, Any]) -> None:
    engine = new_engine(allow_eio3=True)
    _, link = open_form(engine, "websocket", protocol)
    assert link is not None
    events = (
        engine.receive_bytes(link, data, 0.0)
        if isinstance(data, bytes)
        else engine.receive_text(link, data, 0.0)
    )
    check_effects(protocol, case, effects_of(events, packets(link)))


def check_decoded_payload(protocol: int, data: str | bytes, case: dict[str, Any], **query: str) -> None:
    engine = new_engine(allow_eio3=True)
    session, _ = open_form(engine, "polling", protocol, **query)
    headers = (("Content-Type", "application/octet-stream"),) if isinstance(data, bytes) else ()
    events, exchange = post(engine, session, data, headers=headers)
    assert body(exchange) == b"ok"
    check_effects(protocol, case, effects_of(events, sent_to(engine, session)))


def sent_to(engine: EngineServer, session: Session) -> list[str | bytes]:
    """The answers to pings. A closed session has none to give."""
    if session.id not in engine.sessions or not session.has_buffered:
        return []
    count = session.buffered_bytes
    assert body(poll(engine, session)) == b"1:3" * count
    return ["3"] * count


def check_effects(protocol: int, case: dict[str, Any], effects: list[Any]) -> None:
    expected = case.get("effects") or expected_effects(protocol, case["packets"])
    ended = bool(expected) and expected[-1][0] == "closed"
    assert effects == normal([e for e in expected if not ended or e[0] != "sent"])


def check_jsonp(protocol: int, case: dict[str, Any]) -> None:
    """Raises AssertionError when we do not do what was recorded."""
    if case["op"] == "decode":
        check_decoded_payload(protocol, case["data"], case, j="0", b64="1")
        return
    data, (_, content_type) = Jsonp(REVISIONS[protocol].payload_form(base64=True), case["j"]).encode(
        [outgoing(packet) for packet in case["packets"]]
    )
    assert content_type == "text/plain; charset=UTF-8"
    # JavaScript escapes a lone surrogate; ours became U+FFFD, as it does on every other transport.
    assert data.decode() == re.sub(r"\\ud[0-9a-f]{3}", "\ufffd", case["result"])


def with_ours(case: dict[str, Any]) -> dict[str, Any]:
    """The case with our own effects, where we differ."""
    ours = DIFFERENCES.get(case["name"])
    return case if ours is None else {**case, "effects": ours}


CASES: list[tuple[Any, int, dict[str, Any]]] = [
    *[(check_codec, 4, case) for case in read("protocol4")[1]],
    *[(check_codec, 3, with_ours(case)) for case in read("protocol3")[1]],
    *[(check_jsonp, case["protocol"], case) for case in read("jsonp")[1]],
]


@pytest.mark.parametrize(
    ("check", "protocol", "case"), [pytest.param(*case, id=f"{case[1]}: {case[2]['name']}") for case in CASES]
)
def test_as_recorded(check: Any, protocol: int, case: dict[str, Any]) -> None:
    check(protocol, case)


@pytest.mark.parametrize(
    ("scenario", "package", "version"),
    [
        ("protocol4", "engine.io-parser", "5.2.3"),
        ("protocol3", "engine.io", "6.6.12"),
        ("jsonp", "engine.io", "6.6.12"),
    ],
)
def test_provenance(scenario: str, package: str, version: str) -> None:
    provenance, cases = read(scenario)
    assert (provenance["reference"], provenance["version"]) == (package, version)
    assert len({case["name"] for case in cases}) == len(cases) >= 150


def test_differences_are_of_recorded_cases_and_differ() -> None:
    cases = {case["name"]: case for case in read("protocol3")[1]}
    for name, effects in DIFFERENCES.items():
        assert expected_effects(3, cases[name]["packets"]) != effects


def mutations(protocol: int, case: dict[str, Any]) -> list[dict[str, Any]]:
    """The case with each of its expectations changed in turn."""
    changed: list[dict[str, Any]] = []

    def change(**expectation: Any) -> None:
        changed.append({**copy.deepcopy(case), **expectation})

    if "result" in case:
        result = case["result"]
        change(result={"$bytes": "AAAA"} if isinstance(result, dict) else result[:-2] + "x" + result[-2:])
    elif "effects" in case:
        change(effects=[*case["effects"], ("message", "x")])
    else:
        change(packets=[{"type": "message", "data": "other"}, *case["packets"]])
        if expected_effects(protocol, case["packets"][:-1]) != expected_effects(protocol, case["packets"]):
            change(packets=case["packets"][:-1])
    return changed


def test_a_changed_expectation_fails() -> None:
    count = 0
    for check, protocol, case in CASES:
        for mutation in mutations(protocol, case):
            with pytest.raises(AssertionError):
                check(protocol, mutation)
            count += 1
    assert count > len(CASES)
