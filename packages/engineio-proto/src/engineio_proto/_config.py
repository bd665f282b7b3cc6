"""The options of an engine: names, defaults and bounds as the reference documents them, checked when given.

Source: `packages/engine.io/lib/server.ts`, `ServerOptions`, and `AttachOptions` for the path. Durations are
seconds here and milliseconds on the wire; sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, cast

from cookie_policy import CookieOptions
from cors_policy import CorsDelegate, CorsPolicy

from ._answer_headers import AnswerHeaders
from ._compression import HttpCompression
from ._errors import unknown_option
from ._hooks import check_function
from ._per_message_deflate import PerMessageDeflate
from ._request import Request
from ._wire_options import WireOptions

TRANSPORTS: Final = ("polling", "websocket")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """Everything an engine can be told. Raises `ValueError` or `TypeError` naming option, value and what is allowed."""

    path: str = "/engine.io"
    """Where requests arrive; one trailing slash is cut."""
    add_trailing_slash: bool = True
    """Whether the path that is matched ends with a slash."""
    transports: tuple[str, ...] = TRANSPORTS
    """What a client may use: `polling`, `websocket`."""
    allow_upgrades: bool = True
    """Whether the handshake advertises WebSocket; as in the reference, a client that upgrades anyway may."""
    ping_interval: float = 25.0
    """Seconds between a pong (or the open) and the next ping."""
    ping_timeout: float = 20.0
    """Seconds that a pong may take."""
    allow_eio3: bool = False
    """Whether clients of protocol 3 may come: `socket.io-client` 2 and older."""
    upgrade_timeout: float = 10.0
    """Seconds from a candidate WebSocket to its `5` packet."""
    max_http_buffer_size: int = 1_000_000
    """Bytes of the largest POST body and WebSocket message."""
    http_compression: HttpCompression | None = field(default_factory=HttpCompression)
    """When and how poll answers are compressed; None never does."""
    cors: CorsPolicy | CorsDelegate[Request] | None = None
    """Which origins may read answers, or a function of the request that says so; None sends no CORS header."""
    enforce_origin: bool = False
    """Whether requests of other sites are refused: of an Origin that `cors` does not allow, or without `cors` of one
    that is not the Host's. The reference never does."""
    cookie: CookieOptions | None = None
    """The cookie that carries the session id on the polling handshake."""
    allow_request: Callable[[Request], bool | str | Awaitable[bool | str]] | None = None
    """Decides about handshakes, sync or async: True lets in, False or the text of the refusal does not."""
    generate_id: Callable[[Request], str | Awaitable[str]] | None = None
    """Makes session ids, sync or async, instead of 96 random bits and a counter. Whoever knows an id is the client."""
    initial_headers: Callable[[AnswerHeaders, Request], object] | None = None
    """May add headers to the answer of a handshake."""
    headers: Callable[[AnswerHeaders, Request], object] | None = None
    """May add headers to every answer of a session, the 101 of an upgrade included."""
    decision_timeout: float = 30.0
    """Seconds that the user's functions may take for one request, all together; then it gets a 503."""
    max_undecided: int = 1000
    """Requests that may wait for the user's functions; one more gets a 503."""
    max_send_buffer: int = 16 * 1024 * 1024
    """Bytes that may wait for one session, and a 64th as many messages; one message always fits an empty buffer."""
    close_timeout: float = 30.0
    """Seconds that a closing polling session waits for the GET that collects its close packet."""
    stall_timeout: float = 60.0
    """Seconds that a session may stay paused by the layer above before it is closed."""
    slice: int = 64
    """Packets of one payload that are handled before other connections get their turn."""
    http_engine: object = None
    """Who parses request heads: None or `"h11"`, `"httptools"`, or an `engineio_wire.HttpEngine` of your own."""
    per_message_deflate: PerMessageDeflate | None = None
    """Whether and how WebSocket messages are compressed."""
    ws_engine: object = None
    """Who reads and makes WebSocket frames: None, `"wsproto"`, or an `engineio_wire.WebSocketEngine` of your own."""

    def __post_init__(self) -> None:
        path: Any = self.path
        if not isinstance(path, str):
            raise TypeError(f"path must be a string that begins with '/', not {path!r}")
        if not path.startswith("/"):
            raise ValueError(f"path must begin with '/', not {path!r}")
        given: Any = self.transports
        if not isinstance(given, Collection) or isinstance(given, str):
            raise TypeError(f"transports must be a list of {list(TRANSPORTS)}, not {given!r}")
        if not given:
            raise ValueError(f"transports must name one at least of {list(TRANSPORTS)}, not {given!r}")
        names = cast("Collection[str]", given)
        for transport in names:
            if transport == "webtransport":
                raise ValueError(
                    "transports: 'webtransport' is not supported yet; allowed are 'polling', 'websocket'"
                )
            if transport not in TRANSPORTS:
                raise ValueError(f"transports: {transport!r} is unknown; allowed are 'polling', 'websocket'")
        object.__setattr__(self, "transports", tuple(names))
        for name in (
            "ping_interval",
            "ping_timeout",
            "upgrade_timeout",
            "close_timeout",
            "stall_timeout",
            "decision_timeout",
        ):
            seconds: Any = getattr(self, name)
            if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
                raise TypeError(f"{name} must be seconds as a number, not {seconds!r}")
            if not 0 < seconds <= 10**9:  # nor NaN
                raise ValueError(f"{name} must be more than 0 and at most 1e9 seconds, not {seconds!r}")
        for name in ("max_http_buffer_size", "max_send_buffer", "slice", "max_undecided"):
            size: Any = getattr(self, name)
            if isinstance(size, bool) or not isinstance(size, (int, float)) or size % 1 != 0:  # nor NaN
                raise TypeError(f"{name} must be an integer, not {size!r}")
            if size < 1:
                raise ValueError(f"{name} must be at least 1, not {size!r}")
            object.__setattr__(self, name, int(size))
        if self.cors is not None and not isinstance(self.cors, CorsPolicy):
            check_function("cors", self.cors, 1)
        for name, count in (
            ("allow_request", 1),
            ("generate_id", 1),
            ("initial_headers", 2),
            ("headers", 2),
        ):
            if getattr(self, name) is not None:
                check_function(name, getattr(self, name), count, plain=count == 2)
        compression: Any = self.http_compression
        if compression is not None and not isinstance(compression, HttpCompression):
            raise TypeError(f"http_compression must be an HttpCompression or None, not {compression!r}")
        for name in ("add_trailing_slash", "allow_upgrades", "allow_eio3", "enforce_origin"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, not {getattr(self, name)!r}")
        self.wire_options()  # which checks those that are a wire's

    def wire_options(self) -> WireOptions:
        """What a wire must honour."""
        return WireOptions(
            max_message_size=self.max_http_buffer_size,
            http_engine=self.http_engine,
            per_message_deflate=self.per_message_deflate,
            ws_engine=self.ws_engine,
            websocket="websocket" in self.transports,
        )

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> EngineConfig:
        """Build from the documented options, where those of many parts are mappings, as a user gives them.

        Raises:
            TypeError: an unknown option (the nearest known one is named) or a wrong type.
            ValueError: a wrong value.
        """
        known = {option.name for option in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in options.items():
            if name in known:
                values[name] = value
            else:
                raise TypeError(unknown_option(name, known))
        if "http_compression" in values:
            values["http_compression"] = HttpCompression.from_option(values["http_compression"])
        values["per_message_deflate"] = PerMessageDeflate.from_option(values.get("per_message_deflate"))
        if not isinstance(values.get("cors"), CorsPolicy):
            values["cors"] = _cors(values.get("cors"))
        if not isinstance(values.get("cookie"), CookieOptions):
            values["cookie"] = _cookie(values.get("cookie"))
        return cls(**values)

    @property
    def mount(self) -> str:
        """The prefix of every request target that the engine owns."""
        path = self.path[:-1] if self.path.endswith("/") else self.path
        return path + "/" if self.add_trailing_slash else path


def _cors(value: Any) -> CorsPolicy | CorsDelegate[Request] | None:
    if value is None or value is False:
        return None
    if callable(value):
        return value  # type: ignore[no-any-return]  # checked when the config is built
    if not isinstance(value, Mapping):
        raise TypeError(
            f"cors must be a mapping such as {{'origin': 'https://example.com'}}, or a function of the request, "
            f"not {value!r}"
        )
    return CorsPolicy.from_options(cast("Mapping[str, Any]", value))


def _cookie(value: Any) -> CookieOptions | None:
    """The `cookie` option of the reference: merged over its defaults; `path=False` leaves the attribute out."""
    if value is None or value is False:
        return None
    if value is not True and not isinstance(value, Mapping):
        raise TypeError(f"cookie must be True, False or a mapping such as {{'name': 'io'}}, not {value!r}")
    given: dict[str, Any] = {"name": "io", "path": "/", "http_only": True, "same_site": "lax"}
    given.update({} if value is True else cast("Mapping[str, Any]", value))
    if given["path"] is False:
        given["path"] = None
    return CookieOptions.from_options(given)
