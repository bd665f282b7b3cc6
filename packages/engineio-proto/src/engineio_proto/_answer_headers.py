"""What the user's code puts on an answer: headers, and for a middleware the answer itself.

Checked when given, so that a mistake raises where it was made and no value can end a header line (RFC 9110 5.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Final, cast

from ._errors import LocalProtocolError
from ._request import Response

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# They frame a message or make it a WebSocket's, so they are the connection's alone.
_RESERVED: Final = frozenset(
    {
        *("connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"),
        *("sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-protocol"),
    }
)


class AnswerHeaders(MutableMapping[str, str]):
    """Headers to add to an answer: names compare without case; `h[name] = value` replaces, `add` repeats.

    Raises:
        TypeError, ValueError: what cannot be a header, or one that the connection itself sets.
    """

    __slots__ = ("_pairs",)

    def __init__(self) -> None:
        self._pairs: list[tuple[str, str]] = []

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """All of them, in order, as given."""
        return tuple(self._pairs)

    def add(self, name: str, value: str) -> None:
        """One more, whatever there is of that name: for cookies."""
        if not all(isinstance(text, str) for text in cast("tuple[object, object]", (name, value))):
            raise TypeError(f"a header's name and value must be strings, not {name!r}: {value!r}")
        if _TOKEN.fullmatch(name) is None:
            raise ValueError(f"a header's name must be a token, not {name!r}")
        if _VALUE.fullmatch(value) is None:
            raise ValueError(
                f"the value of header {name!r} must be latin-1 text without control characters, not {value!r}"
            )
        if name.lower() in _RESERVED:
            raise ValueError(f"header {name!r} is set by the connection itself; remove {value!r}")
        self._pairs.append((name, value))

    def __setitem__(self, name: str, value: str) -> None:
        self.add(name, value)
        self._pairs = [p for p in self._pairs[:-1] if p[0].lower() != name.lower()] + self._pairs[-1:]

    def __getitem__(self, name: str) -> str:
        values = [value for key, value in self._pairs if key.lower() == name.lower()]
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._pairs = [pair for pair in self._pairs if pair[0].lower() != name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self._pairs))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self._pairs})


def merged(
    first: Iterable[tuple[str, str]], second: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Both, where `second` replaces what has the same name; cookies are all kept."""
    names = {name.lower() for name, _ in second} - {"set-cookie"}
    return (*(pair for pair in first if pair[0].lower() not in names), *second)


class MiddlewareResponse:
    """The answer that a request will get, as far as a middleware may see it.

    Attributes:
        headers: put on whatever the answer will be, the 101 of a WebSocket included.
        answer: what `end` made, or None: the request goes on.
    """

    __slots__ = ("answer", "headers")

    def __init__(self) -> None:
        self.headers = AnswerHeaders()
        self.answer: Response | None = None

    def end(self, status: int = 200, body: str | bytes = b"") -> None:
        """Answer the request here, once the middleware returns; no later stage runs.

        Args:
            status: 200 to 599.
            body: text is sent as UTF-8; give it its `content-type` in `headers`.

        Raises:
            LocalProtocolError: it has ended already.
        """
        given = cast(object, status)
        if not isinstance(given, int) or isinstance(given, bool) or not 200 <= given <= 599:
            raise ValueError(f"end: the status must be an integer from 200 to 599, not {status!r}")
        data = cast(object, body.encode() if isinstance(body, str) else body)
        if not isinstance(data, bytes):
            raise TypeError(f"end: the body must be text or bytes, not {body!r}")
        if self.answer is not None:
            raise LocalProtocolError(f"the response has ended already, with status {self.answer.status}")
        self.answer = Response(status, (), data)
