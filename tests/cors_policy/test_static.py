"""The other options: their headers, and the refusal of what no header can carry."""

from __future__ import annotations

import math
from typing import Any

import pytest
from cors_policy import CorsPolicy

PREFLIGHT = {"Origin": "https://a", "Access-Control-Request-Headers": "x-asked"}


def answer(**options: Any) -> dict[str, str]:
    return dict(CorsPolicy(**options).apply("OPTIONS", PREFLIGHT).headers)


@pytest.mark.parametrize(
    ("value", "header"),
    [("GET", "GET"), (["GET", "POST"], "GET,POST"), (("GET",), "GET"), ([], None), ("", None)],
)
def test_methods(value: Any, header: str | None) -> None:
    assert answer(methods=value).get("Access-Control-Allow-Methods") == header


@pytest.mark.parametrize(
    ("value", "header", "varies"),
    [
        (None, "x-asked", True),
        ("", "x-asked", True),
        ("X-A", "X-A", False),
        (["X-A", "X-B"], "X-A,X-B", False),
        ([], None, False),
    ],
)
def test_allowed_headers(value: Any, header: str | None, varies: bool) -> None:
    answered = answer(allowed_headers=value)
    assert answered.get("Access-Control-Allow-Headers") == header
    assert ("Vary" in answered) == varies


@pytest.mark.parametrize(
    ("value", "header"), [(None, None), ("", None), ([], None), (["A", "B"], "A,B"), ("A", "A")]
)
def test_exposed_headers(value: Any, header: str | None) -> None:
    assert answer(exposed_headers=value).get("Access-Control-Expose-Headers") == header
    actual = dict(CorsPolicy(exposed_headers=value).apply("GET", {}).headers)
    assert actual.get("Access-Control-Expose-Headers") == header


@pytest.mark.parametrize(
    ("value", "header"),
    [
        (None, None),
        ("", None),
        (0, "0"),
        (600, "600"),
        (-1, "-1"),
        (600.0, "600"),
        ("60", "60"),
        ("-1", "-1"),
    ],
)
def test_max_age(value: Any, header: str | None) -> None:
    assert answer(max_age=value).get("Access-Control-Max-Age") == header


@pytest.mark.parametrize("value", [1.5, math.nan, math.inf, "1.5", "1_0", " 1", "1\n", "a", "\u0661"])
def test_max_age_wrong_value(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^option 'max_age' must be a whole number of seconds, .*; got "):
        CorsPolicy(max_age=value)


@pytest.mark.parametrize("value", [True, b"1", [1]])
def test_max_age_wrong_type(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^option 'max_age' must be a whole number of seconds, .*; got "):
        CorsPolicy(max_age=value)


@pytest.mark.parametrize("option", ["credentials", "preflight_continue"])
@pytest.mark.parametrize("value", [1, 0, None, "true"])
def test_flags(option: str, value: Any) -> None:
    with pytest.raises(TypeError, match=rf"^option '{option}' must be True or False; got {value!r}$"):
        CorsPolicy(**{option: value})


@pytest.mark.parametrize("value", [200, 204, 599])
def test_status(value: int) -> None:
    assert CorsPolicy(options_success_status=value).apply("OPTIONS", PREFLIGHT).preflight == value


@pytest.mark.parametrize(
    ("value", "error"),
    [(199, ValueError), (600, ValueError), (True, TypeError), (204.0, TypeError), ("204", TypeError)],
)
def test_status_wrong(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^option 'options_success_status' must be an int from 200 to 599; got "):
        CorsPolicy(options_success_status=value)


@pytest.mark.parametrize("option", ["methods", "allowed_headers", "exposed_headers"])
@pytest.mark.parametrize("value", [1, True, b"GET", {"GET"}, ["GET", 1], [None], [["GET"]]])
def test_lists_wrong_type(option: str, value: Any) -> None:
    with pytest.raises(TypeError, match=rf"^option '{option}' must be a str or a list of str"):
        CorsPolicy(**{option: value})


def test_methods_cannot_be_none() -> None:
    with pytest.raises(TypeError, match=r"^option 'methods' must be a str or a list of str; got None$"):
        CorsPolicy(methods=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["methods", "allowed_headers", "exposed_headers"])
@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=y", ["a", "b\n"], ["\x00"], "\u20ac"])
def test_lists_wrong_value(option: str, value: Any) -> None:
    with pytest.raises(
        ValueError, match=rf"^option '{option}' is .*characters that no header value may have"
    ):
        CorsPolicy(**{option: value})


def test_lists_are_copied() -> None:
    methods = ["GET"]
    policy = CorsPolicy(methods=methods)
    methods.append("POST")
    assert policy.methods == ("GET",)
