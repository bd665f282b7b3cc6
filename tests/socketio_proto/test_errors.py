"""Exceptions that users raise or catch."""

from __future__ import annotations

from typing import Any

import pytest
from socketio_proto import (
    AckDisconnected,
    AckError,
    AckTimeout,
    ConnectionRefused,
    LocalProtocolError,
    RemoteProtocolError,
    ReservedEventError,
)


def test_hierarchy() -> None:
    assert issubclass(ReservedEventError, LocalProtocolError)
    assert issubclass(ReservedEventError, ValueError)
    assert issubclass(AckTimeout, AckError)
    assert issubclass(AckDisconnected, AckError)
    assert not issubclass(RemoteProtocolError, LocalProtocolError)
    assert ReservedEventError("connect").name == "connect"


def test_refused() -> None:
    plain, full = ConnectionRefused(), ConnectionRefused("no", {"retry": 5})
    assert (plain.message, plain.data) == ("Connection refused", None)
    assert (full.message, full.data, str(full)) == ("no", {"retry": 5}, "no")


@pytest.mark.parametrize("wrong", [None, 5, b"no", ValueError("no")])
def test_a_message_is_a_string(wrong: Any) -> None:
    with pytest.raises(TypeError, match="the message must be a string"):
        ConnectionRefused(wrong)


def test_responses() -> None:
    assert AckTimeout().responses == []
    assert AckTimeout([1]).responses == [1]
