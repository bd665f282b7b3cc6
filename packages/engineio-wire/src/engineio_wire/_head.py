"""The checks of a request's raw head, before any parser sees it, and the meaning of what the parser found.

Two parsers that read one head differently are how requests are smuggled past a proxy. h11 is lenient where old
software was (repeated equal lengths), llhttp where URLs are odd; so the raw bytes are checked first and
everything that anyone may read in two ways is refused:

    RFC 9112 2.2   a bare CR or LF ends no line          RFC 9112 5.2   obs-fold
    RFC 9112 3.2   a target of the four forms; HTTP/1.1 without Host, several Host lines, a Host that is no
                   authority
    RFC 9112 5.1   a field's name is a token, and the colon follows it
    RFC 9112 6.1   Transfer-Encoding with Content-Length, or in HTTP/1.0; any coding but `chunked`
    RFC 9112 6.3   several Content-Length lines, or one that is not 1*DIGIT (`+1`, `0x1`, `1, 1`)
    RFC 9110 9.1   methods: those that Node knows, but CONNECT

The refusals are Node's: a bare status line with `Connection: close`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ._http_engine import BadRequest, HttpEngine

TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"  # RFC 9110 5.6.2: tchar
# RFC 9110 5.5: field-value is VCHAR, SP, HTAB and obs-text; Node's parser refuses the same bytes. A folded line
# begins with white space, which begins no name.
HEADER_LINE: Final = rb"%b++:[\t\x20-\x7e\x80-\xff]*+\r\n" % TOKEN
_HEADERS: Final = re.compile(rb"(?:%b)*+\r\n" % HEADER_LINE)
# RFC 3986 3.2: authority, without the userinfo that no request needs.
_AUTHORITY: Final = rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]"
# RFC 9112 3: method SP request-target SP HTTP-version CRLF; the target in origin-form, asterisk-form or absolute-form.
_REQUEST_LINE: Final = re.compile(
    rb"([A-Z-]+) (?:/[!-~]*|\*|[Hh][Tt][Tt][Pp][Ss]?://%b+(?:[/?][!-~]*)?) HTTP/1\.([01])\r\n" % _AUTHORITY
)
# Node's `http.METHODS`. Others get a 400 from Node, too.
METHODS: Final = frozenset(
    b"""
    ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS
    PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK
    UNSUBSCRIBE
    """.split()
)
_HOST: Final = re.compile((_AUTHORITY + b"*").decode())  # RFC 9110 7.2: uri-host [ ":" port ], or nothing
FRAMING_NAMES: Final = frozenset({b"content-length", b"transfer-encoding"})
# The lines that say where a body ends. h11 merges repeated lengths before anyone can see them.
_FRAMING: Final = re.compile(rb"\r\n(content-length|transfer-encoding):([^\r]*)", re.I)
# Longer than any size that is allowed, short enough for int().
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_SPECIAL: Final = frozenset({"connection", "expect", "host", "upgrade"})


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


def read_head(raw: bytes, engine: HttpEngine, max_headers: int) -> Head:
    """Check a complete head, let the engine parse it, and say what it means.

    Args:
        raw: from the request line to the empty line.
        engine: whose parts of it are used.
        max_headers: header lines.

    Raises:
        BadRequest: the head is refused.
    """
    line = _REQUEST_LINE.match(raw)
    if line is None or _HEADERS.fullmatch(raw, line.end()) is None:
        raise BadRequest(400, "no HTTP/1.1 head: its request line, or a header's name, value or line end")
    # The request line and the empty line are no headers.
    if raw.count(b"\r\n") - 2 > max_headers:
        raise BadRequest(431, f"more than {max_headers} headers")
    if line[1] not in METHODS:
        raise BadRequest(400, "an unknown method, or CONNECT, which asks for a tunnel")
    http_1_0 = line[2] == b"0"
    content_length, chunked = _framing(raw, http_1_0)

    parsed = engine.read_head(raw)
    headers = [
        (name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t"))
        for name, value in parsed.headers
    ]
    if chunked:
        # h11 gives the coding in lower case (it is case-insensitive), so whoever parsed, it is.
        headers = [(name, "chunked" if name == "transfer-encoding" else value) for name, value in headers]
    hosts = 0
    options: list[str] = []
    upgrades: list[str] = []
    expects_continue = False
    for name, value in headers:
        if name not in _SPECIAL:
            continue
        if name == "host":
            hosts += 1
            if _HOST.fullmatch(value) is None:
                raise BadRequest(400, "Host is not an authority")
        elif name == "connection":
            options += [option.strip(" \t") for option in value.lower().split(",")]
        elif name == "upgrade":
            upgrades.append(value)
        else:
            # RFC 9110 10.1.1: a server ignores the expectation of an HTTP/1.0 request.
            expects_continue = expects_continue or (value.lower() == "100-continue" and not http_1_0)
    if hosts != 1 and not (http_1_0 and hosts == 0):
        raise BadRequest(400, "HTTP/1.1 without Host, or several of them")
    return Head(
        method=parsed.method.decode("ascii"),
        target=parsed.target.decode("ascii"),
        headers=headers,
        content_length=content_length,
        chunked=chunked,
        keep_alive="close" not in options and (not http_1_0 or "keep-alive" in options),
        expects_continue=expects_continue,
        upgrade=", ".join(upgrades) if upgrades and "upgrade" in options and not http_1_0 else None,
    )


def _framing(raw: bytes, http_1_0: bool) -> tuple[int, bool]:
    """The length of the body, or 0 and whether it is chunked."""
    framing: list[tuple[bytes, bytes]] = _FRAMING.findall(raw)
    if not framing:
        return 0, False
    if len(framing) > 1:
        raise BadRequest(400, "several Content-Length or Transfer-Encoding headers")
    [(name, raw_value)] = framing
    value = raw_value.strip(b" ")  # Tabs around it are odd enough to be refused.
    if name.lower() == b"content-length":
        if _LENGTH.fullmatch(value) is None:
            raise BadRequest(400, "Content-Length is not a number of bytes")
        return int(value), False
    if http_1_0:
        raise BadRequest(400, "Transfer-Encoding in HTTP/1.0")
    if value.lower() != b"chunked":
        raise BadRequest(501, "a transfer coding other than chunked")
    return 0, True
