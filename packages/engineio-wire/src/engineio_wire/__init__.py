"""One TCP connection without I/O: HTTP/1.1 and WebSocket bytes to exchanges and links. See the README."""

from ._config import WireConfig
from ._date import HttpDate
from ._events import RequestReceived, WireEvent
from ._response import check_response
from ._server import WireServer
from ._wire import Wire

__all__ = [
    "HttpDate",
    "RequestReceived",
    "Wire",
    "WireConfig",
    "WireEvent",
    "WireServer",
    "check_response",
]
