"""What a client said when it connected. Source: `packages/socket.io/lib/socket.ts`, `buildHandshake`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from engineio_proto import Headers, Request

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Handshake:
    """The details of a client's arrival in a namespace, made from the connection's request when asked for.

    Attributes:
        auth: what the client sent with its CONNECT packet; {} when nothing.
        issued: wall time in seconds since the epoch.
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
    def time(self) -> str:
        """`issued` as JavaScript writes a date, in UTC. (strftime's names would be those of the locale.)"""
        t = datetime.fromtimestamp(self.issued, UTC)
        day, month = _DAYS[t.weekday()], _MONTHS[t.month - 1]
        return f"{day} {month} {t.day:02} {t.year:04} {t:%H:%M:%S} GMT+0000 (Coordinated Universal Time)"

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
        return bool(self._request.headers.get("origin"))
