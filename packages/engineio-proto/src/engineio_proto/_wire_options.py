"""The options that only a wire can honour: the engine checks and carries them, and looks at none but the size.

Whoever drives an `Engine` without a wire of ours (an ASGI application, whose server owns HTTP and WebSocket)
refuses those that are set, because nobody would honour them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_HTTP_ENGINES: Final = ("h11", "httptools")


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

    def __post_init__(self) -> None:
        engine = self.http_engine
        allowed = "None, 'h11', 'httptools' or an object with a method read_head(raw)"
        if isinstance(engine, str):
            if engine not in _HTTP_ENGINES:
                raise ValueError(f"http_engine must be {allowed}, not {engine!r}")
        elif engine is not None and (
            isinstance(engine, type) or not callable(getattr(engine, "read_head", None))
        ):
            raise TypeError(f"http_engine must be {allowed}, not {engine!r}")
