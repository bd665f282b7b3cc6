"""Whether a request comes from a page of the very server that it goes to.

For servers that refuse what CORS only hides (a WebSocket is open to the pages of every site) and that have no
list of origins. Origin and Host are taken apart by their grammar and compared; neither is used to build the
other, so what only looks like a Host (`a.example/x`, `a.example, b.example`, `user@a.example`) equals nothing.
"""

from __future__ import annotations

import re

# RFC 3986 3.2.2, as far as a browser writes it: a name or address in ASCII (IDN comes as xn--), or [IPv6].
_AUTHORITY = r"([a-z0-9._-]+|\[[0-9a-f:.]+\])"
# RFC 6454 6.2: ASCII serialization of an origin. A port is left out when it is the scheme's own.
_ORIGIN = re.compile(rf"(https?)://{_AUTHORITY}(?::([0-9]{{1,5}}))?", re.ASCII | re.IGNORECASE)
# RFC 9110 7.2: Host = uri-host [ ":" port ]; RFC 3986 3.2.3: port = *DIGIT, so it may be empty.
_HOST = re.compile(rf"{_AUTHORITY}(?::([0-9]{{0,5}}))?", re.ASCII | re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


def same_origin(origin: str, host: str | None, *, secure: bool) -> bool:
    """Compare a request's `Origin` with its `Host`.

    `secure` is whether the connection is TLS: then the page must have come by https. Without it both schemes are
    taken, for a proxy may have ended the TLS. False for `null`, for every other scheme, and without a Host.
    """
    theirs = _ORIGIN.fullmatch(origin)
    ours = _HOST.fullmatch(host) if host is not None else None
    if theirs is None or ours is None:
        return False
    scheme = theirs[1].lower()
    if secure and scheme != "https":
        return False
    port = _PORTS[scheme]
    return theirs[2].lower() == ours[1].lower() and int(theirs[3] or port) == int(ours[2] or port)
