"""Plain WebSockets: a core for those who have no Engine.IO, and the flow of a loop with non-blocking sockets."""

from __future__ import annotations

from typing import Any, Never

from engineio_proto import Link, PerMessageDeflate, WireOptions
from engineio_wire import Flow, Pump, WebSocketCore

from tests.engineio_wire.peer import frame, request, text, upgrade


class Loop:
    """A loop with one connection, whose kernel takes `room` more bytes."""

    def __init__(self, room: int = 1 << 20, **options: Any) -> None:
        self.heard: list[tuple[Link, str | bytes]] = []
        options.setdefault("max_message_size", 1000)
        self.core = WebSocketCore(self.receive, WireOptions(**options))
        self.pump: Pump[Never] = Pump(self.core, lambda events: None, lambda exchange, body: None)
        self.flow: Flow[Never] = Flow(self.pump, self, now=0.0, remote_address="10.0.0.1")
        self.room = room
        self.written = b""
        self.now = 0.0
        self.shut = False

    def receive(self, link: Link, message: str | bytes) -> None:
        self.heard.append((link, message))
        self.core.send(link, message)

    def feed(self, *chunks: bytes) -> Loop:
        for chunk in chunks:
            self.flow.receive(chunk, self.now)
        return self.make_pass()

    def make_pass(self) -> Loop:
        self.flush()
        while self.pump.take():
            self.flush()
        return self

    def flush(self) -> None:
        if data := self.flow.output(self.now):
            count = min(self.room, len(data))
            self.room -= count
            self.written += data[:count]
            self.flow.sent(count, self.now)
        if self.flow.ends:
            self.flow.finished()
            self.shut = True

    def taken(self) -> bytes:
        written, self.written = self.written, b""
        return written


def opened(room: int = 1 << 20, **options: Any) -> Loop:
    loop = Loop(**options).feed(upgrade("/any/path"))
    assert loop.taken().startswith(b"HTTP/1.1 101 ")
    loop.room = room
    return loop


def test_messages_come_and_go() -> None:
    loop = opened()
    loop.feed(text("hello") + frame(0x82, b"\x00\xff"), text("é"))
    assert [message for _, message in loop.heard] == ["hello", b"\x00\xff", "é"]
    assert loop.taken() == b"\x81\x05hello\x82\x02\x00\xff\x81\x02\xc3\xa9"
    [link] = loop.core.links
    assert link.request.target == "/any/path" and link.request.remote_address == "10.0.0.1"


def test_compression_is_an_option_of_the_core() -> None:
    loop = Loop(per_message_deflate=PerMessageDeflate(threshold=0))
    loop.feed(upgrade("/", Sec_WebSocket_Extensions="permessage-deflate"))
    assert b"Sec-WebSocket-Extensions: permessage-deflate\r\n" in loop.taken()
    loop.feed(text("hello"))
    assert loop.taken()[0] == 0xC1
    [link] = loop.core.links
    loop.core.send(link, "hello", compress=False)
    assert loop.make_pass().taken() == b"\x81\x05hello"


def test_other_requests() -> None:
    loop = Loop()
    loop.feed(request("POST", "/", "Expect: 100-continue", body=b"thrown away"))
    answer = loop.taken()
    assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n") and b"Upgrade: websocket\r\n" in answer
    assert answer.endswith(b"This is a WebSocket server.\n")
    assert loop.core.take_events() == [] and loop.core.handle_timeout(0.0) == []


def test_our_close_waits_for_the_peers() -> None:
    loop = opened()
    loop.pump.close(loop.now)
    [link] = loop.core.links
    loop.core.close_link(link)
    loop.core.send(link, "too late")
    assert loop.make_pass().taken() == b"\x88\x00"
    assert not loop.flow.ends and loop.flow.wants_read
    loop.feed(frame(0x88, b""))
    assert loop.shut and not loop.flow.over and loop.core.links == set()
    loop.feed(b"", b"")
    assert loop.flow.over and not loop.flow.wants_read
    loop.flow.lose(loop.now)
    assert loop.pump.take() == []


def test_a_peer_that_does_not_answer_our_close() -> None:
    loop = opened()
    loop.pump.close(loop.now)
    loop.make_pass()
    assert loop.pump.moved
    loop.now = loop.pump.deadline
    assert loop.now == 30.0 and loop.core.deadline == 30.0
    loop.pump.expire(loop.now)
    loop.make_pass()
    assert loop.flow.over


def test_what_the_kernel_does_not_take_waits() -> None:
    loop = opened(room=4)
    loop.feed(text("0123456789")).feed(text("held back"))
    [link] = loop.core.links
    assert loop.flow.wants_write and link.blocked and not loop.flow.wants_read
    assert [message for _, message in loop.heard] == ["0123456789"]
    loop.room = 1
    loop.make_pass()
    assert loop.flow.wants_write and link.blocked
    loop.room = 100
    loop.make_pass()
    assert not loop.flow.wants_write and not link.blocked
    assert loop.flow.wire.has_pending
    loop.flow.resume(loop.now)
    loop.make_pass()
    assert loop.taken() == b"\x81\x0a0123456789\x81\x09held back" and loop.flow.wants_read


def test_our_side_ends_when_all_is_written() -> None:
    loop = opened(room=1)
    loop.feed(text("a") + frame(0x88, b"\x03\xe8"))
    for _ in range(6):
        assert not loop.shut and loop.flow.wants_write
        loop.room = 1
        loop.make_pass()
    assert loop.shut and loop.taken() == b"\x81\x01a\x88\x02\x03\xe8"


def test_a_reset() -> None:
    loop = opened()
    loop.flow.broken()
    assert loop.flow.over
    loop.flow.lose(loop.now)
    assert loop.core.links == set() and loop.pump.take() == []


def test_the_end_of_the_peer_ends_the_connection() -> None:
    loop = opened()
    loop.feed(text("a")).feed(b"")
    assert loop.shut and loop.flow.over and loop.taken() == b"\x81\x01a"
