from __future__ import annotations

import socketio_parser
from socketio_parser import DecodeError, EncodeError, LocalProtocolError, RemoteProtocolError


def test_two_roots() -> None:
    assert issubclass(EncodeError, LocalProtocolError)
    assert issubclass(DecodeError, RemoteProtocolError)
    public = [getattr(socketio_parser, name) for name in socketio_parser.__all__]
    errors = [value for value in public if isinstance(value, type) and issubclass(value, Exception)]
    assert {error.__base__ for error in errors} == {Exception, LocalProtocolError, RemoteProtocolError}


def test_encode_error_says_where() -> None:
    error = EncodeError("cannot encode set", "data[1]")
    assert (str(error), error.path) == ("cannot encode set at data[1]", "data[1]")
    assert (str(EncodeError("no")), EncodeError("no").path) == ("no", "")


def test_decode_error_is_the_references_message_with_our_detail() -> None:
    error = DecodeError("invalid payload", 4, "not an event")
    assert (str(error), error.message, error.offset, error.detail) == (
        "invalid payload",
        "invalid payload",
        4,
        "not an event",
    )
