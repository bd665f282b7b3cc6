"""One cookie to the value of a `Set-Cookie` header.

`CookieOptions` holds a cookie's name and attributes, checks them once and keeps their text; a server builds
it at start and calls `serialize` per response. The invariant is that no name, value or attribute can end the
cookie, let alone the header line: each is matched whole against its grammar. (cookie 0.7.2, `serialize`;
RFC 6265 4.1.1.)

Attributes come in the reference's order: Max-Age, Domain, Path, Expires, HttpOnly, Secure, Partitioned,
Priority, SameSite.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, cast, final

from ._uri import encode_uri_component

Priority: TypeAlias = Literal["low", "medium", "high"]
SameSite: TypeAlias = Literal["strict", "lax", "none"]

# RFC 6265 4.1.1: cookie-name = token; RFC 7230 3.2.6: token = 1*tchar
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# cookie-value = *cookie-octet / ( DQUOTE *cookie-octet DQUOTE ): no controls, space, quote, comma, ";", "\"
_VALUE = re.compile(r'("?)[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*\1')
# domain-value = <subdomain> of RFC 1034 3.5 as enhanced by RFC 1123 2.1, with an optional leading dot
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN = (
    re.compile(rf"\.?{_LABEL}(?:\.{_LABEL})*"),
    "labels of at most 63 letters, digits or inner hyphens, joined by dots",
)
# path-value = <any CHAR except CTLs or ";">; the reference leaves out "<" too
_PATH = (re.compile(r"[\x20-\x3a\x3d-\x7e]*"), 'visible ASCII and space, without ";" and "<"')
_CHOICES = {
    "priority": ("Priority", ("low", "medium", "high"), "low, medium or high as a str, or None"),
    "same_site": (
        "SameSite",
        ("strict", "lax", "none"),
        "strict, lax or none as a str, True for strict, or False",
    ),
}

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@final
@dataclass(frozen=True, slots=True)
class CookieOptions:
    """A cookie's name and attributes, validated at construction.

    None, False or "" leaves an attribute out. Raises TypeError for a wrong type and ValueError for a wrong
    value, with the reference's text, the offending value and what is allowed.
    """

    name: str
    """A token: letters, digits and !#$%&'*+-.^_`|~"""
    encode: Callable[[str], str] | None = field(default=None, kw_only=True)
    """Value to cookie text; None is encodeURIComponent."""
    max_age: float | None = field(default=None, kw_only=True)
    """Seconds, rounded down; 0 or less deletes the cookie."""
    domain: str | None = field(default=None, kw_only=True)
    """Host name in ASCII, with or without a leading dot."""
    path: str | None = field(default=None, kw_only=True)
    """Visible ASCII and space, without ";" and "<"."""
    expires: datetime | None = field(default=None, kw_only=True)
    """An instant: a datetime with a time zone."""
    http_only: bool = field(default=False, kw_only=True)
    """Out of reach for scripts."""
    secure: bool = field(default=False, kw_only=True)
    """Sent over TLS only; browsers require it with same_site="none" and with partitioned."""
    partitioned: bool = field(default=False, kw_only=True)
    """One jar per top-level site (CHIPS)."""
    priority: Priority | str | None = field(default=None, kw_only=True)
    """"low", "medium" or "high", in any case."""
    same_site: bool | SameSite | str | None = field(default=None, kw_only=True)
    """"strict" (or True), "lax" or "none", in any case."""

    _attributes: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.encode is not None and not callable(self.encode):
            raise TypeError(f"option encode is invalid: {self.encode!r} (allowed: a callable or None)")
        if not isinstance(cast(object, self.name), str):
            raise TypeError(f"argument name is invalid: {self.name!r} (allowed: a str)")
        if _NAME.fullmatch(self.name) is None:
            raise ValueError(
                f"argument name is invalid: {self.name!r} "
                "(allowed: one or more letters, digits, !#$%&'*+-.^_`|~)"
            )
        for option in ("http_only", "secure", "partitioned"):
            value = getattr(self, option)
            if not isinstance(value, bool):
                raise TypeError(f"option {option} is invalid: {value!r} (allowed: True or False)")
        attributes = (
            _max_age(self.max_age)
            + _matched("domain", self.domain, _DOMAIN)
            + _matched("path", self.path, _PATH)
            + _expires(self.expires)
            + ("; HttpOnly" if self.http_only else "")
            + ("; Secure" if self.secure else "")
            + ("; Partitioned" if self.partitioned else "")
            + _chosen("priority", self.priority)
            + _chosen("same_site", "strict" if self.same_site is True else self.same_site)
        )
        object.__setattr__(self, "_attributes", attributes)

    @classmethod
    def from_options(cls, options: CookieOptions | Mapping[str, Any]) -> CookieOptions:
        """Build from a mapping of options (or take options as they are).

        TypeError for an unknown key, naming the nearest known one; ValueError for a missing name.
        """
        if isinstance(options, CookieOptions):
            return options
        if not isinstance(cast(object, options), Mapping):
            raise TypeError(f"cookie options must be a mapping or CookieOptions; got {options!r}")
        known = [f.name for f in fields(cls) if f.init]
        for key in options:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise TypeError(f"unknown cookie option {key!r}: {hint}(known: {', '.join(known)})")
        if "name" not in options:
            raise ValueError("cookie option 'name' is missing: a str is required")
        return cls(**options)

    def serialize(self, value: str) -> str:
        """The header's value: `name=value; attributes`.

        ValueError when the encoded value is not a cookie value, or (default encoding) has a lone surrogate.
        """
        encoded = encode_uri_component(value) if self.encode is None else self.encode(value)
        if not isinstance(cast(object, encoded), str):
            raise TypeError(
                f"argument val is invalid: encode gave {encoded!r} for {value!r} (allowed: a str)"
            )
        if _VALUE.fullmatch(encoded) is None:
            raise ValueError(
                f"argument val is invalid: {encoded!r} (allowed once encoded: visible ASCII without "
                'space, ",", ";", "\\" and inner quotes)'
            )
        return f"{self.name}={encoded}{self._attributes}"


def serialize(
    name: str,
    value: str,
    *,
    encode: Callable[[str], str] | None = None,
    max_age: float | None = None,
    domain: str | None = None,
    path: str | None = None,
    expires: datetime | None = None,
    http_only: bool = False,
    secure: bool = False,
    partitioned: bool = False,
    priority: Priority | str | None = None,
    same_site: bool | SameSite | str | None = None,
) -> str:
    """One cookie at once; see `CookieOptions` for the options and errors."""
    return CookieOptions(
        name,
        encode=encode,
        max_age=max_age,
        domain=domain,
        path=path,
        expires=expires,
        http_only=http_only,
        secure=secure,
        partitioned=partitioned,
        priority=priority,
        same_site=same_site,
    ).serialize(value)


def _max_age(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"option max_age is invalid: {value!r} (allowed: seconds as a number, or None)")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"option max_age is invalid: {value!r} (allowed: a finite number of seconds)")
    return f"; Max-Age={math.floor(value)}"


def _matched(option: str, value: object, rule: tuple[re.Pattern[str], str]) -> str:
    grammar, allowed = rule
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise TypeError(f"option {option} is invalid: {value!r} (allowed: a str or None)")
    if grammar.fullmatch(value) is None:
        raise ValueError(f"option {option} is invalid: {value!r} (allowed: {allowed})")
    return f"; {option.capitalize()}={value}"


def _expires(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, datetime):
        raise TypeError(f"option expires is invalid: {value!r} (allowed: a datetime with tzinfo, or None)")
    if value.utcoffset() is None:
        raise ValueError(f"option expires is invalid: {value!r} (allowed: a datetime with tzinfo, or None)")
    try:
        at = value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"option expires is invalid: {value!r} (allowed: UTC years 1 to 9999)") from None
    # RFC 9110 5.6.7 IMF-fixdate; strftime would use the locale's names.
    return (
        f"; Expires={_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year:04} "
        f"{at.hour:02}:{at.minute:02}:{at.second:02} GMT"
    )


def _chosen(option: str, value: object) -> str:
    attribute, choices, allowed = _CHOICES[option]
    if value is None or value is False or value == "":
        return ""
    if isinstance(value, str) and value.lower() in choices:
        return f"; {attribute}={value.capitalize()}"
    error = ValueError if isinstance(value, str) else TypeError
    raise error(f"option {option} is invalid: {value!r} (allowed: {allowed})")
