"""Engine.IO sessions from a hand-written loop: polling, WebSocket and the upgrade; every message is sent back.

    python engineio_selectors.py --port 3000 [--ping-interval SECONDS]

Sockets and waiting are here, all else is in the packages; `docs/embedding.md` explains the loop step by step.
"""

import argparse
import os
import selectors
import socket
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from time import monotonic

from engineio_proto import EngineConfig, EngineEvent, EngineServer, Exchange, MessageReceived, Response
from engineio_wire import Pump, Wire


@dataclass(slots=True)
class Connection:
    sock: socket.socket
    wire: Wire[EngineEvent]
    rest: bytes | memoryview = b""  # what the kernel has not taken yet
    watched: int = 0  # what the selector waits for
    ended: bool = False  # the peer sends no more


class Server:
    def __init__(self, listener: socket.socket, config: EngineConfig) -> None:
        self.listener = listener
        self.engine = EngineServer(config, random_bytes=os.urandom)
        self.pump: Pump[EngineEvent] = Pump(self.engine, self.dispatch, self.other)
        self.connections: dict[Wire[EngineEvent], Connection] = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)

    def dispatch(self, events: list[EngineEvent]) -> None:
        for event in events:
            if isinstance(event, MessageReceived):
                event.session.send_message(event.data)

    def other(self, exchange: Exchange, body: bytes) -> None:
        exchange.answer(Response(404, (), b"Only /engine.io/ is here.\n"))
        self.engine.dirty.mark(exchange.owner)

    def run(self) -> None:
        while True:
            _ = self.pump.moved  # brings `pump.deadline` up to date
            slices = [wire for wire in self.connections if wire.has_pending]
            wait = 0.0 if slices else max(0.0, self.pump.deadline - monotonic())
            for key, mask in self.selector.select(None if wait == inf else wait):
                if key.data is None:
                    self.accept()
                elif mask & selectors.EVENT_WRITE:
                    self.flush(key.data)
                else:
                    self.read(key.data)
            for wire in slices:
                self.pump.feed(wire.resume, monotonic())
            if monotonic() >= self.pump.deadline:
                self.pump.expire(monotonic())
            while wires := self.pump.take():
                for wire in [wire for wire in wires if wire in self.connections]:
                    self.flush(self.connections[wire])

    def accept(self) -> None:
        with suppress(OSError):  # a client that went away again
            sock, address = self.listener.accept()
            sock.setblocking(False)
            wire = self.pump.wires.wire(now=monotonic(), remote_address=address[0])
            self.connections[wire] = Connection(sock, wire)
            self.flush(self.connections[wire])

    def read(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        connection.ended = not data
        if data:
            self.pump.feed(connection.wire.receive_bytes, data, monotonic())
        else:
            self.pump.feed(connection.wire.receive_eof, monotonic())
            self.flush(connection)

    def flush(self, connection: Connection) -> None:
        wire, blocked = connection.wire, connection.wire.blocked
        if data := wire.take_bytes(monotonic()):  # nothing while it is blocked
            connection.rest = memoryview(data)
        try:
            connection.rest = connection.rest[connection.sock.send(connection.rest) :]
        except BlockingIOError:
            pass
        except OSError:
            self.pump.feed(wire.connection_lost, monotonic())
        lost = wire.abort or (wire.closing and not connection.rest)
        if not lost and connection.rest and not blocked:
            wire.write_blocked(monotonic())
        elif not lost and blocked and not connection.rest:
            self.pump.feed(wire.write_ready, monotonic())
        events = selectors.EVENT_READ * (wire.wants_read and not connection.ended)
        events = 0 if lost else events | selectors.EVENT_WRITE * bool(connection.rest)
        if connection.watched and events != connection.watched:
            self.selector.unregister(connection.sock)
        if events and events != connection.watched:
            self.selector.register(connection.sock, events, connection)
        connection.watched = events
        if lost:
            connection.sock.close()
            del self.connections[wire]
            self.pump.feed(wire.connection_lost, monotonic())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Engine.IO sessions that echo.")
    parser.add_argument("--port", type=int, required=True, help="0 for any free one")
    parser.add_argument("--ping-interval", type=float, default=25.0, help="seconds")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", options.port)) as listening:
        listening.setblocking(False)
        server = Server(listening, EngineConfig(ping_interval=options.ping_interval))
        with suppress(KeyboardInterrupt):
            print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
            server.run()
        for connected in server.connections.values():
            connected.sock.close()
