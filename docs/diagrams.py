"""Draws `lifecycle.md` from the tables of engineio-proto: `python docs/diagrams.py` writes it, `--check` compares.

The pictures are the very dicts that the code moves by, so they cannot say anything else. A test compares, too.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from engineio_proto import (
    EXCHANGE,
    LINK,
    SESSION,
    UPGRADE,
    ExchangeState,
    LinkState,
    SessionState,
    UpgradeState,
)

PAGE = Path(__file__).with_name("lifecycle.md")

HEAD = """# Lifecycles

Drawn by `docs/diagrams.py` from the tables in `packages/engineio-proto/src/engineio_proto/_tables.py`; do not edit.
An arrow is an input. An input that has no arrow from a state cannot happen there: the machine would raise, and the
tests show that no peer can make it.
"""

SECTIONS: list[tuple[str, str, Enum, Mapping[Any, Enum]]] = [
    (
        "Session",
        (
            "One Engine.IO client. Only a polling session without a pending GET waits in `closing`, until a GET\n"
            "collects the close packet or the close timeout is over."
        ),
        SessionState.OPEN,
        SESSION,
    ),
    (
        "Upgrade",
        "A WebSocket that probes for a polling session. Whatever happens to it before the commit, the session goes on.",
        UpgradeState.CANDIDATE,
        UPGRADE,
    ),
    (
        "Exchange",
        "One HTTP request and its answer. A parked GET waits in `waiting`.",
        ExchangeState.WAITING,
        EXCHANGE,
    ),
    ("Link", "One WebSocket.", LinkState.DECIDING, LINK),
]


def diagram(first: Enum, table: Mapping[Any, Enum]) -> str:
    """A Mermaid state diagram; states without a way out are ends."""
    lines = ["stateDiagram-v2", f"    [*] --> {first.value}"]
    lines += [f"    {state.value} --> {after.value}: {input_.value}" for (state, input_), after in table.items()]
    going = {state for (state, _), after in table.items() if after is not state}
    ends = [state for state in type(first) if state not in going]
    lines += [f"    {state.value} --> [*]" for state in ends]
    return "\n".join(lines)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, text, first, table in SECTIONS:
        parts.append(f"\n## {title}\n\n{text}\n\n```mermaid\n{diagram(first, table)}\n```\n")
    return "".join(parts)


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is fresh."""
    if arguments == ["--check"]:
        fresh = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page()
        print(f"{PAGE.name} is {'fresh' if fresh else 'stale: run python docs/diagrams.py'}")
        return 0 if fresh else 1
    if arguments:
        print(f"unknown argument {arguments[0]!r}; allowed: --check")
        return 2
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
