"""Imports go downwards only, and a core package has no way to a clock, randomness, I/O, threads or logs."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.rules import FOLDERS, ROOT, RULES, Rule, modules
from tests.architecture.syntax import import_faults, imported_modules, purity_faults

CORES = [name for name, rule in RULES.items() if rule.is_core]


def _faults(package: str, check) -> list[str]:  # type: ignore[no-untyped-def]
    return [
        f"{path.relative_to(ROOT)} {fault}" for path in modules(package) for fault in check(path.read_text())
    ]


def test_every_package_has_a_rule() -> None:
    assert set(FOLDERS) == set(RULES)


@pytest.mark.parametrize("package", RULES)
def test_imports(package: str) -> None:
    assert _faults(package, lambda code: import_faults(code, package, RULES[package])) == []


@pytest.mark.parametrize("package", CORES)
def test_purity(package: str) -> None:
    may_await = RULES[package].may_await
    assert _faults(package, lambda code: purity_faults(code, may_await=may_await)) == []


@pytest.mark.parametrize("package", RULES)
def test_declared_dependencies(package: str) -> None:
    """What a package imports it also declares, or an installation from PyPI would break."""
    project = tomllib.loads((FOLDERS[package] / "pyproject.toml").read_text())["project"]
    declared = {_name(requirement) for requirement in project["dependencies"]}
    optional = {_name(item) for group in project.get("optional-dependencies", {}).values() for item in group}
    rule = RULES[package]
    assert declared <= rule.local | rule.third_party, "a dependency that the table does not know"
    used = {module for path in modules(package) for module in _used(path.read_text())}
    assert used & (rule.local | rule.third_party) <= declared | optional | {"orjson", "uvloop"}


def _name(requirement: str) -> str:
    return re.split(r"[ <>=!~;\[]", requirement, maxsplit=1)[0].replace("-", "_")


def _used(code: str) -> set[str]:
    return {module.partition(".")[0] for _, module in imported_modules(ast.parse(code))}


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter with the contracts of our pyproject.toml, over the packages found in `folder` first."""
    code = "import sys, importlinter.cli as c; sys.path.insert(0, sys.argv.pop()); c.lint_imports_command()"
    arguments = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", str(folder)]
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_direction(tmp_path: Path) -> None:
    run = _lint_imports(tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr


def test_direction_can_fail(tmp_path: Path) -> None:
    for package in RULES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    assert _lint_imports(tmp_path).returncode == 0
    (tmp_path / "engineio_wire" / "__init__.py").write_text("import socketio_proto\n")
    run = _lint_imports(tmp_path)
    assert run.returncode == 1
    assert "engineio_wire is not allowed to import socketio_proto" in run.stdout
    shutil.rmtree(tmp_path)


CORE = Rule(local=frozenset({"cors_policy"}), third_party=frozenset({"h11"}), stdlib=frozenset({"re"}))


@pytest.mark.parametrize(
    "code",
    [
        "import time",
        "from random import choice",
        "def f():\n    import logging",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import asyncio",
        "import wsproto",
        "import socketio_proto",
        "from cors_policy._policy import Policy",
        "import sample",
        "import re.nothing",
    ],
)
def test_import_check_can_fail(code: str) -> None:
    assert import_faults(code, "sample", CORE) != []


def test_import_check_can_pass() -> None:
    assert import_faults("import re, h11\nfrom cors_policy import x\nfrom . import _y", "sample", CORE) == []


@pytest.mark.parametrize(
    "code",
    [
        "print(1)",
        "def f():\n    return open('x')",
        "__import__('time')",
        "x = datetime.now()",
        "x = datetime.datetime.now(tz)",
        "x = date.today()",
        "async def f(): ...",
    ],
)
def test_purity_check_can_fail(code: str) -> None:
    assert len(purity_faults(code, may_await=False)) == 1


def test_purity_check_can_pass() -> None:
    assert purity_faults("self.open(now)\nx = datetime.fromtimestamp(t, UTC)", may_await=False) == []
    assert purity_faults("async def f(): ...", may_await=True) == []
