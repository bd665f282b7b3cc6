"""What a wire and a binding are to an engine, over pipes: requests and links without bytes.

A `Host` drives anything that satisfies `engineio_proto.Engine` (an `EngineServer`, or a `socketio_proto.Server`), in
the order of the architecture: input, dispatch, flush, all in one pass. It has the clock fire the engine's deadline,
and calls it early and twice each time, which must do nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from engineio_proto import Engine, Exchange, ExchangeState, Link, LinkState, Request, Response

from tests.sim.clock import Clock
from tests.sim.pipe import Pipe

E = TypeVar("E")


class Driven(Engine[E], Protocol[E]):
    """The contract, and what a binding uses besides."""

    @property
    def deadline(self) -> float | None: ...
    def handle_timeout(self, now: float) -> list[E]: ...
    def take_events(self) -> list[E]: ...


@dataclass(frozen=True)
class Accepted:
    """The 101 of a WebSocket."""

    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Refused:
    """Any other answer to an upgrade."""

    response: Response


@dataclass(frozen=True)
class Closed:
    """The end of a connection: a close frame, or an abort."""


Downward = Response | Accepted | Refused | Closed | str | bytes


class Host(Generic[E]):
    """A server process in one object.

    Args:
        clock: its time.
        engine: what it serves.
        dispatch: the handlers; gets every event, in order. It may call commands.
    """

    def __init__(self, clock: Clock, engine: Driven[E], dispatch: Callable[[E], None]) -> None:
        self.clock = clock
        self.engine = engine
        self._dispatch = dispatch
        self._busy = False
        clock.machines.append(self)

    def run(self, events: Callable[..., list[E]], *arguments: Any) -> bool:
        """One pass: an input or a command, then what follows of it. Whether anything did."""
        happened = False
        assert not self._busy, "an input inside of a pass"
        self._busy = True
        try:
            pending = events(*arguments)
            while True:
                happened = happened or bool(pending)
                for event in pending:
                    self._dispatch(event)
                pending = self.engine.take_events()
                if not pending:
                    owners = self.engine.dirty.take()
                    if not owners:
                        break
                    happened = True
                    for owner in owners:
                        owner.flush()
        finally:
            self._busy = False
        return happened

    def wake(self) -> None:
        """After commands from outside of a pass."""
        self.run(list)

    @property
    def deadline(self) -> float | None:
        return self.engine.deadline

    def handle_timeout(self) -> bool:
        now = self.clock.now
        deadline = self.engine.deadline
        assert deadline is not None
        if now == deadline:
            assert self.engine.handle_timeout(now - 1e-6) == [], "early"
            assert self.engine.deadline == deadline, "early"
        happened = self.run(self.engine.handle_timeout, now)
        assert self.engine.handle_timeout(now) == [], "twice"
        return happened


class HostExchange:
    """An HTTP request at the server."""

    def __init__(self, host: Host[Any], request: Request, down: Pipe[Downward]) -> None:
        self.exchange = Exchange(self, request)
        self._host = host
        self._down = down
        self._over = False

    def receive(self) -> None:
        """Its head arrived."""
        self._input(self._host.engine.receive_request, self.exchange)

    def receive_body(self, data: bytes) -> None:
        """A piece of its body arrived."""
        if self.exchange.wants_body:
            self._input(self._host.engine.receive_body, self.exchange, data)

    def receive_body_end(self) -> None:
        """Its body is complete."""
        if self.exchange.wants_body:
            self._input(self._host.engine.receive_body_end, self.exchange)

    def lost(self) -> None:
        """Its connection is gone."""
        if not self._over:
            self._over = True
            self._input(self._host.engine.exchange_closed, self.exchange)

    def flush(self) -> None:
        """Write the answer if there is one; called by the host."""
        if self._over:
            return
        response = self.exchange.take_response()
        if response is not None:
            self._over = True
            self._down.send(response)
        elif self.exchange.state is ExchangeState.ABORTED:
            self._over = True
            self._down.send(Closed())
        elif self.exchange.has_more:
            self._host.clock.call_later(0.0, self._resume)

    def _resume(self) -> None:
        if self.exchange.has_more:
            self._input(self._host.engine.resume_body, self.exchange)

    def _input(self, call: Callable[..., list[Any]], *arguments: Any) -> None:
        self._host.engine.dirty.mark(self)  # as a wire does: it looks at its own exchange after an input
        self._host.run(call, *arguments, self._host.clock.now)


class HostSocket:
    """A WebSocket at the server."""

    def __init__(self, host: Host[Any], request: Request, down: Pipe[Downward]) -> None:
        self.link = Link(self, request, now=host.clock.now)
        self._host = host
        self._down = down
        self._asked = False
        self._answered = False
        self._closing = False
        self._over = False
        self._unread: list[str | bytes | Closed] = []
        down.on_blocked = lambda: host.engine.link_blocked(self.link)
        down.on_writable = self._writable

    def receive(self) -> None:
        """The upgrade request arrived."""
        if not self._over:
            self._asked = True
            self._host.run(self._host.engine.receive_upgrade, self.link, self._host.clock.now)

    def receive_message(self, message: str | bytes | Closed) -> None:
        """A message or a close frame arrived; while the layer above pauses the link, it stays unread."""
        self._unread.append(message)
        self._read()

    def lost(self, error: str | None = None) -> None:
        """Its connection is gone."""
        if not self._over:
            self._over = True
            if self._asked:
                self._host.run(self._host.engine.link_closed, self.link, self._host.clock.now, error)

    def _writable(self) -> None:
        self._host.engine.dirty.mark(self)
        self._host.run(self._host.engine.link_writable, self.link, self._host.clock.now)

    def flush(self) -> None:
        """Write what there is; called by the host."""
        link = self.link
        if not self._answered and link.state is not LinkState.DECIDING:
            self._answered = True
            if link.refusal is not None:
                self._over = True
                self._down.send(Refused(link.refusal))
                return
            self._down.send(Accepted(link.headers))
        if not self._down.blocked and not self._over:
            for outgoing in link.take():
                for packet in outgoing.packets:
                    self._down.send(packet)
        if link.state is LinkState.CLOSING and not self._closing and not self._down.blocked:
            self._closing = True
            self._down.send(Closed())
        if self._unread and not link.paused:
            self._host.clock.call_later(0.0, self._read)

    def _read(self) -> None:
        host = self._host
        while self._unread and not self._over and not self.link.paused:
            message = self._unread.pop(0)
            self.link.last_received = host.clock.now
            if isinstance(message, Closed):
                self.lost()
            elif isinstance(message, str):
                host.run(host.engine.receive_text, self.link, message, host.clock.now)
            else:
                host.run(host.engine.receive_bytes, self.link, message, host.clock.now)
