"""Engine.IO sessions in an ASGI application: polling, WebSocket and the upgrade; every message is sent back.

`engineio_asgi.py --port 3000 [--ping-interval SECONDS]` runs it on uvicorn, which owns HTTP and WebSocket. An
`Application` brings them to an engine, or to a `Server` of Socket.IO.
"""

import argparse
import asyncio
import socket
from contextlib import suppress
from time import monotonic
from typing import Any
from urllib.parse import quote

import uvicorn
from engineio_proto import Exchange, ExchangeState, Link, LinkState, Request, Response, WireOptions
from socketio_asyncio import EngineServer, Server


class Application:
    def __init__(self, core: EngineServer | Server) -> None:
        if core.wire_options != WireOptions(max_message_size=core.wire_options.max_message_size):
            raise ValueError(f"these options need engineio-wire, and ASGI knows none: {core.wire_options}")
        self.core, self.busy = core, False
        self.timer: asyncio.TimerHandle | None = None
        core.dirty.wake = lambda: self.busy or asyncio.get_running_loop().call_soon(self.run)

    def run(self, receive: Any = lambda now: [], *args: Any, **more: Any) -> None:
        """A pass: what is due, an input (its instant is added), handlers; who has output, when to come again."""
        core, now, self.busy = self.core, monotonic(), True
        core.dispatch(core.handle_timeout(now))
        core.dispatch(receive(*args, now, **more))
        while events := core.take_events():
            core.dispatch(events)
        for owner in {*core.dirty.take(), *[carrier.owner for carrier in args[:1]]}:
            owner.set()  # those who wait now look what is new
            owner.clear()
        self.busy = False
        if self.timer is not None:
            self.timer.cancel()
        if (deadline := core.deadline) is not None:
            self.timer = asyncio.get_running_loop().call_later(deadline - now, self.run)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Without lifespan. Mounted at "/", or anywhere (`root_path`), or at the engine's own path."""
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
        path = path if self.core.owns(path) else scope["path"]
        target = quote(path) + "?" + scope["query_string"].decode("latin-1")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        address, secure = (scope.get("client") or [""])[0], scope.get("scheme") in ("https", "wss")
        request = Request(scope.get("method", "GET"), target, headers, remote_address=address, secure=secure)
        if self.core.owns(path):
            await (self.http if scope["type"] == "http" else self.websocket)(request, receive, send)
        else:
            await respond(send, "http" if scope["type"] == "http" else "websocket.http", Response(404))

    async def http(self, request: Request, receive: Any, send: Any) -> None:
        core, exchange = self.core, Exchange(owner := asyncio.Event(), request)

        async def read() -> None:
            while (message := await receive())["type"] == "http.request":
                self.run(core.receive_body, exchange, message.get("body", b""))
                if not message.get("more_body", False):
                    self.run(core.receive_body_end, exchange)
            self.run(core.exchange_closed, exchange)

        self.run(core.receive_request, exchange)
        while exchange.undecided:
            await owner.wait()
        reader = asyncio.create_task(read())
        while (response := exchange.take_response()) is None and exchange.state is not ExchangeState.ABORTED:
            if exchange.has_more:  # of a long payload, after the others had their turn
                await asyncio.sleep(0)
                self.run(core.resume_body, exchange)
            else:
                await owner.wait()
        reader.cancel()
        await respond(send, "http", response or Response(400))  # ASGI knows no way to give no answer

    async def websocket(self, request: Request, receive: Any, send: Any) -> None:
        core, link, error = self.core, Link(owner := asyncio.Event(), request, now=monotonic()), None

        async def read() -> None:
            nonlocal error
            while (message := await receive())["type"] == "websocket.receive":
                link.last_received = monotonic()
                data = message["text"] if message.get("bytes") is None else message["bytes"]
                if len(data.encode() if isinstance(data, str) else data) > core.wire_options.max_message_size:
                    error = "max payload size exceeded"
                    break
                self.run(core.receive_text if isinstance(data, str) else core.receive_bytes, link, data)
                while link.paused:
                    await owner.wait()
            self.run(core.link_closed, link, error=error)

        await receive()  # websocket.connect
        self.run(core.receive_upgrade, link)
        while link.state is LinkState.DECIDING:
            await owner.wait()
        if link.refusal is not None:
            await respond(send, "websocket.http", link.refusal)  # an extension of ASGI that uvicorn has
            return
        await send({"type": "websocket.accept", "headers": encoded(link.headers)})
        reader = asyncio.create_task(read())
        with suppress(OSError):  # the client is gone
            while (batch := link.take()) or link.state is LinkState.OPEN:
                if not batch:
                    await owner.wait()
                    continue
                core.link_blocked(link)  # until the last `send` has returned, they are not written
                for packet in [packet for outgoing in batch for packet in outgoing.packets]:
                    kind = "bytes" if isinstance(packet, bytes) else "text"
                    await send({"type": "websocket.send", kind: packet})
                self.run(core.link_writable, link)
            if link.state is LinkState.CLOSING or error:
                await send({"type": "websocket.close", "code": 1009 if error else 1000})
        reader.cancel()
        self.run(core.link_closed, link)


def encoded(headers: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    return [(n.lower().encode(), v.encode("latin-1")) for n, v in headers if n.lower() != "connection"]


async def respond(send: Any, kind: str, response: Response) -> None:
    headers = [*encoded(response.headers), (b"content-length", str(len(response.body)).encode())]
    await send({"type": f"{kind}.response.start", "status": response.status, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": response.body})


class UvicornServer(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app.run(app.core.close)  # else parked polls would hold it up for ever
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=5.0)
        await super().shutdown(sockets)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Engine.IO sessions that echo, behind uvicorn.")
    parser.add_argument("--port", type=int, required=True, help="0 for any free one")
    parser.add_argument("--ping-interval", type=float, default=25.0, help="seconds")
    options = parser.parse_args()
    engine = EngineServer(ping_interval=options.ping_interval)
    engine.on("connection", lambda session: session.on("message", session.send))
    app = Application(engine)
    with socket.create_server(("127.0.0.1", options.port)) as listening, suppress(KeyboardInterrupt):
        print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        UvicornServer(uvicorn.Config(app, log_level="warning", ws_ping_interval=None)).run([listening])
