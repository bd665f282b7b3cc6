"""`serve`: a listening server, until a signal or a shutdown ends it gracefully or a cancellation at once."""

from __future__ import annotations

import contextlib
import gc
import signal
import ssl as ssl_module
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

import trio
from socketio_proto import Other, check_serve

from ._driver import Driver
from ._runtime import TrioRuntime, log
from ._server import EngineServer, Server

# Objects made between two collections of the youngest generation; see `socketio_asyncio`.
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

    Cancelled, it says goodbye to its clients with what can be written at once, cancels the handlers and returns.

    Args:
        io: the server: of Socket.IO, or of Engine.IO alone.
        host: the address to listen on; None for all of them.
        port: 0 takes a free one.
        ssl: a context makes it TLS.
        other: a function of the request, sync or async, that answers other paths with a `Response`.
        ready: called with the port once connections are accepted.
        close_grace: seconds that handlers and connections get to end after a signal or a shutdown.
        tune_gc: freeze what exists at the start and collect less often while serving.

    Raises:
        OSError: the address cannot be listened on.
        TypeError, ValueError: a wrong argument.
        RuntimeError: this server is served already, or was: a server is served once.
    """
    check_serve(io, (Server, EngineServer), "socketio_trio", port, ready, close_grace)
    runtime = io.runtime
    try:
        tcp = await trio.open_tcp_listeners(port, host=host, backlog=2048)
        port = tcp[0].socket.getsockname()[1]
        driver = Driver(io, other)
        with _tuned_gc() if tune_gc else contextlib.nullcontext():
            async with trio.open_nursery() as nursery:
                listening, open_ = await nursery.start(_host, driver, tcp, ssl)
                # Only this body feels a cancellation from outside, so that it can close before all ends.
                try:
                    await _until_end(runtime, ready, port)
                    listening.cancel()
                    await _close(driver, close_grace)
                finally:
                    driver.close()
                    open_.cancel()
    finally:
        runtime.end_serving = None
        runtime.served = False
    fatal, runtime.fatal = runtime.fatal, None
    if fatal is not None:
        raise fatal


async def _host(
    driver: Driver,
    tcp: list[trio.SocketListener],
    ssl: ssl_module.SSLContext | None,
    task_status: trio.TaskStatus[tuple[trio.CancelScope, trio.CancelScope]],
) -> None:
    """The parent of all tasks. Gives the scope of the listeners, and that which keeps the nurseries open."""
    listeners: list[Any] = [*tcp] if ssl is None else [trio.SSLListener(listener, ssl) for listener in tcp]
    listening = trio.CancelScope()

    async def listen() -> None:
        with listening:
            await trio.serve_listeners(driver.accept, listeners, handler_nursery=connections)

    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as connections, trio.open_nursery() as handlers:
            driver.runtime.nursery = handlers
            connections.start_soon(driver.keep)
            connections.start_soon(listen)
            # Shielded from `handlers.cancel_scope`: what still spawns then is started, and feels it at once.
            with trio.CancelScope(shield=True) as open_:
                task_status.started((listening, open_))
                await trio.sleep_forever()
            connections.cancel_scope.cancel()
    driver.runtime.nursery = None


# Those that serve in the main thread, to which signals come.
_serving: list[TrioRuntime] = []


async def _until_end(runtime: TrioRuntime, ready: Callable[[int], None] | None, port: int) -> None:
    with contextlib.ExitStack() as stack:
        signals = None
        if threading.current_thread() is threading.main_thread():
            signals = stack.enter_context(trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM))
            _serving.append(runtime)
            stack.callback(_serving.remove, runtime)
        runtime.end_serving = stack.enter_context(trio.CancelScope()).cancel
        if ready is not None:
            ready(port)
        if signals is None:
            await trio.sleep_forever()
        else:
            number = signal.Signals(await anext(signals))
            print(f"socketio: {number.name}, closing", file=sys.stderr, flush=True)  # noqa: T201  # the one line
            # The signal came to the server that was started last; it is for all of this thread's.
            for other in _serving:
                if other.end_serving is not None and other is not runtime:
                    other.end_serving()


async def _close(driver: Driver, grace: float) -> None:
    """Close sessions, give handlers and connections their time, then end what is left."""
    driver.close()
    runtime = driver.runtime
    deadline = trio.current_time() + grace
    with trio.move_on_at(deadline):
        await runtime.wait_finished()
    if runtime.running and runtime.nursery is not None:
        log.info("cancelled %d handlers after %s s", runtime.running, grace)
        runtime.nursery.cancel_scope.cancel()
        with trio.move_on_after(1.0):
            await runtime.wait_finished()
    # Keep-alive connections of browsers do not end by themselves; WebSockets answer the close at once.
    with trio.move_on_at(deadline):
        while any(not connection.idle for connection in driver.connections.values()):
            await trio.sleep(0.02)


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
