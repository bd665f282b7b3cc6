"""The checks of a request's raw head, before any parser sees it.

Two parsers that read one head differently are how requests are smuggled past a proxy. h11 is lenient where old
software was (bare LF, folded lines, repeated equal lengths), so the raw bytes are checked first and everything
that anyone may read in two ways is refused:

    RFC 9112 2.2   a bare CR or LF ends no line          RFC 9112 5.2   obs-fold
    RFC 9112 6.1   Transfer-Encoding with Content-Length, or in HTTP/1.0; any coding but `chunked`
    RFC 9112 6.3   several Content-Length lines, or one that is not 1*DIGIT (`+1`, `0x1`, `1, 1`)
    RFC 9112 3.2   HTTP/1.1 without Host, several Host lines, a Host that is no authority

The refusals are Node's: a bare status line with `Connection: close`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import h11

# RFC 9110 5.5: field-value is VCHAR, SP, HTAB and obs-text; Node's parser refuses the same bytes.
_FORBIDDEN: Final = re.compile(rb"[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n|\r\n[ \t]")
# RFC 9112 2.3: HTTP-version; only what we speak.
_REQUEST_LINE_END: Final = re.compile(rb" HTTP/1\.[01]\r\n")
# RFC 9110 7.2 and RFC 3986 3.2.2: uri-host [ ":" port ], without userinfo.
_HOST: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
# The lines that say where a body ends. h11 merges repeated lengths before anyone can see them.
_FRAMING: Final = re.compile(rb"\r\n(content-length|transfer-encoding)[ \t]*:([^\r]*)", re.I)
# Longer than any size that is allowed, short enough for int().
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")


class BadRequest(Exception):
    """A request that is refused with a bare status line and a close; `status` says with which."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class Head:
    """What a request's head says."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    "Lower-case names, in order."
    content_length: int
    "0 without a body, and for a chunked one."
    chunked: bool
    keep_alive: bool
    "What the peer asked for: HTTP/1.1's default, or an explicit wish in HTTP/1.0."
    expects_continue: bool
    upgrade: str | None
    "The `Upgrade` header of a request whose `Connection` names it (HTTP/1.1 only)."

    @property
    def has_body(self) -> bool:
        """Whether body bytes follow the head."""
        return self.chunked or self.content_length > 0


def check_raw_head(raw: bytes, max_headers: int) -> None:
    """Refuse what can be read in two ways.

    Raises:
        BadRequest: see the table above.
    """
    if _FORBIDDEN.search(raw) is not None:
        raise BadRequest(400, "control character, bare CR or LF, or folded line in the head")
    # The request line and the empty line are no headers.
    if raw.count(b"\r\n") - 2 > max_headers:
        raise BadRequest(431, f"more than {max_headers} headers")
    first_end = raw.index(b"\r\n") + 2
    if _REQUEST_LINE_END.search(raw, 0, first_end) is None:
        raise BadRequest(400, "no HTTP/1.1 request line")
    framing: list[tuple[bytes, bytes]] = _FRAMING.findall(raw)
    if len(framing) > 1:
        raise BadRequest(400, "several Content-Length or Transfer-Encoding headers")
    for name, raw_value in framing:
        value = raw_value.strip(b" \t")
        if name.lower() == b"content-length":
            if _LENGTH.fullmatch(value) is None:
                raise BadRequest(400, "Content-Length is not a number of bytes")
        elif raw[first_end - 3 : first_end - 2] == b"0":
            raise BadRequest(400, "Transfer-Encoding in HTTP/1.0")
        elif value.lower() != b"chunked":
            raise BadRequest(501, "a transfer coding other than chunked")


def read_head(request: h11.Request) -> Head:
    """The meaning of a checked head that h11 has parsed.

    Raises:
        BadRequest: a Host that is no authority, or a request for a tunnel.
    """
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
    lengths = [value for name, value in headers if name == "content-length"]
    http_1_0 = request.http_version == b"1.0"
    for name, value in headers:
        if name == "host" and _HOST.fullmatch(value) is None:
            raise BadRequest(400, "Host is not an authority")
    method = request.method.decode("ascii")
    if method == "CONNECT":
        raise BadRequest(400, "CONNECT asks for a tunnel")

    options = {
        option.strip().lower()
        for name, value in headers
        if name == "connection"
        for option in value.split(",")
    }
    upgrade: str | None = None
    if "upgrade" in options and not http_1_0:
        offered = [value for name, value in headers if name == "upgrade"]
        upgrade = ", ".join(offered) if offered else None
    keep_alive = "close" not in options and (not http_1_0 or "keep-alive" in options)
    return Head(
        method=method,
        target=request.target.decode("ascii"),
        headers=headers,
        content_length=int(lengths[0]) if lengths else 0,
        chunked=any(name == "transfer-encoding" for name, _ in headers),
        keep_alive=keep_alive,
        # RFC 9110 10.1.1: a server ignores the expectation of an HTTP/1.0 request.
        expects_continue=not http_1_0
        and any(name == "expect" and value.lower() == "100-continue" for name, value in headers),
        upgrade=upgrade,
    )
