"""The conformance package is used from its sources: it is no part of the workspace that is installed."""

from __future__ import annotations

import sys
from pathlib import Path

SOURCES = str(Path(__file__).parents[2] / "conformance" / "src")
if SOURCES not in sys.path:
    sys.path.insert(0, SOURCES)
