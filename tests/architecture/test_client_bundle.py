"""The build of socketio-client-files: what a wheel and an sdist hold, and that a wrong archive is refused.

That the build can fetch is seen by every fresh checkout: without it, nothing here would find the files.
"""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from socketio_client_files import CLIENT_VERSION, client_files

from tests.architecture.rules import ROOT

PACKAGE = ROOT / "packages" / "socketio-client-files"
BUNDLE = "socketio_client_files/bundle/"
NAMES = {*client_files(), "LICENSE"}


@pytest.fixture
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", PACKAGE / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _build(target: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    run = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    (built,) = folder.iterdir()
    return built


def test_wheel(tmp_path: Path) -> None:
    with zipfile.ZipFile(_build("wheel", tmp_path)) as wheel:
        names = {name.removeprefix(BUNDLE) for name in wheel.namelist() if name.startswith(BUNDLE)}
        assert names == NAMES | {"INTEGRITY"}
        assert wheel.read(BUNDLE + "socket.io.js") == client_files()["socket.io.js"]


def test_sdist(tmp_path: Path) -> None:
    with tarfile.open(_build("sdist", tmp_path)) as sdist:
        inside = [name.partition("/src/" + BUNDLE)[2] for name in sdist.getnames()]
    assert {name for name in inside if name} == NAMES | {"INTEGRITY"}


def test_the_hook_and_the_module_agree(hook: ModuleType) -> None:
    assert hook.VERSION == CLIENT_VERSION
    assert set(hook.MEMBERS) == NAMES


def _archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def test_another_archive_is_refused(hook: ModuleType) -> None:
    with pytest.raises(RuntimeError, match=r"is not the pinned package.*Nothing was unpacked"):
        hook.verified(_archive({"package/LICENSE": b"x"}), hook.INTEGRITY)


def test_an_archive_without_a_file_is_refused(hook: ModuleType) -> None:
    with pytest.raises(RuntimeError, match=r"has no file package/client-dist/socket\.io\.js"):
        hook.unpack(_archive({"package/LICENSE": b"x"}))


def test_only_the_named_members_are_unpacked(hook: ModuleType, tmp_path: Path) -> None:
    members = {member: name.encode() for name, member in hook.MEMBERS.items()}
    contents = hook.unpack(_archive({**members, "../evil": b"x", "package/index.js": b"x"}))
    assert contents == {name: name.encode() for name in NAMES}
    hook.write(tmp_path / "bundle", contents)
    assert hook.is_complete(tmp_path / "bundle")
    assert {path.name for path in (tmp_path / "bundle").iterdir()} == NAMES | {"INTEGRITY"}
    (tmp_path / "bundle" / "LICENSE").unlink()
    assert not hook.is_complete(tmp_path / "bundle")


def test_npm_that_cannot_fetch_is_reported(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "npm_command", lambda: [sys.executable, "-c", "raise SystemExit('no network')"])
    with pytest.raises(RuntimeError, match=r"npm could not fetch socket\.io@1 \(status 1\)[\s\S]*no network"):
        hook.fetch("socket.io@1")
