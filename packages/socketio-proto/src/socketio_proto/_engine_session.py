"""One client of Engine.IO alone: what handlers hold in their hands, and behind it the inbox.

`EngineSession` is the user's; `EnginePeer` belongs to the server and holds the user's listeners, which often hold the
session in turn. They are dropped when the session is over, so that it needs no garbage collector.
Source: `packages/engine.io/lib/socket.ts`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast, overload

from engineio_proto import MessageReceived, SessionClosed, SessionOpened, SessionUpgraded

from ._handlers import Function, Listener, check_event_name, listener_of
from ._peer import Peer

if TYPE_CHECKING:
    from engineio_proto import Request, Session

    from ._order import HandlerOrder

SessionEvent: TypeAlias = SessionOpened | MessageReceived | SessionUpgraded | SessionClosed

# name -> what a listener is called with
_EVENTS: Final = {"message": ("data",), "upgrade": ("transport",), "close": ("reason", "[description]")}


class EnginePeer(Peer[SessionEvent]):
    """A session as its server sees it.

    Attributes:
        deaf: the user closed it: what it still sends is not delivered.
        on_message: the listeners of nearly every event.
        others: those of the other events, by name; None once the session is over.
    """

    __slots__ = ("deaf", "on_message", "others")

    def __init__(self, order: HandlerOrder[SessionEvent], session: Session) -> None:
        super().__init__(order, session)
        self.deaf = False
        self.on_message: tuple[Listener, ...] = ()
        self.others: dict[str, tuple[Listener, ...]] | None = {}

    def listen(self, name: str, function: Callable[..., Any]) -> None:
        """Register; once the session is over, nothing can come."""
        listener = listener_of(name, function, _EVENTS[name])
        if self.others is None:
            return
        if name == "message":
            self.on_message = (*self.on_message, listener)
        else:
            self.others[name] = (*self.others.get(name, ()), listener)

    def forget_listeners(self) -> None:
        """The session is over, and they have heard so."""
        self.on_message = ()
        self.others = None

    def overflowed(self, text: str) -> None:
        """The client sends faster than its handlers work."""
        self.session.close(self.order.runtime.now(), discard=True, description=f"inbox full: {text}")


class EngineSession:
    """One client: what a `connection` handler gets.

    Register listeners before the handler's first `await`: what comes before there is a listener is lost, as in the
    reference.
    """

    __slots__ = ("_data", "_peer", "_session")

    def __init__(self, peer: EnginePeer) -> None:
        self._peer = peer
        self._session = peer.session
        self._data: dict[str, Any] | None = None

    # Getters.

    @property
    def id(self) -> str:
        """20 url-safe characters, unguessable; or what `generate_id` gave."""
        return self._session.id

    @property
    def state(self) -> str:
        """`open`; `closing`, when a client on polling has yet to collect what is left; `closed`."""
        return self._session.state.value

    @property
    def transport(self) -> str:
        """`polling` or `websocket`."""
        return self._session.transport

    @property
    def protocol(self) -> int:
        """The Engine.IO protocol that the client speaks."""
        return self._session.protocol

    @property
    def request(self) -> Request:
        """The HTTP request of the handshake."""
        return self._session.request

    @property
    def remote_address(self) -> str:
        """The client's IP address."""
        return self._session.request.remote_address

    @property
    def data(self) -> dict[str, Any]:
        """A dict of your own, kept as long as the session."""
        if self._data is None:
            self._data = {}
        return self._data

    # Listening.

    @overload
    def on(self, event: str) -> Callable[[Function], Function]: ...
    @overload
    def on(self, event: str, handler: Function) -> Function: ...
    def on(self, event: str, handler: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Register a handler, or use it as a decorator: `@session.on("message")`.

        `message(data)` gets text or bytes, `upgrade(transport)` the new transport's name, `close(reason)` or
        `close(reason, description)` the reference's word for why. Handlers are plain or async; they start in the order
        of arrival.

        Raises:
            ValueError: there is no such event.
            TypeError: when the function could never be called like this.
        """
        check_event_name(event, _EVENTS, "session")
        if handler is None:

            def register(function: Function) -> Function:
                self._peer.listen(event, function)
                return function

            return register
        self._peer.listen(event, handler)
        return handler

    # Sending.

    def send(self, data: str | bytes, *, compress: bool = True) -> Awaitable[None]:
        """Send a message. Await the result for backpressure: it is ready unless much waits to be sent.

        What is sent to a session that is closing or closed is dropped.

        Args:
            data: text, or bytes for a binary message.
            compress: whether the transport may compress it.

        Raises:
            TypeError: for anything but `str` and `bytes`.
        """
        given = cast(object, data)
        if not isinstance(given, (str, bytes)):
            raise TypeError(f"send: a message is str or bytes, not {data!r}")
        session = self._session
        session.send_message(data, compress=compress)
        order = self._peer.order
        if session.buffered_bytes > order.config.high_water_mark:
            return self._peer.drained()
        return order.runtime.ready

    def close(self, *, discard: bool = False) -> None:
        """Close it: what was sent goes out first unless `discard`; of what the client sends nothing is delivered.

        On polling the client learns it with its next GET, and the session is `closing` until then.
        """
        peer = self._peer
        peer.deaf = True
        self._session.close(peer.order.runtime.now(), discard=discard)

    def __repr__(self) -> str:
        return f"<EngineSession {self.id} {self.transport} {self.state}>"
