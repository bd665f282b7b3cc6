"""What a package offers: a literal, complete `__all__`, types, a README; every binding the same names."""

from __future__ import annotations

import importlib
import tomllib

import pytest

from tests.architecture.rules import BINDINGS, FOLDERS, ROOT, RULES, source
from tests.architecture.syntax import literal_all, public_names


def _init(package: str) -> str:
    return (source(package) / "__init__.py").read_text()


def _all(package: str) -> list[str]:
    names = literal_all(_init(package))
    assert names is not None, f"{package}.__all__ is not one literal list of strings"
    return names


@pytest.mark.parametrize("package", RULES)
def test_all_is_literal_and_complete(package: str) -> None:
    names = _all(package)
    assert len(names) == len(set(names)), "a name twice"
    assert set(names) == public_names(_init(package))


@pytest.mark.parametrize("package", RULES)
def test_every_exported_name_is_there(package: str) -> None:
    module = importlib.import_module(package)
    assert [name for name in _all(package) if not hasattr(module, name)] == []


def test_bindings_have_the_same_names() -> None:
    first, *others = BINDINGS
    for other in others:
        assert set(_all(first)) == set(_all(other))


@pytest.mark.parametrize("name", ["Server", "EngineServer"])
@pytest.mark.parametrize("package", BINDINGS)
def test_bindings_add_no_word_of_their_own(package: str, name: str) -> None:
    """A server's vocabulary is that of `socketio_proto`; a binding only says on which runtime."""
    binding = getattr(importlib.import_module(package), name)
    assert binding.__bases__ == (getattr(importlib.import_module("socketio_proto"), name),)
    assert {word for word in vars(binding) if not word.startswith("_")} == set()


@pytest.mark.parametrize("package", RULES)
def test_typed_and_described(package: str) -> None:
    folder = FOLDERS[package]
    assert (source(package) / "py.typed").is_file()
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["readme"] == "README.md"
    assert project["license"] == "MIT"
    assert project["requires-python"] == ">=3.11"
    readme = (folder / "README.md").read_text()
    assert readme.startswith(f"# {project['name']}\n"), "its title is the package's name"
    assert len(readme.splitlines()) > 5, "a title alone tells nobody anything"


@pytest.mark.parametrize("package", RULES)
def test_part_of_the_workspace(package: str) -> None:
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())
    name = package.replace("_", "-")
    assert name in root["project"]["dependencies"]
    assert root["tool"]["uv"]["sources"][name] == {"workspace": True}
    assert package in root["tool"]["importlinter"]["root_packages"]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "__all__ = ['a'] + ['b']",
        "__all__ = ['a', b]",
        "__all__ = ['a']\n__all__ += ['b']",
        "__all__ = [*x.__all__]",
        "__all__ = ('a',)",
    ],
)
def test_literal_check_can_fail(code: str) -> None:
    assert literal_all(code) is None


def test_literal_and_public_names() -> None:
    code = (
        "from __future__ import annotations\nfrom ._x import A, B as C\n_d = 1\nE: int = 2\n__all__ = ['A']\n"
    )
    assert literal_all(code) == ["A"]
    assert public_names(code) == {"A", "C", "E"}
