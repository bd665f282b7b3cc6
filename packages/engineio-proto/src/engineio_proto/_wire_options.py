"""The options that only a wire can honour: the engine checks and carries them, and looks at none but the size.

Whoever drives an `Engine` without a wire of ours (an ASGI application, whose server owns HTTP and WebSocket)
refuses those that are set, because nobody would honour them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._per_message_deflate import PerMessageDeflate


@dataclass(frozen=True, slots=True, kw_only=True)
class WireOptions:
    """Given to a wire by `Engine.wire_options`.

    Raises:
        ValueError, TypeError: an option that no wire can honour; the text names it, its value and what is allowed.
    """

    max_message_size: int
    """Bytes of the largest message a peer may send (`max_http_buffer_size`)."""
    http_engine: object = None
    """Who parses the head of a request: None or `"h11"`, `"httptools"`, or an `engineio_wire.HttpEngine`."""
    per_message_deflate: PerMessageDeflate | None = None
    """Whether and how WebSocket messages are compressed."""
    ws_engine: object = None
    """Who reads and makes WebSocket frames: None, `"wsproto"`, or an `engineio_wire.WebSocketEngine`."""
    websocket: bool = True
    """Whether upgrades are looked at; else a request that asks for one is like any other (`transports`)."""

    def __post_init__(self) -> None:
        size: Any = self.max_message_size
        if isinstance(size, bool) or not isinstance(size, int):
            raise TypeError(f"max_message_size must be an integer, not {size!r}")
        if size < 1:
            raise ValueError(f"max_message_size must be at least 1, not {size!r}")
        _check_engine("http_engine", self.http_engine, ("h11", "httptools"), "read_head(raw)")
        _check_engine("ws_engine", self.ws_engine, ("wsproto",), "codec(settings)")
        deflate: Any = self.per_message_deflate
        if deflate is not None and not isinstance(deflate, PerMessageDeflate):
            raise TypeError(f"per_message_deflate must be a PerMessageDeflate or None, not {deflate!r}")


def _check_engine(name: str, engine: object, known: tuple[str, ...], method: str) -> None:
    """What can be said before a connection exists: a known name, or an object with the method of the Protocol."""
    allowed = f"{', '.join(map(repr, (None, *known)))} or an object with a method {method}"
    if isinstance(engine, str):
        if engine not in known:
            raise ValueError(f"{name} must be {allowed}, not {engine!r}")
    elif engine is not None and (
        isinstance(engine, type) or not callable(getattr(engine, method.partition("(")[0], None))
    ):
        raise TypeError(f"{name} must be {allowed}, not {engine!r}")
