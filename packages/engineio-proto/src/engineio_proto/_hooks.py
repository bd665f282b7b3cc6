"""The user's functions of one engine: middlewares, header hooks, and who hears of refusals.

Source: `packages/engine.io/lib/server.ts`: `use`, and the events `initial_headers`, `headers`, `connection_error`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ._answer_headers import AnswerHeaders, merged
from ._events import HookRaised
from ._request import Request, Response

if TYPE_CHECKING:
    from ._server import EngineServer

Function = TypeVar("Function", bound=Callable[..., Any])

# name -> what a listener is called with
_LISTENERS: Final = {"headers": 2, "initial_headers": 2, "connection_error": 1}


class Hooks:
    """What was registered with one engine.

    Attributes:
        middlewares: in the order of their registration; to be read only.
        connection_error: called with each `RequestRefused`, by whoever dispatches events.
    """

    __slots__ = ("_engine", "_headers", "_initial_headers", "connection_error", "middlewares")

    def __init__(self, engine: EngineServer) -> None:
        config = engine.config
        self._engine = engine
        self.middlewares: list[Callable[..., Any]] = []
        self._headers = [] if config.headers is None else [config.headers]
        self._initial_headers = [] if config.initial_headers is None else [config.initial_headers]
        self.connection_error: list[Callable[..., Any]] = []

    def use(self, middleware: Function) -> Function:
        """See `EngineServer.use`."""
        check_function("use", middleware, 2)
        self.middlewares.append(middleware)
        return middleware

    def on(self, name: str, function: Function) -> Function:
        """See `EngineServer.on`."""
        if name not in _LISTENERS:
            raise ValueError(f"on: {name!r} is no event of the engine; there are {', '.join(_LISTENERS)}")
        check_function(f"on({name!r})", function, _LISTENERS[name], plain=name != "connection_error")
        if name == "headers":
            self._headers.append(function)
        elif name == "initial_headers":
            self._initial_headers.append(function)
        else:
            self.connection_error.append(function)
        return function

    def decorate(self, request: Request, response: Response) -> Response:
        """The answer of a poll, with what the header hooks add to it."""
        if not self._headers and not self._initial_headers:
            return response
        return response._replace(headers=merged(response.headers, self.added_headers(request)))

    def sid_cookie(self, request: Request, sid: str) -> tuple[tuple[str, str], ...]:
        """The `cookie` option. The id may be of the user's making, and so may the encoding: what is no cookie is left
        out and reported."""
        cookie = self._engine.config.cookie
        try:
            return () if cookie is None else (("Set-Cookie", cookie.serialize(sid)),)
        except Exception as error:  # the answer must go out all the same
            self._engine.raise_event(HookRaised("cookie", request, error))
            return ()

    def added_headers(self, request: Request) -> tuple[tuple[str, str], ...]:
        """What the header hooks add to the answer of this request; `initial_headers` only to a handshake's."""
        if not self._headers and not self._initial_headers:
            return ()
        added = AnswerHeaders()
        initial = () if request.query.get("sid") else self._initial_headers
        for name, functions in (("initial_headers", initial), ("headers", self._headers)):
            for function in functions:
                try:
                    function(added, request)
                except Exception as error:  # the answer must go out all the same
                    self._engine.raise_event(HookRaised(name, request, error))
        return added.pairs


def check_function(what: str, function: object, count: int, *, plain: bool = False) -> None:
    """Refuse what could never be called with `count` arguments, or an async function where none can be awaited."""
    if not callable(function):
        raise TypeError(f"{what} must be a function of {count} argument{'s' * (count > 1)}, not {function!r}")
    if plain and inspect.iscoroutinefunction(function):
        raise TypeError(f"{what} must be a plain function, for the answer goes out at once; got {function!r}")
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError as error:
        raise TypeError(
            f"{what} is called with {count} positional argument{'s' * (count > 1)}: {function!r}: {error}"
        ) from None
    except ValueError:
        pass  # a builtin without a signature
