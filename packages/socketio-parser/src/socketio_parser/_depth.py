"""How deep a JSON text is nested, without parsing it.

JSON libraries recurse, each to a limit of its own and not all of them safely (orjson before 3.9.15:
CVE-2024-27454), so depth is judged before any of them sees the text. Nearly every text is too short or
has too few brackets to be deep; only the others are measured, in linear time and in C.
"""

from __future__ import annotations

import re
from array import array
from itertools import accumulate
from typing import Final

# Possessive, and with an end for every beginning: no text makes it backtrack.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_STEP: Final = bytes(1 if c in b"[{" else 255 for c in range(256))
_NO_BRACKET: Final = bytes(c for c in range(256) if c not in b"[]{}")


def is_deeper(text: str, limit: int) -> bool:
    """Whether arrays and objects are nested deeper than `limit` somewhere in this text."""
    if len(text) <= limit or text.count("[") + text.count("{") <= limit:
        return False
    brackets = _STRING.sub(b"", text.encode("utf-8", "surrogatepass")).translate(None, _NO_BRACKET)
    # As signed bytes: +1 for an opening bracket, -1 for a closing one.
    return max(accumulate(array("b", brackets.translate(_STEP))), default=0) > limit
