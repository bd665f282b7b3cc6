"""Replay of what the npm module `cookie` 0.7.2 did (conformance/recorder/cookie.mjs). No Node is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cookie_policy import CookieOptions, parse, serialize

TRACES = Path(__file__).parents[2] / "conformance" / "traces" / "cookie"


def load() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(TRACES.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield f"{path.stem}:{number}", json.loads(line)


LINES = dict(load())
PROVENANCE = {where: line for where, line in LINES.items() if where.endswith(":1")}
CASES = {where: line for where, line in LINES.items() if where not in PROVENANCE}


def fails(text: str) -> str:
    raise LookupError(text)


CODECS: dict[str | None, Callable[[str], str] | None] = {
    None: None,
    "identity": str,
    "quoted": lambda text: f'"{text}"',
    "upper": str.upper,
    "fails": fails,
}


def snake(option: str) -> str:
    return re.sub("[A-Z]", lambda match: "_" + match[0].lower(), option)


def revive(option: str, value: Any) -> Any:
    if option == "encode":
        return CODECS[value]
    if option == "expires":
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value["$date"])
    return value


def in_the_references_words(error: Exception) -> str:
    """Our message up to the offending value: that is the reference's."""
    if "lone surrogate" in str(error):
        return "URI malformed"
    subject, said, _ = str(error).partition(" is invalid: ")
    assert said
    return subject.replace("same_site", "sameSite").replace("max_age", "maxAge") + " is invalid"


def play(case: dict[str, Any]) -> dict[str, Any]:
    """Our answer in the form of the recording."""
    if "header" in case and "name" not in case:
        return {"cookies": sorted(map(list, parse(case["header"], decode=CODECS[case["decode"]]).items()))}
    options = {snake(key): revive(key, value) for key, value in (case["options"] or {}).items()}
    try:
        return {"header": serialize(case["name"], case["value"], **options)}
    except (ValueError, TypeError) as error:
        return {"error": in_the_references_words(error)}


def recorded(case: dict[str, Any]) -> dict[str, Any]:
    if "cookies" in case:
        return {"cookies": sorted(case["cookies"])}
    return {key: case[key] for key in ("header", "error") if key in case}


def compare(played: dict[str, Any], expected: dict[str, Any]) -> None:
    same = played == expected
    assert same, f"recorded was {expected}, played {played}"


@pytest.mark.parametrize("where", CASES)
def test_replay(where: str) -> None:
    compare(play(CASES[where]), recorded(CASES[where]))


def mutations(expected: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every way to spoil one detail of what was recorded."""
    match expected:
        case {"cookies": cookies}:
            yield {"cookies": [*cookies, ["more", ""]]}
            for i, (name, value) in enumerate(cookies):
                yield {"cookies": cookies[:i] + cookies[i + 1 :]}
                yield {"cookies": [*cookies[:i], [name + "x", value], *cookies[i + 1 :]]}
                yield {"cookies": [*cookies[:i], [name, value + "x"], *cookies[i + 1 :]]}
        case {"header": header}:
            yield {"error": "argument val is invalid"}
            parts = header.split("; ")
            yield {"header": "; ".join([*parts, "More"])}
            for i, part in enumerate(parts):
                yield {"header": "; ".join(parts[:i] + parts[i + 1 :])}
                yield {"header": "; ".join([*parts[:i], part + "x", *parts[i + 1 :]])}
            if len(parts) > 2:
                yield {"header": "; ".join([parts[0], *reversed(parts[1:])])}
        case {"error": error}:
            yield {"header": "n=v"}
            yield {"error": error + "!"}
        case _:
            raise AssertionError(expected)


@pytest.mark.parametrize("trace", sorted({where.split(":")[0] for where in CASES}))
def test_replay_fails_when_a_recorded_answer_is_changed(trace: str) -> None:
    for where, case in CASES.items():
        if where.startswith(trace + ":"):
            played = play(case)
            for expected in mutations(recorded(case)):
                with pytest.raises(AssertionError, match="recorded was"):
                    compare(played, expected)


def test_provenance() -> None:
    for line in PROVENANCE.values():
        assert (line["reference"], line["version"]) == ("cookie", "0.7.2")
        assert line["scenario"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", line["date"])
    assert len(CASES) >= 300


def test_every_option_is_recorded() -> None:
    used = {snake(key) for case in CASES.values() for key in case.get("options") or {}}
    assert used == {f.name for f in fields(CookieOptions) if f.init} - {"name"}
