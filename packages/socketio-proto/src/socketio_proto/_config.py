"""The options of a Socket.IO server that its engine does not know.

Source: `packages/socket.io/lib/index.ts`, `ServerOptions`. Durations are seconds, sizes bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, cast

from engineio_proto import EngineConfig, unknown_option
from socketio_parser import JsonCodec, Parser, check_parser

from ._adapter import AdapterFactory

_COUNTS: Final = (
    "max_attachments",
    "max_namespaces",
    "max_dynamic_namespaces",
    "max_dynamic_name",
    "max_pending_acks",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerConfig:
    """The bounds of handlers. Raises `ValueError` or `TypeError` naming the option, its value and what is allowed."""

    max_handlers: int = 100
    """Async handlers of one connection that may run at once; further events wait in its inbox."""
    max_inbox: int = 64
    """Events of one connection that may wait; beyond, reading pauses. At four times as many it is closed."""
    high_water_mark: int = 64 * 1024
    """Bytes queued for one client from which awaiting a send waits."""

    def __post_init__(self) -> None:
        for name in ("max_handlers", "max_inbox", "high_water_mark"):
            _check_count(self, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryConfig:
    """The option `connection_state_recovery`; raises as `HandlerConfig` does."""

    max_disconnection_duration: float = 120.0
    """Seconds for which a lost connection's sockets, and what they miss, are kept."""
    skip_middlewares: bool = True
    """Whether a client that is back is let in without the middlewares of the namespace."""
    max_packets: int = 10_000
    """Events that a namespace keeps; without the one that a client got last it cannot be recovered."""
    max_bytes: int = 64 * 1024 * 1024
    """Bytes of them, as encoded."""
    max_sessions: int = 10_000
    """Sockets that a namespace keeps; beyond, the oldest is forgotten."""

    @classmethod
    def from_option(cls, given: object) -> RecoveryConfig | None:
        """What the user gave: a mapping of some of these, True for the defaults, or False or None for no recovery."""
        if given is None or given is False:
            return None
        if isinstance(given, RecoveryConfig):
            return given
        if given is True:
            return cls()
        if not isinstance(given, Mapping):
            raise TypeError(f"connection_state_recovery must be a mapping, True or False, not {given!r}")
        values = cast("Mapping[str, Any]", given)
        known = {field.name for field in fields(cls)}
        for name in values:
            if name not in known:
                raise TypeError("connection_state_recovery: " + unknown_option(name, known))
        return cls(**values)

    def __post_init__(self) -> None:
        _check_seconds(self, "max_disconnection_duration")
        if not isinstance(cast(object, self.skip_middlewares), bool):
            raise TypeError(f"skip_middlewares must be True or False, not {self.skip_middlewares!r}")
        for name in ("max_packets", "max_bytes", "max_sessions"):
            _check_count(self, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig(HandlerConfig):
    """All that a Socket.IO server adds to its engine's options; raises as `HandlerConfig` does."""

    connect_timeout: float = 45.0
    """Seconds that a client may take to join its first namespace."""
    adapter: AdapterFactory | None = None
    """Makes the adapter of a namespace; None is the in-memory one."""
    connection_state_recovery: RecoveryConfig | None = None
    """Whether a client that is soon back after it lost its connection goes on where it was. Given as a mapping."""
    serve_client: bool = True
    """Whether the official client's files are served under the path."""
    json: JsonCodec | None = None
    """How to write and read JSON; None takes orjson when it is installed."""
    parser: Parser | None = None
    """How packets become messages; None is the default parser, `MsgpackParser()` the other one of ours."""
    max_attachments: int = 10
    """Binary attachments per packet, as the reference. msgpack has none, and so no limit."""
    max_namespaces: int = 100
    """Namespaces that one connection may join."""
    cleanup_empty_child_namespaces: bool = False
    """Whether a dynamic namespace ends with its last socket."""
    max_dynamic_namespaces: int = 10_000
    """Dynamic namespaces of the server; a client that would be in one more is refused."""
    max_dynamic_name: int = 1_024
    """Characters of a dynamic namespace's name; there is none with a longer one."""
    max_pending_acks: int = 10_000
    """Acknowledgements of one socket that the server may wait for."""

    def __post_init__(self) -> None:
        HandlerConfig.__post_init__(self)
        _check_seconds(self, "connect_timeout")
        object.__setattr__(
            self, "connection_state_recovery", RecoveryConfig.from_option(self.connection_state_recovery)
        )
        if self.adapter is not None and not callable(self.adapter):
            raise TypeError(f"adapter must be a function of the namespace, not {self.adapter!r}")
        for name in ("serve_client", "cleanup_empty_child_namespaces"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if self.parser is not None:
            check_parser(self.parser)
            if self.json is not None:
                raise ValueError(f"json is for the default parser, and parser is {self.parser!r}")
        for name in _COUNTS:
            _check_count(self, name)


def _check_seconds(config: object, name: str) -> None:
    value: Any = getattr(config, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be seconds as a number, not {value!r}")
    if not 0 < value <= 10**9:  # nor NaN
        raise ValueError(f"{name} must be more than 0 and at most 1e9 seconds, not {value!r}")


def _check_count(config: object, name: str) -> None:
    value: Any = getattr(config, name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value!r}")


def split_options(options: Mapping[str, Any]) -> tuple[EngineConfig, ServerConfig]:
    """The two configs that a user's options make.

    Raises:
        TypeError: an unknown option (the nearest known one is named) or a wrong type.
        ValueError: a wrong value.
    """
    mine = {field.name for field in fields(ServerConfig)}
    for_server: dict[str, Any] = {}
    for_engine: dict[str, Any] = {"path": "/socket.io"}
    for name, value in options.items():
        if name in mine:
            for_server[name] = value
        else:
            for_engine[name] = value
    return _engine_config(for_engine, mine), ServerConfig(**for_server)


def split_engine_options(options: Mapping[str, Any]) -> tuple[EngineConfig, HandlerConfig]:
    """The same for an engine without Socket.IO; raises the same."""
    mine = {field.name for field in fields(HandlerConfig)}
    handlers = {name: value for name, value in options.items() if name in mine}
    engine = {name: value for name, value in options.items() if name not in mine}
    return _engine_config(engine, mine), HandlerConfig(**handlers)


def _engine_config(options: dict[str, Any], others: set[str]) -> EngineConfig:
    """`others` are the names that are no options of an engine, but might be meant."""
    try:
        return EngineConfig.from_options(options)
    except TypeError as error:
        for name in options:
            if str(error).startswith(f"unknown option {name!r}"):
                known = others | {field.name for field in fields(EngineConfig)}
                raise TypeError(unknown_option(name, known)) from None
        raise
