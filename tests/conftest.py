"""For all suites: with CI=true a skipped test is a failed one, so nothing is left out without being seen.

Elsewhere a test may skip, with its reason, what the machine cannot run. An expected failure is no skip.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

NOTHING_MAY_SKIP = os.environ.get("CI") == "true"


def _fail_if_skipped(report: Any) -> Any:
    if NOTHING_MAY_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and with CI=true nothing may be: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    return _fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Any:
    return _fail_if_skipped((yield))
