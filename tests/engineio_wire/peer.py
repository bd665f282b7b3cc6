"""The other side of a wire: bytes of a client, an engine that writes down what it hears, and a driver's loop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from engineio_proto import (
    Dirty,
    EngineConfig,
    EngineServer,
    Exchange,
    Link,
    LinkState,
    Outgoing,
    PerMessageDeflate,
    Response,
    Timers,
    WireOptions,
)
from engineio_wire import Wire, WireConfig, WireServer

E = TypeVar("E")

http_engine: object = None
"""The option, for every engine that is made here; `conftest.py` sets it."""

PATH = "/engine.io/"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 1.3, with its answer:
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
MASK = b"\x37\xfa\x21\x3d"


def frame(first: int, payload: bytes, *, mask: bytes | None = MASK, form: int | None = None) -> bytes:
    """A client's frame. `form` forces the length's form (126, 127), minimal or not."""
    length = len(payload)
    if form is None:
        form = length if length < 126 else 126 if length < 65_536 else 127
    size = b"" if form < 126 else length.to_bytes(2 if form == 126 else 8, "big")
    head = bytes([first, form | (0x80 if mask is not None else 0)]) + size
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def text(payload: str) -> bytes:
    return frame(0x81, payload.encode())


def upgrade(target: str = PATH + "?EIO=4&transport=websocket", *extra: str, **changed: str | None) -> bytes:
    """A WebSocket handshake; a keyword changes or (None) leaves out a header."""
    headers: dict[str, str | None] = {
        "Host": "localhost",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items() if name != "method"}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    method = changed.get("method", "GET")
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, *extra, "", ""]).encode("latin-1")


def request(method: str, target: str, *headers: str, body: bytes = b"", version: str = "1.1") -> bytes:
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost", *headers]
    if body and not any("Transfer-Encoding" in header for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def poll(sid: str | None = None, *headers: str) -> bytes:
    return request("GET", f"{PATH}?EIO=4&transport=polling" + (f"&sid={sid}" if sid else ""), *headers)


def post(sid: str, body: bytes, *headers: str) -> bytes:
    return request("POST", f"{PATH}?EIO=4&transport=polling&sid={sid}", *headers, body=body)


def splits(data: bytes) -> Iterator[list[bytes]]:
    """The stream whole, cut at every point, and byte by byte."""
    yield [data]
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]
    yield [data[i : i + 1] for i in range(len(data))]


@dataclass
class RecordingEngine:
    """Satisfies `Engine` and writes down every input. What it does is set by its fields."""

    max_message_size: int = 1_000_000
    per_message_deflate: PerMessageDeflate | None = None
    ws_engine: Any = None
    echo: bool = False
    "Send every message back."
    close_at: int | None = None
    "Close the link after this many messages."
    decide: bool = True
    "Accept upgrades at once."
    headers: tuple[tuple[str, str], ...] = ()
    http_engine: object = field(default_factory=lambda: http_engine)
    heard: list[Any] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    dirty: Dirty = field(default_factory=Dirty)
    timers: Timers = field(default_factory=Timers)
    _messages: int = 0

    @property
    def wire_options(self) -> WireOptions:
        return WireOptions(
            max_message_size=self.max_message_size,
            http_engine=self.http_engine,
            per_message_deflate=self.per_message_deflate,
            ws_engine=self.ws_engine,
        )

    def owns(self, target: str) -> bool:
        return target.startswith(PATH)

    def _hear(self, *what: Any) -> list[Any]:
        self.heard.append(what)
        return [what]

    def receive_request(self, exchange: Exchange, now: float) -> list[Any]:
        self.exchanges.append(exchange)
        if exchange.request.method == "POST":
            exchange.expect_body()
        return self._hear("request", exchange.request.method, exchange.request.target)

    def receive_body(self, exchange: Exchange, data: bytes, now: float) -> list[Any]:
        assert exchange.body is not None
        exchange.body += data
        if len(exchange.body) > self.max_message_size:
            exchange.answer(Response(413))
        return []

    def receive_body_end(self, exchange: Exchange, now: float) -> list[Any]:
        body = exchange.body_complete()
        exchange.answer(Response(200, (), b"ok"))
        return self._hear("body", body)

    def resume_body(self, exchange: Exchange, now: float) -> list[Any]:
        raise AssertionError("this engine leaves nothing over")

    def exchange_closed(self, exchange: Exchange, now: float) -> list[Any]:
        return self._hear("exchange closed", exchange.request.target)

    def receive_upgrade(self, link: Link, now: float) -> list[Any]:
        self.links.append(link)
        if self.decide:
            link.accept(self.headers)
        return self._hear("upgrade", link.request.target)

    def receive_text(self, link: Link, text: str, now: float) -> list[Any]:
        return self._receive(link, text)

    def receive_bytes(self, link: Link, data: bytes, now: float) -> list[Any]:
        return self._receive(link, data)

    def _receive(self, link: Link, message: str | bytes) -> list[Any]:
        assert link.state is LinkState.OPEN, "a message on a link that is not open"
        assert type(message) in (str, bytes)
        self._messages += 1
        if self.echo:
            link.push(Outgoing((message,)))
            self.dirty.mark(link.owner)
        if self._messages == self.close_at:
            link.close()
            self.dirty.mark(link.owner)
        return self._hear("message", message)

    def link_closed(self, link: Link, now: float, error: str | None = None) -> list[Any]:
        assert link.state is not LinkState.CLOSED, "link_closed twice"
        link.ended()
        return self._hear("link closed", error)

    def link_blocked(self, link: Link) -> None:
        link.blocked = True

    def link_writable(self, link: Link, now: float) -> list[Any]:
        link.blocked = False
        self.dirty.mark(link.owner)
        return []


class Connection(Generic[E]):
    """A driver's loop around one wire: input, slices, flush. Checks what every binding relies on."""

    def __init__(self, server: WireServer[E], *, now: float = 0.0) -> None:
        self.server = server
        self.now = now
        self.wire: Wire[E] = server.wire(now=now, remote_address="127.0.0.1")
        self.events: list[Any] = []
        self.output = b""
        self.writes: list[bytes] = []
        self.lost = False
        # closing, abort, wants_read, has_pending, as they were after the last flush.
        self._seen = (False, False, True, False)

    def feed(self, *chunks: bytes) -> Connection[E]:
        for chunk in chunks:
            if self.wire.closing:
                break
            self._take(self.wire.receive_bytes(chunk, self.now))
        return self

    def eof(self) -> Connection[E]:
        return self._take(self.wire.receive_eof(self.now))

    def lose(self) -> Connection[E]:
        self.lost = True
        self.events += self.wire.connection_lost(self.now)
        return self

    def at(self, now: float) -> Connection[E]:
        """Let the time pass, every deadline on its way at its instant."""
        while (deadline := self.server.engine.timers.deadline) is not None and deadline <= now:
            self.now = max(deadline, self.now)
            engine: Any = self.server.engine
            if hasattr(engine, "handle_timeout"):
                self.events += engine.handle_timeout(self.now)
            self._take(self.server.handle_timeout(self.now))
            after = self.server.engine.timers.deadline
            assert after is None or after > deadline, "a deadline that does nothing"
        self.now = now
        return self

    def unblock(self) -> Connection[E]:
        return self._take(self.wire.write_ready(self.now))

    def _take(self, events: list[Any]) -> Connection[E]:
        self.events += events
        self.flush()
        while self.wire.has_pending:
            more = self.wire.resume(self.now)
            self.events += more
            self.flush()
        return self

    def flush(self) -> bytes:
        wire = self.wire
        dirty = wire in self.server.engine.dirty.take()
        data = wire.take_bytes(self.now)
        assert isinstance(data, bytes)
        if self.lost:
            assert not data
            return data
        seen = (wire.closing, wire.abort, wire.wants_read, wire.has_pending)
        assert dirty or (not data and seen == self._seen), f"nobody was told of {data!r} or {seen}"
        self._seen = seen
        assert not (self.wire.abort and data), "an aborted connection writes nothing"
        if data:
            self.writes.append(data)
        self.output += data
        return data

    def take(self) -> bytes:
        """What was written since the last call."""
        self.flush()
        output, self.output = self.output, b""
        return output

    @property
    def open(self) -> bool:
        return not self.wire.closing


def recording(
    engine: RecordingEngine | None = None, config: WireConfig | None = None
) -> tuple[RecordingEngine, Connection[Any]]:
    engine = engine if engine is not None else RecordingEngine()
    return engine, Connection(WireServer(engine, config if config is not None else WireConfig()))


def websocket(
    engine: RecordingEngine | None = None, config: WireConfig | None = None, *, offer: str | None = None
) -> tuple[RecordingEngine, Connection[Any]]:
    """A connection behind its 101, with nothing heard or written yet."""
    engine, connection = recording(engine, config)
    connection.feed(upgrade(Sec_WebSocket_Extensions=offer))
    assert connection.take().startswith(b"HTTP/1.1 101 ")
    engine.heard.clear()
    connection.events.clear()
    return engine, connection


def real(config: EngineConfig | None = None, wire: WireConfig | None = None) -> Connection[Any]:
    """A connection to the real engine."""
    config = replace(config or EngineConfig(), http_engine=http_engine)
    engine = EngineServer(config, random_bytes=os.urandom)
    return Connection(WireServer(engine, wire if wire is not None else WireConfig()))
