"""Engine.IO without Socket.IO: the engine, and the handlers of whoever uses it directly.

It is the machine of `engineio_proto` and satisfies the same contract; what comes on top is `dispatch`, with the order,
bounds and backpressure that Socket.IO's handlers have. Source: `packages/engine.io/lib/server.ts`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from types import CoroutineType
from typing import Any, Final, overload

import engineio_proto
from engineio_proto import (
    CloseReason,
    Decision,
    EngineEvent,
    Exchange,
    Link,
    MessageReceived,
    Session,
    SessionClosed,
    SessionOpened,
    SessionUpgraded,
)

from ._config import split_engine_options
from ._decisions import DecisionRunner, DoorEvent
from ._engine_session import EnginePeer, EngineSession, SessionEvent
from ._handlers import Function, Listener, check_event_name, listener_of
from ._order import HandlerOrder, own
from ._runtime import Report, Runtime, Trouble

_EVENTS: Final = ("connection", "connection_error", "headers", "initial_headers")


class EngineServer(engineio_proto.EngineServer):
    """An Engine.IO server without I/O. Bindings subclass it with their runtime; use theirs.

    Args:
        options: the documented options, in snake_case; durations in seconds, sizes in bytes.
        runtime: the event loop, as far as handlers need one.
        random_bytes: a source of cryptographic randomness, such as `os.urandom`.

    Attributes:
        clients: the open sessions, by id. Read it, do not change it.

    Raises:
        TypeError, ValueError: a wrong option; the text names it, its value and what is allowed.
    """

    def __init__(
        self, options: dict[str, Any], *, runtime: Runtime, random_bytes: Callable[[int], bytes]
    ) -> None:
        config, handlers = split_engine_options(options)
        super().__init__(config, random_bytes=random_bytes)
        self.runtime = runtime
        self.clients: dict[str, EngineSession] = {}
        self.order: HandlerOrder[SessionEvent] = HandlerOrder(self, runtime, handlers, self._start)
        self._max_handlers = handlers.max_handlers
        self._ready = runtime.ready
        self._decisions = DecisionRunner(self, runtime, self._decided)
        self._connected: tuple[Listener, ...] = ()

    # The user's vocabulary; `use` is the engine's.

    @overload
    def on(self, name: str) -> Callable[[Function], Function]: ...
    @overload
    def on(self, name: str, function: Function) -> Function: ...
    def on(self, name: str, function: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Register a handler, or use it as a decorator: `@engine.on("connection")`.

        `connection(session)` gets an `EngineSession`, `connection_error(refused)` a `RequestRefused`; both are plain or
        async. `headers(headers, request)` and `initial_headers(headers, request)` are plain.

        Raises:
            ValueError: there is no such event.
            TypeError: when the function could never be called like this.
        """
        check_event_name(name, _EVENTS, "engine")
        if function is None:

            def register(function: Function) -> Function:
                return self.on(name, function)

            return register
        if name == "connection":
            self._connected = (*self._connected, listener_of(name, function, ("session",)))
            return function
        return super().on(name, function)

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called: it answers every request with 503."""
        return self.closed

    def shutdown(self) -> None:
        """End `serve` as a signal does. Raises RuntimeError when nothing is served."""
        self.runtime.stop()

    # The contract, where the engine's own does not do.

    def receive_request(self, exchange: Exchange, now: float) -> list[EngineEvent]:
        """A request's head: perhaps the poll that somebody waits for."""
        events = super().receive_request(exchange, now)
        _expect_drain(exchange.session, now)
        return events

    def receive_upgrade(self, link: Link, now: float) -> list[EngineEvent]:
        """A WebSocket upgrade request: perhaps of a client that somebody waits for."""
        events = super().receive_upgrade(link, now)
        _expect_drain(link.session, now)
        return events

    def link_writable(self, link: Link, now: float) -> list[EngineEvent]:
        """All that was taken from the link is written."""
        events = super().link_writable(link, now)
        _expect_drain(link.session, now)
        return events

    def handle_timeout(self, now: float) -> list[EngineEvent]:
        """Do what is due; early or twice it does nothing."""
        events = super().handle_timeout(now)
        self.order.handle_timeout(now)
        return events

    def _decided(self, decision: Decision) -> None:
        """A poll that had to wait for the user's code may be what others wait for."""
        _expect_drain(decision.carrier.session, self.runtime.now())

    # Dispatch.

    def dispatch(self, events: Iterable[EngineEvent]) -> None:
        """Run or queue what these events call for. Never raises: a user's exception is reported."""
        for event in events:
            if type(event) is MessageReceived:
                peer: EnginePeer = event.session.user
                if peer.inbox is None and peer.held is None and peer.in_flight < self._max_handlers:
                    self._start_message(event, peer)
                else:
                    peer.put(event, len(event.data))
            else:
                self._dispatch_other(event)

    def _dispatch_other(self, event: SessionOpened | SessionUpgraded | SessionClosed | DoorEvent) -> None:
        match event:
            case SessionOpened(session=session):
                session.user = EnginePeer(self.order, session)
            case SessionUpgraded(session=session):
                session.user.expect_drain(self.runtime.now())
            case SessionClosed(session=session):
                del self.clients[session.id]
                session.user.resolve_drained(self.runtime.now())
                if event.reason is CloseReason.FORCED_CLOSE and event.description is not None:
                    text = f"closed {session.id} from {session.request.remote_address}: {event.description}"
                    self.runtime.report(Report(Trouble.CLOSED, text))
            case _:
                self._decisions.receive(event)
                return
        peer: EnginePeer = event.session.user
        if peer.inbox is None and peer.held is None:
            self._start(event)
        else:
            peer.put(event)
            self.order.drain(peer)

    # Starting.

    def _start(self, event: SessionEvent) -> None:
        session = event.session
        peer: EnginePeer = session.user
        match event:
            case MessageReceived():
                self._start_message(event, peer)
            case SessionOpened():
                client = self.clients[session.id] = EngineSession(peer)
                self._call("connection", self._connected, peer, (client,))
            case SessionUpgraded():
                if not peer.deaf:
                    self._call("upgrade", (peer.others or {}).get("upgrade", ()), peer, ("websocket",))
            case _:
                args = (event.reason, event.description)
                self._call("close", (peer.others or {}).get("close", ()), peer, args)
                peer.forget_listeners()
                session.user = None

    def _start_message(self, event: MessageReceived, peer: EnginePeer) -> None:
        if peer.deaf:
            return
        data = event.data
        for function, _ in peer.on_message:
            try:
                result = function(data)
            except BaseException as error:
                self._raised(own(error), "message", event.session)
            else:
                if (result is not None and result is not self._ready) and (
                    result.__class__ is CoroutineType or inspect.isawaitable(result)
                ):
                    peer.in_flight += 1
                    self.order.spawn(peer, self._finish_message(result, peer))

    async def _finish_message(self, result: Awaitable[Any], peer: EnginePeer) -> None:
        try:
            await result
        except BaseException as error:
            if not self.runtime.failed(error):
                raise
            self._raised(error, "message", peer.session)
        finally:
            peer.in_flight -= 1
            self.order.drain(peer)

    def _call(
        self, name: str, listeners: tuple[Listener, ...], peer: EnginePeer, args: tuple[Any, ...]
    ) -> None:
        for function, most in listeners:
            try:
                result = function(*args[:most])
            except BaseException as error:
                self._raised(own(error), name, peer.session)
            else:
                if inspect.isawaitable(result):
                    self.order.spawn(peer, self._finish(result, name, peer.session))

    async def _finish(self, result: Awaitable[Any], name: str, session: Session) -> None:
        try:
            await result
        except BaseException as error:
            if not self.runtime.failed(error):
                raise
            self._raised(error, name, session)

    def _raised(self, error: BaseException, name: str, session: Session) -> None:
        self.runtime.report(Report(Trouble.HANDLER, f"handler of {name!r} raised for {session!r}", error))


def _expect_drain(session: Session | None, now: float) -> None:
    if session is not None and session.user is not None:
        session.user.expect_drain(now)
