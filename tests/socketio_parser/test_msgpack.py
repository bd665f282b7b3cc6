"""The msgpack parser where the traces do not reach: its bounds, its messages to the caller, values of Python's own."""

from __future__ import annotations

import enum
import inspect
import sys
import tracemalloc
import uuid
from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest
import socketio_parser._msgpack_read
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from socketio_parser import (
    DecodeError,
    EncodeError,
    MsgpackDecoder,
    MsgpackEncoder,
    MsgpackParser,
    Packet,
    PacketType,
)
from socketio_parser._msgpack_read import read_alone


class Point(NamedTuple):
    x: int
    y: list[int]


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Text(str):
    __slots__ = ()


def through(*data: Any) -> list[Any]:
    (message,) = MsgpackEncoder().encode(Packet(2, "/", ["a", *data]))
    packet: Any = MsgpackDecoder().feed(message)
    return packet.data[1:]  # type: ignore[no-any-return]


def test_one_binary_message_per_packet() -> None:
    parser = MsgpackParser()
    packet = Packet(PacketType.EVENT, "/room", ["picture", {"png": b"\x89PNG"}], id=7)
    messages = parser.encoder().encode(packet)
    assert messages == (
        b"\x84\xa4type\x02\xa4data\x92\xa7picture\x81\xa3png\xc4\x04\x89PNG\xa2id\x07\xa3nsp\xa5/room",
    )
    decoder = parser.decoder()
    assert decoder.feed(messages[0]) == packet
    decoder.reset()
    assert decoder.feed(bytearray(messages[0])) == packet
    assert decoder.feed(memoryview(messages[0])) == packet  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (Text("x"), "x"),
        (Point(1, [2]), [1, [2]]),
        ((1, (2,)), [1, [2]]),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        ({Text("k"): 1}, {"k": 1}),
        (bytearray(b"xy"), b"xy"),
        (memoryview(b"axbxc")[1::2], b"xx"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (1.0, 1.0),
        (2**64 - 1, 2**64 - 1),
        (-(2**63), -(2**63)),
        (True, True),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\ude00", "a\ufffd"),
        (datetime(2026, 1, 2, 3, 4, 5, 678999, UTC), datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)),
        (
            datetime(1969, 12, 31, 23, 0, 0, 500, timezone(timedelta(hours=-1))),
            datetime(1970, 1, 1, tzinfo=UTC),
        ),
    ],
    ids=repr,
)
def test_values_of_python(value: Any, read: Any) -> None:
    (got,) = through(value)
    assert got == read
    assert got.__class__ is read.__class__


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, "cannot encode set at data[1]"),
        ({"all": [1, object()]}, "cannot encode object at data[1]['all'][1]"),
        ({1: 2}, "cannot encode the key 1: keys must be str, at data[1]"),
        ([{b"k": 2}], "cannot encode the key b'k': keys must be str, at data[1][0]"),
        (2**64, "cannot encode an int of more than 64 bits at data[1]"),
        (-(2**63) - 1, "cannot encode an int of more than 64 bits at data[1]"),
        (
            datetime(2026, 1, 1),  # noqa: DTZ001
            "cannot encode a datetime without a time zone (the peer would not know which) at data[1]",
        ),
    ],
    ids=repr,
)
def test_values_that_have_no_form(value: Any, message: str) -> None:
    with pytest.raises(EncodeError) as raised:
        through(value)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("packet", "message"),
    [
        (Packet(2, "/", {}), "an EVENT's data is a list, got dict"),
        (
            Packet(2, "/", []),
            "an EVENT starts with its name, a str that is not reserved or a number, got nothing",
        ),
        (Packet(3, "/", None), "an ACK's data is a list of arguments, got NoneType"),
        (Packet(0, "/", []), "a CONNECT's data is a dict or None, got list"),
        (Packet(1, "/", {}), "a DISCONNECT's data is None, got dict"),
        (Packet(4, "/", None), "a CONNECT_ERROR has data, got None"),
        (Packet(4, "/", {1}), "cannot encode set at data"),
        (Packet(2, None, ["a"]), "a namespace is a str, got None"),  # type: ignore[arg-type]
        (Packet(2, "/", ["a"], -1), f"an id is an int from 0 to {2**53 - 1}, got -1"),
        (Packet(2, "/", ["a"], True), f"an id is an int from 0 to {2**53 - 1}, got True"),
    ],
)
def test_packets_that_peers_refuse_are_not_sent(packet: Packet, message: str) -> None:
    with pytest.raises(EncodeError) as raised:
        MsgpackEncoder().encode(packet)
    assert str(raised.value) == message


@pytest.mark.parametrize("kind", [5, 6, 7, -1])
def test_types_that_there_are_not(kind: int) -> None:
    with pytest.raises(EncodeError, match="allowed are CONNECT"):
        MsgpackEncoder().encode(Packet(kind, "/", ["a"]))


def test_the_callers_packet_is_left_as_it_is() -> None:
    data = ["a", {"b": bytearray(b"x")}]
    packet = Packet(2, "/", data, 1)
    MsgpackEncoder().encode(packet)
    assert packet == Packet(2, "/", ["a", {"b": bytearray(b"x")}], 1)
    assert packet.data is data


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = {"k": value}
    return value


def test_depth() -> None:
    parser = MsgpackParser(max_depth=5)
    fits = Packet(2, "/", ["a", nested(4)])
    messages = parser.encoder().encode(fits)
    assert parser.decoder().feed(*messages) == fits
    deeper = Packet(2, "/", ["a", nested(5)])
    with pytest.raises(EncodeError, match="data nested deeper than 5"):
        parser.encoder().encode(deeper)
    with pytest.raises(DecodeError) as raised:
        parser.decoder().feed(*MsgpackEncoder().encode(deeper))
    assert (str(raised.value), raised.value.detail) == ("invalid payload", "nested too deeply")


@pytest.mark.parametrize("wrong", [0, -1])
def test_wrong_depth(wrong: int) -> None:
    with pytest.raises(ValueError, match="max_depth must be at least 1"):
        MsgpackParser(max_depth=wrong)
    with pytest.raises(TypeError, match="max_depth must be an int"):
        MsgpackParser(max_depth="5")  # type: ignore[arg-type]


def test_a_stack_that_is_nearly_full() -> None:
    """The depth that is allowed needs some of Python's stack, and the caller may have used it."""
    message = b"\x83\xa4type\x02\xa4data\x92\xa1a" + b"\x91" * 100 + b"\x90\xa3nsp\xa1/"
    packet = Packet(2, "/", ["a", nested(100)])
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 70)
    try:
        with pytest.raises(DecodeError, match="invalid payload"):
            read_alone(message, 128)
        with pytest.raises(EncodeError, match="too deeply nested"):
            MsgpackEncoder().encode(packet)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(
    "lie",
    [
        b"\xdd\x7f\xff\xff\xff",
        b"\xdd\x00\x0f\xff\xff" * 100,
        b"\xdf\x7f\xff\xff\xff",
        b"\xc6\x7f\xff\xff\xff",
        b"\xdb\x7f\xff\xff\xff",
        b"\xc9\x7f\xff\xff\xff\x00",
    ],
    ids=["array", "arrays", "map", "bin", "str", "ext"],
)
def test_a_length_that_lies_takes_no_memory(lie: bytes, alone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if alone:
        monkeypatch.setattr(socketio_parser._msgpack_read, "_msgpack", None)
    message = b"\x83\xa4type\x02\xa4data\x92\xa1a" + lie + b"\x01" * 50_000
    decoder = MsgpackDecoder()
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError):
            decoder.feed(message)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_500_000  # a list of 50,000 items, and what it grew from


def test_text_is_refused() -> None:
    with pytest.raises(DecodeError) as raised:
        MsgpackDecoder().feed('2["a"]')
    assert (str(raised.value), raised.value.offset) == ("Could not parse", 0)
    with pytest.raises(TypeError, match="Unknown type: 5"):
        MsgpackDecoder().feed(5)  # type: ignore[arg-type]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.binary(max_size=40)
    | st.datetimes(timezones=st.just(UTC)).map(
        lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000, fold=0)
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


# Building the values takes long on a busy machine, and says nothing about the parser.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(JSON, max_size=3))
def test_what_is_encoded_is_decoded(data: list[Any]) -> None:
    got = through(*data)
    assert got == data
    assert repr(got) == repr(data)  # 1 is not 1.0, nor True


def outcome(read: Any, message: bytes) -> str:
    try:
        return repr(read(message))
    except DecodeError as error:
        return f"DecodeError {error} {error.offset} {error.detail}"


def check_both(message: bytes) -> None:
    decoder = MsgpackDecoder()
    with_package = outcome(decoder.feed, message)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socketio_parser._msgpack_read, "_msgpack", None)
        assert outcome(decoder.feed, message) == with_package


@given(st.binary(max_size=60))
@example(b"\x83\xa4type\x02\xa4data\x91\x81\x01\x02\xa3nsp\xa1/")
@example(b"\x82\xa4type\x00\xa3nsp\xa2\x2f\xff")
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_a_packet_or_a_decode_error(message: bytes) -> None:
    check_both(message)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(JSON, max_size=3), st.data())
def test_damaged_packets_read_the_same_with_and_without_the_package(
    data: list[Any], choice: st.DataObject
) -> None:
    (message,) = MsgpackEncoder().encode(Packet(2, "/", ["a", *data]))
    damaged = bytearray(message)
    at = choice.draw(st.integers(0, len(message) - 1))
    damaged[at] = choice.draw(st.integers(0, 255))
    check_both(bytes(damaged))
    check_both(message[:at])


def test_a_list_too_long_for_the_package_is_read_all_the_same() -> None:
    assert through(list(range(100)) * 100) == [list(range(100)) * 100]
