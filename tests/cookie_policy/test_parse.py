"""`parse`: any text gives a dict, in linear time."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest
from cookie_policy import encode_uri_component, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A busy machine is no failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("", {}),
        ("=", {}),
        ("a", {}),
        ("a=", {"a": ""}),
        ("=b", {"": "b"}),
        ("a=b; c=d", {"a": "b", "c": "d"}),
        ("a=1; a=2", {"a": "1"}),
        ("no pair; a=b;", {"a": "b"}),
        ("\t a \t= b c \t;", {"a": "b c"}),
        ("a=\u00a0b\n", {"a": "\u00a0b\n"}),
        ("a=b=c", {"a": "b=c"}),
        ('a="b c"; d="; e=""', {"a": "b c", "d": "", "e": ""}),
        ('a="b', {"a": '"b'}),
        ("a=%41%zz; b=%41", {"a": "%41%zz", "b": "A"}),
        ("__proto__=x; constructor=y", {"__proto__": "x", "constructor": "y"}),
    ],
)
def test_parse(header: str, cookies: dict[str, str]) -> None:
    assert parse(header) == cookies


@pytest.mark.parametrize("header", [None, b"a=b", 1, ["a=b"]])
def test_wrong_type(header: Any) -> None:
    with pytest.raises(TypeError, match=r"^argument header must be a string; got "):
        parse(header)


def test_decode() -> None:
    seen: list[str] = []

    def decode(text: str) -> str:
        seen.append(text)
        if text == "b":
            raise LookupError(text)
        return text.upper()

    assert parse('a="x%41"; b=b; a=y', decode=decode) == {"a": "X%41", "b": "b"}
    assert seen == ["x%41", "b"]  # once per cookie that counts


def test_exits_are_not_swallowed() -> None:
    def leave(text: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parse("a=b", decode=leave)


@UNTIMED
@given(st.text(st.sampled_from('a=; \t"%é\r\n\0') | st.characters()))
def test_any_text_gives_a_dict(header: str) -> None:
    for name, value in parse(header).items():
        assert ";" not in name
        assert "=" not in name
        assert name == name.strip(" \t")
        assert name in header
        assert value in header or "%" in header


NAMES = st.text(st.sampled_from("abcXYZ09!#$%&'*+-.^_`|~"), min_size=1)


@UNTIMED
@given(st.dictionaries(NAMES, st.text(st.characters(exclude_categories=["Cs"]))))
def test_what_a_client_sends_back(cookies: dict[str, str]) -> None:
    header = "; ".join(f"{name}={encode_uri_component(value)}" for name, value in cookies.items())
    assert parse(header) == cookies


@pytest.mark.parametrize("part", [";", "=", "a=b;", ";=", '"', "%", "a=%;", " ", " ;", "=%41"])
def test_work_grows_with_length_only(part: str) -> None:
    def lines(header: str) -> int:
        count = 0

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal count
            count += 1
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            parse(header)
        finally:
            sys.settrace(before)
        return count

    assert lines(part * 4000) <= 2 * lines(part * 2000) + 50
