"""The official JavaScript client 4.8 in Node against our server: every scenario over every way to connect.

The scenarios are in `js/scenarios.mjs`; each is a process that asserts for itself. What a scenario cannot do (a
restart of the server) it asks for with a line that begins with `>`.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator

import pytest

from tests.interop.target import JS, SECONDS, Target, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

TRANSPORTS = ("polling", "websocket", "polling,websocket")
SCENARIOS = ("messages", "acks", "rooms", "refusal", "reasons", "reserved", "restart", "crowd")


@pytest.fixture
def target() -> Iterator[Target]:
    running = Target()
    yield running
    errors = running.stop()
    assert errors.splitlines() == ["socketio: SIGTERM, closing"]


def play(target: Target, scenario: str, transports: str, parser: str = "default") -> None:
    """Run one scenario to its end."""
    process = subprocess.Popen(
        ["node", "scenarios.mjs", scenario, target.url, transports, parser],
        cwd=JS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            assert line == "> restart\n", line
            target.restart()
            process.stdin.write("done\n")
            process.stdin.flush()
        errors = process.stderr.read()
        assert process.wait() == 0, errors
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


@pytest.mark.parametrize("transports", TRANSPORTS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(target: Target, scenario: str, transports: str) -> None:
    play(target, scenario, transports)


def test_no_event_is_lost_or_reordered_by_an_upgrade(target: Target) -> None:
    play(target, "upgrade", "polling,websocket")


def test_a_client_s_event_cannot_fake_a_lifecycle_event(target: Target) -> None:
    play(target, "reserved", "websocket")
    kinds = [line.split('"event": ')[1].split(",")[0] for line in target.log if line.startswith("@")]
    assert kinds == ['"connect"', '"disconnecting"', '"disconnect"']
