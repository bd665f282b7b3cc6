"""The option `parser`: msgpack and parsers of the user's own, and what is left of a connection whose parser fails."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from engineio_proto import Link, Request
from socketio_parser import DecodeError, EncodeError, MsgpackParser, Packet, PacketType, Parser
from socketio_proto import (
    ConnectionClosed,
    ConnectionRefused,
    DisconnectReason,
    SocketConnected,
    SocketDisconnected,
    SocketErrored,
    Trouble,
)

from tests.sim.socketio import Stage

transports = pytest.mark.parametrize("polling", [False, True], ids=["websocket", "polling"])
PICTURE = b"\x89PNG\x00\xff"


class OneText:
    """Each packet is one text, a JSON object; the conformance target has the same."""

    def __init__(self) -> None:
        self.encoded: list[int] = []
        self.encoders = self.decoders = self.resets = 0

    def encoder(self) -> OneText:
        self.encoders += 1
        return self

    def decoder(self) -> OneText:
        self.decoders += 1
        return self

    def encode(self, packet: Packet) -> Any:
        self.encoded.append(packet.type)
        members = {"type": packet.type, "nsp": packet.namespace, "data": packet.data, "id": packet.id}
        return (json.dumps({key: value for key, value in members.items() if value is not None}),)

    def feed(self, chunk: str | bytes) -> Any:
        try:
            members = json.loads(chunk)
        except ValueError as error:
            raise DecodeError("not JSON") from error
        return Packet(members["type"], members["nsp"], members.get("data"), members.get("id"))

    def reset(self) -> None:
        self.resets += 1


class Two(OneText):
    """Each packet is two messages: its address, and its data in msgpack."""

    def __init__(self) -> None:
        super().__init__()
        self.first: Any = None

    def decoder(self) -> Two:
        return Two()

    def encode(self, packet: Packet) -> Any:
        (message,) = MsgpackParser().encoder().encode(packet)
        return [message[:4], message[4:]]

    def feed(self, chunk: str | bytes) -> Any:
        if self.first is None:
            self.first = chunk
            return None
        first, self.first = self.first, None
        return MsgpackParser().decoder().feed(first + chunk)


class Speaker:
    """A client that speaks by a parser."""

    def __init__(self, stage: Stage, parser: Parser, *, polling: bool = False) -> None:
        self.stage = stage
        self.encode = parser.encoder().encode
        self.feed = parser.decoder().feed
        self.visitor = stage.visitor(polling=polling)

    def send(self, *packets: Packet) -> None:
        self.visitor.send(*[message for packet in packets for message in self.encode(packet)])
        self.stage.advance()

    def take(self) -> list[Packet]:
        fed = [self.feed(message) for message in self.visitor.take()]
        return [packet for packet in fed if packet is not None]

    def join(self, namespace: str = "/", auth: Any = None) -> Speaker:
        self.send(Packet(PacketType.CONNECT, namespace, auth))
        (welcome,) = self.take()
        assert (welcome.type, welcome.namespace) == (PacketType.CONNECT, namespace)
        self.id = welcome.data["sid"]
        return self


def event(*data: Any, id: int | None = None) -> Packet:
    return Packet(PacketType.EVENT, "/", list(data), id)


def reasons(stage: Stage) -> list[DisconnectReason]:
    return [e.reason for e in stage.events if isinstance(e, SocketDisconnected)]


def closed(stage: Stage) -> list[ConnectionClosed]:
    return [e for e in stage.events if isinstance(e, ConnectionClosed)]


PARSERS = [MsgpackParser, OneText, Two]


@transports
@pytest.mark.parametrize("make", PARSERS)
class TestWhole:
    """Namespaces, events, acknowledgements and broadcasts by every parser."""

    def test_events_and_acknowledgements(self, make: Callable[[], Any], polling: bool) -> None:
        stage = Stage(parser=make())
        stage.server.on("add", lambda socket, a, b: a + b)
        ada = Speaker(stage, make(), polling=polling).join(auth={"token": "x"})
        assert stage.server.sockets.sockets[ada.id].handshake.auth == {"token": "x"}
        ada.send(event("add", 1, 2, id=7), event("add", "a", "b", id=8))
        assert ada.take() == [Packet(3, "/", [3], 7), Packet(3, "/", ["ab"], 8)]
        answer = stage.run(stage.server.sockets.sockets[ada.id].emit_with_ack("question", [None]))
        (question,) = ada.take()
        assert question == event("question", [None], id=question.id)
        ada.send(Packet(3, "/", ["yes"], question.id))
        assert answer.value == "yes"

    def test_namespaces_and_refusals(self, make: Callable[[], Any], polling: bool) -> None:
        stage = Stage(parser=make())

        @stage.server.of("/closed").use
        def refuse(socket: Any) -> None:
            raise ConnectionRefused("no", {"code": 1})

        ada = Speaker(stage, make(), polling=polling).join()
        ada.send(Packet(0, "/closed"))
        ada.send(Packet(0, "/nowhere"))
        assert ada.take() == [
            Packet(4, "/closed", {"message": "no", "data": {"code": 1}}),
            Packet(4, "/nowhere", {"message": "Invalid namespace"}),
        ]
        stage.server.sockets.sockets[ada.id].disconnect()
        stage.advance()
        assert ada.take() == [Packet(1, "/")]

    def test_a_broadcast_reaches_all(self, make: Callable[[], Any], polling: bool) -> None:
        stage = Stage(parser=make())
        everybody = [Speaker(stage, make(), polling=polling).join() for _ in range(3)]
        stage.server.emit("news", 1)
        stage.advance()
        assert [member.take() for member in everybody] == [[event("news", 1)]] * 3

    def test_what_is_no_packet(self, make: Callable[[], Any], polling: bool) -> None:
        stage = Stage(parser=make())
        ada, bob = (Speaker(stage, make(), polling=polling).join() for _ in range(2))
        ada.visitor.send('2["a"]', b"\xc1", b"\xc1")
        stage.advance()
        assert ada.visitor.gone
        assert reasons(stage) == [DisconnectReason.FORCED_CLOSE]
        assert len([e for e in stage.events if isinstance(e, SocketErrored)]) == 1
        stage.server.emit("still", "here")
        stage.advance()
        assert bob.take() == [event("still", "here")]


@transports
def test_msgpack_carries_binary_both_ways(polling: bool) -> None:
    stage = Stage(parser=MsgpackParser())
    stage.server.on("echo", lambda socket, *args: args)
    ada = Speaker(stage, MsgpackParser(), polling=polling).join()
    ada.send(event("echo", PICTURE, {"deep": [PICTURE]}, id=0))
    assert ada.take() == [Packet(3, "/", [PICTURE, {"deep": [PICTURE]}], 0)]


@transports
def test_clients_of_the_other_parser_are_refused(polling: bool) -> None:
    stage = Stage(parser=MsgpackParser())
    ada = stage.visitor(polling=polling)
    ada.send("0")
    stage.advance()
    assert ada.gone
    assert closed(stage)[0].description == "undecodable packet: Could not parse"
    stage = Stage()
    bob = Speaker(stage, MsgpackParser(), polling=polling)
    bob.send(Packet(0, "/"))
    assert bob.visitor.gone
    assert "got binary data when not reconstructing a packet" in closed(stage)[0].description
    assert [report.trouble for report in stage.runtime.reports] == [Trouble.CLOSED]


@pytest.mark.parametrize("name", ["", "a", "/a,b", "/\ufffd"])
def test_odd_names_of_namespaces_get_their_refusal(name: str) -> None:
    stage = Stage(parser=MsgpackParser())
    ada = Speaker(stage, MsgpackParser())
    ada.send(Packet(0, name))
    assert ada.take() == [Packet(4, name, {"message": "Invalid namespace"})]
    assert not ada.visitor.gone


def test_one_encoder_a_server_and_one_decoder_a_connection() -> None:
    parser = OneText()
    stage = Stage(parser=parser)
    assert (parser.encoders, parser.decoders) == (2, 1)  # one of each was made to look at
    for _ in range(3):
        Speaker(stage, OneText()).join()
    assert (parser.encoders, parser.decoders) == (2, 4)
    parser.encoded.clear()
    stage.server.emit("news")
    stage.advance()
    assert parser.encoded == [PacketType.EVENT]  # once, whoever many receive it


def test_the_decoder_is_reset_when_its_connection_ends() -> None:
    parser = OneText()
    stage = Stage(parser=parser)
    ada = Speaker(stage, OneText()).join()
    assert parser.resets == 0
    ada.visitor.leave()
    stage.advance()
    assert parser.resets == 1


class Marked(Exception):
    """One that can be looked for."""


class Faulty(OneText):
    """Does something else at one point."""

    def __init__(self, **instead: Callable[..., Any]) -> None:
        super().__init__()
        self.armed = False
        self.instead = instead

    def encode(self, packet: Packet) -> Any:
        return self._do("encode", super().encode, packet)

    def feed(self, chunk: str | bytes) -> Any:
        return self._do("feed", super().feed, chunk)

    def reset(self) -> None:
        self._do("reset", super().reset)

    def decoder(self) -> OneText:
        return self._do("decoder", super().decoder)  # type: ignore[no-any-return]

    def _do(self, name: str, usual: Callable[..., Any], *arguments: Any) -> Any:
        return self.instead[name](*arguments) if self.armed and name in self.instead else usual(*arguments)


def raising(error: BaseException) -> Callable[..., Any]:
    def function(*arguments: Any) -> Any:
        raise error

    return function


def staged(**instead: Callable[..., Any]) -> tuple[Stage, Faulty, Speaker, Speaker]:
    parser = Faulty(**instead)
    stage = Stage(parser=parser)
    ada, bob = (Speaker(stage, OneText()).join() for _ in range(2))
    parser.armed = True
    return stage, parser, ada, bob


class TestFaultyDecoder:
    @pytest.mark.parametrize(
        "error",
        [KeyError("type"), RecursionError(), MemoryError(), asyncio.CancelledError(), GeneratorExit()],
        ids=repr,
    )
    def test_what_it_raises_ends_its_connection_and_is_reported(self, error: BaseException) -> None:
        stage, parser, ada, bob = staged(feed=raising(error))
        errors: list[Any] = []
        stage.server.on("error", lambda socket, error: errors.append(error))
        ada.send(event("a"))
        parser.armed = False
        assert ada.visitor.gone
        report, closing = stage.runtime.reports
        assert report.trouble is Trouble.HANDLER
        assert f"the parser raised {error!r}, for <Connection " in report.text
        assert report.error is error and error.__traceback__ is not None
        assert closing.trouble is Trouble.CLOSED
        assert [str(error) for error in errors] == [f"the parser raised {error!r}"]
        assert reasons(stage) == [DisconnectReason.FORCED_CLOSE]
        bob.send(event("b"))
        assert not bob.visitor.gone

    def test_a_decode_error_is_the_clients_fault(self) -> None:
        stage, _, ada, _ = staged(feed=raising(DecodeError("not today")))
        ada.send(event("a"))
        assert ada.visitor.gone
        (report,) = stage.runtime.reports
        assert (report.trouble, report.error) == (Trouble.CLOSED, None)
        assert "not today" in report.text

    @pytest.mark.parametrize(
        "nonsense",
        [
            0,
            "2",
            [Packet(2, "/", ["a"])],
            Packet(2, "/", None),
            Packet(2, "/", []),
            Packet(2, "/", ["connect"]),
            Packet(2, "/", [{}]),
            Packet(2, "/", ["a"], "1"),  # type: ignore[arg-type]
            Packet(2, 5, ["a"]),  # type: ignore[arg-type]
            Packet(0, "/x", []),
            Packet(1, "/", {}),
            Packet(3, "/", None),
            Packet(5, "/", ["a"]),
            Packet(99, "/", ["a"]),
            Packet([], "/", ["a"]),  # type: ignore[arg-type]
            Packet(None, None),  # type: ignore[arg-type]
        ],
        ids=repr,
    )
    def test_nonsense_ends_its_connection_and_is_reported(self, nonsense: Any) -> None:
        stage, _, ada, bob = staged(feed=lambda chunk: nonsense)
        ada.send(event("a"))
        assert ada.visitor.gone and not bob.visitor.gone
        report, closing = stage.runtime.reports
        assert (report.trouble, closing.trouble) == (Trouble.HANDLER, Trouble.CLOSED)
        assert "feed() must return a valid Packet or None, not " in report.text

    def test_a_factory_that_raises(self) -> None:
        stage, parser, _, bob = staged(decoder=raising(OSError("out of tables")))
        eve = Speaker(stage, OneText())
        eve.send(Packet(0, "/"))
        assert eve.visitor.gone
        assert "the parser raised OSError('out of tables')" in stage.runtime.reports[0].text
        parser.armed = False
        bob.send(event("b"))
        assert not bob.visitor.gone

    def test_a_reset_that_raises(self) -> None:
        stage, _, ada, bob = staged(reset=raising(ValueError("no")))
        for speaker in (ada, bob):
            speaker.visitor.leave()
            stage.advance()
        assert reasons(stage) == [DisconnectReason.TRANSPORT_CLOSE] * 2
        assert all(
            report.text.startswith("the parser's reset() raised, for <") for report in stage.runtime.reports
        )
        assert [str(report.error) for report in stage.runtime.reports] == ["no", "no"]

    @pytest.mark.parametrize("where", ["feed", "decoder", "reset", "encode"])
    def test_what_it_raised_is_freed_without_the_garbage_collector(self, where: str) -> None:
        raised: list[weakref.ref[Marked]] = []

        def fail(*arguments: Any) -> Any:
            error = Marked()
            raised.append(weakref.ref(error))
            try:
                raise error
            finally:
                del error

        stage, _, ada, _ = staged(**{where: fail})
        gc.collect()
        gc.disable()
        try:
            speaker = Speaker(stage, OneText()) if where == "decoder" else ada
            speaker.send(Packet(0, "/nowhere"))
            speaker.visitor.leave()
            stage.advance()
            assert raised and raised[0]() is not None
            stage.events.clear()
            stage.runtime.reports.clear()
            assert [ref() for ref in raised] == [None] * len(raised)
        finally:
            gc.enable()

    def test_numbers_are_types(self) -> None:
        """The server looks at `PacketType` members; a parser may give the number that is on the wire."""
        stage, _, ada, _ = staged(feed=lambda chunk: Packet(2, "/", ["a", 1]))
        got: list[int] = []
        stage.server.on("a", lambda socket, n: got.append(n))
        ada.send(event("whatever"))
        assert got == [1]

    @pytest.mark.parametrize("chunk", [b"x" * 1000, b""])
    def test_what_is_incomplete_is_bounded(self, chunk: bytes) -> None:
        parser = Faulty(feed=lambda chunk: None)
        stage = Stage(parser=parser, max_http_buffer_size=1000, max_attachments=2)
        parser.armed = True
        ada = stage.visitor()
        sent = 0
        while not ada.gone:
            ada.send(*[chunk] * 100)
            stage.advance()
            sent += 100
            assert sent < 3000
        assert "a packet of more than 2000 bytes is not complete" in closed(stage)[0].description


class Unseen:
    def __repr__(self) -> str:
        raise ValueError("never")


class TestFaultyEncoder:
    @pytest.mark.parametrize(
        ("encode", "words"),
        [
            (raising(ValueError("no")), "the parser's encode() raised ValueError('no')"),
            (raising(asyncio.CancelledError()), "the parser's encode() raised CancelledError()"),
            (lambda packet: None, "must return str and bytes in a tuple, not None"),
            (lambda packet: (), "must return str and bytes in a tuple, not ()"),
            (lambda packet: "text", "must return str and bytes in a tuple, not 'text'"),
            (lambda packet: [Unseen()], "must return str and bytes in a tuple, not a list"),
            (lambda packet: [1], "must return str and bytes in a tuple, not [1]"),
            (
                lambda packet: ("x", bytearray(b"y")),
                "must return str and bytes in a tuple, not ('x', bytearray",
            ),
        ],
    )
    def test_who_emits_is_told_and_nothing_is_sent(self, encode: Callable[..., Any], words: str) -> None:
        stage, _, ada, bob = staged(encode=encode)
        for emit in (stage.server.emit, stage.server.sockets.sockets[ada.id].emit):
            with pytest.raises(EncodeError) as raised:
                emit("news")
            assert words in str(raised.value)
        stage.advance()
        assert (ada.take(), bob.take()) == ([], [])

    def test_an_encode_error_is_raised_as_it_is(self) -> None:
        error = EncodeError("not this one")
        stage, _, _, _ = staged(encode=raising(error))
        with pytest.raises(EncodeError) as raised:
            stage.server.emit("news")
        assert raised.value is error

    def test_the_answer_to_a_connect(self) -> None:
        stage, parser, ada, bob = staged(encode=raising(ValueError("no")))
        stage.server.of("/other")
        before = len([e for e in stage.events if isinstance(e, SocketConnected)])
        ada.send(Packet(0, "/other"))
        assert ada.visitor.gone and not bob.visitor.gone
        assert len([e for e in stage.events if isinstance(e, SocketConnected)]) == before
        assert stage.server.of("/other").sockets == {}
        report, closing = stage.runtime.reports
        assert "the parser's encode() raised ValueError('no'), for <" in report.text
        assert report.error is not None
        assert "a packet cannot be encoded: " in closing.text
        parser.armed = False
        stage.server.emit("still", "here")
        stage.advance()
        assert bob.take() == [event("still", "here")]

    @pytest.mark.parametrize("data", [None, {"code": 1}])
    def test_a_refusal(self, data: Any) -> None:
        stage, _, ada, bob = staged(encode=raising(ValueError("no")))

        @stage.server.of("/closed").use
        def refuse(socket: Any) -> None:
            raise ConnectionRefused("no", data)

        ada.send(Packet(0, "/closed"))
        assert ada.visitor.gone and not bob.visitor.gone
        assert reasons(stage) == [DisconnectReason.FORCED_SERVER_CLOSE]

    @pytest.mark.parametrize("close", [False, True])
    def test_a_disconnection(self, close: bool) -> None:
        stage, _, ada, bob = staged(encode=raising(ValueError("no")))
        stage.server.sockets.sockets[ada.id].disconnect(close)
        stage.advance()
        assert ada.visitor.gone and not bob.visitor.gone
        assert reasons(stage) == [DisconnectReason.FORCED_SERVER_CLOSE]

    def test_a_disconnection_from_several_namespaces(self) -> None:
        parser = Faulty(encode=raising(ValueError("no")))
        stage = Stage(parser=parser)
        for name in ("/a", "/b"):
            stage.server.of(name)
        ada = Speaker(stage, OneText()).join().join("/a").join("/b")
        parser.armed = True
        stage.server.of("/b").sockets[ada.id].disconnect(True)
        stage.advance()
        assert ada.visitor.gone
        assert reasons(stage) == [DisconnectReason.FORCED_SERVER_CLOSE] * 3

    def test_an_acknowledgement(self) -> None:
        stage, _, ada, bob = staged(encode=raising(ValueError("no")))
        stage.server.on("ask", lambda socket: 1)
        ada.send(event("ask", id=1))
        (report,) = stage.runtime.reports
        assert report.trouble is Trouble.HANDLER
        assert not ada.visitor.gone and not bob.visitor.gone


class Codec:
    """JSON of the user's own, with a bug."""

    def dumps(self, value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    def loads(self, text: str) -> Any:
        if "bug" in text:
            raise KeyError("bug")
        return json.loads(text)


def test_a_json_codec_that_raises_ends_its_connection_too() -> None:
    stage = Stage(json=Codec())
    ada, bob = stage.connect(), stage.connect()
    ada.send('2["bug"]')
    stage.advance()
    assert ada.gone and not bob.gone
    assert "the parser raised KeyError('bug')" in stage.runtime.reports[0].text


def test_old_clients_speak_by_the_parser_too() -> None:
    """As in the reference, where Engine.IO 3 makes no difference to `new server._parser.Decoder()`."""
    stage = Stage(parser=MsgpackParser(), allow_eio3=True)
    stage.server.on("add", lambda socket, a, b: a + b)
    encode, feed = MsgpackParser().encoder().encode, MsgpackParser().decoder().feed
    link = Link(object(), Request("GET", "/socket.io/?EIO=3&transport=websocket"), now=stage.clock.now)
    stage.server.dispatch(stage.server.receive_upgrade(link, stage.clock.now))
    (message,) = encode(Packet(2, "/", ["add", 1, 2], 5))
    stage.server.dispatch(stage.server.receive_bytes(link, b"\x04" + message, stage.clock.now))
    sent = [packet for outgoing in link.take() for packet in outgoing.packets]
    got = [feed(packet.removeprefix(b"\x04")) for packet in sent if isinstance(packet, bytes)]
    assert got == [Packet(0, "/"), Packet(3, "/", [3], 5)]
