"""A trace: one behaviour of a server, recorded between it and its clients.

A trace is JSON Lines. The first line is its provenance: which reference, which version, which scenario and
options. Every further line is one thing that passed, in the order in which a proxy in the middle saw it:

    {"t": 0, "wire": 1, "from": "client", "request": {"method": ..., "target": ..., "headers": {...}, "body": ...}}
    {"t": 7, "wire": 1, "from": "server", "response": {"status": 200, "headers": {...}, "body": ...}}
    {"t": 9, "wire": 2, "from": "client", "text": "2probe"}        after a 101: a text message,
    {"t": 9, "wire": 2, "from": "server", "binary": "AQID"}        a binary one (base64), and
    {"t": 9, "wire": 2, "from": "server", "close": {"code": null, "reason": ""}}, "ping", "pong"
    {"t": 9, "wire": 2, "from": "client", "raw": "gYA="}           bytes that are no frame (base64)
    {"t": 9, "wire": 2, "from": "client", "end": true}             the connection ended while something was open
    {"t": 9, "from": "server", "log": {"event": "disconnect", ...}}      what the server told its log

`t` is integer milliseconds, `wire` one TCP connection. Ids are written as names, `${sid}`; see `_names`.
"msgpack" is a packet of socket.io-msgpack-parser, in place of "binary"; see `_msgpack`.
"compressed" says of a message that permessage-deflate was used. A body that is no UTF-8 text is "base64" in place
of "body"; "incomplete" marks a request whose body was cut. A body of more than 32 KiB is its digest, `sha256:...`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, final

SEPARATOR = "\x1e"
"""Between the packets of a polling payload of protocol 4."""

Json: TypeAlias = Any
Headers: TypeAlias = Mapping[str, str | tuple[str, ...]]
Side: TypeAlias = Literal["client", "server"]


class TraceError(ValueError):
    """A trace that is not one: the text names the file, the line and what is wrong with it."""


@final
@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, or the one that asks for a WebSocket."""

    method: str
    target: str
    "path and query, with names in place of ids"
    headers: Headers
    "lower-case names; only those that say something"
    body: str | bytes = ""
    "bytes where it is no text"
    incomplete: bool = False
    "the connection ended, by either side, before the body was whole"

    @property
    def is_upgrade(self) -> bool:
        return "upgrade" in self.headers

    @property
    def query(self) -> dict[str, str]:
        """The query's values, not decoded; of a repeated key the last."""
        pairs = (pair.partition("=") for pair in self.target.partition("?")[2].split("&"))
        return {key: value for key, _, value in pairs}

    @property
    def session(self) -> str | None:
        """The name of the session that it belongs to; None for a handshake."""
        return self.query.get("sid") or None

    @property
    def is_poll(self) -> bool:
        """Whether it asks for the packets of a session."""
        return self.method == "GET" and self.query.get("transport") == "polling" and self.session is not None


@final
@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    headers: Headers
    "lower-case names; only those that the recording keeps, whatever the server"
    body: str | bytes = ""


@final
@dataclass(frozen=True, slots=True)
class Message:
    """A WebSocket message, its fragments joined."""

    data: str | bytes
    "str for text, bytes for binary"
    compressed: bool | None = None
    "whether by permessage-deflate; None where it was not agreed on, or for a server is its own affair"
    msgpack: bool = False
    "whether data is the JSON of a packet that is sent as msgpack, in a binary message"


@final
@dataclass(frozen=True, slots=True)
class Control:
    """A WebSocket ping or pong."""

    kind: Literal["ping", "pong"]
    payload: str
    "one character per byte"


@final
@dataclass(frozen=True, slots=True)
class Close:
    """A WebSocket close frame."""

    code: int | None
    "None when the frame is empty"
    reason: str = ""


@final
@dataclass(frozen=True, slots=True)
class Raw:
    """What a client sent on a WebSocket that is no frame, or no text."""

    data: bytes


@final
@dataclass(frozen=True, slots=True)
class End:
    """The connection ended while a request was unanswered or a WebSocket open."""


@final
@dataclass(frozen=True, slots=True)
class Log:
    """One line of the server's log: how its user's handlers saw it."""

    entry: Mapping[str, Json]


What: TypeAlias = Request | Response | Message | Control | Close | Raw | End | Log


@final
@dataclass(frozen=True, slots=True)
class Line:
    """One thing that passed."""

    t: int
    "milliseconds since the first one"
    side: Side
    "who sent it"
    wire: int
    "the TCP connection, from 1 on; 0 for a log line"
    what: What
    exact: bool = False
    "for a payload: its packets and no others come in it, with these headers; for a message: compressed or not"


@final
@dataclass(frozen=True, slots=True)
class Trace:
    """One recorded behaviour."""

    name: str
    "the scenario"
    provenance: Mapping[str, Json]
    "reference, version, date, client, mode, options, behaviors"
    lines: tuple[Line, ...] = field(repr=False)

    @property
    def speaks_msgpack(self) -> bool:
        """Whether its messages are of socket.io-msgpack-parser."""
        return bool(self.provenance.get("options", {}).get("parser") == "msgpack")

    @property
    def config(self) -> dict[str, Json]:
        """What a server under test is configured with, in the words of the conformance target."""
        return {
            key: self.provenance[key] for key in ("mode", "options", "behaviors") if key in self.provenance
        }


def load_trace(path: Path) -> Trace:
    """Read a trace.

    Raises:
        TraceError: the file is no trace.
    """
    rows: list[Json] = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            rows.append(json.loads(text))
        except ValueError as error:
            raise TraceError(f"{path}:{number}: {error}") from None
    head: dict[str, Json] = cast("dict[str, Json]", rows[0]) if rows and isinstance(rows[0], dict) else {}
    if "scenario" not in head:
        raise TraceError(f"{path}:1: the first line must be the provenance, an object with a scenario")
    lines: list[Line] = []
    for number, row in enumerate(rows[1:], 2):
        try:
            lines.append(line_from_json(row))
        except (KeyError, TypeError, ValueError) as error:
            raise TraceError(f"{path}:{number}: {type(error).__name__}: {error}") from None
    return Trace(head["scenario"], head, tuple(lines))


def load_traces(folder: Path) -> list[Trace]:
    """All traces of a folder, by name."""
    return [load_trace(path) for path in sorted(folder.glob("*.jsonl"))]


_KINDS = ("request", "response", "text", "binary", "msgpack", "close", "ping", "pong", "raw", "end", "log")


def line_from_json(row: Mapping[str, Json]) -> Line:
    """One line of a trace."""
    kinds = [kind for kind in _KINDS if kind in row]
    if len(kinds) != 1:
        raise ValueError(f"a line is exactly one of {', '.join(_KINDS)}; this one is {kinds or 'none'}")
    unknown = set(row) - {"t", "wire", "from", "exact", "compressed", *kinds}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    side = row["from"]
    if side not in ("client", "server"):
        raise ValueError(f'"from" is {side!r}; allowed are "client" and "server"')
    wire = 0 if kinds[0] == "log" else row["wire"]
    what = _what(kinds[0], row[kinds[0]])
    if "compressed" in row:
        if not isinstance(what, Message):
            raise ValueError(f'"compressed" says something of a message only, not of {what}')
        what = replace(what, compressed=row["compressed"])
    return Line(row["t"], side, wire, what, bool(row.get("exact")))


def _what(kind: str, value: Json) -> What:
    match kind:
        case "request":
            cut = bool(value.get("incomplete"))
            return Request(value["method"], value["target"], _headers(value), _body(value), cut)
        case "response":
            return Response(value["status"], _headers(value), _body(value))
        case "text":
            return Message(str(value))
        case "binary":
            return Message(base64.b64decode(value, validate=True))
        case "msgpack":
            return Message(json.dumps(value, separators=(",", ":"), ensure_ascii=False), msgpack=True)
        case "close":
            return Close(value["code"], value["reason"])
        case "ping" | "pong":
            return Control("ping" if kind == "ping" else "pong", value)
        case "raw":
            return Raw(base64.b64decode(value, validate=True))
        case "end":
            return End()
        case _:
            return Log(value)


def _headers(value: Json) -> dict[str, str | tuple[str, ...]]:
    headers: dict[str, str | list[str]] = value["headers"]
    return {name: tuple(v) if isinstance(v, list) else v for name, v in headers.items()}


def _body(value: Json) -> str | bytes:
    if "base64" in value:
        return base64.b64decode(value["base64"], validate=True)
    body: str = value.get("body", "")
    return body
