"""A browser, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

try:
    from playwright.sync_api import Browser, expect, sync_playwright
except ImportError:
    sync_playwright = None

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; without it the tests are skipped, which `tests/conftest.py` makes a failure when CI=true."""
    if sync_playwright is None:
        pytest.skip("no playwright in this environment: pip install playwright")
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if chromium is None:
        pytest.skip(f"no {' or '.join(CHROMIUM_NAMES)} on PATH (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        expect.set_options(timeout=15_000)  # a machine shared by many builds is slow
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()
