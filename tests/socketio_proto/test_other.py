"""Requests outside the path."""

from __future__ import annotations

from typing import Any

import pytest
from engineio_proto import Dirty, Exchange, Request, Response
from socketio_proto import Trouble
from socketio_proto._other import OtherPaths

from tests.sim.clock import Clock
from tests.sim.runtime import VirtualRuntime


class Desk:
    def __init__(self, handler: Any) -> None:
        self.clock = Clock()
        self.runtime = VirtualRuntime(self.clock)
        self.dirty = Dirty()
        self.paths = OtherPaths(handler, self.runtime, self.dirty, self.check)
        self.exchange = Exchange(self, Request("POST", "/form"))

    def check(self, response: Response, *, method: str) -> None:
        assert method == "POST"
        if not isinstance(response, Response):
            raise TypeError(f"no response: {response!r}")

    def receive(self, body: bytes = b"body") -> Response | None:
        self.paths.receive(self.exchange, body)
        return self.answer()

    def answer(self) -> Response | None:
        response = self.exchange.take_response()
        assert (response is not None) == (self.dirty.take() == [self])
        return response


def test_not_found() -> None:
    assert Desk(None).receive() == Response(404)


def test_sync() -> None:
    desk = Desk(lambda request: Response(200, (), request.body + request.target.encode()))
    assert desk.receive(b"hello") == Response(200, (), b"hello/form")


def test_async() -> None:
    async def handler(request: Request) -> Response:
        await desk.runtime.sleep(1.0)
        return Response(204)

    desk = Desk(handler)
    assert desk.receive() is None
    desk.clock.advance(1.0)
    assert desk.answer() == Response(204)
    assert desk.runtime.reports == []


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("bad", ["raises", "returns"])
def test_failure(later: bool, bad: str) -> None:
    def handler(request: Request) -> Any:
        if bad == "raises":
            raise KeyError("secret")
        return "text"

    async def handler_later(request: Request) -> Any:
        return handler(request)

    desk = Desk(handler_later if later else handler)
    assert desk.receive() == Response(500)
    (text,) = desk.runtime.told(Trouble.HANDLER)
    assert "/form" in text


def test_the_client_is_gone() -> None:
    async def handler(request: Request) -> Response:
        await desk.runtime.sleep(1.0)
        return Response(204)

    desk = Desk(handler)
    assert desk.receive() is None
    desk.exchange.abort()
    desk.clock.advance(1.0)
    assert desk.answer() is None


def test_must_be_callable() -> None:
    with pytest.raises(TypeError, match="other must be a function of the request, not 5"):
        Desk(5)
