"""Engine.IO alone against the official engine.io-client in Node: `EngineServer` behind the conformance target."""

from __future__ import annotations

import pytest

from tests.interop.target import Target, missing, play

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.mark.parametrize("transports", ["polling", "websocket", "polling,websocket"])
@pytest.mark.parametrize("scenario", ["session", "session_closed", "session_ended"])
def test_session(scenario: str, transports: str) -> None:
    target = Target({"pingInterval": 200, "pingTimeout": 5000}, "engineio")
    errors: list[str] = []
    try:
        play(scenario, target.url, transports, end=lambda: errors.append(target.stop()))
    finally:
        if not errors:
            errors.append(target.stop())
    assert errors == ["socketio: SIGTERM, closing\n"]
