"""One TCP connection without I/O: HTTP/1.1 and WebSocket bytes to exchanges and links. See the README."""

from ._config import WireConfig
from ._date import HttpDate
from ._events import RequestReceived, WireEvent
from ._http_engine import BadRequest, HttpEngine, ParsedHead
from ._pump import Core, Pump
from ._response import check_response
from ._server import WireServer
from ._wire import Wire

__all__ = [
    "BadRequest",
    "Core",
    "HttpDate",
    "HttpEngine",
    "ParsedHead",
    "Pump",
    "RequestReceived",
    "Wire",
    "WireConfig",
    "WireEvent",
    "WireServer",
    "check_response",
]
