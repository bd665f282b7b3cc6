"""The Engine.IO protocol, server side, as a state machine without I/O. See the README for the reading order."""

from ._contract import Engine
from ._dirty import Dirty
from ._errors import ERROR_MESSAGES, ErrorCode, LocalProtocolError, RemoteProtocolError
from ._events import (
    CloseReason,
    EngineEvent,
    MessageReceived,
    RequestRefused,
    SessionClosed,
    SessionOpened,
    SessionUpgraded,
)
from ._exchange import Exchange, ExchangeState
from ._link import Link, LinkState
from ._outgoing import Outgoing, message
from ._request import Headers, Request, Response
from ._timers import TimerHeap, TimerQueue, Timers

__all__ = [
    "ERROR_MESSAGES",
    "CloseReason",
    "Dirty",
    "Engine",
    "EngineEvent",
    "ErrorCode",
    "Exchange",
    "ExchangeState",
    "Headers",
    "Link",
    "LinkState",
    "LocalProtocolError",
    "MessageReceived",
    "Outgoing",
    "RemoteProtocolError",
    "Request",
    "RequestRefused",
    "Response",
    "SessionClosed",
    "SessionOpened",
    "SessionUpgraded",
    "TimerHeap",
    "TimerQueue",
    "Timers",
    "message",
]
