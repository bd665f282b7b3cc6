"""`io.to("room").except_("other").volatile.emit(...)`: immutable, each step a new operator.

Source: `packages/socket.io/lib/broadcast-operator.ts`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast, overload

from ._adapter import BroadcastOptions, SocketDetails
from ._errors import AnswersMissing, LocalProtocolError
from ._typed_event import P, R, TypedEvent

if TYPE_CHECKING:
    from ._namespace import Namespace
    from ._socket import Socket


def rooms_of(rooms: str | Iterable[str]) -> frozenset[str]:
    """One room, or several."""
    if isinstance(rooms, str):
        return frozenset((rooms,))
    try:
        given = frozenset(rooms)
    except TypeError:
        raise TypeError(f"rooms must be a string or several, not {rooms!r}") from None
    for room in given:
        if not isinstance(cast(object, room), str):
            raise TypeError(f"a room must be a string, not {room!r}")
    return given


def seconds(timeout: float) -> float:
    """A timeout as the user gave it, checked."""
    given = cast(object, timeout)
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise TypeError(f"a timeout must be seconds as a number, not {timeout!r}")
    if not 0 < timeout <= 10**9:
        raise ValueError(f"a timeout must be more than 0 and at most 1e9 seconds, not {timeout!r}")
    return timeout


class BroadcastOperator:
    """Whom to reach in a namespace, and how. `to` adds rooms, `except_` takes sockets out.

    Attributes:
        namespace: the namespace.
    """

    __slots__ = ("_options", "namespace")

    def __init__(self, namespace: Namespace, options: BroadcastOptions | None = None) -> None:
        self.namespace = namespace
        self._options = options if options is not None else BroadcastOptions()

    def _with(self, **changes: Any) -> BroadcastOperator:
        return BroadcastOperator(self.namespace, replace(self._options, **changes))

    def to(self, rooms: str | Iterable[str]) -> BroadcastOperator:
        """Reach sockets in this room, or in any of these, besides those named before."""
        return self._with(rooms=self._options.rooms | rooms_of(rooms))

    in_ = to

    def except_(self, rooms: str | Iterable[str]) -> BroadcastOperator:
        """Leave out sockets in this room, or in any of these. A socket's id is a room."""
        return self._with(except_=self._options.except_ | rooms_of(rooms))

    @property
    def local(self) -> BroadcastOperator:
        """Only sockets of this node."""
        return self._with(local=True)

    @property
    def volatile(self) -> BroadcastOperator:
        """Drop the event for a socket that cannot take it at once."""
        return self._with(volatile=True)

    def compress(self, compress: bool) -> BroadcastOperator:
        """Whether transports may compress it."""
        return self._with(compress=bool(compress))

    def timeout(self, timeout: float) -> BroadcastOperator:
        """Seconds that the clients may take to acknowledge; `emit_with_ack` to many needs it."""
        return self._with(timeout=seconds(timeout))

    @overload
    def emit(self, event: TypedEvent[P, Any], *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]: ...
    @overload
    def emit(self, event: str, *args: Any) -> Awaitable[None]: ...
    def emit(self, event: Any, *args: Any) -> Awaitable[None]:  # type: ignore[misc]  # P has no keywords
        """Send an event; encoded once, whoever many receive it. The result is always ready to be awaited.

        Raises:
            ReservedEventError: for a name that only the library emits.
            EncodeError: when an argument cannot be sent; nothing was sent then.
        """
        return self.namespace.broadcast(event, args, self._options)

    @overload
    async def emit_with_ack(self, event: TypedEvent[P, R], *args: P.args, **kwargs: P.kwargs) -> list[R]: ...
    @overload
    async def emit_with_ack(self, event: str, *args: Any) -> list[Any]: ...
    async def emit_with_ack(self, event: Any, *args: Any) -> list[Any]:  # type: ignore[misc]  # the same
        """Send an event and return the first argument of every client's acknowledgement, in order of arrival.

        Raises:
            AckTimeout: with the answers so far in `responses`, when not all came in time.
            LocalProtocolError: without a `timeout`.
        """
        if self._options.timeout is None:
            raise LocalProtocolError(
                "emit_with_ack to many needs a timeout: write .timeout(5.0).emit_with_ack(...)"
            )
        return await self.namespace.broadcast_with_ack(event, args, self._options)

    # Of the sockets themselves, on every node. What can be awaited is always ready.

    def sockets_join(self, rooms: str | Iterable[str]) -> Awaitable[None]:
        """Put everyone whom this reaches in a room, or in several."""
        namespace = self.namespace
        namespace.apply(namespace.adapter.sockets_join(self._options, rooms_of(rooms)))
        return self.namespace.server.ready

    def sockets_leave(self, rooms: str | Iterable[str]) -> Awaitable[None]:
        """Take everyone whom this reaches out of a room, or of several."""
        namespace = self.namespace
        namespace.apply(namespace.adapter.sockets_leave(self._options, rooms_of(rooms)))
        return self.namespace.server.ready

    def disconnect_sockets(self, close: bool = False) -> Awaitable[None]:
        """Disconnect everyone whom this reaches; with `close`, close the connections."""
        namespace = self.namespace
        namespace.apply(namespace.adapter.disconnect_sockets(self._options, close))
        return self.namespace.server.ready

    async def fetch_sockets(self) -> list[Socket | RemoteSocket]:
        """Everyone whom this reaches: of this node the sockets themselves, of others what they told.

        Raises:
            AnswersMissing: when not every node answered in time, with those that did in `responses`.
        """
        namespace = self.namespace
        fetch = partial(namespace.adapter.fetch_sockets, self._options)
        try:
            found = await namespace.ask_adapter(fetch, self._options.timeout)
        except AnswersMissing as error:
            error.responses = self._sockets(error.responses)
            raise
        return self._sockets(found)

    def _sockets(self, found: list[Socket | SocketDetails]) -> list[Socket | RemoteSocket]:
        return [RemoteSocket(self.namespace, one) if isinstance(one, SocketDetails) else one for one in found]


class RemoteSocket:
    """A socket of another node, as it was when that node was asked. What is done to it is done there.

    Attributes:
        id: its id.
        rooms: those it was in.
        data: what the other node's handlers kept with it.
        handshake: in the reference's words: `headers`, `query`, `auth`, `address`...
    """

    __slots__ = ("_operator", "data", "handshake", "id", "rooms")

    def __init__(self, namespace: Namespace, details: SocketDetails) -> None:
        self.id = details.id
        self.rooms = details.rooms
        self.data = details.data
        self.handshake = details.handshake
        self._operator = BroadcastOperator(namespace, BroadcastOptions(rooms=frozenset((details.id,))))

    def emit(self, event: str, *args: Any) -> Awaitable[None]:
        """Send it an event. The result is always ready to be awaited."""
        return self._operator.emit(event, *args)

    def timeout(self, timeout: float) -> RemoteOperator:
        """`await socket.timeout(5.0).emit_with_ack(...)`: seconds that the client may take to acknowledge."""
        return RemoteOperator(self._operator.timeout(timeout))

    def join(self, rooms: str | Iterable[str]) -> Awaitable[None]:
        """Put it in a room, or in several."""
        return self._operator.sockets_join(rooms)

    def leave(self, rooms: str | Iterable[str]) -> Awaitable[None]:
        """Take it out of a room, or of several."""
        return self._operator.sockets_leave(rooms)

    def disconnect(self, close: bool = False) -> Awaitable[None]:
        """Disconnect it; with `close`, close its connection."""
        return self._operator.disconnect_sockets(close)

    def __repr__(self) -> str:
        return f"<RemoteSocket {self.id} {self._operator.namespace.name}>"


class RemoteOperator:
    """`remote.timeout(5)`. Source: `broadcast-operator.ts`, `RemoteSocket`, `expectSingleResponse`."""

    __slots__ = ("_operator",)

    def __init__(self, operator: BroadcastOperator) -> None:
        self._operator = operator

    def emit(self, event: str, *args: Any) -> Awaitable[None]:
        """Send it an event. The result is always ready to be awaited."""
        return self._operator.emit(event, *args)

    async def emit_with_ack(self, event: str, *args: Any) -> Any:
        """Send it an event and return the first argument of its answer; None when there is no such socket any more.

        Raises:
            AckTimeout: when it did not answer in time.
        """
        answers = await self._operator.emit_with_ack(event, *args)
        return answers[0] if answers else None


class SocketOperator:
    """`socket.volatile`, `socket.timeout(5)`, `socket.compress(False)`: flags for the next emit to one socket."""

    __slots__ = ("_options", "_socket")

    def __init__(self, socket: Socket, options: BroadcastOptions) -> None:
        self._socket = socket
        self._options = options

    def _with(self, **changes: Any) -> SocketOperator:
        return SocketOperator(self._socket, replace(self._options, **changes))

    @property
    def volatile(self) -> SocketOperator:
        """Drop the event when the client cannot take it at once."""
        return self._with(volatile=True)

    def compress(self, compress: bool) -> SocketOperator:
        """Whether the transport may compress it."""
        return self._with(compress=bool(compress))

    def timeout(self, timeout: float) -> SocketOperator:
        """Seconds that the client may take to acknowledge."""
        return self._with(timeout=seconds(timeout))

    @property
    def broadcast(self) -> BroadcastOperator:
        """Everybody else in the namespace, with these flags."""
        options = replace(self._options, except_=frozenset((self._socket.id,)))
        return BroadcastOperator(self._socket.namespace, options)

    def to(self, rooms: str | Iterable[str]) -> BroadcastOperator:
        """Everybody else in this room, or in any of these, with these flags."""
        return self.broadcast.to(rooms)

    in_ = to

    def except_(self, rooms: str | Iterable[str]) -> BroadcastOperator:
        """Everybody else but those in this room, or in any of these, with these flags."""
        return self.broadcast.except_(rooms)

    @property
    def local(self) -> BroadcastOperator:
        """Everybody else on this node, with these flags."""
        return self.broadcast.local

    @overload
    def emit(self, event: TypedEvent[P, Any], *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]: ...
    @overload
    def emit(self, event: str, *args: Any) -> Awaitable[None]: ...
    def emit(self, event: Any, *args: Any) -> Awaitable[None]:  # type: ignore[misc]  # P has no keywords
        """Send an event; see `Socket.emit`."""
        return self._socket.emit_event(event, args, self._options)

    def send(self, *args: Any) -> Awaitable[None]:
        """`emit("message", ...)`."""
        return self.emit("message", *args)

    @overload
    async def emit_with_ack(self, event: TypedEvent[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    async def emit_with_ack(self, event: str, *args: Any) -> Any: ...
    async def emit_with_ack(self, event: Any, *args: Any) -> Any:  # type: ignore[misc]  # the same
        """Send an event and return the client's answer; see `Socket.emit_with_ack`."""
        return await self._socket.ask(event, args, self._options)
