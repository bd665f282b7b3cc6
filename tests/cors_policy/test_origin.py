"""The option `origin`: every form, what is refused, what is warned about."""

from __future__ import annotations

import re
import warnings
from functools import partial
from typing import Any

import pytest
from cors_policy import CorsPolicy, CorsWarning
from cors_policy._origin import compile_origin

A = "https://a.example"
B = "https://b.example"


@pytest.mark.parametrize(
    ("rule", "origin", "allowed"),
    [
        ("*", A, "*"),
        ("*", None, "*"),
        (A, B, A),
        (A, None, A),
        (True, A, A),
        (True, None, None),
        (True, "", None),
        (re.compile(r"a\.ex"), A, A),
        (re.compile(r"a\.ex"), B, None),
        (re.compile("^a"), A, None),
        ([A, B], B, B),
        ([A], B, None),
        ([], A, None),
        ((False, [None, (B, {A})]), A, A),
        ([[False], [True]], A, A),
        ([True, False], A, A),
        ([[True], A], B, B),
        (frozenset({A}), A, A),
    ],
)
def test_allow_origin(rule: object, origin: str | None, allowed: str | None) -> None:
    compiled = compile_origin(rule)
    assert compiled.enabled
    assert compiled.allow_origin(origin) == allowed


@pytest.mark.parametrize("rule", [False, None, ""])
def test_off(rule: object) -> None:
    assert not compile_origin(rule).enabled


@pytest.mark.parametrize(
    "rule", [1, 0, b"https://a", re.compile(b"a"), {"a": 1}, object(), ["x", 1], [[b"x"]]]
)
def test_wrong_type(rule: Any) -> None:
    with pytest.raises(TypeError, match=r"^option 'origin' must be True, False, a str, .*; got "):
        CorsPolicy(origin=rule)


@pytest.mark.parametrize("rule", ["https://a\r\nx: y", "a\n", "\x00", "\u0100"])
def test_no_header_value(rule: str) -> None:
    with pytest.raises(ValueError, match=r"^option 'origin' is .*characters that no header value may have"):
        CorsPolicy(origin=rule)


def test_a_list_is_copied() -> None:
    inner = [A]
    members = {A}
    policy = CorsPolicy(origin=[inner, members])  # type: ignore[list-item]
    inner.append(B)
    members.add(B)
    assert policy.origin == ((A,), frozenset({A}))
    assert not policy.allows_origin(B)


class Decider:
    def method(self, origin: str | None) -> bool:
        return origin == A

    def __call__(self, origin: str | None, other: int = 0) -> bool:
        return origin == A


@pytest.mark.parametrize(
    "decision",
    [
        lambda origin: True,
        Decider().method,
        Decider(),
        partial(lambda a, b: b, 1),
        lambda *a: True,
        bool,
        "x".__eq__,
        max,
    ],
)
def test_a_callable_that_takes_one_argument(decision: Any) -> None:
    assert CorsPolicy(origin=decision).origin_decision == decision


@pytest.mark.parametrize(
    "decision", [lambda: True, lambda a, b: True, lambda *, origin: True, Decider.method]
)
def test_a_callable_that_does_not(decision: Any) -> None:
    with pytest.raises(TypeError, match=r"must take one positional argument, the request's Origin or None"):
        CorsPolicy(origin=decision)


def test_any_origin_with_credentials_warns_and_is_emitted() -> None:
    with pytest.warns(CorsWarning, match=r"origin='\*' with credentials=True: browsers refuse") as caught:
        policy = CorsPolicy(credentials=True)
    assert caught[0].filename == __file__
    assert policy.apply("GET", {}).headers == (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Credentials", "true"),
    )


@pytest.mark.parametrize("listed", ["*", A + "/"])
def test_what_no_browser_sends_warns(listed: str) -> None:
    with pytest.warns(CorsWarning, match=re.escape(f"lists {listed!r}, which no browser sends")):
        CorsPolicy(origin=[A, [listed]])


def test_no_warning_without_cause() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CorsPolicy()
        CorsPolicy(origin=True, credentials=True)
        CorsPolicy(origin=[A, "null"], credentials=True)
        CorsPolicy(origin=A + "/")
