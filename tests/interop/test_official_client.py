"""The official JavaScript client 4.8 in Node against our server: every scenario over every way to connect.

The scenarios are in `js/scenarios.mjs`; each is a process that asserts for itself. What a scenario cannot do (a
restart of the server) it asks for with a line that begins with `>`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.interop.target import Target, missing, play_scenario

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

TRANSPORTS = ("polling", "websocket", "polling,websocket")
SCENARIOS = (
    *("messages", "acks", "rooms", "refusal", "reasons", "reserved", "crowd"),
    *("dynamic", "management"),
)


@pytest.fixture
def target() -> Iterator[Target]:
    running = Target()
    yield running
    errors = running.stop()
    assert errors.splitlines() == ["socketio: SIGTERM, closing"]


def play(target: Target, scenario: str, transports: str, parser: str = "default") -> None:
    """Run one scenario to its end."""
    play_scenario(target, "scenarios.mjs", scenario, transports, parser)


@pytest.mark.parametrize("transports", TRANSPORTS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(target: Target, scenario: str, transports: str) -> None:
    play(target, scenario, transports)


@pytest.mark.parametrize("transports", TRANSPORTS)
def test_restart(target: Target, transports: str) -> None:
    play(target, "restart", transports)
    ended = [json.loads(line[1:]) for line in target.log if '"event": "disconnect"' in line]
    shut_down = [entry["nsp"] for entry in ended if entry["reason"] == "server shutting down"]
    assert sorted(shut_down) == ["/", "/", "/custom", "/custom"]


def test_no_event_is_lost_or_reordered_by_an_upgrade(target: Target) -> None:
    play(target, "upgrade", "polling,websocket")


def test_a_client_s_event_cannot_fake_a_lifecycle_event(target: Target) -> None:
    play(target, "reserved", "websocket")
    kinds = [line.split('"event": ')[1].split(",")[0] for line in target.log if line.startswith("@")]
    assert kinds == ['"connect"', '"disconnecting"', '"disconnect"']
