"""Ids: twenty characters, twelve random bytes and a counter (reference 1.5)."""

from __future__ import annotations

import re

from engineio_proto import IdGenerator


def test_form() -> None:
    generate = IdGenerator(lambda size: b"\xff" * size)
    first, second = generate(), generate()
    assert (first, second) == ("_" * 16 + "AAAA", "_" * 16 + "AAAB")
    assert re.fullmatch("[A-Za-z0-9_-]{20}", first)


def test_url_safe() -> None:
    assert IdGenerator(lambda size: b"\xfb\xef\xbe" * 4)() == "-" * 16 + "AAAA"


def test_asks_for_twelve_bytes() -> None:
    asked: list[int] = []
    IdGenerator(lambda size: asked.append(size) or bytes(size))()
    assert asked == [12]


def test_counter_wraps() -> None:
    generate = IdGenerator(bytes)
    generate._count = 0xFFFFFF
    assert [generate()[-4:], generate()[-4:]] == ["____", "AAAA"]
