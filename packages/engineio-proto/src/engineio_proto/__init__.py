"""The Engine.IO protocol, server side, as a state machine without I/O. See the README for the reading order."""

from ._answer_headers import AnswerHeaders, MiddlewareResponse
from ._compression import FILE_CODINGS, HttpCompression, compress_file, negotiate_coding
from ._config import EngineConfig
from ._contract import Engine
from ._decisions import Abandonment, Decision, Stage
from ._dirty import Dirty
from ._errors import ERROR_MESSAGES, ErrorCode, LocalProtocolError, RemoteProtocolError, unknown_option
from ._events import (
    CloseReason,
    DecisionAbandoned,
    DecisionRequested,
    EngineEvent,
    HookRaised,
    MessageReceived,
    RequestRefused,
    SessionClosed,
    SessionOpened,
    SessionUpgraded,
)
from ._exchange import Exchange
from ._ids import IdGenerator
from ._link import Link
from ._outgoing import Outgoing, message
from ._per_message_deflate import PerMessageDeflate, ZlibOptions
from ._request import Headers, Request, Response
from ._server import EngineServer
from ._session import Session
from ._tables import (
    EXCHANGE,
    LINK,
    SESSION,
    UPGRADE,
    ExchangeInput,
    ExchangeState,
    LinkInput,
    LinkState,
    SessionInput,
    SessionState,
    UpgradeInput,
    UpgradeState,
)
from ._timers import TimerHeap, TimerQueue, Timers
from ._wire_options import WireOptions

__all__ = [
    "ERROR_MESSAGES",
    "EXCHANGE",
    "FILE_CODINGS",
    "LINK",
    "SESSION",
    "UPGRADE",
    "Abandonment",
    "AnswerHeaders",
    "CloseReason",
    "Decision",
    "DecisionAbandoned",
    "DecisionRequested",
    "Dirty",
    "Engine",
    "EngineConfig",
    "EngineEvent",
    "EngineServer",
    "ErrorCode",
    "Exchange",
    "ExchangeInput",
    "ExchangeState",
    "Headers",
    "HookRaised",
    "HttpCompression",
    "IdGenerator",
    "Link",
    "LinkInput",
    "LinkState",
    "LocalProtocolError",
    "MessageReceived",
    "MiddlewareResponse",
    "Outgoing",
    "PerMessageDeflate",
    "RemoteProtocolError",
    "Request",
    "RequestRefused",
    "Response",
    "Session",
    "SessionClosed",
    "SessionInput",
    "SessionOpened",
    "SessionState",
    "SessionUpgraded",
    "Stage",
    "TimerHeap",
    "TimerQueue",
    "Timers",
    "UpgradeInput",
    "UpgradeState",
    "WireOptions",
    "ZlibOptions",
    "compress_file",
    "message",
    "negotiate_coding",
    "unknown_option",
]
