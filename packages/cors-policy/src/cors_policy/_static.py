"""What is known when a policy is built: its options checked, and the headers that no request changes.

An option that no header can express is refused here, with the option's name, its value and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from ._headers import is_field_value

HeaderPairs: TypeAlias = tuple[tuple[str, str], ...]

_WHOLE_NUMBER = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True)
class StaticHeaders:
    """The constant parts of the two kinds of answer, around what depends on a request."""

    reflects: bool
    """Access-Control-Allow-Headers repeats what the preflight asked for."""
    actual: HeaderPairs
    """Behind the origin's headers, for a request that is no preflight."""
    before_allow_headers: HeaderPairs
    """Behind the origin's headers, for a preflight."""
    after_allow_headers: HeaderPairs
    """The rest of a preflight."""


def static_headers(
    *, methods: object, allowed_headers: object, exposed_headers: object, credentials: bool, max_age: object
) -> StaticHeaders:
    """Check the options and build their headers; TypeError or ValueError for what no header can carry."""
    credentials_header = _present("Access-Control-Allow-Credentials", "true" if credentials else None)
    exposed = _present("Access-Control-Expose-Headers", _joined("exposed_headers", exposed_headers))
    allowed = _present("Access-Control-Allow-Headers", _joined("allowed_headers", allowed_headers))
    return StaticHeaders(
        # "" and None reflect, an empty list does not: in JavaScript [] is truthy.
        reflects=allowed_headers is None or allowed_headers == "",
        actual=credentials_header + exposed,
        before_allow_headers=credentials_header
        + _present("Access-Control-Allow-Methods", _joined("methods", methods, optional=False)),
        after_allow_headers=allowed + _present("Access-Control-Max-Age", _seconds(max_age)) + exposed,
    )


def check_flag(option: str, value: object) -> None:
    """TypeError unless `value` is a bool; the reference takes only `true` itself for credentials, too."""
    if not isinstance(value, bool):
        raise TypeError(f"option {option!r} must be True or False; got {value!r}")


def check_status(option: str, value: object) -> None:
    """TypeError or ValueError unless `value` is the status of a final, successful-looking answer."""
    allowed = f"option {option!r} must be an int from 200 to 599"
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{allowed}; got {value!r}")
    if not 200 <= value <= 599:
        raise ValueError(f"{allowed}; got {value!r}")


def frozen_list(value: object) -> object:
    """A list as a tuple, so that the caller cannot change it any more; anything else as it is."""
    return tuple(cast("Sequence[object]", value)) if isinstance(value, list) else value


def _present(name: str, value: str | None) -> HeaderPairs:
    return ((name, value),) if value else ()


def _joined(option: str, value: object, *, optional: bool = True) -> str | None:
    allowed = f"option {option!r} must be a str or a list of str{' or None' if optional else ''}"
    if value is None and optional:
        return None
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
        for item in items:
            if not isinstance(item, str):
                raise TypeError(f"{allowed}; got the item {item!r} in {value!r}")
        text = ",".join(cast("Sequence[str]", items))
    elif isinstance(value, str):
        text = value
    else:
        raise TypeError(f"{allowed}; got {value!r}")
    if not is_field_value(text):
        raise ValueError(
            f"option {option!r} is {value!r}, which has characters that no header value may have "
            "(allowed: tab, space and visible characters up to U+00FF)"
        )
    return text


def _seconds(value: object) -> str | None:
    allowed = "option 'max_age' must be a whole number of seconds, a str of one, or None"
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(f"{allowed}; got {value!r}")
    if isinstance(value, str):
        if _WHOLE_NUMBER.fullmatch(value) is None:
            raise ValueError(f"{allowed}; got {value!r}")
        return value
    if isinstance(value, float) and not value.is_integer():  # so are NaN and infinity
        raise ValueError(f"{allowed}; got {value!r}")
    return str(int(value))
