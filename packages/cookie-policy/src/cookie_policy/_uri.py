"""JavaScript's encodeURIComponent and decodeURIComponent (ECMA-262, 19.2.6), which cookies are coded with.

JavaScript text is UTF-16 and may hold half of a surrogate pair, which has no UTF-8 form: both functions
refuse what they cannot code, where Python's own would replace it or let it pass.
"""

from __future__ import annotations

import re
from typing import cast
from urllib.parse import quote, unquote

# quote() keeps letters, digits and "_.-~" by itself; these are the rest of uriUnescaped.
_UNESCAPED_MARKS = "!*'()"
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def encode_uri_component(text: str) -> str:
    """Percent-encode `text` as UTF-8; ValueError for a lone surrogate (URIError in JavaScript)."""
    if not isinstance(cast(object, text), str):
        raise TypeError(f"a cookie's value must be a str; got {text!r}")
    try:
        # Two halves that stand together are one character for JavaScript; Python may hold them apart.
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise ValueError(f"text with a lone surrogate cannot be percent-encoded: {text!r}") from None
    return quote(joined, safe=_UNESCAPED_MARKS)


def decode_uri_component(text: str) -> str:
    """Undo percent-encoding; ValueError for a broken escape and for bytes that are not UTF-8."""
    broken = _BAD_ESCAPE.search(text)
    if broken is not None:
        raise ValueError(f"text has a broken percent escape at offset {broken.start()}: {text!r}")
    return unquote(text, errors="strict")
