"""What the recorded sessions visit: `python -m tests.conformance.coverage` prints it, and fails if something is not.

The options and the statements about the reference are data, in conformance/coverage.toml. The transitions are those
of engineio-proto's tables: all traces are replayed while `move` is watched.
"""

from __future__ import annotations

import re
import sys
import tomllib
import warnings
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socketio_conformance import Mismatch, Trace, load_traces, replay

from tests.conformance.virtual_peer import VirtualPeer
from tests.engineio_proto.moves import TABLES, recorded_moves

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "conformance" / "traces" / "sessions"
ENDS_ITS_PROCESS = "sio-shutdown"
_ABSENT = object()


@dataclass(frozen=True)
class Row:
    """One thing to visit."""

    what: str
    says: str
    traces: tuple[str, ...]
    "the traces that visit it"
    instead: str = ""
    "the test that visits it, or why nothing can"
    fault: str = ""
    "what is wrong with what coverage.toml says of it"

    @property
    def missing(self) -> bool:
        return bool(self.fault) or not (self.traces or self.instead)

    def __str__(self) -> str:
        where = ", ".join(self.traces[:3]) + f" and {len(self.traces) - 3} more" * (len(self.traces) > 3)
        found = self.fault or where or self.instead or "NOT VISITED"
        return (
            f"{'!' if self.missing else ' '} {self.what:<58} {self.says + ': ' if self.says else ''}{found}"
        )


def table() -> dict[str, Any]:
    return tomllib.loads((ROOT / "conformance" / "coverage.toml").read_text(encoding="utf-8"))


# Options.


def options(data: dict[str, Any], traces: Iterable[Trace]) -> Iterator[Row]:
    """Each value of each option."""
    for name, values in data["options"].items():
        for label, value in values.items():  # a value that is a string is told from a test by its beginning
            what = f"{name}: {label}"
            if isinstance(value, str) and value.startswith("tests/"):
                yield Row(what, "ours alone", (), value, _no_test(value))
            else:
                wanted = _ABSENT if value == "absent" else value
                visitors = (trace.name for trace in traces if _option(trace, name) == wanted)
                yield Row(what, "", tuple(visitors))


def _option(trace: Trace, name: str) -> Any:
    value: Any = {**trace.config["options"], **trace.config["behaviors"]}
    for key in name.split("."):
        value = value.get(key, _ABSENT) if isinstance(value, dict) else _ABSENT
    return value


# Statements.


def rules(data: dict[str, Any]) -> Iterator[Row]:
    """Each statement about the reference."""
    for chapter, statements in data["rules"].items():
        for name, statement in statements.items():
            names = tuple(statement.get("traces", ()))
            test, why = statement.get("test", ""), statement.get("why", "")
            fault = _not_shown(names, statement["shows"]) if names else _no_test(test) if test else ""
            if not names and not why:
                fault = "neither a trace nor a reason"
            instead = f"{test or 'nothing'} ({why})" if why else ""
            yield Row(f"{chapter.split()[0]} {name}", statement["says"], names, instead, fault)


def _not_shown(names: tuple[str, ...], shows: str) -> str:
    for name in names:
        path = FOLDER / f"{name}.jsonl"
        if not path.is_file():
            return f"there is no trace {name}"
        if re.search(shows, path.read_text(encoding="utf-8").replace('\\"', '"')) is None:
            return f"{name} does not show it"
    return ""


def _no_test(test: str) -> str:
    file, _, name = test.partition("::")
    path = ROOT / file
    found = path.is_file() and re.search(rf"^ *(def|class) {name or '.*'}\b", path.read_text(), re.MULTILINE)
    return "" if found else f"there is no {test}"


# Transitions.


def transitions(data: dict[str, Any], traces: Iterable[Trace]) -> Iterator[Row]:
    """Each pair of each table, with the traces whose replay visits it."""
    visitors: dict[Any, list[str]] = {}
    for trace in traces:
        if trace.name == ENDS_ITS_PROCESS:
            continue
        with warnings.catch_warnings(), recorded_moves() as seen:
            warnings.simplefilter("ignore")  # of options that a user should not choose
            with closing(VirtualPeer(trace.config)) as peer, suppress(Mismatch):
                replay(trace, peer)  # at a difference on purpose it ends: what came before it counts
        for pair in seen:
            visitors.setdefault(pair, []).append(trace.name)
    for name, pairs in TABLES.items():
        for (state, input_), after in pairs.items():
            what = f"{name}: {state.value}, {input_.value}"
            found = tuple(visitors.get((state, input_), ()))
            other = data["transitions"].get(what)
            if other is None or found:
                fault = "" if other is None else "a trace visits it: its line in coverage.toml goes"
                yield Row(what, f"to {after.value}", found, fault=fault)
            else:
                instead = f"{other['test']} ({other['why']})"
                yield Row(what, f"to {after.value}", (), instead, _no_test(other["test"]))


def main() -> None:
    data, traces = table(), load_traces(FOLDER)
    missing = 0
    for title, rows in (
        ("Options", options(data, traces)),
        ("Statements", rules(data)),
        ("Transitions", transitions(data, traces)),
    ):
        print(f"\n{title}\n")
        for row in rows:
            missing += row.missing
            print(row)
    print(f"\n{len(traces)} traces; {missing} not visited")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
