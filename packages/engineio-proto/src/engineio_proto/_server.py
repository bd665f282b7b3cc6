"""The engine: requests and links in, sessions and events out. It satisfies the `Engine` contract.

Every input verifies, finds the session and lets it work; what happened is collected as events and returned. A
command of the layer above (`session.close`, a send that overflows) has its events kept the same way: the next
input returns them first, or `take_events`, which a binding calls after handlers ran.
Source: `packages/engine.io/lib/server.ts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from ._config import EngineConfig
from ._dirty import Dirty
from ._errors import ERROR_MESSAGES, ErrorCode
from ._events import CloseReason, EngineEvent, MessageReceived, RequestRefused, SessionOpened
from ._exchange import Exchange
from ._ids import IdGenerator
from ._link import Link
from ._outgoing import control
from ._payload import encode_payload
from ._polling import Polling
from ._request import Request, Response
from ._session import Session
from ._tables import ExchangeState, LinkState, SessionState
from ._timers import TimerHeap, TimerQueue, Timers
from ._upgrade import Upgrade
from ._verify import Refusal, verify

_OPEN = LinkState.OPEN
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
        pending: events that wait for the next input or `take_events`; to be read only.
    """

    def __init__(
        self,
        config: EngineConfig | None = None,
        *,
        random_bytes: Callable[[int], bytes],
        timers: Timers | None = None,
    ) -> None:
        self.config = config if config is not None else EngineConfig()
        self.max_send_buffer = self.config.max_send_buffer
        self.sessions: dict[str, Session] = {}
        self.dirty = Dirty()
        self.timers = timers if timers is not None else Timers()
        self.ping_timers: TimerQueue[Session] = self.timers.queue(self.config.ping_interval)
        self.pong_timers: TimerQueue[Session] = self.timers.queue(self.config.ping_timeout)
        self.late_pong_timers: TimerHeap[Session] = self.timers.heap()
        self.upgrade_timers: TimerQueue[Upgrade] = self.timers.queue(self.config.upgrade_timeout)
        self.noop_timers: TimerQueue[Upgrade] = self.timers.queue(_NOOP_INTERVAL)
        self.close_timers: TimerQueue[Session] = self.timers.queue(self.config.close_timeout)
        self.stall_timers: TimerQueue[Session] = self.timers.queue(self.config.stall_timeout)
        self._generate_id = IdGenerator(random_bytes)
        self._mount = self.config.mount
        self.pending: list[EngineEvent] = []
        self._closed = False

    # Getters.

    @property
    def max_message_size(self) -> int:
        """Bytes of the largest message a peer may send."""
        return self.config.max_http_buffer_size

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` wants to be called, in monotonic seconds, or None."""
        return self.timers.deadline

    def owns(self, target: str) -> bool:
        """Whether a request target begins with the path: a plain prefix, as in the reference."""
        return target.startswith(self._mount)

    # Inputs.

    def receive_request(self, exchange: Exchange, now: float) -> list[EngineEvent]:
        """A request's head arrived: cors, verify, then its session or a handshake."""
        request = exchange.request
        if not self._cors_ends(exchange):
            verified = verify(request, self.sessions, self.config.transports, upgrade=False)
            if isinstance(verified, Refusal):
                body = {"code": int(verified.code), "message": ERROR_MESSAGES[verified.code]}
                exchange.answer(
                    Response(
                        403 if verified.code is ErrorCode.FORBIDDEN else 400,
                        (("Content-Type", "application/json"),),
                        json.dumps(body, separators=(",", ":")).encode(),
                    )
                )
                self._refused(request, verified)
            elif self._closed:
                exchange.answer(Response(503))
            elif verified.session is None:
                self._open_polling(exchange, now)
            else:
                polling = verified.session.polling
                assert polling is not None  # `verify` refuses a plain request for any other session
                polling.receive(exchange, now)
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
        if session is not None and session.polling is not None:
            session.polling.exchange_closed(exchange, now)
        if exchange.state in (ExchangeState.RECEIVING, ExchangeState.WAITING):
            exchange.abort()
        return self.take_events()

    def receive_upgrade(self, link: Link, now: float) -> list[EngineEvent]:
        """A WebSocket upgrade request arrived."""
        request = link.request
        headers = self.config.cors.apply(request.method, request.headers).headers if self.config.cors else ()
        verified = verify(request, self.sessions, self.config.transports, upgrade=True)
        if isinstance(verified, Refusal):
            self._refuse_upgrade(link, 400, ERROR_MESSAGES[verified.code])
            self._refused(request, verified)
        elif self._closed:
            self._refuse_upgrade(link, 503, "Service Unavailable")
        else:
            link.accept(headers)
            session = verified.session
            if verified.transport != "websocket":
                link.close()  # as the reference: accepted, then closed at once
            elif session is None:
                self._open_websocket(link, now)
            elif (
                session.upgrade is not None or session.polling is None or session.state is SessionState.CLOSED
            ):
                link.close()
            else:
                session.upgrade = Upgrade(session, link, now)
            self.dirty.mark(link.owner)
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
                self.pending.append(MessageReceived(session, data))
            else:
                upgrade = session.upgrade
                assert upgrade is not None
                upgrade.abandon()
        return self.take_events()

    def link_closed(self, link: Link, now: float, error: str | None = None) -> list[EngineEvent]:
        """The WebSocket is over; `error` when it broke the protocol or a bound."""
        session = link.session
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
        for upgrade in self.noop_timers.take_due(now):
            upgrade.release_poll(now)
        for upgrade in self.upgrade_timers.take_due(now):
            upgrade.abandon()
        for session in self.close_timers.take_due(now):
            session.close(now, discard=True)
        for session in self.stall_timers.take_due(now):
            session.close(now, discard=True, description="paused for longer than stall_timeout")
        return self.take_events()

    # Commands.

    def close(self, now: float) -> list[EngineEvent]:
        """Close every session, dropping what is queued, and answer 503 from now on."""
        self._closed = True
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

    # Called by sessions.

    def emit(self, event: EngineEvent) -> None:
        """Keep an event for the caller of the input that is under way, or for `take_events`."""
        self.pending.append(event)
        if len(self.pending) == 1:
            self.dirty.wake()

    def forget(self, session: Session) -> None:
        """The session ended."""
        self.sessions.pop(session.id, None)

    # Handshakes.

    def _open_polling(self, exchange: Exchange, now: float) -> None:
        session = self._new_session(exchange.request, now)
        session.polling = polling = Polling(session)
        response = polling.payload_response(
            exchange.request, encode_payload([control(self._handshake(session))])
        )
        if self.config.cookie is not None:
            cookie = ("Set-Cookie", self.config.cookie.serialize(session.id))
            response = response._replace(headers=(*response.headers, cookie))
        exchange.answer(response)
        self.pending.append(SessionOpened(session))

    def _open_websocket(self, link: Link, now: float) -> None:
        session = self._new_session(link.request, now)
        session.link = link
        link.session = session
        session.owner = link.owner
        session.push(control(self._handshake(session)))
        self.pending.append(SessionOpened(session))

    def _new_session(self, request: Request, now: float) -> Session:
        sid = self._generate_id()
        while sid in self.sessions:  # 96 random bits: only a broken source of randomness comes here
            sid = self._generate_id()
        session = self.sessions[sid] = Session(self, sid, request, now)
        return session

    def _handshake(self, session: Session) -> str:
        """The open packet. Key order as the reference; milliseconds exist only here."""
        config = self.config
        upgrades = (
            ["websocket"]
            if session.transport == "polling" and config.allow_upgrades and "websocket" in config.transports
            else []
        )
        return "0" + json.dumps(
            {
                "sid": session.id,
                "upgrades": upgrades,
                "pingInterval": round(config.ping_interval * 1000),
                "pingTimeout": round(config.ping_timeout * 1000),
                "maxPayload": config.max_http_buffer_size,
            },
            separators=(",", ":"),
        )

    # Refusals.

    def _cors_ends(self, exchange: Exchange) -> bool:
        """Put CORS headers on whatever the answer will be; a preflight is answered here."""
        policy = self.config.cors
        if policy is None:
            return False
        result = policy.apply(exchange.request.method, exchange.request.headers)
        # The wire writes the length of every answer itself.
        exchange.headers = tuple(h for h in result.headers if h[0] != "Content-Length")
        if result.preflight is None:
            return False
        exchange.answer(Response(result.preflight))
        return True

    def _refuse_upgrade(self, link: Link, status: int, text: str) -> None:
        """As the reference writes it on the raw socket: plain text, and always 400 for a failed check."""
        headers = (("Connection", "close"), ("Content-type", "text/html"))
        link.refuse(Response(status, headers, text.encode()))
        self.dirty.mark(link.owner)

    def _refused(self, request: Request, refusal: Refusal) -> None:
        code, context = refusal
        self.pending.append(RequestRefused(request, code, ERROR_MESSAGES[code], context))
