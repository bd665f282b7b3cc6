"""One TCP connection: a stream and its wire.

A task reads. Writing is done by the driver at once, as far as the kernel takes it, so that `writable` tells the
truth; only what is left, and everything on TLS, is written by a second task, and meanwhile the wire is blocked.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, TypeAlias

import trio
from engineio_wire import Wire

if TYPE_CHECKING:
    from ._driver import Driver

Stream: TypeAlias = "trio.SocketStream | trio.SSLStream[trio.SocketStream]"
# Seconds to write TLS's closing alert: everything before it is written then, so only a silent peer needs them.
_TLS_CLOSE = 1.0


class Connection:
    """One TCP connection, from accept to close.

    Attributes:
        resuming: the driver will call `resume`.
    """

    __slots__ = (
        "_direct",
        "_driver",
        "_ended",
        "_ending",
        "_nursery",
        "_paused",
        "_stream",
        "_unwritten",
        "_wire",
        "_writer",
        "resuming",
    )

    def __init__(self, driver: Driver, stream: Stream) -> None:
        self._driver = driver
        self._stream = stream
        self._nursery: trio.Nursery
        self._wire: Wire[Any]
        # The same descriptor without trio: a write that does not block needs no task.
        self._direct: socket.socket | None = None
        self._unwritten = b""
        # Whether the peer's side, and ours, has sent its end.
        self._ended = False
        self._ending = False
        self._writer: trio.lowlevel.ParkingLot | None = None
        self._paused = trio.lowlevel.ParkingLot()
        self.resuming = False

    @property
    def idle(self) -> bool:
        """Whether closing it now loses nothing."""
        return self._wire.idle and not self._unwritten

    async def serve(self) -> None:
        """Run until the wire or the peer closes the connection, or this task is cancelled."""
        driver, stream = self._driver, self._stream
        secure = isinstance(stream, trio.SSLStream)
        tcp = stream.transport_stream.socket if isinstance(stream, trio.SSLStream) else stream.socket
        try:
            peer: Any = tcp.getpeername()
        except OSError:  # gone already
            peer = ("",)
        self._wire = wire = driver.pump.wires.wire(now=driver.now(), remote_address=peer[0], secure=secure)
        if not secure:
            self._direct = socket.socket(tcp.family, tcp.type, tcp.proto, fileno=tcp.fileno())
        driver.connections[wire] = self
        driver.rearm()
        try:
            async with trio.open_nursery() as self._nursery:
                await self._read()
        finally:
            if self._direct is not None:
                self._direct.detach()
            abort = wire.abort or not wire.closing
            driver.run(wire.connection_lost, driver.now())
            del driver.connections[wire]
            with trio.move_on_after(0 if abort else _TLS_CLOSE):
                await stream.aclose()

    async def _read(self) -> None:
        driver, wire = self._driver, self._wire
        try:
            while data := await self._stream.receive_some():
                driver.run(wire.receive_bytes, bytes(data), driver.now())
                while not wire.wants_read and not self._ending:
                    await self._paused.park()
        except trio.BrokenResourceError:
            self._nursery.cancel_scope.cancel()
        else:
            driver.run(wire.receive_eof, driver.now())
            self._ended = True
            if self._ending:
                self._nursery.cancel_scope.cancel()
        # The core decides when the end of the input is the end of the connection.
        await trio.sleep_forever()

    def resume(self) -> None:
        """The next slice of what one client sent, after the others had their turn."""
        self.resuming = False
        self._driver.run(self._wire.resume, self._driver.now())

    # Called by the driver.

    def flush(self, now: float) -> None:
        """Write what the wire has, once; go on reading, or close, as it says."""
        wire = self._wire
        data = wire.take_bytes(now)
        if data:
            self._write(data, now)
        if wire.closing and (wire.abort or not self._unwritten):
            self._end()
            return
        if wire.wants_read:
            self._paused.unpark_all()
        if wire.has_pending:
            self._driver.resume_soon(self)

    def abort(self) -> None:
        """Close it now."""
        self._nursery.cancel_scope.cancel()

    def _end(self) -> None:
        """Close. A close with input unread is a reset, which may overtake the last bytes that were written; so our
        side ends first, and what the client still sends is discarded until it ends too, or the wire's deadline.
        """
        if self._wire.abort or self._ended or self._direct is None:  # TLS has no half-closed connections
            self.abort()
        elif not self._ending:
            self._ending = True
            try:
                self._direct.shutdown(socket.SHUT_WR)
            except OSError:  # the peer is gone
                self.abort()
            self._paused.unpark_all()

    def _write(self, data: bytes, now: float) -> None:
        if self._direct is not None:
            try:
                data = data[self._direct.send(data) :]
            except BlockingIOError:
                pass
            except OSError:  # the peer is gone
                self._nursery.cancel_scope.cancel()
                return
        if not data:
            return
        self._unwritten = data
        self._wire.write_blocked(now)
        if self._writer is None:
            self._writer = trio.lowlevel.ParkingLot()
            self._nursery.start_soon(self._write_rest, self._writer)
        else:
            self._writer.unpark()

    async def _write_rest(self, more: trio.lowlevel.ParkingLot) -> None:
        driver = self._driver
        try:
            while True:
                await self._stream.send_all(self._unwritten)
                self._unwritten = b""
                driver.run(self._wire.write_ready, driver.now())
                while not self._unwritten:
                    await more.park()
        except trio.BrokenResourceError:
            self._nursery.cancel_scope.cancel()
