"""Handlers as methods of a class."""

from __future__ import annotations

import re
from typing import Any

import pytest
from socketio_proto import Ack, ClassNamespace, LocalProtocolError, Namespace, ReservedEventError, Socket

from tests.sim.runtime import Start
from tests.sim.socketio import Stage


class Chat(ClassNamespace):
    def __init__(self, name: Any = "/chat") -> None:
        super().__init__(name)
        self.seen: list[Any] = []

    def on_connection(self, socket: Socket) -> None:
        self.seen.append("connection")
        socket.join("room")

    def on_disconnecting(self, socket: Socket, reason: str) -> None:
        self.seen.append(("disconnecting", "room" in socket.rooms))

    async def on_disconnect(self, socket: Socket, reason: str, description: str | None) -> None:
        self.seen.append(("disconnect", str(reason)))

    async def on_say(self, socket: Socket, text: str) -> str:
        await self.to("room").emit("said", text)
        return self.shout(text)

    @ClassNamespace.event("room:count")
    def count(self, socket: Socket, *, ack: Ack) -> None:
        ack(len(self.namespace.sockets))

    @staticmethod
    def on_static(socket: Socket) -> int:
        return 7

    def shout(self, text: str) -> str:
        return text.upper()


@pytest.mark.parametrize("start", Start)
def test_events_and_lifecycle(start: Start) -> None:
    stage = Stage(start=start)
    chat = Chat()
    namespace = stage.server.register_namespace(chat)
    assert namespace is stage.server.of("/chat") is chat.namespace
    ada = stage.connect("/chat")
    ada.send('2/chat,1["say","hi"]', '2/chat,2["room:count"]', '2/chat,3["static"]', '2/chat,4["shout","x"]')
    stage.advance()
    assert sorted(map(str, ada.take())) == [
        '2/chat,["said","hi"]',
        '3/chat,1["HI"]',
        "3/chat,2[1]",
        "3/chat,3[7]",
    ]
    ada.send("1/chat,")
    stage.advance()
    assert chat.seen == [
        "connection",
        ("disconnecting", True),
        ("disconnect", "client namespace disconnect"),
    ]


def test_beside_other_handlers_and_middlewares() -> None:
    stage = Stage()
    seen: list[str] = []
    namespace = stage.server.register_namespace(Chat())
    namespace.use(lambda socket: seen.append("use"))
    namespace.on("static", lambda socket: seen.append("function"))
    ada = stage.connect("/chat")
    ada.send('2/chat,1["static"]')
    stage.advance()
    assert (ada.take(), seen) == (["3/chat,1[7]"], ["use", "function"])


def test_dynamic_namespaces() -> None:
    stage = Stage()
    chat = Chat(re.compile("^/chat-"))
    stage.server.register_namespace(chat)
    ada, bob = stage.connect("/chat-1"), stage.connect("/chat-2")
    bob.send('2/chat-2,["say","hi"]')
    stage.advance()
    assert ada.take() == ['2/chat-1,["said","hi"]'], "it stands for all of them"


def test_the_main_namespace() -> None:
    class Main(ClassNamespace):
        def on_new_namespace(self, namespace: Namespace) -> None:
            created.append(namespace.name)

    created: list[str] = []
    stage = Stage()
    assert stage.server.register_namespace(Main()) is stage.server.sockets
    stage.server.of("/other")
    stage.advance()
    assert created == ["/other"]


def test_a_typo_registers_nothing() -> None:
    class Late(ClassNamespace):
        def on_a(self, socket: Socket) -> None: ...

        def on_connection(self) -> None: ...

    io = Stage().server
    late = Late("/late")
    with pytest.raises(TypeError, match=r"on\('connection'\): .*but is called with \(socket\)"):
        io.register_namespace(late)
    assert "/late" not in io.namespaces
    with pytest.raises(LocalProtocolError, match=r"<.*Late '/late'> is not registered"):
        late.emit("x")


def register(**methods: Any) -> None:
    Stage().server.register_namespace(type("Wrong", (ClassNamespace,), methods)("/x"))


@pytest.mark.parametrize(
    ("methods", "error", "match"),
    [
        ({"on_connect_error": lambda self, socket: None}, ReservedEventError, "connect_error"),
        ({"on_newListener": lambda self, socket: None}, ReservedEventError, "newListener"),
        (
            {"on_new_namespace": lambda self, namespace: None},
            ValueError,
            "on_new_namespace is only told on '/'",
        ),
        ({"on_": lambda self, socket: None}, TypeError, "on_ handles no event"),
        ({"on_chat": 5}, TypeError, "on_chat handles no event"),
        ({"on_chat": lambda self: None}, TypeError, r"on\('chat'\): .* takes no argument"),
        # What python-socketio passes.
        ({"on_connect": lambda self, sid, environ: None}, TypeError, r"is called with \(socket\)"),
        (
            {"on_a": lambda self, s: None, "b": ClassNamespace.event("a")(lambda self, s: None)},
            ValueError,
            "two methods for the event 'a'",
        ),
    ],
)
def test_wrong_methods(methods: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        register(**methods)


@pytest.mark.parametrize("given", [Chat, "/chat", None])
def test_what_is_no_such_object(given: Any) -> None:
    with pytest.raises(TypeError, match="takes an object of a subclass of ClassNamespace"):
        Stage().server.register_namespace(given)


def test_twice() -> None:
    stage = Stage()
    chat = Chat()
    stage.server.register_namespace(chat)
    with pytest.raises(LocalProtocolError, match="is registered already"):
        stage.server.register_namespace(chat)


def test_a_name_that_is_none() -> None:
    with pytest.raises(TypeError, match="event: an event's name must be a string, not 5"):
        ClassNamespace.event(5)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="of: a namespace is a name"):
        Stage().server.register_namespace(Chat(5))


def test_an_init_that_forgets_its_super() -> None:
    class Forgetful(ClassNamespace):
        def __init__(self) -> None:
            pass

    with pytest.raises(TypeError, match=r"Forgetful.__init__ must call super\(\).__init__\(name\)"):
        Stage().server.register_namespace(Forgetful())
