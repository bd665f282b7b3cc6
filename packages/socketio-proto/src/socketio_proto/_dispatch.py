"""Running the user's handlers: in order, bounded, and never one inside another.

A binding gives the events of each input to `dispatch`. A sync handler runs there and then; an async one gets a
task. An event that cannot start waits in its connection's inbox; `HandlerOrder` takes it from there.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Iterable
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final

from engineio_proto import EngineServer

from ._acks import Ack
from ._config import HandlerConfig
from ._connection import Connection, DisconnectingStarted, Queued
from ._decisions import DecisionRunner
from ._door import Door
from ._events import (
    ConnectionClosed,
    ConnectRequested,
    EventReceived,
    InboxReleased,
    NamespaceAbandoned,
    NamespaceCreated,
    NamespaceRequested,
    OtherEvent,
    RoomChanged,
    ServerSideReceived,
    SocketConnected,
    SocketDisconnected,
    SocketErrored,
    SocketEvent,
)
from ._handlers import Handler
from ._matching import MatcherRunner
from ._misfits import Misfits
from ._order import HandlerOrder, own
from ._runtime import Report, Runtime, Trouble
from ._server_side import ServerSideRunner
from ._socket import Socket

if TYPE_CHECKING:
    from ._namespace import Namespace

# What handlers return most; to ask whether an object can be awaited costs more than all the rest of an acknowledgement.
_VALUES: Final = frozenset((type(None), bool, int, float, str, bytes, list, tuple, dict))


class Dispatcher:
    """Runs handlers for one server.

    Args:
        engine: whose sessions they are.
        runtime: the event loop.
        config: the bounds.
        decisions: what runs before there is a connection.

    Attributes:
        order: the order in which they start.
    """

    def __init__(
        self, engine: EngineServer, runtime: Runtime, config: HandlerConfig, decisions: DecisionRunner
    ) -> None:
        self._decisions = decisions
        self._matchers = MatcherRunner(runtime)
        self._server_side = ServerSideRunner(runtime)
        self._runtime = runtime
        self._door = Door(runtime, self._handler_raised)
        self._max_handlers = config.max_handlers
        self._misfits = Misfits(runtime)
        self.order: HandlerOrder[Queued] = HandlerOrder(engine, runtime, config, self._start)

    def dispatch(self, events: Iterable[SocketEvent]) -> None:
        """Run or queue what these events call for. Never raises: a user's exception is reported."""
        for event in events:
            if type(event) is EventReceived:
                connection = event.socket.connection
                if (
                    connection.inbox is None
                    and connection.held is None
                    and connection.in_flight < self._max_handlers
                ):
                    self._start_event(event)
                else:
                    connection.put(event, event.size)
            else:
                self._dispatch_other(event)

    def _dispatch_other(self, event: OtherEvent) -> None:
        match event:
            case SocketConnected() | SocketErrored() | SocketDisconnected():
                connection = event.socket.connection
                if connection.inbox is not None or connection.held is not None:
                    connection.put(event)
                    self.order.drain(connection)
                else:
                    self._start(event)
            case ConnectRequested():
                self._door.ask(event.socket)
            case NamespaceCreated():
                root = event.namespace.server.namespaces["/"]
                event.namespace.announced = True
                self._call_lifecycle(("new_namespace",), root, None, (event.namespace,))
            case NamespaceRequested():
                self._matchers.ask(event)
            case NamespaceAbandoned():
                self._matchers.abandon(event)
            case RoomChanged():
                self._call_room(event)
            case ServerSideReceived():
                self._server_side.receive(event)
            case ConnectionClosed():
                session = event.connection.session
                text = f"closed {session.id} from {session.request.remote_address}: {event.description}"
                self._runtime.report(Report(Trouble.CLOSED, text))
            case InboxReleased():
                self.order.drain(event.connection)
            case _:
                self._decisions.receive(event)

    # Starting.

    def _start(self, event: Queued) -> None:
        if isinstance(event, EventReceived):
            self._start_event(event)
            return
        socket = event.socket
        namespace = socket.namespace
        connection = socket.connection
        if isinstance(event, SocketConnected):
            # Also for a socket that is gone by now: who sees a `disconnect` has seen the `connection`.
            self._call_lifecycle(("connect", "connection"), namespace, socket, (socket,))
        elif isinstance(event, SocketErrored):
            self._call_lifecycle(("error",), namespace, socket, (socket, event.error))
        elif isinstance(event, SocketDisconnected):
            args = (socket, event.reason, event.description)
            self._call_lifecycle(("disconnecting",), namespace, socket, args)
            if connection.held is None:
                self._finish_disconnect(event)
            else:
                connection.put_first(DisconnectingStarted(event))
        else:
            self._finish_disconnect(event.event)

    def _finish_disconnect(self, event: SocketDisconnected) -> None:
        """The `disconnecting` handlers have seen the rooms."""
        socket = event.socket
        socket.rooms_left()
        socket.deaf = True
        args = (socket, event.reason, event.description)
        self._call_lifecycle(("disconnect",), socket.namespace, socket, args)
        socket.end()

    def _start_event(
        self, event: EventReceived, handlers: tuple[Handler, ...] | None = None, first: bool = True
    ) -> None:
        """`first`: the next handler's value is the acknowledgement."""
        socket = event.socket
        if handlers is None:
            if socket.deaf:
                return
            tables = socket.namespace.handlers
            if socket.listeners is not None or tables.any:
                self._intercept(event)
                return
            handlers = tables.events.get(event.name)
            if handlers is None:
                return
        args = event.args
        count = len(args) + 1
        for handler in handlers:
            if not handler.least <= count <= handler.most:
                self._misfits.report(event, handler)
                first = False
                continue
            try:
                if handler.ack:
                    result = handler.call(socket, args, Ack(event if first else None))
                    first = False
                else:
                    result = handler.function(socket, *args)
            except BaseException as error:
                self._handler_raised(own(error), event.name, socket)
            else:
                kind = result.__class__
                if kind is CoroutineType or (kind not in _VALUES and inspect.isawaitable(result)):
                    connection = socket.connection
                    connection.in_flight += 1
                    self.order.spawn(connection, self._finish_event(event, result, first))
                    if connection.held is not None and handler is not handlers[-1]:
                        # It has not started yet, and the others are to start behind it.
                        rest = handlers[handlers.index(handler) + 1 :]
                        self.order.spawn_whole(connection, self._start_rest(event, rest))
                        return
                elif first and event.ack_id is not None:
                    self._acknowledge(event, result)
            first = False

    async def _start_rest(self, event: EventReceived, handlers: tuple[Handler, ...]) -> None:
        self._start_event(event, handlers, first=False)

    async def _finish_event(self, event: EventReceived, result: Awaitable[Any], answers: bool) -> None:
        connection = event.socket.connection
        try:
            value = await result
            if answers and event.ack_id is not None:
                self._acknowledge(event, value)
        except BaseException as error:
            if not self._runtime.failed(error):
                raise
            self._handler_raised(error, event.name, event.socket)
        finally:
            connection.in_flight -= 1
            self.order.drain(connection)

    def _acknowledge(self, event: EventReceived, result: Any) -> None:
        """Nothing returned is an answer without arguments; a tuple is several arguments."""
        try:
            event.answer([] if result is None else [*result] if isinstance(result, tuple) else [result])
        except Exception as error:  # what the handler returned cannot be sent
            self._handler_raised(error, event.name, event.socket)

    def _call_lifecycle(
        self, names: tuple[str, ...], namespace: Namespace, socket: Socket | None, args: tuple[Any, ...]
    ) -> bool:
        """Of each name, call those of the namespace, then the socket's own. Whether there are any."""
        handlers = [
            (name, handler) for name in names for handler in namespace.handlers.lifecycle.get(name, ())
        ]
        if socket is not None and socket.listeners is not None:
            its = socket.listeners.lifecycle
            handlers += [(name, handler) for name in names for handler in its.get(name, ())]
        self._run_lifecycle(handlers, socket.connection if socket is not None else None, args)
        return bool(handlers)

    def _run_lifecycle(
        self, handlers: list[tuple[str, Handler]], connection: Connection | None, args: tuple[Any, ...]
    ) -> None:
        for position, (name, handler) in enumerate(handlers):
            try:
                result = handler.function(*args[: handler.most])
            except BaseException as error:
                self._handler_raised(own(error), name, args[0])
                continue
            if not inspect.isawaitable(result):
                continue
            if connection is None:
                self._runtime.spawn(self._finish_lifecycle(name, result, args[0]))
                continue
            connection.attended(1)
            self.order.spawn(connection, self._finish_attended(connection, name, result, args[0]))
            rest = handlers[position + 1 :]
            if rest and connection.held is not None:  # as in `_start_event`
                self.order.spawn_whole(connection, self._run_lifecycle_rest(rest, connection, args))
                return

    async def _run_lifecycle_rest(
        self, handlers: list[tuple[str, Handler]], connection: Connection, args: tuple[Any, ...]
    ) -> None:
        self._run_lifecycle(handlers, connection, args)

    async def _finish_attended(
        self, connection: Connection, name: str, result: Awaitable[Any], subject: Any
    ) -> None:
        try:
            await self._finish_lifecycle(name, result, subject)
        finally:
            connection.attended(-1)

    def _call_room(self, event: RoomChanged) -> None:
        for handler in event.namespace.room_handlers.get(event.change, ()):
            try:
                result = handler.function(*event.args)
            except BaseException as error:
                self._handler_raised(own(error), event.change, event.namespace)
            else:
                if inspect.isawaitable(result):
                    self._runtime.spawn(self._finish_lifecycle(event.change, result, event.namespace))

    async def _finish_lifecycle(self, name: str, result: Awaitable[Any], subject: Any) -> None:
        try:
            await result
        except BaseException as error:
            if not self._runtime.failed(error):
                raise
            self._handler_raised(error, name, subject)

    # What stands before the handlers of an event, where somebody asked for it.

    def _intercept(self, event: EventReceived) -> None:
        """Those who hear every event, then the socket's middlewares, then its handlers, in the reference's order."""
        listeners = event.socket.listeners
        own_any = listeners.any if listeners is not None else ()
        self._overhear(event, event.socket.namespace.handlers.any + own_any)

    def _overhear(self, event: EventReceived, handlers: tuple[Handler, ...]) -> None:
        socket = event.socket
        connection = socket.connection
        args = [event.name, *event.args]
        for position, handler in enumerate(handlers):
            if not handler.least <= len(args) + 1 <= handler.most:
                self._misfits.report(event, handler, 2)
                continue
            try:
                result = handler.call(socket, args, Ack(event))
            except BaseException as error:
                self._handler_raised(own(error), "on_any", socket)
            else:
                if inspect.isawaitable(result):
                    connection.in_flight += 1
                    self.order.spawn(connection, self._finish_event(event, result, False))
                    if connection.held is not None:  # as in `_start_event`
                        self.order.spawn_whole(
                            connection, self._overhear_rest(event, handlers[position + 1 :])
                        )
                        return
        self._pass_on(event)

    async def _overhear_rest(self, event: EventReceived, handlers: tuple[Handler, ...]) -> None:
        self._overhear(event, handlers)

    def _pass_on(self, event: EventReceived) -> None:
        """To the socket's middlewares."""
        socket = event.socket
        listeners = socket.listeners
        packet = [event.name, *event.args]
        middlewares = listeners.middlewares if listeners is not None else ()
        for position, middleware in enumerate(middlewares):
            if socket.deaf:
                return
            try:
                result = _decide(middleware, packet, event)
            except BaseException as error:
                self._reject(event, own(error))
                return
            if inspect.isawaitable(result):
                rest = self._finish_use(event, packet, result, middlewares[position + 1 :])
                self.order.spawn_whole(socket.connection, rest)
                return
        self._let_through(event, packet)

    async def _finish_use(
        self, event: EventReceived, packet: list[Any], result: Awaitable[Any], rest: tuple[Handler, ...]
    ) -> None:
        try:
            await result
            for middleware in rest:
                if event.socket.deaf:
                    return
                result = _decide(middleware, packet, event)
                if inspect.isawaitable(result):
                    await result
        except BaseException as error:
            if not self._runtime.failed(error):
                raise
            self._reject(event, error)
        else:
            self._let_through(event, packet)

    def _let_through(self, event: EventReceived, packet: list[Any]) -> None:
        """The middlewares have let it pass, maybe changed."""
        socket = event.socket
        if socket.deaf:
            return
        if not packet or (packet[0] is not event.name and not isinstance(packet[0], (str, int))):
            error = TypeError(f"use: the middlewares left a packet without an event's name: {packet!r}")
            self._handler_raised(error, "use", socket)
            return
        event.name, *event.args = packet
        handlers = socket.namespace.handlers.events.get(event.name, ())
        if socket.listeners is not None:
            handlers += socket.listeners.events.get(event.name, ())
        self._start_event(event, handlers)

    def _reject(self, event: EventReceived, error: BaseException) -> None:
        socket = event.socket
        if socket.deaf or not self._call_lifecycle(("error",), socket.namespace, socket, (socket, error)):
            self._handler_raised(error, "use", socket)  # nobody else would know

    # Reports.

    def _handler_raised(self, error: BaseException, name: Any, subject: Any) -> None:
        self._runtime.report(Report(Trouble.HANDLER, f"handler of {name!r} raised for {subject!r}", error))


def _decide(middleware: Handler, packet: list[Any], event: EventReceived) -> Any:
    """Call a per-packet middleware; raising is a no, an awaitable is to be awaited."""
    return middleware.call(event.socket, [packet], Ack(event))
