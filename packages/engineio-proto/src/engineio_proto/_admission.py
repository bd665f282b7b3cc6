"""How a request gets in: verified, then handed to its session, or a handshake that opens one; or refused.

Everything is decided when a request comes here. Source: `packages/engine.io/lib/server.ts`, `handleRequest`,
`handleUpgrade`, `handshake`, `abortRequest`, `abortUpgrade`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from ._answer_headers import merged
from ._errors import ERROR_MESSAGES, ErrorCode
from ._events import RequestRefused, SessionOpened
from ._exchange import Exchange
from ._ids import IdGenerator
from ._jsonp import Jsonp
from ._link import Link
from ._outgoing import Outgoing
from ._payload import PayloadForm
from ._polling import Polling
from ._request import Request, Response
from ._revision import REVISIONS, Revision
from ._session import Session
from ._tables import SessionState
from ._upgrade import Upgrade
from ._verify import Refusal, Verified, verify

if TYPE_CHECKING:
    from ._server import EngineServer

Carrier: TypeAlias = Exchange | Link


class Admission:
    """The door of one engine.

    Args:
        engine: whose.
        generate_id: makes the ids of sessions.
    """

    __slots__ = ("_engine", "_generate_id")

    def __init__(self, engine: EngineServer, generate_id: IdGenerator) -> None:
        self._engine = engine
        self._generate_id = generate_id

    def verify(self, carrier: Carrier) -> Refusal | Verified:
        """The checks that need nobody's opinion."""
        engine = self._engine
        upgrade = isinstance(carrier, Link)
        return verify(carrier.request, engine.sessions, engine.config, upgrade=upgrade)

    def admit(
        self,
        carrier: Carrier,
        now: float,
        headers: tuple[tuple[str, str], ...] = (),
        sid: str | None = None,
    ) -> None:
        """Let it in, or refuse it.

        Args:
            carrier: the request; what its answer carries besides its own is in an exchange's `headers`.
            now: monotonic seconds.
            headers: of a link: for the 101.
            sid: the id of the session that a handshake opens; without it one is made.
        """
        verified = self.verify(carrier)
        if isinstance(verified, Refusal):
            self.refuse(carrier, verified)
        elif self._engine.closed:
            self.unavailable(carrier)
        elif isinstance(carrier, Link):
            self._admit_link(carrier, verified, now, headers, sid)
        elif verified.session is None:
            self._open_polling(carrier, verified, now, sid)
        else:
            polling = verified.session.polling
            assert polling is not None  # `verify` refuses a plain request for any other session
            polling.receive(carrier, now)

    # Other ends.

    def refuse(self, carrier: Carrier, refusal: Refusal) -> None:
        """The reference's answer to a failed check, and the event. A message of `allow_request` takes the place of
        the canonical one in the answer, not in the event."""
        code, context = refusal
        text = str(context.get("message") or ERROR_MESSAGES[code])
        if isinstance(carrier, Link):
            # As the reference writes it on the raw socket: plain text, and always 400.
            self._refuse_upgrade(carrier, 400, text)
        else:
            body = json.dumps({"code": int(code), "message": text}, separators=(",", ":"), ensure_ascii=False)
            status = 403 if code is ErrorCode.FORBIDDEN else 400
            headers = (("Content-Type", "application/json"),)
            carrier.answer(Response(status, headers, body.encode(errors="replace")))
        self.refused(carrier.request, refusal)

    def refused(self, request: Request, refusal: Refusal) -> None:
        """The event."""
        code, context = refusal
        self._engine.pending.append(RequestRefused(request, code, ERROR_MESSAGES[code], context))

    def answer(self, carrier: Carrier, response: Response, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """End it with an answer of the user's, an upgrade too; `headers` are those of `admit`."""
        if isinstance(carrier, Link):
            carrier.refuse(response._replace(headers=merged(headers, response.headers)))
            self._engine.dirty.mark(carrier.owner)
        else:
            carrier.answer(response)

    def unavailable(self, carrier: Carrier) -> None:
        """There is no time, no room, or no server any more."""
        if isinstance(carrier, Link):
            self._refuse_upgrade(carrier, 503, "Service Unavailable")
        else:
            carrier.answer(Response(503))

    def _refuse_upgrade(self, link: Link, status: int, text: str) -> None:
        headers = (("Connection", "close"), ("Content-type", "text/html"))
        link.refuse(Response(status, headers, text.encode(errors="replace")))
        self._engine.dirty.mark(link.owner)

    # The ways in.

    def _admit_link(
        self,
        link: Link,
        verified: Verified,
        now: float,
        headers: tuple[tuple[str, str], ...],
        sid: str | None,
    ) -> None:
        engine = self._engine
        added = engine.hooks.added_headers(link.request)
        link.accept(merged(headers, added) if added else headers)
        link.form = REVISIONS[verified.protocol].link_form(base64=bool(verified.query.get("b64")))
        session = verified.session
        if verified.transport != "websocket":
            link.close()  # as the reference: accepted, then closed at once
        elif session is None:
            session = self._new_session(link.request, verified, now, sid)
            session.link = link
            link.session = session
            link.settles = session.revision.settles
            session.owner = link.owner
            session.push(Outgoing((self._handshake(session),)))
            engine.pending.append(SessionOpened(session))
        elif session.upgrade is not None or session.polling is None or session.state is SessionState.CLOSED:
            link.close()
        else:
            session.upgrade = Upgrade(session, link, now)
        engine.dirty.mark(link.owner)

    def _open_polling(self, exchange: Exchange, verified: Verified, now: float, sid: str | None) -> None:
        engine = self._engine
        session = self._new_session(exchange.request, verified, now, sid)
        form = _payload_form(session.revision, verified.query)
        session.polling = polling = Polling(session, form)
        opening = Outgoing((self._handshake(session),))
        response = polling.payload_response(exchange.request, form.encode([opening]))
        if engine.config.http_compression is not None:
            response = engine.config.http_compression.apply(exchange.request, response, [opening])
        cookie = engine.hooks.sid_cookie(exchange.request, session.id)
        response = response._replace(headers=(*response.headers, *cookie))
        exchange.answer(engine.hooks.decorate(exchange.request, response))
        engine.pending.append(SessionOpened(session))

    def _new_session(self, request: Request, verified: Verified, now: float, sid: str | None) -> Session:
        engine = self._engine
        sid = sid or self._generate_id()
        while sid in engine.sessions:  # 96 random bits: only a broken source of randomness comes here
            sid = self._generate_id()
        session = engine.sessions[sid] = Session(engine, sid, request, REVISIONS[verified.protocol], now)
        return session

    def _handshake(self, session: Session) -> str:
        """The open packet. Key order as the reference; milliseconds exist only here."""
        config = self._engine.config
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


def _payload_form(revision: Revision, query: Mapping[str, str]) -> PayloadForm:
    """Fixed by the handshake; later requests of the session do not change it."""
    index = query.get("j")
    if index is None:
        return revision.payload_form(base64=bool(query.get("b64")))
    # A script cannot carry bytes: the reference writes a Buffer as JSON then, which no client reads.
    return Jsonp(revision.payload_form(base64=True), index)
