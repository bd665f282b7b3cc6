"""A wire behind a non-blocking transport, which takes part of what it is given and whose sides end one by one.

What a hand-written loop has to keep for each connection beside its socket: the bytes that the kernel did not take,
whether either side has ended, and what to wait for. Still without I/O; the loop makes the calls:

    readable    flow.receive(sock.recv(n), now)             b"" is the end of the peer's side
    dirty, or   if data := flow.output(now):
    writable        flow.sent(sock.send(data), now)         0 when the kernel takes nothing
                if flow.ends: sock.shutdown(SHUT_WR); flow.finished()
    broken      flow.broken()
    always      if flow.over: close the socket and call flow.lose(now), else wait for `wants_read`, `wants_write`

Our FIN comes first and then the peer's: closing a socket with unread input resets the connection, and the peer could
lose our last bytes. The wire aborts when the peer takes too long.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from ._pump import Pump
from ._wire import Wire

E = TypeVar("E")


class Flow(Generic[E]):
    """One connection of a loop.

    Args:
        pump: makes the passes.
        transport: the loop's own, a socket; only kept.
        now: monotonic seconds.
        remote_address: the peer's IP address.
        secure: whether the connection is TLS.

    Attributes:
        wire: the connection's machine.
        transport: as given.
    """

    __slots__ = ("_ended", "_finished", "_pump", "_rest", "transport", "wire")

    def __init__(
        self, pump: Pump[E], transport: Any, *, now: float, remote_address: str = "", secure: bool = False
    ) -> None:
        self.wire: Wire[E] = pump.wires.wire(now=now, remote_address=remote_address, secure=secure)
        self.transport = transport
        self._pump = pump
        self._rest: bytes | memoryview = b""
        self._ended = False
        self._finished = False

    def receive(self, data: bytes, now: float) -> None:
        """Bytes of the peer, or b"" when it sends no more."""
        if data:
            self._pump.feed(self.wire.receive_bytes, data, now)
        elif not self._ended:
            self._ended = True
            self._pump.feed(self.wire.receive_eof, now)

    def resume(self, now: float) -> None:
        """Go on with buffered input, when `wire.has_pending`."""
        self._pump.feed(self.wire.resume, now)

    def output(self, now: float) -> bytes | memoryview:
        """What is to be written: call it for a dirty wire, even if nothing can be written."""
        data = self.wire.take_bytes(now)
        if data:
            self._rest = memoryview(data)
        return self._rest

    def sent(self, count: int, now: float) -> None:
        """The transport has taken so many bytes of the last `output`."""
        self._rest = self._rest[count:]
        if self._rest:
            if not self.wire.blocked:
                self.wire.write_blocked(now)
        elif self.wire.blocked:
            self._pump.feed(self.wire.write_ready, now)

    def finished(self) -> None:
        """Our side is ended."""
        self._finished = True

    def broken(self) -> None:
        """The connection is reset: nothing comes and nothing can be sent."""
        self._ended = self._finished = True

    def lose(self, now: float) -> None:
        """The connection is closed: forget it."""
        self._pump.feed(self.wire.connection_lost, now)

    @property
    def ends(self) -> bool:
        """Whether our side is to be ended now: all is written."""
        return self.wire.closing and not self._rest and not self._finished

    @property
    def over(self) -> bool:
        """Whether the connection is to be closed now."""
        return self.wire.abort or (self._ended and self._finished)

    @property
    def wants_read(self) -> bool:
        """Whether to wait for input. A wire that closes throws it away."""
        return not self._ended and (self.wire.closing or self.wire.wants_read)

    @property
    def wants_write(self) -> bool:
        """Whether to wait until the transport takes more."""
        return bool(self._rest)
