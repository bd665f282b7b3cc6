"""What is read from requests, what may be written, and how Vary grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from cors_policy import merge_vary, request_origin
from cors_policy._headers import is_field_value, requested_headers
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

# A busy machine is no failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("headers", "origin", "wanted"),
    [
        ({}, None, None),
        ({"Origin": "https://a"}, "https://a", None),
        ({"ORIGIN": "https://a", "access-control-REQUEST-headers": "x"}, "https://a", "x"),
        ([("origin", "https://a"), ("origin", "https://b")], "https://a, https://b", None),
        ([("Access-Control-Request-Headers", "x"), ("access-control-request-headers", "y")], None, "x, y"),
        ([("cookie", "x"), ("access-control-request-method-", "POST")], None, None),
        ([("origin", "")], "", None),
        ([("origin", "https://a\r\nx: y"), ("access-control-request-headers", "x\x00")], None, None),
        ([("origin", "https://é"), ("access-control-request-headers", "a\tb")], "https://é", "a\tb"),
        ([("origin", "https://\u0100"), ("access-control-request-headers", "\u2028")], None, None),
    ],
)
def test_requested_headers(
    headers: Mapping[str, str] | Iterable[tuple[str, str]], origin: str | None, wanted: str | None
) -> None:
    assert requested_headers(headers) == (origin, wanted)


def test_request_origin_is_as_sent() -> None:
    """Who decides about an origin sees what came, not what would be safe to repeat."""
    assert request_origin({"origin": "https://a\x01"}) == "https://a\x01"
    assert request_origin(iter([("host", "b"), ("Origin", "https://a")])) == "https://a"
    assert request_origin({}) is None


@UNTIMED
@given(st.text())
@example("\n")
@example("a\n")
@example("\x7f")
def test_field_value_is_rfc_9110(text: str) -> None:
    legal = all(c == "\t" or " " <= c <= "~" or "\x80" <= c <= "\xff" for c in text)
    assert is_field_value(text) == legal


@pytest.mark.parametrize(
    ("existing", "field", "merged"),
    [
        ("", "Origin", "Origin"),
        ("Origin", "Origin", "Origin"),
        ("origin", "Origin", "origin"),
        ("Accept", "Origin", "Accept, Origin"),
        ("Accept , ORIGIN", "Origin", "Accept , ORIGIN"),
        ("*", "Origin", "*"),
        ("Accept, *", "Origin", "*"),
        ("X-Origin", "Origin", "X-Origin, Origin"),
    ],
)
def test_merge_vary(existing: str, field: str, merged: str) -> None:
    assert merge_vary(existing, field) == merged


@UNTIMED
@given(st.text(alphabet="aOorigin*, -"))
def test_merging_twice_changes_nothing(existing: str) -> None:
    once = merge_vary(existing, "Origin")
    assert merge_vary(once, "Origin") == once
    assert merge_vary(once, "oRIGIN") == once
