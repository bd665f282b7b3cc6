"""The one event that a wire makes itself; all others come from the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

from engineio_proto import Exchange


@final
@dataclass(slots=True)
class RequestReceived:
    """A complete request for a target that the engine does not own.

    The binding answers it when it likes: `exchange.answer(response)`, then `dirty.mark(exchange.owner)`. Call
    `check_response` first when the response comes from a user.
    """

    exchange: Exchange
    "The request's head, and where its answer goes."
    body: bytes
    "The whole body, at most `WireConfig.max_body_size` bytes."


WireEvent: TypeAlias = RequestReceived
