"""`docs/options.md` beside the code: every option is there with its default, and none is invented."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import pytest
import socketio_asyncio
import socketio_trio
from cookie_policy import CookieOptions
from cors_policy import CorsPolicy
from engineio_proto import EngineConfig, HttpCompression, PerMessageDeflate
from engineio_wire import WireConfig
from socketio_proto import RecoveryConfig, ServerConfig

from tests.architecture.rules import ROOT

PAGE = "docs/options.md"

REFERENCE = frozenset(
    re.findall(
        r"\w+",
        """
        path serveClient adapter parser connectTimeout connectionStateRecovery cleanupEmptyChildNamespaces
        pingTimeout pingInterval upgradeTimeout maxHttpBufferSize transports allowUpgrades httpCompression
        perMessageDeflate cors cookie allowEIO3 allowRequest wsEngine initialPacket addTrailingSlash
        destroyUpgrade destroyUpgradeTimeout
        """,
    )
)
"""What the reference documents: `ServerOptions` of socket.io 4.8 and engine.io 6.6, and `AttachOptions`."""


def _engine(**options: Any) -> EngineConfig:
    return EngineConfig.from_options(options)


def _cookie(**options: Any) -> CookieOptions | None:
    return EngineConfig.from_options({"cookie": options or True}).cookie


def _serve(**options: Any) -> dict[str, Any]:
    """What `serve` would be called with, of both bindings."""
    bound: list[dict[str, Any]] = []
    for function in (socketio_asyncio.serve, socketio_trio.serve):
        arguments = inspect.signature(function).bind(None, **options)
        arguments.apply_defaults()
        bound.append(dict(arguments.arguments))
    assert bound[0] == bound[1]
    return bound[0]


def _compression(**options: Any) -> HttpCompression:
    return HttpCompression(**options)


def _deflate(**options: Any) -> PerMessageDeflate | None:
    return PerMessageDeflate.from_option(options or True)


def _names(kind: Any) -> set[str]:
    return {field.name for field in fields(kind) if field.init}


# Heading of a table -> who takes these options, and their names.
TABLES: Mapping[str, tuple[Callable[..., Any], set[str]]] = {
    "Socket.IO": (ServerConfig, _names(ServerConfig)),
    "Engine.IO": (_engine, _names(EngineConfig)),
    "`connection_state_recovery`": (RecoveryConfig, _names(RecoveryConfig)),
    "`http_compression`": (_compression, _names(HttpCompression)),
    "`per_message_deflate`": (_deflate, _names(PerMessageDeflate)),
    "`cors`": (CorsPolicy, _names(CorsPolicy)),
    "`cookie`": (_cookie, _names(CookieOptions)),
    "`serve`": (_serve, set(inspect.signature(socketio_asyncio.serve).parameters) - {"io"}),
    "One TCP connection": (WireConfig, _names(WireConfig)),
}


def rows(page: str) -> dict[str, list[list[str]]]:
    """The cells of the table under each heading, without its head."""
    tables: dict[str, list[list[str]]] = {}
    heading = ""
    for line in page.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
        elif line.startswith("|"):
            tables.setdefault(heading, []).append([cell.strip() for cell in line.strip("|").split("|")])
    return {heading: table[2:] for heading, table in tables.items()}


DOCUMENTED = rows((ROOT / PAGE).read_text())


@pytest.mark.parametrize("heading", TABLES)
def test_every_option_is_there(heading: str) -> None:
    names = [row[0].strip("`") for row in DOCUMENTED[heading]]
    _, known = TABLES[heading]
    assert set(names) == known, f"{PAGE}, {heading}: it needs a row for each option, and no other"
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("heading", "name", "default"),
    [(heading, row[0].strip("`"), row[2]) for heading in TABLES for row in DOCUMENTED[heading]],
)
def test_default(heading: str, name: str, default: str) -> None:
    take, _ = TABLES[heading]
    value = ast.literal_eval(default.strip("`"))
    assert take(**{name: value}) == take(), f"{PAGE}, {heading}: {name}={value!r} is not the default"


@pytest.mark.parametrize("heading", TABLES)
def test_units(heading: str) -> None:
    # A float is a duration and an integer is not, wherever an option is a number and nothing else.
    for name, kind, default, *_ in DOCUMENTED[heading]:
        value = ast.literal_eval(default.strip("`"))
        if type(value) is float:
            assert kind == "seconds", name
        elif type(value) is int:
            assert kind.startswith("int"), name


def test_every_option_of_the_reference_is_there() -> None:
    cells = [row[3] for heading in ("Socket.IO", "Engine.IO") for row in DOCUMENTED[heading]]
    here = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    missing = {name for row in DOCUMENTED["Not here"] for name in re.findall(r"`(\w+)`", row[0])}
    assert here & missing == set()
    assert here | missing >= REFERENCE


def test_names_are_those_of_the_reference() -> None:
    for heading in (
        "Socket.IO",
        "Engine.IO",
        "`http_compression`",
        "`per_message_deflate`",
        "`cors`",
        "`cookie`",
    ):
        for name, _, _, node, *_ in DOCUMENTED[heading]:
            ours = name.strip("`").replace("_", "")
            theirs = re.match(r"`(?:engine\.)?(\w+)`", node)
            if theirs:
                assert theirs[1].lower() == ours, name


def test_every_bound_is_on_the_architecture_page() -> None:
    section = (ROOT / "docs/architecture.md").read_text().partition("\n## Bounds\n")[2].partition("\n## ")[0]
    names = _names(ServerConfig) | _names(EngineConfig) | _names(RecoveryConfig)
    bounds = {name for name in names if name.startswith("max_") or name.endswith("_timeout")}
    assert {name for name in bounds - {"ping_timeout"} if f"`{name}`" not in section} == set()
