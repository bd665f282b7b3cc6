"""Payloads and base64: reference 1.6; whatever bytes come, nothing raises."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode

import pytest
from engineio_proto import EngineServer, SessionState, message
from engineio_proto._payload import PAYLOAD_4, decode_base64
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engineio_proto.driving import body, new_engine, open_polling, poll, post

BOUNDED = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("AQIDBA==", b"\x01\x02\x03\x04"),
        ("AQIDBA", b"\x01\x02\x03\x04"),
        ("-_8", b"\xfb\xff"),
        ("+/8=", b"\xfb\xff"),
        ("A Q\nI!D€BA==", b"\x01\x02\x03\x04"),
        ("AQ==AQ==", b"\x01"),
        ("A", b""),
        ("AQIDB", b"\x01\x02\x03"),
        ("=", b""),
    ],
)
def test_base64_as_node_reads_it(text: str, data: bytes) -> None:
    assert decode_base64(text) == data


@BOUNDED
@given(st.text())
def test_base64_never_raises(text: str) -> None:
    decode_base64(text)


@BOUNDED
@given(st.binary())
def test_base64_round_trip(data: bytes) -> None:
    assert decode_base64(b64encode(data).decode()) == decode_base64(urlsafe_b64encode(data).decode()) == data


def test_join() -> None:
    assert PAYLOAD_4.encode([message("a"), message("é", b"\x01")]).data == "4a\x1e4é\x1ebAQ==".encode()
    assert PAYLOAD_4.encode([]).data == b""


@pytest.mark.parametrize(
    ("text", "sent"), [("\ud800", "\ufffd"), ("a\udc00b", "a\ufffdb"), ("\ud83d\ude00", "😀")]
)
def test_surrogates_as_node_writes_them(text: str, sent: str) -> None:
    assert PAYLOAD_4.encode([message(text)]).data == ("4" + sent).encode()


def test_split() -> None:
    assert PAYLOAD_4.decode(b"", binary=False) == [""]
    assert PAYLOAD_4.decode(b"4a\x1e\x1e4\xff", binary=False) == ["4a", "", "4\ufffd"]


@BOUNDED
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\x1e", exclude_categories=["Cs"])) | st.binary(), min_size=1
    )
)
def test_messages_round_trip(messages: list[str | bytes]) -> None:
    """What one session sends over polling, another receives."""
    engine = new_engine()
    sender, receiver = open_polling(engine), open_polling(engine)
    get = poll(engine, sender)
    for data in messages:
        sender.send_message(data)
    events, _ = post(engine, receiver, body(get) or b"")
    assert [getattr(event, "data", None) for event in events] == messages


ENGINE = new_engine(slice=3)


@BOUNDED
@given(
    st.binary()
    | st.lists(
        st.sampled_from([b"0", b"1", b"2", b"3", b"4a", b"5", b"6", b"b", b"bA", b"", b"7", b"\xff"])
    ).map(b"\x1e".join)
)
def test_any_payload(data: bytes) -> None:
    """A session takes any body: it lives on or it is closed, the POST is answered, and nothing raises."""
    session = open_polling(ENGINE)
    _, request = post(ENGINE, session, data)
    response = request.take_response()
    assert response is not None and (response.status, response.body) == (200, b"ok")
    session.close(0.0, discard=True)
    ENGINE.take_events()
    assert session.state is SessionState.CLOSED and not ENGINE.sessions and ENGINE.deadline is None
    assert isinstance(ENGINE, EngineServer)
