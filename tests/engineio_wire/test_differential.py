"""The direct path and wsproto give the same events, the same output and the same closes.

The same stream, cut in the same places, goes through two connections: one with the direct path, one where every
frame goes through wsproto; with and without permessage-deflate. After every read both have heard, written and
closed the same. And what both make of a whole stream does not depend on where it was cut. Of streams without a
fault the library `websockets` makes the same, too.
"""

from __future__ import annotations

import itertools
import zlib
from typing import Any

import pytest
from engineio_proto import Link, PerMessageDeflate
from engineio_wire import WireConfig
from engineio_wire._wsproto_codec import WsprotoCodec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.engineio_wire.peer import Connection, RecordingEngine, frame, splits, text
from tests.engineio_wire.ways import Way

LIMIT = 300
CONFIG = WireConfig(max_events_per_slice=3, max_fragments=4)

payloads = st.one_of(
    st.binary(max_size=20),
    st.text(max_size=20).map(str.encode),
    st.integers(120, 130).map(lambda size: b"a" * size),
    st.integers(LIMIT - 2, LIMIT + 2).map(lambda size: b"a" * size),
    st.sampled_from([b"", b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"\x03\xe8", b"\x03\xe8bye", b"\x03\xed"]),
)
plain = st.builds(frame, st.sampled_from([0x81, 0x82]), payloads, mask=st.binary(min_size=4, max_size=4))
control = st.builds(frame, st.sampled_from([0x88, 0x89, 0x8A]), payloads)
fragment = st.builds(frame, st.sampled_from([0x01, 0x02, 0x00, 0x80]), payloads)
odd = st.one_of(
    st.builds(frame, st.integers(0, 255), payloads),
    st.builds(frame, st.sampled_from([0x81, 0x82, 0x88]), payloads, mask=st.none()),
    st.builds(
        lambda first, size: frame(first, b"a" * size, form=126),
        st.sampled_from([0x81, 0x82]),
        st.integers(0, 130),
    ),
    st.builds(lambda size: frame(0x82, b"a" * size, form=127), st.integers(0, 130)),
    st.builds(lambda size: b"\x82\xff" + size.to_bytes(8, "big") + b"abcd", st.integers(0, 2**64 - 1)),
    st.binary(max_size=10),
)
anything = st.lists(st.one_of(plain, plain, plain, control, fragment, odd), max_size=10).map(b"".join)


def deflated(payload: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def in_fragments(opcode: int, payload: bytes, cuts: list[int], between: list[bytes]) -> bytes:
    """A message in frames, and control frames between them."""
    places = [0, *sorted(min(cut, len(payload)) for cut in cuts), len(payload)]
    pieces = [payload[a:b] for a, b in itertools.pairwise(places)]
    stream = b""
    for i, piece in enumerate(pieces):
        last = 0x80 if i == len(pieces) - 1 else 0
        stream += frame((opcode if i == 0 else 0) | last, piece)
        if not last and i < len(between):
            stream += between[i]
    return stream


pings = st.builds(frame, st.sampled_from([0x89, 0x8A]), st.binary(max_size=10))
cuts_of = st.lists(st.integers(0, 40), max_size=3)
compressed = st.builds(
    in_fragments, st.sampled_from([0x41, 0x42]), payloads.map(deflated), cuts_of, st.lists(pings)
)
broken = st.builds(
    in_fragments, st.sampled_from([0x41, 0x42]), st.binary(max_size=30), cuts_of, st.lists(control)
)
with_deflate = st.lists(
    st.one_of(plain, compressed, compressed, compressed, control, fragment, odd, broken), max_size=8
).map(b"".join)
texts = st.text(max_size=LIMIT // 4).map(str.encode)
binaries = st.binary(max_size=LIMIT)
valid = st.lists(
    st.one_of(
        pings,
        st.builds(in_fragments, st.just(1), texts, cuts_of, st.lists(pings)),
        st.builds(in_fragments, st.just(2), binaries, cuts_of, st.lists(pings)),
        st.builds(in_fragments, st.just(0x41), texts.map(deflated), cuts_of, st.lists(pings)),
        st.builds(in_fragments, st.just(0x42), binaries.map(deflated), cuts_of, st.lists(pings)),
    ),
    max_size=8,
).map(b"".join)
engines = st.fixed_dictionaries(
    {
        "echo": st.booleans(),
        "close_at": st.one_of(st.none(), st.integers(1, 4)),
        "pause_at": st.integers(0, 6),
    }
)


class Engine(RecordingEngine):
    """Pauses the link after some messages, too."""

    pause_at = 0

    def _receive(self, link: Link, message: str | bytes) -> list[Any]:
        heard = super()._receive(link, message)
        if len(self.heard) == self.pause_at:
            link.paused = True
            self.dirty.mark(link.owner)
        return heard


def build(way: Way, behaviour: dict[str, Any]) -> tuple[RecordingEngine, Connection[Any]]:
    engine = Engine(
        max_message_size=LIMIT, echo=behaviour.get("echo", False), close_at=behaviour.get("close_at")
    )
    engine.pause_at = behaviour.get("pause_at", 0)
    engine.per_message_deflate = PerMessageDeflate(threshold=10)
    return way.open(engine, CONFIG)


def view(engine: RecordingEngine, connection: Connection[Any]) -> Any:
    wire = connection.wire
    return (
        engine.heard,
        connection.events,
        connection.output,
        wire.closing,
        wire.abort,
        wire.wants_read,
        wire.has_pending,
        wire.link is None,
    )


def run(
    chunks: list[bytes],
    behaviour: dict[str, Any],
    *,
    eof: bool = False,
    deflate: bool = False,
    other: str = "wsproto",
) -> Any:
    """Both ways side by side; what they agreed on at the end."""
    one_engine, one = build(Way("direct", deflate), behaviour)
    two_engine, two = build(Way(other, deflate), behaviour)
    for chunk in chunks:
        for connection in (one, two):
            connection.feed(chunk)
        assert view(one_engine, one) == view(two_engine, two), chunk
    for engine, connection in ((one_engine, one), (two_engine, two)):
        engine.links[0].paused = False
        engine.dirty.mark(connection.wire)
        connection.flush()
        connection.feed(b"")
        if eof:
            connection.eof()
    assert view(one_engine, one) == view(two_engine, two)
    agreed = view(one_engine, one)
    for engine, connection in ((one_engine, one), (two_engine, two)):
        connection.lose()
        assert [heard[0] for heard in engine.heard].count("link closed") == 1
    assert one_engine.heard == two_engine.heard
    return agreed


@settings(deadline=None, max_examples=300)
@given(anything, st.lists(st.integers(0, 400), max_size=6), engines, st.booleans())
@example(text("a") * 20, [], {"echo": True}, False)
@example(frame(0x01, b"a") + frame(0x89, b"p") + frame(0x80, b"b") + text("c"), [3, 9], {}, True)
@example(text("a") + frame(0x81, b"\xff") + text("b"), [], {"echo": True}, False)
@example(text("a") + frame(0x82, b"a" * (LIMIT + 1)) + frame(0x88, b""), [10, 200], {"echo": True}, False)
@example(text("a") * 4 + frame(0x88, b"\x03\xe8"), [1, 2, 30], {"close_at": 2}, True)
@example(frame(0x81, b"a" * 125, form=126), [], {}, False)
def test_both_ways_agree(stream: bytes, cuts: list[int], behaviour: dict[str, Any], eof: bool) -> None:
    run(cut(stream, cuts), behaviour, eof=eof)


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted({cut for cut in cuts if 0 < cut < len(stream)}), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(places)]


@settings(deadline=None, max_examples=300)
@given(with_deflate, st.lists(st.integers(0, 400), max_size=6), engines, st.booleans())
@example(frame(0xC1, deflated(b"a" * 50)) * 5 + frame(0x88, b""), [3, 20, 21], {"echo": True}, True)
@example(frame(0x41, deflated(b"a")) + frame(0xC0, b"") + text("a"), [], {"echo": True}, False)
@example(frame(0xC2, deflated(bytes(LIMIT + 1))) + text("a"), [5], {"echo": True}, False)
@example(frame(0x41, deflated(b"abc")[:2]) + frame(0x88, b"\x03\xe8") + text("a"), [4], {}, False)
@example(text("a" * 20) + frame(0xC1, deflated(b"\xff")) + text("b"), [], {"close_at": 1}, False)
def test_both_ways_agree_with_deflate(
    stream: bytes, cuts: list[int], behaviour: dict[str, Any], eof: bool
) -> None:
    run(cut(stream, cuts), behaviour, eof=eof, deflate=True)


@settings(deadline=None, max_examples=100)
@given(valid, st.lists(st.integers(0, 400), max_size=6), engines, st.booleans())
def test_websockets_agrees(stream: bytes, cuts: list[int], behaviour: dict[str, Any], eof: bool) -> None:
    run(cut(stream, cuts), behaviour, eof=eof, deflate=True, other="websockets")


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.one_of(plain, control, fragment, odd, compressed), max_size=3).map(
        lambda frames: b"".join(frames)[:120]
    ),
    st.booleans(),
)
@example(text("4a") + frame(0x89, b"p") + text("é"), False)
@example(frame(0x01, b"\xe2") + frame(0x80, b"\x82\xac") + frame(0x88, b"\x03\xe8"), False)
@example(text("a") + frame(0xC1, b"a") + text("b"), False)
@example(frame(0x41, deflated(b"aaaa")[:2]) + frame(0x80, deflated(b"aaaa")[2:]) + text("b"), True)
def test_cuts_change_nothing(stream: bytes, deflate: bool) -> None:
    """Every split point, and byte by byte: the messages and the close are those of the whole."""
    [heard, *_] = whole = run([stream], {}, deflate=deflate)
    for chunks in splits(stream):
        result = run(chunks, {}, deflate=deflate)
        assert result[0] == heard and result[3] == whole[3]
        # Pongs may be joined differently with a close, so the bytes are compared as a set of frames.
        assert sorted(result[2]) == sorted(whole[2])


def test_two_ways_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not one with itself."""
    read: list[bool] = []
    original = WsprotoCodec.begin

    def counting(reader: WsprotoCodec, *args: Any) -> Any:
        read.append(True)
        return original(reader, *args)

    monkeypatch.setattr(WsprotoCodec, "begin", counting)
    frames = (text("a"), frame(0x82, b"b" * 200), text("c") * 10, text("")[:3], text("")[3:])
    for way, count in ((Way("direct"), 0), (Way("wsproto"), 13)):
        engine, connection = way.open()
        connection.feed(*frames)
        assert len(engine.heard) == 13 and len(read) == count
