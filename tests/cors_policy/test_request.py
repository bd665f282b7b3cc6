"""The whole option as a function of the request."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest
from cors_policy import CorsPolicy, resolve_policy


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")


def by_path(path: str) -> dict[str, Any]:
    return {"origin": path == "/open"}


async def by_path_later(path: str) -> CorsPolicy:
    return CorsPolicy(origin=path == "/open")


@pytest.mark.parametrize("delegate", [by_path, by_path_later])
def test_a_delegate(delegate: Any) -> None:
    assert finish(resolve_policy(delegate, "/open")) == CorsPolicy(origin=True)
    assert finish(resolve_policy(delegate, "/other")) == CorsPolicy(origin=False)


def test_what_is_no_delegate() -> None:
    policy = CorsPolicy(origin=True)
    assert finish(resolve_policy(policy, None)) is policy
    assert finish(resolve_policy({"origin": True}, None)) == policy


def test_a_delegate_that_answers_nothing_does_not_open_the_door() -> None:
    """The reference takes its defaults then, which is origin='*': the one deliberate difference here."""
    with pytest.raises(TypeError, match=r"^cors options must be a mapping or a CorsPolicy; got None$"):
        finish(resolve_policy(lambda request: None, None))  # type: ignore[arg-type, return-value]


def test_a_failure_of_the_delegate_is_the_callers() -> None:
    def fail(request: object) -> CorsPolicy:
        raise LookupError("no tenant")

    with pytest.raises(LookupError, match="no tenant"):
        finish(resolve_policy(fail, None))
