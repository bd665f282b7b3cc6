"""The two roots of this package's exceptions, the reference's table of refusals, and what unknown options are told.

Source: `packages/engine.io/lib/server.ts`, `Server.errors` and `Server.errorMessages`.
"""

from __future__ import annotations

from difflib import get_close_matches
from enum import IntEnum
from typing import Final


class LocalProtocolError(Exception):
    """The caller's own mistake; nothing was changed."""


class RemoteProtocolError(Exception):
    """The peer broke the protocol; the message is the reference's."""


class ErrorCode(IntEnum):
    """Why a request was refused, as it stands in the body's `code`."""

    UNKNOWN_TRANSPORT = 0
    UNKNOWN_SID = 1
    BAD_HANDSHAKE_METHOD = 2
    BAD_REQUEST = 3
    FORBIDDEN = 4
    UNSUPPORTED_PROTOCOL_VERSION = 5


ERROR_MESSAGES: Final = {
    ErrorCode.UNKNOWN_TRANSPORT: "Transport unknown",
    ErrorCode.UNKNOWN_SID: "Session ID unknown",
    ErrorCode.BAD_HANDSHAKE_METHOD: "Bad handshake method",
    ErrorCode.BAD_REQUEST: "Bad request",
    ErrorCode.FORBIDDEN: "Forbidden",
    ErrorCode.UNSUPPORTED_PROTOCOL_VERSION: "Unsupported protocol version",
}


def unknown_option(name: object, known: set[str]) -> str:
    """The text of the error for an option that does not exist."""
    near = get_close_matches(str(name), sorted(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known options: {', '.join(sorted(known))}"
    return f"unknown option {name!r}{hint}"
