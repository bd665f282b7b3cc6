"""What is said to everybody in a namespace: by the `Namespace` itself, and by the `Server` to those in "/".

Both have the same words, so they are written once, here, over the operator that reaches everybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any, overload

from ._typed_event import P, R, TypedEvent

if TYPE_CHECKING:
    from ._operator import BroadcastOperator, RemoteSocket
    from ._socket import Socket


class Audience:
    """Those who hear what is emitted.

    Attributes:
        everyone: an operator without rooms, exceptions or flags.
    """

    everyone: BroadcastOperator

    @overload
    def emit(self, event: TypedEvent[P, Any], *args: P.args, **kwargs: P.kwargs) -> Awaitable[None]: ...
    @overload
    def emit(self, event: str, *args: Any) -> Awaitable[None]: ...
    def emit(self, event: Any, *args: Any) -> Awaitable[None]:  # type: ignore[misc]  # P has no keywords
        """Send an event to every client in the namespace; a server's is "/"."""
        return self.everyone.emit(event, *args)

    def send(self, *args: Any) -> Awaitable[None]:
        """`emit("message", ...)`."""
        return self.everyone.emit("message", *args)

    @overload
    async def emit_with_ack(self, event: TypedEvent[P, R], *args: P.args, **kwargs: P.kwargs) -> list[R]: ...
    @overload
    async def emit_with_ack(self, event: str, *args: Any) -> list[Any]: ...
    async def emit_with_ack(self, event: Any, *args: Any) -> list[Any]:  # type: ignore[misc]  # the same
        """Raises LocalProtocolError: to many it needs a timeout, `io.timeout(5.0).emit_with_ack(...)`."""
        return await self.everyone.emit_with_ack(event, *args)

    def to(self, rooms: str | Iterable[str]) -> BroadcastOperator:
        """Clients in this room, or in any of these."""
        return self.everyone.to(rooms)

    in_ = to

    def except_(self, rooms: str | Iterable[str]) -> BroadcastOperator:
        """Clients that are not in this room, nor in any of these."""
        return self.everyone.except_(rooms)

    @property
    def local(self) -> BroadcastOperator:
        """Clients of this node."""
        return self.everyone.local

    @property
    def volatile(self) -> BroadcastOperator:
        """Clients that can take it at once."""
        return self.everyone.volatile

    def compress(self, compress: bool) -> BroadcastOperator:
        """Whether transports may compress it."""
        return self.everyone.compress(compress)

    def timeout(self, timeout: float) -> BroadcastOperator:
        """Seconds that acknowledgements may take."""
        return self.everyone.timeout(timeout)

    def sockets_join(self, rooms: str | Iterable[str]) -> Awaitable[None]:
        """Put every client in a room, or in several."""
        return self.everyone.sockets_join(rooms)

    def sockets_leave(self, rooms: str | Iterable[str]) -> Awaitable[None]:
        """Take every client out of a room, or of several."""
        return self.everyone.sockets_leave(rooms)

    def disconnect_sockets(self, close: bool = False) -> Awaitable[None]:
        """Disconnect every client; with `close`, close the connections."""
        return self.everyone.disconnect_sockets(close)

    async def fetch_sockets(self) -> list[Socket | RemoteSocket]:
        """The sockets of every client, of this node and of others."""
        return await self.everyone.fetch_sockets()
