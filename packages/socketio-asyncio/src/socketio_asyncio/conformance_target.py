"""A server under test: `CONFORMANCE_CONFIG='{"port":0}' python -m socketio_asyncio.conformance_target`.

It behaves as the conformance suite expects of any implementation: options in the reference's spelling and in
milliseconds, one line `READY {"port":N}`, log lines that begin with `@`. What is asked for and not built yet
ends it with status 3 and the option's name, so that a run never passes by leaving something out.
"""

# ruff: noqa: T201  # it talks to the suite through standard output

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from . import (
    Ack,
    AckTimeout,
    ConnectionRefused,
    EngineServer,
    EngineSession,
    Namespace,
    RequestRefused,
    Server,
    Socket,
    serve,
)
from ._conformance_options import BEHAVIORS, options_of, say, use


def ready(port: int) -> None:
    """Tell the suite that it may begin."""
    print(f'READY {{"port":{port}}}', flush=True)


def fail(what: str) -> None:
    """End because something is not built yet."""
    print(f"not supported yet: {what}", file=sys.stderr, flush=True)
    sys.exit(3)


# Mode "engineio".


def define_engine(engine: EngineServer) -> None:
    """Echo every message, but for three."""
    engine.on("connection_error", say_refused)

    @engine.on("connection")
    def connection(session: EngineSession) -> None:
        say("connect", sid=session.id, transport=session.transport, protocol=session.protocol)

        @session.on("message")
        def message(data: str | bytes) -> None:
            match data:
                case "close-me":
                    session.close()
                case "big":
                    session.send("x" * 5000)
                case "big-nocompress":
                    session.send("x" * 5000, compress=False)
                case _:
                    session.send(data)

        @session.on("upgrade")
        def upgrade(transport: str) -> None:
            say("upgrade", sid=session.id, transport=transport)

        @session.on("close")
        def close(reason: str) -> None:
            say("disconnect", sid=session.id, reason=reason)


def say_refused(refused: RequestRefused) -> None:
    """The log line of a refusal."""
    say("connection_error", code=refused.code, message=refused.message, context=dict(refused.context))


# The default mode.


class Forbidden(Exception):
    """What the per-packet middleware of "/mw" raises."""

    def __init__(self, event: str) -> None:
        super().__init__("forbidden event")
        self.data = {"ev": event}


def define(io: Server, sleep: Callable[[float], Any] = asyncio.sleep) -> None:
    """The namespaces and events that the suite expects; `sleep` is what the one that comes later awaits."""
    runs = 0
    io.engine.on("connection_error", say_refused)

    async def authorise(socket: Socket) -> None:
        if "ok" not in (socket.handshake.auth.get("token"), socket.handshake.query.get("token")):
            raise ConnectionRefused("not authorized", {"code": 401, "hint": "token"})

    def count(socket: Socket) -> None:
        nonlocal runs
        runs += 1
        socket.data["mwRuns"] = runs

    async def second(socket: Socket) -> None:
        socket.data["second"] = True

    def guard(socket: Socket) -> None:
        @socket.use
        def forbid(packet: list[Any]) -> None:
            if packet[0] == "forbidden":
                raise Forbidden(packet[0])

        @socket.on("error")
        def rejected(error: Exception) -> None:
            socket.emit("mw-error", str(error), getattr(error, "data", None))

    def allow(name: str, auth: dict[str, Any]) -> bool:
        return name.startswith("/fn-") and auth.get("key") == "k"

    dyn = io.of(re.compile(r"^/dyn-\d+$"))
    static = [io.of(name) for name in ("/", "/custom", "/auth", "/mw")]
    for namespace in (*static, dyn, io.of(allow)):
        define_events(io, namespace, dyn, sleep)
    io.of("/auth").use(authorise)
    io.of("/mw").use(count)
    io.of("/mw").use(second)
    io.of("/mw").on("connection", guard)

    @io.on("new_namespace")
    def created(namespace: Namespace) -> None:
        if namespace.parent is not None:  # one that a client's CONNECT made
            say("new_namespace", nsp=namespace.name)


def define_events(io: Server, here: Namespace, dyn: Namespace, sleep: Callable[[float], Any]) -> None:
    """The events of one namespace, or of all that have this parent."""
    on = here.on

    @on("connection")
    def connection(socket: Socket) -> None:
        say(
            "connect",
            nsp=socket.namespace.name,
            sid=socket.id,
            recovered=socket.recovered,
            transport=socket.conn.transport,
            protocol=socket.conn.protocol,
        )
        socket.emit("auth", socket.handshake.auth)

    @on("disconnecting")
    def disconnecting(socket: Socket, reason: str) -> None:
        say(
            "disconnecting",
            nsp=socket.namespace.name,
            sid=socket.id,
            reason=reason,
            rooms=sorted(socket.rooms),
        )

    @on("disconnect")
    def disconnect(socket: Socket, reason: str) -> None:
        say("disconnect", nsp=socket.namespace.name, sid=socket.id, reason=reason)

    @on("message")
    def message(socket: Socket, *args: Any) -> None:
        socket.emit("message-back", *args)

    @on("message-with-ack")
    def message_with_ack(socket: Socket, *args: Any) -> tuple[Any, ...]:
        return args

    @on("echo")
    def echo_event(socket: Socket, *args: Any, ack: Ack) -> None:
        if ack.wanted:
            ack(*args)
        else:
            socket.emit("echo", *args)

    @on("info")
    def info(socket: Socket) -> dict[str, Any]:
        handshake = socket.handshake
        return {
            "sid": socket.id,
            "nsp": socket.namespace.name,
            "recovered": socket.recovered,
            "transport": socket.conn.transport,
            "protocol": socket.conn.protocol,
            "rooms": sorted(socket.rooms),
            "data": socket.data,
            "handshake": {
                "headers": dict(handshake.headers),
                "query": handshake.query,
                "auth": handshake.auth,
                "url": handshake.url,
                "address": handshake.address,
                "secure": handshake.secure,
                "xdomain": handshake.xdomain,
                "issued": round(handshake.issued * 1000),
            },
        }

    @on("set-data")
    def set_data(socket: Socket, data: dict[str, Any]) -> None:
        socket.data.update(data)

    @on("data")
    def data(socket: Socket) -> Any:
        return socket.data

    @on("join")
    def join(socket: Socket, room: str) -> list[str]:
        socket.join(room)
        return sorted(socket.rooms)

    @on("leave")
    def leave(socket: Socket, room: str) -> list[str]:
        socket.leave(room)
        return sorted(socket.rooms)

    @on("broadcast")
    def broadcast(socket: Socket, event: str, *args: Any) -> None:
        socket.broadcast.emit(event, *args)

    @on("emit-all")
    def emit_all(socket: Socket, event: str, *args: Any) -> None:
        socket.namespace.emit(event, *args)

    @on("to")
    def to(socket: Socket, rooms: list[str], but: list[str], event: str, *args: Any) -> None:
        socket.to(rooms).except_(but).emit(event, *args)

    @on("nsp-to")
    def nsp_to(socket: Socket, rooms: list[str], but: list[str], event: str, *args: Any) -> None:
        socket.namespace.to(rooms).except_(but).emit(event, *args)

    @on("nsp-except")
    def nsp_except(socket: Socket, but: list[str], event: str, *args: Any) -> None:
        socket.namespace.except_(but).emit(event, *args)

    @on("later")
    async def later(socket: Socket, ms: float, rooms: list[str], event: str, *args: Any) -> None:
        await sleep(ms / 1000)
        socket.namespace.to(rooms).emit(event, *args)

    @on("ask")
    async def ask(socket: Socket, ms: float, event: str, args: list[Any]) -> dict[str, Any]:
        try:
            answer: Any = await socket.timeout(ms / 1000).emit_with_ack(event, *args)
        except AckTimeout:
            return {"err": "timeout", "res": []}
        if answer is None:  # what an answer without arguments comes as
            return {"err": None, "res": []}
        return {"err": None, "res": answer if isinstance(answer, tuple) else [answer]}

    @on("ask-room")
    async def ask_room(
        socket: Socket, rooms: list[str], ms: float, event: str, args: list[Any]
    ) -> dict[str, Any]:
        try:
            answers = await socket.namespace.to(rooms).timeout(ms / 1000).emit_with_ack(event, *args)
        except AckTimeout as error:
            return {"err": "timeout", "res": error.responses}
        return {"err": None, "res": answers}

    @on("fetch-sockets")
    async def fetch_sockets(socket: Socket, rooms: list[str]) -> list[str]:
        return sorted(found.id for found in await socket.namespace.in_(rooms).fetch_sockets())

    @on("sockets-join")
    def sockets_join(socket: Socket, rooms: list[str], target: str | list[str]) -> None:
        socket.namespace.in_(rooms).sockets_join(target)

    @on("sockets-leave")
    def sockets_leave(socket: Socket, rooms: list[str], target: str | list[str]) -> None:
        socket.namespace.in_(rooms).sockets_leave(target)

    @on("disconnect-sockets")
    def disconnect_sockets(socket: Socket, rooms: list[str], close: bool = False) -> None:
        socket.namespace.in_(rooms).disconnect_sockets(close)

    @on("burst")
    def burst(socket: Socket, n: int, event: str) -> None:
        for i in range(n):
            socket.emit(event, i)

    @on("volatile-burst")
    def volatile_burst(socket: Socket, n: int, event: str) -> None:
        for i in range(n):
            socket.volatile.emit(event, i)

    @on("blob")
    def blob(socket: Socket, size: int, compress: bool) -> None:
        socket.compress(compress).emit("blob", "x" * size)

    @on("namespaces")
    def namespaces(socket: Socket) -> list[str]:
        return sorted(io.namespaces)

    @on("parent-emit")
    def parent_emit(socket: Socket, event: str, *args: Any) -> None:
        dyn.emit(event, *args)

    @on("disconnect-me")
    def disconnect_me(socket: Socket, close: bool = False) -> None:
        socket.disconnect(close)

    @on("try-reserved")
    def try_reserved(socket: Socket) -> dict[str, bool]:
        raised: dict[str, bool] = {}
        for name in (
            "connect",
            "connect_error",
            "disconnect",
            "disconnecting",
            "newListener",
            "removeListener",
        ):
            try:
                socket.emit(name)
                raised[name] = False
            except ValueError:
                raised[name] = True
        return raised

    @on("shutdown")
    def shutdown(socket: Socket) -> None:
        io.shutdown()


def main() -> None:
    """Read the configuration from the environment and serve."""
    config = json.loads(os.environ.get("CONFORMANCE_CONFIG", "{}"))
    for name, value in config.get("behaviors", {}).items():
        if value and name not in BEHAVIORS:
            fail(f"behaviors.{name}")
    port = config.get("port", 0)
    options = options_of(config)
    try:
        server: Server | EngineServer
        if config.get("mode") == "engineio":
            server = EngineServer(**options)
            define_engine(server)
            use(server, config)
        else:
            server = Server(**options)
            define(server)
            use(server.engine, config)
        asyncio.run(serve(server, port=port, ready=ready))
    except NotImplementedError as error:
        fail(str(error))


if __name__ == "__main__":
    main()
