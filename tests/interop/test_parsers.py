"""The official client with npm's socket.io-msgpack-parser, and with a custom parser, against ours with the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.target import Target, missing
from tests.interop.test_official_client import play

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

SCENARIOS = ("messages", "acks", "rooms", "refusal", "reasons", "reserved", "restart")


@pytest.fixture(params=["msgpack", "json"])
def parser(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def target(parser: str) -> Iterator[Target]:
    running = Target({"parser": parser})
    yield running
    errors = running.stop()
    assert errors.splitlines() == ["socketio: SIGTERM, closing"]


@pytest.mark.parametrize("transports", ["polling", "websocket"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(target: Target, parser: str, scenario: str, transports: str) -> None:
    play(target, scenario, transports, parser)


def test_upgrade(target: Target, parser: str) -> None:
    play(target, "upgrade", "polling,websocket", parser)


@pytest.mark.parametrize("transports", ["polling", "websocket"])
@pytest.mark.parametrize(
    ("spoken", "options"),
    [("msgpack", {}), ("default", {"parser": "msgpack"}), ("msgpack", {"parser": "json"})],
)
def test_clients_of_another_parser_are_refused(spoken: str, options: dict[str, str], transports: str) -> None:
    target = Target(options)
    play(target, "mismatch", transports, spoken)
    assert target.stop().splitlines() == ["socketio: SIGTERM, closing"]
    assert [line for line in target.log if line.startswith("@")] == []
