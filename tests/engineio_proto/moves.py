"""Which pairs of the lifecycle tables a piece of code visits: `move` is wrapped where it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Any

from engineio_proto import (
    EXCHANGE,
    LINK,
    SESSION,
    UPGRADE,
    _exchange,
    _link,
    _session,
    _upgrade,
)

Pair = tuple[Enum, Enum]

TABLES: dict[str, Mapping[Any, Enum]] = {
    "session": SESSION,
    "upgrade": UPGRADE,
    "exchange": EXCHANGE,
    "link": LINK,
}
EVERY_PAIR: frozenset[Pair] = frozenset(pair for table in TABLES.values() for pair in table)


@contextmanager
def recorded_moves() -> Iterator[set[Pair]]:
    """Collects the pairs that `move` is asked for, also those that it refuses."""
    seen: set[Pair] = set()
    modules: list[Any] = [_exchange, _link, _session, _upgrade]
    originals = [module.move for module in modules]
    original = originals[0]

    def move(table: Any, state: Any, input_: Any) -> Any:
        seen.add((state, input_))
        return original(table, state, input_)

    for module in modules:
        module.move = move
    try:
        yield seen
    finally:
        for module, kept in zip(modules, originals, strict=True):
            module.move = kept
