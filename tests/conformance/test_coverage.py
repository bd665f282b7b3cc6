"""Everything that conformance/coverage.toml lists is visited, and it lists everything."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest
from cookie_policy import CookieOptions
from cors_policy import CorsPolicy
from engineio_proto import EngineConfig, HttpCompression, PerMessageDeflate
from socketio_conformance import load_traces
from socketio_proto import RecoveryConfig, ServerConfig

from tests.conformance import coverage
from tests.conformance.coverage import FOLDER, Row
from tests.engineio_proto.moves import EVERY_PAIR

TABLE = coverage.table()
TRACES = load_traces(FOLDER)
GROUPS = {
    "httpCompression": HttpCompression,
    "perMessageDeflate": PerMessageDeflate,
    "cors": CorsPolicy,
    "cookie": CookieOptions,
    "connectionStateRecovery": RecoveryConfig,
}


def failing(rows: list[Row]) -> list[str]:
    return [str(row) for row in rows if row.missing]


def test_options() -> None:
    assert failing(list(coverage.options(TABLE, TRACES))) == []


def test_every_option_is_listed() -> None:
    listed = {re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower() for name in TABLE["options"]}
    assert {field.name for config in (EngineConfig, ServerConfig) for field in fields(config)} <= listed
    for name, group in GROUPS.items():
        option = re.sub(r"([A-Z])", r"_\1", name).lower()
        # What a policy makes of its options for itself is not an option.
        assert {f"{option}.{field.name}" for field in fields(group) if field.init} <= listed


def test_statements() -> None:
    assert failing(list(coverage.rules(TABLE))) == []
    assert sum(map(len, TABLE["rules"].values())) >= 370
    assert [chapter.split()[0] for chapter in TABLE["rules"]] == [
        *[f"1.{number}" for number in range(3, 15)],
        *[f"2.{number}" for number in range(1, 8)],
        *[f"3.{number}" for number in range(1, 13)],
    ]


def test_transitions() -> None:
    rows = list(coverage.transitions(TABLE, TRACES))
    assert failing(rows) == []
    assert len(rows) == len(EVERY_PAIR)
    assert set(TABLE["transitions"]) <= {row.what for row in rows}


RULE: dict[str, Any] = {"says": "", "traces": ["eio-polling-echo"], "shows": '"ok"'}


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (RULE, None),
        ({**RULE, "shows": "nothing like it"}, "eio-polling-echo does not show it"),
        ({**RULE, "traces": ["no-such-trace"]}, "there is no trace no-such-trace"),
        ({"says": "", "why": "because"}, None),
        ({"says": ""}, "neither a trace nor a reason"),
        ({"says": "", "why": "because", "test": "tests/conformance/test_coverage.py::test_options"}, None),
        (
            {"says": "", "why": "because", "test": "tests/conformance/test_coverage.py::test_gone"},
            "there is no",
        ),
        ({"says": "", "why": "because", "test": "tests/gone.py"}, "there is no tests/gone.py"),
    ],
)
def test_a_statement_can_fail(statement: dict[str, Any], error: str | None) -> None:
    (row,) = coverage.rules({"rules": {"1.3": {"a": statement}}})
    assert row.missing == (error is not None)
    assert error is None or error in str(row)


@pytest.mark.parametrize(
    ("value", "visited"), [("absent", True), ("/custom", True), ("/other", False), ("tests/gone.py", False)]
)
def test_an_option_can_be_missing(value: str, visited: bool) -> None:
    (row,) = coverage.options({"options": {"path": {"a": value}}}, TRACES)
    assert row.missing != visited
    assert ("NOT VISITED" in str(row) or "there is no" in str(row)) != visited


def test_a_transition_can_be_missing() -> None:
    rows = list(coverage.transitions({"transitions": {}}, TRACES[:1]))
    assert failing(rows) != []
    visited = next(row for row in rows if row.traces)
    again = coverage.transitions({"transitions": {visited.what: {}}}, TRACES[:1])
    assert any("its line in coverage.toml goes" in text for text in failing(list(again)))
