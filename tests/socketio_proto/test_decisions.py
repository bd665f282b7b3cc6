"""The user's decisions below a Socket.IO server, on virtual time: what only it adds to those of an engine."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from engineio_proto import Exchange, Request, Response
from socketio_proto import ClientFiles, DecisionRunner, Trouble

from tests.sim.runtime import Start
from tests.sim.socketio import Stage

TARGET = "/socket.io/?EIO=4&transport=polling"


class Wire:
    """Who is told that there is an answer."""

    def flush(self) -> None:
        """The test takes it."""


def ask(stage: Stage, target: str = TARGET) -> Exchange:
    """A request that arrives; what follows of it has happened."""
    exchange = Exchange(Wire(), Request("GET", target))
    stage.host.run(stage.server.receive_request, exchange, stage.clock.now)
    return exchange


def answered(exchange: Exchange) -> Response:
    response = exchange.take_response()
    assert response is not None
    return response


def test_a_session_opens() -> None:
    stage = Stage(allow_request=lambda request: True)
    visitor = stage.connect()
    assert stage.server.sockets.sockets.keys() == {visitor.id}


def test_refused_and_reported() -> None:
    stage = Stage(allow_request=lambda request: False)
    assert answered(ask(stage)).status == 403
    (text,) = stage.runtime.told(Trouble.REFUSED)
    assert "code 4 Forbidden {'message': None}" in text


def test_a_hook_that_raises_is_reported() -> None:
    stage = Stage(headers=lambda headers, request: headers.missing)
    assert answered(ask(stage)).status == 200
    (text,) = stage.runtime.told(Trouble.HANDLER)
    assert text.startswith("headers raised for <Request GET")


@pytest.mark.parametrize("begin", Start)
def test_a_poll_that_waited_drains(begin: Start) -> None:
    """Who awaits an emit goes on, though the GET that takes it had to wait for a middleware."""
    stage = Stage(start=begin, high_water_mark=10)
    visitor = stage.visitor(polling=True)
    visitor.join()
    visitor.auto_poll = False
    socket = stage.socket(visitor)
    socket.emit("a")
    stage.advance()

    async def slow(request: Any, response: Any) -> None:
        await stage.runtime.sleep(1.0)

    stage.server.engine.use(slow)

    async def fill() -> None:
        await socket.emit("data", "x" * 100)

    task = stage.run(fill())
    assert not task.done
    visitor.poll()
    stage.advance(0.5)
    assert not task.done
    stage.advance(1.0)
    assert task.done and task.error is None


def test_client_files_pass_cors() -> None:
    files = ClientFiles("1.0", {"socket.io.js": b"js"})
    stage = Stage(client_files=files, cors=lambda request: {"origin": "https://a.good"})
    response = answered(ask(stage, "/socket.io/socket.io.js"))
    assert response.body == b"js"
    assert response.headers[0] == ("Access-Control-Allow-Origin", "https://a.good")


def test_what_ends_the_process_goes_on() -> None:
    def allow(request: Request) -> bool:
        raise KeyboardInterrupt

    stage = Stage(allow_request=allow)
    with pytest.raises(KeyboardInterrupt):
        ask(stage)


def test_other_errors_that_are_no_exceptions() -> None:
    def allow(request: Request) -> bool:
        raise GeneratorExit

    stage = Stage(allow_request=allow)
    assert answered(ask(stage)).status == 403
    (report,) = [r for r in stage.runtime.reports if r.trouble is Trouble.HANDLER]
    assert str(report.error) == "allow_request was cancelled"


def test_a_function_that_closes_the_server() -> None:
    async def allow(request: Request) -> bool:
        stage.server.close(stage.clock.now)
        await stage.runtime.sleep(1000.0)
        return True

    stage = Stage(allow_request=allow)
    exchange = ask(stage)
    assert answered(exchange).status == 503 and stage.runtime.tasks == []


def test_ended_before_it_is_asked_or_started() -> None:
    """An abort in the very pass of the request; and a loop that starts a cancelled task all the same, as trio does."""
    later: list[Coroutine[Any, Any, None]] = []
    asked: list[str] = []

    async def allow(request: Request) -> bool:
        asked.append("started")
        return True

    def start_later(coroutine: Coroutine[Any, Any, None]) -> Callable[[], object]:
        later.append(coroutine)
        return lambda: None

    stage = Stage(allow_request=allow)
    stage.runtime.spawn_cancellable = start_later  # type: ignore[method-assign]
    engine = stage.server.engine
    runner = DecisionRunner(engine, stage.runtime)
    for at_once in (True, False):
        exchange = Exchange("wire", Request("GET", TARGET))
        (requested,) = engine.receive_request(exchange, 0.0)
        if not at_once:
            runner.receive(requested)  # type: ignore[arg-type]
        (abandoned,) = engine.exchange_closed(exchange, 0.0)
        if at_once:
            runner.receive(requested)  # type: ignore[arg-type]
        runner.receive(abandoned)  # type: ignore[arg-type]
    (coroutine,) = later
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert asked == []
