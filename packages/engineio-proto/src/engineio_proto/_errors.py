"""The two roots of this package's exceptions, and the reference's table of refusals.

Source: `packages/engine.io/lib/server.ts`, `Server.errors` and `Server.errorMessages`.
"""

from __future__ import annotations

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
