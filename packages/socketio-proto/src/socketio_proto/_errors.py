"""The two roots of this package's exceptions, and what a user can raise or catch."""

from __future__ import annotations

from typing import Any, cast


class LocalProtocolError(Exception):
    """The caller's own mistake; nothing was changed."""


class RemoteProtocolError(Exception):
    """The peer broke the protocol."""


class ReservedEventError(LocalProtocolError, ValueError):
    """An event with a name that only the library may emit. Source: `socket.ts`, `RESERVED_EVENTS`."""

    def __init__(self, name: str) -> None:
        super().__init__(f'"{name}" is a reserved event name')
        self.name = name


class ConnectionRefused(Exception):  # the word of the field; python-socketio's users know it
    """Raise it in a middleware to refuse a client; it gets a CONNECT_ERROR packet.

    Args:
        message: the `message` of the client's error.
        data: the `data` of the client's error; left out when None.

    Raises:
        TypeError: for a message that is no string.
    """

    def __init__(self, message: str = "Connection refused", data: Any = None) -> None:
        if not isinstance(cast(object, message), str):
            raise TypeError(f"ConnectionRefused: the message must be a string, not {message!r}")
        super().__init__(message)
        self.message = message
        self.data = data


class AckError(Exception):
    """An awaited acknowledgement did not come."""


class AckTimeout(AckError):
    """It did not come in time. Source: `socket.ts`, `operation has timed out`.

    Attributes:
        responses: the answers that did come, when several clients were asked.
    """

    def __init__(self, responses: list[Any] | None = None) -> None:
        super().__init__("operation has timed out")
        self.responses: list[Any] = responses if responses is not None else []


class AckDisconnected(AckError):
    """The client disconnected before it answered."""

    def __init__(self) -> None:
        super().__init__("socket has been disconnected")


class AnswersMissing(Exception):
    """Not every node of the cluster answered in time.

    Attributes:
        responses: the answers that did come.
    """

    def __init__(self, text: str, responses: list[Any]) -> None:
        super().__init__(text)
        self.responses = responses
