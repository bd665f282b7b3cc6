"""One HTTP request and its answer, seen from the engine.

A wire makes an `Exchange` for each request, hands it to `Engine.receive_request`, feeds the body if the engine
wants one (`wants_body`), and pulls `take_response()` whenever its owner was marked dirty. A GET of a polling
session parks: its answer is made when it is taken, from all that the session has queued by then.

    RECEIVING -body complete-> WAITING -answer-> ANSWERED
        |                        |-- parked GET --^ (built by take_response)
        `--------- abort --------`--> ABORTED        the wire closes the connection without an answer
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from ._request import Request, Response

if TYPE_CHECKING:
    from ._session import Session


class ExchangeState(Enum):
    """See the diagram above; the table is `EXCHANGE` in `_tables.py`."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    ANSWERED = "answered"
    ABORTED = "aborted"
    CLOSED = "closed"


class Exchange:
    """A request between its wire and the engine.

    Attributes:
        owner: the wire (or any other object) that is marked dirty when there is an answer to take.
        request: the request's head.
        state: see `ExchangeState`.
        session: the session that it belongs to, or None.
        body: what has arrived of the body; the engine fills it, up to its bound.
    """

    __slots__ = ("_response", "body", "cors_headers", "owner", "request", "session", "state")

    def __init__(self, owner: Any, request: Request) -> None:
        self.owner = owner
        self.request = request
        self.state = ExchangeState.WAITING
        self.session: Session | None = None
        self.body: bytearray | None = None
        self.cors_headers: tuple[tuple[str, str], ...] = ()
        self._response: Response | None = None

    @property
    def wants_body(self) -> bool:
        """Whether the engine reads this request's body; if not, the wire discards it."""
        return self.state is ExchangeState.RECEIVING

    @property
    def parked(self) -> bool:
        """Whether this is the GET that its session will answer when it has something to send."""
        return self.session is not None and self.session.parked is self

    # Called by the engine.

    def answer(self, response: Response) -> None:
        """Set the answer; it may arrive before the body is complete, and then ends the reading of it."""
        self._response = response
        self.body = None
        self.state = ExchangeState.ANSWERED

    def abort(self) -> None:
        """Make the wire close the connection without any answer."""
        self.body = None
        self.state = ExchangeState.ABORTED

    # Called by the wire.

    def take_response(self) -> Response | None:
        """The answer if there is one by now; a parked GET builds it here from its session's buffer."""
        if self._response is None and self.session is not None and self.session.parked is self:
            self.session.answer_poll()
        return self._response

    def __repr__(self) -> str:
        return f"<Exchange {self.state.value} {self.request.method} {self.request.target}>"
