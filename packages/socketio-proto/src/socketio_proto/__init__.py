"""The Socket.IO server as a state machine without I/O: namespaces, rooms, acks and the user's vocabulary; and that of
Engine.IO alone."""

from ._acks import Ack, ForwardedAck, PendingAck
from ._adapter import (
    Adapter,
    AdapterEvent,
    AdapterEvents,
    AdapterFactory,
    AnswerReceived,
    AnswersComplete,
    AnswersExpected,
    BroadcastOptions,
    DeliveryReady,
    DisconnectReady,
    Due,
    JoinReady,
    LeaveReady,
    SavedSession,
    ServerSideEventReceived,
    SessionRestored,
    SocketDetails,
)
from ._class_namespace import ClassNamespace
from ._client_files import ClientFiles
from ._config import RecoveryConfig, ServerConfig
from ._connection import Connection
from ._decisions import DecisionRunner
from ._engine_app import EngineServer
from ._engine_session import EngineSession
from ._errors import (
    AckDisconnected,
    AckError,
    AckTimeout,
    AnswersMissing,
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
from ._in_memory import InMemoryAdapter
from ._namespace import Namespace
from ._operator import BroadcastOperator, RemoteSocket, SocketOperator
from ._other import Other, OtherPaths
from ._packet_log import LoggedPacket, PacketLog, reaches
from ._parent import ParentNamespace
from ._question import Question, Restoring
from ._recovery import SessionAwareAdapter
from ._runtime import Report, Runtime, Trouble, Waiter
from ._server import Server
from ._serving import check_serve
from ._socket import Socket
from ._typed_event import TypedEvent

__all__ = [
    "Ack",
    "AckDisconnected",
    "AckError",
    "AckTimeout",
    "Adapter",
    "AdapterEvent",
    "AdapterEvents",
    "AdapterFactory",
    "AnswerReceived",
    "AnswersComplete",
    "AnswersExpected",
    "AnswersMissing",
    "BroadcastOperator",
    "BroadcastOptions",
    "ClassNamespace",
    "ClientFiles",
    "ConnectRequested",
    "Connection",
    "ConnectionClosed",
    "ConnectionRefused",
    "DecisionRunner",
    "DeliveryReady",
    "DisconnectReady",
    "DisconnectReason",
    "Due",
    "EngineServer",
    "EngineSession",
    "EventReceived",
    "ForwardedAck",
    "Handshake",
    "InMemoryAdapter",
    "InboxReleased",
    "JoinReady",
    "LeaveReady",
    "LocalProtocolError",
    "LoggedPacket",
    "Namespace",
    "NamespaceAbandoned",
    "NamespaceCreated",
    "NamespaceRequested",
    "Other",
    "OtherPaths",
    "PacketLog",
    "ParentNamespace",
    "PendingAck",
    "Question",
    "RecoveryConfig",
    "RemoteProtocolError",
    "RemoteSocket",
    "Report",
    "ReservedEventError",
    "Restoring",
    "RoomChanged",
    "Runtime",
    "SavedSession",
    "Server",
    "ServerConfig",
    "ServerSideEventReceived",
    "ServerSideReceived",
    "SessionAwareAdapter",
    "SessionRestored",
    "Socket",
    "SocketConnected",
    "SocketDetails",
    "SocketDisconnected",
    "SocketErrored",
    "SocketEvent",
    "SocketOperator",
    "Trouble",
    "TypedEvent",
    "Waiter",
    "check_serve",
    "reaches",
]
