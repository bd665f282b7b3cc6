"""What cookie code once fell to: a row each, findable by its id."""

from __future__ import annotations

import io
import sys
from types import FrameType
from typing import Any

import pytest
from cookie_policy import parse, serialize

CONTROLS = [chr(code) for code in (*range(32), 127)]


@pytest.mark.parametrize(
    "hostile", ["; Domain=evil", "\r\nSet-Cookie: a=b", "\n", "\0", ";", ",", " ", "\u2028"]
)
@pytest.mark.parametrize("place", ["name", "path", "domain", "same_site", "priority", "value"])
def test_cve_2024_47764_nothing_gets_out_of_its_place(place: str, hostile: str) -> None:
    options: dict[str, Any] = {"name": "io", "encode": str}
    value = "abc" + hostile if place == "value" else "abc"
    if place != "value":
        options[place] = {"path": "/a", "domain": "a.example"}.get(place, "lax") + hostile
    if place == "path" and hostile in (",", " "):
        assert serialize(options.pop("name"), value, **options) == f"io=abc; Path=/a{hostile}"
        return
    with pytest.raises(ValueError, match="invalid"):
        serialize(options.pop("name"), value, **options)


@pytest.mark.parametrize("part", ['"', '\\"', "\\", '\\\\"', '"\\', "\\134", '"="', 'a="\\'])
def test_cve_2024_7592_and_2024_52804_quotes_are_read_once(part: str) -> None:
    """Python and tornado unquoted in quadratic time. Work is counted in lines, not seconds."""

    def lines(size: int) -> int:
        count = 0

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal count
            count += 1
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            parse('a="' + part * size + '"; b=c')
        finally:
            sys.settrace(before)
        return count

    assert lines(8000) <= lines(8) + 100
    assert parse('a="' + part * 100_000 + '"; b=c')["b"] == "c"


def test_cve_2025_69230_bad_cookies_are_silent(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiohttp logged each bad cookie, and a header holds thousands. Nothing is written anywhere, nothing is raised."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert parse("\0bad; \x7f; =; ;;; " * 1000 + "a=b")["a"] == "b"
    assert sys.stderr.getvalue() == "" and capfd.readouterr() == ("", "")  # type: ignore[attr-defined]


@pytest.mark.parametrize("control", CONTROLS)
def test_cve_2026_3644_no_control_character_is_written(control: str) -> None:
    assert not any(c in serialize("a", f"x{control}y") for c in CONTROLS)
    for options in ({"path": f"/{control}"}, {"domain": f"a{control}.example"}, {"same_site": control}):
        with pytest.raises(ValueError, match="invalid"):
            serialize("a", "b", **options)
    with pytest.raises(ValueError, match="argument name is invalid"):
        serialize(f"a{control}", "b")
    with pytest.raises(ValueError, match="argument val is invalid"):
        serialize("a", f"x{control}y", encode=str)
