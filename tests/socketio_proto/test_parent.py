"""Dynamic namespaces by pattern: parents, children, what they share, when they end."""

from __future__ import annotations

import re
from typing import Any

import pytest
from socketio_proto import LocalProtocolError, Namespace, ParentNamespace, ReservedEventError, Socket

from tests.sim.socketio import Stage

DYN = re.compile(r"^/dyn-\d+$")
INVALID = '{"message":"Invalid namespace"}'


def test_a_pattern_makes_a_namespace_when_a_client_asks_for_it() -> None:
    stage = Stage()
    parent = stage.server.of(DYN)
    assert isinstance(parent, ParentNamespace)
    assert set(stage.server.namespaces) == {"/"}
    ada = stage.connect("/dyn-101")
    child = stage.server.namespaces["/dyn-101"]
    assert parent.children == {"/dyn-101": child}
    assert child.parent is parent
    assert set(child.sockets) == {ada.id}
    ada.send("0/dyn-x,")
    stage.advance()
    assert ada.take() == [f"4/dyn-x,{INVALID}"]
    assert set(stage.server.namespaces) == {"/", "/dyn-101"}


def test_a_pattern_is_searched_for() -> None:
    """`RegExp.test` finds it anywhere; who means the whole name writes `^` and `$`."""
    stage = Stage()
    stage.server.of(re.compile("room"))
    assert stage.connect("/the-room-1").id


def test_the_same_pattern_is_the_same_parent() -> None:
    server = Stage().server
    assert server.of(DYN) is server.of(re.compile(DYN.pattern))
    assert server.of(DYN) is not server.of(re.compile(DYN.pattern, re.IGNORECASE))
    assert [parent.name for parent in server.dynamic.parents] == ["/_0", "/_1"]
    assert repr(server.of(DYN)) == r"<ParentNamespace /_0 re.compile('^/dyn-\\d+$') 0 children>"


@pytest.mark.parametrize("name", [None, 5, b"/a", re.compile(b"/a")])
def test_what_names_no_namespace(name: Any) -> None:
    with pytest.raises(TypeError, match="of: a namespace is a name, a compiled pattern of str or a function"):
        Stage().server.of(name)


def test_parents_are_asked_in_order() -> None:
    stage = Stage()
    first = stage.server.of(re.compile("^/a"))
    second = stage.server.of(re.compile("b$"))
    stage.connect("/ab")
    stage.connect("/xb")
    assert (set(first.children), set(second.children)) == ({"/ab"}, {"/xb"})


def test_a_static_namespace_comes_first() -> None:
    stage = Stage()
    static = stage.server.of("/dyn-1")
    parent = stage.server.of(DYN)
    stage.connect("/dyn-1")
    assert (len(static.sockets), parent.children) == (1, {})


def test_a_name_that_a_pattern_allows_is_made_as_its_child() -> None:
    stage = Stage()
    parent = stage.server.of(DYN)
    stage.server.of(lambda name, auth: 1 / 0)  # functions decide about clients only
    child = stage.server.of("/dyn-1")
    assert child.parent is parent
    assert stage.server.of("dyn-1") is child
    assert stage.server.of("/other").parent is None


def test_what_the_parent_has_is_the_childs_from_its_start() -> None:
    stage = Stage()
    parent = stage.server.of(DYN)
    seen: list[tuple[str, str]] = []

    def note(what: str) -> Any:
        def handler(socket: Socket, *rest: Any) -> str:
            seen.append((what, socket.namespace.name))
            return what

        return handler

    parent.use(note("use"))
    parent.on("connection", note("connection"))
    parent.on("chat", note("chat"))
    parent.on("disconnect", note("disconnect"))
    ada = stage.connect("/dyn-1")
    ada.send('2/dyn-1,7["chat"]')
    stage.advance()
    assert ada.take() == ['3/dyn-1,7["chat"]']
    ada.send("1/dyn-1,")
    stage.advance()
    assert seen == [(what, "/dyn-1") for what in ("use", "connection", "chat", "disconnect")]


def test_later_additions_are_for_later_children() -> None:
    stage = Stage()
    parent = stage.server.of(DYN)
    ada = stage.connect("/dyn-1")
    parent.on("chat", lambda socket: "late")
    parent.use(lambda socket: socket.data.update(late=True))
    bob = stage.connect("/dyn-2")
    ada.send('2/dyn-1,1["chat"]')
    bob.send('2/dyn-2,1["chat"]')
    stage.advance()
    assert (ada.take(), bob.take()) == ([], ['3/dyn-2,1["late"]'])
    assert stage.connect("/dyn-1").id
    assert stage.server.of("/dyn-1").middlewares == ()


def test_what_a_child_gets_is_its_own() -> None:
    stage = Stage()
    parent = stage.server.of(DYN)
    one, two = stage.server.of("/dyn-1"), stage.server.of("/dyn-2")
    one.on("chat", lambda socket: None)
    one.on("disconnect", lambda socket, reason: None)
    assert not (parent.handlers.events or two.handlers.events or two.handlers.lifecycle)


def test_new_namespace() -> None:
    stage = Stage()
    told: list[Namespace] = []
    stage.server.on("new_namespace", told.append)
    stage.server.of(DYN)
    stage.connect("/dyn-1")
    stage.connect("/dyn-1")
    assert told == [stage.server.of("/dyn-1")]


def test_what_new_namespace_adds_holds_for_the_first_client() -> None:
    """Its handler has run before the door opens, also for a second client in the same breath."""
    stage = Stage()
    stage.server.of(DYN)
    held: list[Socket] = []

    @stage.server.on("new_namespace")
    def created(namespace: Namespace) -> None:
        namespace.use(held.append)
        namespace.on("connection", lambda socket: socket.emit("hi"))

    ada, bob = stage.visitor(), stage.visitor()
    ada.send("0/dyn-1,")
    bob.send("0/dyn-1,")
    stage.advance()
    assert len(held) == 2
    for visitor in (ada, bob):
        assert [str(text)[:4] for text in visitor.take()] == ["0/dy", "2/dy"]


def test_emit_reaches_every_child() -> None:
    stage = Stage()
    parent = stage.server.of(DYN)
    ada, bob, eve = stage.connect("/dyn-1"), stage.connect("/dyn-2"), stage.connect()
    stage.socket(bob, "/dyn-2").join("room")
    parent.emit("all", 1)
    parent.to("room").emit("some")
    parent.except_("room").emit("others")
    stage.advance()
    assert ada.take() == ['2/dyn-1,["all",1]', '2/dyn-1,["others"]']
    assert bob.take() == ['2/dyn-2,["all",1]', '2/dyn-2,["some"]']
    assert eve.take() == []


def test_what_a_parent_cannot() -> None:
    stage = Stage()
    parent = stage.server.of(DYN)
    with pytest.raises(ReservedEventError):
        parent.emit("connect")
    asked = stage.run(parent.timeout(1.0).emit_with_ack("x"))
    assert isinstance(asked.error, LocalProtocolError)
    assert str(asked.error) == "emit_with_ack() is not supported on parent namespaces"


# Bounds.


def test_too_many() -> None:
    stage = Stage(max_dynamic_namespaces=2)
    stage.server.of(DYN)
    stage.server.of(re.compile("^/other"))
    ada = stage.connect("/dyn-1")
    ada.join("/other")
    ada.send("0/dyn-3,", "0/dyn-1,")
    ada.say_goodbye()
    bob = stage.visitor()
    bob.send("0/dyn-3,")
    stage.advance()
    assert bob.take() == ['4/dyn-3,{"message":"Too many namespaces (max_dynamic_namespaces=2)"}']
    assert bob.join("/dyn-1")


def test_a_name_too_long() -> None:
    asked: list[str] = []
    stage = Stage(max_dynamic_name=10)
    stage.server.of(lambda name, auth: asked.append(name))
    stage.server.of(DYN)
    ada = stage.connect("/dyn-12345")
    ada.send("0/dyn-123456,")
    stage.advance()
    assert ada.take() == [f"4/dyn-123456,{INVALID}"]
    assert asked == ["/dyn-12345"]


# The end of a child.


def children(stage: Stage) -> set[str]:
    return set(stage.server.namespaces) - {"/"}


def test_children_stay_unless_asked_otherwise() -> None:
    stage = Stage()
    stage.server.of(DYN)
    stage.connect("/dyn-1").leave()
    stage.advance()
    assert children(stage) == {"/dyn-1"}


def test_an_empty_child_ends() -> None:
    stage = Stage(cleanup_empty_child_namespaces=True)
    parent = stage.server.of(DYN)
    stage.server.of("/static")
    ada, bob = stage.connect("/dyn-1"), stage.connect("/dyn-1")
    first = stage.server.of("/dyn-1")
    ada.join("/static")
    ada.leave()
    stage.advance()
    assert children(stage) == {"/dyn-1", "/static"}
    bob.send("1/dyn-1,")
    stage.advance()
    assert children(stage) == {"/static"}
    assert parent.children == {}
    bob.join("/dyn-1")
    assert stage.server.of("/dyn-1") is not first


def test_the_handlers_of_the_last_disconnection_run() -> None:
    stage = Stage(cleanup_empty_child_namespaces=True)
    seen: list[Any] = []

    @stage.server.of(DYN).on("disconnecting")
    def disconnecting(socket: Socket, reason: str) -> None:
        seen.append((socket.namespace.name, set(socket.rooms) == {socket.id}, children(stage)))

    stage.connect("/dyn-1").leave()
    stage.advance()
    assert seen == [("/dyn-1", True, set())]


def test_a_refused_client_leaves_no_child() -> None:
    stage = Stage(cleanup_empty_child_namespaces=True)

    @stage.server.of(DYN).use
    def refuse(socket: Socket) -> None:
        raise ValueError

    ada = stage.visitor()
    ada.send("0/dyn-1,")
    stage.advance()
    assert ada.take() == ['4/dyn-1,{"message":"Internal error"}']
    assert children(stage) == set()


def test_a_client_that_still_joins_keeps_the_child() -> None:
    """The reference does not count it: its socket would live in a namespace that is no more."""
    stage = Stage(cleanup_empty_child_namespaces=True)
    gate = stage.runtime.waiter()

    @stage.server.of(DYN).use
    async def hold(socket: Socket) -> None:
        if socket.handshake.auth:
            await gate

    ada, bob, eve = stage.connect("/dyn-1"), stage.visitor(), stage.visitor()
    for visitor in (bob, eve):
        visitor.send('0/dyn-1,{"slow":1}')
    stage.advance()
    ada.leave()
    eve.leave()
    stage.advance()
    assert children(stage) == {"/dyn-1"}
    gate.set(None)
    stage.advance()
    assert len(stage.server.of("/dyn-1").sockets) == 1
    bob.leave()
    stage.advance()
    assert children(stage) == set()


def test_a_client_that_goes_while_it_joins_leaves_no_child() -> None:
    stage = Stage(cleanup_empty_child_namespaces=True)

    @stage.server.of(DYN).use
    async def hold(socket: Socket) -> None:
        await stage.runtime.waiter()

    ada = stage.visitor()
    ada.send("0/dyn-1,")
    stage.advance()
    assert children(stage) == {"/dyn-1"}
    ada.leave()
    stage.advance()
    assert children(stage) == set()


def test_the_server_closes() -> None:
    """Children end while it goes through the namespaces."""
    stage = Stage(cleanup_empty_child_namespaces=True)
    stage.server.of(DYN)
    visitors = [stage.connect(f"/dyn-{number}") for number in range(3)]
    stage.command(stage.server.close, stage.clock.now)
    assert all(visitor.gone for visitor in visitors)
    assert children(stage) == set()
