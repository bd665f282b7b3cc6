"""Connection state recovery with the official client: its connection is cut, and it comes back by itself.

The scenarios are in `js/recovery.mjs`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.interop.target import Target, missing, play_scenario

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


def play(scenario: str, transports: str, parser: str = "default", **recovery: Any) -> None:
    options: dict[str, Any] = {"connectionStateRecovery": recovery}
    if parser != "default":
        options["parser"] = parser
    target = Target(options)
    play_scenario(target, "recovery.mjs", scenario, transports, parser)
    errors = target.stop()
    assert errors.splitlines() == ["socketio: SIGTERM, closing"]


@pytest.mark.parametrize("transports", ["polling", "websocket", "polling,websocket"])
@pytest.mark.parametrize("scenario", ["missed", "stream"])
def test_nothing_is_lost(scenario: str, transports: str) -> None:
    play(scenario, transports)


@pytest.mark.parametrize("scenario", ["volatile", "namespaces", "restart"])
def test_who_comes_back(scenario: str) -> None:
    play(scenario, "websocket")


def test_msgpack() -> None:
    play("missed", "websocket", "msgpack")


def test_expiry() -> None:
    play("expired", "websocket", maxDisconnectionDuration=500)
