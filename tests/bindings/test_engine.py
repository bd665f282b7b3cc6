"""Engine.IO without Socket.IO over real sockets, on every runtime: the same guarantees as Socket.IO's handlers have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.bindings.client import DEADLINE, TRANSPORTS, ClosedByServer, Http, WebSocket, payload
from tests.bindings.harness import Binding, Recorder, Running

Serve = Callable[..., Running]

PATH = "/engine.io/?EIO=4&transport="

SLOW = 4096
"""Bytes of a slow reader's receive buffer."""
TOO_MUCH = 12_000_000
"""More than the kernel's two buffers hold, and less than `max_send_buffer`."""


class Client:
    """An Engine.IO client: packets as they are, pings unanswered."""

    def __init__(self, running: Running, transport: str = "websocket", **options: Any) -> None:
        self.transport = TRANSPORTS[transport](running.port, path=PATH, **options)
        self.sid = str(self.transport.receive()).partition('"sid":"')[2][:20]

    def send(self, *packets: str | bytes) -> None:
        self.transport.send(list(packets))

    def receive(self) -> str | bytes:
        return self.transport.receive()

    def until_closed(self) -> list[str | bytes]:
        """All that comes before the end."""
        packets: list[str | bytes] = []
        try:
            while (packet := self.receive()) != "1":
                packets.append(packet)
        except ClosedByServer:
            pass
        return packets


def echo(engine: Any, seen: Recorder | None = None) -> Any:
    @engine.on("connection")
    def connected(session: Any) -> None:
        session.on("message", lambda data: session.send(data))
        if seen is not None:
            session.on("upgrade", lambda transport: seen(("upgrade", transport)))
            session.on("close", lambda reason: seen(("close", reason)))

    return engine


def test_echo(binding: Binding, serve: Serve, transport: str) -> None:
    running = serve(echo(binding.engine()))
    client = Client(running, transport)
    sent = ["4text", b"\x00\xff", "4" + "grüße 🚀", "4" + "x" * 100_000]
    client.send(*sent)
    assert [client.receive() for _ in sent] == sent


def test_upgrade(binding: Binding, serve: Serve, seen: Recorder) -> None:
    running = serve(echo(binding.engine(), seen))
    client = Client(running, "polling")
    candidate = WebSocket(running.port)
    candidate.open(f"{PATH}websocket&sid={client.sid}")
    candidate.send_message("2probe")
    assert candidate.receive() == "3probe"
    candidate.send_message("5")
    candidate.send_message("4over websocket")
    assert candidate.receive() == "4over websocket"
    candidate.close_frame()
    assert seen.wait(2) == [("upgrade", "websocket"), ("close", "transport close")]


def test_async_handlers_start_in_order_and_overlap(
    binding: Binding, serve: Serve, seen: Recorder, transport: str
) -> None:
    engine = binding.engine(max_handlers=10)
    gate: list[Any] = []

    @engine.on("connection")
    async def connected(session: Any) -> None:
        gate.append(binding.event())

        @session.on("message")
        async def work(data: str) -> None:
            seen(data)
            if data == "9":
                gate[0].set()
            await gate[0].wait()
            await session.send(data)

        await binding.checkpoint()

    running = serve(engine)
    client = Client(running, transport)
    client.send(*[f"4{n}" for n in range(10)])
    assert seen.wait(10) == [str(n) for n in range(10)]
    assert sorted(str(client.receive()) for _ in range(10)) == [f"4{n}" for n in range(10)]


def test_a_handler_that_raises_affects_no_one_else(
    binding: Binding, serve: Serve, seen: Recorder, transport: str
) -> None:
    engine = binding.engine()

    @engine.on("connection")
    def connected(session: Any) -> None:
        @session.on("message")
        def plain(data: str) -> None:
            raise ValueError(f"plain {data}")

        @session.on("message")
        async def late(data: str) -> None:
            await binding.checkpoint()
            seen("about to be reported")
            raise ValueError(f"late {data}")

    echo(engine)
    running = serve(engine)
    first, second = Client(running, transport), Client(running, transport)
    for client in (first, second):
        client.send("4a", "4b")
        assert [client.receive(), client.receive()] == ["4a", "4b"]
    seen.wait(4)
    running.call(lambda: None)  # after the turn in which the last of them spoke
    errors = [
        record.exc_info[1] for record in running.logged("handler of 'message' raised") if record.exc_info
    ]
    assert sorted(str(error) for error in errors) == sorted(
        [f"{how} {data}" for how in ("plain", "late") for data in "ab"] * 2
    )


def test_backpressure_inwards(binding: Binding, serve: Serve, seen: Recorder) -> None:
    """What its handlers cannot take yet is not read from a client, and another's is."""
    engine = binding.engine(max_handlers=1, max_inbox=4)
    gate: list[Any] = []

    @engine.on("connection")
    def connected(session: Any) -> None:
        if not gate:
            gate.append(binding.event())

        @session.on("message")
        async def work(data: str) -> None:
            seen(data)
            if data != "quick":
                await gate[0].wait()
            session.send(data)

    running = serve(engine)
    slow, quick = Client(running), Client(running)
    for number in range(100):
        slow.send(f"4{number}")
    quick.send("4quick")
    assert quick.receive() == "4quick"
    session = running.call(lambda: engine.sessions[slow.sid])
    assert session.paused and len(seen.items) <= 6
    running.call(gate[0].set)
    assert [slow.receive() for _ in range(100)] == [f"4{n}" for n in range(100)]


@pytest.mark.parametrize("end", ["client reads", "client vanishes", "server closes", "cancelled"])
def test_backpressure_outwards(binding: Binding, serve: Serve, end: str) -> None:
    engine = echo(binding.engine(high_water_mark=1000))
    running = serve(engine)
    slow, other = Client(running, receive_buffer=SLOW), Client(running)
    session = running.call(lambda: engine.clients[slow.sid])
    assert running.call(lambda: session.send("small")) is engine.runtime.ready

    async def job() -> str:
        await session.send("x" * TOO_MUCH)
        await session.send("last")
        return "went on"

    waiting = running.start(job)
    for number in range(20):
        other.send(f"4{number}")
        assert other.receive() == f"4{number}"
    assert not waiting.done()
    if end == "client reads":
        assert slow.receive() == "4small"
        assert len(slow.receive()) == TOO_MUCH + 1
        assert slow.receive() == "4last"
    elif end == "client vanishes":
        slow.transport.close()
    elif end == "server closes":
        running.call(session.close)
    else:
        running.stop_job(waiting)
        assert slow.receive() == "4small"
        assert len(slow.receive()) == TOO_MUCH + 1, "what was queued is sent all the same"
        return
    assert waiting.result(DEADLINE) == "went on"


def test_nothing_is_delivered_after_close(
    binding: Binding, serve: Serve, seen: Recorder, transport: str
) -> None:
    engine = binding.engine()

    @engine.on("connection")
    def connected(session: Any) -> None:
        session.on("close", lambda reason, description: seen((reason, description)))

        @session.on("message")
        def message(data: str) -> None:
            seen(data)
            session.send("bye")
            session.close()

    running = serve(engine)
    client = Client(running, transport)
    client.send("41", "42", "43")
    assert "4bye" in client.until_closed()
    assert seen.wait(2) == ["1", ("forced close", None)]
    assert running.call(lambda: dict(engine.clients)) == {}


def test_shutdown_ends_sessions_and_handlers(
    binding: Binding, serve: Serve, seen: Recorder, transport: str
) -> None:
    engine = binding.engine()

    @engine.on("connection")
    def connected(session: Any) -> None:
        session.on("close", lambda reason: seen(reason))

        @session.on("message")
        async def message(data: str) -> None:
            session.send("started")
            try:
                await binding.forever()
            except binding.cancelled:
                seen("cancelled")
                raise

    running = serve(engine, close_grace=0.2)
    client = Client(running, transport)
    client.send("4x")
    assert client.receive() == "4started"
    running.begin_stop()
    client.until_closed()
    assert sorted(seen.wait(2)) == ["cancelled", "forced close"]


def test_the_door(binding: Binding, serve: Serve, seen: Recorder) -> None:
    """Middlewares, `allow_request`, `generate_id`, header hooks, refusals, other paths."""

    async def allow(request: Any) -> bool | str:
        await binding.checkpoint()
        return request.query.get("token") == "yes" or "who are you?"

    engine = echo(binding.engine(allow_request=allow, generate_id=lambda request: request.query["id"]))

    @engine.use
    async def middleware(request: Any, response: Any) -> None:
        await binding.checkpoint()
        response.headers["x-middleware"] = "1"

    engine.on("headers")(lambda headers, request: headers.update({"x-headers": "2"}))
    engine.on("connection_error", lambda refused: seen((refused.code, refused.message)))
    module = binding.module
    running = serve(engine, other=lambda request: module.Response(200, (), b"another path"))
    http = Http(running.port)
    answer = http.request("GET", PATH + "polling&token=yes&id=me")
    assert '"sid":"me"' in answer.text
    assert (answer.headers["x-middleware"], answer.headers["x-headers"]) == ("1", "2")
    answer = http.request("POST", PATH + "polling&sid=me", payload(["4hi"]))
    assert answer.text == "ok"
    assert http.request("GET", PATH + "polling&sid=me").text == "4hi"
    answer = http.request("GET", PATH + "polling&id=you")
    assert (answer.status, answer.text) == (403, '{"code":4,"message":"who are you?"}')
    assert seen.wait() == [(4, "Forbidden")]
    assert http.request("GET", "/").text == "another path"


def test_what_cannot_be_served(binding: Binding) -> None:
    import engineio_proto

    engine = engineio_proto.EngineServer(random_bytes=bytes)
    steps = binding.module.serve(engine)
    with pytest.raises(TypeError, match=f"must be a Server or EngineServer of socketio_{binding.name}, not"):
        steps.send(None)


def test_wrong_use_raises_at_once(binding: Binding) -> None:
    with pytest.raises(TypeError, match="did you mean 'ping_interval'"):
        binding.engine(ping_intervall=1)
    with pytest.raises(ValueError, match="no event of the engine"):
        binding.engine().on("message")
