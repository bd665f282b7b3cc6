"""Reads the bundle, a folder of package data beside this module.

The protocol packages may not read files, so a binding takes the bytes from here and gives them to its server
as data. Nothing is kept: a reader that wants a file twice keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final, final

CLIENT_VERSION: Final = "4.8.4"
"""The version of the npm packages `socket.io` and `socket.io-client` that the files are from."""

_SCRIPTS: Final = ("socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js")
_NAMES: Final = (*_SCRIPTS, *(f"{name}.map" for name in _SCRIPTS))


@final
class ClientBundle(Mapping[str, bytes]):
    """File name -> contents, read from disk at each access. Four scripts and the source map of each."""

    __slots__ = ()

    def __getitem__(self, name: str) -> bytes:
        # The names are a closed set, so a name can never be a path out of the bundle.
        if name not in _NAMES:
            raise KeyError(name)
        return _read(name)

    def __contains__(self, name: object) -> bool:
        return name in _NAMES

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)

    def __repr__(self) -> str:
        return f"ClientBundle(version={CLIENT_VERSION!r})"


def client_files() -> ClientBundle:
    """The files of the official client, by the names under which the reference server serves them.

    Source: `socket.io` `lib/index.ts`, `dotMapRegex` and `attachServe`.
    """
    return ClientBundle()


def client_license() -> str:
    """The licence text (MIT) that the client's files come with; whoever passes them on passes it on too."""
    return _read("LICENSE").decode("utf-8")


def _read(name: str) -> bytes:
    path = files("socketio_client_files") / "bundle" / name
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"the client's file {name} is not installed: it is fetched when socketio-client-files is built, "
            "so install the package (`pip install -e packages/socketio-client-files` in a checkout)"
        ) from None
