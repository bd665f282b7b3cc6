"""What can go wrong, by whose fault it is: the caller's (`EncodeError`) or the peer's (`DecodeError`)."""

from __future__ import annotations


class LocalProtocolError(Exception):
    """The caller asked for something the protocol cannot say. Nothing was changed."""


class RemoteProtocolError(Exception):
    """The peer sent something the protocol does not allow."""


class EncodeError(LocalProtocolError):
    """A packet that cannot be encoded.

    `path` says where in the packet's data the offending value is (`data[1]['tags']`), or is empty
    when the fault is not in the data.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{message} at {path}" if path else message)
        self.path = path


class DecodeError(RemoteProtocolError):
    """A chunk that is not a packet, or not one that may come now.

    `str(error)` is the exact message of socket.io-parser 4.2.7; `detail` says more where that one is
    vague (`invalid payload`). `offset` is the index in the chunk just fed, in characters, where the
    fault was found (0 for a binary chunk).
    """

    def __init__(self, message: str, offset: int = 0, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.detail = detail
