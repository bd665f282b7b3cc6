"""JSONP polling: for pages that can only load scripts. A poll's answer calls a function, a POST is a form.

    GET  …&j=3     ___eio[3]("4hello");
    POST           d=4hello

Used when the handshake has a query `j`, in both protocols; its digits name the function for the whole session.
Source: `packages/engine.io/lib/transports/polling-jsonp.ts`, and Node's `querystring`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote_plus

from ._outgoing import Outgoing
from ._payload import Body, PayloadForm

# Node's `querystring.parse`: further pairs are not looked at.
_MOST_PAIRS: Final = 1000
_NOT_DIGIT: Final = re.compile("[^0-9]")
_ESCAPED_NEWLINE: Final = re.compile(r"(\\)?\\n")


class Jsonp:
    """Another form's payloads, as scripts and forms.

    Args:
        form: of the payload itself; it must encode to text.
        index: the query `j`, of which only ASCII digits count.
    """

    __slots__ = ("_form", "_head")

    def __init__(self, form: PayloadForm, index: str) -> None:
        self._form = form
        self._head = f"___eio[{_NOT_DIGIT.sub('', index)}]("

    @property
    def takes_binary(self) -> bool:
        """As the form: binary is no form data, so nothing is found in it."""
        return self._form.takes_binary

    def encode(self, buffer: Sequence[Outgoing]) -> Body:
        """A script that calls the function with the payload."""
        text = json.dumps(self._form.encode(buffer).data.decode(), ensure_ascii=False)
        # The two characters that JSON allows in a string, and JavaScript before 2019 did not.
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        return Body(f"{self._head}{text});".encode())

    def decode(self, body: bytes, *, binary: bool) -> list[str | bytes]:
        """The payload in the field `d`; without the field, or with several, there is none."""
        fields = [] if binary else _fields(body.decode("utf-8", "replace"), "d")
        if len(fields) != 1:
            return []
        # The client writes a newline as \n, for form data turns it into two characters, and \n as \\n.
        text = _ESCAPED_NEWLINE.sub(lambda match: match[0] if match[1] else "\n", fields[0])
        return self._form.decode(text.replace("\\\\n", "\\n").encode(), binary=False)


def _fields(text: str, name: str) -> list[str]:
    pairs = [pair.partition("=") for pair in text.split("&", _MOST_PAIRS)[:_MOST_PAIRS] if pair]
    return [unquote_plus(value) for key, _, value in pairs if unquote_plus(key) == name]
