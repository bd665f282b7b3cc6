"""The events: a closed union, and the reference's exact words."""

from __future__ import annotations

import typing
from dataclasses import is_dataclass

from engineio_proto import CloseReason
from socketio_proto import DisconnectReason, SocketEvent


def test_reasons() -> None:
    """Source: the reference's `DisconnectReason` and `RESERVED`; observed on the wire and in handlers."""
    assert [str(reason) for reason in DisconnectReason] == [
        "server namespace disconnect",
        "client namespace disconnect",
        "server shutting down",
        "forced server close",
        "ping timeout",
        "parse error",
        "transport error",
        "transport close",
        "forced close",
    ]


def test_every_end_of_a_session_is_a_reason() -> None:
    assert {str(reason) for reason in CloseReason} <= {str(reason) for reason in DisconnectReason}


def test_every_event_is_slotted() -> None:
    for event in typing.get_args(SocketEvent):
        assert is_dataclass(event)
        assert "__dict__" not in dir(event)
