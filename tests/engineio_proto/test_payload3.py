"""Payloads of protocol 3: reference 1.13 with observed A8. `test_traces.py` has the reference's own results."""

from __future__ import annotations

from base64 import b64encode
from time import process_time

import pytest
from engineio_proto import MessageReceived, SessionState, message
from engineio_proto._outgoing import CLOSE, NOOP
from engineio_proto._payload3 import (
    BASE64_PAYLOAD_3,
    BINARY_PAYLOAD_3,
    base64_frames_3,
    base64_frames_4,
    binary_frames_3,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.engineio_proto.driving import body, new_engine, open_form, poll, post, start_post

BOUNDED = settings(max_examples=150, deadline=None)
OCTETS = (("Content-Type", "application/octet-stream"),)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
MESSAGES = st.lists(TEXTS | st.binary(), min_size=1)

EXAMPLE = message("€", b"\x01\x02\x03\x04")


class TestAnswer:
    def test_text(self) -> None:
        text = BASE64_PAYLOAD_3.encode([EXAMPLE, NOOP])
        assert text.data.decode() == "2:4€10:b4AQIDBA==1:6"
        assert text.content_type == ("Content-Type", "text/plain; charset=UTF-8")
        assert BINARY_PAYLOAD_3.encode([message("a"), CLOSE]) == (b"2:4a1:1", text.content_type)

    def test_binary(self) -> None:
        data, content_type = BINARY_PAYLOAD_3.encode([EXAMPLE])
        assert data == bytes.fromhex("0004ff34e282ac 0105ff0401020304")
        assert content_type == ("Content-Type", "application/octet-stream")

    def test_utf_16_lengths(self) -> None:
        assert BINARY_PAYLOAD_3.encode([message("😀"), message("\ud83d")]).data.decode() == "3:4😀2:4\ufffd"

    def test_each_form_is_made_once(self) -> None:
        outgoing = message("a", b"\x01")
        for frames in (binary_frames_3, base64_frames_3, base64_frames_4):
            assert frames(outgoing) is frames(outgoing) is not outgoing
        assert binary_frames_3(outgoing).packets == ("4a", b"\x04\x01")
        assert base64_frames_3(outgoing).packets == ("4a", "b4AQ==")
        assert base64_frames_4(outgoing).packets == ("4a", "bAQ==")
        assert not binary_frames_3(message(b"", compress=False)).compress

    def test_text_is_the_same_in_every_form(self) -> None:
        outgoing = message("a", "b")
        for frames in (binary_frames_3, base64_frames_3, base64_frames_4):
            assert frames(outgoing) is outgoing


@BOUNDED
@given(MESSAGES, st.booleans())
@example(["😀a", "é", "\ufeff", "", b"", b"\xff" * 300, "x" * 9, "x" * 10], True)
def test_messages_round_trip(messages: list[str | bytes], base64: bool) -> None:
    """What one session sends over polling, another receives."""
    engine = new_engine(allow_eio3=True)
    sender, _ = open_form(engine, "polling", 3, b64="1" if base64 else "")
    receiver, _ = open_form(engine, "polling", 3)
    get = poll(engine, sender)
    for data in messages:
        sender.send_message(data)
    answer = get.take_response()
    assert answer is not None
    is_binary = not base64 and any(isinstance(data, bytes) for data in messages)
    events, _ = post(engine, receiver, answer.body, headers=OCTETS if is_binary else ())
    assert events == [MessageReceived(receiver, data) for data in messages]


ENGINE = new_engine(allow_eio3=True, slice=3)

NEARLY = st.lists(
    st.sampled_from(
        [
            b"2:4a",
            b"1:",
            b"0:",
            b"3",
            b":",
            b"6:4",
            "3:4😀".encode(),
            b"b4AQ",
            b"\x00\x02\xff4a",
            b"\x01\x02\xff\x04a",
            b"\x00",
            b"\xff",
            b"\x09",
        ]
    )
).map(b"".join)


@BOUNDED
@given(st.binary() | NEARLY, st.booleans(), st.integers(0))
def test_any_body_in_any_pieces(data: bytes, octets: bool, split: int) -> None:
    """A session takes any body: it lives on or it is closed, the POST is answered, and pieces make no difference."""
    headers = OCTETS if octets else ()
    split %= len(data) + 1
    outcomes: list[object] = []
    for pieces in ([data], [data[:split], data[split:]]):
        session, _ = open_form(ENGINE, "polling", 3)
        exchange = start_post(ENGINE, session, headers=headers)
        events = [event for piece in pieces for event in ENGINE.receive_body(exchange, piece, 0.0)]
        events += ENGINE.receive_body_end(exchange, 0.0)
        while exchange.has_more:
            events += ENGINE.resume_body(exchange, 0.0)
        assert body(exchange) == b"ok"
        outcomes.append(
            [(type(event), getattr(event, "data", None), getattr(event, "reason", None)) for event in events]
        )
        session.close(0.0, discard=True)
        ENGINE.take_events()
        assert session.state is SessionState.CLOSED and not ENGINE.sessions and ENGINE.deadline is None
    assert outcomes[0] == outcomes[1]


@BOUNDED
@given(st.text() | st.text("b0123456789=A_-"), st.binary())
def test_any_frame(text: str, data: bytes) -> None:
    for arrives in (text, data):
        session, link = open_form(ENGINE, "websocket", 3)
        assert link is not None
        if isinstance(arrives, str):
            ENGINE.receive_text(link, arrives, 0.0)
        else:
            ENGINE.receive_bytes(link, arrives, 0.0)
        session.close(0.0, discard=True)
        ENGINE.take_events()
        assert not ENGINE.sessions and ENGINE.deadline is None


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(b"1:4", id="shortest packets"),
        pytest.param(b"0:", id="nothing at all"),
        pytest.param(b"9", id="digits without end"),
        pytest.param(b"0" * 309 + b"1:4", id="long lengths"),
        pytest.param("3:4😀".encode(), id="beyond the BMP"),
        pytest.param(b"\x00\x01\xff4", id="binary: shortest packets"),
        pytest.param(b"\x01\xff", id="binary: no length"),
        pytest.param(b"\x01\x00", id="binary: no end"),
        pytest.param(b"\x01" + b"\x00" * 309 + b"\xff", id="binary: long lengths"),
        pytest.param(b"\xff", id="binary: ends only"),
    ],
)
@pytest.mark.parametrize("octets", [False, True])
def test_linear_time(hostile: bytes, octets: bool) -> None:
    """Ten times as much takes about ten times as long; far from the hundred times of a square."""

    def seconds(size: int) -> float:
        data = hostile * (size // len(hostile))
        best = 1e9
        for _ in range(3):
            started = process_time()
            BINARY_PAYLOAD_3.decode(data, binary=octets)
            best = min(best, process_time() - started)
        return best

    assert seconds(300_000) < 40 * max(seconds(30_000), 0.0002)


def test_base64_of_a_packet_as_node_reads_it() -> None:
    data = b"\xfb\xef\xff"
    text = "b4" + b64encode(data).decode().replace("+", "-")
    assert BINARY_PAYLOAD_3.decode(f"{len(text)}:{text}".encode(), binary=False) == [data]
