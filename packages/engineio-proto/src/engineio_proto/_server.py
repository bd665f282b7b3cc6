"""The engine: requests and links in, sessions and events out. It satisfies the `Engine` contract.

Every input finds its session and lets it work; what happened is collected as events and returned. A
command of the layer above (`session.close`, a send that overflows) has its events kept the same way: the next
input returns them first, or `take_events`, which a binding calls after handlers ran.
Source: `packages/engine.io/lib/server.ts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cors_policy import CorsPolicy

from ._admission import Admission, Carrier
from ._config import EngineConfig
from ._decisions import Abandonment, Decision, Decisions
from ._dirty import Dirty
from ._events import CloseReason, EngineEvent, MessageReceived
from ._exchange import Exchange
from ._hooks import Hooks
from ._ids import IdGenerator
from ._link import Link
from ._request import PREFLIGHT, Response
from ._revision import REVISION_3
from ._session import Session
from ._tables import ExchangeState, LinkState
from ._timers import TimerHeap, TimerQueue, Timers
from ._upgrade import Upgrade
from ._verify import verify_origin
from ._wire_options import WireOptions

Function = TypeVar("Function", bound=Callable[..., Any])

_OPEN = LinkState.OPEN
# A message of a few bytes takes some hundred in memory, so their number is bounded as well.
_BYTES_PER_QUEUED = 64
_LEAST_QUEUED = 1024
# How long a parked GET stays while its client probes. Source: `socket.ts`, `_maybeUpgrade`.
_NOOP_INTERVAL = 0.1


class EngineServer:
    """All sessions of one server.

    Args:
        config: the options.
        random_bytes: a source of cryptographic randomness, such as `os.urandom`.
        timers: the clock, when it is shared with other machines.

    Attributes:
        sessions: the live ones, by id.
        dirty: the owners with something to take.
        wire_options: what a wire must honour.
        pending: events that wait for the next input or `take_events`; to be read only.
        closed: `close` was called.
        static_cors: the policy, when it asks nobody.
        hooks: the user's functions.
        decisions: the requests that wait for them.
        admission: what follows when all is decided.
    """

    def __init__(
        self,
        config: EngineConfig | None = None,
        *,
        random_bytes: Callable[[int], bytes],
        timers: Timers | None = None,
    ) -> None:
        self.config = config if config is not None else EngineConfig()
        self.wire_options: WireOptions = self.config.wire_options()
        self.max_send_buffer = self.config.max_send_buffer
        self.max_queued = max(_LEAST_QUEUED, self.max_send_buffer // _BYTES_PER_QUEUED)
        self.sessions: dict[str, Session] = {}
        self.dirty = Dirty()
        self.timers = timers if timers is not None else Timers()
        self.ping_timers: TimerQueue[Session] = self.timers.queue(self.config.ping_interval)
        self.pong_timers: TimerQueue[Session] = self.timers.queue(self.config.ping_timeout)
        self.late_pong_timers: TimerHeap[Session] = self.timers.heap()
        self.silence_timers: TimerQueue[Session] = self.timers.queue(
            self.config.ping_interval + self.config.ping_timeout
        )
        self.upgrade_timers: TimerQueue[Upgrade] = self.timers.queue(self.config.upgrade_timeout)
        self.noop_timers: TimerQueue[Upgrade] = self.timers.queue(_NOOP_INTERVAL)
        self.close_timers: TimerQueue[Session] = self.timers.queue(self.config.close_timeout)
        self.stall_timers: TimerQueue[Session] = self.timers.queue(self.config.stall_timeout)
        cors = self.config.cors
        self.static_cors = cors if isinstance(cors, CorsPolicy) and not cors.needs_decision else None
        self.hooks = Hooks(self)
        self.admission = Admission(self, IdGenerator(random_bytes))
        self.decisions = Decisions(self)
        self._mount = self.config.mount
        self.pending: list[EngineEvent] = []
        self.closed = False

    # Getters.

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` wants to be called, in monotonic seconds, or None."""
        return self.timers.deadline

    def owns(self, target: str) -> bool:
        """Whether a request target begins with the path: a plain prefix, as in the reference."""
        return target.startswith(self._mount)

    # Inputs.

    def receive_request(self, exchange: Exchange, now: float) -> list[EngineEvent]:
        """A request's head arrived: cors, verify, then its session or a handshake, by way of the user's decisions."""
        if not self.closed and self.decisions.asks(exchange.request):
            self.decisions.begin(exchange, now)
        elif not self._cors_ends(exchange) and not self._crosses(exchange):
            self.admission.admit(exchange, now)
        return self.take_events()

    def receive_body(self, exchange: Exchange, data: bytes, now: float) -> list[EngineEvent]:
        """A piece of a POST's body arrived."""
        session = exchange.session
        if exchange.wants_body and session is not None and session.polling is not None:
            session.last_received = now
            session.polling.receive_body(exchange, data, self.config.max_http_buffer_size)
        return self.take_events()

    def receive_body_end(self, exchange: Exchange, now: float) -> list[EngineEvent]:
        """A POST's body is complete."""
        session = exchange.session
        if exchange.wants_body and session is not None and session.polling is not None:
            session.polling.receive_body_end(exchange, now)
        return self.take_events()

    def resume_body(self, exchange: Exchange, now: float) -> list[EngineEvent]:
        """The next slice of a POST's packets."""
        session = exchange.session
        if exchange.has_more and session is not None and session.polling is not None:
            session.polling.resume(exchange, now)
        return self.take_events()

    def exchange_closed(self, exchange: Exchange, now: float) -> list[EngineEvent]:
        """The peer is gone before the answer."""
        session = exchange.session
        if exchange.undecided:
            self.decisions.abandon(exchange, Abandonment.GONE)
        if session is not None and session.polling is not None:
            session.polling.exchange_closed(exchange, now)
        if exchange.state in (ExchangeState.RECEIVING, ExchangeState.WAITING):
            exchange.abort()
        return self.take_events()

    def receive_upgrade(self, link: Link, now: float) -> list[EngineEvent]:
        """A WebSocket upgrade request arrived."""
        request = link.request
        if not self.closed and self.decisions.asks(request):
            self.decisions.begin(link, now)
        elif not self._crosses(link):
            headers = (
                self.static_cors.apply(request.method, request.headers).headers if self.static_cors else ()
            )
            self.admission.admit(link, now, headers)
        return self.take_events()

    def receive_text(self, link: Link, text: str, now: float) -> list[EngineEvent]:
        """A text message arrived on an open link: nearly always `4` and a message of its session."""
        session = link.session
        if session is None or link.state is not _OPEN:
            return self.take_events()
        if session.link is link:
            if text[:1] == "4" and not self.pending:
                return [MessageReceived(session, text[1:])]
            session.receive_packet(text, now)
        else:
            upgrade = session.upgrade
            assert upgrade is not None  # a link has a session as long as it carries it or probes for it
            upgrade.receive(text, now)
        return self.take_events()

    def receive_bytes(self, link: Link, data: bytes, now: float) -> list[EngineEvent]:
        """A binary message arrived on an open link."""
        session = link.session
        if session is not None and link.state is LinkState.OPEN:
            if session.link is link:
                session.revision.receive_bytes(session, data, now)
            else:
                upgrade = session.upgrade
                assert upgrade is not None
                upgrade.abandon()
        return self.take_events()

    def link_closed(self, link: Link, now: float, error: str | None = None) -> list[EngineEvent]:
        """The WebSocket is over; `error` when it broke the protocol or a bound."""
        session = link.session
        if link.state is LinkState.DECIDING:
            self.decisions.abandon(link, Abandonment.GONE)
        link.ended()
        if session is not None:
            if session.link is link:
                session.link = None
                reason = CloseReason.TRANSPORT_CLOSE if error is None else CloseReason.TRANSPORT_ERROR
                session.end(reason, error)
            else:
                upgrade = session.upgrade
                assert upgrade is not None
                upgrade.abandon()
        return self.take_events()

    def link_blocked(self, link: Link) -> None:
        """The transport behind the link is full."""
        link.blocked = True
        session = link.session
        if session is not None and session.link is link:
            session.blocked()

    def link_writable(self, link: Link, now: float) -> list[EngineEvent]:
        """All that was taken from the link is written."""
        link.blocked = False
        session = link.session
        if session is not None and session.link is link:
            session.unblocked(link)
        return self.take_events()

    def handle_timeout(self, now: float) -> list[EngineEvent]:
        """Do what is due; early or twice it does nothing."""
        for session in self.ping_timers.take_due(now):
            session.ping_due(now)
        for session in self.pong_timers.take_due(now):
            session.pong_due(now)
        for session in self.late_pong_timers.take_due(now):
            session.pong_due(now)
        for session in self.silence_timers.take_due(now):
            REVISION_3.silence_due(session, now)
        for upgrade in self.noop_timers.take_due(now):
            upgrade.release_poll(now)
        for upgrade in self.upgrade_timers.take_due(now):
            upgrade.abandon()
        for session in self.close_timers.take_due(now):
            session.close(now, discard=True)
        for session in self.stall_timers.take_due(now):
            session.close(now, discard=True, description="paused for longer than stall_timeout")
        for carrier in self.decisions.timers.take_due(now):
            self.decisions.abandon(carrier, Abandonment.TIMEOUT)
        return self.take_events()

    # Commands.

    def use(self, middleware: Function) -> Function:
        """Register a middleware `(request, response)`, sync or async: it runs for every request and upgrade, first.

        It may set `response.headers` and `response.end(...)`; when it raises, the client gets "Bad request".
        """
        return self.hooks.use(middleware)

    def on(self, name: str, function: Function) -> Function:
        """Register a function for `headers` or `initial_headers` (`(headers, request)`, plain), or for
        `connection_error` (`(refused)`, a `RequestRefused`, sync or async)."""
        return self.hooks.on(name, function)

    def decide(self, decision: Decision, answer: object, now: float) -> None:
        """The reply of the user's function. A late one does nothing. Its events wait in `take_events`."""
        self.decisions.reply(decision, answer, now)

    def fail_decision(self, decision: Decision, error: Exception, now: float) -> None:
        """The user's function raised: the request is refused, and a `HookRaised` says so."""
        self.decisions.fail(decision, error, now)

    def close(self, now: float) -> list[EngineEvent]:
        """Close every session, dropping what is queued, and answer 503 from now on."""
        self.closed = True
        for carrier in list(self.decisions.undecided):
            self.decisions.abandon(carrier, Abandonment.CLOSED)
        for session in list(self.sessions.values()):
            session.close(now, discard=True)
        return self.take_events()

    def take_events(self) -> list[EngineEvent]:
        """Remove and return what commands have caused since the last input."""
        events = self.pending
        if not events:
            return []
        self.pending = []
        return events

    # Called by sessions and admissions.

    def raise_event(self, event: EngineEvent) -> None:
        """Keep an event for the caller of the input that is under way, or for `take_events`."""
        if not self.pending:
            self.dirty.wake()
        self.pending.append(event)

    def forget(self, session: Session) -> None:
        """The session ended."""
        self.sessions.pop(session.id, None)

    def _crosses(self, carrier: Carrier) -> bool:
        """Refuse a request of another site, if that is asked for. With a function in `cors`, `Decisions` does it."""
        if not self.config.enforce_origin or self.closed:
            return False
        refusal = verify_origin(carrier.request, self.static_cors)
        if refusal is not None:
            self.admission.refuse(carrier, refusal)
        return refusal is not None

    def _cors_ends(self, exchange: Exchange) -> bool:
        """Put CORS headers on whatever the answer will be; a preflight is answered here."""
        if self.static_cors is None:
            return False
        result = self.static_cors.apply(exchange.request.method, exchange.request.headers)
        # The wire writes the length of every answer itself, but that of a 204, which has none.
        exchange.headers = tuple(h for h in result.headers if h[0] != "Content-Length")
        if result.preflight is None:
            return False
        exchange.answer(Response(result.preflight, PREFLIGHT))
        return True
