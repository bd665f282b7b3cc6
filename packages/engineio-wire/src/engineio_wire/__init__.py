"""One TCP connection without I/O: HTTP/1.1 and WebSocket bytes to exchanges and links. See the README."""

from ._codec import CodecSettings, FrameCodec, Received, Violation, WebSocketEngine
from ._config import WireConfig
from ._date import HttpDate
from ._events import RequestReceived, WireEvent
from ._flow import Flow
from ._frames import FrameHeader
from ._http_engine import BadRequest, HttpEngine, ParsedHead
from ._negotiation import DeflateParameters
from ._plain import WebSocketCore
from ._pump import Core, Pump
from ._response import check_response
from ._server import WireServer
from ._wire import Wire
from ._wsproto_codec import WsprotoEngine

__all__ = [
    "BadRequest",
    "CodecSettings",
    "Core",
    "DeflateParameters",
    "Flow",
    "FrameCodec",
    "FrameHeader",
    "HttpDate",
    "HttpEngine",
    "ParsedHead",
    "Pump",
    "Received",
    "RequestReceived",
    "Violation",
    "WebSocketCore",
    "WebSocketEngine",
    "Wire",
    "WireConfig",
    "WireEvent",
    "WireServer",
    "WsprotoEngine",
    "check_response",
]
