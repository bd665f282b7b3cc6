"""What a client said when it connected. Source: `packages/socket.io/lib/socket.ts`, `buildHandshake`."""

from __future__ import annotations

from typing import Any

from engineio_proto import Headers, Request


class Handshake:
    """The details of a connection, made from the request when asked for.

    Attributes:
        auth: what the client sent with its CONNECT packet; {} when nothing.
        issued: wall time of the connection in seconds since the epoch.
    """

    __slots__ = ("_request", "auth", "issued")

    def __init__(self, request: Request, auth: dict[str, Any], issued: float) -> None:
        self._request = request
        self.auth = auth
        self.issued = issued

    @property
    def headers(self) -> Headers:
        """The headers of the handshake request."""
        return self._request.headers

    @property
    def query(self) -> dict[str, str]:
        """The query of the handshake request, `EIO` and `transport` included."""
        return self._request.query

    @property
    def url(self) -> str:
        """The target of the handshake request."""
        return self._request.target

    @property
    def address(self) -> str:
        """The peer's IP address."""
        return self._request.remote_address

    @property
    def secure(self) -> bool:
        """Whether the connection is TLS."""
        return self._request.secure

    @property
    def xdomain(self) -> bool:
        """Whether the request had an Origin header."""
        return "origin" in self._request.headers
