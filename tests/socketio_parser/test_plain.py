from __future__ import annotations

import copy
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any, NamedTuple

import pytest
from socketio_parser import EncodeError
from socketio_parser._plain import DEEPEST, convert, plain


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Word(StrEnum):
    A = "a"


class Number(float):
    pass


class Pair(NamedTuple):
    a: int
    b: int


@dataclass
class Record:
    a: int


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2**1000, 2**1000),
        (1.5, 1.5),
        (float("nan"), None),
        (float("-inf"), None),
        ("\ud800", "\ud800"),
        ((1, (2,)), [1, [2]]),
        (Pair(1, 2), [1, 2]),
        (OrderedDict(a=1), {"a": 1}),
        (Colour.RED, "red"),
        (Level.LOW, 1),
        ({Word.A: Word.A}, {"a": "a"}),
        (Number(1.5), 1.5),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (datetime(2026, 1, 2, 3, 4, 5, 678999, UTC), "2026-01-02T03:04:05.678Z"),
        (datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T22:00:00.000Z"),
    ],
)
def test_values(value: Any, expected: Any) -> None:
    before = copy.deepcopy(value)
    got = plain([value])
    assert got == [expected]
    assert type(got[0]) is type(expected) or isinstance(value, (Enum, Number))
    assert repr(value) == repr(before)


def circular_list() -> Any:
    value: list[Any] = [1]
    value.append({"me": value})
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, "cannot encode set at data"),
        ([0, {"tags": {1}}], "cannot encode set at data[1]['tags']"),
        ([b"x"], "cannot encode bytes at data[0]"),
        ([{"a": [Decimal(1)]}], "cannot encode Decimal at data[0]['a'][0]"),
        (Record(1), "cannot encode Record at data"),
        (date(2026, 1, 1), "cannot encode date at data"),
        (
            [datetime(2026, 1, 1)],  # noqa: DTZ001
            "cannot encode a datetime without a time zone (the peer would not know which) at data[0]",
        ),
        ([{"a": {1: 2}}], "cannot encode the key 1: keys must be str, at data[0]['a']"),
        ({None: 1}, "cannot encode the key None: keys must be str, at data"),
        ([10**400], "cannot encode an int that is too large for a double at data[0]"),
        ([-(10**5000)], "cannot encode an int that is too large for a double at data[0]"),
        (circular_list(), "cannot encode circular data at data[1]['me']"),
    ],
)
def test_refusals_name_the_type_and_the_path(value: Any, message: str) -> None:
    with pytest.raises(EncodeError) as caught:
        plain(value)
    assert str(caught.value) == message
    assert message.endswith(caught.value.path)


def test_the_same_container_twice_is_not_circular() -> None:
    shared = [1]
    assert plain([shared, {"a": shared}, shared]) == [[1], {"a": [1]}, [1]]


def test_the_deepest() -> None:
    assert plain(nested(DEEPEST)) == nested(DEEPEST)
    with pytest.raises(EncodeError, match="too deeply nested at data") as caught:
        plain(nested(DEEPEST + 1))
    assert caught.value.path == "data" + "[0]" * DEEPEST


def test_deep_in_the_callers_own_stack() -> None:
    def down(then: Callable[[], object]) -> object:
        try:
            return down(then)
        except RecursionError:
            return then()

    def encode() -> str:
        with pytest.raises(EncodeError) as caught:
            plain(nested(DEEPEST))
        return str(caught.value)

    # At the bottom of the stack even the test's own machinery has no room, so some frames further up.
    message = None
    while message is None:
        try:
            message = down(encode)
        except RecursionError:
            continue
    assert message == "too deeply nested at data"


def test_what_default_returns_is_walked_too() -> None:
    def default(value: Any) -> Any:
        return {"set": sorted(value)} if isinstance(value, set) else convert(value)

    assert plain([{2, 1}, (datetime(1970, 1, 1, tzinfo=UTC),)], default) == [
        {"set": [1, 2]},
        ["1970-01-01T00:00:00.000Z"],
    ]


def test_default_that_fails_is_the_cause() -> None:
    def default(value: Any) -> Any:
        raise ValueError("released")

    with pytest.raises(EncodeError, match=r"released at data\[0\]") as caught:
        plain([b"x"], default)
    assert isinstance(caught.value.__cause__, ValueError)
