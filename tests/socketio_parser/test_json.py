"""Both codecs are one behaviour: what they write, what they read, what they refuse."""

from __future__ import annotations

import importlib.util
import json
import sys
from datetime import UTC, datetime
from enum import Enum, StrEnum
from types import ModuleType
from typing import Any, NamedTuple
from uuid import UUID

import pytest
import socketio_parser._json
from hypothesis import given, settings
from hypothesis import strategies as st
from socketio_parser import EncodeError, JsonCodec, OrjsonJson, StdlibJson, default_json

STDLIB, ORJSON = StdlibJson(), OrjsonJson()
both = pytest.mark.parametrize("codec", [STDLIB, ORJSON], ids=["stdlib", "orjson"])


class Colour(Enum):
    RED = "red"


class Word(StrEnum):
    A = "w"


class Pair(NamedTuple):
    a: int
    b: int


class Half(float): ...


class Text(str): ...


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@both
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["chat", "hi"], '["chat","hi"]'),
        ({"a": [1, {"b": None}], "c": (True, False)}, '{"a":[1,{"b":null}],"c":[true,false]}'),
        ([float("nan"), float("inf"), float("-inf")], "[null,null,null]"),
        ([1.0, -0.0, 1e15, 1e16, 1e21, 1.5e300], "[1.0,-0.0,1000000000000000.0,1e+16,1e+21,1.5e+300]"),
        ([1e-4, 1e-5, 1.5e-5, 1e-6, 1.25e-7, 1e-9, 1e-10], "[0.0001,0.00001,0.000015,1e-6,1.25e-7,1e-9,1e-10]"),
        (["1e-05", 'q"1e-07', 1e-07, "\\"], '["1e-05","q\\"1e-07",1e-7,"\\\\"]'),
        ([2**53 + 1, 2**63, 2**64 - 1, -(2**63)], f"[{2**53 + 1},{2**63},{2**64 - 1},{-(2**63)}]"),
        ([2**64, -(2**63) - 1, 10**300], f"[{2**64},{-(2**63) - 1},{10**300}]"),
        (["\ud800", {"\udfff": "日"}], '["\\ud800",{"\\udfff":"日"}]'),
        ("\x00\x1f\x7f\u2028é😀\"\\/\b\f\n\r\t", '"\\u0000\\u001f\x7f\u2028é😀\\"\\\\/\\b\\f\\n\\r\\t"'),
        ([Colour.RED, UUID(int=1)], '["red","00000000-0000-0000-0000-000000000001"]'),
        ([Pair(1, 2), Half(0.5), Half(1e-5), Text("a"), Word.A], '[[1,2],0.5,0.00001,"a","w"]'),
        ({Text("k"): 1, Word.A: 2}, '{"k":1,"w":2}'),
        ([datetime(2026, 1, 2, tzinfo=UTC)], '["2026-01-02T00:00:00.000Z"]'),
    ],
)
def test_dumps(codec: JsonCodec, value: Any, text: str) -> None:
    assert codec.dumps(value) == text


@both
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1: 2}, "cannot encode the key 1: keys must be str, at data"),
        ([{1}], "cannot encode set at data[0]"),
        ([b"x"], "cannot encode bytes at data[0]"),
        ([10**400], "cannot encode an int that is too large for a double at data[0]"),
    ],
)
def test_dumps_refuses(codec: JsonCodec, value: Any, message: str) -> None:
    with pytest.raises(EncodeError) as caught:
        codec.dumps(value)
    assert str(caught.value) == message


@both
def test_dumps_depth(codec: JsonCodec) -> None:
    assert codec.dumps(nested(254)) == "[" * 254 + "]" * 254
    with pytest.raises(EncodeError, match="too deeply nested"):
        codec.dumps(nested(255))


@both
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["a", 1, 1.5, 1e3, -0.0, true, null]', ["a", 1, 1.5, 1000.0, -0.0, True, None]),
        ("-0", 0),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("18446744073709551616", 2.0**64),
        ("-9223372036854775809", -(2.0**63)),
        ("590295810358705700000", 590295810358705700000.0),
        ("1" * 300, float("1" * 300)),
        ("1e-400", 0.0),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("1E+0000000000005", 100000.0),
        ('"\\ud800"', "\ud800"),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\ud800"', "\ud800"),
        ('{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
        (" [\t1\n,\r2 ] ", [1, 2]),
    ],
)
def test_loads(codec: JsonCodec, text: str, value: Any) -> None:
    assert repr(codec.loads(text)) == repr(value)


@both
@pytest.mark.parametrize(
    "text",
    ["", "NaN", "Infinity", "-Infinity", "[NaN]", "1e400", "-1e400", "1" * 400, "1" * 5000, "\ufeff[]", '"\t"', "01",
     "1.", ".5", "+1", "0x1", "1_0", "[1,]", '{"a":1,}', "{a:1}", "'a'", '"\\x"', '"\\u12"', "nul", "[]]", "[] []",
     "\u00a01", "[1 2]", "\x00", "/**/1", "[" * 100_000],
)  # fmt: skip
def test_loads_refuses_what_json_parse_refuses(codec: JsonCodec, text: str) -> None:
    with pytest.raises(ValueError):
        codec.loads(text)


texts = st.text(st.characters(exclude_categories=()), max_size=8)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | texts
    | st.sampled_from([b"x", {1}, Colour.RED, UUID(int=7), datetime(2000, 1, 1, tzinfo=UTC), 10**400, object])
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts | st.integers(0, 3), inner, max_size=3)
    ),
    max_leaves=12,
)


def written(codec: JsonCodec, value: Any) -> str:
    try:
        return codec.dumps(value)
    except EncodeError as error:
        return f"EncodeError: {error}"


@settings(deadline=None)
@given(values)
def test_both_write_the_same(value: Any) -> None:
    assert written(STDLIB, value) == written(ORJSON, value)


def read(codec: JsonCodec, text: str) -> str:
    try:
        return repr(codec.loads(text))
    except ValueError:
        return "ValueError"


pieces = st.sampled_from(
    [*'[]{}",:0123456789.eE+- \\tn', "true", "false", "null", "NaN", "Infinity", '"a"', "\\u", "d800", "\ud800",
     "\ufeff", "1234567890123456789", "e308", "e999", "é", "\x00", "\n", '\\"']
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(pieces, max_size=12).map("".join))
def test_both_read_the_same(text: str) -> None:
    assert read(STDLIB, text) == read(ORJSON, text)
    assert read(STDLIB, f"[{text}]") == read(ORJSON, f"[{text}]")


@settings(deadline=None)
@given(st.integers(), st.integers(-400, 400), st.sampled_from(["{0}", "{0}e{1}", "{0}.5e{1}", "{0}.{1}"]))
def test_both_read_numbers_the_same(number: int, exponent: int, spelling: str) -> None:
    text = spelling.format(number, exponent)
    assert read(STDLIB, text) == read(ORJSON, text)


@settings(deadline=None)
@given(values.filter(lambda value: not written(STDLIB, value).startswith("EncodeError")), st.data())
def test_both_read_damaged_json_the_same(value: Any, data: st.DataObject) -> None:
    text = STDLIB.dumps(value)
    at = data.draw(st.integers(0, len(text)))
    for damaged in (text, text[:at] + text[at + 1 :], text[:at] + data.draw(pieces) + text[at:], text[:at]):
        assert read(STDLIB, damaged) == read(ORJSON, damaged)


def test_quick() -> None:
    def never(value: Any) -> Any:
        raise AssertionError

    assert STDLIB.quick(["a", "b\ud800"], never) == '["a","b\\ud800"]'
    assert STDLIB.quick(["a", 1], never) is None
    assert STDLIB.quick(("a",), never) is None
    assert ORJSON.quick(["a", 1], never) == '["a",1]'
    assert ORJSON.quick(["a", "\ud800"], never) is None


def test_orjson_is_the_default_when_installed() -> None:
    assert isinstance(default_json(), OrjsonJson)
    assert isinstance(default_json(), JsonCodec)


@pytest.fixture
def without_orjson(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as it is where orjson is not installed."""
    monkeypatch.setitem(sys.modules, "orjson", None)
    spec = importlib.util.spec_from_file_location("socketio_parser._json_alone", socketio_parser._json.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_orjson(without_orjson: ModuleType) -> None:
    codec = without_orjson.default_json()
    assert type(codec).__name__ == "StdlibJson"
    assert codec.loads(codec.dumps(["a", 1])) == ["a", 1]
    with pytest.raises(ImportError, match="OrjsonJson needs the orjson package: pip install orjson"):
        without_orjson.OrjsonJson()


def test_the_json_module_itself_is_a_codec() -> None:
    assert isinstance(json, JsonCodec)
