"""Clients of protocol 3 over virtual time: heartbeat, upgrade with messages under way, ends, beside others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engineio_proto import CloseReason, Response, message

from tests.sim.client import Client, ClientRequest
from tests.sim.host import Host
from tests.sim.pair import Pair


class OldClient(Client):
    """It speaks text payloads, and sends what it is told.

    Attributes:
        auto_ping: seconds from the open, and from each pong, to the next ping; 0 for none.
    """

    def __init__(self, host: Host[Any], *, latency: float = 0.0) -> None:
        super().__init__(host, latency=latency)
        self.auto_ping = 0.0

    def _target(self, transport: str, query: dict[str, str]) -> str:
        return super()._target(transport, {"EIO": "3", "b64": "1", **query})

    def post_text(self, *packets: str) -> ClientRequest:
        """A POST of these packets."""
        request = self.request("POST")
        request.send("".join([f"{len(packet)}:{packet}" for packet in packets]).encode())
        request.end()
        return request

    def answered(self, request: ClientRequest) -> None:
        """A text payload becomes the one that the client of protocol 4 reads."""
        response = request.response
        if response is not None and response.status == 200 and response.body != b"ok":
            text, packets = response.body.decode(), []
            while text:
                size, _, text = text.partition(":")
                packets.append(text[: int(size)])
                text = text[int(size) :]
            request.response = Response(200, response.headers, "\x1e".join(packets).encode())
        super().answered(request)

    def packet(self, packet: str | bytes, socket: Any) -> None:
        """Of a binary packet, in either form, the type is left out."""
        if isinstance(packet, str) and packet.startswith("b4"):
            packet = "b" + packet[2:]
        super().packet(packet[1:] if isinstance(packet, bytes) else packet, socket)
        if isinstance(packet, str) and packet[:1] in "03" and packet != "3probe" and self.auto_ping:
            self.host.clock.call_later(self.auto_ping, self._ping)

    def _ping(self) -> None:
        if self.socket is not None:
            self.socket.send("2")
        else:
            self.post_text("2")


def new_pair(**options: Any) -> tuple[Pair, OldClient]:
    pair = Pair(allow_eio3=True, ping_interval=25.0, ping_timeout=20.0, **options)
    client = OldClient(pair.host, latency=0.1)
    pair.client = client
    return pair, client


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_client_that_pings_lives_on(transport: str) -> None:
    pair, client = new_pair()
    client.auto_ping = 25.0
    if transport == "polling":
        client.auto_poll = True
        client.open_polling()
    else:
        client.websocket()
    pair.advance(260.0)
    assert pair.closed == []
    # Every 25 s and a round trip; the server sends no ping of its own.
    assert [packet for _, packet in client.packets][1:] == ["3"] * 10
    client.auto_ping = 0.0
    pair.advance(100.0)
    ((instant, reason, _),) = pair.closed
    # The last ping came before 276.5 s at the latest.
    assert reason is CloseReason.PING_TIMEOUT and 295.0 < instant < 325.0


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_silent_client(transport: str) -> None:
    pair, client = new_pair()
    if transport == "polling":
        client.auto_poll = True
        client.open_polling()
    else:
        client.websocket()
    pair.advance(100.0)
    assert pair.closed == [(45.1, CloseReason.PING_TIMEOUT, None)]
    assert client.packets[0][1].startswith("0") and "2" not in [packet for _, packet in client.packets]


def test_upgrade_loses_and_repeats_nothing() -> None:
    pair, client = new_pair()
    client.auto_poll = True
    client.open_polling()
    pair.advance(1.0)
    (session,) = pair.engine.sessions.values()
    socket = client.websocket()
    sent: list[str | bytes] = []
    for count in range(40):
        sent += [f"é{count}", bytes([count])]
        session.send_message(*sent[-2:])
        pair.host.wake()
        if count == 5:
            client.post_text("4early")
        if count == 10:
            socket.send("2probe")
        if count == 20:
            client.auto_poll = False
        if "3probe" in socket.packets and not client.polling and not pair.upgraded and client.socket is None:
            client.socket = socket
            socket.send("5", "4a", b"\x04\x01")
        pair.advance(0.05)
    pair.advance(1.0)
    assert client.received == sent
    assert pair.received == ["early", "a", b"\x01"] and len(pair.upgraded) == 1 and pair.closed == []
    # The heartbeat began again.
    pair.advance(100.0)
    ((instant, reason, _),) = pair.closed
    assert reason is CloseReason.PING_TIMEOUT
    assert instant == pytest.approx(pair.upgraded[0] + 45.0)


@pytest.mark.parametrize(
    ("packet", "end"),
    [
        ("1", (CloseReason.TRANSPORT_CLOSE, None)),
        ("3", (CloseReason.TRANSPORT_ERROR, "invalid heartbeat direction")),
        ("9", (CloseReason.PARSE_ERROR, None)),
    ],
)
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_ends(transport: str, packet: str, end: tuple[CloseReason, str | None]) -> None:
    pair, client = new_pair()
    if transport == "polling":
        client.open_polling()
        pair.advance(1.0)
        client.post_text(packet)
    else:
        client.websocket().send(packet)
    pair.advance(1.0)
    assert [(reason, description) for _, reason, description in pair.closed] == [end]
    assert pair.engine.deadline is None


def test_closed_by_the_server_with_a_poll_to_come() -> None:
    pair, client = new_pair()
    client.open_polling()
    pair.advance(1.0)
    (session,) = pair.engine.sessions.values()
    session.send_message("last")
    session.close(pair.clock.now)
    client.auto_poll = True
    client.poll()
    pair.advance(1.0)
    assert client.received == ["last"]
    assert [packet for _, packet in client.packets][1:] == ["6", "1"]
    assert [reason for _, reason, _ in pair.closed] == [CloseReason.FORCED_CLOSE]


def test_clients_of_every_kind_get_one_broadcast() -> None:
    pair, old = new_pair()
    clients = [Client(pair.host), Client(pair.host), old, OldClient(pair.host), OldClient(pair.host)]
    for client, transport in zip(clients, ("polling", "websocket") * 3, strict=False):
        if transport == "polling":
            client.auto_poll = True
            client.open_polling()
        else:
            client.websocket(**({"b64": ""} if isinstance(client, OldClient) else {}))
    pair.advance(1.0)
    assert sorted(session.protocol for session in pair.engine.sessions.values()) == [3, 3, 3, 4, 4]
    outgoing = message("é\u2028", b"\x00\x01", "z")
    for session in pair.engine.sessions.values():
        session.send(outgoing)
    pair.host.wake()
    pair.advance(1.0)
    for client in clients:
        assert client.received == ["é\u2028", b"\x00\x01", "z"]


def test_jsonp() -> None:
    pair, _ = new_pair()
    client = Client(pair.host)
    opening = client.request(j="4")
    pair.advance(1.0)
    assert opening.response is not None
    script = opening.response.body.decode()
    assert script.startswith("___eio[4](")
    sid = json.loads(json.loads(script[len("___eio[4](") : -2])[1:])["sid"]
    client.handshake = {"sid": sid}
    request = client.request("POST")
    request.send(b"d=4")
    pair.advance(0.1)
    request.send(b"%C3%A9\x25")
    pair.advance(0.1)
    request.send(b"1E4b")
    request.end()
    pair.advance(1.0)
    assert pair.received == ["é", "b"]
