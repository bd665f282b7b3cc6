"""Requests outside the server's path: the user's own function answers them.

A wire knows which these are and collects their body; a binding hands them here. The function may be sync or
async; when it raises, or makes a response that must not be written, the client gets 500 and the log the reason.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Final

from engineio_proto import Dirty, Exchange, ExchangeState, Request, Response

from ._runtime import Report, Runtime, Trouble

Other = Callable[[Request], Response | Awaitable[Response]]

_NOT_FOUND: Final = Response(404)
_FAILED: Final = Response(500)


class OtherPaths:
    """Answers requests that are none of Socket.IO's.

    Args:
        handler: the user's function of the request; without one every answer is 404.
        runtime: where an async one runs.
        dirty: whom to tell that an answer can be taken.
        check: raises for a response that must not be written: `engineio_wire.check_response`.
    """

    def __init__(
        self, handler: Other | None, runtime: Runtime, dirty: Dirty, check: Callable[..., None]
    ) -> None:
        if handler is not None and not callable(handler):
            raise TypeError(f"other must be a function of the request, not {handler!r}")
        self._handler = handler
        self._runtime = runtime
        self._dirty = dirty
        self._check = check

    def receive(self, exchange: Exchange, body: bytes) -> None:
        """A complete request."""
        request = exchange.request
        request.body = body
        try:
            result = _NOT_FOUND if self._handler is None else self._handler(request)
        except Exception as error:
            self._failed(exchange, error)
            return
        if inspect.isawaitable(result):
            self._runtime.spawn(self._finish(exchange, result))
        else:
            self._answer(exchange, result)

    async def _finish(self, exchange: Exchange, result: Awaitable[Response]) -> None:
        try:
            response = await result
        except BaseException as error:
            if not self._runtime.failed(error):
                raise
            self._failed(exchange, error)
        else:
            self._answer(exchange, response)

    def _answer(self, exchange: Exchange, response: Response) -> None:
        try:
            self._check(response, method=exchange.request.method)
        except Exception as error:
            self._failed(exchange, error)
        else:
            self._put(exchange, response)

    def _failed(self, exchange: Exchange, error: BaseException) -> None:
        text = f"the handler of other paths raised for {exchange.request!r}"
        self._runtime.report(Report(Trouble.HANDLER, text, error))
        self._put(exchange, _FAILED)

    def _put(self, exchange: Exchange, response: Response) -> None:
        if exchange.state is ExchangeState.WAITING:  # else its client is gone
            exchange.answer(response)
            self._dirty.mark(exchange.owner)
