"""Every test of this folder runs once per binding."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.bindings.client import OPEN, TRANSPORTS, Client
from tests.bindings.harness import BINDINGS, Binding, Recorder, Running


@pytest.fixture(params=BINDINGS)
def binding(request: pytest.FixtureRequest) -> Binding:
    return BINDINGS[request.param]()


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def seen() -> Recorder:
    return Recorder()


@pytest.fixture
def connect() -> Callable[..., Client]:
    """`connect(running, transport, ...)`: a client."""
    return lambda running, *args, **options: Client(running.port, *args, **options)


@pytest.fixture
def serve(binding: Binding) -> Iterator[Callable[..., Running]]:
    """`serve(io, **options)`: serve until the test's end."""
    with contextlib.ExitStack() as stack:
        yield lambda io, **options: stack.enter_context(Running(binding, io, **options))
        close_connections()  # before the servers stop, which would wait for what these clients do not say


@pytest.fixture(autouse=True)
def closed_connections() -> Iterator[None]:
    """Nothing that a test opened stays open."""
    yield
    close_connections()


def close_connections() -> None:
    while OPEN:
        OPEN.pop().close()
