"""Options: a wrong one raises at once and says what is wrong, with what value, and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from socketio_parser import EncodeError, MsgpackParser, StdlibJson
from socketio_proto import ServerConfig

from tests.sim.socketio import Stage


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (
            {"ping_intervall": 1},
            TypeError,
            ["unknown option 'ping_intervall'", "did you mean 'ping_interval'?"],
        ),
        ({"max_handler": 1}, TypeError, ["did you mean 'max_handlers'?"]),
        ({"serveClient": True}, TypeError, ["did you mean 'serve_client'?"]),
        ({"connection_state_recover": {}}, TypeError, ["did you mean 'connection_state_recovery'?"]),
        (
            {"qqq": 1},
            TypeError,
            ["unknown option 'qqq'", "known options:", "max_inbox", "ping_interval", "adapter"],
        ),
        ({"cors": {"origins": "x"}}, TypeError, ["'origins'", "'origin'"]),
        ({"connect_timeout": "45"}, TypeError, ["connect_timeout", "'45'", "seconds"]),
        ({"connect_timeout": True}, TypeError, ["connect_timeout", "True"]),
        ({"connect_timeout": 0}, ValueError, ["connect_timeout", "not 0", "more than 0"]),
        ({"connect_timeout": float("nan")}, ValueError, ["connect_timeout", "nan"]),
        ({"connect_timeout": 10**400}, ValueError, ["connect_timeout", "at most 1e9"]),
        ({"connect_timeout": 2e9}, ValueError, ["connect_timeout", "2000000000.0", "at most 1e9"]),
        ({"serve_client": 1}, TypeError, ["serve_client", "True or False", "not 1"]),
        ({"ping_interval": "25"}, TypeError, ["ping_interval", "'25'"]),
        ({"ping_interval": -1}, ValueError, ["ping_interval", "-1"]),
        ({"path": "x"}, ValueError, ["path", "'x'"]),
        ({"json": 5}, TypeError, ["json", "5"]),
        ({"adapter": 1}, TypeError, ["adapter must be a function of the namespace", "not 1"]),
        ({"parser": 1}, TypeError, ["parser", "encoder() and decoder()", "not 1"]),
        ({"parser": MsgpackParser}, TypeError, ["parser", "encoder() failed", "give an instance"]),
        ({"parser": MsgpackParser(), "json": StdlibJson()}, ValueError, ["json", "MsgpackParser"]),
        (
            {"connection_state_recovery": 1},
            TypeError,
            ["connection_state_recovery must be a mapping", "not 1"],
        ),
        (
            {"connection_state_recovery": {"skip_middleware": True}},
            TypeError,
            [
                "connection_state_recovery: unknown option 'skip_middleware'",
                "did you mean 'skip_middlewares'?",
            ],
        ),
        (
            {"connection_state_recovery": {"max_disconnection_duration": 0}},
            ValueError,
            ["max_disconnection_duration must be more than 0", "not 0"],
        ),
        (
            {"connection_state_recovery": {"max_disconnection_duration": "120"}},
            TypeError,
            ["max_disconnection_duration must be seconds as a number", "'120'"],
        ),
        (
            {"connection_state_recovery": {"skip_middlewares": 1}},
            TypeError,
            ["skip_middlewares must be True or False", "not 1"],
        ),
        (
            {"connection_state_recovery": {"max_packets": 0}},
            ValueError,
            ["max_packets must be at least 1", "not 0"],
        ),
        ({"cleanup_empty_child_namespaces": 1}, TypeError, ["cleanup_empty_child_namespaces", "not 1"]),
        ({"max_dynamic_namespaces": 0}, ValueError, ["max_dynamic_namespaces", "at least 1"]),
        ({"max_dynamic_name": "x"}, TypeError, ["max_dynamic_name", "'x'"]),
        ({"allow_eio3": 3}, TypeError, ["allow_eio3", "3"]),
    ],
)
def test_wrong(options: dict[str, Any], error: type[Exception], words: list[str]) -> None:
    with pytest.raises(error) as raised:
        Stage(**options)
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    "name",
    ["max_attachments", "max_handlers", "max_inbox", "max_namespaces", "max_pending_acks", "high_water_mark"],
)
def test_sizes(name: str) -> None:
    def made(value: Any) -> Any:
        options: dict[str, Any] = {name: value}
        return getattr(Stage(**options).server.config, name)

    with pytest.raises(ValueError, match=f"{name} must be at least 1, not 0"):
        made(0)
    for wrong in (1.5, "1", True):
        with pytest.raises(TypeError, match=f"{name} must be an integer, not {wrong!r}"):
            made(wrong)
    assert made(1) == 1


def test_off_values_are_accepted() -> None:
    Stage(
        adapter=None,
        parser=None,
        connection_state_recovery=None,
        cleanup_empty_child_namespaces=False,
        allow_eio3=False,
        http_compression=False,
        per_message_deflate=False,
        cors=None,
        cookie=False,
    )


def test_defaults_are_the_references() -> None:
    server = Stage().server
    assert server.engine.config.path == "/socket.io"
    assert server.config.connect_timeout == 45.0
    assert server.config.serve_client is True
    assert server.config.max_attachments == 10


def test_config_is_frozen() -> None:
    with pytest.raises(AttributeError):
        ServerConfig().max_inbox = 5  # type: ignore[misc]


def test_json_is_the_servers_own() -> None:
    class Loud(StdlibJson):
        def dumps(self, value: Any) -> str:
            return super().dumps(value).replace("news", "NEWS")

    stage, other = Stage(json=Loud()), Stage()
    ada, bob = stage.connect(), other.connect()
    stage.server.emit("news")
    other.server.emit("news")
    stage.advance()
    other.advance()
    assert (ada.take(), bob.take()) == (['2["NEWS"]'], ['2["news"]'])


def test_max_attachments() -> None:
    stage = Stage(max_attachments=1)
    ada = stage.connect()
    with pytest.raises(EncodeError, match="2 binary values"):
        stage.server.emit("x", b"1", b"2")
    ada.send("52-[]")
    stage.advance()
    assert ada.gone
