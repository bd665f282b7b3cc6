"""Packets of both protocols' payloads, and what is no payload."""

from __future__ import annotations

import pytest
from socketio_conformance import Request, packets_of

PROTOCOL_4 = Request("GET", "/?EIO=4&transport=polling&sid=a", {})
PROTOCOL_3 = Request("GET", "/?EIO=3&transport=polling&sid=a", {})


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        ("4a", ["4a"]),
        ("4a\x1eb4AQI=\x1e4", ["4a", "b4AQI=", "4"]),
        ("", [""]),
        ("2:4a", ["2:4a"]),
        (b"\xff", ["<ff>"]),
    ],
)
def test_protocol_4(body: str | bytes, packets: list[str]) -> None:
    assert packets_of(PROTOCOL_4, body) == ("", packets)


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        ("2:4a", ["4a"]),
        ("2:4a10:b4AQIDBA==1:6", ["4a", "b4AQIDBA==", "6"]),
        ("3:4\U0001f6002:4a", ["4\U0001f600", "4a"]),  # lengths count UTF-16 code units
        ("", []),
        ("2:4a,rest", ["4a", ",rest"]),
        ("abc", ["abc"]),
        ("\x00\x02\xff4a".encode("latin-1"), ["4a"]),
        (b"\x00\x04\xff4\xe2\x82\xac\x01\x01\x00\xff\x04123456789", ["4\u20ac", "<04313233343536373839>"]),
        (b"\x00\x02\xff4a\x01\xff\x04", ["4a", "<01ff04>"]),
        (b"\x00a\xff4", ["<0061ff34>"]),
        (b"\x01\x01", ["<0101>"]),
    ],
)
def test_protocol_3(body: str | bytes, packets: list[str]) -> None:
    assert packets_of(PROTOCOL_3, body) == ("", packets)


def test_a_binary_payload_that_is_text() -> None:
    assert packets_of(PROTOCOL_3, "\x00\x02\x0f4a") == ("", ["<00020f3461>"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('___eio[0]("4a");', ("___eio[0]", ["4a"])),
        ('___eio[12]("4\\"\\u2028\\u001e4b");', ("___eio[12]", ['4"\u2028', "4b"])),
        ('___eio[]("4a");', ("___eio[]", ["4a"])),
        ('___eio[0]("4a"); alert(1)', ("", ['___eio[0]("4a"); alert(1)'])),
    ],
)
def test_a_call(body: str, expected: tuple[str, list[str]]) -> None:
    assert packets_of(PROTOCOL_4, body) == expected


def test_a_call_of_protocol_3() -> None:
    assert packets_of(PROTOCOL_3, '___eio[1]("2:4a1:6");') == ("___eio[1]", ["4a", "6"])
