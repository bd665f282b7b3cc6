"""The option `http_engine`: what may be given, and that the engines cannot disagree.

Two properties carry it. A head that passed our check is refused by neither parser, and read alike. And chunks
that we read are read alike by both, so that nothing behind our chunks is anyone else's body.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from typing import Any

import h11
import httptools
import pytest
from engineio_proto import EngineConfig, EngineServer, WireOptions
from engineio_wire import BadRequest, HttpEngine, ParsedHead, WireServer
from engineio_wire._body import ChunkedBody
from engineio_wire._head import METHODS, read_head
from engineio_wire._http_engine import H11Engine, HttptoolsEngine
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.engineio_wire.peer import Connection, RecordingEngine, poll, recording, request


class Mine:
    """An engine of a user's own, as short as one can be."""

    def read_head(self, raw: bytes, /) -> ParsedHead:
        line, *lines = raw[:-4].split(b"\r\n")
        method, target, _ = line.split(b" ")
        return ParsedHead(
            method, target, [(name, value) for name, _, value in (x.partition(b":") for x in lines)]
        )


class Picky:
    def read_head(self, raw: bytes, /) -> ParsedHead:
        raise BadRequest(418, "I have my reasons")


@pytest.mark.parametrize(
    ("value", "kind"), [(None, H11Engine), ("h11", H11Engine), ("httptools", HttptoolsEngine)]
)
def test_the_names(value: Any, kind: type) -> None:
    server: WireServer[Any] = WireServer(RecordingEngine(http_engine=value))
    assert type(server.http_engine) is kind and isinstance(server.http_engine, HttpEngine)


def test_one_of_your_own() -> None:
    mine = Mine()
    engine = EngineServer(EngineConfig(http_engine=mine), random_bytes=bytes)
    connection = Connection(WireServer(engine))
    assert connection.server.http_engine is mine and isinstance(mine, HttpEngine)
    assert b'"sid":' in connection.feed(poll()).take()


def test_one_of_your_own_may_refuse() -> None:
    engine, connection = recording(RecordingEngine(http_engine=Picky()))
    assert connection.feed(poll()).take() == b"HTTP/1.1 418 \r\nConnection: close\r\n\r\n"
    assert engine.heard == [] and not connection.open


@pytest.mark.parametrize(
    ("value", "error"), [("httptool", ValueError), (5, TypeError), (Mine, TypeError), (b"h11", TypeError)]
)
def test_any_other_value_is_refused_at_once(value: Any, error: type[Exception]) -> None:
    for build in (
        lambda: EngineConfig(http_engine=value),
        lambda: EngineConfig.from_options({"http_engine": value}),
        lambda: WireOptions(max_message_size=1, http_engine=value),
    ):
        with pytest.raises(
            error, match=r"http_engine must be None, 'h11', 'httptools' or an object"
        ) as caught:
            build()
        assert repr(value) in str(caught.value)


def test_httptools_may_be_missing() -> None:
    program = """if True:
        import sys
        sys.modules["httptools"] = None
        from engineio_proto import EngineConfig, EngineServer
        from engineio_wire import WireServer
        WireServer(EngineServer(random_bytes=bytes))
        try:
            WireServer(EngineServer(EngineConfig(http_engine="httptools"), random_bytes=bytes))
        except ImportError as error:
            print(error)
    """
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told == (
        "http_engine='httptools' needs the httptools package: pip install 'engineio-wire[httptools]'\n"
    )


def test_half_a_head_is_refused() -> None:
    """The wire gives whole ones only; an engine does not guess."""
    for engine in (H11Engine(), HttptoolsEngine()):
        with pytest.raises(BadRequest) as caught:
            engine.read_head(b"GET / HTTP/1.1\r\nHost: a\r\n")
        assert caught.value.status == 400
        with pytest.raises(BadRequest):
            engine.read_head(b"GET\x00/ HTTP/1.1\r\nHost: a\r\n\r\n")


# Heads.

VCHAR = "".join(map(chr, range(0x21, 0x7F)))
VALUE = "".join(map(chr, [9, *range(0x20, 0x7F), *range(0x80, 0x100)]))
NAMES = [
    "Connection",
    "Proxy-Connection",
    "Upgrade",
    "Expect",
    "Transfer-Encoding",
    "Content-Length",
    "Host",
    "HTTP2-Settings",
    "Keep-Alive",
    "TE",
    "Trailer",
    "X-Header",
    "cookie",
    "!#$%&'*+.^_`|~-",
]
VALUES = ["", "close", "keep-alive", "upgrade", "Upgrade, close", "100-continue", "websocket", "h2c", "chunked",
          "Chunked ", "chunked\t", "gzip", "identity", "0", "3", " 3 ", "\t3", "03", "localhost", "a:1", "[::1]",
          "close,,", ",", "é", "x" * 300]  # fmt: skip

TARGETS = [
    "*",
    "*x",
    "/",
    "//",
    "http://a",
    "HTTPS://a:1/x",
    "http://a?b#c",
    "http:///",
    "http://u@a/",
    "a:1",
]
targets = st.one_of(
    st.text(VCHAR, max_size=12).map(lambda text: "/" + text),
    st.sampled_from(TARGETS),
    st.builds("{}://{}/".format, st.sampled_from(["http", "https"]), st.text(VCHAR, max_size=8)),
    st.text(VCHAR, min_size=1, max_size=8),
)
lines = st.tuples(
    st.one_of(st.sampled_from(NAMES), st.text(VCHAR, min_size=1, max_size=6)),
    st.sampled_from([":", ": ", ":  \t", " :"]) | st.just(": "),
    st.one_of(st.sampled_from(VALUES), st.text(VALUE, max_size=10)),
).map("".join)


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """Mostly heads; any of their bytes may be another."""
    method = draw(
        st.one_of(
            st.sampled_from(sorted(map(bytes.decode, METHODS))),
            st.sampled_from(["PRI", "CONNECT", "DESCRIBE", "FOO", "get"]),
        )
    )
    version = draw(st.sampled_from(["1.1", "1.1", "1.0"]))
    given = ["Host: a", *draw(st.lists(lines, max_size=4))][draw(st.sampled_from([0, 0, 0, 1])) :]
    raw = bytearray(
        "\r\n".join([f"{method} {draw(targets)} HTTP/{version}", *given, "", ""]).encode("latin-1")
    )
    for at, value in draw(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=2)):
        if at < len(raw):
            raw[at] = value
    return bytes(raw)


def head_or_status(raw: bytes, engine: HttpEngine) -> Any:
    try:
        return read_head(raw, engine, 100)
    except BadRequest as error:
        return error.status


@settings(deadline=None, max_examples=500)
@given(heads())
@example(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\t\r\n\r\n")
@example(b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n")
@example(b"GET foo HTTP/1.1\r\nHost: a\r\n\r\n")
@example(b"SOURCE / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
def test_what_the_check_lets_pass_all_engines_read_alike(raw: bytes) -> None:
    """Mine refuses nothing, so whatever it is given decides alone: the others must agree with it."""
    if not raw.endswith(b"\r\n\r\n") or raw.index(b"\r\n\r\n") != len(raw) - 4:
        return  # The wire cuts there.
    mine = head_or_status(raw, Mine())
    assert head_or_status(raw, H11Engine()) == mine
    assert head_or_status(raw, HttptoolsEngine()) == mine


# Chunks.

SIZES = ["0", "00", "03", "A", "fffffffffffffff", "0x1", "+1", " 1", "1 ", ""]
EXTENSIONS = [
    "",
    "",
    "",
    ";a",
    ";a=b",
    ';a="b c"',
    ';a="\\"\\\\"',
    ";a;b=c;d",
    ";",
    ";=",
    ";a=",
    " ;a",
    ";a =b",
    '; a="',
    ';a="b"c',
    ";\x80",
    ';a="\x80"',
    ";a=b\t",
]
TRAILERS = [
    "",
    "",
    "a: b\r\n",
    "a:\r\nb: \x80\r\n",
    "Host: b\r\n",
    "Connection: upgrade\r\n",
    "Content-Length: 3\r\n",
    "transfer-encoding:chunked\r\n",
    "a\r\n",
    " a: b\r\n",
    "a : b\r\n",
    "a: b\n",
]
sizes = st.integers(0, 20).map("{:x}".format) | st.sampled_from(SIZES)
extensions = st.sampled_from(EXTENSIONS)
trailers = st.sampled_from(TRAILERS)


@st.composite
def chunk_streams(draw: st.DrawFn) -> bytes:
    """Chunks, trailers and a request behind them; any of their bytes may be another."""
    out = ""
    for _ in range(draw(st.integers(0, 3))):
        data = draw(st.text("a\r\n0;", max_size=20))
        size = draw(st.one_of(st.just(f"{len(data):X}"), st.just(f"{len(data):x}"), sizes))
        out += size + draw(extensions) + draw(st.sampled_from(["\r\n"] * 8 + ["\n", "\r"])) + data
        out += draw(st.sampled_from(["\r\n"] * 8 + ["\n", "XX", ""]))
    out += "0" + draw(extensions) + "\r\n" + draw(trailers) + "\r\nGET"
    raw = bytearray(out.encode("latin-1"))
    for at, value in draw(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 255)), max_size=2)):
        if at < len(raw):
            raw[at] = value
    return bytes(raw)


def ours(chunks: list[bytes], most: int) -> tuple[bytes, bytes] | None:
    """The body and what is behind it; None for an incomplete or a refused one."""
    reader = ChunkedBody(max_line=1000, max_trailers=5)
    body = b""
    for i, chunk in enumerate(chunks):
        reader.feed(chunk)
        more = True
        while more:
            try:
                data, more = reader.read(most)
            except BadRequest:
                return None
            body += data
        if reader.complete:
            return body, reader.rest + b"".join(chunks[i + 1 :])
    return None


HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def by_h11(stream: bytes) -> tuple[bytes, bytes] | None:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(HEAD + stream)
    body = b""
    try:
        while True:
            match connection.next_event():
                case h11.Data(data=data):
                    body += bytes(data)
                case h11.EndOfMessage():
                    return body, bytes(connection.trailing_data[0])
                case h11.Request():
                    pass
                case _:
                    return None
    except h11.RemoteProtocolError:
        return None


class LlhttpBody:
    def __init__(self) -> None:
        self.body = b""
        self.complete = False

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete = True


def by_llhttp(stream: bytes) -> tuple[bytes, bytes] | None:
    """It reads the next request at once, so it is given a byte at a time, to see where the body ends."""
    events = LlhttpBody()
    parser = httptools.HttpRequestParser(events)
    parser.feed_data(HEAD)
    for i in range(len(stream)):
        try:
            parser.feed_data(stream[i : i + 1])
        except httptools.HttpParserError:
            return None
        if events.complete:
            return events.body, stream[i + 1 :]
    return None


@settings(deadline=None, max_examples=500)
@given(chunk_streams(), st.lists(st.integers(0, 100), max_size=4), st.integers(1, 3))
@example(b'1;a="b"\r\nx\r\n0\r\n\r\n', [], 1)
@example(b"3\r\nabcXX0\r\n\r\n", [], 1)
@example(b"1\t\r\nx\r\n0\r\n\r\n", [], 1)
def test_chunks_that_we_read_all_parsers_read_alike(stream: bytes, cuts: list[int], most: int) -> None:
    whole = ours([stream], 1000)
    places = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(places)]
    assert ours(pieces, most) == whole
    assert ours([stream[i : i + 1] for i in range(len(stream))], most) == whole
    if whole is not None:
        assert by_h11(stream) == whole
        assert by_llhttp(stream) == whole


def test_most_chunks_are_read() -> None:
    """So that the property above says something: what software sends is not refused."""
    for stream in (b"0\r\n\r\n", b'3;a=b;c="d e"\r\nabc\r\n0\r\nT: v\r\n\r\n', b"003\r\nabc\r\n000\r\n\r\n"):
        assert ours([stream], 10) is not None
        assert by_h11(stream) == by_llhttp(stream) == ours([stream], 10)


# Whole connections.

REQUESTS = [
    request("GET", "/engine.io/"),
    request("POST", "/engine.io/", body=b"abc"),
    request("POST", "/engine.io/", "Transfer-Encoding: chunked", body=b'3;a="b"\r\nabc\r\n0\r\nT: v\r\n\r\n'),
    request("POST", "/engine.io/", "Expect: 100-continue", body=b"abc"),
    request("POST", "/engine.io/", "Connection: close", body=b"abc"),
    request("POST", "/engine.io/", body=b"abc", version="1.0"),
    request("OPTIONS", "*"),
    request("GET", "http://a/page", "Connection: upgrade", "Upgrade: h2c"),
    request("GET", "/engine.io/", "Connection: upgrade", "Upgrade: websocket"),
    request("FOO", "/page"),
    b"\r\n",
]  # fmt: skip


@st.composite
def connections(draw: st.DrawFn) -> list[bytes]:
    """Requests behind one another, some bytes of them others, cut anywhere."""
    raw = bytearray(
        b"".join(draw(st.lists(st.one_of(st.sampled_from(REQUESTS), heads()), min_size=1, max_size=4)))
    )
    for at, value in draw(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=3)):
        if at < len(raw):
            raw[at] = value
    places = [
        0,
        *sorted({cut for cut in draw(st.lists(st.integers(1, 500), max_size=5)) if cut < len(raw)}),
        len(raw),
    ]
    return [bytes(raw[a:b]) for a, b in itertools.pairwise(places)]


def conversation(chunks: list[bytes], http_engine: object, *, eof: bool) -> Any:
    engine, connection = recording(RecordingEngine(http_engine=http_engine))
    connection.feed(*chunks)
    if eof:
        connection.eof()
    connection.at(400.0)
    heads = [(e.request.method, e.request.target, list(e.request.headers.items())) for e in engine.exchanges]
    events = [re.sub(r" object at 0x\w+", "", repr(event)) for event in connection.events]
    return engine.heard, heads, events, connection.writes, connection.open, connection.wire.abort


@settings(deadline=None, max_examples=300)
@given(connections(), st.booleans())
def test_both_engines_give_the_same_conversation(chunks: list[bytes], eof: bool) -> None:
    assert conversation(chunks, "h11", eof=eof) == conversation(chunks, "httptools", eof=eof)


def test_every_split_gives_the_same_conversation() -> None:
    stream = b"".join(REQUESTS[:4])
    whole = conversation([stream], "h11", eof=False)[:2]
    for at in range(1, len(stream)):
        assert conversation([stream[:at], stream[at:]], "httptools", eof=False)[:2] == whole
