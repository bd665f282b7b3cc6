"""The Python blocks of a Markdown file.

A block between ```python and ``` runs. One that cannot says why: ```python no-run: needs a certificate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.architecture.rules import ROOT

PATTERNS = ("*.md", "docs/**/*.md", "packages/*/README.md")
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")


@dataclass(frozen=True, slots=True)
class Block:
    line: int
    "of its first line of code, counted from 1"
    code: str
    run: bool
    reason: str
    "why it does not run; empty if none is given"


def python_blocks(text: str) -> list[Block]:
    """All of them, in order. A fence that never closes raises ValueError."""
    blocks: list[Block] = []
    opened: tuple[int, str, int] | None = None
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        fence = FENCE.match(line)
        if fence is None:
            continue
        if opened is None:
            opened = (number, fence["info"].strip(), len(fence["indent"]))
            continue
        start, info, indent = opened
        opened = None
        language, _, rest = info.partition(" ")
        if language not in ("python", "py"):
            continue
        mark, _, reason = rest.partition(":")
        code = "\n".join(text[indent:] for text in lines[start : number - 1])
        blocks.append(Block(start + 1, code, run=mark.strip() != "no-run", reason=reason.strip()))
    if opened is not None:
        raise ValueError(f"the block that starts in line {opened[0]} has no end")
    return blocks


def pages() -> dict[str, list[Block]]:
    """The blocks of every page that a reader may meet, by its path."""
    paths = {path for pattern in PATTERNS for path in ROOT.glob(pattern) if "node_modules" not in path.parts}
    return {str(path.relative_to(ROOT)): python_blocks(path.read_text()) for path in sorted(paths)}


def script(blocks: list[Block]) -> str:
    """One program of the blocks that run, each at its own line number, so that tracebacks are right."""
    lines: list[str] = []
    for block in blocks:
        if block.run:
            lines += [""] * (block.line - 1 - len(lines))
            lines += block.code.split("\n")
    return "\n".join(lines) + "\n"
