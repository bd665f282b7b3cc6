"""`serve`: a listening server, until a signal or a cancellation ends it gracefully."""

from __future__ import annotations

import asyncio
import gc
import signal
import ssl as ssl_module
import sys
from collections.abc import Callable

from socketio_proto import Other

from ._driver import Connection, Driver
from ._runtime import log
from ._server import EngineServer, Server

# Objects made between two collections of the youngest generation. An idle server has tens of thousands of
# live objects per thousand connections; with CPython's default every handful of messages would scan them.
_GC_THRESHOLD = 50_000


async def serve(
    io: Server | EngineServer,
    *,
    host: str | None = "127.0.0.1",
    port: int = 3000,
    ssl: ssl_module.SSLContext | None = None,
    other: Other | None = None,
    ready: Callable[[int], None] | None = None,
    close_grace: float = 5.0,
    tune_gc: bool = True,
) -> None:
    """Serve until SIGINT, SIGTERM, `io.shutdown()` or cancellation.

    Args:
        io: the server: of Socket.IO, or of Engine.IO alone.
        host: the address to listen on; None for all of them.
        port: 0 takes a free one.
        ssl: a context makes it TLS.
        other: a function of the request, sync or async, that answers other paths with a `Response`.
        ready: called with the port once connections are accepted.
        close_grace: seconds that handlers and connections get to end.
        tune_gc: freeze what exists at the start and collect less often while serving.

    Raises:
        OSError: the address cannot be listened on.
    """
    if not isinstance(io, (Server, EngineServer)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"serve: io must be a Server or EngineServer of socketio_asyncio, not {io!r}")
    driver = Driver(io, other)
    loop = driver.loop
    stopped = asyncio.Event()
    server = await loop.create_server(lambda: Connection(driver), host, port, ssl=ssl, backlog=2048)
    signals = _install_signals(loop, stopped)
    threshold = gc.get_threshold()
    if tune_gc:
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GC_THRESHOLD, *threshold[1:])
    io.runtime.end_serving = stopped.set
    try:
        if ready is not None:
            ready(server.sockets[0].getsockname()[1])
        await stopped.wait()
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
        server.close()
        await _close(driver, close_grace)
        io.runtime.end_serving = None
        if tune_gc:
            gc.set_threshold(*threshold)
            gc.unfreeze()


def _install_signals(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> list[signal.Signals]:
    installed: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        print(f"socketio: {number.name}, closing", file=sys.stderr, flush=True)  # noqa: T201  # the one line
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop, number)
        except (NotImplementedError, RuntimeError, ValueError):  # Windows; not in the main thread
            continue
        installed.append(number)
    return installed


async def _close(driver: Driver, grace: float) -> None:
    """Close sessions, give handlers and connections their time, then end what is left, also when cancelled again."""
    tasks = driver.runtime.tasks
    driver.close()
    try:
        async with asyncio.timeout(grace):
            while tasks:
                await asyncio.wait(set(tasks))
            # Keep-alive connections of browsers do not end by themselves; WebSockets answer the close at once.
            while any(not connection.idle for connection in driver.connections.values()):
                await asyncio.sleep(0.02)
    except TimeoutError:
        log.info("%d handlers and %d connections after %s s", len(tasks), len(driver.connections), grace)
    finally:
        for task in set(tasks):
            task.cancel()
        driver.stop()
    if tasks:
        await asyncio.wait(set(tasks), timeout=1.0)
    await asyncio.sleep(0)  # the aborted connections are told that they are lost
