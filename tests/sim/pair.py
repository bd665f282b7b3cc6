"""Our `EngineServer` joined to scripted clients, over virtual time.

    pair = Pair(ping_interval=25.0)
    pair.connect_polling()
    pair.advance(45.0)
    assert pair.closed == [(45.0, CloseReason.PING_TIMEOUT, None)]

Instants in `pair` are seconds since it was made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engineio_proto import (
    CloseReason,
    EngineConfig,
    EngineEvent,
    EngineServer,
    MessageReceived,
    RequestRefused,
    Session,
    SessionClosed,
    SessionOpened,
    SessionUpgraded,
)

from tests.sim.client import Client, ClientSocket
from tests.sim.clock import Clock
from tests.sim.host import Host


class Pair:
    """A server and, as a rule, one client.

    Attributes:
        events: what the engine said.
        received: messages of all sessions.
        upgraded: instants.
        closed: instant, reason and description of each end.
        refused: code and context of each refused request.
        on_event: a handler.
    """

    def __init__(self, *, latency: float = 0.0, **options: Any) -> None:
        self.clock = Clock()
        self._start = self.clock.now
        self.ids = 0
        self.engine = EngineServer(EngineConfig.from_options(options), random_bytes=self._random)
        self.host: Host[EngineEvent] = Host(self.clock, self.engine, self._dispatch)
        self.client = Client(self.host, latency=latency)
        self.events: list[EngineEvent] = []
        self.received: list[str | bytes] = []
        self.upgraded: list[float] = []
        self.closed: list[tuple[float, CloseReason, str | None]] = []
        self.refused: list[tuple[int, dict[str, object]]] = []
        self.on_event: Callable[[EngineEvent], None] | None = None
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The newest session; it stays here after its end."""
        assert self._session is not None
        return self._session

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return round(self.clock.now - self._start, 6)

    def advance(self, seconds: float = 0.0) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def connect_polling(self) -> Session:
        """A handshake over polling."""
        self.client.open_polling()
        self.advance(2 * self.client.latency)
        return self.session

    def connect_websocket(self, *, window: int | None = None) -> tuple[Session, ClientSocket]:
        """A handshake over WebSocket."""
        socket = self.client.websocket(window=window)
        self.advance(2 * self.client.latency)
        return self.session, socket

    def send(self, *messages: str | bytes) -> None:
        """The server sends, each as a message of its own."""
        for message in messages:
            self.session.send_message(message)
        self.host.wake()

    def close(self, *, discard: bool = False) -> None:
        """The server closes the session."""
        self.session.close(self.clock.now, discard=discard)
        self.host.wake()

    def pause(self) -> None:
        """The layer above wants no more."""
        self.session.pause(self.clock.now)
        self.host.wake()

    def resume(self) -> None:
        """The layer above wants more."""
        self.session.resume()
        self.host.wake()

    def _random(self, size: int) -> bytes:
        self.ids += 1
        return self.ids.to_bytes(size, "big")

    def _dispatch(self, event: EngineEvent) -> None:
        self.events.append(event)
        match event:
            case SessionOpened(session):
                self._session = session
            case MessageReceived(_, data):
                self.received.append(data)
            case SessionUpgraded():
                self.upgraded.append(self.time)
            case SessionClosed(_, reason, description):
                self.closed.append((self.time, reason, description))
            case RequestRefused(_, code, _, context):
                self.refused.append((int(code), dict(context)))
        if self.on_event is not None:
            self.on_event(event)
