"""What is queued: sizes, forms, caches."""

from __future__ import annotations

import pytest
from engineio_proto import Outgoing, message
from engineio_proto._outgoing import CLOSE, NOOP, PING, PROBE_ANSWER


@pytest.mark.parametrize(
    ("messages", "packets", "size", "payload"),
    [
        (("a",), ("4a",), 2, "4a"),
        (("",), ("4",), 1, "4"),
        (("é€😀",), ("4é€😀",), 10, "4é€😀"),
        (("\ud800",), ("4\ud800",), 4, "4\ud800"),
        ((b"",), (b"",), 0, "b"),
        ((b"\x01\x02\x03\x04",), (b"\x01\x02\x03\x04",), 4, "bAQIDBA=="),
        ((b"\xff\xfe",), (b"\xff\xfe",), 2, "b//4="),
        (("a", b"\x01", "é"), ("4a", b"\x01", "4é"), 6, "4a\x1ebAQ==\x1e4é"),
    ],
)
def test_message(
    messages: tuple[str | bytes, ...], packets: tuple[str | bytes, ...], size: int, payload: str
) -> None:
    outgoing = message(*messages)
    assert (outgoing.packets, outgoing.size, outgoing.payload) == (packets, size, payload)
    assert outgoing.compress and outgoing.frame is None


def test_payload_is_made_once() -> None:
    outgoing = message("a", b"\x01")
    assert outgoing.payload is outgoing.payload


def test_compress() -> None:
    assert not message("a", compress=False).compress
    assert not message("a", "b", compress=False).compress


def test_control_packets() -> None:
    assert [o.packets for o in (PING, NOOP, CLOSE, PROBE_ANSWER)] == [("2",), ("6",), ("1",), ("3probe",)]
    assert not any(o.compress for o in (NOOP, CLOSE, PROBE_ANSWER))
    assert PING.compress  # the session's, not a transport's: as in the reference


def test_repr() -> None:
    assert repr(Outgoing(("4a",))) == "Outgoing(('4a',), compress=True)"
