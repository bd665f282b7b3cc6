"""Clients of Socket.IO protocol 4 (2.x): what they say and hear otherwise. All over WebSocket; the wire is below.

What is expected was seen at socket.io 4.8.4 with `allowEIO3`; `sio2-*` of the recorded sessions are of its own client.
"""

from __future__ import annotations

from typing import Any

import pytest
from socketio_parser import MsgpackDecoder, MsgpackEncoder, MsgpackParser, Packet, PacketType
from socketio_proto import ConnectionRefused, DisconnectReason, Socket, SocketDisconnected
from socketio_proto._old_clients import refusal, socket_id, split_query

from tests.sim.socketio import Stage, Visitor

R = DisconnectReason


def old_stage(**options: Any) -> Stage:
    return Stage(allow_eio3=True, **options)


def old_client(stage: Stage) -> Visitor:
    """A client of protocol 4 after the Engine.IO handshake; what it heard since is not taken yet."""
    visitor = Visitor(stage)
    visitor.websocket(EIO="3")
    stage.advance()
    visitor.id = visitor.sid
    return visitor


def connect(stage: Stage) -> Visitor:
    visitor = old_client(stage)
    assert visitor.take() == ["0"]
    return visitor


def hear(stage: Stage, visitor: Visitor, *messages: str | bytes) -> list[str | bytes]:
    visitor.send(*messages)
    stage.advance()
    return visitor.take()


def reasons(stage: Stage) -> list[tuple[str, DisconnectReason]]:
    return [(e.socket.namespace.name, e.reason) for e in stage.events if isinstance(e, SocketDisconnected)]


class TestTheMainNamespace:
    def test_joined_without_asking(self) -> None:
        stage = old_stage()
        seen: list[Socket] = []
        stage.server.on("connection", seen.append)
        ada = connect(stage)
        (socket,) = seen
        assert socket.id == ada.sid == socket.conn.id
        assert socket.rooms == {ada.sid}
        assert socket.connection.protocol == 4
        assert socket.conn.protocol == 3
        assert socket.handshake.auth == {}
        assert socket.handshake.query == {"EIO": "3", "transport": "websocket"}

    def test_what_a_connection_handler_emits_comes_after_the_connect(self) -> None:
        stage = old_stage()
        stage.server.on("connection", lambda socket: socket.emit("hello"))
        assert old_client(stage).take() == ["0", '2["hello"]']

    @pytest.mark.parametrize("text", ["0", "0/", "0/,", "0/?a=1"])
    def test_asking_for_it_is_a_second_connect(self, text: str) -> None:
        stage = old_stage()
        ada = connect(stage)
        assert hear(stage, ada, text) == []
        assert ada.gone
        assert reasons(stage) == [("/", R.FORCED_SERVER_CLOSE)]

    def test_left_and_joined_again(self) -> None:
        stage = old_stage()
        ada = connect(stage)
        assert hear(stage, ada, "1", "0") == ["0"]
        assert reasons(stage) == [("/", R.CLIENT_NAMESPACE_DISCONNECT)]
        assert set(stage.server.sockets.sockets) == {ada.sid}

    def test_no_time_to_connect_is_measured(self) -> None:
        stage = old_stage(connect_timeout=1.0)
        ada = connect(stage)
        hear(stage, ada, "1")
        stage.advance(10.0)
        assert not ada.gone

    def test_refused_it_has_the_time_to_connect(self) -> None:
        stage = old_stage(connect_timeout=1.0)

        @stage.server.use
        def refuse(socket: Socket) -> None:
            raise ConnectionRefused("no", {"c": 1})

        ada = old_client(stage)
        assert ada.take() == ['4{"c":1}']
        assert hear(stage, ada, "0") == ['4{"c":1}']  # it may ask again
        stage.advance(1.0)
        assert ada.gone

    def test_an_event_before_it_is_in(self) -> None:
        stage = old_stage()

        @stage.server.use
        async def think(socket: Socket) -> None:
            await stage.runtime.sleep(1.0)

        ada = old_client(stage)
        assert hear(stage, ada, '2["x"]') == []
        assert ada.gone
        stage.advance(2.0)
        assert stage.server.sockets.sockets == {}

    def test_protocol_5_beside_it(self) -> None:
        stage = old_stage()
        old = connect(stage)
        new = stage.connect()
        assert stage.socket(new).connection.protocol == 5
        assert new.id not in (new.sid, old.sid)
        for visitor in (old, new):
            stage.socket(visitor).join("room")
        stage.server.to("room").emit("news", 1)
        stage.advance()
        assert old.take() == new.take() == ['2["news",1]']


class TestOtherNamespaces:
    @pytest.mark.parametrize(
        ("text", "auth"),
        [
            ("0/chat", {}),
            ("0/chat,", {}),
            ("0/chat?", {}),
            ("0/chat?token=x", {"token": "x"}),
            (
                "0/chat?token=x&token=y&a=1%202+3&empty=&bare,",
                {"token": "y", "a": "1 2 3", "empty": "", "bare": ""},
            ),
            ('0/chat,{"token":"of protocol 5"}', {}),
        ],
    )
    def test_the_query_is_the_auth(self, text: str, auth: dict[str, str]) -> None:
        stage = old_stage()
        chat = stage.server.of("/chat")
        ada = connect(stage)
        assert hear(stage, ada, text) == ["0/chat,"]
        (socket,) = chat.sockets.values()
        assert socket.id == f"/chat#{ada.sid}"
        assert socket.handshake.auth == auth
        assert stage.server.sockets.sockets[ada.sid].handshake.auth == {}

    def test_only_protocol_4_has_a_query(self) -> None:
        stage = old_stage()
        stage.server.of("/chat")
        ada = stage.connect()
        assert hear(stage, ada, "0/chat?token=x") == ['4/chat?token=x,{"message":"Invalid namespace"}']

    def test_any_packet_may_carry_it(self) -> None:
        stage = old_stage()
        stage.server.of("/chat").on("x", lambda socket, n: n + 1)
        ada = connect(stage)
        hear(stage, ada, "0/chat?token=x")
        assert hear(stage, ada, '2/chat?token=x,7["x",1]', '2/chat,8["x",2]') == [
            "3/chat,7[2]",
            "3/chat,8[3]",
        ]
        assert hear(stage, ada, "0/chat?token=y") == []
        assert ada.gone

    def test_unknown(self) -> None:
        stage = old_stage()
        ada = connect(stage)
        assert hear(stage, ada, "0/nope?a=1") == ['4/nope,{"message":"Invalid namespace"}']
        assert not ada.gone

    def test_a_name_is_taken_as_it_is(self) -> None:
        stage = old_stage()
        ada = connect(stage)
        for name in ("/a b", "/a%20b", "/\u00fc", "/x/../y", "//host/chat"):
            stage.server.of("/" + name[1:])
            assert hear(stage, ada, f"0{name}?q=1") == [f"0{name},"]

    def test_too_many(self) -> None:
        stage = old_stage(max_namespaces=1)
        stage.server.of("/chat")
        ada = connect(stage)
        (text,) = hear(stage, ada, "0/chat")
        assert text == '4/chat,{"message":"Too many namespaces (max_namespaces=1)"}'

    def test_a_socket_that_is_back_keeps_its_rooms(self) -> None:
        """It has the id of the one before, whose handlers may still run."""
        stage = old_stage()
        chat = stage.server.of("/chat")
        ada = connect(stage)
        hear(stage, ada, "0/chat")
        (before,) = chat.sockets.values()
        before.join("room")
        hear(stage, ada, "1/chat,", "0/chat")
        (after,) = chat.sockets.values()
        assert after is not before
        assert after.id == before.id
        assert after.rooms == {after.id}
        after.join("room")
        before.leave("room")
        before.join("other")
        assert after.rooms == {after.id, "room"}
        assert before.rooms == frozenset()

    @pytest.mark.parametrize(
        ("message", "data", "said"),
        [
            ("msg", None, '"msg"'),
            ("", None, '""'),
            ("m", {"d": 1}, '{"d":1}'),
            ("m", [1, "x"], '[1,"x"]'),
            ("m", 5, "5"),
            ("m", "text", '"text"'),
            ("m", {}, "{}"),
            ("m", [], "[]"),
            ("m", False, '"m"'),
            ("m", 0, '"m"'),
            ("m", "", '"m"'),
        ],
    )
    def test_refused(self, message: str, data: Any, said: str) -> None:
        stage = old_stage()

        @stage.server.of("/door").use
        def refuse(socket: Socket) -> None:
            socket.join("room")
            raise ConnectionRefused(message, data)

        ada = connect(stage)
        assert hear(stage, ada, "0/door?q=1") == [f"4/door,{said}"]
        assert stage.server.of("/door").adapter.members("room") == frozenset()
        assert not ada.gone

    def test_a_middleware_with_a_bug(self) -> None:
        stage = old_stage()

        @stage.server.of("/door").use
        def broken(socket: Socket) -> None:
            raise RuntimeError("secret")

        ada = connect(stage)
        assert hear(stage, ada, "0/door") == ['4/door,"Internal error"']

    def test_data_that_cannot_be_sent(self) -> None:
        stage = old_stage()

        @stage.server.of("/door").use
        def refuse(socket: Socket) -> None:
            raise ConnectionRefused("msg", {1, 2})

        ada = connect(stage)
        assert hear(stage, ada, "0/door") == ['4/door,"msg"']


class TestTheSameAsProtocol5:
    def test_events_and_acks(self) -> None:
        stage = old_stage()
        stage.server.on("add", lambda socket, a, b: a + b)
        ada = connect(stage)
        assert hear(stage, ada, '25["add",1,2]') == ["35[3]"]
        task = stage.run(stage.server.sockets.sockets[ada.sid].emit_with_ack("ask", 1))
        assert ada.take() == ['20["ask",1]']
        hear(stage, ada, '30["answer"]')
        assert task.value == "answer"

    def test_binary(self) -> None:
        stage = old_stage()
        stage.server.on("echo", lambda socket, data: data)
        ada = connect(stage)
        ada.send('51-7["echo",{"_placeholder":true,"num":0}]', b"\x04\x01\x02")  # 4: an Engine.IO message
        stage.advance()
        assert ada.take() == ['61-7[{"_placeholder":true,"num":0}]', b"\x04\x01\x02"]

    def test_another_parser(self) -> None:
        stage = old_stage(parser=MsgpackParser())

        @stage.server.of("/door").use
        def refuse(socket: Socket) -> None:
            raise ConnectionRefused("no", 5)

        encoder = MsgpackEncoder()
        ada = old_client(stage)
        (frame,) = ada.take()
        assert isinstance(frame, bytes)
        assert MsgpackDecoder().feed(frame[1:]) == Packet(PacketType.CONNECT)
        for name, said in (("/door", 5), ("/nope", {"message": "Invalid namespace"})):
            (message,) = encoder.encode(Packet(PacketType.CONNECT, f"{name}?a=1"))
            assert isinstance(message, bytes)
            ada.send(b"\x04" + message)
            stage.advance()
            (frame,) = ada.take()
            assert isinstance(frame, bytes)
            assert encoder.encode(Packet(PacketType.CONNECT_ERROR, name, said)) == (frame[1:],)

    def test_the_server_disconnects(self) -> None:
        stage = old_stage()
        stage.server.of("/chat")
        ada = connect(stage)
        hear(stage, ada, "0/chat")
        socket = stage.server.sockets.sockets[ada.sid]
        socket.disconnect()
        stage.advance()
        assert ada.take() == ["1"]
        assert not ada.gone
        stage.server.of("/chat").sockets[f"/chat#{ada.sid}"].disconnect(close=True)
        stage.advance()
        assert ada.take() == ["1/chat,"]
        assert ada.gone
        assert reasons(stage) == [
            ("/", R.SERVER_NAMESPACE_DISCONNECT),
            ("/chat", R.SERVER_NAMESPACE_DISCONNECT),
        ]

    @pytest.mark.parametrize("text", ['4"x"', "4", '2["x"', "9"])
    def test_violations(self, text: str) -> None:
        stage = old_stage()
        ada = connect(stage)
        assert hear(stage, ada, text) == []
        assert ada.gone

    def test_not_let_in_by_default(self) -> None:
        stage = Stage()
        visitor = Visitor(stage)
        socket = visitor.websocket(EIO="3")
        stage.advance()
        assert socket.refused is not None
        assert (socket.refused.status, socket.refused.body) == (400, b"Unsupported protocol version")


def test_split_query() -> None:
    assert split_query("/a") == ("/a", {})
    assert split_query("/a?b=%zz&c=%ff&=d&&e=f=g") == ("/a", {"b": "%zz", "c": "\ufffd", "": "d", "e": "f=g"})
    assert split_query("/a?b?c=d") == ("/a", {"b?c": "d"})
    assert len(split_query("/a?" + "&".join(f"k{n}=v" for n in range(1500)))[1]) == 1000


def test_socket_id() -> None:
    assert socket_id("/", "sid") == "sid"
    assert socket_id("/a", "sid") == "/a#sid"


def test_refusal() -> None:
    assert refusal("m", None) == "m"
    assert refusal("m", ()) == ()
