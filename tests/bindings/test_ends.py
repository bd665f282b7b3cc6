"""How a TCP connection ends: nothing that was written is lost, and a client that stays is not waited for for ever."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from tests.bindings.client import DEADLINE, Client, WebSocketTransport, frame
from tests.bindings.harness import Binding, Running

Serve = Callable[..., Running]

UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def read_to_end(client: socket.socket) -> bytes:
    """Everything until the server's end; a reset raises."""
    received = b""
    while piece := client.recv(65_536):
        received += piece
    return received


def test_a_reset_does_not_overtake_the_close_frame(binding: Binding, serve: Serve) -> None:
    running = serve(binding.server())
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", running.port), timeout=DEADLINE) as client:
            # An opcode that RFC 6455 reserves, and much that the server will not look at.
            client.sendall(UPGRADE + frame(b"", opcode=3) + bytes(1_000_000))
            assert read_to_end(client).endswith(b"\x88\x02" + (1002).to_bytes(2, "big"))


def test_a_refused_request_is_answered_before_the_end(binding: Binding, serve: Serve) -> None:
    running = serve(binding.server())
    with socket.create_connection(("127.0.0.1", running.port), timeout=DEADLINE) as client:
        client.sendall(b"nonsense\r\n\r\n" + bytes(1_000_000))
        assert read_to_end(client).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_does_not_wait_for_the_answer_takes_nothing_from_the_others(
    binding: Binding, serve: Serve
) -> None:
    io = binding.server()

    @io.on("disconnect")
    def disconnected(socket: Any, reason: str) -> None:
        io.emit("left")

    running = serve(io)
    other = Client(running.port)
    for _ in range(20):
        client = Client(running.port)
        assert isinstance(client.transport, WebSocketTransport)
        # Its socket is gone when the answer to its close frame is written: that write is reset, and ending our side
        # of the connection fails, in the very pass that tells the other client.
        client.transport.websocket.close_frame()
        client.transport.websocket.close()
        assert other.event() == ["left"]
