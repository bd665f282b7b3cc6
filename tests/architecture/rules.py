"""Who may import what: the table of the architecture page, as data. The tests beside it use it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]

LONGEST_FILE = 400
"""Lines that a Python file of a package may have: one idea fits, two do not."""

LONGEST_PACKAGE = {"engineio_proto": 4_100}
"""Lines of a whole package, where it is meant to be read in one sitting. Of these, 600 are the user's decisions
(middlewares, `allow_request`, `generate_id`, the header hooks, and what a late or missing answer means); 350 are
the compression of polls and the options of that of WebSocket messages; 550 are protocol 3 and JSONP, in files that a
reader of protocol 4 may leave out."""


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


VALUES = _names("""
    __future__ abc array binascii bisect codecs collections collections.abc contextlib copy dataclasses
    difflib enum functools heapq inspect itertools math operator re string struct types typing
    unicodedata weakref
""")
"""Modules that compute and nothing else: every core package may use them."""

FORBIDDEN_CALLS = _names("open print input eval exec compile __import__ breakpoint")
"""Built-ins that do I/O, or hide an import from this table."""

FORBIDDEN_NAMES = frozenset({"utils", "util", "helpers", "base", "common", "misc"})
"""Names of modules that say nothing about what is in them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one package may import beside itself."""

    local: frozenset[str] = frozenset()
    "packages of this workspace; a test compares them with the dependencies that its pyproject.toml declares"
    third_party: frozenset[str] = frozenset()
    "top-level names from PyPI"
    stdlib: frozenset[str] | None = None
    "standard modules of a core package; None for a package that does I/O"
    forbidden: frozenset[str] = field(default_factory=frozenset)
    "standard modules that a package that does I/O leaves alone all the same"
    may_await: bool = False
    "whether `async def` may appear in a core package"

    @property
    def is_core(self) -> bool:
        return self.stdlib is not None


def _core(*stdlib: str, local: str = "", third_party: str = "", may_await: bool = False) -> Rule:
    return Rule(_names(local), _names(third_party), VALUES | set(stdlib), may_await=may_await)


_BELOW_BINDINGS = _names("""
    cors_policy cookie_policy socketio_parser engineio_proto engineio_wire socketio_proto
    socketio_client_files
""")

RULES: dict[str, Rule] = {
    # Awaits the user's origin callable and nothing else; warns whoever builds a policy that cannot work.
    "cors_policy": _core("warnings", may_await=True),
    # `datetime` formats an instant that it is given; the test for calls refuses `datetime.now()`.
    "cookie_policy": _core("datetime", "urllib.parse"),
    # orjson and msgpack are used when they are installed, and are no dependencies. A datetime in a packet is
    # written as JavaScript does.
    "socketio_parser": _core("datetime", "json", third_party="msgpack orjson"),
    # brotli is used when it is asked for, and is no dependency.
    "engineio_proto": _core(
        "base64",
        "json",
        "urllib.parse",
        "http",
        "zlib",
        local="cors_policy cookie_policy",
        third_party="brotli",
    ),
    # `email.utils` formats the instant of a Date header that it is given. httptools is used when it is asked for.
    "engineio_wire": _core(
        *("base64", "email.utils", "hashlib", "http", "zlib"),
        local="engineio_proto",
        third_party="h11 httptools wsproto",
    ),
    # `urllib.parse` reads the query in what an old client connects to; `datetime` writes `handshake.time`, an instant
    # that it is given.
    "socketio_proto": _core(
        *("datetime", "json", "urllib.parse"),
        local="engineio_proto socketio_parser cors_policy cookie_policy",
        may_await=True,
    ),
    "socketio_client_files": Rule(),
    "socketio_asyncio": Rule(_BELOW_BINDINGS, _names("uvloop")),
    "socketio_trio": Rule(_BELOW_BINDINGS, _names("trio"), forbidden=_names("asyncio")),
    # It judges any server, so it knows nothing of ours.
    "socketio_conformance": Rule(third_party=_names("brotli msgpack")),
}

BINDINGS = ("socketio_asyncio", "socketio_trio")


FOLDERS = {
    tomllib.loads(path.read_text())["project"]["name"].replace("-", "_"): path.parent
    for path in (*ROOT.glob("packages/*/pyproject.toml"), ROOT / "conformance" / "pyproject.toml")
}
"""Import package -> the folder of its project."""


def source(package: str) -> Path:
    """The folder of the import package `package`."""
    return FOLDERS[package] / "src" / package


def modules(package: str) -> list[Path]:
    return sorted(source(package).rglob("*.py"))
