"""Every Python block of the docs and READMEs runs: per file, in order, in one namespace, in an empty folder.

Warnings are errors there too. A block that cannot run says why (`python no-run: reason`), and pytest's output
lists it at the end (`conftest.py`).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.markdown import pages, python_blocks, script

SECONDS = 60.0
"""For all blocks of a file: a deadline for what hangs, no measure of anything."""

BLOCKS = pages()
NOT_RUN = [(page, block) for page, blocks in BLOCKS.items() for block in blocks if not block.run]


def _run(code: str, page: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # Compiled under the page's name, so that the traceback reads `File "docs/x.md", line 12`.
    runner = "import sys; exec(compile(sys.stdin.read(), sys.argv[1], 'exec'), {'__name__': '__main__'})"
    command = [sys.executable, "-P", "-W", "error", "-c", runner, page]
    return subprocess.run(
        command, input=code, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
    )


@pytest.mark.parametrize("page", [page for page, blocks in BLOCKS.items() if any(b.run for b in blocks)])
def test_blocks_run(page: str, tmp_path: Path) -> None:
    run = _run(script(BLOCKS[page]), page, tmp_path)
    assert run.returncode == 0, run.stderr


def test_something_runs() -> None:
    assert sum(block.run for blocks in BLOCKS.values() for block in blocks) > 0


def test_blocks_that_do_not_run_say_why() -> None:
    assert [f"{page}:{block.line}" for page, block in NOT_RUN if not block.reason] == []


PAGE = """text
```python
x = 1
```
```sh
exit 1
```
1. indented
   ```python
   assert x == {}
   ```
```python no-run: needs a network
assert False
```
"""


@pytest.mark.parametrize(("value", "status"), [(1, 0), (2, 1)])
def test_docs_check(value: int, status: int, tmp_path: Path) -> None:
    blocks = python_blocks(PAGE.replace("{}", str(value)))
    assert [(block.line, block.run, block.reason) for block in blocks] == [
        (3, True, ""),
        (10, True, ""),
        (13, False, "needs a network"),
    ]
    run = _run(script(blocks), "page.md", tmp_path)
    assert run.returncode == status
    assert ('File "page.md", line 10' in run.stderr) == (status == 1)


def test_unclosed_block() -> None:
    with pytest.raises(ValueError, match="line 1 has no end"):
        python_blocks("```python\nx = 1\n")
