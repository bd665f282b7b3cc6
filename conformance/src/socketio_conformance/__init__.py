"""Recorded sessions of the Socket.IO reference, and what replays them against any server. See the README."""

from ._client import ClientWire
from ._matcher import Lane, Matcher, Mismatch, lanes_of, match
from ._names import Names, UnboundName
from ._payload import packets_of
from ._peer import Connection, Peer
from ._process import ProcessPeer
from ._replay import Replay, replay
from ._trace import (
    Close,
    Control,
    End,
    Line,
    Log,
    Message,
    Raw,
    Request,
    Response,
    Trace,
    TraceError,
    line_from_json,
    load_trace,
    load_traces,
)

__all__ = [
    "ClientWire",
    "Close",
    "Connection",
    "Control",
    "End",
    "Lane",
    "Line",
    "Log",
    "Matcher",
    "Message",
    "Mismatch",
    "Names",
    "Peer",
    "ProcessPeer",
    "Raw",
    "Replay",
    "Request",
    "Response",
    "Trace",
    "TraceError",
    "UnboundName",
    "lanes_of",
    "line_from_json",
    "load_trace",
    "load_traces",
    "match",
    "packets_of",
    "replay",
]
