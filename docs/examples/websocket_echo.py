"""A plain WebSocket echo server, without Engine.IO, on nothing but `engineio_wire` and `selectors`.

    python websocket_echo.py --port 9001 [--max-size BYTES] [--host ADDRESS]

Sockets and waiting are here. Text and binary, fragments, pings, closes, UTF-8 and permessage-deflate are the wire's
business and follow RFC 6455 and RFC 7692. `docs/embedding.md` explains the loop step by step.
"""

from __future__ import annotations

import argparse
import selectors
import signal
import socket
from math import inf
from time import monotonic
from typing import Never

from engineio_proto import Link, PerMessageDeflate, WireOptions
from engineio_wire import Flow, Pump, WebSocketCore, Wire, WireConfig

GRACE = 1.0  # seconds for the peers' part of the closes, when the server ends


class EchoServer:
    """The connections of one listening socket, until `bell` becomes readable."""

    def __init__(self, listener: socket.socket, bell: socket.socket, max_size: int) -> None:
        options = WireOptions(max_message_size=max_size, per_message_deflate=PerMessageDeflate())
        self.core = WebSocketCore(self.echo, options)
        # Conformance tools send 4 MB in fragments of 64 bytes, four times as many as the default bound allows.
        config = WireConfig(max_fragments=100_000)
        self.pump = Pump(self.core, lambda events: None, lambda exchange, body: None, config=config)
        self.flows: dict[Wire[Never], Flow[Never]] = {}
        self.slices: set[Flow[Never]] = set()  # their input goes on without waiting for the socket
        self.stop_at = inf
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self.accept)
        self.selector.register(bell, selectors.EVENT_READ, self.stop)

    def echo(self, link: Link, message: str | bytes) -> None:
        self.core.send(link, message)

    def run(self) -> None:
        while self.stop_at == inf or (self.flows and monotonic() < self.stop_at):
            _ = self.pump.moved  # brings `pump.deadline` up to date
            wait = 0.0 if self.slices else min(self.pump.deadline, self.stop_at) - monotonic()
            for key, mask in self.selector.select(None if wait == inf else max(0.0, wait)):
                if not isinstance(key.data, Flow):
                    key.data(key.fileobj)
                    continue
                if mask & selectors.EVENT_READ:
                    self.read(key.data)
                self.flush(key.data)
            slices, self.slices = self.slices, set()
            for flow in slices:
                flow.resume(monotonic())
            if monotonic() >= self.pump.deadline:
                self.pump.expire(monotonic())
            while wires := self.pump.take():
                for wire in wires:
                    if wire in self.flows:
                        self.flush(self.flows[wire])
        for flow in list(self.flows.values()):
            self.lose(flow)
        self.selector.close()

    def accept(self, listener: socket.socket) -> None:
        try:
            sock, address = listener.accept()
        except OSError:
            return  # the client went away again
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        flow = Flow(self.pump, sock, now=monotonic(), remote_address=address[0])
        self.flows[flow.wire] = flow
        self.selector.register(sock, selectors.EVENT_READ, flow)

    def read(self, flow: Flow[Never]) -> None:
        try:
            flow.receive(flow.transport.recv(65_536), monotonic())
        except BlockingIOError:
            pass
        except OSError:
            flow.broken()

    def flush(self, flow: Flow[Never]) -> None:
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
        if flow.over:
            self.lose(flow)
            return
        if flow.wire.has_pending:
            self.slices.add(flow)
        events = selectors.EVENT_READ * flow.wants_read | selectors.EVENT_WRITE * flow.wants_write
        watched = self.selector.get_map().get(flow.transport)
        if watched is not None and watched.events != events:
            self.selector.unregister(flow.transport)
        if events and (watched is None or watched.events != events):
            self.selector.register(flow.transport, events, flow)

    def lose(self, flow: Flow[Never]) -> None:
        if flow.transport in self.selector.get_map():
            self.selector.unregister(flow.transport)
        flow.transport.close()
        del self.flows[flow.wire]
        self.slices.discard(flow)
        flow.lose(monotonic())

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
    try:
        listener = socket.create_server((options.host, options.port))
    except (OSError, OverflowError) as error:
        parser.error(f"cannot listen on {options.host}:{options.port}: {error}")
    # A signal rings through a socket, so it is seen between two passes and never within one.
    bell, ring = socket.socketpair()
    ring.setblocking(False)
    signal.set_wakeup_fd(ring.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: None)
    with bell, ring, listener:
        listener.setblocking(False)
        print(f"ws://{options.host}:{listener.getsockname()[1]}", flush=True)
        EchoServer(listener, bell, options.max_size).run()


if __name__ == "__main__":
    main()
