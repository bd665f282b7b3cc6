"""An HTTP request's head, and an answer: plain values between a wire and the engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

# Source: Node's `lib/_http_incoming.js`, `matchKnownFields`.
_FIRST_COUNTS: Final = re.compile(
    "age|authorization|content-(?:length|type)|etag|expires|from|host|if-(?:un)?modified-since|last-modified|location"
    "|max-forwards|proxy-authorization|referer|retry-after|server|user-agent"
)


class Headers(Mapping[str, str]):
    """Request headers: names are lower case, a repeated one is joined with `, ` (cookies with `; `), or only the first
    counts, as Node does.

    Kept as one string. A session keeps its handshake headers for life, and a dict of a browser's fifteen
    headers is ten times as large.
    """

    __slots__ = ("_text",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        # Every line ends with a line feed, and one stands before the first: `\nname:` finds a name and nothing else.
        self._text = "\n" + "".join([f"{name.lower()}:{value}\n" for name, value in items])

    def items_list(self) -> list[tuple[str, str]]:
        """Every header line, in the order of arrival."""
        pairs: list[tuple[str, str]] = []
        for line in self._text.split("\n")[1:-1]:
            name, _, value = line.partition(":")
            pairs.append((name, value))
        return pairs

    def __getitem__(self, name: str) -> str:
        wanted = name.lower()
        text = self._text
        mark = f"\n{wanted}:"
        begin = text.find(mark) + len(mark)
        if begin < len(mark) or ":" in wanted:
            raise KeyError(name)
        end = text.index("\n", begin)
        if text.find(mark, end) < 0:
            return text[begin:end]
        values = [value for key, value in self.items_list() if key == wanted]
        if _FIRST_COUNTS.fullmatch(wanted):
            return values[0]
        return ("; " if wanted == "cookie" else ", ").join(values)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self.items_list()))

    def __len__(self) -> int:
        return len({name for name, _ in self.items_list()})

    def __repr__(self) -> str:
        return f"Headers({self.items_list()!r})"


class Request:
    """The head of one HTTP request.

    Args:
        method: as sent, such as `GET`.
        target: the request target as sent, path and query, such as `/socket.io/?EIO=4&transport=polling`.
        headers: name and value pairs, in order.
        remote_address: the peer's IP address.
        secure: whether the connection is TLS.

    Attributes:
        body: only of a request outside the engine's path, where a wire collects it for the user's handler.
    """

    __slots__ = ("body", "headers", "method", "remote_address", "secure", "target")

    def __init__(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        *,
        remote_address: str = "",
        secure: bool = False,
    ) -> None:
        self.method = method
        self.target = target
        self.headers = Headers(headers)
        self.remote_address = remote_address
        self.secure = secure
        self.body = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query as WHATWG URLSearchParams reads it: `+` is a space, of a repeated key the last wins."""
        query = self.target.partition("#")[0].partition("?")[2]
        if "%" in query or "+" in query:
            return dict(parse_qsl(query, keep_blank_values=True, errors="replace"))
        # Nothing to decode, as in every request of a client: a fifth of the time.
        pairs = [pair.partition("=") for pair in query.split("&") if pair]
        return {name: value for name, _, value in pairs}

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target}>"


class Response(NamedTuple):
    """A complete HTTP answer. The wire adds `Content-Length`, `Date` and `Connection` itself."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


PREFLIGHT: Final = (("Content-Length", "0"),)
"""Of an answer to a preflight. Safari waits for a length that RFC 9110 8.6 does not allow; the reference sends it."""
