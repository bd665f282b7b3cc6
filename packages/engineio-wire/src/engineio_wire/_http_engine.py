"""Who parses the head of a request: h11, httptools, or an engine of the user's own.

An engine parses a head and nothing else. Where a head ends, and whether anyone may read it in two ways, is
decided before it is asked (`_head.py`); what the headers mean, and where the body ends, is decided after
(`_head.py`, `_body.py`). So no two engines can disagree about what a connection carries, and a connection
holds no parser between requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol, cast, runtime_checkable

import h11

try:
    import httptools
except ImportError:
    _httptools: Any = None
else:
    _httptools = httptools


class BadRequest(Exception):
    """A request that is refused with a bare status line and a close.

    Args:
        status: with which status.
        text: why, for whoever debugs; the peer does not see it.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class ParsedHead(NamedTuple):
    """A head in its parts, as sent."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    "In order. The case of names, and spaces and tabs around values, do not matter."


@runtime_checkable
class HttpEngine(Protocol):
    """What an HTTP parser must do to be the option `http_engine`. One object serves all connections."""

    def read_head(self, raw: bytes, /) -> ParsedHead:
        """Parse a complete head, request line to empty line, whose form was checked: `_head.py` says how.

        Raises:
            BadRequest: it is refused all the same.
        """
        ...


class H11Engine:
    """The default: h11, in Python, of which every installation has one."""

    __slots__ = ()

    def read_head(self, raw: bytes, /) -> ParsedHead:
        """Raises BadRequest with h11's own status."""
        connection = h11.Connection(h11.SERVER)
        try:
            connection.receive_data(raw)
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise BadRequest(error.error_status_hint, str(error)) from None
        if not isinstance(event, h11.Request):
            raise BadRequest(400, "incomplete head")
        return ParsedHead(event.method, event.target, list(event.headers))


class HttptoolsEngine:
    """httptools, which is Node's own parser (llhttp).

    Raises:
        ImportError: httptools is not installed.
    """

    __slots__ = ()

    def __init__(self) -> None:
        if _httptools is None:
            raise ImportError(
                "http_engine='httptools' needs the httptools package: pip install 'engineio-wire[httptools]'"
            )

    def read_head(self, raw: bytes, /) -> ParsedHead:
        """Raises BadRequest for whatever llhttp refuses."""
        collected = _Collected()
        parser = _httptools.HttpRequestParser(collected)
        try:
            parser.feed_data(raw)
        except _httptools.HttpParserUpgrade:
            pass  # It stops behind such a head, and so do we.
        except _httptools.HttpParserError as error:
            raise BadRequest(400, str(error)) from None
        if not collected.complete:
            raise BadRequest(400, "incomplete head")
        return ParsedHead(parser.get_method(), collected.target, collected.headers)


class _Collected:
    """What llhttp's callbacks tell. It has the names that httptools looks for."""

    __slots__ = ("complete", "headers", "target")

    def __init__(self) -> None:
        self.target = b""
        self.complete = False
        self.headers: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        """A target is never cut when the head is whole."""
        self.target = url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One line."""
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The empty line."""
        self.complete = True


_NAMED: Final[Mapping[str | None, Callable[[], HttpEngine]]] = {
    None: H11Engine,
    "h11": H11Engine,
    "httptools": HttptoolsEngine,
}


def http_engine(value: object) -> HttpEngine:
    """The engine that an option's value stands for; `WireOptions` has checked the value.

    Raises:
        ImportError: it is not installed.
    """
    if value is None or isinstance(value, str):
        return _NAMED[value]()
    return cast("HttpEngine", value)
