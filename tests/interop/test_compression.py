"""Compressed polls with the official client in Node, whose `Fetch` transport decodes them as a browser does."""

from __future__ import annotations

import subprocess

import pytest

from tests.interop.target import JS, SECONDS, Target, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.mark.parametrize("options", [{}, {"httpCompression": {"threshold": 1024, "level": 9, "memLevel": 9}}])
def test_the_official_client_reads_compressed_polls(options: dict[str, object]) -> None:
    target = Target(options)
    try:
        run = subprocess.run(
            ["node", "compression.mjs", target.url],
            cwd=JS,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert run.returncode == 0, run.stderr
    finally:
        target.stop()
