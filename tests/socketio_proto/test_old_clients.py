"""Clients of Socket.IO protocol 4 (2.x): what they say and hear otherwise."""

from __future__ import annotations

from socketio_proto._old_clients import refusal, socket_id, split_query


def test_split_query() -> None:
    assert split_query("/a") == ("/a", {})
    assert split_query("/a?b=%zz&c=%ff&=d&&e=f=g") == ("/a", {"b": "%zz", "c": "\ufffd", "": "d", "e": "f=g"})
    assert split_query("/a?b?c=d") == ("/a", {"b?c": "d"})


def test_socket_id() -> None:
    assert socket_id("/", "sid") == "sid"
    assert socket_id("/a", "sid") == "/a#sid"


def test_refusal() -> None:
    assert refusal("m", None) == "m"
    assert refusal("m", ()) == ()
