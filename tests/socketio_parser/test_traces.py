"""What socket.io-parser 4.2.7 did with the same packets and texts, recorded by conformance/recorder/parser.mjs.

Where we differ on purpose, `DIFFERENCES` says how; a difference that is gone fails too.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from socketio_parser import (
    DecodeError,
    Decoder,
    EncodeError,
    Encoder,
    JsonCodec,
    OrjsonJson,
    Packet,
    StdlibJson,
    is_packet_valid,
)

from tests.socketio_parser.traces import as_javascript, named, read, revive

CODECS = [StdlibJson(), OrjsonJson()]

# case -> our error, where the reference has another result
DIFFERENCES = {
    "encode": {
        "binary: eleven": "11 binary values in a packet: at most 10 may be",
        "binary: a placeholder of the caller": (
            "a dict with '_placeholder': True cannot travel with binary data at data"
        ),
        "reserved name: connect": (
            "an EVENT starts with its name, a str that is not reserved or a number, got 'connect'"
        ),
        "reserved name: disconnecting": (
            "an EVENT starts with its name, a str that is not reserved or a number, got 'disconnecting'"
        ),
        "circular": "cannot encode circular data at data[1]['self']",
    },
    "decode": {
        "connect, number after a space": "invalid payload",
        "event, id too large": "invalid payload",
        "event, id of 21 digits": "invalid payload",
        "event, id of 1000 digits": "invalid payload",
        "event, space for an id": "invalid payload",
        "event, tab for an id": "invalid payload",
        "event, line end for an id": "invalid payload",
        "event, space in an id": "invalid payload",
        "event, space after an id": "invalid payload",
        "event, BOM": "invalid payload",
        "event, 400 digits": "invalid payload",
        "event, 5000 digits": "invalid payload",
        "event, number too large": "invalid payload",
        "event, 128 lists in the list": "invalid payload",
        "event, 5000 lists in the list": "invalid payload",
        "type: nothing": "unknown packet type NaN",
        "type: space": "unknown packet type NaN",
        "type: space before an event": "unknown packet type NaN",
        "binary: num a fraction": "illegal attachments",
        "binary: num a whole fraction": "illegal attachments",
        "count: whole fraction": "Illegal attachments",
        "count: exponent": "Illegal attachments",
        "count: hexadecimal": "Illegal attachments",
        "count: space": "Illegal attachments",
        "count: 1000 digits": "too many attachments",
    },
}


def packet_of(recorded: dict[str, Any]) -> Packet:
    return Packet(
        recorded["type"],
        recorded.get("nsp"),
        revive(recorded.get("data")),
        recorded.get("id"),  # type: ignore[arg-type]
    )


def same(ours: Packet, recorded: dict[str, Any]) -> bool:
    theirs = packet_of(recorded)
    return (ours.type, ours.namespace, ours.id, as_javascript(ours.data)) == (
        theirs.type,
        theirs.namespace,
        theirs.id,
        as_javascript(theirs.data),
    )


def check_encode(case: dict[str, Any], codec: JsonCodec) -> None:
    """Raises AssertionError when the encoder does not do what was recorded."""
    try:
        messages = Encoder(json=codec).encode(packet_of(case["packet"]))
    except EncodeError as error:
        assert str(error) == case.get("error")
        return
    assert "error" not in case
    text, *attachments = messages
    expected, *buffers = case["messages"]
    assert attachments == [revive(buffer) for buffer in buffers]
    assert isinstance(text, str)
    if case.get("spelling") == "free":
        start = expected.index("[")
        assert text[:start] == expected[:start]
        text, expected = (as_javascript(json.loads(each[start:])) for each in (text, expected))
    assert text == expected


def check_decode(case: dict[str, Any], codec: JsonCodec) -> None:
    """Raises AssertionError when the decoder does not do what was recorded."""
    options = case.get("options", {})
    decoder = Decoder(json=codec, max_attachments=options.get("maxAttachments", 10))
    expected = list(case["packets"])
    for at, chunk in enumerate(case["chunks"]):
        try:
            packet = decoder.feed(revive(chunk))
        except DecodeError as error:
            assert (str(error), at) == (case.get("error"), case.get("at"))
            assert 0 <= error.offset <= len(chunk)
            assert expected == []
            assert decoder.awaiting == 0
            return
        if packet is not None:
            assert expected and same(packet, expected.pop(0))
    assert "error" not in case
    assert expected == []
    assert (decoder.awaiting > 0) == case["pending"]


def ours(scenario: str, case: dict[str, Any]) -> dict[str, Any]:
    """The case with our own result, where we differ."""
    message = DIFFERENCES[scenario].get(case["name"])
    if message is None:
        return case
    if scenario == "encode":
        return {"name": case["name"], "packet": case["packet"], "error": message}
    expected: dict[str, Any] = {key: case[key] for key in ("name", "options", "chunks") if key in case}
    return {**expected, "packets": [], "error": message, "at": len(case["chunks"]) - 1}


ENCODE = read("encode")[1]
DECODE = read("decode")[1]
VALID = read("valid")[1]


@pytest.mark.parametrize("codec", CODECS, ids=["stdlib", "orjson"])
@pytest.mark.parametrize("case", named(ENCODE))
def test_encode(case: dict[str, Any], codec: JsonCodec) -> None:
    check_encode(ours("encode", case), codec)


@pytest.mark.parametrize("codec", CODECS, ids=["stdlib", "orjson"])
@pytest.mark.parametrize("case", named(DECODE))
def test_decode(case: dict[str, Any], codec: JsonCodec) -> None:
    check_decode(ours("decode", case), codec)


@pytest.mark.parametrize(
    "case", named([case for case in ENCODE if case["name"] not in DIFFERENCES["encode"]])
)
def test_what_the_reference_encodes_is_decoded(case: dict[str, Any]) -> None:
    decoder = Decoder()
    *missing, packet = [decoder.feed(revive(message)) for message in case["messages"]]
    assert missing == [None] * len(missing)
    assert packet is not None
    recorded = case["packet"]
    assert (packet.type, packet.namespace, packet.id) == (
        recorded["type"],
        recorded["nsp"],
        recorded.get("id"),
    )


@pytest.mark.parametrize("case", [pytest.param(case, id=json.dumps(case["packet"])) for case in VALID])
def test_is_packet_valid(case: dict[str, Any]) -> None:
    assert is_packet_valid(packet_of(case["packet"])) is case["valid"]


@pytest.mark.parametrize("scenario", ["encode", "decode", "valid"])
def test_provenance(scenario: str) -> None:
    provenance, cases = read(scenario)
    assert (provenance["reference"], provenance["version"], provenance["scenario"]) == (
        "socket.io-parser",
        "4.2.7",
        scenario,
    )
    assert len(cases) >= 30
    assert len({json.dumps(case) for case in cases}) == len(cases)


@pytest.mark.parametrize("scenario", ["encode", "decode"])
def test_differences_are_of_recorded_cases_and_differ(scenario: str) -> None:
    cases = {case["name"]: case for case in read(scenario)[1]}
    for name, message in DIFFERENCES[scenario].items():
        assert cases[name].get("error") != message


def mutations(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The case with each of its expectations changed in turn."""
    changed = []

    def change(**expectation: Any) -> None:
        changed.append({**copy.deepcopy(case), **expectation})

    if "error" in case:
        change(error=case["error"] + "!")
    else:
        change(error="invalid payload", at=len(case.get("chunks", [0])) - 1)
    if "at" in case:
        change(at=case["at"] + 1)
    if "pending" in case:
        change(pending=not case["pending"])
    if "messages" in case:
        text, *rest = case["messages"]
        change(messages=[text + " " if case.get("spelling") != "free" else text.replace("a", "b"), *rest])
        change(messages=[text, *rest, {"$bytes": ""}])
        for index in range(len(rest)):
            change(messages=[text, *rest[:index], {"$bytes": "AAAA"}, *rest[index + 1 :]])
    for index, packet in enumerate(case.get("packets", ())):
        for key, value in (("type", 7), ("nsp", "/other"), ("id", 77), ("data", ["other"])):
            packets = copy.deepcopy(case["packets"])
            packets[index] = {**packet, key: value}
            change(packets=packets)
        change(packets=case["packets"][:index] + case["packets"][index + 1 :])
    return changed


@pytest.mark.parametrize(
    ("check", "cases"),
    [
        (check_encode, [ours("encode", case) for case in ENCODE]),
        (check_decode, [ours("decode", case) for case in DECODE]),
    ],
    ids=["encode", "decode"],
)
def test_a_changed_expectation_fails(check: Any, cases: list[dict[str, Any]]) -> None:
    count = 0
    for case in cases:
        for mutation in mutations(case):
            with pytest.raises(AssertionError):
                check(mutation, CODECS[1])
            count += 1
    assert count > 2 * len(cases)
