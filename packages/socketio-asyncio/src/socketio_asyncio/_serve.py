"""`serve`: a listening server, until a signal or a cancellation ends it gracefully."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import ssl as ssl_module
import sys
from collections.abc import Callable, Generator

from socketio_proto import Other, check_serve

from ._driver import Connection, Driver
from ._runtime import log
from ._server import EngineServer, Server

# Objects made between two collections of the youngest generation. An idle server has tens of thousands of
# live objects per thousand connections; with CPython's default every handful of messages would scan them.
_GC_THRESHOLD = 50_000
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
        TypeError, ValueError: a wrong argument.
        RuntimeError: this server is served already, or was: a server is served once.
    """
    check_serve(io, (Server, EngineServer), "socketio_asyncio", port, ready, close_grace)
    runtime = io.runtime
    stopped = asyncio.Event()
    try:
        driver = Driver(io, other)
        loop = driver.loop
        server = await loop.create_server(lambda: Connection(driver), host, port, ssl=ssl, backlog=2048)
        with _tuned_gc() if tune_gc else contextlib.nullcontext():
            try:
                with _signals(loop, stopped):  # a second signal, while it closes, ends the process as any other
                    runtime.end_serving = stopped.set
                    if ready is not None:
                        ready(server.sockets[0].getsockname()[1])
                    await stopped.wait()
            finally:
                server.close()
                await _close(driver, close_grace)
    finally:
        runtime.end_serving = None
        runtime.served = False


# The servers that a signal ends: all those of its loop.
_serving: dict[asyncio.AbstractEventLoop, list[asyncio.Event]] = {}


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> Generator[None]:
    servers = _serving.setdefault(loop, [])
    servers.append(stopped)
    if len(servers) == 1:
        for number in _SIGNALS:
            # Not on Windows, nor in another thread than the main one.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, _stop, number, servers)
    try:
        yield
    finally:
        servers.remove(stopped)
        if not servers:
            del _serving[loop]
            for number in _SIGNALS:
                with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                    loop.remove_signal_handler(number)


def _stop(number: signal.Signals, servers: list[asyncio.Event]) -> None:
    print(f"socketio: {number.name}, closing", file=sys.stderr, flush=True)  # noqa: T201  # the one line
    for stopped in servers:
        stopped.set()


@contextlib.contextmanager
def _tuned_gc() -> Generator[None]:
    threshold = gc.get_threshold()
    if threshold[0] == _GC_THRESHOLD:  # another server of this process has done it, and undoes it
        yield
        return
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, *threshold[1:])
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()


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
