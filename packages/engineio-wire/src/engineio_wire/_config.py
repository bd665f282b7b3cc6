"""The bounds of a connection, validated when built."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

# A head below 256 bytes could not hold what a browser sends.
_LEAST: Final = {"max_head_size": 256, "max_body_size": 0, "max_drain_size": 0}
# 30 years; refuses infinity and NaN too.
_LONGEST: Final = 1e9


@dataclass(frozen=True, slots=True)
class WireConfig:
    """Every bound of one connection. Sizes in bytes, durations in seconds.

    Raises:
        TypeError: an option is no number; the message names it, its value and what is allowed.
        ValueError: it is out of range.
    """

    max_head_size: int = 16_384
    "The request line and all headers; beyond it 431. Also what may wait behind an unanswered request."
    max_headers: int = 100
    "Header lines of one request; beyond it 431."
    head_timeout: float = 60.0
    "From the first byte (or the connection's start) until the head is complete; then 408 or a close."
    body_timeout: float = 300.0
    "From the head until the body is complete; also how long a peer may leave a response unread."
    keep_alive_timeout: float = 5.0
    "How long a connection may be idle between two requests."
    close_timeout: float = 30.0
    "From our WebSocket close frame, or our last byte, until the peer must be gone (ws: 30 s)."
    max_events_per_slice: int = 64
    "About how many events one call returns; the rest of a segment waits for `resume()`."
    max_body_size: int = 1_000_000
    "The body of a request outside the engine's path; beyond it 413."
    max_drain_size: int = 1_048_576
    "What is read and thrown away of a body that was answered early, to keep the connection usable."
    max_fragments: int = 16_384
    "Frames of one WebSocket message; beyond it 1008 (ws 8.21 has the same bound)."

    def __post_init__(self) -> None:
        for field in fields(self):
            value: object = getattr(self, field.name)
            if field.type == "int":
                least = _LEAST.get(field.name, 1)
                if isinstance(value, bool) or not isinstance(value, int):
                    raise TypeError(f"{field.name} must be an integer of at least {least}, not {value!r}")
                if value < least:
                    raise ValueError(f"{field.name} must be at least {least}, not {value!r}")
            else:
                if isinstance(value, bool) or not isinstance(value, (int, float)):
                    raise TypeError(f"{field.name} must be a number of seconds above 0, not {value!r}")
                if not 0 < value < _LONGEST:
                    raise ValueError(f"{field.name} must be seconds above 0 and finite, not {value!r}")
