"""What a handler lets out beside an ordinary error: it is reported or ends the process, and touches nobody else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import trio

from tests.bindings.client import CONNECT, DEADLINE, Client, Packet
from tests.bindings.harness import Binding, Recorder, Running

Serve = Callable[..., Running]
Connect = Callable[..., Client]


async def fail_when_cancelled(binding: Binding) -> None:
    """As long as it runs, there is a task beside it whose clean-up fails."""

    async def watch() -> None:
        try:
            await binding.forever()
        finally:
            raise ValueError("the clean-up failed")

    if binding.name == "trio":
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            await trio.sleep_forever()
    else:
        async with asyncio.TaskGroup() as group:
            group.create_task(watch())
            await asyncio.sleep(0)
            await binding.forever()


def async_echo(binding: Binding) -> Any:
    io = binding.server()

    @io.on("echo")
    async def echo(socket: Any, *args: Any) -> tuple[Any, ...]:
        for _ in range(3):
            await binding.checkpoint()
        return args

    return io


def test_a_matcher_that_fails_as_it_is_abandoned(
    binding: Binding, serve: Serve, connect: Connect, seen: Recorder
) -> None:
    io = async_echo(binding)

    async def matcher(name: str) -> bool:
        seen("asked")
        try:
            await fail_when_cancelled(binding)
        finally:
            seen("ended")
        return True

    io.of(matcher)
    running = serve(io)
    stranger, client = connect(running), connect(running)
    stranger.send(Packet(CONNECT, namespace="/x"))
    seen.wait()
    stranger.close()
    seen.wait(2)
    assert client.call("echo", 1) == [1]
    assert connect(running).call("echo", 2) == [2]


def test_a_handler_that_fails_as_it_is_cancelled(
    binding: Binding, serve: Serve, connect: Connect, seen: Recorder
) -> None:
    io = async_echo(binding)

    @io.on("hang")
    async def hang(socket: Any) -> None:
        seen("begun")
        await fail_when_cancelled(binding)

    running = serve(io, close_grace=0.1)
    connect(running).emit("hang")
    seen.wait()
    running.call(io.shutdown)
    running.wait()
    running.stop()  # raises what `serve` raised
    assert any("raised" in record.getMessage() for record in running.records if record.levelname == "ERROR")


@pytest.mark.parametrize("where", ["handler", "middleware"])
def test_a_cancellation_that_is_not_its_own(
    binding: Binding, serve: Serve, connect: Connect, where: str
) -> None:
    """Another part of the program has cancelled what it awaits."""
    if binding.name == "trio":  # there a task is cancelled by its scopes alone
        return
    io = async_echo(binding)

    async def wait(socket: Any) -> None:
        cancelled = asyncio.get_running_loop().create_future()
        cancelled.cancel()
        await cancelled

    if where == "handler":
        io.on("wait", wait)
    else:
        io.of("/x").use(wait)
    running = serve(io)
    client = connect(running)
    if where == "handler":
        client.emit("wait")
    else:
        assert client.join("/x").data == {"message": "Internal error"}
    assert client.call("echo", 1) == [1]
    (record,) = [record for record in running.records if record.levelname == "ERROR"]
    assert record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)


SCRIPT = """
import sys
import {module} as binding
from {runtime} import run, sleep

io = binding.Server()

@io.on("async")
async def leave_async(socket):
    await sleep(0)
    sys.exit(7)

io.on("sync", lambda socket: sys.exit(7))

async def main():
    await binding.serve(io, port=0, ready=lambda port: print(port, flush=True), close_grace=0.2)

run(main{call})
"""


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_sys_exit(binding: Binding, kind: str) -> None:
    script = SCRIPT.format(
        module=binding.module.__name__, runtime=binding.name, call="()" if binding.name == "asyncio" else ""
    )
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        client = Client(int(process.stdout.readline()))
        client.emit(kind)
        process.communicate(timeout=DEADLINE)
        client.close()
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 7
