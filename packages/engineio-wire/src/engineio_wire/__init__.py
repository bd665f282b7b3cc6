"""One TCP connection without I/O: HTTP/1.1 and WebSocket bytes to exchanges and links. See the README."""

from ._config import WireConfig
from ._date import HttpDate
from ._events import RequestReceived, WireEvent
from ._pump import Core, Pump
from ._response import check_response
from ._server import WireServer
from ._wire import Wire

__all__ = [
    "Core",
    "HttpDate",
    "Pump",
    "RequestReceived",
    "Wire",
    "WireConfig",
    "WireEvent",
    "WireServer",
    "check_response",
]
