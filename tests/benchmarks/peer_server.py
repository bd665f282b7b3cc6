"""python-socketio on uvicorn and uvloop, with the handlers of ``node_server.mjs``: an optional third column."""

from __future__ import annotations

import sys

import socketio
import uvicorn

sio = socketio.AsyncServer(async_mode="asgi")


@sio.on("echo")
async def echo(sid, x):
    await sio.emit("echo", x, to=sid)


@sio.on("aecho")
async def aecho(sid, x):
    await sio.emit("aecho", x, to=sid)


@sio.on("ack")
async def ack(sid, x):
    return x


@sio.on("cast")
async def cast(sid, x):
    await sio.emit("cast", x)


class Announced(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(f"READY {self.config.port}", flush=True)


if __name__ == "__main__":
    port = int(sys.argv[1])
    app = socketio.ASGIApp(sio)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        log_level="error",
        access_log=False,
        backlog=4096,
        ws_ping_interval=None,
        ws_per_message_deflate=False,  # Node has it off by default, so have we
    )
    Announced(config).run()
