"""Reading what conformance/recorder recorded of the reference's parsers."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

TRACES = Path(__file__).parents[2] / "conformance" / "traces" / "parser"


def read(scenario: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    first, *lines = (TRACES / f"{scenario}.jsonl").read_text("utf-8").rstrip("\n").split("\n")
    return json.loads(first), [json.loads(line) for line in lines]


def revive(value: Any) -> Any:
    """The tagged values of the traces, as Python has them."""
    match value:
        case {"$bytes": text}:
            return base64.b64decode(text)
        case {"$number": text}:
            return float(text)
        case {"$date": milliseconds}:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
        case {"$deep": depth}:
            deep: list[Any] = []
            for _ in range(depth - 1):
                deep = [deep]
            return deep
        case {"$repeat": [{"$bytes": text}, times]}:
            return base64.b64decode(text) * times
        case {"$repeat": [str(text), times]}:
            return text * times
        case {"$repeat": [item, times]}:
            return [item] * times
        case {"$undefined": True}:
            return None
        case {"$circular": True}:
            circle: dict[str, Any] = {}
            circle["self"] = circle
            return circle
        case dict():
            return {key: revive(item) for key, item in value.items()}
        case list():
            return [revive(item) for item in value]
        case _:
            return value


def as_javascript(value: Any) -> Any:
    """Numbers as the doubles that JavaScript has, and never equal to a bool."""
    match value:
        case bool() | str() | bytes() | datetime() | None:
            return (type(value).__name__, value)
        case int() | float():
            return float(value)
        case list():
            return [as_javascript(item) for item in value]
        case dict():
            return {key: as_javascript(item) for key, item in value.items()}
        case _:
            raise TypeError(type(value))


def named(cases: list[dict[str, Any]]) -> list[Any]:
    """The cases as pytest's parameters."""
    return [pytest.param(case, id=case["name"]) for case in cases]
