"""The bundle as a server sees it: eight files, read when asked, and the licence."""

from __future__ import annotations

import json

import pytest
from socketio_client_files import CLIENT_VERSION, client_files, client_license

SCRIPTS = ["socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js"]


def test_names() -> None:
    bundle = client_files()
    assert sorted(bundle) == sorted([*SCRIPTS, *(f"{name}.map" for name in SCRIPTS)])
    assert len(bundle) == 8
    assert repr(bundle) == f"ClientBundle(version='{CLIENT_VERSION}')"


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_and_its_map(name: str) -> None:
    bundle = client_files()
    assert bundle[name].startswith(f"/*!\n * Socket.IO v{CLIENT_VERSION}\n".encode())
    assert f"//# sourceMappingURL={name}.map".encode() in bundle[name]
    assert json.loads(bundle[f"{name}.map"])["version"] == 3


@pytest.mark.parametrize("name", ["LICENSE", "../__init__.py", "", "socket.io.js.map.map"])
def test_no_other_name_is_a_file(name: str) -> None:
    bundle = client_files()
    assert name not in bundle
    assert bundle.get(name) is None
    with pytest.raises(KeyError):
        bundle[name]


def test_license() -> None:
    assert "Permission is hereby granted, free of charge" in client_license()
