"""Compressed polls through the wire, bytes in and bytes out, decoded by Python's own zlib and by brotli."""

from __future__ import annotations

import gzip
import json
import zlib

import brotli
import pytest
from engineio_proto import EngineConfig, EngineEvent, EngineServer, Session, message
from engineio_wire import Wire, WireServer

DECODE = {"gzip": gzip.decompress, "deflate": zlib.decompress, "br": brotli.decompress, None: bytes}


class Polls:
    """Clients on polling, each with a connection of its own."""

    def __init__(self, **options: object) -> None:
        config = EngineConfig.from_options(options)
        self.engine = EngineServer(config, random_bytes=bytes)
        self.wires: WireServer[EngineEvent] = WireServer(self.engine)

    def connect(self) -> tuple[Wire[EngineEvent], Session]:
        wire = self.wires.wire(now=0.0, remote_address="192.0.2.1", secure=False)
        _, body = self.get(wire, "")
        return wire, self.engine.sessions[json.loads(body[1:])["sid"]]

    def get(self, wire: Wire[EngineEvent], sid: str, accept: str | None = None) -> tuple[str | None, bytes]:
        """One GET: the coding, and the decoded body."""
        self.ask(wire, sid, accept)
        return self.answer(wire)

    def ask(self, wire: Wire[EngineEvent], sid: str, accept: str | None) -> None:
        header = "" if accept is None else f"Accept-Encoding: {accept}\r\n"
        path = f"/engine.io/?EIO=4&transport=polling&sid={sid}"
        wire.receive_bytes(f"GET {path} HTTP/1.1\r\nHost: a\r\n{header}\r\n".encode(), 0.0)

    def answer(self, wire: Wire[EngineEvent]) -> tuple[str | None, bytes]:
        head, _, body = wire.take_bytes(0.0).partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        assert status == "HTTP/1.1 200 OK"
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        assert len(headers) == len(lines), "a header is there twice"
        assert headers["content-length"] == str(len(body))
        coding = headers.get("content-encoding")
        return coding, DECODE[coding](body)


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        (None, None),
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0", None),
    ],
)
def test_every_coding(accept: str | None, coding: str | None) -> None:
    polls = Polls(http_compression={"threshold": 1024, "brotli": True})
    wire, session = polls.connect()
    long = "grüße 🚀 " * 200
    session.send_message(long, b"\x00\x01" * 1000)
    assert polls.get(wire, session.id, accept) == (coding, f"4{long}\x1eb{'AAEAAQAB' * 333}AAE=".encode())
    session.send_message("short")
    assert polls.get(wire, session.id, accept) == (None, b"4short")


def test_a_broadcast_to_parked_polls() -> None:
    polls = Polls()
    clients = [polls.connect() for _ in range(6)]
    for number, (wire, session) in enumerate(clients):
        polls.ask(wire, session.id, ("gzip", "deflate")[number % 2])
    shared = message("x" * 5000)
    for _, session in clients:
        session.send(shared)
    got = [polls.answer(wire) for wire, _ in clients]
    assert got == [(("gzip", "deflate")[number % 2], b"4" + b"x" * 5000) for number in range(6)]
    assert shared.compressed is not None and set(shared.compressed) == {("gzip", b"4"), ("deflate", b"4")}


def test_a_compressed_handshake_keeps_its_cookie() -> None:
    polls = Polls(http_compression=True, cookie=True)
    wire = polls.wires.wire(now=0.0, remote_address="192.0.2.1", secure=False)
    polls.ask(wire, "", "gzip")
    head, _, body = wire.take_bytes(0.0).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[1:3] == [b"Content-Type: text/plain; charset=UTF-8", b"Content-Encoding: gzip"]
    assert any(line.startswith(b"Set-Cookie: io=") for line in lines)
    assert gzip.decompress(body).startswith(b'0{"sid":')
