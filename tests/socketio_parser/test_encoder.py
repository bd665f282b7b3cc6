"""What the encoder promises beside the recorded cases (test_traces.py): checks, copies, JSON of the user's own."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from socketio_parser import EncodeError, Encoder, JsonCodec, OrjsonJson, Packet, PacketType, StdlibJson
from socketio_parser._encoder import checked_bound

NAME = "an EVENT starts with its name, a str that is not reserved or a number, got"
codecs = pytest.mark.parametrize("codec", [StdlibJson(), OrjsonJson(), json], ids=["stdlib", "orjson", "module"])


def event(*data: Any) -> Packet:
    return Packet(PacketType.EVENT, "/", list(data))


def deep(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


@codecs
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_binary_becomes_bytes(codec: JsonCodec, kind: type[Any]) -> None:
    value = kind(b"\x01\x02")
    text, attachment = Encoder(json=codec).encode(event("a", value))
    assert isinstance(text, str)
    assert text.startswith("51-")
    assert json.loads(text[3:]) == ["a", {"_placeholder": True, "num": 0}]
    assert attachment == b"\x01\x02"
    assert type(attachment) is bytes


def test_what_is_mutable_is_copied() -> None:
    value = bytearray(b"ab")
    messages = Encoder().encode(event("a", value))
    value[0] = 0
    assert messages[1] == b"ab"


def test_memoryview_with_gaps_and_of_other_items() -> None:
    gaps = memoryview(b"abcdef")[::2]
    wide = memoryview(b"abcd").cast("H")
    assert Encoder().encode(event("a", gaps, wide))[1:] == (b"ace", b"abcd")


def test_a_released_memoryview_is_the_callers_mistake() -> None:
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(EncodeError, match=r"released memoryview object at data\[1\]"):
        Encoder().encode(event("a", view))


@codecs
def test_input_is_left_alone(codec: JsonCodec) -> None:
    data = ["a", {"b": b"1", "c": (b"2", [bytearray(b"3")])}, float("nan")]
    packet = Packet(PacketType.EVENT, "/x", data, 4)
    before = copy.deepcopy(data)
    messages = Encoder(json=codec).encode(packet)
    assert repr(packet.data) == repr(before)
    assert packet.data is data
    assert (packet.type, packet.namespace, packet.id) == (2, "/x", 4)
    assert messages[1:] == (b"1", b"2", b"3")


def test_tuples_are_lists() -> None:
    assert Encoder().encode(Packet(PacketType.EVENT, "/", ("a", (1,)))) == ('2["a",[1]]',)
    assert Encoder().encode(Packet(PacketType.ACK, "/", (), 1)) == ("31[]",)
    assert Encoder().encode(Packet(PacketType.ACK, "/", [])) == ("3[]",)


@codecs
def test_one_encoder_keeps_nothing_between_packets(codec: JsonCodec) -> None:
    encoder = Encoder(json=codec)
    plain = Encoder(json=codec).encode(event("b"))
    for bad in ([b"1", {1}], [b"1", b"2", {3: 4}], [b"x"] * 11, [b"1", {"_placeholder": True}], [b"1", deep(200)]):
        with pytest.raises(EncodeError):
            encoder.encode(event("a", *bad))
        assert encoder.encode(event("b")) == plain
        assert encoder.encode(event("a", b"9"))[1:] == (b"9",)
    with pytest.raises(EncodeError):
        encoder.encode(Packet(PacketType.EVENT, "x", ["a", b"1"]))
    assert encoder.encode(event("b")) == plain


@codecs
@pytest.mark.parametrize(
    ("packet", "message"),
    [
        (event(), NAME + " nothing"),
        (event(None), NAME + " None"),
        (event(float("nan")), NAME + " nan"),
        (event(b"a"), NAME + " b'a'"),
        (event("disconnect"), NAME + " 'disconnect'"),
        (Packet(2, "/", "abc"), "an EVENT's data is a list, got str"),
        (Packet(2), "an EVENT's data is a list, got NoneType"),
        (Packet(3), "an ACK's data is a list of arguments, got NoneType"),
        (Packet(0, "/", []), "a CONNECT's data is a dict or None, got list"),
        (Packet(1, "/", {}), "a DISCONNECT's data is None, got dict"),
        (Packet(4, "/", {1}), "cannot encode set at data"),
        (Packet(0, "/", {"a": {1}}), "cannot encode set at data['a']"),
        (Packet(2, "/", ["a", {"b": [{1}]}]), "cannot encode set at data[1]['b'][0]"),
        (Packet(2, "/", ["a", b"", {1}]), "cannot encode set at data[2]"),
        (Packet(2, "/", ["a", {1: 2}]), "cannot encode the key 1: keys must be str, at data[1]"),
        (Packet(2, "a", ["a"]), "a namespace starts with '/' and has no comma, got 'a'"),
        (Packet(2, "", ["a"]), "a namespace starts with '/' and has no comma, got ''"),
        (Packet(2, "/a,b", ["a"]), "a namespace starts with '/' and has no comma, got '/a,b'"),
        (Packet(0, None), "a namespace starts with '/' and has no comma, got None"),  # type: ignore[arg-type]
        (Packet(2, "/", ["a"], -1), "an id is an int from 0 to 9007199254740991, got -1"),
        (Packet(2, "/", ["a"], 2**53), "an id is an int from 0 to 9007199254740991, got 9007199254740992"),
        (Packet(2, "/", ["a"], True), "an id is an int from 0 to 9007199254740991, got True"),
        (Packet(2, "/", ["a"], "1"), "an id is an int from 0 to 9007199254740991, got '1'"),  # type: ignore[arg-type]
        (Packet(2, "/", ["a", deep(128)]), "data nested deeper than 128 at data"),
        (Packet(2, "/", ["a", b"", deep(128)]), "data nested deeper than 128 at data"),
        (Packet(0, "/", {"a": deep(128)}), "data nested deeper than 128 at data"),
        (
            Packet(5, "/", ["a"]),
            (
                "type 5: allowed are CONNECT, DISCONNECT, EVENT, ACK and CONNECT_ERROR"
                " (the encoder chooses the binary types itself)"
            ),
        ),
    ],
)  # fmt: skip
def test_refusals(codec: JsonCodec, packet: Packet, message: str) -> None:
    with pytest.raises(EncodeError) as caught:
        Encoder(json=codec).encode(packet)
    assert str(caught.value) == message


@codecs
def test_the_deepest(codec: JsonCodec) -> None:
    (text,) = Encoder(json=codec).encode(event("a", deep(127)))
    assert text.count("[") == 128  # type: ignore[arg-type]
    (text,) = Encoder(json=codec, max_depth=200).encode(event("a", deep(199)))
    assert text.count("[") == 200  # type: ignore[arg-type]


def test_number_of_attachments() -> None:
    assert len(Encoder().encode(event("a", *[b""] * 10))) == 11
    with pytest.raises(EncodeError, match="11 binary values in a packet: at most 10 may be"):
        Encoder().encode(event("a", *[b""] * 11))
    assert len(Encoder(max_attachments=None).encode(event("a", *[b""] * 50))) == 51
    with pytest.raises(EncodeError, match="1 binary values in a packet: at most 0 may be"):
        Encoder(max_attachments=0).encode(event("a", b""))


@codecs
def test_a_placeholder_that_the_caller_passes_on(codec: JsonCodec) -> None:
    # What came from one client must not close the connection of another.
    encoder = Encoder(json=codec)
    hostile = {"x": 1, "_placeholder": True, "num": 99}
    assert len(encoder.encode(event("a", hostile))) == 1
    with pytest.raises(EncodeError, match="'_placeholder': True cannot travel with binary data"):
        encoder.encode(event("a", {"b": [hostile]}, b"x"))
    harmless = ['{"_placeholder":true}', {',"_placeholder': True}, {"_placeholder": 1}, {"a_placeholder": True}]
    assert len(encoder.encode(event("a", *harmless, b"x"))) == 2


@codecs
def test_no_binary_in_control_packets(codec: JsonCodec) -> None:
    (text,) = Encoder(json=codec).encode(Packet(PacketType.CONNECT, "/", {"b": bytearray(b"\x01")}))
    assert json.loads(text[1:]) == {"b": {"type": "Buffer", "data": [1]}}


class Broken:
    def dumps(self, value: Any) -> str:
        raise RuntimeError("out of order")

    def loads(self, text: str) -> Any:
        return json.loads(text)


def test_a_codec_that_fails() -> None:
    for packet in (event("a"), Packet(0, "/", {})):
        with pytest.raises(EncodeError, match=r"Broken\.dumps failed: out of order at data"):
            Encoder(json=Broken()).encode(packet)


class Particular(Broken):
    def dumps(self, value: Any) -> str:
        raise EncodeError("not this one", "data[3]")


def test_a_codec_that_refuses_in_our_words() -> None:
    with pytest.raises(EncodeError, match=r"^not this one at data\[3\]$"):
        Encoder(json=Particular()).encode(event("a"))


class Loud(StdlibJson):
    def dumps(self, value: Any, /) -> str:
        return super().dumps(value).upper()


def test_a_subclass_of_ours_is_a_codec_of_the_users_own() -> None:
    assert Encoder(json=Loud()).encode(event("a")) == ('2["A"]',)


class Recording(Broken):
    def dumps(self, value: Any) -> str:
        self.value = value
        return json.dumps(value)


def test_a_codec_of_the_users_own_gets_plain_values_only() -> None:
    codec = Recording()
    Encoder(json=codec).encode(event("a", (float("nan"), b"x"), {"b": bytearray(b"y")}))
    assert codec.value == ["a", [None, {"_placeholder": True, "num": 0}], {"b": {"_placeholder": True, "num": 1}}]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"json": 1}, TypeError, "json must have dumps(value) and loads(text), got 1"),
        ({"max_attachments": "1"}, TypeError, "max_attachments must be an int or None, got '1'"),
        ({"max_attachments": True}, TypeError, "max_attachments must be an int or None, got True"),
        ({"max_attachments": -1}, ValueError, "max_attachments must be at least 0, got -1"),
        ({"max_depth": 0}, ValueError, "max_depth must be at least 1, got 0"),
        ({"max_depth": None}, TypeError, "max_depth must be an int, got None"),
    ],
)
def test_options(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        Encoder(**options)


def test_checked_bound() -> None:
    assert checked_bound("x", None, 0) is None
    assert checked_bound("x", 0, 0) == 0


@codecs
@pytest.mark.parametrize(
    ("data", "text"),
    [
        (5, "4/a,5"),
        (True, "4/a,true"),
        ([1, "x"], '4/a,[1,"x"]'),
        ("no", '4/a,"no"'),
        ({"b": b"\x01\x02"}, '4/a,{"b":{"type":"Buffer","data":[1,2]}}'),
    ],
)
def test_a_refusal_of_protocol_4_carries_any_value(codec: JsonCodec, data: Any, text: str) -> None:
    (encoded,) = Encoder(json=codec).encode(Packet(4, "/a", data))
    assert str(encoded).replace(" ", "") == text
