"""One client, as far as handlers are concerned: what waits for them, and who waits for the client to read.

The inbox is where events wait when they cannot start: too many handlers of this client run, or (on a runtime whose
tasks start later) the handler before has not started yet. Over its mark the session is paused, so the client feels
it; at the hard bound it is closed. `HandlerOrder` works the inbox.

Outwards, whoever awaits a send waits while more than the high-water mark is queued for the client.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from engineio_proto import Session, SessionState

from ._runtime import Waiter

if TYPE_CHECKING:
    from ._order import HandlerOrder

E = TypeVar("E")
# Runs a handler, and calls the function when what is behind it may go on.
Until: TypeAlias = Callable[[Coroutine[Any, Any, None], Callable[[], None]], Coroutine[Any, Any, None]]

# Seconds after which a buffer that was about to be flushed is looked at again.
_LOOK_AGAIN = 0.001
# The hard bound of the inbox is this many times its mark.
_HARD_BOUND = 4


class Peer(ABC, Generic[E]):
    """One Engine.IO session and its handlers. A subclass says what it is to its users.

    Attributes:
        order: shared by all peers of a server.
        session: the Engine.IO session.
        inbox: what waits for its turn, each with its bytes; None when nothing does.
        in_flight: async handlers that run.
        held: None, or handlers that wait for the one that was spawned last: it has not started yet, or (`spawn_whole`)
            not ended. With each stands which of these the next one is to wait for.
        draining: the inbox is being worked.
        awaiting: answers that the server waits for from this client.
    """

    __slots__ = (
        "_drain_waiters",
        "_inbox_bytes",
        "awaiting",
        "draining",
        "held",
        "in_flight",
        "inbox",
        "order",
        "session",
    )

    def __init__(self, order: HandlerOrder[E], session: Session) -> None:
        self.order = order
        self.session = session
        self.inbox: deque[tuple[E, int | None]] | None = None
        self.in_flight = 0
        self.held: deque[tuple[Coroutine[Any, Any, None], Until]] | None = None
        self.draining = False
        self.awaiting = 0
        self._inbox_bytes = 0
        self._drain_waiters: list[Waiter] | None = None

    # The inbox.

    def put(self, event: E, size: int | None = None) -> None:
        """Let an event wait for its turn: with its bytes if the client sent it, None for one of the library's."""
        if self.inbox is None:
            self.inbox = deque()
        self.inbox.append((event, size))
        if size is not None:
            self._inbox_bytes += size
            self.regulate()

    def put_first(self, event: E) -> None:
        """Let an event of the library's wait for its turn, which is the next."""
        if self.inbox is None:
            self.inbox = deque()
        self.inbox.appendleft((event, None))

    def take(self) -> E | None:
        """The next event that may start now."""
        inbox = self.inbox
        if inbox is None or self.held is not None:
            return None
        event, size = inbox[0]
        if size is not None:
            # Once the client is gone, what it sent before is delivered, whatever runs already. Not when it only
            # left a namespace: by joining and leaving in turn it would have any number of handlers run.
            if self.in_flight >= self.order.config.max_handlers and self.session.state is SessionState.OPEN:
                return None
            self._inbox_bytes -= size
        inbox.popleft()
        if not inbox:
            self.inbox = None
        return event

    def regulate(self) -> None:
        """Pause or resume the session by the state of the inbox; at the hard bound, `overflowed`."""
        session = self.session
        if self.inbox is None:
            if session.paused:
                session.resume()
            return
        order = self.order
        max_inbox = order.config.max_inbox
        waiting = len(self.inbox)
        # A slice that was decoded before a pause could take effect is not the client's fault.
        most = _HARD_BOUND * max(max_inbox, order.slice)
        if session.state is SessionState.OPEN and (
            waiting > most or self._inbox_bytes > _HARD_BOUND * order.max_bytes
        ):
            self.overflowed(
                f"{waiting} events of {self._inbox_bytes} bytes wait for handlers (max_inbox={max_inbox})"
            )
        elif not self.awaiting and (waiting >= max_inbox or self._inbox_bytes >= order.max_bytes):
            session.pause(order.runtime.now())
        elif session.paused:
            session.resume()

    @abstractmethod
    def overflowed(self, text: str) -> None:
        """Close the session, and say so in the log."""

    # Backpressure outwards.

    def drained(self) -> Awaitable[None]:
        """Await until what waits for this client fell under the mark, or its session closed.

        A client that probes for an upgrade does not poll before its last POST is answered; that answer may wait for
        handlers, so handlers do not wait for the client then. `max_send_buffer` bounds what they send.
        """
        runtime = self.order.runtime
        waiter = runtime.waiter()
        if self._drain_waiters is None:
            self._drain_waiters = []
        self._drain_waiters.append(waiter)
        self.expect_drain(runtime.now())
        return waiter

    def expect_drain(self, now: float) -> None:
        """What waits for this client may be taken soon. While nobody can take it (its link is blocked, it has no
        GET pending) there is nothing to expect: an input will tell.
        """
        session = self.session
        if self._drain_waiters is not None and (session.owner is not None or session.upgrade is not None):
            # Taking output tells nobody. So a look is due at once, which is after the flush of the present pass.
            self.order.drain_timers.arm(self, now)

    def resolve_drained(self, now: float) -> None:
        """Look whether those who wait for this client can go on."""
        waiters = self._drain_waiters
        if waiters is None:
            return
        session = self.session
        if session.state is SessionState.CLOSED:
            self.order.drain_timers.cancel(self)
        elif session.upgrade is None and session.buffered_bytes > self.order.config.high_water_mark:
            self.expect_drain(now + _LOOK_AGAIN)
            return
        self._drain_waiters = None
        for waiter in waiters:
            waiter.set(None)
