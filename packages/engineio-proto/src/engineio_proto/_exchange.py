"""One HTTP request and its answer, seen from the engine.

A wire makes an `Exchange` for each request, hands it to `Engine.receive_request`, feeds the body if the engine
wants one (`wants_body`), and pulls `take_response()` whenever its owner was marked dirty. A GET of a polling
session parks: its answer is made when it is taken, from all that the session has queued by then.

    WAITING -expect_body-> RECEIVING -body complete-> WAITING -answer-> ANSWERED
       |                       |                         `-- parked GET --^ (built by take_response)
       `-------- abort --------`--> ABORTED: the wire closes the connection without an answer
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._answer_headers import merged
from ._request import Request, Response
from ._tables import EXCHANGE, ExchangeInput, ExchangeState, move

if TYPE_CHECKING:
    from ._session import Session


class Exchange:
    """A request between its wire and the engine.

    Attributes:
        owner: the wire (or any other object) that is marked dirty when there is an answer to take.
        request: the request's head.
        state: see `ExchangeState`.
        session: the session that it belongs to, or None.
        body: what has arrived of the body; the engine fills it, up to its bound.
        backlog: packets of the body that still wait for their slice, last first; see `has_more`.
        headers: what every answer of this request carries besides its own (CORS, middlewares).
        undecided: the user's code is asked about it; its body is not read meanwhile.
    """

    __slots__ = (
        "_response",
        "backlog",
        "body",
        "headers",
        "owner",
        "request",
        "session",
        "state",
        "undecided",
    )

    def __init__(self, owner: Any, request: Request) -> None:
        self.owner = owner
        self.request = request
        self.state = ExchangeState.WAITING
        self.session: Session | None = None
        self.body: bytearray | None = None
        self.backlog: list[str | bytes] | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        self.undecided = False
        self._response: Response | None = None

    @property
    def wants_body(self) -> bool:
        """Whether the engine reads this request's body; if not, the wire discards it."""
        return self.state is ExchangeState.RECEIVING

    @property
    def parked(self) -> bool:
        """Whether this is the GET that its session will answer when it has something to send."""
        return self.session is not None and self.session.parked is self

    @property
    def has_more(self) -> bool:
        """Whether `Engine.resume_body` should be called: packets of the body wait, and their session is not paused."""
        return bool(self.backlog) and self.session is not None and not self.session.paused

    # Called by the engine.

    def expect_body(self) -> None:
        """Let the wire feed the body."""
        self.state = move(EXCHANGE, self.state, ExchangeInput.EXPECT_BODY)
        self.body = bytearray()

    def body_complete(self) -> bytes:
        """Return the body and keep nothing of it."""
        self.state = move(EXCHANGE, self.state, ExchangeInput.BODY_END)
        body, self.body = bytes(self.body or b""), None
        return body

    def answer(self, response: Response) -> None:
        """Set the answer; it may arrive before the body is complete, and then ends the reading of it."""
        self.state = move(EXCHANGE, self.state, ExchangeInput.ANSWER)
        status, headers, body = response
        self._response = Response(status, merged(self.headers, headers), body) if self.headers else response
        self.body = self.backlog = None

    def abort(self) -> None:
        """There will be no answer: the wire closes the connection, if it is not gone yet."""
        self.state = move(EXCHANGE, self.state, ExchangeInput.ABORT)
        self.body = self.backlog = self.session = None

    # Called by the wire.

    def take_response(self) -> Response | None:
        """The answer if there is one by now; a parked GET builds it here from its session's buffer."""
        session = self.session
        if self._response is None and session is not None and session.parked is self:
            session.answer_poll()
        return self._response
