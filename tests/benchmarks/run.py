"""Measure our server beside Node's socket.io 4.8.4, in one run on one machine.

Prints a table: what a unit of work costs each server process (CPU time, user and kernel; or memory),
and ours divided by Node's. It judges nothing: compare ratios, not figures of different machines.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import platform
import pstats
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

HERE = Path(__file__).resolve().parent
if not __package__:  # run as a file: make `tests.benchmarks` importable, and this folder's names not
    sys.path[:] = [str(HERE.parents[1]), *(p for p in sys.path if Path(p or ".").resolve() != HERE)]

from tests.benchmarks._cases import CASES, Case, Measure, Sample  # noqa: E402
from tests.benchmarks._generator import answer_all_pings  # noqa: E402
from tests.benchmarks._target import COMPANY, BenchmarkError, Recipe, Target, pin_generator  # noqa: E402

NODE, OURS, PEER = "node", "ours", "python-socketio"
SLICES = 9
QUIET = 0.05
OPEN_FILES = 16_384
T = TypeVar("T")


def main(argv: list[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    if not sys.platform.startswith("linux"):
        print("the benchmarks read /proc and use epoll: they run on Linux only", file=sys.stderr)
        return 2
    _allow_open_files()
    gc.disable()  # the generator makes no cycles, and its pauses would look like a slow client
    if not pin_generator():
        _say("one core only: server and generator share it")
    cases = [case for case in CASES if options.case is None or case.name in options.case]
    if options.profile is not None:
        return _profile(options)
    recipes = _recipes(options)
    if not recipes:
        _say("nothing to measure")
        return 1
    results = _measure(cases, recipes, 3 if options.quick else options.slices)
    machine = _machine(options)
    machine["others"] = round(COMPANY.share, 3)
    print(_table(cases, results, machine, [recipe.name for recipe in recipes]))
    if options.json is not None:
        options.json.write_text(json.dumps(_document(cases, results, machine), indent=2) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    names = "\n".join(f"  {case.name:14} {case.about} [{case.unit}]" for case in CASES)
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        epilog=f"cases:\n{names}\n\nThe whole takes about five minutes, --quick about one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--case", action="append", metavar="NAME", choices=[case.name for case in CASES],
        help="measure this case only; may be given several times",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="three slices of each case instead of nine")
    parser.add_argument(
        "--slices", type=int, default=SLICES, help="slices, of which the median counts (%(default)s)"
    )
    parser.add_argument(
        "--only", choices=[NODE, OURS, PEER], action="append", help="measure only this server"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample to FILE")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs our server (this one)")
    parser.add_argument(
        "--http-engine", choices=["h11", "httptools"], default="h11",
        help="who parses request heads in our server (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--node", default="node", help="the Node that runs socket.io (%(default)s)")
    parser.add_argument(
        "--profile", metavar="NAME", choices=[case.name for case in CASES if not case.fresh],
        help="run our server under cProfile in this case and print where its time goes",
    )  # fmt: skip
    parser.add_argument(
        "--sort", default="tottime", help="the order of a profile: tottime, cumtime (%(default)s)"
    )
    return parser


Results: TypeAlias = dict[tuple[str, str], list[Sample]]


def _measure(cases: list[Case], recipes: list[Recipe], slices: int) -> Results:
    results: Results = {}
    for case in cases:
        # A case that needs fresh servers is slow and steady: three are enough.
        for _ in range(min(slices, 3) if case.fresh else 1):
            _measure_case(case, recipes, 1 if case.fresh else slices, results)
        for recipe in recipes:
            if samples := results.get((case.name, recipe.name)):
                values = [sample.value for sample in samples]
                kernel = [sample.kernel for sample in samples if sample.kernel is not None]
                about = f", kernel about {statistics.mean(kernel):.1f}" if kernel else ""
                _say(
                    f"{case.name:14} {recipe.name:16} {statistics.median(values):8.2f} {case.unit}"
                    f" (of {len(values)}: {min(values):.2f} to {max(values):.2f}{about})"
                )
    return results


def _measure_case(case: Case, recipes: list[Recipe], slices: int, results: Results) -> None:
    """Start all servers, then take slices from them in turn. A server that fails loses its column only."""
    with contextlib.ExitStack() as stack:
        running: list[tuple[Target, Measure]] = []
        for recipe in recipes:
            with _told(case, recipe.name):
                target = stack.enter_context(Target(recipe))
                prepared = case.prepare(target)
                running.append((target, _try(target, partial(stack.enter_context, prepared))))
        for _ in range(slices):
            for target, measure in list(running):
                answer_all_pings()
                with _told(case, target.name):
                    results.setdefault((case.name, target.name), []).append(_try(target, measure))
                    continue
                running.remove((target, measure))
                results.pop((case.name, target.name), None)


def _try(target: Target, action: Callable[[], T]) -> T:
    try:
        return action()
    except (BenchmarkError, OSError) as error:
        raise target.failed(error) from error


@contextlib.contextmanager
def _told(case: Case, server: str) -> Iterator[None]:
    try:
        yield
    except BenchmarkError as error:
        _say(f"{case.name:14} {server:16} FAILED: {error}")


def _profile(options: argparse.Namespace) -> int:
    recipe = _ours(options)
    if recipe is None:
        return 1
    case = next(case for case in CASES if case.name == options.profile)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile"
        with Target(recipe, profile=path) as target, case.prepare(target) as measure:
            _try(target, measure)
        pstats.Stats(str(path)).sort_stats(options.sort).print_stats(40)
    return 0


def _recipes(options: argparse.Namespace) -> list[Recipe]:
    makers = {NODE: _node, OURS: _ours, PEER: _peer}
    wanted = options.only or list(makers)
    return [
        recipe for name, make in makers.items() if name in wanted and (recipe := make(options)) is not None
    ]


def _node(options: argparse.Namespace) -> Recipe | None:
    node = shutil.which(options.node)
    if node is None:
        _say(f"no Node column: {options.node!r} is not found (--node PATH names it)")
        return None
    if not (HERE / "node_modules" / "socket.io").is_dir():
        _say("installing socket.io by `npm ci` (once)")
        npm = shutil.which("npm", path=os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")]))
        if (
            npm is None
            or subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=HERE, stdout=2).returncode
        ):
            _say(f"no Node column: `npm ci` in {HERE} failed")
            return None
    return Recipe(NODE, [node, str(HERE / "node_server.mjs")])


def _ours(options: argparse.Namespace) -> Recipe | None:
    if problem := _import_problem(options.python, "from socketio_asyncio import Server, serve"):
        _say(f"no column of ours: {options.python}: {problem}")
        return None
    return Recipe(OURS, [options.python, str(HERE / "server.py"), "--http-engine", options.http_engine])


def _peer(options: argparse.Namespace) -> Recipe | None:
    if problem := _import_problem(
        options.python, "import socketio, uvicorn, uvloop, websockets; socketio.AsyncServer"
    ):
        _say(
            f"no column of python-socketio: {problem} (pip install python-socketio uvicorn uvloop websockets)"
        )
        return None
    return Recipe(PEER, [options.python, str(HERE / "peer_server.py")])


def _import_problem(python: str, code: str) -> str:
    """The last line of what `python` says to `code`; empty if it runs."""
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd="/")
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


def _machine(options: argparse.Namespace) -> dict[str, Any]:
    asked = (
        "import sys, importlib.util as u;"
        "print(sys.version.split()[0], *(m for m in ('uvloop', 'orjson', 'httptools') if u.find_spec(m)))"
    )
    python = subprocess.run([options.python, "-c", asked], capture_output=True, text=True).stdout.strip()
    node = shutil.which(options.node)
    version = (
        subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip() if node else "none"
    )
    return {
        "processor": _processor(), "cores": os.cpu_count(), "kernel": platform.release(),
        "node": version, "python": python,
    }  # fmt: skip


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _table(cases: list[Case], results: Results, machine: dict[str, Any], names: list[str]) -> str:
    peer = PEER in names
    rows = [["case", "unit", "node", "ours", "ratio", "aim", *([PEER, "ratio"] if peer else [])]]
    for case in cases:
        node, ours, other = (_median(results.get((case.name, name))) for name in (NODE, OURS, PEER))
        aim = "" if case.aim is None else f"<= {case.aim:g}"
        row = [case.name, case.unit, _number(node), _number(ours), _number(_ratio(ours, node)), aim]
        rows.append([*row, _number(other), _number(_ratio(other, node))] if peer else row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    aligned = (
        [(str.ljust if i < 2 else str.rjust)(cell, widths[i]) for i, cell in enumerate(row)] for row in rows
    )
    lines = [f"| {' | '.join(cells)} |" for cells in aligned]
    rule = "|" + "|".join("-" * (w + 1) + ("-" if i < 2 else ":") for i, w in enumerate(widths)) + "|"
    about = "{processor}, {cores} cores, Linux {kernel}; Node {node}; Python {python}".format(**machine)
    about += f"\nOther processes used {machine['others']:.0%} of the machine meanwhile"
    about += "." if machine["others"] < QUIET else ": too much for figures worth keeping, ratios included."
    return "\n".join([lines[0], rule, *lines[1:], "", about])


def _document(cases: list[Case], results: Results, machine: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": machine,
        "cases": {
            case.name: {
                "unit": case.unit, "about": case.about, "aim": case.aim,
                "servers": {
                    server: {
                        "median": _median(samples),
                        "samples": [sample.value for sample in samples],
                        "kernel": [sample.kernel for sample in samples],
                    }
                    for (name, server), samples in results.items() if name == case.name
                },
            }
            for case in cases
        },
    }  # fmt: skip


def _median(samples: list[Sample] | None) -> float | None:
    return statistics.median(sample.value for sample in samples) if samples else None


def _ratio(value: float | None, node: float | None) -> float | None:
    return None if value is None or node is None else value / node


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 3 else f"{value:.2f}"


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < OPEN_FILES:
        _say(f"only {wanted} open files are allowed here: the cases with 5,000 connections may fail")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
