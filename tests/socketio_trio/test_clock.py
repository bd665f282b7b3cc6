"""The driver lives by trio's clock alone: with a clock that a test moves, hours pass at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
import trio.testing
from socketio_trio import Server, serve

TARGET = b"/socket.io/?EIO=4&transport=polling"


class Connection:
    """An HTTP connection to the server."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream

    async def get(self, query: bytes = b"") -> None:
        await self.stream.send_all(b"GET %b%b HTTP/1.1\r\nHost: x\r\n\r\n" % (TARGET, query))

    async def answer(self) -> str:
        """A small answer comes in one piece."""
        head, _, body = (await self.stream.receive_some()).decode().partition("\r\n\r\n")
        assert head.startswith("HTTP/1.1 200 OK"), head
        return body

    async def handshake(self) -> bytes:
        """A whole exchange; the session's part of a query."""
        await self.get()
        return b"&sid=" + (await self.answer()).partition('"sid":"')[2].partition('"')[0].encode()


Connect = Callable[[], Awaitable[Connection]]


def run(io: Server, test: Callable[[trio.testing.MockClock, Connect], Awaitable[None]]) -> None:
    """Run a test beside a server, on a clock that stands still."""
    clock = trio.testing.MockClock()
    streams: list[trio.SocketStream] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            ports: list[int] = []
            listening = trio.Event()

            def ready(port: int) -> None:
                ports.append(port)
                listening.set()

            async def host() -> None:
                await serve(io, port=0, ready=ready)

            async def connect() -> Connection:
                streams.append(await trio.open_tcp_stream("127.0.0.1", ports[0]))
                return Connection(streams[-1])

            nursery.start_soon(host)
            await listening.wait()
            try:
                await test(clock, connect)
            finally:
                for stream in streams:
                    await stream.aclose()
                nursery.cancel_scope.cancel()

    trio.run(main, clock=clock)


def test_a_connection_that_says_nothing_is_closed_after_a_minute() -> None:
    async def test(clock: trio.testing.MockClock, connect: Connect) -> None:
        silent, other = await connect(), await connect()
        await other.handshake()  # so the one before was accepted
        clock.jump(59.9)
        await (await connect()).handshake()
        got: list[bytes] = []

        async def read() -> None:
            got.append(bytes(await silent.stream.receive_some()))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await trio.testing.wait_all_tasks_blocked()
            assert got == []
            clock.jump(0.2)
        assert got == [b""]

    run(Server(), test)


def test_pings_and_their_timeout() -> None:
    async def test(clock: trio.testing.MockClock, connect: Connect) -> None:
        polling, other = await connect(), await connect()
        session = await polling.handshake()
        for _ in range(3):
            await polling.get(session)
            await other.handshake()
            await other.handshake()  # trio takes turns, so the poll was read by now
            clock.jump(25.0)
            assert await polling.answer() == "2"
            other = await connect()  # the one before was idle for longer than the keep-alive
            await other.stream.send_all(
                b"POST %b%b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n3" % (TARGET, session)
            )
            assert await other.answer() == "ok"
        await polling.get(session)
        await other.handshake()
        await other.handshake()
        clock.jump(25.0)
        assert await polling.answer() == "2"
        clock.jump(19.9)
        assert len(io.engine.sessions) > 0
        clock.jump(0.2)
        await trio.testing.wait_all_tasks_blocked()
        assert session[5:].decode() not in io.engine.sessions

    io = Server(connect_timeout=1000.0)  # it never joins a namespace
    run(io, test)
