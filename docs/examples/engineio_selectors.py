"""Engine.IO sessions from a hand-written loop: polling, WebSocket and the upgrade; every message is sent back.

    python engineio_selectors.py --port 3000 [--ping-interval SECONDS]

Sockets and waiting are here, all else is in the packages; `docs/embedding.md` explains the loop step by step.
"""

import argparse
import os
import selectors
import socket
from contextlib import suppress
from math import inf
from time import monotonic

from engineio_proto import EngineConfig, EngineEvent, EngineServer, Exchange, MessageReceived, Response
from engineio_wire import Flow, Pump, Wire


class Server:
    def __init__(self, listener: socket.socket, config: EngineConfig) -> None:
        self.listener = listener
        self.engine = EngineServer(config, random_bytes=os.urandom)
        self.pump: Pump[EngineEvent] = Pump(self.engine, self.dispatch, self.other)
        self.flows: dict[Wire[EngineEvent], Flow[EngineEvent]] = {}
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
            slices = [flow for flow in self.flows.values() if flow.wire.has_pending]
            wait = 0.0 if slices else max(0.0, self.pump.deadline - monotonic())
            for key, mask in self.selector.select(None if wait == inf else wait):
                if key.data is None:
                    self.accept()
                    continue
                if mask & selectors.EVENT_READ:
                    self.read(key.data)
                self.flush(key.data)
            for flow in slices:
                flow.resume(monotonic())
            if monotonic() >= self.pump.deadline:
                self.pump.expire(monotonic())
            while wires := self.pump.take():
                for wire in [wire for wire in wires if wire in self.flows]:
                    self.flush(self.flows[wire])

    def accept(self) -> None:
        with suppress(OSError):  # a client that went away again
            sock, address = self.listener.accept()
            sock.setblocking(False)
            flow = Flow(self.pump, sock, now=monotonic(), remote_address=address[0])
            self.flows[flow.wire] = flow
            self.selector.register(sock, selectors.EVENT_READ, flow)

    def read(self, flow: Flow[EngineEvent]) -> None:
        try:
            flow.receive(flow.transport.recv(65_536), monotonic())
        except BlockingIOError:
            pass
        except OSError:
            flow.broken()

    def flush(self, flow: Flow[EngineEvent]) -> None:
        try:
            if data := flow.output(monotonic()):
                flow.sent(flow.transport.send(data), monotonic())
            if flow.ends:
                flow.finished()
                flow.transport.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            flow.sent(0, monotonic())
        except OSError:
            flow.broken()
        events = selectors.EVENT_READ * flow.wants_read | selectors.EVENT_WRITE * flow.wants_write
        watched = self.selector.get_map().get(flow.transport)
        if watched is not None and (flow.over or watched.events != events):
            self.selector.unregister(flow.transport)
        if not flow.over and events and (watched is None or watched.events != events):
            self.selector.register(flow.transport, events, flow)
        if flow.over:
            flow.transport.close()
            del self.flows[flow.wire]
            flow.lose(monotonic())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Engine.IO sessions that echo.")
    parser.add_argument("--port", type=int, required=True, help="0 for any free one")
    parser.add_argument("--ping-interval", type=float, default=25.0, help="seconds")
    options = parser.parse_args()
    try:
        listening = socket.create_server(("127.0.0.1", options.port))
    except (OSError, OverflowError) as error:
        parser.error(f"cannot listen on port {options.port}: {error}")
    with listening:
        listening.setblocking(False)
        server = Server(listening, EngineConfig(ping_interval=options.ping_interval))
        with suppress(KeyboardInterrupt):
            print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
            server.run()
        for flow in server.flows.values():
            flow.transport.close()
