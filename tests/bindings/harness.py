"""What a test needs to be written once: a server of either binding in a thread of its own.

`Binding` has the few things that a handler in a test does with its event loop. `Running` is a server that
serves: its port, calls into its thread, jobs, its log. Whatever goes wrong in the thread fails the test.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import importlib
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Self

import trio

from tests.bindings.client import DEADLINE

Job = Callable[[], Coroutine[Any, Any, Any]]


class Binding:
    """A binding and its event loop. Attributes and methods are those that a handler uses."""

    name: str
    cancelled: type[BaseException]

    def __init__(self) -> None:
        self.module = importlib.import_module(f"socketio_{self.name}")

    def server(self, **options: Any) -> Any:
        return self.module.Server(**options)

    def engine(self, **options: Any) -> Any:
        return self.module.EngineServer(**options)

    def event(self) -> Any:
        """An event of the loop: `set()`, `await wait()`."""
        raise NotImplementedError

    async def checkpoint(self) -> None:
        """Let the others run."""
        raise NotImplementedError

    async def forever(self) -> None:
        """Until cancelled."""
        raise NotImplementedError

    def run(self, running: Running, serve: Callable[[], Awaitable[None]]) -> None:
        """Run `serve` until `running.stop`, in the thread that calls."""
        raise NotImplementedError


class AsyncioBinding(Binding):
    name = "asyncio"
    cancelled = asyncio.CancelledError

    def event(self) -> asyncio.Event:
        return asyncio.Event()

    async def checkpoint(self) -> None:
        await asyncio.sleep(0)

    async def forever(self) -> None:
        await asyncio.get_running_loop().create_future()

    def run(self, running: Running, serve: Callable[[], Awaitable[None]]) -> None:
        jobs: dict[concurrent.futures.Future[Any], asyncio.Task[None]] = {}

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: running.failures.append(context))
            serving = asyncio.ensure_future(serve())

            def start(job: Job, future: concurrent.futures.Future[Any]) -> None:
                jobs[future] = loop.create_task(settle(job, future))

            running.in_thread = loop.call_soon_threadsafe
            running.start_job = start
            running.cancel_job = lambda future: jobs[future].cancel()
            running.cancel = serving.cancel
            with contextlib.suppress(asyncio.CancelledError):
                await serving
            for task in jobs.values():
                task.cancel()
            await asyncio.gather(*jobs.values(), return_exceptions=True)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"left behind: {left}"

        asyncio.run(main())


class TrioBinding(Binding):
    name = "trio"
    cancelled = trio.Cancelled

    def event(self) -> trio.Event:
        return trio.Event()

    async def checkpoint(self) -> None:
        await trio.lowlevel.checkpoint()

    async def forever(self) -> None:
        await trio.sleep_forever()

    def run(self, running: Running, serve: Callable[[], Awaitable[None]]) -> None:
        scopes: dict[concurrent.futures.Future[Any], trio.CancelScope] = {}

        async def main() -> None:
            async def scoped(job: Job, future: concurrent.futures.Future[Any]) -> None:
                with scopes[future]:
                    await settle(job, future)

            def start(job: Job, future: concurrent.futures.Future[Any]) -> None:
                scopes[future] = trio.CancelScope()
                nursery.start_soon(scoped, job, future)

            async with trio.open_nursery() as nursery:
                running.in_thread = trio.lowlevel.current_trio_token().run_sync_soon
                running.start_job = start
                running.cancel_job = lambda future: scopes[future].cancel()
                with trio.CancelScope() as serving:
                    running.cancel = serving.cancel
                    try:
                        await serve()
                    except Exception as error:  # kept from the nursery, which would wrap it
                        running.failures.append(error)
                nursery.cancel_scope.cancel()

        trio.run(main)


async def settle(job: Job, future: concurrent.futures.Future[Any]) -> None:
    """Run a job and put its result, or its exception, where the test looks."""
    try:
        future.set_result(await job())
    except BaseException as error:
        future.set_exception(error if isinstance(error, Exception) else concurrent.futures.CancelledError())
        if not isinstance(error, Exception):
            raise


class Running:
    """A server in its thread; a context manager, which stops it and fails the test for what went wrong there.

    Attributes:
        io: the server.
        port: where it listens.
        records: what it logged under `socketio`.
    """

    def __init__(self, binding: Binding, io: Any, **options: Any) -> None:
        self.binding = binding
        self.io = io
        self.failures: list[Any] = []
        self.records: list[logging.LogRecord] = []
        self.in_thread: Callable[..., object]
        self.start_job: Callable[[Job, concurrent.futures.Future[Any]], None]
        self.cancel_job: Callable[[concurrent.futures.Future[Any]], object]
        self.cancel: Callable[[], object]
        self.port = 0
        self._options = options
        self._ready = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"{binding.name} server")

    def _run(self) -> None:
        def ready(port: int) -> None:
            self.port = port
            self._ready.set()

        async def serve() -> None:
            await self.binding.module.serve(self.io, **{"port": 0, "ready": ready, **self._options})

        try:
            self.binding.run(self, serve)
        except BaseException as error:
            self.failures.append(error)
        finally:
            self._ready.set()

    def __enter__(self) -> Self:
        self._handler = _Collect(self.records)
        self._logger = logging.getLogger("socketio")
        self._logger.addHandler(self._handler)
        self._logger.setLevel(logging.DEBUG)
        self._logger.propagate = False
        self._thread.start()
        assert self._ready.wait(DEADLINE)
        if self.failures:
            self.__exit__()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self._logger.removeHandler(self._handler)
            self._logger.setLevel(logging.NOTSET)
            self._logger.propagate = True
        bugs = [record.getMessage() for record in self.records if "bug of this library" in record.getMessage()]
        assert not bugs, bugs

    def begin_stop(self) -> None:
        """Cancel `serve`, once."""
        if self._thread.is_alive() and not self._stopping:
            self._stopping = True
            with contextlib.suppress(RuntimeError, trio.RunFinishedError):  # it ended by itself meanwhile
                self.in_thread(self.cancel)

    def stop(self) -> None:
        """Cancel `serve` and wait for the thread's end; raise what went wrong in it."""
        self.begin_stop()
        if self._thread.is_alive():
            self._thread.join(DEADLINE)
            assert not self._thread.is_alive(), "serve did not return"
        failures, self.failures = self.failures, []
        for failure in failures:
            if isinstance(failure, BaseException):
                raise failure
            if isinstance(failure.get("exception"), BaseException):
                raise failure["exception"]
            raise AssertionError(failure)

    def wait(self) -> None:
        """Wait until `serve` has ended by itself."""
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "serve did not return"

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a plain function in the server's thread and return its result."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def run() -> None:
            try:
                future.set_result(function(*args))
            except Exception as error:
                future.set_exception(error)

        self.in_thread(run)
        return future.result(DEADLINE)

    def start(self, job: Job) -> concurrent.futures.Future[Any]:
        """Run an async function in the server's loop; its future is for the test's thread."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self.call(self.start_job, job, future)
        return future

    def stop_job(self, future: concurrent.futures.Future[Any]) -> None:
        """Cancel a job and wait for its end."""
        self.call(self.cancel_job, future)
        with contextlib.suppress(concurrent.futures.CancelledError):
            future.result(DEADLINE)

    def logged(self, text: str) -> list[logging.LogRecord]:
        """The log's records with this text in their message."""
        return [record for record in self.records if text in record.getMessage()]


class _Collect(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


class Recorder:
    """Calls that handlers made, in order, for the test's thread to wait for."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, item: Any) -> None:
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def wait(self, count: int = 1) -> list[Any]:
        """At least that many items."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.items) >= count, DEADLINE), self.items
            return list(self.items)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self.items))


BINDINGS: dict[str, type[Binding]] = {"asyncio": AsyncioBinding, "trio": TrioBinding}
