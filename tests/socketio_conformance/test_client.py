"""The client's end of a wire: what it sends, and how strictly it reads."""

from __future__ import annotations

import base64
import hashlib
import random
import re
import zlib

import pytest
from socketio_conformance import (
    ClientWire,
    Close,
    Control,
    End,
    Message,
    Mismatch,
    Names,
    Raw,
    Request,
    Response,
)

GET = Request("GET", "/", {})
UPGRADE = Request("GET", "/ws", {"upgrade": "websocket"})


def asked(request: Request = GET, *, last: bool = False) -> tuple[ClientWire, bytes]:
    wire = ClientWire()
    return wire, wire.bytes_of(request, Names(), last=last)


def link(extensions: str = "") -> ClientWire:
    wire, sent = asked(UPGRADE)
    key = re.search(rb"sec-websocket-key: (\S+)", sent)
    assert key is not None
    digest = hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    accept = base64.b64encode(digest).decode()
    head = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n"
    if extensions:
        head += f"Sec-WebSocket-Extensions: {extensions}\r\n"
    (answer,) = wire.receive(f"{head}\r\n".encode(), ended=False)
    assert isinstance(answer, Response)
    assert answer.status == 101
    return wire


class TestRequests:
    def test_a_get(self) -> None:
        assert asked()[1] == b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

    def test_the_last_one_closes(self) -> None:
        assert b"\r\nConnection: close\r\n" in asked(last=True)[1]

    def test_a_body_has_a_length_and_names_are_filled_in(self) -> None:
        names = Names()
        assert names.matches("${sid}", "abc")
        request = Request("POST", "/?sid=${sid}", {"content-type": "text/plain"}, "4${sid}\u20ac")
        sent = ClientWire().bytes_of(request, names, last=False)
        assert sent.startswith(b"POST /?sid=abc HTTP/1.1\r\n")
        assert b"\r\ncontent-type: text/plain\r\n" in sent
        assert b"\r\nContent-Length: 7\r\n" in sent
        assert sent.endswith(b"\r\n\r\n4abc\xe2\x82\xac")

    def test_a_cut_body_announces_more(self) -> None:
        sent = asked(Request("POST", "/", {}, "4a", incomplete=True))[1]
        assert b"\r\nContent-Length: 102\r\n" in sent

    def test_an_upgrade(self) -> None:
        sent = asked(UPGRADE)[1]
        assert b"\r\nupgrade: websocket\r\nConnection: Upgrade\r\nsec-websocket-version: 13\r\n" in sent


class TestResponses:
    @pytest.mark.parametrize(
        "data",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nDate: now\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-a: 1\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        ],
    )
    def test_framings_at_every_cut(self, data: bytes) -> None:
        for cut in range(len(data) + 1):
            wire, _ = asked()
            found = wire.receive(data[:cut], ended=False) + wire.receive(data[cut:], ended=False)
            assert found == [Response(200, {"x-a": "1"}, "ok")]
            assert not wire.waits

    @pytest.mark.parametrize(("coding", "wbits"), [("gzip", 31), ("deflate", 15)])
    def test_a_compressed_body_is_what_it_says(self, coding: str, wbits: int) -> None:
        body = zlib.compress(b"hello", wbits=wbits)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
        found = asked()[0].receive(head.encode() + body, ended=False)
        assert found == [Response(200, {"content-encoding": coding}, "hello")]

    def test_a_body_until_the_end(self) -> None:
        wire, _ = asked()
        assert wire.receive(b"HTTP/1.1 400 Bad\r\n\r\nab", ended=False) == []
        assert wire.receive(b"c", ended=True) == [Response(400, {}, "abc")]

    def test_repeated_headers_and_bytes(self) -> None:
        wire, _ = asked()
        data = b"HTTP/1.1 200 OK\r\nset-cookie: a\r\nSet-Cookie: b\r\nContent-Length: 1\r\n\r\n\xff"
        assert wire.receive(data, ended=False) == [Response(200, {"set-cookie": ("a", "b")}, b"\xff")]

    def test_an_end_instead_of_an_answer(self) -> None:
        wire, _ = asked()
        assert wire.receive(b"", ended=True) == [End()]
        assert wire.receive(b"", ended=True) == []

    def test_an_end_when_idle_is_nothing(self) -> None:
        assert ClientWire().receive(b"", ended=True) == []

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            (b"HTTP/1.0 200 OK\r\n\r\n", "no HTTP/1.1 status line"),
            (b"HTTP/1.1 2x0 OK\r\n\r\n", "no HTTP/1.1 status line"),
            (b"HTTP/1.1 200 OK\r\nbad\r\n\r\n", "no header line: 'bad'"),
            (b"HTTP/1.1 200 OK\r\nbad : 1\r\n\r\n", "no header line: 'bad : 1'"),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n",
                "does not end in CRLF",
            ),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "what nobody asked for: b'b'"),
            (
                b"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 1\r\n\r\na",
                "a coding that no trace",
            ),
            (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", "that is no gzip"),
        ],
    )
    def test_odd_answers(self, data: bytes, error: str) -> None:
        with pytest.raises(Mismatch, match=error):
            asked()[0].receive(data, ended=False)

    def test_a_wrong_accept(self) -> None:
        wire, _ = asked(UPGRADE)
        with pytest.raises(Mismatch, match="Sec-WebSocket-Accept is"):
            wire.receive(b"HTTP/1.1 101 X\r\nSec-WebSocket-Accept: abc\r\n\r\n", ended=False)


class TestFrames:
    @pytest.mark.parametrize(
        ("head", "size"),
        [(b"\x81\x7d", 125), (b"\x81\x7e\x00\x7e", 126), (b"\x81\x7f" + (65536).to_bytes(8, "big"), 65536)],
    )
    def test_lengths(self, head: bytes, size: int) -> None:
        data = head + b"x" * size
        wire = link()
        assert wire.receive(data[:5], ended=False) == []
        assert wire.receive(data[5:], ended=False) == [Message("x" * size)]

    def test_fragments_and_control_frames(self) -> None:
        data = b"\x02\x01a" + b"\x89\x01p" + b"\x80\x01b" + b"\x8a\x00" + b"\x88\x00"
        expected = [Control("ping", "p"), Message(b"ab"), Control("pong", ""), Close(None)]
        assert link().receive(data, ended=True) == expected

    def test_a_close_with_a_code(self) -> None:
        assert link().receive(b"\x88\x05\x03\xf1bye", ended=False) == [Close(1009, "bye")]

    def test_an_end_without_a_close(self) -> None:
        assert link().receive(b"", ended=True) == [End()]

    def test_an_end_after_the_client_has_closed(self) -> None:
        wire = link()
        wire.bytes_of(Close(None), Names(), last=True)
        assert wire.receive(b"", ended=True) == []

    @pytest.mark.parametrize(
        ("data", "error"), [(b"\xc1\x00", "RSV bits"), (b"\x81\x80\0\0\0\0", "a frame with a mask")]
    )
    def test_odd_frames(self, data: bytes, error: str) -> None:
        with pytest.raises(Mismatch, match=error):
            link().receive(data, ended=False)

    @pytest.mark.parametrize("size", [0, 3, 125, 126, 65535, 65536])
    def test_what_is_sent_is_masked(self, size: int) -> None:
        data = bytes(range(256)) * 257
        sent = link().bytes_of(Message(data[:size]), Names(), last=True)
        assert sent[0] == 0x82
        assert sent[1] & 0x80
        mask, masked = sent[-size - 4 : len(sent) - size], sent[len(sent) - size :]
        assert bytes(b ^ mask[i % 4] for i, b in enumerate(masked)) == data[:size]

    def test_what_is_no_frame_is_sent_as_it_is(self) -> None:
        assert link().bytes_of(Raw(b"\xff\x00"), Names(), last=True) == b"\xff\x00"

    def test_no_frame_without_a_websocket(self) -> None:
        with pytest.raises(Mismatch, match="no WebSocket yet"):
            ClientWire().bytes_of(Message("4a"), Names(), last=True)


def deflated(*messages: bytes, bits: int = 15, keep: bool = True) -> list[bytes]:
    """The payloads of compressed frames."""
    deflate = zlib.compressobj(wbits=-bits)
    found: list[bytes] = []
    for message in messages:
        found.append((deflate.compress(message) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4])
        if not keep:
            deflate = zlib.compressobj(wbits=-bits)
    return found


def compressed_frame(payload: bytes, first: int = 0xC1) -> bytes:
    return bytes([first, len(payload)]) + payload


class TestDeflate:
    TEXT = b"4hello hello hello"

    def test_a_context_is_kept(self) -> None:
        wire = link("permessage-deflate")
        for payload in deflated(self.TEXT, self.TEXT):
            assert wire.receive(compressed_frame(payload), ended=False) == [
                Message(self.TEXT.decode(), compressed=True)
            ]
        assert wire.receive(b"\x81\x024a", ended=False) == [Message("4a", compressed=False)]

    def test_fragments(self) -> None:
        (payload,) = deflated(self.TEXT)
        data = compressed_frame(payload[:5], 0x42) + compressed_frame(payload[5:], 0x80)
        assert link("permessage-deflate").receive(data, ended=False) == [Message(self.TEXT, compressed=True)]

    def test_a_context_that_was_given_up(self) -> None:
        extensions = "permessage-deflate; server_no_context_takeover"
        kept, given_up = deflated(self.TEXT, self.TEXT), deflated(self.TEXT, self.TEXT, keep=False)
        wire = link(extensions)
        for payload in given_up:
            assert wire.receive(compressed_frame(payload), ended=False)
        wire = link(extensions)
        assert wire.receive(compressed_frame(kept[0]), ended=False)
        with pytest.raises(Mismatch, match="cannot be inflated"):
            wire.receive(compressed_frame(kept[1]), ended=False)

    def test_a_window_that_is_too_large(self) -> None:
        message = b"4" + random.Random(1).randbytes(1000).hex().encode()
        for bits, agreed in ((10, 10), (15, 10)):
            (first, second) = deflated(message, message, bits=bits)
            wire = link(f"permessage-deflate; server_max_window_bits={agreed}")
            data = b"\xc1\x7e" + len(first).to_bytes(2, "big") + first
            data += b"\xc1\x7e" + len(second).to_bytes(2, "big") + second
            if bits == agreed:
                assert len(wire.receive(data, ended=False)) == 2
            else:
                with pytest.raises(Mismatch, match="cannot be inflated"):
                    wire.receive(data, ended=False)

    def test_only_messages_are_compressed(self) -> None:
        for first in (0xC9, 0xC0, 0xA1):
            with pytest.raises(Mismatch, match="RSV bits"):
                link("permessage-deflate").receive(bytes([first, 0]), ended=False)

    @pytest.mark.parametrize("reset", [False, True])
    def test_what_is_sent(self, reset: bool) -> None:
        parameters = "; client_no_context_takeover; client_max_window_bits=9" if reset else ""
        wire = link(f"permessage-deflate{parameters}")
        server = link(f"permessage-deflate; server_max_window_bits=9{'; server_no_context_takeover' * reset}")
        for _ in range(2):
            sent = wire.bytes_of(Message("4hello hello", compressed=True), Names(), last=True)
            assert sent[0] == 0xC1
            size, mask = sent[1] & 0x7F, sent[2:6]
            payload = bytes(b ^ mask[i % 4] for i, b in enumerate(sent[6:]))
            assert size == len(payload)
            assert server.receive(compressed_frame(payload), ended=False) == [
                Message("4hello hello", compressed=True)
            ]
        assert wire.bytes_of(Message("4a", compressed=False), Names(), last=True)[0] == 0x81
