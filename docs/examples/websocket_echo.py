"""A plain WebSocket echo server, without Engine.IO, on nothing but `engineio_wire` and `selectors`.

    python websocket_echo.py --port 9001 [--max-size BYTES] [--host ADDRESS]

It shows how little of this toolkit an embedder must take: `Echo` is all that stands behind the wire (it satisfies
the wire's contract, accepts every upgrade and sends every message back), `Loop` is all that stands before it.
Text and binary, fragments, pings, closes and UTF-8 are the wire's business and follow RFC 6455. permessage-deflate
(RFC 7692) is not built yet: an offer of it is declined, as the RFC allows, so conformance tools skip those cases.
`docs/embedding.md` explains the loop step by step.
"""

from __future__ import annotations

import argparse
import selectors
import signal
import socket
from math import inf
from time import monotonic
from typing import Never

from engineio_proto import Dirty, Exchange, Link, LinkState, Outgoing, Response, Timers, WireOptions
from engineio_wire import Pump, Wire, WireConfig

GRACE = 1.0  # seconds for the peers' part of the closes, when the server ends


class Echo:
    """What the wire drives. It makes no events of its own, so every list is empty."""

    def __init__(self, max_message_size: int) -> None:
        self.wire_options = WireOptions(max_message_size=max_message_size)
        self.dirty = Dirty()
        self.timers = Timers()
        self.links: set[Link] = set()

    def receive_upgrade(self, link: Link, now: float) -> list[Never]:
        link.accept()
        self.links.add(link)
        return []

    def receive_text(self, link: Link, text: str, now: float) -> list[Never]:
        return self.echo(link, text)

    def receive_bytes(self, link: Link, data: bytes, now: float) -> list[Never]:
        return self.echo(link, data)

    def echo(self, link: Link, message: str | bytes) -> list[Never]:
        link.push(Outgoing((message,)))
        self.dirty.mark(link.owner)
        return []

    def link_blocked(self, link: Link) -> None:
        link.paused = True  # who does not read the echoes may send no more

    def link_writable(self, link: Link, now: float) -> list[Never]:
        link.paused = False
        return []

    def link_closed(self, link: Link, now: float, error: str | None = None) -> list[Never]:
        link.ended()
        self.links.discard(link)
        return []

    def close(self, now: float) -> list[Never]:
        for link in self.links:
            if link.state is LinkState.OPEN:
                link.close()
                self.dirty.mark(link.owner)
        return []

    # Requests that are no WebSocket handshake: every path is ours, and none has a page.

    def owns(self, target: str) -> bool:
        return True

    def receive_request(self, exchange: Exchange, now: float) -> list[Never]:
        headers = (("Upgrade", "websocket"), ("Content-Type", "text/plain"))
        exchange.answer(Response(426, headers, b"This is a WebSocket server.\n"))
        return []

    def receive_body(self, exchange: Exchange, data: bytes, now: float) -> list[Never]:
        return []  # never called: the request was answered, so its body is thrown away

    def receive_body_end(self, exchange: Exchange, now: float) -> list[Never]:
        return []

    def resume_body(self, exchange: Exchange, now: float) -> list[Never]:
        return []

    def exchange_closed(self, exchange: Exchange, now: float) -> list[Never]:
        return []

    # Time and events: it has none, only the wires have deadlines.

    @property
    def deadline(self) -> float | None:
        return self.timers.deadline

    def handle_timeout(self, now: float) -> list[Never]:
        return []

    def take_events(self) -> list[Never]:
        return []


class Connection:
    """A socket, its wire, and what the kernel has not taken yet."""

    def __init__(self, sock: socket.socket, wire: Wire[Never]) -> None:
        self.sock = sock
        self.wire = wire
        self.rest = memoryview(b"")
        self.watched = 0  # what the selector waits for
        self.ended = False  # the peer sends no more
        self.finished = False  # we send no more


class Loop:
    """The connections of one listening socket, until `stop` becomes readable."""

    def __init__(self, listener: socket.socket, stop: socket.socket, echo: Echo) -> None:
        # Conformance tools send 4 MB in fragments of 64 bytes, four times as many as the default bound allows.
        config = WireConfig(max_fragments=100_000)
        self.pump: Pump[Never] = Pump(echo, lambda events: None, lambda exchange, body: None, config=config)
        self.connections: dict[Wire[Never], Connection] = {}
        self.slices: set[Connection] = set()  # their input goes on without waiting for the socket
        self.stop_at = inf
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        self.selector.register(stop, selectors.EVENT_READ, self.stop)

    def run(self) -> None:
        while self.stop_at == inf or (self.connections and monotonic() < self.stop_at):
            wait = 0.0 if self.slices else min(self.pump.deadline, self.stop_at) - monotonic()
            for key, mask in self.selector.select(None if wait == inf else max(0.0, wait)):
                if not isinstance(key.data, Connection):
                    key.data(key.fileobj)
                    continue
                if mask & selectors.EVENT_WRITE:
                    self.flush(key.data)
                if mask & selectors.EVENT_READ and key.data.wire in self.connections:
                    self.read(key.data)
            slices, self.slices = self.slices, set()
            for connection in slices:
                self.pump.feed(connection.wire.resume, monotonic())
            if monotonic() >= self.pump.deadline:
                self.pump.expire(monotonic())
            while wires := self.pump.take():
                for wire in wires:
                    if wire in self.connections:
                        self.flush(self.connections[wire])
            _ = self.pump.moved  # brings `pump.deadline` up to date
        for connection in list(self.connections.values()):
            self.lose(connection)
        self.selector.close()

    def accept(self, listener: socket.socket) -> None:
        try:
            sock, address = listener.accept()
        except OSError:
            return  # the client went away again
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = self.pump.wires.wire(now=monotonic(), remote_address=address[0])
        self.connections[wire] = Connection(sock, wire)
        self.watch(self.connections[wire])

    def read(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:  # reset: nothing can be sent either
            connection.finished, data = True, b""
        connection.ended = not data
        if data:
            self.pump.feed(connection.wire.receive_bytes, data, monotonic())
        else:
            self.pump.feed(connection.wire.receive_eof, monotonic())
            self.flush(connection)

    def flush(self, connection: Connection) -> None:
        """Write what there is, once; then do what the wire says."""
        wire = connection.wire
        blocked = wire.blocked
        if data := wire.take_bytes(monotonic()):  # nothing while it is blocked
            connection.rest = memoryview(data)
        try:
            if connection.rest:
                connection.rest = connection.rest[connection.sock.send(connection.rest) :]
            if wire.closing and not connection.rest and not connection.finished:
                # Our FIN first, then the peer's: closing a socket with unread input resets the connection, and the
                # peer could lose our close frame. The wire aborts when the peer takes too long.
                connection.finished = True
                connection.sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            connection.ended = connection.finished = True
        if wire.abort or (connection.ended and connection.finished):
            self.lose(connection)
            return
        if connection.rest and not blocked:
            wire.write_blocked(monotonic())
        elif blocked and not connection.rest:
            self.pump.feed(wire.write_ready, monotonic())
        if wire.has_pending:
            self.slices.add(connection)
        self.watch(connection)

    def watch(self, connection: Connection) -> None:
        reads = not connection.ended and (connection.wire.closing or connection.wire.wants_read)
        events = selectors.EVENT_READ * reads | selectors.EVENT_WRITE * bool(connection.rest)
        if events != connection.watched:
            if connection.watched:
                self.selector.unregister(connection.sock)
            if events:
                self.selector.register(connection.sock, events, connection)
            connection.watched = events

    def lose(self, connection: Connection) -> None:
        connection.ended, connection.rest = True, memoryview(b"")
        self.watch(connection)
        connection.sock.close()
        del self.connections[connection.wire]
        self.pump.feed(connection.wire.connection_lost, monotonic())

    def stop(self, bell: socket.socket) -> None:
        """Close every WebSocket; `run` ends when the peers have answered, or after `GRACE`."""
        self.selector.unregister(bell)
        self.selector.unregister(self.listener)
        self.stop_at = monotonic() + GRACE
        self.pump.close(monotonic())


def main() -> None:
    parser = argparse.ArgumentParser(description="A plain WebSocket echo server.")
    parser.add_argument("--port", type=int, required=True, help="0 for any free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--max-size", type=int, default=16 * 1024 * 1024, help="bytes of the largest message")
    options = parser.parse_args()
    if options.max_size < 0:
        parser.error(f"--max-size must be a number of bytes, not {options.max_size}")
    # A signal rings through a socket, so it is seen between two passes and never within one.
    bell, ring = socket.socketpair()
    ring.setblocking(False)
    signal.set_wakeup_fd(ring.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: None)
    with bell, ring, socket.create_server((options.host, options.port)) as listener:
        listener.setblocking(False)
        print(f"ws://{options.host}:{listener.getsockname()[1]}", flush=True)
        Loop(listener, bell, Echo(options.max_size)).run()


if __name__ == "__main__":
    main()
