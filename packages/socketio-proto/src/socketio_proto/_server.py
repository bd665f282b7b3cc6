"""The Socket.IO server: an engine below, namespaces above. It satisfies the same `Engine` contract as its engine.

A wire calls `receive_*` here; the server calls its engine down, gets the engine's events back, feeds each message
to the decoder of its connection and returns its own events. What commands cause (a disconnection, a room event)
is kept and returned first by the next input, or by `take_events`, which a binding calls after handlers ran.
Source: `packages/socket.io/lib/index.ts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, overload

from engineio_proto import (
    CloseReason,
    Decision,
    Dirty,
    EngineEvent,
    EngineServer,
    Exchange,
    IdGenerator,
    Link,
    MessageReceived,
    Outgoing,
    Session,
    SessionClosed,
    SessionOpened,
    SessionUpgraded,
    TimerHeap,
    TimerQueue,
    Timers,
    WireOptions,
    message,
)
from socketio_parser import DecodeError, Decoder, Packet, PacketType

from ._acks import PendingAck
from ._adapter import AdapterEvent, Due
from ._class_namespace import ClassNamespace, register_class_namespace
from ._client_files import ClientFiles
from ._config import split_options
from ._connection import Connection
from ._decisions import DecisionRunner, DoorEvent
from ._dispatch import Dispatcher
from ._events import ConnectionClosed, DisconnectReason, EventReceived, SocketEvent
from ._namespace import Namespace
from ._parent import DynamicNamespaces, Matcher, ParentNamespace
from ._parser import ParserFailed, codec_of, shown
from ._recovery import adapter_factory
from ._runtime import Runtime
from ._vocabulary import Vocabulary

_EVENT: Final = PacketType.EVENT


class Server(Vocabulary):
    """A Socket.IO server without I/O. Bindings subclass it with their runtime; use theirs.

    Args:
        options: the documented options, in snake_case; durations in seconds, sizes in bytes.
        runtime: the event loop, as far as handlers need one.
        random_bytes: a source of cryptographic randomness, such as `os.urandom`.
        wall_clock: seconds since the epoch, for `handshake.issued`.
        client_files: the official client, when it is to be served.

    Raises:
        TypeError, ValueError: a wrong option; the text names it, its value and what is allowed.
    """

    def __init__(
        self,
        options: dict[str, Any],
        *,
        runtime: Runtime,
        random_bytes: Callable[[int], bytes],
        wall_clock: Callable[[], float],
        client_files: ClientFiles | None = None,
    ) -> None:
        engine_config, self.config = split_options(options)
        self.engine = EngineServer(engine_config, random_bytes=random_bytes)
        self.runtime = runtime
        self.generate_id = IdGenerator(random_bytes)
        self.namespaces: dict[str, Namespace] = {}
        self.dynamic = DynamicNamespaces(self)
        self.connect_timers: TimerQueue[Connection] = self.timers.queue(self.config.connect_timeout)
        self._ack_timers: TimerHeap[PendingAck] = self.timers.heap()
        self.adapter_timers: TimerHeap[Due] = self.timers.heap()
        self.wall_clock = wall_clock
        self.new_adapter = adapter_factory(self.config)
        self._client_files = client_files if self.config.serve_client else None
        self._max_pending_bytes = self.config.max_attachments * self.wire_options.max_message_size
        self._encode, self._new_decoder = codec_of(self.config, self._max_pending_bytes)
        self.high_water_mark = self.config.high_water_mark
        self.ready = runtime.ready
        decisions = DecisionRunner(self.engine, runtime, self._decided)
        self._dispatcher = Dispatcher(self.engine, runtime, self.config, decisions)
        self.order = self._dispatcher.order
        self._events: list[SocketEvent] = []
        self.sockets = self.of("/")
        self.everyone = self.sockets.everyone
        self.sockets.announced = True
        self._events.clear()

    # The user's vocabulary is that of "/" (see `Vocabulary`), and the namespaces.

    @overload
    def of(self, name: str) -> Namespace: ...
    @overload
    def of(self, name: Matcher) -> ParentNamespace: ...
    def of(self, name: str | Matcher) -> Namespace:
        """The namespace of that name, made when it is first asked for; a leading slash is added.

        A compiled pattern (searched in the name) or a function `(name, auth)`, sync or async, gives the parent of all
        namespaces that it allows; each is made when a client first asks for it.

        Raises:
            TypeError: for anything else.
        """
        return self.dynamic.named(name) if isinstance(name, str) else self.dynamic.parent(name)

    def register_namespace(self, methods: ClassNamespace) -> Namespace:
        """Register the methods of a class as a namespace's handlers, and return the namespace. Raises as `on` does."""
        return register_class_namespace(self, methods)

    def shutdown(self) -> None:
        """End `serve` as a signal does; also from a handler. Sockets get `server shutting down`, connections close, and
        what runs gets `close_grace` seconds. The reference's `io.close()`.

        Raises:
            RuntimeError: nothing is served.
        """
        self.runtime.stop()

    # The contract: getters.

    @property
    def dirty(self) -> Dirty:
        """The owners with something to take."""
        return self.engine.dirty

    @property
    def timers(self) -> Timers:
        """The one clock."""
        return self.engine.timers

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` wants to be called, in monotonic seconds, or None."""
        return self.timers.deadline

    @property
    def wire_options(self) -> WireOptions:
        """What a wire must honour."""
        return self.engine.wire_options

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called: it answers every request with 503."""
        return self.engine.closed

    def owns(self, target: str) -> bool:
        """Whether a request target lies under the path."""
        return self.engine.owns(target)

    # The contract: inputs.

    def receive_request(self, exchange: Exchange, now: float) -> list[SocketEvent]:
        """A request's head: one of the client's files, or the engine's."""
        files = self._client_files
        if files is not None:
            path = self.engine.config.mount.rstrip("/")
            # The reference does not look at the character after the path; a slash is what it means.
            prefix, _, name = exchange.request.path.rpartition("/")
            if prefix == path and name in files:
                self.engine.decisions.begin_cors(
                    exchange, lambda cors: files.serve(name, exchange, cors), now
                )
                return self.take_events()
        events = self._translate(self.engine.receive_request(exchange, now), now)
        _expect_drain(exchange.session, now)
        return events

    def receive_body(self, exchange: Exchange, data: bytes, now: float) -> list[SocketEvent]:
        """A piece of a POST's body."""
        return self._translate(self.engine.receive_body(exchange, data, now), now)

    def receive_body_end(self, exchange: Exchange, now: float) -> list[SocketEvent]:
        """A POST's body is complete."""
        return self._translate(self.engine.receive_body_end(exchange, now), now)

    def resume_body(self, exchange: Exchange, now: float) -> list[SocketEvent]:
        """The next slice of a POST's packets."""
        return self._translate(self.engine.resume_body(exchange, now), now)

    def exchange_closed(self, exchange: Exchange, now: float) -> list[SocketEvent]:
        """The peer is gone before the answer."""
        return self._translate(self.engine.exchange_closed(exchange, now), now)

    def receive_upgrade(self, link: Link, now: float) -> list[SocketEvent]:
        """A WebSocket upgrade request."""
        events = self._translate(self.engine.receive_upgrade(link, now), now)
        session = link.session
        if session is not None and session.user is not None:
            session.user.expect_drain(now)
        return events

    def receive_text(self, link: Link, text: str, now: float) -> list[SocketEvent]:
        """A text message on a link."""
        events = self.engine.receive_text(link, text, now)
        if len(events) != 1 or type(event := events[0]) is not MessageReceived:
            return self._translate(events, now)
        # `_translate`, for nearly every message.
        self._receive_message(event.session, event.data)
        out = self._events
        if out:
            self._events = []
            return out
        return []

    def receive_bytes(self, link: Link, data: bytes, now: float) -> list[SocketEvent]:
        """A binary message on a link."""
        return self._translate(self.engine.receive_bytes(link, data, now), now)

    def link_closed(self, link: Link, now: float, error: str | None = None) -> list[SocketEvent]:
        """The WebSocket is over."""
        return self._translate(self.engine.link_closed(link, now, error), now)

    def link_blocked(self, link: Link) -> None:
        """The transport behind the link is full."""
        self.engine.link_blocked(link)

    def link_writable(self, link: Link, now: float) -> list[SocketEvent]:
        """All that was taken from the link is written."""
        session = link.session
        events = self._translate(self.engine.link_writable(link, now), now)
        _expect_drain(session, now)
        return events

    def handle_timeout(self, now: float) -> list[SocketEvent]:
        """Do what is due; early or twice it does nothing."""
        events = self._translate(self.engine.handle_timeout(now), now)
        for connection in self.connect_timers.take_due(now):
            connection.close(DisconnectReason.FORCED_SERVER_CLOSE, "connect timeout")
        for pending in self._ack_timers.take_due(now):
            pending.timed_out()
        self.order.handle_timeout(now)
        for due in self.adapter_timers.take_due(now):
            due.namespace.apply(due.handle_timeout(now))
        events.extend(self.take_events())
        return events

    def receive_adapter_events(
        self, namespace: Namespace, events: Iterable[AdapterEvent]
    ) -> list[SocketEvent]:
        """What an input of an adapter's own returned."""
        namespace.apply(events)
        return self.take_events()

    # Commands.

    def dispatch(self, events: Iterable[SocketEvent]) -> None:
        """Run the handlers that these events call for."""
        self._dispatcher.dispatch(events)

    def close(self, now: float) -> list[SocketEvent]:
        """Close every connection: handlers get `server shutting down`; no DISCONNECT packet is sent, so that
        official clients reconnect by themselves to the restarted server."""
        for namespace in list(self.namespaces.values()):
            namespace.close()
        return self._translate(self.engine.close(now), now)

    def take_events(self) -> list[SocketEvent]:
        """Remove and return what commands have caused since the last input."""
        if self.engine.pending:
            return self._translate(self.engine.take_events(), self.runtime.now())
        events = self._events
        if not events:
            return []
        self._events = []
        return events

    # Called by this package.

    def raise_event(self, event: SocketEvent) -> None:
        """Keep an event for the caller of the input that is under way, or for `take_events`."""
        if not self._events:
            self.engine.dirty.wake()
        self._events.append(event)

    def encode(self, packet: Packet, *, compress: bool = True) -> Outgoing:
        """A packet as it is queued, ready to be shared by many."""
        messages = self._encode(packet)
        first: Any = messages[0]
        if len(messages) == 1 and first.__class__ is str:
            return Outgoing(("4" + first,), compress)
        return message(*messages, compress=compress)

    async def await_ack(self, pending: PendingAck, timeout: float | None) -> Any:
        """Wait for an answer; cancelled, timed out or answered, nothing of the question remains."""
        if timeout is not None:
            self._ack_timers.arm(pending, self.runtime.now() + timeout)
            self.engine.dirty.wake()
        asked = [socket.connection for socket in pending.waiting]
        for connection in asked:
            connection.regulate()
        try:
            return await pending.waiter
        finally:
            pending.abandon()
            self._ack_timers.cancel(pending)
            # An error that it got knows this frame by its traceback, and so `pending`: no way may lead back.
            del pending.waiter
            for connection in asked:
                connection.regulate()

    def _decided(self, decision: Decision) -> None:
        """A poll that had to wait for the user's code may be what others wait for."""
        _expect_drain(decision.carrier.session, self.runtime.now())

    # The engine's events.

    def _translate(self, events: list[EngineEvent], now: float) -> list[SocketEvent]:
        for event in events:
            if type(event) is MessageReceived:
                self._receive_message(event.session, event.data)
            else:
                self._translate_other(event, now)
        out = self._events
        if out:
            self._events = []
            return out
        return []

    def _receive_message(self, session: Session, data: str | bytes) -> None:
        connection: Connection = session.user
        if connection.closing:
            return
        try:
            packet = connection.decoder.feed(data)
        except DecodeError as error:
            # Its traceback would tie the error, this frame and the event that carries the error into a knot.
            connection.undecodable(error.with_traceback(None))
            return
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # of a parser of the user's own, or of a JSON codec
            connection.undecodable(ParserFailed(f"the parser raised {shown(error)}"), error)
            return
        size = len(data)
        if connection.partial_bytes:
            size += connection.partial_bytes
            connection.partial_bytes = 0
        if packet is None:
            connection.partial_bytes = size
            if type(connection.decoder) is not Decoder:
                connection.partial_bytes += 1  # a message of no bytes may cost memory too
                if size > self._max_pending_bytes:
                    connection.violated(
                        f"a packet of more than {self._max_pending_bytes} bytes is not complete"
                    )
            elif not connection.sockets:
                connection.violated("binary packet before any namespace was joined")
            return
        if packet.type is _EVENT:
            socket = connection.sockets.get(packet.namespace)
            if socket is not None and packet.data:
                name, *args = packet.data
                self._events.append(EventReceived(socket, name, args, packet.id, size))
                return
        received = connection.receive(packet, size)
        if received is not None:
            self._events.append(received)

    def _translate_other(
        self, event: SessionOpened | SessionClosed | SessionUpgraded | DoorEvent, now: float
    ) -> None:
        match event:
            case SessionOpened(session=session):
                connection = Connection(self, session, self._new_decoder())
                session.user = connection
                self.connect_timers.arm(connection, now)
                if connection.protocol == 4:
                    connection.connect("/", {})
            case SessionClosed(session=session):
                connection = session.user
                session.user = None
                self.connect_timers.cancel(connection)
                if event.reason is CloseReason.FORCED_CLOSE and event.description is not None:
                    self._events.append(ConnectionClosed(connection, event.description))
                connection.closed(DisconnectReason(event.reason), event.description, now)
            case SessionUpgraded(session=session):
                session.user.expect_drain(now)
            case _:
                self._events.append(event)


def _expect_drain(session: Session | None, now: float) -> None:
    if session is not None and session.user is not None:
        session.user.expect_drain(now)
