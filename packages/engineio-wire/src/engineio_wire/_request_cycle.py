"""One request from its head to its answer.

    head -> [body, piece by piece] -> answer
              `- an early answer: the rest of the body is read and thrown away, up to `max_drain_size`

The body of a request under the engine's path goes to the engine as it arrives, as long as the engine wants it;
that of any other is collected here and becomes one `RequestReceived`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

from engineio_proto import Exchange, ExchangeState, Response

from ._body import BodyReader
from ._events import RequestReceived, WireEvent
from ._head import Head
from ._response import CONTINUE, response_bytes

if TYPE_CHECKING:
    from ._server import WireServer

E = TypeVar("E")

# Chunks of a body that are looked at in one slice; about 1 us each.
_PIECES_PER_SLICE: Final = 1024
_TOO_LARGE: Final = Response(413)


class RequestCycle(Generic[E]):
    """A request that is being received or answered.

    Args:
        server: for the engine and the bounds.
        exchange: the request and its answer.
        head: what its head says.
        reader: reads the body; None when there is none.
        foreign: whether the request is none of the engine's.

    Attributes:
        unread: the reader has body bytes that were not looked at yet.
        taken: the answer was taken; only the rest of the body is left.
        keep_alive: whether the connection stays open after the answer.
        drained_out: too much had to be thrown away; the connection must close.
    """

    __slots__ = (
        "_body",
        "_drained",
        "_expects_continue",
        "_length",
        "_reader",
        "_server",
        "drained_out",
        "exchange",
        "foreign",
        "keep_alive",
        "taken",
        "unread",
    )

    def __init__(
        self,
        server: WireServer[E],
        exchange: Exchange,
        head: Head,
        reader: BodyReader | None,
        *,
        foreign: bool,
    ) -> None:
        self._server = server
        self.exchange = exchange
        self.foreign = foreign
        self._body: bytearray | None = bytearray() if foreign else None
        self._reader = reader
        self._length = head.content_length
        self._expects_continue = head.expects_continue
        self._drained = 0
        self.unread = False
        self.taken = False
        self.keep_alive = head.keep_alive
        self.drained_out = False

    @property
    def receiving(self) -> bool:
        """Whether the body is not complete yet."""
        return self._reader is not None

    @property
    def waits(self) -> bool:
        """Whether there is no answer yet."""
        state = self.exchange.state
        return state is ExchangeState.RECEIVING or state is ExchangeState.WAITING

    @property
    def ends_late(self) -> bool:
        """Whether the engine wants a body that was complete before the user's code had decided."""
        return not self.receiving and self.exchange.wants_body

    # The body.

    def begin(self, events: list[E | WireEvent], now: float) -> bytes:
        """Tell the engine of the request; what to write at once (100, RFC 9110 10.1.1)."""
        exchange = self.exchange
        config = self._server.config
        if not self.foreign:
            events += self._server.engine.receive_request(exchange, now)
        elif self._length > config.max_body_size:
            self._refuse_body()
        if not self.receiving:
            self._end_body(events, now)
        elif self._expects_continue:
            if self.waits:
                self._expects_continue = False
                return CONTINUE
            # The peer may send its body now, or not: what would follow has no meaning.
            self.keep_alive = False
        return b""

    def feed(self, data: bytes) -> None:
        """Give it bytes of the body, and what may follow it."""
        if self._reader is not None and data:
            self._reader.feed(data)
            self.unread = True

    def read_body(self, events: list[E | WireEvent], now: float) -> bytes:
        """Look at the body for one slice; what follows it, once it is complete.

        Raises:
            BadRequest: broken chunks or trailers.
        """
        reader = self._reader
        if reader is None:
            return b""
        data, self.unread = reader.read(_PIECES_PER_SLICE)
        if self.taken:
            self._drained += len(data)
            self.drained_out = self._drained > self._server.config.max_drain_size
        elif data:
            self._pass(data, events, now)
        if not reader.complete:
            return b""
        self._reader = None
        if not self.taken:
            self._end_body(events, now)
        return reader.rest

    def end_late(self, events: list[E | WireEvent], now: float) -> None:
        """The body was complete, and empty, before the engine wanted it."""
        self._end_body(events, now)

    def _pass(self, data: bytes, events: list[E | WireEvent], now: float) -> None:
        if self._body is not None:
            self._body += data
            if len(self._body) > self._server.config.max_body_size:
                self._refuse_body()
        elif self.exchange.wants_body:
            events += self._server.engine.receive_body(self.exchange, data, now)

    def _refuse_body(self) -> None:
        self._body = None
        self.exchange.answer(_TOO_LARGE)

    def _end_body(self, events: list[E | WireEvent], now: float) -> None:
        if self._body is not None:
            body, self._body = bytes(self._body), None
            events.append(RequestReceived(self.exchange, body))
        elif self.exchange.wants_body:
            events += self._server.engine.receive_body_end(self.exchange, now)

    # The answer.

    def take_answer(self, *, last: bool) -> bytes:
        """The answer's bytes, once, if there is one by now.

        Args:
            last: whether the connection closes after it in any case.
        """
        if self.taken:
            return b""
        response = self.exchange.take_response()
        if response is None:
            return b""
        server = self._server
        self.taken = True
        closes = any(n.lower() == "connection" and v.lower() == "close" for n, v in response.headers)
        if last or closes or (self.receiving and self._length > server.config.max_drain_size):
            self.keep_alive = False
        return response_bytes(
            response,
            method=self.exchange.request.method,
            keep_alive=int(server.config.keep_alive_timeout) if self.keep_alive else None,
            date=server.http_date() if server.http_date is not None else None,
        )

    @property
    def over(self) -> bool:
        """Whether nothing more of this request is to come, in either direction."""
        # After a refused expectation the body may never come.
        return self.taken and (not self.receiving or self._expects_continue)

    def connection_lost(self, now: float) -> list[E]:
        """Tell the engine that it cannot answer any more."""
        if self.foreign or self.taken or not self.waits:
            return []
        return self._server.engine.exchange_closed(self.exchange, now)
