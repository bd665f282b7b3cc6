"""JavaScript's percent-encoding."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from cookie_policy import decode_uri_component, encode_uri_component
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A busy machine is no failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("", ""),
        ("AZaz09-_.!~*'()", "AZaz09-_.!~*'()"),
        (";/?:@&=+$, #", "%3B%2F%3F%3A%40%26%3D%2B%24%2C%20%23"),
        ("\r\n\0", "%0D%0A%00"),
        ("é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80"),
        ("\ud83d\ude00", "%F0%9F%98%80"),
    ],
)
def test_encode(text: str, encoded: str) -> None:
    assert encode_uri_component(text) == encoded


@pytest.mark.parametrize("text", ["\ud800", "a\udc00", "\udc00\ud800", "\ud83d \ude00"])
def test_a_lone_surrogate_has_no_encoding(text: str) -> None:
    with pytest.raises(ValueError, match=r"^text with a lone surrogate cannot be percent-encoded: '"):
        encode_uri_component(text)


@pytest.mark.parametrize("value", [None, 1, b"a", ["a"]])
def test_encode_wrong_type(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^a cookie's value must be a str; got "):
        encode_uri_component(value)


@pytest.mark.parametrize(("text", "at"), [("%", 0), ("a%4", 1), ("%41%zz", 3), ("%%41", 0), ("%u0041", 0)])
def test_decode_broken_escape(text: str, at: int) -> None:
    with pytest.raises(ValueError, match=rf"^text has a broken percent escape at offset {at}: '"):
        decode_uri_component(text)


@pytest.mark.parametrize("text", ["%FF", "%C3", "%C3x", "%C3é", "%ED%A0%80", "%C0%80", "%F4%90%80%80"])
def test_decode_no_utf_8(text: str) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_uri_component(text)


@UNTIMED
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_round_trip(text: str) -> None:
    encoded = encode_uri_component(text)
    assert encoded.isascii()
    assert decode_uri_component(encoded) == text == unquote(encoded)


@UNTIMED
@given(st.text(st.sampled_from("%0aAfFcC3é") | st.characters()))
def test_decode_raises_value_error_or_decodes(text: str) -> None:
    try:
        decoded = decode_uri_component(text)
    except ValueError:
        assert "%" in text
    else:
        assert len(decoded) <= len(text)
