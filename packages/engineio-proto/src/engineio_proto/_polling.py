"""HTTP long-polling: at most one parked GET, at most one POST being read.

A state owner of `Session`, dropped when the session upgrades: what the two kinds of request do while the session
is on polling, and how a session on polling is closed. Source: Engine.IO protocol 4, "HTTP long-polling";
`packages/engine.io/lib/transports/polling.ts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._events import CloseReason
from ._exchange import Exchange
from ._outgoing import CLOSE, NOOP, Outgoing
from ._payload import Body, PayloadForm
from ._request import Request, Response
from ._tables import ExchangeState, SessionState

if TYPE_CHECKING:
    from ._session import Session

_NO_STORE: Final = ("cache-control", "no-store")
_HTML: Final = ("Content-Type", "text/html")
BAD_REQUEST: Final = Response(400)
_TOO_LARGE: Final = Response(413)
_WRONG_METHOD: Final = Response(500)


class Polling:
    """The polling transport of one session.

    Args:
        session: whose.
        form: how packets stand in its bodies, from the handshake on.
    """

    __slots__ = ("_form", "_session", "parked", "posting")

    def __init__(self, session: Session, form: PayloadForm) -> None:
        self._session = session
        self._form = form
        self.parked: Exchange | None = None
        self.posting: Exchange | None = None

    @property
    def receiving(self) -> bool:
        """Whether the body of a POST is still arriving."""
        return self.posting is not None and self.posting.state is ExchangeState.RECEIVING

    @property
    def backlogged(self) -> bool:
        """Whether packets of a complete POST still wait for their slice, or for the session's `resume`."""
        return self.posting is not None and bool(self.posting.backlog)

    # Inputs, called by the engine once the request is verified.

    def receive(self, exchange: Exchange, now: float) -> None:
        """A request with this session's id."""
        method = exchange.request.method
        if method == "GET":
            self._receive_poll(exchange, now)
        elif method == "POST":
            self._receive_post(exchange)
        else:
            exchange.answer(_WRONG_METHOD)

    def receive_body(self, exchange: Exchange, data: bytes, limit: int) -> None:
        """A piece of a POST's body; beyond the limit it is refused and the session lives on."""
        body = exchange.body
        assert body is not None
        if len(body) + len(data) > limit:
            self.posting = None
            exchange.answer(_TOO_LARGE)
        else:
            body += data

    def receive_body_end(self, exchange: Exchange, now: float) -> None:
        """The body is complete: decode it, at most a slice of packets at once."""
        packets = self._form.decode(exchange.body_complete(), binary=_is_binary(exchange.request))
        packets.reverse()
        exchange.backlog = packets
        self.resume(exchange, now)

    def resume(self, exchange: Exchange, now: float) -> None:
        """Handle the next slice of a POST's packets, none while the session is paused; after the last, answer it."""
        session = self._session
        backlog = exchange.backlog
        left = session.engine.config.slice
        while backlog and left and not session.paused:
            left -= 1
            packet = backlog.pop()
            if packet[:1] == "1":
                self._receive_close(exchange)
                return
            if session.state is SessionState.OPEN:
                session.receive_packet(packet, now)
            if exchange.state is not ExchangeState.WAITING:
                return  # the packet ended the session, and `finish` has answered
        if not backlog:
            self._answer_post(exchange)

    def exchange_closed(self, exchange: Exchange, now: float) -> None:
        """The peer dropped a request that was not answered yet."""
        session = self._session
        if self.parked is exchange:
            self.parked = None
            session.end(CloseReason.TRANSPORT_ERROR, "poll connection closed prematurely")
        elif self.posting is exchange:
            self.posting = None
            # The body still arrives, or packets of it still wait: they are lost, and a session that loses packets
            # cannot go on.
            session.end(CloseReason.TRANSPORT_ERROR, "data request connection closed prematurely")

    # Called by the session.

    def resumed(self) -> None:
        """The session is no longer paused: the wire goes on with the packets of a POST that was withheld."""
        exchange = self.posting
        if exchange is not None and exchange.backlog:
            self._session.engine.dirty.mark(exchange.owner)

    def answer_poll(self, buffer: list[Outgoing]) -> None:
        """Answer the parked GET with these packets."""
        exchange = self.parked
        assert exchange is not None
        self.parked = None
        engine = self._session.engine
        response = self.payload_response(exchange.request, self._form.encode(buffer))
        if engine.config.http_compression is not None:
            response = engine.config.http_compression.apply(exchange.request, response, buffer)
        exchange.answer(engine.hooks.decorate(exchange.request, response))

    def payload_response(self, request: Request, body: Body) -> Response:
        """The answer of a GET."""
        return Response(200, _headers(request, body.content_type), body.data)

    def finish(self, last: Outgoing) -> None:
        """The session ended or left polling: answer a parked GET with `last`, and a POST whose body is complete;
        abort one that still arrives."""
        exchange = self.parked
        if exchange is not None:
            self.answer_poll([last])
            self._session.engine.dirty.mark(exchange.owner)
        posting, self.posting = self.posting, None
        if posting is not None:
            if posting.state is ExchangeState.RECEIVING:
                # None of its packets is delivered, and the peer learns that from the missing answer.
                posting.abort()
            else:
                # Observed: what ends a session does not keep the POST that brought it from its `ok`.
                self._answer_post(posting)
            self._session.engine.dirty.mark(posting.owner)

    # The two methods.

    def _receive_poll(self, exchange: Exchange, now: float) -> None:
        session = self._session
        if self.parked is not None:
            session.end(CloseReason.TRANSPORT_ERROR, "overlap from client")
            exchange.answer(BAD_REQUEST)
            return
        exchange.session = session
        self.parked = exchange
        session.last_received = now
        if session.state is SessionState.CLOSING and not session.has_buffered:
            self.answer_poll([NOOP, CLOSE])
            session.end(CloseReason.FORCED_CLOSE)
            return
        session.owner = exchange.owner
        if session.has_buffered:
            session.engine.dirty.mark(exchange.owner)

    def _receive_post(self, exchange: Exchange) -> None:
        session = self._session
        if self.posting is not None:
            session.end(CloseReason.TRANSPORT_ERROR, "data request overlap from client")
            exchange.answer(BAD_REQUEST)
        elif _is_binary(exchange.request) and not self._form.takes_binary:
            session.end(CloseReason.TRANSPORT_ERROR, "invalid content")
            exchange.answer(BAD_REQUEST)
        else:
            exchange.session = session
            self.posting = exchange
            exchange.expect_body()

    def _receive_close(self, exchange: Exchange) -> None:
        """A `1` in a payload: the rest of it is ignored, a pending GET gets a noop."""
        if self.parked is not None:
            owner = self.parked.owner
            self.answer_poll([NOOP])
            self._session.engine.dirty.mark(owner)
        self._answer_post(exchange)
        self._session.end(CloseReason.TRANSPORT_CLOSE)

    def _answer_post(self, exchange: Exchange) -> None:
        self.posting = None
        exchange.session = None
        request = exchange.request
        response = Response(200, _headers(request, _HTML), b"ok")
        exchange.answer(self._session.engine.hooks.decorate(request, response))


def _headers(request: Request, content_type: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Those of a GET's and of a POST's answer. Old Internet Explorers get the one that their XSS filter needs."""
    agent = request.headers.get("user-agent", "")
    if ";MSIE" in agent or "Trident/" in agent:
        return (content_type, ("X-XSS-Protection", "0"), _NO_STORE)
    return (content_type, _NO_STORE)


def _is_binary(request: Request) -> bool:
    """Exactly this, without a parameter, as in the reference."""
    return request.headers.get("content-type") == "application/octet-stream"
