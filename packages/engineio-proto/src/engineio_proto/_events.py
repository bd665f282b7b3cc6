"""What the engine tells the layer above: returned from inputs, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias, final

from ._errors import ErrorCode
from ._request import Request

if TYPE_CHECKING:
    from ._decisions import Abandonment, Decision
    from ._session import Session


class CloseReason(StrEnum):
    """Why a session closed: the reference's exact strings (`packages/engine.io/lib/socket.ts`)."""

    PING_TIMEOUT = "ping timeout"
    PARSE_ERROR = "parse error"
    TRANSPORT_ERROR = "transport error"
    TRANSPORT_CLOSE = "transport close"
    FORCED_CLOSE = "forced close"


@final
@dataclass(slots=True)
class SessionOpened:
    """A handshake succeeded. On polling its answer is already complete: what is sent now waits for the next GET."""

    session: Session
    """The new session."""


@final
@dataclass(slots=True)
class MessageReceived:
    """A `message` packet arrived. Not frozen: a frozen dataclass costs 0.25 us more to build, once per message."""

    session: Session
    """Who sent it."""
    data: str | bytes
    """Text without the type digit, or a binary message."""


@final
@dataclass(slots=True)
class SessionUpgraded:
    """The session moved from polling to WebSocket (Engine.IO protocol 4, "Upgrade")."""

    session: Session
    """The session, its `transport` already the new one."""


@final
@dataclass(slots=True)
class SessionClosed:
    """The session is over; nothing more is delivered from it."""

    session: Session
    """Which one."""
    reason: CloseReason
    """The reference's word for why."""
    description: str | None = None
    """More, where there is more to say: the error's text, or the bound that was hit."""


@final
@dataclass(slots=True)
class RequestRefused:
    """A request or an upgrade was answered with an error: the reference's `connection_error`."""

    request: Request
    """What was asked."""
    code: ErrorCode
    """The reference's code."""
    message: str
    """The reference's text."""
    context: Mapping[str, object]
    """What was compared, under the reference's keys."""


@final
@dataclass(slots=True)
class DecisionRequested:
    """A request waits for the user's code: call `decision.ask()`, then `EngineServer.decide` or `fail_decision`."""

    decision: Decision
    """The question."""


@final
@dataclass(slots=True)
class DecisionAbandoned:
    """Nobody waits for a reply any more: cancel what runs for it."""

    decision: Decision
    """The question."""
    reason: Abandonment
    """Why."""


@final
@dataclass(slots=True)
class HookRaised:
    """A function of the user raised, or gave what cannot be used. The request was answered all the same."""

    name: str
    """Which: `cors`, `use`, `allow_request`, `generate_id`, `headers`, `initial_headers`."""
    request: Request
    """What it was about."""
    error: Exception
    """What it raised, with its traceback."""


EngineEvent: TypeAlias = (
    SessionOpened
    | MessageReceived
    | SessionUpgraded
    | SessionClosed
    | RequestRefused
    | DecisionRequested
    | DecisionAbandoned
    | HookRaised
)
