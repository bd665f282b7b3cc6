"""`announce_start`: a coroutine as it is, and one call when it suspends or ends for the first time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import pytest
from socketio_proto._runtime import announce_start


class Pause:
    """Yields what it was given to the loop, returns what the loop sent."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield self.value)


def announced(body: Coroutine[Any, Any, Any], calls: list[str]) -> Coroutine[Any, Any, Any]:
    async def outer() -> Any:
        awaitable: Awaitable[Any] = announce_start(body, lambda: calls.append("started"))
        return await awaitable

    return outer()


def test_values_go_both_ways() -> None:
    async def body() -> str:
        assert await Pause(1) == "a"
        assert await Pause(2) == "b"
        return "end"

    calls: list[str] = []
    task = announced(body(), calls)
    assert calls == []
    assert task.send(None) == 1
    assert calls == ["started"]
    assert task.send("a") == 2
    with pytest.raises(StopIteration) as stop:
        task.send("b")
    assert stop.value.value == "end"
    assert calls == ["started"]


def test_without_suspension() -> None:
    async def body() -> int:
        return 5

    calls: list[str] = []
    with pytest.raises(StopIteration) as stop:
        announced(body(), calls).send(None)
    assert stop.value.value == 5
    assert calls == ["started"]


def test_error_before_the_first_suspension() -> None:
    async def body() -> None:
        raise KeyError("x")

    calls: list[str] = []
    with pytest.raises(KeyError):
        announced(body(), calls).send(None)
    assert calls == ["started"]


async def survives() -> str:
    try:
        await Pause(1)
    except BaseException as error:
        return repr(await Pause(error))
    raise AssertionError


async def ends() -> str:
    try:
        await Pause(1)
    except BaseException:
        return "ended"
    raise AssertionError


async def lets_out() -> None:
    await Pause(1)


@pytest.mark.parametrize("error", [ValueError("x"), BaseException("y")])
def test_what_a_loop_throws(error: BaseException) -> None:
    task = announced(survives(), [])
    task.send(None)
    assert task.throw(error) is error
    with pytest.raises(StopIteration) as stop:
        task.send(7)
    assert stop.value.value == "7"
    task = announced(ends(), [])
    task.send(None)
    with pytest.raises(StopIteration) as stop:
        task.throw(error)
    assert stop.value.value == "ended"
    task = announced(lets_out(), [])
    task.send(None)
    with pytest.raises(type(error)):
        task.throw(error)


def test_close() -> None:
    log: list[str] = []

    async def body() -> None:
        try:
            await Pause(1)
        finally:
            log.append("closed")

    task = announced(body(), log)
    task.send(None)
    task.close()
    assert log == ["started", "closed"]


def run_by_hand(body: Callable[[], Coroutine[Any, Any, Any]]) -> list[object]:
    seen: list[object] = []
    task = body()
    try:
        seen.append(task.send(None))
        while True:
            seen.append(task.send("sent"))
    except StopIteration as stop:
        seen.append(stop.value)
    return seen


def test_same_as_without() -> None:
    async def body() -> object:
        return [await Pause(n) for n in range(5)]

    assert run_by_hand(body) == run_by_hand(lambda: announced(body(), []))
