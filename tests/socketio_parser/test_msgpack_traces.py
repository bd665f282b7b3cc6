"""What socket.io-msgpack-parser 3.0.2 did with the same packets and messages, recorded by
conformance/recorder/msgpack.mjs.

Where we differ on purpose, `DIFFERENCES` says how; a difference that is gone fails too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import socketio_parser._msgpack_read
from socketio_parser import DecodeError, EncodeError, MsgpackDecoder, MsgpackEncoder, Packet

from tests.socketio_parser.traces import as_javascript, named, read, revive

RESERVED = ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
NO_NAMES = ("NaN", "nil", "undefined", "true", "bytes", "object", "list")
NO_KEYS = ("nil", "true", "float", "bytes", "list", "object", "undefined")

# case -> our message (hexadecimal) or error, where the reference has another result
DIFFERENCES: dict[str, dict[str, str]] = {
    "msgpack_encode": {
        "event, reserved name: connect": (
            "an EVENT starts with its name, a str that is not reserved or a number, got 'connect'"
        ),
        "text: surrogate alone": "83a47479706502a46461746192a161a578efbfbd79a36e7370a12f",
        "number: 2**64": "cannot encode an int of more than 64 bits at data[1]",
        "number: 1e20": "cannot encode an int of more than 64 bits at data[1]",
        "number: 1e21": "83a47479706502a46461746192a161cb444b1ae4d6e2ef50a36e7370a12f",
        "number: small and large": (
            "83a47479706502a46461746194a161cb0000000000000001cb3e7ad7f29abcaf48cb7fd5555555555555a36e7370a12f"
        ),
        "number: minus zero": "83a47479706502a46461746192a161cb8000000000000000a36e7370a12f",
        "128 lists in the list": "data nested deeper than 128 at data",
        "circular": "cannot encode circular data at data[1]['self']",
    },
    "msgpack_decode": {
        "event, no name": "invalid payload",
        **{f"event, {name} as a name": "invalid payload" for name in NO_NAMES},
        **{f"reserved name: {name}": "invalid payload" for name in RESERVED},
        "id: negative": "invalid packet id",
        "id: 2**53": "invalid packet id",
        "id: uint64 max": "invalid packet id",
        "root: nil": "invalid packet type",
        "root: undefined": "invalid packet type",
        "root: __proto__ with a type": "invalid packet type",
        **{f"value: {name} as a key": "invalid payload" for name in NO_KEYS},
        "value: date of year 10000": "invalid payload",
        "value: date that JavaScript has not": "invalid payload",
        "value: 128 lists": "invalid payload",
        "value: 2000 lists": "invalid payload",
        "broken: 20000 lists": "invalid payload",
        "broken: 20000 maps": "invalid payload",
        "broken: 20000 lists without an end": "invalid payload",
        "text: connect of the default parser": "Could not parse",
        "text: event of the default parser": "Could not parse",
    },
}
KEPT = {"value: __proto__ as a key": ["a", {"__proto__": {}}]}
"""case -> our data: a key like any other, where JavaScript gives the object a prototype."""

TRUNCATED = re.compile(r"-\d+ trailing bytes|The value of \"offset\" is out of range")
"""What the reference says of a message that ends too soon, when it does not say "Could not parse"."""


@pytest.fixture(params=["with the msgpack package", "alone"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each case is read twice."""
    if request.param == "alone":
        monkeypatch.setattr(socketio_parser._msgpack_read, "_msgpack", None)
    else:
        pytest.importorskip("msgpack")
    yield


def unfold(hexadecimal: str) -> bytes:
    """The bytes: "(91*3)" is 919191."""
    return bytes.fromhex(re.sub(r"\((\w+)\*(\d+)\)", lambda found: found[1] * int(found[2]), hexadecimal))


def doubles(value: Any) -> Any:
    """Integers of more than 53 bits as the doubles that JavaScript wrote them from: JSON rounds their digits."""
    match value:
        case int() if abs(value) > 2**53:
            return int(float(value))
        case list():
            return [doubles(item) for item in value]
        case _:
            return value


def check_encode(case: dict[str, Any]) -> None:
    """Raises AssertionError when the encoder does not do what was recorded."""
    recorded = case["packet"]
    data = doubles(revive(recorded.get("data")))
    try:
        messages = MsgpackEncoder().encode(
            Packet(recorded["type"], recorded["nsp"], data, recorded.get("id"))
        )
    except EncodeError as error:
        assert str(error) == case.get("error")
        return
    assert "error" not in case
    assert messages == (unfold(case["message"]),)


def check_decode(case: dict[str, Any]) -> None:
    """Raises AssertionError when the decoder does not do what was recorded."""
    message = case["message"]
    try:
        packet = MsgpackDecoder().feed(unfold(message) if isinstance(message, str) else message["text"])
    except DecodeError as error:
        theirs = case.get("error", "no error")
        if str(error) == "truncated message":
            assert TRUNCATED.match(theirs) or theirs == "Could not parse"
            assert error.offset == len(unfold(message))
        else:
            assert str(error) == theirs
        return
    assert "error" not in case
    recorded = case["packet"]
    assert (packet.type, packet.namespace, packet.id) == (
        recorded["type"],
        recorded["nsp"],
        recorded.get("id"),
    )
    theirs = KEPT[case["name"]] if case["name"] in KEPT else revive(recorded.get("data"))
    assert repr(by_key(as_javascript(packet.data))) == repr(by_key(as_javascript(theirs)))


def by_key(value: Any) -> Any:
    """Maps in the order of their keys: JavaScript puts keys that are digits first."""
    match value:
        case dict():
            return {key: by_key(item) for key, item in sorted(value.items())}
        case list():
            return [by_key(item) for item in value]
        case _:
            return value


def ours(scenario: str, case: dict[str, Any]) -> dict[str, Any]:
    """The case with our own result, where we differ."""
    result = DIFFERENCES[scenario].get(case["name"])
    if result is None:
        return case
    given = "packet" if scenario == "msgpack_encode" else "message"
    key = "message" if re.fullmatch(r"[0-9a-f]{20,}", result) else "error"
    return {"name": case["name"], given: case[given], key: result}


ENCODE = read("msgpack_encode")[1]
DECODE = read("msgpack_decode")[1]


@pytest.mark.parametrize("case", named(ENCODE))
def test_encode(case: dict[str, Any]) -> None:
    check_encode(ours("msgpack_encode", case))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("case", named(DECODE))
def test_decode(case: dict[str, Any]) -> None:
    check_decode(ours("msgpack_decode", case))


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "case", named([case for case in ENCODE if "message" in ours("msgpack_encode", case)])
)
def test_what_is_encoded_is_decoded(case: dict[str, Any]) -> None:
    case = ours("msgpack_encode", case)
    packet = MsgpackDecoder().feed(unfold(case["message"]))
    recorded = case["packet"]
    assert (packet.type, packet.namespace, packet.id) == (
        recorded["type"],
        recorded["nsp"],
        recorded.get("id"),
    )
    if "surrogate" not in case["name"]:
        theirs = doubles(revive(recorded.get("data")))
        assert repr(as_javascript(packet.data)) == repr(as_javascript(theirs))


@pytest.mark.parametrize("scenario", ["msgpack_encode", "msgpack_decode"])
def test_provenance(scenario: str) -> None:
    provenance, cases = read(scenario)
    reference = ("socket.io-msgpack-parser", "3.0.2", scenario)
    assert (provenance["reference"], provenance["version"], provenance["scenario"]) == reference
    assert len({case["name"] for case in cases}) == len(cases)


def test_there_are_enough_cases() -> None:
    assert len(ENCODE) + len(DECODE) >= 280
    assert len(ENCODE) + len(DECODE) + len(read("encode")[1]) + len(read("decode")[1]) >= 550


@pytest.mark.parametrize("scenario", ["msgpack_encode", "msgpack_decode"])
def test_differences_are_of_recorded_cases_and_differ(scenario: str) -> None:
    cases = {case["name"]: case for case in read(scenario)[1]}
    for name, result in DIFFERENCES[scenario].items():
        assert result not in (
            cases[name].get("error"),
            scenario == "msgpack_encode" and cases[name].get("message"),
        )


def test_a_changed_expectation_fails() -> None:
    """So the two checks above can fail."""
    count = 0
    for check, scenario, cases in (
        (check_encode, "msgpack_encode", ENCODE),
        (check_decode, "msgpack_decode", DECODE),
    ):
        for case in cases:
            case = ours(scenario, case)
            changed = [{**case, "error": case.get("error", "") + "!"}]
            if check is check_encode and "message" in case:
                changed.append({**case, "message": case["message"] + "00"})
            if check is check_decode and "packet" in case and case["name"] not in KEPT:
                for key, value in (("type", 7), ("nsp", "/other"), ("id", 77), ("data", ["other"])):
                    changed.append({**case, "packet": {**case["packet"], key: value}})
            if TRUNCATED.match(case.get("error", "")) or case.get("error") == "Could not parse":
                changed = [{**case, "error": "invalid payload"}]
            for mutation in changed:
                with pytest.raises(AssertionError):
                    check(mutation)
                count += 1
    assert count > 700
