"""`tests/conftest.py`: with CI=true a skip is a failure, in a test and while collecting; an xfail is neither."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.rules import ROOT

SUITES = {
    "in_a_test": "import pytest\ndef test(): pytest.skip('no Node')\n",
    "by_a_mark": "import pytest\n@pytest.mark.skipif(True, reason='no Node')\ndef test(): ...\n",
    "of_a_module": "import pytest\npytest.skip('no Node', allow_module_level=True)\n",
}
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test(): raise ValueError\ndef test_passes(): ...\n"


def _run(folder: Path, code: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (folder / "test_it.py").write_text(code + "\ndef test_another(): ...\n" * ("xfail" not in code))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    env = {**os.environ, "CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("name", SUITES)
def test_skip(name: str, tmp_path: Path) -> None:
    in_ci = _run(tmp_path, SUITES[name], "true")
    assert in_ci.returncode != 0
    assert "with CI=true nothing may be" in in_ci.stdout
    assert "no Node" in in_ci.stdout
    elsewhere = _run(tmp_path, SUITES[name], "")
    assert (elsewhere.returncode, "1 skipped" in elsewhere.stdout) == (
        (0 if name != "of_a_module" else 5),
        True,
    )


def test_expected_failure(tmp_path: Path) -> None:
    run = _run(tmp_path, EXPECTED_FAILURE, "true")
    assert run.returncode == 0, run.stdout
    assert "1 xfailed" in run.stdout
