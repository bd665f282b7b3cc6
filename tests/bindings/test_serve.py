"""`serve`: its end by a signal or a cancellation, requests of other paths, TLS, wrong calls."""

from __future__ import annotations

import inspect
import signal
import socket as sockets
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bindings.client import DEADLINE, EVENT, Client, ClosedByServer, Http, Packet, Tcp
from tests.bindings.harness import BINDINGS, Binding, Recorder, Running

Serve = Callable[..., Running]
Connect = Callable[..., Client]

CERTIFICATE = Path(__file__).with_name("localhost.pem")


def echo_server(binding: Binding, **options: Any) -> Any:
    io = binding.server(**options)
    io.on("echo", lambda socket, *args: args)
    return io


class TestShutdown:
    def test_from_a_handler(self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder) -> None:
        """It ends like any other that runs: within the grace, or cancelled."""
        io = echo_server(binding)
        begun = Recorder()
        io.on("disconnect", lambda socket, reason: seen(str(reason)))

        @io.on("stop")
        async def stop(socket: Any) -> None:
            io.shutdown()
            begun("stopping")
            try:
                await binding.forever()
            except binding.cancelled:
                begun("cancelled")
                raise

        running = serve(io, close_grace=0.2)
        websocket, polling = connect(running), connect(running, "polling")
        polling.transport.poll.start("GET", polling.transport.target)
        parked_before(running, io, polling)
        websocket.emit("stop")
        assert polling.transport.poll.finish().text == "1"
        assert websocket.until_closed().code is None
        assert begun.wait(2) == ["stopping", "cancelled"]
        assert seen.wait(2) == ["server shutting down"] * 2
        running.wait()
        with pytest.raises(RuntimeError, match="shutdown: nothing is served"):
            io.shutdown()

    def test_a_handler_that_ends_in_time(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        io = echo_server(binding)

        @io.on("disconnect")
        async def disconnected(socket: Any, reason: str) -> None:
            for _ in range(10):
                await binding.checkpoint()
            seen("saved")

        io.on("stop", lambda socket: io.shutdown())
        running = serve(io, close_grace=1.0)
        connect(running).emit("stop")
        running.wait()
        assert seen.items == ["saved"]

    def test_before_it_is_served(self, binding: Binding) -> None:
        for server in (binding.server(), binding.engine()):
            with pytest.raises(RuntimeError, match="shutdown: nothing is served"):
                server.shutdown()

    def test_engine(self, binding: Binding, serve: Serve) -> None:
        engine = binding.engine()
        running = serve(engine)
        running.call(engine.shutdown)
        running.wait()


class TestCancellation:
    def test_clients_are_told_and_handlers_cancelled(
        self, binding: Binding, serve: Serve, connect: Connect, seen: Recorder
    ) -> None:
        io = echo_server(binding)
        begun = Recorder()

        @io.on("for ever")
        async def for_ever(socket: Any) -> None:
            begun("begun")
            try:
                await binding.forever()
            except binding.cancelled:
                begun("cancelled")
                raise

        io.on("disconnect", lambda socket, reason: seen(str(reason)))
        running = serve(io, close_grace=0.2)
        websocket, polling = connect(running), connect(running, "polling")
        websocket.emit("for ever")
        begun.wait()
        polling.transport.poll.start("GET", polling.transport.target)
        parked_before(running, io, polling)
        running.begin_stop()
        # No DISCONNECT packet: official clients then reconnect by themselves.
        assert polling.transport.poll.finish().text == "1"
        assert websocket.until_closed().code is None
        running.stop()
        assert begun.items == ["begun", "cancelled"]
        assert seen.items == ["server shutting down"] * 2
        with pytest.raises(ConnectionRefusedError):
            Tcp(running.port)

    def test_nothing_is_left(self, binding: Binding, serve: Serve, connect: Connect) -> None:
        io = echo_server(binding)
        running = serve(io, close_grace=0.2)
        idle = Tcp(running.port)
        half = Http(running.port)
        half.send(b"GET /socket.io/ HT")
        clients = [connect(running, transport) for transport in ("websocket", "polling") * 5]
        for client in clients:
            client.call("echo")
        running.stop()
        assert (io.engine.sessions, io.sockets.sockets, len(io.dirty)) == ({}, {}, 0)
        assert len(io.connect_timers) == 0
        for tcp in (idle, half):
            with pytest.raises(ClosedByServer):
                tcp.read(1)

    def test_a_connection_that_does_not_read_cannot_hold_it_up(
        self, binding: Binding, serve: Serve, connect: Connect
    ) -> None:
        io = echo_server(binding)
        running = serve(io, close_grace=0.2)
        client = connect(running, receive_buffer=4096)
        running.call(lambda: io.emit("big", "x" * 12_000_000) and None)
        running.stop()
        client.close()


def parked_before(running: Running, io: Any, client: Client) -> None:
    """Wait until the server holds the client's poll: it tells, in the answer of a POST sent after it."""
    session = running.call(lambda: io.sockets.sockets[client.id].conn)
    for _ in range(1000):
        client.transport.send(["6"])
        if running.call(lambda: session.parked is not None):
            return
    raise AssertionError("the poll was not parked")


SCRIPT = """
import sys
import {module} as binding
from {runtime} import run, {sleep}

io = binding.Server()

@io.on("slow")
async def slow(socket):
    await {sleep}(0.3)
    return "finished"

async def main():
    await binding.serve(io, port=0, ready=lambda port: print(port, flush=True), close_grace=5.0)
    print("returned", flush=True)

run({main})
"""


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
    def test_one_line_and_status_0(self, binding: Binding, number: signal.Signals) -> None:
        script = SCRIPT.format(
            module=binding.module.__name__,
            runtime=binding.name,
            sleep="sleep",
            main="main()" if binding.name == "asyncio" else "main",
        )
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            client, parked = Client(port), Client(port, "polling")
            parked.transport.poll.start("GET", parked.transport.target)
            client.send(Packet(EVENT, id=1, data=["slow"]))
            client.send(Packet(EVENT, id=2, data=["nothing"]))
            # The answer to a ping frame: what was sent before has arrived and is handled.
            client.transport.websocket.send(b"\x89\x80\x00\x00\x00\x00")
            assert client.transport.websocket.read(2) == b"\x8a\x00"
            process.send_signal(number)
            client.until_closed()
            assert parked.transport.poll.finish().text == "1"
            client.close()
            parked.close()
            out, err = process.communicate(timeout=DEADLINE)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        assert err == f"socketio: {number.name}, closing\n"
        assert (process.returncode, out) == (0, "returned\n")


    def test_a_second_one_insists(self, binding: Binding) -> None:
        script = SCRIPT.replace("(0.3)", "(60.0)").replace("close_grace=5.0", "close_grace=60.0")
        script = script.format(
            module=binding.module.__name__,
            runtime=binding.name,
            sleep="sleep",
            main="main()" if binding.name == "asyncio" else "main",
        )
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            client = Client(int(process.stdout.readline()))
            client.send(Packet(EVENT, id=1, data=["slow"]))
            client.send(Packet(EVENT, id=2, data=["nothing"]))
            client.transport.websocket.send(b"\x89\x80\x00\x00\x00\x00")
            assert client.transport.websocket.read(2) == b"\x8a\x00"
            process.send_signal(signal.SIGTERM)
            client.until_closed()  # it closes, and its handler goes on
            process.send_signal(signal.SIGTERM)
            assert process.wait(DEADLINE) == -signal.SIGTERM
            client.close()
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


TWO = """
import {module} as binding
from {runtime} import run

ports = []

def ready(port):
    ports.append(port)
    if len(ports) == 2:
        print(*ports, flush=True)

servers = [binding.Server(), binding.Server()]

async def serve(io):
    io.on("disconnect", lambda socket, reason: print(reason, flush=True))
    await binding.serve(io, port=0, ready=ready)

{main}
"""
MAINS = {
    "asyncio": """
import asyncio
async def main():
    await asyncio.gather(*map(serve, servers))
run(main())
""",
    "trio": """
import trio
async def main():
    async with trio.open_nursery() as nursery:
        for io in servers:
            nursery.start_soon(serve, io)
run(main)
""",
}


def test_a_signal_is_for_all_servers_of_a_process(binding: Binding) -> None:
    script = TWO.format(module=binding.module.__name__, runtime=binding.name, main=MAINS[binding.name])
    command = [sys.executable, "-W", "error", "-c", script]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        clients = [Client(int(port)) for port in process.stdout.readline().split()]
        process.send_signal(signal.SIGTERM)
        for client in clients:
            client.until_closed()
            client.close()
        out, err = process.communicate(timeout=DEADLINE)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert err == "socketio: SIGTERM, closing\n"
    assert (process.returncode, out) == (0, "server shutting down\n" * 2)


class TestOtherPaths:
    def test_without_a_handler(self, binding: Binding, serve: Serve) -> None:
        http = Http(serve(binding.server()).port)
        assert http.request("GET", "/").status == 404
        assert http.request("POST", "/form", b"a=1").status == 404
        assert http.request("GET", "/").status == 404, "the connection goes on"

    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_with_one(self, binding: Binding, serve: Serve, kind: str) -> None:
        response = binding.module.Response

        def page(request: Any) -> Any:
            match request.path:
                case "/":
                    return response(200, (("Content-Type", "text/html"),), b"<h1>hello</h1>")
                case "/form":
                    return response(201, (), request.method.encode() + b" " + request.body)
                case "/query":
                    return response(200, (), f"{request.query} {request.headers['X-Name']}".encode())
                case "/bug":
                    raise RuntimeError("page bug")
                case "/wrong":
                    return "not a Response"
                case "/text":
                    return response(200, (), "text")
                case "/status":
                    return response("200")
                case "/mapping":
                    return response(200, {"Content-Type": "text/html"})
                case "/number":
                    return response(200, (("Retry-After", 5),))
                case "/split":
                    return response(200, (("X-Name", "a\r\nSet-Cookie: evil"),), b"")
            return response(404, (), b"no such page")

        async def slow_page(request: Any) -> Any:
            await binding.checkpoint()
            return page(request)

        running = serve(echo_server(binding), other=page if kind == "sync" else slow_page)
        http = Http(running.port)
        answer = http.request("GET", "/")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html")
        assert answer.text == "<h1>hello</h1>"
        answer = http.request("POST", "/form", b"a=1")
        assert (answer.status, answer.text) == (201, "POST a=1")
        assert http.request("GET", "/query?a=1&b=2", X_Name="me").text == "{'a': '1', 'b': '2'} me"
        for path, text in (
            ("/wrong", "an answer must be a Response, not 'not a Response'"),
            ("/text", "body must be bytes, not 'text'"),
            ("/status", "status must be 200 to 999, not '200'"),
            ("/mapping", "headers must be pairs"),
            ("/number", "must be strings, not ('Retry-After', 5)"),
        ):
            assert http.request("GET", path).status == 500, path
            record = running.logged(f"<Request GET {path}>")[-1]
            assert record.exc_info is not None and text in str(record.exc_info[1])
        for path, error in (("/bug", RuntimeError), ("/wrong", Exception), ("/split", Exception)):
            answer = http.request("GET", path)
            assert (answer.status, answer.body) == (500, b""), path
            record = running.logged(f"<Request GET {path}>")[-1]
            assert record.levelname == "ERROR"
            assert record.exc_info is not None and isinstance(record.exc_info[1], error)
        assert http.request("GET", "/none").status == 404
        with_socket = Client(running.port)
        assert with_socket.call("echo", 1) == [1]

    def test_a_client_that_does_not_wait_for_the_answer(
        self, binding: Binding, serve: Serve, connect: Connect
    ) -> None:
        release: list[Any] = []
        begun = Recorder()
        done = Recorder()

        async def other(request: Any) -> Any:
            event = binding.event()
            release.append(event)
            begun(request.path)
            await event.wait()
            done("answered")
            return binding.module.Response(200, (), b"too late")

        io = echo_server(binding)
        running = serve(io, other=other)
        http = Http(running.port)
        http.start("GET", "/slow")
        begun.wait()
        http.reset()
        client = connect(running)
        for _ in range(10):
            client.call("echo")
        running.call(lambda: release[0].set())
        done.wait()
        assert client.call("echo", "alive") == ["alive"]

    def test_the_client_bundle(self, binding: Binding, serve: Serve) -> None:
        http = Http(serve(binding.server()).port)
        answer = http.request("GET", "/socket.io/socket.io.js")
        assert answer.status == 200 and b"Socket.IO" in answer.body[:200]


class TestTls:
    def test_both_transports(self, binding: Binding, serve: Serve, connect: Connect, transport: str) -> None:
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(CERTIFICATE)
        client_side = ssl.create_default_context(cafile=str(CERTIFICATE))
        io = echo_server(binding)
        io.on("secure", lambda socket: [socket.handshake.secure, socket.handshake.address])
        running = serve(io, ssl=server_side)
        client = connect(running, transport, ssl=client_side)
        assert client.call("secure") == [[True, "127.0.0.1"]]
        blob = bytes(300_000)
        for number in range(20):
            assert client.call("echo", number, blob) == [number, blob]
        running.call(lambda: [io.emit("n", number, "x" * 10_000) for number in range(100)] and None)
        assert [client.event()[1] for _ in range(100)] == list(range(100))

    def test_a_failed_handshake_harms_no_one(
        self, binding: Binding, serve: Serve, connect: Connect
    ) -> None:
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(CERTIFICATE)
        running = serve(echo_server(binding), ssl=server_side)
        plain = Http(running.port)
        plain.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(ClosedByServer):
            plain.read(1000)
        with pytest.raises(ssl.SSLCertVerificationError):
            Http(running.port, ssl=ssl.create_default_context())
        client = connect(running, ssl=ssl.create_default_context(cafile=str(CERTIFICATE)))
        assert client.call("echo", 1) == [1]


def test_serve_has_the_same_parameters_everywhere() -> None:
    """Annotations aside: each binding's are about its own Server."""
    first, *others = [
        [(p.name, p.kind, p.default) for p in inspect.signature(make().module.serve).parameters.values()]
        for make in BINDINGS.values()
    ]
    assert all(other == first for other in others)


class TestWrongCalls:
    def test_not_a_server(self, binding: Binding) -> None:
        with pytest.raises(TypeError, match="io must be a"), Running(binding, "not a server"):
            pass

    def test_a_port_that_is_taken(self, binding: Binding) -> None:
        with sockets.create_server(("127.0.0.1", 0)) as taken:
            running = Running(binding, binding.server())
            running._options["port"] = taken.getsockname()[1]
            with pytest.raises(OSError, match="in use"), running:
                pass

    def test_from_another_thread(self, binding: Binding, serve: Serve, connect: Connect) -> None:
        io = echo_server(binding)
        running = serve(io)
        client = connect(running)
        client.call("echo")
        running.call(lambda: None)  # the pass that answered is over
        with pytest.raises(RuntimeError, match="thread"):
            io.emit("from here")
        with pytest.raises(RuntimeError, match="thread"):
            running.call(lambda: io.sockets.sockets[client.id]).emit("from here")
        # What was refused did nothing, and is in nobody's way.
        running.call(lambda: io.emit("tick") and None)
        assert client.event() == ["tick"]
        assert client.call("echo", "alive") == ["alive"]

    def test_a_second_time(self, binding: Binding, serve: Serve, connect: Connect) -> None:
        for io in (echo_server(binding), binding.engine()):
            running = serve(io)
            with pytest.raises(RuntimeError, match="is being served already"), Running(binding, io):
                pass
            running.stop()
            with pytest.raises(RuntimeError, match="make a new one"), Running(binding, io):
                pass

    def test_after_a_failure_it_may_be_served(self, binding: Binding, serve: Serve, connect: Connect) -> None:
        io = echo_server(binding)
        with sockets.create_server(("127.0.0.1", 0)) as taken:
            running = Running(binding, io)
            running._options["port"] = taken.getsockname()[1]
            with pytest.raises(OSError, match="in use"), running:
                pass
        assert connect(serve(io)).call("echo", 1) == [1]

    @pytest.mark.parametrize(
        ("option", "error", "text"),
        [
            ({"port": None}, TypeError, "port must be a number"),
            ({"port": "3000"}, TypeError, "port must be a number"),
            ({"port": 99_999}, ValueError, "port must be from 0 to 65535, not 99999"),
            ({"ready": 5}, TypeError, "ready must be a plain function of the port"),
            ({"close_grace": "5"}, TypeError, "close_grace must be seconds"),
            ({"close_grace": -1}, ValueError, "close_grace must be 0 seconds or more"),
        ],
    )
    def test_wrong_arguments(
        self, binding: Binding, option: dict[str, Any], error: type[Exception], text: str
    ) -> None:
        with pytest.raises(error, match=text), Running(binding, binding.server(), **option):
            pass
