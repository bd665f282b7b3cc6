from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from socketio_parser._depth import is_deeper


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


values = st.recursive(
    st.none() | st.text("[]{}\"\\\ud800é", max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('[}"\\', max_size=3), inner, max_size=3),
    max_leaves=20,
)


@settings(deadline=None)
@given(values, st.booleans())
def test_is_the_depth_of_the_value(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert [is_deeper(text, limit) for limit in range(1, 9)] == [depth(value) > limit for limit in range(1, 9)]


@pytest.mark.parametrize(
    ("text", "limit", "deeper"),
    [
        ("", 1, False),
        ("[[]]", 1, True),
        ("[[]]", 2, False),
        ("[{}]", 1, True),
        ("[],[],[]", 1, False),
        ('["[[[["]', 1, False),
        ('["\\"[[[["]', 1, False),
        ('["\\\\",[]]', 1, True),
        ('["[[[[', 1, False),  # a text that does not end: not JSON, and not deep
        ('["[[[[\\', 1, False),
        ("]]]][[[[", 1, False),  # not JSON either
    ],
)
def test_cases(text: str, limit: int, deeper: bool) -> None:
    assert is_deeper(text, limit) is deeper


@pytest.mark.parametrize("piece", ["[", "[]", '"', '\\"', '"[', "\\", '"\\', "{", '["a\\\\",'])
def test_any_repetition_is_judged_in_linear_time(piece: str) -> None:
    is_deeper("[" + piece * (400_000 // len(piece)), 100)  # quadratic time would be hours
