"""The `Cookie` header of a request to a dict: lenient, linear, and never an error.

Whatever a client sends gives some dict. Parts without "=" are skipped, of equal names the first counts, a
value that cannot be decoded stays as it was sent. Each character is looked at a bounded number of times.
(cookie 0.7.2, `parse`. One difference: the name `__proto__`, which a JavaScript object cannot hold, is kept.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from ._uri import decode_uri_component

# RFC 9110 5.6.3: OWS = *( SP / HTAB ); other white space belongs to the name or value.
_OWS = " \t"


def parse(header: str, *, decode: Callable[[str], str] | None = None) -> dict[str, str]:
    """Names to values. `decode` replaces percent-decoding; whatever it raises keeps the value undecoded.

    TypeError when `header` is no str.
    """
    if not isinstance(cast(object, header), str):
        raise TypeError(f"argument header must be a string; got {header!r}")
    if len(header) < 2:  # RFC 6265 4.1.1: a name of one character and "="; so "=" alone is nothing
        return {}
    decode = decode or decode_uri_component
    cookies: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip(_OWS)
        if not equals or name in cookies:
            continue
        value = value.strip(_OWS)
        # A single quote mark is its own pair for the reference, and gives the empty value.
        if value.startswith('"') and value.endswith('"'):
            value = value[1:-1]
        try:
            cookies[name] = decode(value)
        except Exception:  # the reference's tryDecode: a client must not be able to choose our exceptions
            cookies[name] = value
    return cookies
