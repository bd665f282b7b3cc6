"""Who is allowed: the option `origin`, checked once and compiled to sets and patterns.

| `origin`                     | Access-Control-Allow-Origin          | Vary     |
|------------------------------|--------------------------------------|----------|
| False, None, ""              | CORS is off: no header at all        |          |
| "*"                          | *                                    |          |
| any other str                | that text, whoever asks              | Origin   |
| True                         | the request's Origin                 | Origin   |
| a compiled pattern           | the request's Origin if it is found  | Origin   |
| a list or tuple of the above | the request's Origin if one matches  | Origin   |
| a callable                   | asked per request, answers the above |          |

Inside a list a str is compared exactly: "*" is no wildcard there, and True lets everyone in. (cors 2.8.6,
`isOriginAllowed` and `configureOrigin`.)
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard, Union, cast

from ._headers import is_field_value

# Written with strings and Union because the alias is recursive.
OriginRule: TypeAlias = Union[
    bool,
    str,
    re.Pattern[str],
    "list[OriginRule]",
    "tuple[OriginRule, ...]",
    "set[OriginRule]",
    "frozenset[OriginRule]",
    None,
]
OriginAnswer: TypeAlias = OriginRule
"""What an origin callable may answer: any static rule."""
OriginDecision: TypeAlias = Callable[[str | None], OriginAnswer | Awaitable[OriginAnswer]]
"""An origin callable, sync or async: it gets the request's Origin, or None when there is none."""

_ALLOWED = "True, False, a str, a compiled str pattern, a list or tuple of these, or a callable"


class CorsWarning(UserWarning):
    """A policy that is valid and emitted as asked, but that a browser refuses or that never matches."""


@dataclass(frozen=True, slots=True)
class CompiledOrigin:
    """A static rule. `enabled` False means: no CORS headers at all."""

    enabled: bool
    fixed: str | None = None
    everyone: bool = False
    exact: frozenset[str] = frozenset()
    patterns: tuple[re.Pattern[str], ...] = ()

    def allow_origin(self, origin: str | None) -> str | None:
        """The value of Access-Control-Allow-Origin for a request of `origin`, None to leave it out."""
        if self.fixed is not None:
            return self.fixed
        if not origin:  # JS leaves out a header whose value is "" just as one that is undefined
            return None
        if self.everyone or origin in self.exact or any(p.search(origin) for p in self.patterns):
            return origin
        return None


def compile_origin(rule: object, *, what: str = "option 'origin'") -> CompiledOrigin:
    """Check and compile a static rule; TypeError or ValueError with `what`, the value and what is allowed."""
    if rule is None or rule is False or rule == "":
        return CompiledOrigin(enabled=False)
    if isinstance(rule, str):
        if not is_field_value(rule):
            raise ValueError(
                f"{what} is {rule!r}, which has characters that no header value may have "
                "(only tab, space and visible characters up to U+00FF)"
            )
        return CompiledOrigin(enabled=True, fixed=rule)
    exact: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    everyone = _collect([rule], exact, patterns, what)
    return CompiledOrigin(enabled=True, everyone=everyone, exact=frozenset(exact), patterns=tuple(patterns))


def _collect(rules: Iterable[object], exact: set[str], patterns: list[re.Pattern[str]], what: str) -> bool:
    everyone = False
    for rule in rules:
        if isinstance(rule, str):
            exact.add(rule)
        elif rule is None or isinstance(rule, bool):
            everyone = everyone or rule is True
        elif _is_text_pattern(rule):
            patterns.append(rule)
        elif isinstance(rule, (list, tuple, set, frozenset)):
            everyone = _collect(cast("Iterable[object]", rule), exact, patterns, what) or everyone
        else:
            raise TypeError(f"{what} must be {_ALLOWED}; got {rule!r}")
    return everyone


def _is_text_pattern(rule: object) -> TypeGuard[re.Pattern[str]]:
    return isinstance(rule, re.Pattern) and isinstance(
        cast("re.Pattern[str] | re.Pattern[bytes]", rule).pattern, str
    )


def freeze_rule(rule: object) -> object:
    """A copy of the rule that the caller cannot change any more."""
    if isinstance(rule, (list, tuple)):
        return tuple(freeze_rule(item) for item in cast("Iterable[object]", rule))
    if isinstance(rule, set):
        return frozenset(cast("set[object]", rule))
    return rule


def check_decision(decision: Callable[..., object]) -> None:
    """An origin callable must take one positional argument; found out now, not at the first request."""
    try:
        signature = inspect.signature(decision)
    except ValueError:  # some builtins have no signature; they are taken as they are
        return
    try:
        signature.bind(None)
    except TypeError as error:
        raise TypeError(
            f"option 'origin' is the callable {decision!r}{signature}, which must take one positional "
            f"argument, the request's Origin or None ({error})"
        ) from None


def warn_of_useless(compiled: CompiledOrigin, credentials: bool) -> None:
    """Say what a browser would only say to the user of the page."""
    if compiled.fixed == "*" and credentials:
        _warn(
            "origin='*' with credentials=True: browsers refuse this answer; name the origins, "
            "or use origin=True to let every site act with the user's cookies",
        )
    for origin in sorted(compiled.exact):
        if origin == "*" or origin.endswith("/"):
            _warn(
                f"option 'origin' lists {origin!r}, which no browser sends: items of a list are compared "
                "exactly, and an Origin is scheme://host[:port] with nothing behind it",
            )


def _warn(text: str) -> None:
    # From here up to whoever builds the policy: warn_of_useless, __post_init__, __init__, the caller.
    warnings.warn(text, CorsWarning, stacklevel=5)
