"""The Socket.IO server as a state machine without I/O: namespaces, rooms, acks and the user's vocabulary; and that of
Engine.IO alone."""

from ._acks import Ack
from ._adapter import BroadcastOptions, InMemoryAdapter
from ._class_namespace import ClassNamespace
from ._client_files import ClientFiles
from ._config import ServerConfig
from ._connection import Connection
from ._decisions import DecisionRunner
from ._engine_app import EngineServer
from ._engine_session import EngineSession
from ._errors import (
    AckDisconnected,
    AckError,
    AckTimeout,
    ConnectionRefused,
    LocalProtocolError,
    RemoteProtocolError,
    ReservedEventError,
)
from ._events import (
    ConnectionClosed,
    ConnectRequested,
    DisconnectReason,
    EventReceived,
    InboxReleased,
    NamespaceAbandoned,
    NamespaceCreated,
    NamespaceRequested,
    RoomChanged,
    ServerSideReceived,
    SocketConnected,
    SocketDisconnected,
    SocketErrored,
    SocketEvent,
)
from ._handshake import Handshake
from ._namespace import Namespace
from ._operator import BroadcastOperator, SocketOperator
from ._other import Other, OtherPaths
from ._parent import ParentNamespace
from ._runtime import Report, Runtime, Trouble, Waiter
from ._server import Server
from ._socket import Socket
from ._typed_event import TypedEvent

__all__ = [
    "Ack",
    "AckDisconnected",
    "AckError",
    "AckTimeout",
    "BroadcastOperator",
    "BroadcastOptions",
    "ClassNamespace",
    "ClientFiles",
    "ConnectRequested",
    "Connection",
    "ConnectionClosed",
    "ConnectionRefused",
    "DecisionRunner",
    "DisconnectReason",
    "EngineServer",
    "EngineSession",
    "EventReceived",
    "Handshake",
    "InMemoryAdapter",
    "InboxReleased",
    "LocalProtocolError",
    "Namespace",
    "NamespaceAbandoned",
    "NamespaceCreated",
    "NamespaceRequested",
    "Other",
    "OtherPaths",
    "ParentNamespace",
    "RemoteProtocolError",
    "Report",
    "ReservedEventError",
    "RoomChanged",
    "Runtime",
    "Server",
    "ServerConfig",
    "ServerSideReceived",
    "Socket",
    "SocketConnected",
    "SocketDisconnected",
    "SocketErrored",
    "SocketEvent",
    "SocketOperator",
    "Trouble",
    "TypedEvent",
    "Waiter",
]
