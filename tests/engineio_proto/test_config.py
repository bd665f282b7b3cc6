"""Options: checked when given, with what was wrong, the value and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from cookie_policy import CookieOptions
from cors_policy import CorsPolicy, CorsWarning
from engineio_proto import EngineConfig, HttpCompression, unknown_option

from tests.engineio_proto.driving import ask, new_engine, target


async def _async_hook(headers: object, request: object) -> None:
    """No header hook: nobody would await it."""


def test_defaults_of_the_reference() -> None:
    config = EngineConfig()
    assert (config.ping_interval, config.ping_timeout, config.upgrade_timeout) == (25.0, 20.0, 10.0)
    assert (config.max_http_buffer_size, config.transports) == (1_000_000, ("polling", "websocket"))
    assert (config.allow_upgrades, config.cors, config.cookie) == (True, None, None)
    assert config.http_compression == HttpCompression(threshold=1024)
    assert (config.max_send_buffer, config.close_timeout, config.stall_timeout) == (16 * 1024**2, 30.0, 60.0)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"path": "x"}, ValueError, ["path", "'x'", "'/'"]),
        ({"path": 5}, TypeError, ["path", "5"]),
        ({"transports": []}, ValueError, ["transports", "[]", "polling"]),
        ({"transports": 5}, TypeError, ["transports", "5"]),
        ({"transports": "polling"}, TypeError, ["transports", "'polling'"]),
        ({"transports": ["webtransport"]}, ValueError, ["transports", "webtransport", "not supported yet"]),
        ({"transports": ["polling", "zz"]}, ValueError, ["transports", "'zz'", "websocket"]),
        ({"ping_interval": "25"}, TypeError, ["ping_interval", "'25'", "seconds"]),
        ({"ping_timeout": True}, TypeError, ["ping_timeout", "True"]),
        ({"upgrade_timeout": 0}, ValueError, ["upgrade_timeout", "0"]),
        ({"close_timeout": -1.0}, ValueError, ["close_timeout", "-1.0"]),
        ({"stall_timeout": float("inf")}, ValueError, ["stall_timeout", "inf"]),
        ({"ping_interval": float("nan")}, ValueError, ["ping_interval", "nan"]),
        ({"ping_interval": 25_000_000_000}, ValueError, ["ping_interval", "25000000000"]),
        ({"max_http_buffer_size": "1"}, TypeError, ["max_http_buffer_size", "'1'"]),
        ({"max_http_buffer_size": 1.5}, TypeError, ["max_http_buffer_size", "1.5"]),
        ({"max_http_buffer_size": float("nan")}, TypeError, ["max_http_buffer_size", "nan"]),
        ({"max_undecided": float("inf")}, TypeError, ["max_undecided", "inf"]),
        ({"ping_timeout": 10**400}, ValueError, ["ping_timeout", "1e9"]),
        ({"max_send_buffer": 0}, ValueError, ["max_send_buffer", "0"]),
        ({"slice": False}, TypeError, ["slice", "False"]),
        ({"add_trailing_slash": 1}, TypeError, ["add_trailing_slash", "1"]),
        ({"allow_upgrades": "no"}, TypeError, ["allow_upgrades", "'no'"]),
        ({"ping_intervall": 25}, TypeError, ["ping_intervall", "did you mean 'ping_interval'"]),
        ({"qqqqqq": 1}, TypeError, ["qqqqqq", "known options", "ping_interval"]),
        ({"cors": "*"}, TypeError, ["cors", "'*'", "mapping"]),
        ({"cors": {"origins": "*"}}, TypeError, ["'origins'", "did you mean 'origin'"]),
        ({"cors": {"origin": 7}}, TypeError, ["origin", "7"]),
        ({"cors": {"origin": "a\r\nb"}}, ValueError, ["origin", "'a\\r\\nb'"]),
        ({"cookie": {"httpOnly": True}}, TypeError, ["'httpOnly'", "did you mean 'http_only'"]),
        ({"cookie": {"path": "/;a"}}, ValueError, ["path", "'/;a'"]),
        ({"http_compression": {"levle": 9}}, TypeError, ["'levle'", "did you mean 'level'"]),
        ({"http_compression": {9: 1}}, TypeError, ["http_compression", "9", "known options", "level"]),
        ({"enforce_origin": "yes"}, TypeError, ["enforce_origin", "'yes'", "True or False"]),
        ({"cookie": "io"}, TypeError, ["cookie", "'io'", "mapping"]),
        ({"cookie": {"name": "a b"}}, ValueError, ["name"]),
        ({"allow_eio3": 3}, TypeError, ["allow_eio3", "3"]),
        ({"generate_id": "AAAA"}, TypeError, ["generate_id", "'AAAA'", "function"]),
        ({"allow_request": lambda: True}, TypeError, ["allow_request", "1 positional argument"]),
        ({"headers": _async_hook}, TypeError, ["headers", "plain function"]),
        ({"initial_headers": lambda request: None}, TypeError, ["initial_headers", "2 positional"]),
        ({"cors": lambda: None}, TypeError, ["cors", "1 positional"]),
        ({"decision_timeout": 0}, ValueError, ["decision_timeout", "0"]),
        ({"max_undecided": 0}, ValueError, ["max_undecided", "0"]),
        ({"http_engine": "httptool"}, ValueError, ["http_engine", "'httptool'", "'httptools'", "read_head"]),
        ({"http_engine": 5}, TypeError, ["http_engine", "5", "'h11'", "read_head"]),
    ],
)
def test_mistakes(options: dict[str, Any], error: type[Exception], words: list[str]) -> None:
    with pytest.raises(error) as raised:
        EngineConfig.from_options(options)
    for word in words:
        assert word in str(raised.value)


def test_whole_floats_are_sizes() -> None:
    assert repr(EngineConfig.from_options({"max_http_buffer_size": 1e6}).max_http_buffer_size) == "1000000"


def test_options_that_are_off() -> None:
    off = {"allow_eio3": False, "per_message_deflate": False, "cors": False, "cookie": None}
    assert EngineConfig.from_options(off) == EngineConfig()


def test_objects_are_taken_as_they_are() -> None:
    cors, cookie = CorsPolicy(origin="*"), CookieOptions.from_options({"name": "a"})
    config = EngineConfig.from_options({"cors": cors, "cookie": cookie, "transports": ["websocket"]})
    assert config.cors is cors and config.cookie is cookie and config.transports == ("websocket",)


def test_any_origin_with_credentials_warns_and_is_emitted() -> None:
    with pytest.warns(CorsWarning, match="browsers refuse this answer"):
        engine = new_engine(cors={"origin": "*", "credentials": True})
    _, response = ask(engine, "GET", target("polling"), (("Origin", "http://a"),))
    assert response.headers[:2] == (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Credentials", "true"),
    )


def test_frozen() -> None:
    config: Any = EngineConfig()
    with pytest.raises(AttributeError):
        config.ping_interval = 1.0


@pytest.mark.parametrize(
    ("options", "mount"),
    [
        ({}, "/engine.io/"),
        ({"path": "/a/"}, "/a/"),
        ({"path": "/a", "add_trailing_slash": False}, "/a"),
        ({"path": "/a/", "add_trailing_slash": False}, "/a"),
        ({"path": "/"}, "/"),
    ],
)
def test_mount(options: dict[str, Any], mount: str) -> None:
    assert EngineConfig.from_options(options).mount == mount


def test_unknown_option() -> None:
    assert unknown_option("pingg", {"ping"}) == "unknown option 'pingg'; did you mean 'ping'?"
