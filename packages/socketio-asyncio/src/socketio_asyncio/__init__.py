"""A Socket.IO server on asyncio: the vocabulary of `socketio_proto`, sockets, tasks and one timer."""

from engineio_proto import AnswerHeaders, Headers, MiddlewareResponse, Request, RequestRefused, Response
from socketio_proto import (
    Ack,
    AckDisconnected,
    AckError,
    AckTimeout,
    BroadcastOperator,
    ConnectionRefused,
    DisconnectReason,
    Handshake,
    LocalProtocolError,
    Namespace,
    ReservedEventError,
    Socket,
)

from ._serve import serve
from ._server import Server

__all__ = [
    "Ack",
    "AckDisconnected",
    "AckError",
    "AckTimeout",
    "AnswerHeaders",
    "BroadcastOperator",
    "ConnectionRefused",
    "DisconnectReason",
    "Handshake",
    "Headers",
    "LocalProtocolError",
    "MiddlewareResponse",
    "Namespace",
    "Request",
    "RequestRefused",
    "ReservedEventError",
    "Response",
    "Server",
    "Socket",
    "serve",
]
