"""Answers as bytes: a response with what HTTP adds to it, and the bare refusals.

Nothing that could split a response leaves: names are tokens and values hold no control characters (the same
rule as Node's `checkInvalidHeaderChar`).
"""

from __future__ import annotations

import re
from typing import Final, cast

from engineio_proto import LocalProtocolError, Response

# RFC 9110 5.6.2: token.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")

# Node's STATUS_CODES, for the statuses that are in use.
REASONS: Final = {
    100: "Continue",
    101: "Switching Protocols",
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Payload Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    422: "Unprocessable Entity",
    426: "Upgrade Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# These frame or end a message, so they are the wire's alone. `Upgrade` is, too, but for the one status that must
# say what to upgrade to (RFC 9110 15.5.22); `Connection: upgrade` then goes with it (7.8).
_OURS: Final = frozenset({"transfer-encoding", "keep-alive", "upgrade", "trailer"})


def check_response(response: Response, *, method: str = "GET") -> None:
    """Refuse a response that must not be written.

    Args:
        response: what a user's handler made.
        method: the request's; an answer to HEAD may state the length of the body that it leaves out.

    Raises:
        LocalProtocolError: the status, a header's name or value, or the stated length is wrong.
    """
    given = cast(object, response)
    if not isinstance(given, Response):
        raise LocalProtocolError(f"an answer must be a Response, not {given!r}")
    status, headers, body = response
    if not isinstance(cast(object, body), (bytes, bytearray)):
        raise LocalProtocolError(f"a response's body must be bytes, not {body!r}")
    # 1xx are not final answers, and 101 is the WebSocket's.
    if not isinstance(cast(object, status), int) or not 200 <= status <= 999:
        raise LocalProtocolError(f"a response's status must be 200 to 999, not {status!r}")
    for header in headers:
        try:
            name, value = header
        except (TypeError, ValueError):
            raise LocalProtocolError(f"a response's headers must be pairs, not {header!r}") from None
        if not isinstance(cast(object, name), str) or not isinstance(cast(object, value), str):
            raise LocalProtocolError(f"a header's name and value must be strings, not {header!r}")
        if _TOKEN.fullmatch(name) is None:
            raise LocalProtocolError(f"a header's name must be a token, not {name!r}")
        if _UNSAFE.search(value) is not None:
            raise LocalProtocolError(
                f"the value of header {name!r} must be latin-1 text without control characters, not {value!r}"
            )
        lower = name.lower()
        if lower in _OURS and not (lower == "upgrade" and status == 426):
            raise LocalProtocolError(f"header {name!r} is set by the connection itself; remove {value!r}")
        if (
            lower == "content-length"
            and value != str(len(body))
            and (method != "HEAD" or not value.isdigit())
        ):
            raise LocalProtocolError(
                f"content-length must be the body's {len(body)} bytes (or left out), not {value!r}"
            )


def safe_headers(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Those headers that may be written, for an answer that cannot be refused any more."""
    return [
        (name, value)
        for name, value in headers
        if _TOKEN.fullmatch(name) is not None and _UNSAFE.search(value) is None
    ]


def response_bytes(response: Response, *, method: str, keep_alive: int | None, date: str | None) -> bytes:
    """The whole answer; one that breaks the rules above becomes an empty 500.

    Args:
        response: what to answer.
        method: of the request; HEAD gets no body.
        keep_alive: seconds that the connection stays open, or None when it closes after this answer.
        date: the `Date` header, or None for none.
    """
    try:
        check_response(response, method=method)
    except LocalProtocolError:
        response = Response(500)
    status, headers, body = response
    names = {name.lower() for name, _ in headers}
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() != "connection"]
    # RFC 9110 8.6: no Content-Length in a 204, and in a 304 only that of the 200 it stands for.
    if "content-length" not in names and status not in (204, 304):
        lines.append(f"Content-Length: {len(body)}")
    if date is not None and "date" not in names:
        lines.append(f"Date: {date}")
    upgrade = ", upgrade" if "upgrade" in names else ""
    if keep_alive is None:
        lines.append(f"Connection: close{upgrade}")
    else:
        lines.append(f"Connection: keep-alive{upgrade}\r\nKeep-Alive: timeout={keep_alive}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    if method == "HEAD" or status in (204, 304):
        return head
    return head + body


def bare_refusal(status: int) -> bytes:
    """What Node's HTTP server writes before it closes because of a request that it cannot read."""
    return f"HTTP/1.1 {status} {REASONS.get(status, '')}\r\nConnection: close\r\n\r\n".encode("ascii")
