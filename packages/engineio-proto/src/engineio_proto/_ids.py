"""Session ids: the reference's `base64id`, with the randomness given.

Source: `packages/engine.io/lib/contrib/base64id.ts`: 12 random bytes, then the low 24 bits of a counter, as
url-safe base64. Twenty characters of `[A-Za-z0-9_-]`: sticky load balancers and cluster adapters rely on it.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable


class IdGenerator:
    """Unguessable ids of 20 characters.

    Args:
        random_bytes: returns that many cryptographically random bytes, such as `os.urandom`.
    """

    __slots__ = ("_count", "_random_bytes")

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._count = 0

    def __call__(self) -> str:
        count = self._count
        self._count = (count + 1) & 0xFFFFFF
        return urlsafe_b64encode(self._random_bytes(12) + count.to_bytes(3, "big")).decode("ascii")
