"""Files hold one idea and have a name that says which; engineio-proto can be read in half an hour."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.rules import (
    FOLDERS,
    FORBIDDEN_NAMES,
    LONGEST_FILE,
    LONGEST_PACKAGE,
    RULES,
    modules,
)


def _lines(path: Path) -> int:
    return len(path.read_bytes().splitlines())


def _too_long(paths: Iterable[Path]) -> list[str]:
    return [f"{path}: {_lines(path)} lines" for path in paths if _lines(path) > LONGEST_FILE]


def _badly_named(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths if path.stem.strip("_") in FORBIDDEN_NAMES]


def test_no_file_is_too_long() -> None:
    assert _too_long(path for folder in FOLDERS.values() for path in sorted(folder.glob("**/*.py"))) == []


@pytest.mark.parametrize("package", LONGEST_PACKAGE)
def test_package_fits_its_budget(package: str) -> None:
    assert sum(_lines(path) for path in modules(package)) <= LONGEST_PACKAGE[package]


@pytest.mark.parametrize("package", RULES)
def test_names_say_something(package: str) -> None:
    assert _badly_named(modules(package)) == []


def test_checks_can_fail(tmp_path: Path) -> None:
    long, short = tmp_path / "_utils.py", tmp_path / "_rooms.py"
    long.write_text("x = 1\n" * (LONGEST_FILE + 1))
    short.write_text("x = 1\n" * LONGEST_FILE)
    assert _too_long([long, short]) == [f"{long}: {LONGEST_FILE + 1} lines"]
    assert _badly_named([long, short]) == [str(long)]
