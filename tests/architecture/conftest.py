"""Lists, at the end of pytest's output, the blocks of the docs that are not executed."""

from __future__ import annotations

import pytest

from tests.architecture.markdown import pages


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        f"{page}:{block.line}: {block.reason}"
        for page, blocks in pages().items()
        for block in blocks
        if not block.run
    ]
    if lines:
        terminalreporter.section("blocks of the docs that are not run")
        for line in lines:
            terminalreporter.line(line)
