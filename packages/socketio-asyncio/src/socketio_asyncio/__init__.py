"""Socket.IO and Engine.IO servers on asyncio: the vocabulary of `socketio_proto`, sockets, tasks and one timer."""

from engineio_proto import (
    AnswerHeaders,
    CloseReason,
    Headers,
    MiddlewareResponse,
    Request,
    RequestRefused,
    Response,
)
from socketio_proto import (
    Ack,
    AckDisconnected,
    AckError,
    AckTimeout,
    BroadcastOperator,
    ClassNamespace,
    ConnectionRefused,
    DisconnectReason,
    EngineSession,
    Handshake,
    LocalProtocolError,
    Namespace,
    ParentNamespace,
    ReservedEventError,
    Socket,
    TypedEvent,
)

from ._serve import serve
from ._server import EngineServer, Server

__all__ = [
    "Ack",
    "AckDisconnected",
    "AckError",
    "AckTimeout",
    "AnswerHeaders",
    "BroadcastOperator",
    "ClassNamespace",
    "CloseReason",
    "ConnectionRefused",
    "DisconnectReason",
    "EngineServer",
    "EngineSession",
    "Handshake",
    "Headers",
    "LocalProtocolError",
    "MiddlewareResponse",
    "Namespace",
    "ParentNamespace",
    "Request",
    "RequestRefused",
    "ReservedEventError",
    "Response",
    "Server",
    "Socket",
    "TypedEvent",
    "serve",
]
