"""What the decoder promises beside the recorded cases (test_traces.py): bounds, offsets, and DecodeError only."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from socketio_parser import (
    RESERVED_EVENTS,
    DecodeError,
    Decoder,
    Encoder,
    JsonCodec,
    OrjsonJson,
    Packet,
    PacketType,
    StdlibJson,
)

CODECS: list[Any] = [StdlibJson(), OrjsonJson(), json]
codecs = pytest.mark.parametrize("codec", CODECS, ids=["stdlib", "orjson", "module"])
ONE = '51-["a",{"_placeholder":true,"num":0}]'
TWO = '52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'


@codecs
@pytest.mark.parametrize(
    ("chunk", "message", "offset"),
    [
        ("", "unknown packet type NaN", 0),
        ("x", "unknown packet type NaN", 0),
        ("8", "unknown packet type 8", 0),
        ('5["a"]', "Illegal attachments", 1),
        ("599-[]", "too many attachments", 1),
        ('2/ab,x["a"]', "invalid payload", 5),
        ('2/ab,12 ["a"]', "invalid payload", 7),
        ('2/ab,99999999999999999["a"]', "invalid payload", 5),
        ("2/ab,12{}", "invalid payload", 7),
        ('2["connect"]', "invalid payload", 1),
        ("2[]", "invalid payload", 1),
        ("1/ab,{}", "invalid payload", 5),
        ('2["a",tru]', "invalid payload", 6),
        ('23/x["a"]', "invalid payload", 2),
        ("3/ab,1[" + "[" * 200, "invalid payload", 6),
        ("2[" + "[" * 200, "invalid payload", 1),
    ],
)
def test_errors_say_where(codec: JsonCodec, chunk: str, message: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        Decoder(json=codec).feed(chunk)
    assert (str(caught.value), caught.value.offset) == (message, offset)


def test_details() -> None:
    def detail(chunk: str) -> str:
        with pytest.raises(DecodeError) as caught:
            Decoder().feed(chunk)
        return caught.value.detail

    assert detail("2[]") == "wrong shape for EVENT"
    assert detail("0[]") == "wrong shape for CONNECT"
    assert detail('2 ["a"]') == "white space before the payload"
    assert detail("2" + "9" * 17) == "id larger than 9007199254740991"
    assert detail("2" + "[" * 129) == "nested deeper than 128"
    assert "line 1 column" in detail('2["a",]')


@pytest.mark.parametrize("chunk", [5, None, 1.5, ["a"], object()])
def test_neither_text_nor_bytes_is_the_callers_mistake(chunk: Any) -> None:
    with pytest.raises(TypeError, match="Unknown type: " + re.escape(repr(chunk))):
        Decoder().feed(chunk)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_attachments_are_bytes(kind: type[Any]) -> None:
    decoder = Decoder()
    assert decoder.feed(ONE) is None
    packet = decoder.feed(kind(b"xy"))
    assert packet == Packet(PacketType.EVENT, "/", ["a", b"xy"])
    assert type(packet.data[1]) is bytes


def test_what_is_awaited() -> None:
    decoder = Decoder()
    assert (decoder.awaiting, decoder.pending_bytes) == (0, 0)
    decoder.feed(TWO)
    assert (decoder.awaiting, decoder.pending_bytes) == (2, 0)
    decoder.feed(b"123")
    assert (decoder.awaiting, decoder.pending_bytes) == (1, 3)
    assert decoder.feed(b"4") is not None
    assert (decoder.awaiting, decoder.pending_bytes) == (0, 0)


def test_reset_drops_what_is_incomplete() -> None:
    decoder = Decoder()
    decoder.feed(TWO)
    decoder.feed(b"123")
    decoder.reset()
    assert (decoder.awaiting, decoder.pending_bytes) == (0, 0)
    assert decoder.feed('2["b"]') == Packet(PacketType.EVENT, "/", ["b"])
    with pytest.raises(DecodeError, match="got binary data when not reconstructing a packet"):
        decoder.feed(b"4")


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([TWO, b"123", '2["b"]'], "got plaintext data when reconstructing a packet"),
        (['51-["a",{"_placeholder":true,"num":7}]', b"1"], "illegal attachments"),
        ([TWO, b"123", b"4" * 8], "attachments too large"),
    ],
)
def test_after_an_error_nothing_is_held(chunks: list[str | bytes], message: str) -> None:
    decoder = Decoder(max_pending_bytes=10)
    *before, last = chunks
    for chunk in before:
        assert decoder.feed(chunk) is None
    with pytest.raises(DecodeError, match=f"^{message}$") as caught:
        decoder.feed(last)
    assert caught.value.offset == 0
    assert (decoder.awaiting, decoder.pending_bytes) == (0, 0)
    assert decoder.feed('2["b"]') is not None


def test_bound_of_pending_bytes() -> None:
    decoder = Decoder(max_pending_bytes=4)
    decoder.feed(TWO)
    decoder.feed(b"12")
    assert decoder.feed(b"34") == Packet(PacketType.EVENT, "/", ["a", b"12", b"34"])
    decoder.feed(ONE)
    with pytest.raises(DecodeError, match="attachments too large"):
        decoder.feed(b"12345")
    unbounded = Decoder(max_pending_bytes=None)
    unbounded.feed(ONE)
    assert unbounded.feed(bytes(20_000_000)) is not None


def test_bound_of_attachments() -> None:
    with pytest.raises(DecodeError, match="too many attachments"):
        Decoder(max_attachments=0).feed(ONE)
    unbounded = Decoder(max_attachments=None)
    assert unbounded.feed('51000-["a"]') is None
    assert unbounded.awaiting == 1000
    with pytest.raises(DecodeError, match="too many attachments"):
        Decoder(max_attachments=None).feed("5" + "9" * 17 + '-["a"]')


@codecs
def test_bound_of_depth(codec: JsonCodec) -> None:
    def lists(depth: int) -> str:
        return "[" * depth + "]" * depth

    assert Decoder(json=codec).feed(f'2["a",{lists(127)}]') is not None
    for head in ("2", "2/x,", "21"):
        with pytest.raises(DecodeError, match="invalid payload"):
            Decoder(json=codec).feed(f'{head}["a",{lists(128)}]')
    assert Decoder(json=codec, max_depth=2).feed('2["a",[1]]') is not None
    with pytest.raises(DecodeError, match="invalid payload"):
        Decoder(json=codec, max_depth=2).feed('2["a",[[]]]')


@codecs
@pytest.mark.parametrize("head", ["2", "2/x,"])
def test_a_depth_that_the_json_library_does_not_reach(codec: JsonCodec, head: str) -> None:
    with pytest.raises(DecodeError, match="invalid payload"):
        Decoder(json=codec, max_depth=10**6).feed(head + '["a",' + "[" * 200_000 + "]" * 200_000 + "]")


@pytest.mark.parametrize(
    "chunk",
    ["5" + "1" * 2_000_000, "5" + "9" * 2_000_000 + "-", "2" + "9" * 2_000_000, "2" + "0" * 2_000_000,
     "51-" + "9" * 2_000_000, '2["a",' + "9" * 2_000_000 + "]", '2["a",' + "[" * 2_000_000, '2["' + "\\" * 2_000_001],
)  # fmt: skip
def test_long_runs_are_refused_in_linear_time(chunk: str) -> None:
    with pytest.raises(DecodeError):
        Decoder().feed(chunk)  # CVE-2020-36049: quadratic time would be hours


@codecs
def test_lone_surrogates_survive(codec: JsonCodec) -> None:
    for chunk in ('2["a","\\ud800"]', '2["a","\ud800"]'):
        assert Decoder(json=codec).feed(chunk) == Packet(PacketType.EVENT, "/", ["a", "\ud800"])


@codecs
def test_event_that_is_not_the_commonest(codec: JsonCodec) -> None:
    assert Decoder(json=codec).feed("2[1.5,true]") == Packet(PacketType.EVENT, "/", [1.5, True])
    long = "x" * 1000
    assert Decoder(json=codec).feed(f'2["a","{long}"]') == Packet(PacketType.EVENT, "/", ["a", long])


@pytest.mark.parametrize("name", sorted(RESERVED_EVENTS))
@pytest.mark.parametrize("head", ["2", "21", "2/x,", "51-"])
def test_reserved_names_never_get_through(name: str, head: str) -> None:
    for spelling in (name, name.replace("n", "\\u006e", 1)):
        with pytest.raises(DecodeError, match="invalid payload"):
            Decoder().feed(f'{head}["{spelling}"]')


def test_placeholders_are_replaced_everywhere_and_once() -> None:
    decoder = Decoder()
    place = '{"_placeholder":true,"num":%d}'
    decoder.feed(f'62-1[{place % 0},{{"a":[{{"b":{place % 1}}},{place % 0}]}},[[]],"x",{{}}]')
    decoder.feed(b"A")
    # An attachment is data: what is in it is not searched again.
    assert decoder.feed(b'{"_placeholder":true}') == Packet(
        PacketType.ACK, "/", [b"A", {"a": [{"b": b'{"_placeholder":true}'}, b"A"]}, [[]], "x", {}], 1
    )


@pytest.mark.parametrize("number", ["true", "null", '"0"', "-1", "1", "0.0", "0.5", "1e0", "[0]", "{}", "1e300"])
def test_placeholder_numbers_are_indices(number: str) -> None:
    decoder = Decoder()
    decoder.feed(f'51-["a",{{"_placeholder":true,"num":{number}}}]')
    with pytest.raises(DecodeError, match=r"^illegal attachments$"):
        decoder.feed(b"1")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"json": "orjson"}, TypeError, "json must have dumps(value) and loads(text), got 'orjson'"),
        ({"max_attachments": 1.5}, TypeError, "max_attachments must be an int or None, got 1.5"),
        ({"max_pending_bytes": -1}, ValueError, "max_pending_bytes must be at least 0, got -1"),
        ({"max_depth": False}, TypeError, "max_depth must be an int or None, got False"),
    ],
)
def test_options(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        Decoder(**options)


# --- properties ---


def survives(text: str) -> bool:
    """Whether JSON brings this text back: two lone surrogates that fit are one character afterwards."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") == text


texts = st.text(st.characters(exclude_categories=()), max_size=8).filter(survives)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.binary(max_size=5)
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3), max_leaves=10
)
names = texts.filter(lambda name: name not in RESERVED_EVENTS) | st.integers(-(2**53), 2**53)
namespaces = st.just("/") | st.text(st.characters(exclude_characters=",", exclude_categories=["Cs"])).map("/".__add__)
ids = st.none() | st.integers(0, 2**53 - 1)
plain_dicts = st.dictionaries(texts, leaves.filter(lambda leaf: not isinstance(leaf, bytes)), max_size=3)
packets = st.one_of(
    st.builds(Packet, st.just(PacketType.EVENT), namespaces, st.tuples(names, st.lists(values, max_size=4)).map(
        lambda parts: [parts[0], *parts[1]]), ids),
    st.builds(Packet, st.just(PacketType.ACK), namespaces, st.lists(values, max_size=4), ids),
    st.builds(Packet, st.just(PacketType.CONNECT), namespaces, st.none() | plain_dicts),
    st.builds(Packet, st.just(PacketType.DISCONNECT), namespaces),
    st.builds(Packet, st.just(PacketType.CONNECT_ERROR), namespaces, st.none() | texts | plain_dicts),
)  # fmt: skip


@settings(deadline=None)
@given(packets, st.sampled_from(CODECS[:2]), st.sampled_from(CODECS[:2]))
@example(Packet(PacketType.EVENT, "/", ["a", b"", "\ud800", {"": [b"1", 1e-7]}], 0), CODECS[1], CODECS[0])
def test_round_trip(packet: Packet, write: JsonCodec, read: JsonCodec) -> None:
    decoder = Decoder(json=read, max_attachments=None)
    *parts, last = Encoder(json=write, max_attachments=None).encode(packet)
    assert all(decoder.feed(part) is None for part in parts)
    assert decoder.feed(last) == packet
    assert decoder.awaiting == 0


pieces = st.sampled_from(
    [*'0123456789-/,[]{}":. \t\\²٣', "true", "null", '"a"', '["a"]', '["connect"]', '{"_placeholder":true,"num":0}',
     "51-", "2[", '",', "\ud800", "\ufeff", "\x00", "9" * 20, "[" * 150, "1e999"]
)  # fmt: skip
chunks = st.lists(pieces, max_size=8).map("".join) | st.text(max_size=10) | st.binary(max_size=4) | st.just(ONE)


@settings(deadline=None)
@given(st.lists(chunks, max_size=6), st.sampled_from(CODECS))
def test_nothing_but_decode_errors(stream: list[str | bytes], codec: JsonCodec) -> None:
    decoder = Decoder(json=codec)
    for chunk in stream:
        try:
            packet = decoder.feed(chunk)
        except DecodeError as error:
            assert decoder.awaiting == 0
            assert decoder.pending_bytes == 0
            assert 0 <= error.offset <= len(chunk)
        else:
            assert (packet is None) == (decoder.awaiting > 0)
            if packet is not None:
                assert packet.type <= PacketType.CONNECT_ERROR
                assert packet.namespace.startswith("/")


@settings(deadline=None)
@given(st.lists(chunks, max_size=6))
def test_every_codec_decodes_the_same(stream: list[str | bytes]) -> None:
    def results(codec: JsonCodec) -> list[str]:
        decoder = Decoder(json=codec)
        found = []
        for chunk in stream:
            try:
                found.append(repr(decoder.feed(chunk)))
            except DecodeError as error:
                found.append(str(error))
        return found

    assert results(CODECS[0]) == results(CODECS[1])


heads = st.sampled_from(
    ["", "0", "7", "1" * 14, "1" * 15, str(2**53 - 1), str(2**53), "1" * 17, "²", "٣", " 1", "-1", "1-"]
)
payloads = st.sampled_from(
    ["[]", '["a"]', "[1]", '["connect"]', '["a",["b"]]', '["a",1e999]', '["a","\\ud800"]', "[tru]", "[" * 129,
     "[" * 100 + "]" * 100, '["' + "a" * 200 + '"]', "[[]]", "[null]", "[true]", '["a"]]', "{}", " []", '"a"', ""]
)  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from("23"), heads, payloads, st.sampled_from(CODECS))
def test_the_main_namespace_takes_no_other_way(first: str, head: str, payload: str, codec: JsonCodec) -> None:
    """What has no namespace is mostly read by a short way, what names one never."""

    def result(address: str) -> tuple[Any, ...]:
        try:
            packet = Decoder(json=codec).feed(first + address + head + payload)
        except DecodeError as error:
            return str(error), error.offset - len(address)
        assert packet is not None
        return packet.type, packet.data, packet.id

    assert result("") == result("/ab,")
