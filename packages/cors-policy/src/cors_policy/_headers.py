"""What is read from a request and what may be written into a response.

Two rules live here. Header names of a request are compared without case, and a repeated header is one list,
joined with ", ", as Node's HTTP parser makes it before the reference sees it. And no value leaves this package
that could end a header line: everything written passes `is_field_value`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

RequestHeaders: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
"""A request's headers as text: a mapping, or (name, value) pairs, names in any case."""

# RFC 9110 5.5: field-value = *( field-vchar / SP / HTAB / obs-text ), which leaves out CR, LF, NUL, every
# other control character and what does not fit into one byte. Node's setHeader refuses exactly the same.
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def is_field_value(text: str) -> bool:
    """Whether `text` can be the value of one header line and nothing more."""
    return _FIELD_VALUE.fullmatch(text) is not None


def header_pairs(headers: RequestHeaders) -> Iterable[tuple[str, str]]:
    """The one shape that both forms share."""
    return cast("Mapping[str, str]", headers).items() if isinstance(headers, Mapping) else headers


def request_origin(headers: RequestHeaders) -> str | None:
    """The request's `Origin` as sent, or None. It is what an origin callable of a policy is asked about."""
    return _lookup(headers)[0]


def requested_headers(headers: RequestHeaders) -> tuple[str | None, str | None]:
    """`Origin` and `Access-Control-Request-Headers`, None when absent or unfit for a response."""
    origin, wanted = _lookup(headers)
    if origin is not None and not is_field_value(origin):
        origin = None
    if wanted is not None and not is_field_value(wanted):
        wanted = None
    return origin, wanted


def _lookup(headers: RequestHeaders) -> tuple[str | None, str | None]:
    origin: str | None = None
    wanted: str | None = None
    for name, value in header_pairs(headers):
        if len(name) == 6 and name.lower() == "origin":
            origin = value if origin is None else f"{origin}, {value}"
        elif len(name) == 30 and name.lower() == "access-control-request-headers":
            wanted = value if wanted is None else f"{wanted}, {value}"
    return origin, wanted


def merge_vary(existing: str, field: str) -> str:
    """Add one field name to the value of a `Vary` header, as the npm module `vary` 1.1.2 does.

    Names already there (in any case) are not repeated, and `*` absorbs everything. `existing` is "" when the
    response has no `Vary` yet.
    """
    present = [name.strip(" ") for name in existing.lower().split(",")]
    if "*" in present:
        return "*"
    if field.lower() in present:
        return existing
    return f"{existing}, {field}" if existing else field
