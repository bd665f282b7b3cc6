"""An engine driven by hand, one input at a time: for tests of one module. `tests/sim` has whole conversations."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from engineio_proto import (
    EngineConfig,
    EngineEvent,
    EngineServer,
    Exchange,
    Link,
    LinkState,
    Request,
    Response,
    Session,
    SessionClosed,
    SessionOpened,
)

Headers = tuple[tuple[str, str], ...]


def new_engine(**options: Any) -> EngineServer:
    """With the documented options; ids are `AAAA…`, `AAAA…B`, and so on."""
    return EngineServer(EngineConfig.from_options(options), random_bytes=bytes)


def target(transport: str | None, sid: str | None = None, **query: str | None) -> str:
    """A request target; a query value of "" stays, None leaves it out."""
    values = {"EIO": "4", "transport": transport, "sid": sid, **query}
    return "/engine.io/?" + urlencode({name: value for name, value in values.items() if value is not None})


def new_exchange(method: str, path: str, headers: Headers = ()) -> Exchange:
    """A request whose owner is a name of its own."""
    return Exchange(f"wire of {method}", Request(method, path, headers))


def new_link(path: str, headers: Headers = (), *, method: str = "GET", now: float = 0.0) -> Link:
    """An upgrade request."""
    return Link("wire of link", Request(method, path, headers), now=now)


def ask(
    engine: EngineServer, method: str, path: str, headers: Headers = (), *, now: float = 0.0
) -> tuple[list[EngineEvent], Response]:
    """A request that is answered at once."""
    exchange = new_exchange(method, path, headers)
    events = engine.receive_request(exchange, now)
    response = exchange.take_response()
    assert response is not None
    return events, response


def open_polling(engine: EngineServer, *, now: float = 0.0, headers: Headers = ()) -> Session:
    """A session on polling."""
    _, response = ask(engine, "GET", target("polling"), headers, now=now)
    return engine.sessions[json.loads(response.body[1:])["sid"]]


def open_websocket(engine: EngineServer, *, now: float = 0.0) -> tuple[Session, Link]:
    """A session on WebSocket, its open packet taken."""
    link = new_link(target("websocket"), now=now)
    engine.receive_upgrade(link, now)
    session = link.session
    assert session is not None
    (opened,) = packets(link)
    assert isinstance(opened, str) and session.id in opened
    engine.dirty.take()
    return session, link


def open_form(
    engine: EngineServer, transport: str, protocol: int, **query: str | None
) -> tuple[Session, Link | None]:
    """A session of either protocol in whatever form the query asks for, its open packet taken."""
    path = target(transport, **{"EIO": str(protocol), **query})
    if transport == "polling":
        events, _ = ask(engine, "GET", path)
        (opened,) = events
        assert isinstance(opened, SessionOpened)
        return opened.session, None
    link = new_link(path)
    engine.receive_upgrade(link, 0.0)
    session = link.session
    assert session is not None
    link.take()
    engine.dirty.take()
    return session, link


def open_candidate(engine: EngineServer, session: Session, *, now: float = 0.0, **query: str | None) -> Link:
    """A WebSocket that may probe for the session."""
    link = new_link(target("websocket", session.id, EIO=str(session.protocol), **query), now=now)
    assert engine.receive_upgrade(link, now) == []
    assert link.state is LinkState.OPEN
    return link


def poll(engine: EngineServer, session: Session, *, now: float = 0.0, headers: Headers = ()) -> Exchange:
    """A GET of the session."""
    exchange = new_exchange("GET", target("polling", session.id, EIO=str(session.protocol)), headers)
    engine.receive_request(exchange, now)
    return exchange


def start_post(
    engine: EngineServer, session: Session, *, now: float = 0.0, headers: Headers = ()
) -> Exchange:
    """The head of a POST."""
    exchange = new_exchange("POST", target("polling", session.id, EIO=str(session.protocol)), headers)
    engine.receive_request(exchange, now)
    return exchange


def post(
    engine: EngineServer, session: Session, body: bytes | str, *, now: float = 0.0, headers: Headers = ()
) -> tuple[list[EngineEvent], Exchange]:
    """A whole POST, all its slices; the events of all of it."""
    exchange = start_post(engine, session, now=now, headers=headers)
    data = body.encode() if isinstance(body, str) else body
    events = engine.receive_body(exchange, data, now) + engine.receive_body_end(exchange, now)
    while exchange.has_more:
        events += engine.resume_body(exchange, now)
    return events, exchange


def packets(link: Link) -> list[str | bytes]:
    """All that a link sends now."""
    return [packet for outgoing in link.take() for packet in outgoing.packets]


def body(exchange: Exchange) -> bytes | None:
    """The answer's body, or None while there is none."""
    response = exchange.take_response()
    return None if response is None else response.body


def ends(events: list[EngineEvent]) -> list[tuple[str, str | None]]:
    """Reason and description of each end."""
    return [(str(e.reason), e.description) for e in events if isinstance(e, SessionClosed)]
