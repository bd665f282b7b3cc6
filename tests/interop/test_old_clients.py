"""The official JavaScript clients 2.5 and 3.1 against our server, over every way to connect.

Clients of 2.x speak Engine.IO 3 and Socket.IO 4, which `allow_eio3` lets in; those of 3.x speak what 4.x speaks.
The scenarios are in `js/old_clients.mjs`; in `rooms` a client of 4.8 takes part.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.target import Target, missing, play_scenario

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

SCRIPT = "old_clients.mjs"
TRANSPORTS = ("polling", "websocket", "polling,websocket")
SCENARIOS = ("messages", "acks", "namespaces", "refusal", "rooms", "reasons", "restart", "heartbeat")
OPTIONS: dict[str, dict[str, Any]] = {"heartbeat": {"pingInterval": 100, "pingTimeout": 2000}}


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    running = Target({"allowEIO3": True, **getattr(request, "param", {})})
    yield running
    assert running.stop().splitlines() == ["socketio: SIGTERM, closing"]


@pytest.mark.parametrize(
    ("scenario", "target"),
    [(name, OPTIONS.get(name, {})) for name in SCENARIOS],
    indirect=["target"],
    ids=SCENARIOS,
)
@pytest.mark.parametrize(
    ("version", "transports"),
    [*[("2", transports) for transports in TRANSPORTS], ("3", TRANSPORTS[-1])],  # 3 is on the wire what 4 is
)
def test_scenario(target: Target, scenario: str, transports: str, version: str) -> None:
    play_scenario(target, SCRIPT, scenario, transports, version)


@pytest.mark.parametrize("version", ["2", "3"])
def test_no_event_is_lost_or_reordered_by_an_upgrade(target: Target, version: str) -> None:
    play_scenario(target, SCRIPT, "upgrade", "polling,websocket", version)


@pytest.mark.parametrize("target", [{"allowEIO3": False}], indirect=True)
@pytest.mark.parametrize("transports", ["polling", "websocket"])
def test_a_client_of_2_is_refused_unless_allowed(target: Target, transports: str) -> None:
    play_scenario(target, SCRIPT, "refused", transports, "2")
    assert any('"Unsupported protocol version"' in line for line in target.log)
