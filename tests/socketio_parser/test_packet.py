from __future__ import annotations

import pytest
from socketio_parser import RESERVED_EVENTS, Packet, PacketType, is_packet_valid
from socketio_parser._packet import is_event, is_event_name, kind_of


def test_types_are_the_digits_of_the_wire() -> None:
    assert [int(kind) for kind in PacketType] == [0, 1, 2, 3, 4, 5, 6]
    assert PacketType(6) is PacketType.BINARY_ACK


def test_defaults() -> None:
    packet = Packet(PacketType.CONNECT)
    assert (packet.type, packet.namespace, packet.data, packet.id) == (0, "/", None, None)


def test_small() -> None:
    with pytest.raises(AttributeError):
        Packet(2).other = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "other",
    [Packet(3, "/a", ["x"], 1), Packet(2, "/b", ["x"], 1), Packet(2, "/a", ["y"], 1), Packet(2, "/a", ["x"]), "x"],
)
def test_equality(other: object) -> None:
    packet = Packet(2, "/a", ["x"], 1)
    assert packet == Packet(PacketType.EVENT, "/a", ["x"], 1)
    assert packet != other


def test_not_hashable_because_mutable() -> None:
    with pytest.raises(TypeError):
        hash(Packet(2))


def test_repr() -> None:
    assert repr(Packet(2, "/a", ["x"], 1)) == "Packet(EVENT, '/a', ['x'], id=1)"
    assert repr(Packet(9)) == "Packet(9, '/', None, id=None)"


def test_reserved_events_are_the_references() -> None:
    assert (
        frozenset(["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"])
        == RESERVED_EVENTS
    )


@pytest.mark.parametrize("name", ["", "a", "connection", "error", 0, -1, 1.5])
def test_event_name(name: object) -> None:
    assert is_event_name(name)
    assert is_event([name, 1])


@pytest.mark.parametrize("name", [*sorted(RESERVED_EVENTS), True, None, [], {}, b"a", float("nan"), float("inf")])
def test_no_event_name(name: object) -> None:
    assert not is_event_name(name)
    assert not is_event([name])


def test_no_event() -> None:
    assert not is_event([])
    assert not is_event("a")


def test_a_valid_packet_may_have_any_integer_as_its_id() -> None:
    assert is_packet_valid(Packet(3, "/", [], -1))  # as the reference; the rest is in test_traces.py
    assert not is_packet_valid(Packet(3, "/", [], True))


def test_kind_of() -> None:
    assert kind_of(Packet(2)) == "Packet"
