"""The options that only a wire can honour: the engine checks and carries them, and looks at none but the size.

Whoever drives an `Engine` without a wire of ours (an ASGI application, whose server owns HTTP and WebSocket)
refuses those that are set, because nobody would honour them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WireOptions:
    """Given to a wire by `Engine.wire_options`."""

    max_message_size: int
    """Bytes of the largest message a peer may send (`max_http_buffer_size`)."""
