"""Replay traces against a server process: `python -m socketio_conformance COMMAND TRACE...`

COMMAND starts a conformance target (see the README); each TRACE is a file, or a folder of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ._matcher import Mismatch
from ._process import ProcessPeer
from ._replay import replay
from ._trace import Trace, load_trace, load_traces


def main() -> None:
    """Replay, print one line a trace, end with status 1 when one disagrees."""
    parser = argparse.ArgumentParser(prog="socketio-conformance", description=__doc__)
    parser.add_argument("command", help="starts a conformance target; {port} in it becomes the port")
    parser.add_argument("traces", nargs="+", type=Path, metavar="trace")
    arguments = parser.parse_args()
    traces: list[Trace] = []
    for path in arguments.traces:
        traces += load_traces(path) if path.is_dir() else [load_trace(path)]
    failed = 0
    for trace in traces:
        try:
            with ProcessPeer(arguments.command, trace.config) as peer:
                replay(trace, peer)
        except Mismatch as error:
            failed += 1
            print(f"FAILED {trace.name}: {error}")
        else:
            print(f"ok     {trace.name}")
    print(f"{len(traces)} traces, {failed} failed")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
