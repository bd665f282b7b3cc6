"""One WebSocket, seen from the engine: what it asked for, what to answer, what to send.

A wire makes a `Link` when an upgrade request arrives and hands it to `Engine.receive_upgrade`, which accepts or
refuses it at once or after a user's decision. From then on the wire calls `receive_text` and `receive_bytes`
down, and pulls `take()` up: whatever the session has queued, in order, then the close.

    DECIDING -accept-> OPEN -close-> CLOSING -(wire wrote the close)-> CLOSED
        |                 `-------------- link_closed ----------------^
        `-refuse-> REFUSED
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._outgoing import Outgoing
from ._request import Request, Response
from ._tables import LINK, LinkInput, LinkState, move

if TYPE_CHECKING:
    from ._session import Session


class Link:
    """A WebSocket between its wire and a session.

    Attributes:
        owner: the wire (or any other object) that is marked dirty when there is something to take.
        request: the upgrade request.
        state: see `LinkState`.
        headers: extra headers of the 101 answer, once accepted.
        refusal: the HTTP answer, once refused.
        form: makes of what is queued what goes out, where that is not the same; see `_revision.py`.
        session: the session that it carries or probes for, or None.
        paused: the layer above wants no more input from this link for now.
        last_received: `now` of the latest bytes; the wire writes it once per read.
        blocked: the transport cannot take more; set through the engine.
        settles: whether the first message is to wait a moment behind the 101; the wire sees to it.
    """

    __slots__ = (
        "_outbox",
        "blocked",
        "form",
        "headers",
        "last_received",
        "owner",
        "paused",
        "refusal",
        "request",
        "session",
        "settles",
        "state",
    )

    def __init__(self, owner: Any, request: Request, *, now: float) -> None:
        self.owner = owner
        self.request = request
        self.state = LinkState.DECIDING
        self.headers: tuple[tuple[str, str], ...] = ()
        self.refusal: Response | None = None
        self.form: Callable[[Outgoing], Outgoing] | None = None
        self.session: Session | None = None
        self.paused = False
        self.blocked = False
        self.settles = False
        self.last_received = now
        # Packets of this link alone (the probe's answer; what is left at a close); the session's follow.
        self._outbox: list[Outgoing] | None = None

    # Called by the engine.

    def accept(self, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Let the wire answer 101 with these extra headers."""
        self.state = move(LINK, self.state, LinkInput.ACCEPT)
        self.headers = headers

    def refuse(self, response: Response) -> None:
        """Let the wire answer with this response and close."""
        self.state = move(LINK, self.state, LinkInput.REFUSE)
        self.refusal = response

    def push(self, outgoing: Outgoing) -> None:
        """Queue something for this link alone, ahead of its session's buffer."""
        if self._outbox is None:
            self._outbox = []
        self._outbox.append(outgoing)

    def close(self, rest: list[Outgoing] | None = None) -> None:
        """Send `rest`, then the closing handshake without a code (the client sees 1005), then nothing."""
        if self.state is LinkState.OPEN:
            for outgoing in rest or ():
                self.push(outgoing)
        self.state = move(LINK, self.state, LinkInput.CLOSE)

    def ended(self) -> None:
        """The WebSocket is over; drop what was queued."""
        self.state = move(LINK, self.state, LinkInput.END)
        self.session = None
        self._outbox = None

    @property
    def queued(self) -> int:
        """How much of what is for this link alone waits to be taken."""
        return len(self._outbox or ())

    # Called by the wire.

    def take(self) -> list[Outgoing]:
        """Remove and return all that is to be sent now. After it, a wire looks whether `state` is CLOSING."""
        outbox = self._outbox
        session = self.session
        if outbox is None:
            # The common case: the link carries its session and nothing is queued beside it.
            if session is None or session.link is not self:
                return []
            outbox = session.take_buffer()
        else:
            self._outbox = None
            if session is not None and session.link is self:
                outbox.extend(session.take_buffer())
        form = self.form
        return outbox if form is None else [form(outgoing) for outgoing in outbox]
