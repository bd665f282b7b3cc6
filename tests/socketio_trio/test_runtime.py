"""What the vocabulary gets from trio. How servers behave on it is in tests/bindings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing
from socketio_trio import Server


def run(function: Callable[..., Any]) -> Any:
    return trio.run(function)


class TestWaiter:
    def test_the_first_resolution_counts(self) -> None:
        async def main() -> None:
            runtime = Server().runtime
            valued, failed = runtime.waiter(), runtime.waiter()
            valued.set(1)
            valued.set(2)
            valued.fail(ValueError("too late"))
            failed.fail(ValueError("first"))
            failed.set(1)
            with trio.testing.assert_checkpoints():
                assert await valued == 1
            with trio.testing.assert_checkpoints(), pytest.raises(ValueError, match="first"):
                await failed

        run(main)

    def test_it_wakes_who_waits(self) -> None:
        async def main() -> None:
            waiter = Server().runtime.waiter()
            got: list[Any] = []

            async def wait() -> None:
                got.append(await waiter)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait)
                await trio.testing.wait_all_tasks_blocked()
                assert got == []
                waiter.set("now")
            assert got == ["now"]

        run(main)


def test_ready_is_a_checkpoint_and_can_be_cancelled() -> None:
    async def main() -> None:
        ready = Server().runtime.ready
        for _ in range(2):  # one object for all, awaited as often as one likes
            with trio.testing.assert_checkpoints():
                await ready
        with trio.CancelScope() as scope:
            scope.cancel()
            await ready
        assert scope.cancelled_caught

    run(main)


def test_handlers_need_a_serve_that_runs() -> None:
    async def handler() -> None:
        raise AssertionError("it does not run")

    async def main() -> None:
        with pytest.raises(RuntimeError, match="handlers run while `serve` does"):
            Server().runtime.spawn(handler())

    run(main)
