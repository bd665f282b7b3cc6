"""permessage-deflate after the handshake (RFC 7692 sections 6 and 7.2)."""

from __future__ import annotations

import sys
import tracemalloc
import zlib
from typing import Any

import pytest
from engineio_proto import Outgoing, PerMessageDeflate, WireOptions, ZlibOptions
from engineio_wire import WireConfig, WsprotoEngine
from engineio_wire._wsproto_codec import WsprotoCodec

from tests.engineio_wire.peer import Connection, RecordingEngine, frame, text, websocket
from tests.engineio_wire.ways import ENGINES

TAIL = b"\x00\x00\xff\xff"
LONG = "compress me, " * 200
EVERY_ENGINE = pytest.mark.parametrize("engine_name", ENGINES)


class Deflating:
    """A client's compressor."""

    def __init__(self, bits: int = 15, level: int = -1, dictionary: bytes = b"") -> None:
        self.compressor = zlib.compressobj(level, zlib.DEFLATED, -bits, zdict=dictionary)

    def __call__(self, payload: bytes) -> bytes:
        return (self.compressor.compress(payload) + self.compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def compressed(payload: bytes, first: int = 0xC1) -> bytes:
    return frame(first, Deflating()(payload))


def connect(
    offer: str = "permessage-deflate",
    config: WireConfig | None = None,
    *,
    size: int = 1_000_000,
    **engine: Any,
) -> tuple[RecordingEngine, Connection[Any]]:
    engine.setdefault("per_message_deflate", PerMessageDeflate())
    return websocket(RecordingEngine(max_message_size=size, **engine), config, offer=offer)


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """First byte and payload of each frame of a server."""
    found: list[tuple[int, bytes]] = []
    while data:
        size, length = 2, data[1]
        if length > 125:
            size = 4 if length == 126 else 10
            length = int.from_bytes(data[2:size], "big")
        found.append((data[0], data[size : size + length]))
        data = data[size + length :]
    return found


def send(
    connection: Connection[Any], engine: RecordingEngine, *outgoing: Outgoing
) -> list[tuple[int, bytes]]:
    for one in outgoing:
        engine.links[-1].push(one)
    engine.dirty.mark(connection.wire)
    return frames(connection.take())


# Receiving.


@EVERY_ENGINE
def test_examples_of_the_rfc(engine_name: str) -> None:
    """RFC 7692 7.2.3."""
    engine, connection = connect(ws_engine=ENGINES[engine_name])
    hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00"
    connection.feed(frame(0xC1, hello))  # 7.2.3.1
    connection.feed(frame(0x41, hello[:3]), frame(0x80, hello[3:]))  # in two fragments
    connection.feed(frame(0xC1, b"\xf2\x00\x11\x00\x00"))  # 7.2.3.2: of the window
    connection.feed(frame(0xC1, b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"))  # 7.2.3.3: not compressed
    connection.feed(
        frame(0xC1, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")
    )  # 7.2.3.5: two blocks
    assert engine.heard == [("message", "Hello")] * 5
    connection.feed(frame(0xC1, b"\x00"))  # 7.2.3.6: empty
    assert engine.heard[5:] == [("message", "")]


def test_a_final_block_ends_the_stream() -> None:
    """RFC 7692 7.2.3.4. As in ws, what follows in the frame is nothing, and the next message begins anew."""
    engine, connection = connect()
    final = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
    for _ in range(3):
        connection.feed(frame(0xC1, final))
    connection.feed(frame(0xC1, final + b"anything"), frame(0x42, final), frame(0x80, final))
    assert engine.heard == [("message", "Hello")] * 4 + [("message", b"HelloHello")]


@EVERY_ENGINE
@pytest.mark.parametrize("takeover", [True, False])
def test_the_window_of_the_client(takeover: bool, engine_name: str) -> None:
    offer = "permessage-deflate" + ("" if takeover else "; client_no_context_takeover")
    engine, connection = connect(offer, ws_engine=ENGINES[engine_name])
    deflate = Deflating()
    for i in range(50):
        message = f"{LONG} {i} é"
        connection.feed(frame(0xC1, (deflate if takeover else Deflating())(message.encode())))
        connection.feed(text("between"))
        assert engine.heard[-2:] == [("message", message), ("message", "between")]


def test_without_takeover_a_window_is_not_kept() -> None:
    engine, connection = connect("permessage-deflate; client_no_context_takeover")
    deflate = Deflating()
    connection.feed(frame(0xC1, deflate(LONG.encode())), frame(0xC1, deflate(LONG.encode())))
    assert engine.heard == [("message", LONG), ("link closed", "invalid distance too far back")]
    assert connection.take() == b"\x88\x02\x03\xef"


@EVERY_ENGINE
@pytest.mark.parametrize("bits", range(9, 16))
def test_windows_of_every_size(bits: int, engine_name: str) -> None:
    offer = f"permessage-deflate; client_max_window_bits={bits}; server_max_window_bits={bits}"
    engine, connection = connect(offer, ws_engine=ENGINES[engine_name])
    deflate, inflate = Deflating(bits), zlib.decompressobj(-bits)
    for i in range(5):
        message = "".join(chr(97 + (i * n * n) % 26) for n in range(3000))
        connection.feed(frame(0xC1, deflate(message.encode())))
        assert engine.heard[-1] == ("message", message)
        [(first, payload)] = send(connection, engine, Outgoing((message,)))
        assert first == 0xC1 and inflate.decompress(payload + TAIL).decode() == message


def test_a_window_of_256_bytes() -> None:
    """zlib cannot make one, so ours never looks back further than it may."""
    engine, connection = connect("permessage-deflate; server_max_window_bits=8")
    inflate = zlib.decompressobj(-8)
    for i in range(20):
        message = bytes((i * n * n) % 251 for n in range(2000)) * 3
        [(first, payload)] = send(connection, engine, Outgoing((message,)))
        assert first == 0xC2 and inflate.decompress(payload + TAIL) == message


@EVERY_ENGINE
def test_fragments_control_frames_and_cuts(engine_name: str) -> None:
    payload = Deflating()(("grün " * 300).encode())
    stream = b"".join(
        [
            frame(0x41, payload[:5]),
            frame(0x89, b"ping"),
            frame(0x00, payload[5:9]),
            frame(0x8A, b""),
            frame(0x00, b""),
            frame(0x80, payload[9:]),
            frame(0x01, b"pl"),
            frame(0x80, b"ain"),
        ]
    )
    for step in (1, 7, len(stream)):
        engine, connection = connect(ws_engine=ENGINES[engine_name])
        connection.feed(*[stream[i : i + step] for i in range(0, len(stream), step)])
        assert engine.heard == [("message", "grün " * 300), ("message", "plain")]
        assert connection.take() == b"\x8a\x04ping"


def test_uncompressed_frames_take_the_direct_path(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    class Counting(WsprotoCodec):
        def begin(self, header: Any, raw: bytes) -> Any:
            begun.append(header.first)
            return super().begin(header, raw)

    monkeypatch.setattr(WsprotoEngine, "codec", lambda self, settings: Counting(settings))
    engine, connection = connect()
    connection.feed(text("a") * 5, compressed(b"b"), text("c"), frame(0x82, b"d" * 300), compressed(b"e"))
    assert begun == [0xC1, 0xC1] and len(engine.heard) == 9


EMPTY_BLOCK = b"\x00" + TAIL
REFUSED = {
    "RSV1 on a continuation": (frame(0x41, b"\xf2") + frame(0xC0, b"\x48"), 1002),
    "RSV1 on a continuation of a plain message": (frame(0x01, b"a") + frame(0xC0, b"a"), 1002),
    "RSV1 on a ping": (frame(0xC9, b""), 1002),
    "RSV1 on a close": (frame(0xC8, b""), 1002),
    "RSV2": (frame(0xE1, b""), 1002),
    "RSV3": (frame(0xD1, b""), 1002),
    "RSV1 on a reserved opcode": (frame(0xC3, b""), 1002),
    "message inside a compressed message": (frame(0x41, b"\xf2") + frame(0xC1, b"\xff\xff\xff"), 1002),
    "compressed message inside a plain one": (frame(0x01, b"a") + frame(0xC1, b"\xff\xff\xff"), 1002),
    "no deflate stream": (frame(0xC2, b"\xff\xff\xff\xff"), 1007),
    "no deflate stream, in the second fragment": (frame(0x41, b"\xf2\x48") + frame(0x80, b"\xff" * 9), 1007),
    "wrong stored block": (frame(0xC2, b"\x00\x05\x00\x00\x00"), 1007),
    "text that is no UTF-8": (compressed(b"caf\xff"), 1007),
    "text that ends within a character": (compressed(b"\xe2\x82"), 1007),
    "inflates to too much": (compressed(bytes(10_001), 0xC2), 1009),
    "inflates to too much, in fragments": (
        frame(0x42, Deflating()(bytes(10_001))[:-3]) + frame(0x80, Deflating()(bytes(10_001))[-3:]),
        1009,
    ),
    "too much before it is inflated": (
        frame(0x42, EMPTY_BLOCK * 1200) + frame(0x80, EMPTY_BLOCK * 1200),
        1009,
    ),
}


@pytest.mark.parametrize("ws_engine", [None, "wsproto"])
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, ws_engine: Any) -> None:
    data, code = REFUSED[name]
    engine, connection = connect(ws_engine=ws_engine, size=10_000)
    connection.feed(text("before") + data + text("after"))
    assert connection.take() == b"\x88\x02" + code.to_bytes(2, "big")
    [before, (what, error)] = engine.heard
    assert before == ("message", "before") and what == "link closed" and error


def test_the_limit_is_inclusive_and_per_message() -> None:
    engine, connection = connect(size=10_000)
    deflate = Deflating()
    for _ in range(3):
        connection.feed(frame(0xC2, deflate(bytes(10_000))))
    assert engine.heard == [("message", bytes(10_000))] * 3


def test_a_limit_beyond_that_of_zlib_is_none() -> None:
    engine, connection = connect(size=sys.maxsize)
    connection.feed(compressed(LONG.encode()))
    assert engine.heard == [("message", LONG)]


@pytest.mark.parametrize("fragments", [1, 100])
def test_a_bomb_is_inflated_no_further_than_the_limit(fragments: int) -> None:
    """CVE-2018-1000518: 50 MB in 50 kB; each fragment alone would be small."""
    engine, connection = connect(config=WireConfig(max_fragments=1000))
    bomb = Deflating(level=9)(bytes(50_000_000))
    step = -(-len(bomb) // fragments)
    pieces = [bomb[i : i + step] for i in range(0, len(bomb), step)]
    data = b"".join(
        frame((0x42 if i == 0 else 0) | (0x80 if i == len(pieces) - 1 else 0), p)
        for i, p in enumerate(pieces)
    )
    tracemalloc.start()
    try:
        connection.feed(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert engine.heard == [("link closed", "Max payload size exceeded")]
    assert peak < 8_000_000


def test_what_follows_a_final_block_is_not_kept() -> None:
    """Ten megabytes behind the end of the stream, byte by byte in effect: linear, and nothing is held."""
    engine, connection = connect(size=2_000_000)
    data = frame(0xC2, b"\xf3\x48\xcd\xc9\xc9\x07\x00" + bytes(1_900_000))
    connection.feed(*[data[i : i + 500] for i in range(0, len(data), 500)])
    assert engine.heard == [("message", b"Hello")]


# Sending.


@EVERY_ENGINE
@pytest.mark.parametrize("takeover", [True, False])
def test_the_window_of_the_server(takeover: bool, engine_name: str) -> None:
    engine, connection = connect(
        per_message_deflate=PerMessageDeflate(server_no_context_takeover=not takeover),
        ws_engine=ENGINES[engine_name],
    )
    inflate = zlib.decompressobj(-15)
    sizes: list[int] = []
    for _ in range(3):
        [(first, payload)] = send(connection, engine, Outgoing((LONG,)))
        inflate = inflate if takeover else zlib.decompressobj(-15)
        assert first == 0xC1 and inflate.decompress(payload + TAIL).decode() == LONG
        sizes.append(len(payload))
    assert (sizes[1] < sizes[0]) is takeover and sizes[1] == sizes[2]


@EVERY_ENGINE
def test_what_goes_uncompressed(engine_name: str) -> None:
    engine, connection = connect(ws_engine=ENGINES[engine_name])
    short, long = "x" * 1023, "x" * 1024
    sent = send(
        connection,
        engine,
        Outgoing((short,)),
        Outgoing((long,)),
        Outgoing((long,), compress=False),
        Outgoing((short, long.encode(), b"")),
    )
    assert [first for first, _ in sent] == [0x81, 0xC1, 0x81, 0x81, 0xC2, 0x82]
    assert sent[0][1] == sent[3][1] == short.encode() and sent[2][1] == long.encode() and sent[5][1] == b""


def test_a_threshold_of_nothing_compresses_what_is_empty_too() -> None:
    engine, connection = connect(per_message_deflate=PerMessageDeflate(threshold=0))
    inflate = zlib.decompressobj(-15)
    for message in ("", "", "a", "", "a"):
        [(first, payload)] = send(connection, engine, Outgoing((message,)))
        assert first == 0xC1 and inflate.decompress(payload + TAIL).decode() == message
    connection.feed(frame(0x89, b"ping"), frame(0x88, b""))
    assert connection.take() == b"\x8a\x04ping\x88\x00"


@pytest.mark.parametrize("takeover", [True, False])
def test_compressed_bytes_are_shared_where_no_context_is(takeover: bool) -> None:
    outgoing = Outgoing((LONG, b"\x00" * 2000))
    taken: list[bytes] = []
    for options in (PerMessageDeflate(), PerMessageDeflate(), PerMessageDeflate(threshold=2001)):
        offer = "permessage-deflate" + ("" if takeover else "; server_no_context_takeover")
        engine, connection = connect(offer, per_message_deflate=options)
        engine.links[0].push(outgoing)
        engine.dirty.mark(connection.wire)
        taken.append(connection.flush())
    engine, connection = connect("permessage-deflate; server_no_context_takeover; server_max_window_bits=9")
    engine.links[0].push(outgoing)
    engine.dirty.mark(connection.wire)
    connection.flush()
    assert taken[0] == taken[1] != taken[2]
    assert (outgoing.deflated is None) is takeover or len(outgoing.deflated or {}) == 1
    if not takeover:
        assert outgoing.deflated is not None and len(outgoing.deflated) == 3
        assert taken[0] in outgoing.deflated.values()


def test_uncompressed_frames_are_shared_with_every_connection() -> None:
    outgoing = Outgoing(("short",))
    engine, connection = connect()
    engine.links[0].push(outgoing)
    engine.dirty.mark(connection.wire)
    connection.flush()
    plain_engine, plain = websocket()
    plain_engine.links[0].push(outgoing)
    plain_engine.dirty.mark(plain.wire)
    assert plain.flush() is outgoing.frame and outgoing.deflated is None


@pytest.mark.parametrize(
    ("options", "smaller"),
    [
        (ZlibOptions(level=0), False),
        (ZlibOptions(level=9, mem_level=1, strategy=0), True),
        (ZlibOptions(strategy=2), True),
        (ZlibOptions(dictionary=LONG.encode()), True),
    ],
)
def test_options_of_zlib(options: ZlibOptions, smaller: bool) -> None:
    engine, connection = connect(
        per_message_deflate=PerMessageDeflate(zlib_deflate_options=options, zlib_inflate_options=options)
    )
    [(_, payload)] = send(connection, engine, Outgoing((LONG,)))
    assert zlib.decompressobj(-15, options.dictionary).decompress(payload + TAIL).decode() == LONG
    assert (len(payload) < len(LONG)) is smaller
    if options.dictionary:
        assert len(payload) < 40
    connection.feed(frame(0xC1, Deflating(dictionary=options.dictionary)(LONG.encode())))
    assert engine.heard == [("message", LONG)]


# Memory.


def test_contexts_are_made_when_they_are_needed_and_gone_after_the_close() -> None:
    engine, connection = connect()
    tracemalloc.start()
    try:
        connection.feed(text("a"))
        send(connection, engine, Outgoing(("a",)))
        assert tracemalloc.get_traced_memory()[1] < 20_000
        send(connection, engine, Outgoing((LONG,)))
        connection.feed(compressed(LONG.encode()))
        assert tracemalloc.get_traced_memory()[0] > 250_000
        connection.feed(frame(0x88, b""))
        assert tracemalloc.get_traced_memory()[0] < 60_000
    finally:
        tracemalloc.stop()
    assert not connection.open


def test_a_connection_without_the_extension_holds_nothing_for_it() -> None:
    _, connection = connect(offer="x")
    assert connection.wire.websocket is None


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"per_message_deflate": True}, TypeError, ["per_message_deflate", "True", "PerMessageDeflate"]),
        ({"max_message_size": 0}, ValueError, ["max_message_size", "0", "at least 1"]),
        ({"max_message_size": "1"}, TypeError, ["max_message_size", "'1'", "integer"]),
        ({"ws_engine": "ws"}, ValueError, ["ws_engine", "'ws'", "'wsproto'"]),
        ({"ws_engine": 5}, TypeError, ["ws_engine", "5", "codec"]),
        ({"ws_engine": type(ENGINES["websockets"])}, TypeError, ["ws_engine", "codec"]),
    ],
)
def test_wrong_options_of_a_wire(options: dict[str, Any], error: type[Exception], words: list[str]) -> None:
    with pytest.raises(error) as raised:
        WireOptions(**{"max_message_size": 1, **options})
    for word in words:
        assert word in str(raised.value)
