"""A Socket.IO server behind a wire, as a binding drives it: bytes in, events out, dispatch, bytes out."""

from __future__ import annotations

from engineio_wire import WireServer
from socketio_proto import SocketEvent

from tests.sim.socketio import Stage


def test_behind_a_wire() -> None:
    stage = Stage()
    stage.server.on("ask", lambda socket, n: n + 1)
    wires: WireServer[SocketEvent] = WireServer(stage.server)
    wire = wires.wire(now=stage.clock.now, remote_address="192.0.2.1", secure=False)

    def talk(data: bytes) -> bytes:
        events = wire.receive_bytes(data, stage.clock.now)
        stage.server.dispatch(events)  # type: ignore[arg-type]
        stage.server.dispatch(stage.server.take_events())
        return wire.take_bytes(stage.clock.now)

    head = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n"
    opened = talk(head)
    sid = opened.partition(b'"sid":"')[2][:20]
    post = (
        b"POST /socket.io/?EIO=4&transport=polling&sid=%b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b"
    )
    body = b'40\x1e427["ask",1]'
    assert talk(post % (sid, len(body), body)).endswith(b"\r\n\r\nok")
    answer = talk(b"GET /socket.io/?EIO=4&transport=polling&sid=%b HTTP/1.1\r\nHost: a\r\n\r\n" % sid)
    assert answer.endswith(b"\x1e437[2]")
