"""A wrong option raises at once and names the option, the value and what is allowed."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from engineio_wire import WireConfig


def test_the_defaults_are_those_of_the_architecture() -> None:
    config = WireConfig()
    assert (config.max_head_size, config.max_headers, config.head_timeout) == (16_384, 100, 60.0)
    assert (config.body_timeout, config.keep_alive_timeout, config.close_timeout) == (300.0, 5.0, 30.0)
    assert (config.max_events_per_slice, config.max_fragments) == (64, 16_384)


@pytest.mark.parametrize("name", [field.name for field in fields(WireConfig)])
@pytest.mark.parametrize("value", [-1, True, None, "5", float("nan")])
def test_every_option_is_checked(name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        WireConfig(**{name: value})
    assert name in str(caught.value) and repr(value) in str(caught.value)
    assert "must be" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_head_size", 255), ("max_headers", 0), ("head_timeout", 0), ("head_timeout", float("inf"))],
)
def test_bounds(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        WireConfig(**{name: value})
