"""Cases in the manner of the Autobahn test suite, against the echo example over a real socket.

A case sends bytes, perhaps in pieces, and says what must come back, to the end of the connection. The numbers in the
names are those of the suite's chapters: 1 framing, 2 pings, 3 reserved bits, 4 opcodes, 5 fragmentation, 6 UTF-8,
7 closes, 9 limits, 10 fragmentation by itself, 12 and 13 permessage-deflate. The suite itself needs Python 2.7; to run
it by hand, start the example and give its address to `wstest -m fuzzingclient` (autobahntestsuite 0.8.2).
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
import zlib
from collections.abc import Iterator, Sequence
from typing import Self

import pytest

from tests.engineio_wire.peer import upgrade
from tests.interop.target import SECONDS
from tests.interop.test_examples import Example, address, running

TEXT, BINARY, CLOSE, PING, PONG, FIN, RSV1 = 1, 2, 8, 9, 10, 0x80, 0x40
MASK = b"\x37\xfa\x21\x3d"
DONE = b"\x03\xe8"  # 1000
TAIL = b"\x00\x00\xff\xff"


@pytest.fixture(scope="module")
def echo() -> Iterator[Example]:
    with running("websocket_echo.py") as example:
        example.watchdog.cancel()  # every read here has its own time, and there are many
        yield example


def frame(first: int, payload: bytes = b"") -> bytes:
    """A client's frame, fast enough for megabytes."""
    size = len(payload)
    form = size if size < 126 else 126 if size < 65_536 else 127
    length = b"" if form < 126 else size.to_bytes(2 if form == 126 else 8, "big")
    key = (MASK * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return bytes([first, 0x80 | form]) + length + MASK + masked.to_bytes(size, "big")


def text(payload: bytes | str) -> bytes:
    return frame(FIN | TEXT, payload.encode() if isinstance(payload, str) else payload)


def close(payload: bytes = DONE) -> bytes:
    return frame(FIN | CLOSE, payload)


def fragments(opcode: int, *pieces: bytes) -> list[bytes]:
    last = len(pieces) - 1
    return [frame((opcode if i == 0 else 0) | (FIN if i == last else 0), p) for i, p in enumerate(pieces)]


def chopped(data: bytes, size: int = 1) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


class Peer:
    """A client that believes nothing: it reads frames as they are."""

    def __init__(self, example: Example, offer: str | None = None) -> None:
        self.socket = socket.create_connection(address(example), timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(upgrade("/", Sec_WebSocket_Extensions=offer))
        head = b"".join(iter(self.file.readline, b"\r\n"))
        assert head.startswith(b"HTTP/1.1 101 "), head
        self.extensions = head.partition(b"Sec-WebSocket-Extensions: ")[2].partition(b"\r\n")[0].decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()
        self.socket.close()

    def send(self, chunks: Sequence[bytes]) -> threading.Thread:
        """From a thread: the server stops reading who does not read."""

        def write() -> None:
            try:
                for chunk in chunks:
                    self.socket.sendall(chunk)
            except OSError:
                pass  # it has closed, as some cases want

        thread = threading.Thread(target=write)
        thread.start()
        return thread

    def frame(self) -> tuple[int, bytes] | None:
        """First byte and payload; None at the end. A server's frame is not masked and its length is minimal."""
        head = self.file.read(2)
        if not head:
            return None
        size = head[1]
        assert size < 128
        if size >= 126:
            least = 126 if size == 126 else 65_536
            size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
            assert size >= least
        return head[0], self.file.read(size)

    def rest(self) -> list[tuple[int, bytes]]:
        return list(iter(self.frame, None))


def run(example: Example, chunks: Sequence[bytes], expected: Sequence[tuple[int, bytes]]) -> None:
    with Peer(example) as peer:
        thread = peer.send(chunks)
        got = peer.rest()
        thread.join()
    brief = [(first, payload[:40], len(payload)) for first, payload in got]
    assert got == list(expected), brief


def echoed(payload: bytes, opcode: int = TEXT) -> tuple[int, bytes]:
    return FIN | opcode, payload


CLOSED = (FIN | CLOSE, DONE)
FAILED = (FIN | CLOSE, b"\x03\xea")
NOT_UTF8 = (FIN | CLOSE, b"\x03\xef")
Case = tuple[Sequence[bytes], Sequence[tuple[int, bytes]]]


def framing() -> Iterator[tuple[str, Case]]:
    for opcode, byte in ((TEXT, b"*"), (BINARY, b"\xfe")):
        for size in (0, 125, 126, 127, 128, 65_535, 65_536):
            data = frame(FIN | opcode, byte * size)
            yield f"1.{opcode} {size}", ([data, close()], [echoed(byte * size, opcode), CLOSED])
        data = frame(FIN | opcode, byte * 65_536)
        yield f"1.{opcode} chopped", ([*chopped(data, 997), close()], [echoed(byte * 65_536, opcode), CLOSED])


def pings() -> Iterator[tuple[str, Case]]:
    payloads = {
        "2.1": b"",
        "2.2": b"Hello, world!",
        "2.3": b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff",
        "2.4": b"\xfe" * 125,
    }
    for name, payload in payloads.items():
        yield name, ([frame(FIN | PING, payload), close()], [(FIN | PONG, payload), CLOSED])
    yield "2.5", ([frame(FIN | PING, bytes(126)), close()], [FAILED])
    octets = chopped(frame(FIN | PING, b"\xfe" * 125))
    yield "2.6", ([*octets, close()], [(FIN | PONG, b"\xfe" * 125), CLOSED])
    yield "2.7", ([frame(FIN | PONG), close()], [CLOSED])
    yield "2.8", ([frame(FIN | PONG, b"unsolicited"), close()], [CLOSED])
    unasked = frame(FIN | PONG, b"unsolicited") + frame(FIN | PING, b"ping")
    yield "2.9", ([unasked, close()], [(FIN | PONG, b"ping"), CLOSED])
    ten = [frame(FIN | PING, b"payload-%d" % i) for i in range(10)]
    answers = [(FIN | PONG, b"payload-%d" % i) for i in range(10)]
    yield "2.10", ([*ten, close()], [*answers, CLOSED])
    yield "2.11", ([*chopped(b"".join(ten)), close()], [*answers, CLOSED])


def bits_and_opcodes() -> Iterator[tuple[str, Case]]:
    hello = echoed(b"Hello")
    for bits, opcode in itertools.product(range(1, 8), (TEXT, BINARY, PING, PONG, CLOSE)):
        bad = frame(FIN | bits << 4 | opcode, b"" if opcode == CLOSE else b"bad")
        chunks = [text("Hello"), bad, text("after")]
        yield f"3 bits {bits}, opcode {opcode}", (chunks, [hello, FAILED])
        yield f"3 bits {bits}, opcode {opcode}, chopped", (chopped(b"".join(chunks)), [hello, FAILED])
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        for payload in (b"", b"reserved"):
            chunks = [text("Hello"), frame(FIN | opcode, payload), frame(FIN | PING)]
            yield f"4 opcode {opcode}, {len(payload)}", (chunks, [hello, FAILED])


def fragmentation() -> Iterator[tuple[str, Case]]:
    one, two = b"fragment1", b"fragment2"
    both = fragments(TEXT, one, two)
    whole = echoed(one + two)
    ping, pong = frame(FIN | PING, b"ping"), (FIN | PONG, b"ping")
    yield "5.1", ([frame(PING, one), frame(FIN, two)], [FAILED])
    yield "5.2", ([frame(PONG, one), frame(FIN, two)], [FAILED])
    yield "5.3", ([b"".join(both), close()], [whole, CLOSED])
    yield "5.4", ([*both, close()], [whole, CLOSED])
    yield "5.5", ([*chopped(b"".join(both)), close()], [whole, CLOSED])
    yield "5.6", ([both[0], ping, both[1], close()], [pong, whole, CLOSED])
    yield "5.8", ([*chopped(both[0] + ping + both[1]), close()], [pong, whole, CLOSED])
    for first in (FIN, 0):
        nothing = frame(first, b"nothing to continue")
        yield f"5.9 {first}", ([nothing, text("Hello")], [FAILED])
        yield f"5.11 {first}", (chopped(nothing + text("Hello")), [FAILED])
        yield f"5.15 {first}", ([*both, nothing, text("Hello")], [whole, FAILED])
    yield "5.18", ([frame(TEXT, one), text(two)], [FAILED])
    yield "5.18 binary", ([frame(TEXT, one), frame(FIN | BINARY, two)], [FAILED])
    five = fragments(TEXT, *[b"fragment%d" % i for i in range(1, 6)])
    chunks = [*five[:2], ping, *five[2:4], ping, five[4]]
    expected = [pong, pong, echoed(b"".join(b"fragment%d" % i for i in range(1, 6))), CLOSED]
    yield "5.19", ([*chunks, close()], expected)
    yield "5.20", ([*chopped(b"".join(chunks)), close()], expected)


def of_every_kind() -> Iterator[tuple[str, Case]]:
    for opcode in (TEXT, BINARY):
        yield f"6.1.1 {opcode}", ([frame(FIN | opcode), close()], [echoed(b"", opcode), CLOSED])
        empty = fragments(opcode, b"", b"", b"")
        yield f"6.1.2 {opcode}", ([*empty, close()], [echoed(b"", opcode), CLOSED])
        middle = fragments(opcode, b"", b"middle frame payload", b"")
        yield f"6.1.3 {opcode}", ([*middle, close()], [echoed(b"middle frame payload", opcode), CLOSED])


KOSME = bytes.fromhex("cebae1bdb9cf83cebcceb5")
HELLO = "Hello-µ@ßöäüàá-UTF-8!!".encode()
VALID = [
    "6.2 " + HELLO.hex(),
    *["6.5 " + KOSME[:n].hex() for n in (2, 5, 7, 9, 11)],
    *["6.7 " + s for s in ("00", "c280", "e0a080", "f0908080")],
    *["6.9 " + s for s in ("7f", "dfbf", "efbfbf", "f48fbfbf")],
    *["6.11 " + s for s in ("ed9fbf", "ee8080", "efbfbd", "f48fbfbf")],
    *["6.22 " + chr(plane << 16 | low).encode().hex() for plane in range(17) for low in (0xFFFE, 0xFFFF)],
    *["6.23 " + s for s in ("efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd", "efbfbe", "efbfbf")],
]
INVALID = [
    "6.3 cebae1bdb9cf83cebcceb5eda080656469746564",
    "6.4 cebae1bdb9cf83cebcceb5f4908080656469746564",
    *["6.6 " + KOSME[:n].hex() for n in (1, 3, 4, 6, 8, 10)],
    *["6.8 " + s for s in ("f888808080", "fc8480808080")],
    *["6.10 " + s for s in ("f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf")],
    "6.11 f4908080",
    *["6.12 " + s for s in ("80", "bf", "80bf", "80bf80", "80bf80bf", bytes(range(0x80, 0xC0)).hex())],
    *["6.13 " + b" ".join([bytes([c]) for c in r]).hex() for r in (range(0xC0, 0xE0), range(0xE0, 0xF0))],
    *["6.13 " + b" ".join([bytes([c]) for c in range(0xF0, 0xFE)]).hex()],
    *[
        "6.14 " + s
        for s in ("c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf")
    ],
    "6.15 c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf",
    *["6.16 " + s for s in ("fe", "ff", "fefeffff")],
    *["6.17 " + s for s in ("c0af", "e080af", "f08080af", "f8808080af", "fc80808080af")],
    *["6.18 " + s for s in ("c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf")],
    *["6.19 " + s for s in ("c080", "e08080", "f0808080", "f880808080", "fc8080808080")],
    *["6.20 " + s for s in ("eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf")],
    *["6.21 " + a + b for a in ("eda080", "edadbf", "edae80", "edafbf") for b in ("edb080", "edbfbf")],
]


def utf8() -> Iterator[tuple[str, Case]]:
    for name in VALID:
        payload = bytes.fromhex(name.partition(" ")[2])
        for how, chunks in {
            "whole": [text(payload)],
            "one byte a fragment": fragments(TEXT, *chopped(payload)),
            "one byte a write": chopped(text(payload)),
        }.items():
            yield f"{name} {how}", ([*chunks, close()], [echoed(payload), CLOSED])
    for name in INVALID:
        payload = bytes.fromhex(name.partition(" ")[2])
        yield f"{name} whole", ([text(payload), close()], [NOT_UTF8])
        yield f"{name} fragments", ([*fragments(TEXT, *chopped(payload), b""), close()], [NOT_UTF8])
        yield (
            f"{name} as binary",
            ([frame(FIN | BINARY, payload), close()], [echoed(payload, BINARY), CLOSED]),
        )


def closes() -> Iterator[tuple[str, Case]]:
    hello = echoed(b"Hello")
    yield "7.1.1", ([text("Hello"), close()], [hello, CLOSED])
    yield "7.1.2", ([close(), close()], [CLOSED])
    yield "7.1.3", ([close(), frame(FIN | PING)], [CLOSED])
    yield "7.1.4", ([close(), text("Hello")], [CLOSED])
    yield "7.1.5", ([frame(TEXT, b"fragment1"), close(), frame(FIN, b"fragment2")], [CLOSED])
    big = b"BAsd7&jh23" * 26_214
    yield "7.1.6", ([text(big), close(), frame(FIN | PING)], [echoed(big), CLOSED])
    yield "7.3.1", ([close(b"")], [(FIN | CLOSE, b"")])
    yield "7.3.2", ([close(b"a")], [FAILED])
    yield "7.3.3", ([close(DONE)], [CLOSED])
    yield "7.3.4", ([close(DONE + b"Hello World!")], [(FIN | CLOSE, DONE + b"Hello World!")])
    yield "7.3.5", ([close(DONE + b"*" * 123)], [(FIN | CLOSE, DONE + b"*" * 123)])
    yield "7.3.6", ([close(DONE + b"*" * 124)], [FAILED])
    yield "7.5.1", ([close(DONE + bytes.fromhex("cebae1bdb9cf83cebcceb5eda080656469746564"))], [NOT_UTF8])
    for code in (
        1000,
        1001,
        1002,
        1003,
        1007,
        1008,
        1009,
        1010,
        1011,
        1012,
        1013,
        1014,
        3000,
        3999,
        4000,
        4999,
    ):
        payload = code.to_bytes(2, "big")
        yield f"7.7 {code}", ([close(payload)], [(FIN | CLOSE, payload)])
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535):
        yield f"7.9 {code}", ([close(code.to_bytes(2, "big") + b"reason")], [FAILED])


def limits() -> Iterator[tuple[str, Case]]:
    kilobyte, megabyte = 1 << 10, 1 << 20
    for opcode, letter in ((TEXT, b"*"), (BINARY, b"\xfe")):
        for size in (64 * kilobyte, 256 * kilobyte, megabyte, 4 * megabyte, 8 * megabyte, 16 * megabyte):
            payload = letter * size
            yield (
                f"9.{opcode} {size}",
                ([frame(FIN | opcode, payload), close()], [echoed(payload, opcode), CLOSED]),
            )
        payload = letter * (4 * megabyte)
        for size in (64, 256, kilobyte, 4 * kilobyte, 16 * kilobyte, 256 * kilobyte, 4 * megabyte):
            data = b"".join(fragments(opcode, *chopped(payload, size)))
            yield f"9.{opcode + 2} {size}", ([data, close()], [echoed(payload, opcode), CLOSED])
        payload = letter * megabyte
        for size in (64, 512, 2048):
            data = frame(FIN | opcode, payload)
            yield (
                f"9.{opcode + 4} {size}",
                ([*chopped(data, size), close()], [echoed(payload, opcode), CLOSED]),
            )
        for size in (0, 16, 64, 256, 1024, 4096):
            payload = letter * size
            many = [frame(FIN | opcode, payload)] * 1000
            yield f"9.{opcode + 6} {size}", ([*many, close()], [*[echoed(payload, opcode)] * 1000, CLOSED])
    payload = b"*" * 65_536
    yield "10.1.1", ([*fragments(TEXT, *chopped(payload, 1300)), close()], [echoed(payload), CLOSED])


CASES: dict[str, Case] = dict(
    itertools.chain(
        framing(), pings(), bits_and_opcodes(), fragmentation(), of_every_kind(), utf8(), closes(), limits()
    )
)


@pytest.mark.parametrize("name", CASES)
def test_case(echo: Example, name: str) -> None:
    run(echo, *CASES[name])


FAST = {
    # 6.4.1 and 6.4.2: a fragment that cannot be the beginning of anything ends it, whatever would follow.
    "after a fragment": [frame(TEXT, KOSME), frame(0, b"\xf4\x90")],
    "within a character": [frame(TEXT, KOSME + b"\xf4"), frame(0, b"\x90")],
    # 6.4.3 and 6.4.4: in one frame, of which more is to come.
    "in a frame": [text(KOSME + b"\xf4\x90\x80\x80edited")[: 6 + len(KOSME) + 2]],
    "in a long frame": [text(KOSME + b"\xf4\x90" + b"x" * 70_000)[:100]],
}


@pytest.mark.parametrize("name", FAST)
def test_invalid_text_fails_at_once(echo: Example, name: str) -> None:
    with Peer(echo) as peer:
        for chunk in FAST[name]:
            peer.socket.sendall(chunk)
        assert peer.frame() == NOT_UTF8


def test_every_invalid_byte_fails_when_it_comes(echo: Example) -> None:
    """6.3.2: byte by byte, and nothing before the byte that decides."""
    payload = bytes.fromhex("cebae1bdb9cf83cebcceb5eda080656469746564")
    data = text(payload)
    with Peer(echo) as peer:
        for byte in chopped(data[: 6 + 12]):  # up to the ED, which may begin a character
            peer.socket.sendall(byte)
        peer.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            peer.socket.recv(1)
        peer.socket.settimeout(SECONDS)
        peer.socket.sendall(data[18:19])  # A0 after ED: a surrogate
        assert peer.socket.recv(4) == b"\x88\x02\x03\xef"


# 12 and 13: every combination of parameters.

P = "permessage-deflate"
SIZES = (0, 16, 64, 256, 1024, 4096, 8192, 32_768, 131_072)


def offers() -> Iterator[str]:
    for server_alone, client_alone in itertools.product((False, True), repeat=2):
        for server_bits, client_bits in itertools.product(
            (None, 8, 9, 12, 15), (None, "", "=9", "=12", "=15")
        ):
            offer = P
            offer += (
                "; server_no_context_takeover" * server_alone + "; client_no_context_takeover" * client_alone
            )
            offer += "" if server_bits is None else f"; server_max_window_bits={server_bits}"
            offer += "" if client_bits is None else f"; client_max_window_bits{client_bits}"
            yield offer


def payload_of(size: int, number: int) -> bytes:
    """JSON-like, and not the same twice."""
    row = json.dumps(
        {"id": number, "name": f"row {number * 7919}", "tags": ["é", "beta", "日本"]}, ensure_ascii=False
    )
    return (row.encode() * (size // len(row.encode()) + 1))[:size].decode(errors="ignore").encode()


def bits_of(extensions: str, name: str) -> int:
    return int(extensions.partition(name + "=")[2].partition(";")[0] or 15)


class Compressing:
    """The client's part of permessage-deflate."""

    def __init__(self, extensions: str) -> None:
        self.client_bits = bits_of(extensions, "client_max_window_bits")
        self.server_bits = bits_of(extensions, "server_max_window_bits")
        self.client_alone = "client_no_context_takeover" in extensions
        self.server_alone = "server_no_context_takeover" in extensions
        self.fresh()

    def fresh(self) -> None:
        self.deflater = zlib.compressobj(wbits=-self.client_bits)
        self.inflater = zlib.decompressobj(-self.server_bits)

    def deflate(self, payload: bytes) -> bytes:
        if self.client_alone:
            self.deflater = zlib.compressobj(wbits=-self.client_bits)
        return (self.deflater.compress(payload) + self.deflater.flush(zlib.Z_SYNC_FLUSH))[:-4] or b"\x00"

    def inflate(self, payload: bytes) -> bytes:
        if self.server_alone:
            self.inflater = zlib.decompressobj(-self.server_bits)
        return self.inflater.decompress(payload + TAIL)


@pytest.mark.parametrize("offer", [*offers()])
def test_deflate(echo: Example, offer: str) -> None:
    with Peer(echo, offer) as peer:
        # What was offered is confirmed; a window of the client's without a size is left to the client.
        assert set(peer.extensions.split("; ")) == set(offer.split("; ")) - {"client_max_window_bits"}
        zipped = Compressing(peer.extensions)
        sent: list[tuple[int, bytes]] = []
        chunks: list[bytes] = []
        for number, size in enumerate([*SIZES, *reversed(SIZES), *SIZES[:6] * 3]):
            opcode = TEXT if number % 3 else BINARY
            payload = payload_of(size, number)
            sent.append((opcode, payload))
            if number % 5 == 4:
                chunks.append(frame(FIN | opcode, payload))  # a sender may leave one uncompressed
                continue
            pieces = chopped(zipped.deflate(payload), (1 << 20, 7, 1000)[number % 3])[:60_000]
            frames = fragments(opcode | RSV1, *pieces)
            frames[1:1] = [frame(FIN | PING, b"%d" % number)] * (len(frames) > 1)
            chunks += frames
        thread = peer.send([b"".join(chunks), close()])
        got: list[tuple[int, bytes]] = []
        for first, payload in peer.rest():
            if first == FIN | PONG:
                continue
            assert first & 0x30 == 0 and (first & 0xF < CLOSE or not first & RSV1)
            got.append((first & 0xF, zipped.inflate(payload) if first & RSV1 else payload))
        thread.join()
    assert [(opcode, len(payload)) for opcode, payload in got[:-1]] == [(o, len(p)) for o, p in sent]
    assert got == [*sent, (CLOSE, DONE)]


def test_a_thousand_compressed_messages(echo: Example) -> None:
    with Peer(echo, P) as peer:
        zipped = Compressing(peer.extensions)
        sent = [payload_of(16 * (i % 500), i) for i in range(1000)]
        thread = peer.send([*[frame(FIN | RSV1 | TEXT, zipped.deflate(p)) for p in sent], close()])
        for payload in sent:
            got = peer.frame()
            assert got is not None
            assert (zipped.inflate(got[1]) if got[0] & RSV1 else got[1]) == payload
        assert peer.rest() == [CLOSED]
        thread.join()


DEFLATE_FAILURES: dict[str, tuple[list[bytes], bytes]] = {
    "RSV1 on a continuation": ([frame(RSV1 | TEXT, b"\xf2"), frame(FIN | RSV1, b"\x48")], b"\x03\xea"),
    "RSV1 on a ping": ([frame(FIN | RSV1 | PING)], b"\x03\xea"),
    "RSV2": ([frame(FIN | RSV1 | 0x20 | TEXT, b"\x00")], b"\x03\xea"),
    "no deflate stream": ([frame(FIN | RSV1 | TEXT, b"\xff\xff\xff")], b"\x03\xef"),
    "no UTF-8": ([frame(FIN | RSV1 | TEXT, Compressing("").deflate(b"\xed\xa0\x80"))], b"\x03\xef"),
    "17 MiB in 17 KiB": ([frame(FIN | RSV1 | BINARY, Compressing("").deflate(bytes(17 << 20)))], b"\x03\xf1"),
}


@pytest.mark.parametrize("name", DEFLATE_FAILURES)
def test_deflate_failures(echo: Example, name: str) -> None:
    chunks, code = DEFLATE_FAILURES[name]
    with Peer(echo, P) as peer:
        peer.socket.sendall(text("Hello") + b"".join(chunks))
        assert peer.frame() == echoed(b"Hello")
        assert peer.frame() == (FIN | CLOSE, code)
