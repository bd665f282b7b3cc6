"""The pictures of the lifecycles are drawn from the tables, and fresh."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def script() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "diagrams.py"))


def test_fresh(script: dict[str, Any]) -> None:
    assert (DOCS / "lifecycle.md").read_text(encoding="utf-8") == script["page"](), (
        "run python docs/diagrams.py"
    )
    assert script["main"](["--check"]) == 0


def test_every_pair_is_drawn(script: dict[str, Any]) -> None:
    for _, _, first, table in script["SECTIONS"]:
        lines = script["diagram"](first, table).splitlines()
        for (state, input_), after in table.items():
            assert f"    {state.value} --> {after.value}: {input_.value}" in lines
        assert f"    [*] --> {first.value}" in lines


def test_stale(script: dict[str, Any], tmp_path: Path) -> None:
    page = tmp_path / "lifecycle.md"
    script["main"].__globals__["PAGE"] = page
    assert script["main"](["--check"]) == 1
    assert script["main"]([]) == 0
    assert script["main"](["--check"]) == 0
    page.write_text(page.read_text() + "x")
    assert script["main"](["--check"]) == 1
    assert script["main"](["--what"]) == 2
