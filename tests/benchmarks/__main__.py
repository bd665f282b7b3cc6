"""``python -m tests.benchmarks``: see ``run.py``."""

from tests.benchmarks.run import main

raise SystemExit(main())
