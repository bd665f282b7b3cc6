"""Rooms, and whom a broadcast reaches."""

from __future__ import annotations

import random
import re
from typing import Any

from engineio_proto import Outgoing
from socketio_proto import BroadcastOptions, InMemoryAdapter, Namespace, SavedSession, SessionRestored

from tests.sim.socketio import Stage


def check(adapter: InMemoryAdapter) -> None:
    """Both indexes say the same, and nothing is empty."""
    by_room = {(id, room) for room, ids in adapter._rooms.items() for id in ids}
    by_socket = {(id, room) for id, rooms in adapter._sockets.items() for room in rooms}
    assert by_room == by_socket
    assert all(adapter._rooms.values())


def test_join_and_leave() -> None:
    adapter = Stage().server.sockets.adapter
    adapter.join("a", ["x", "y"])
    adapter.join("a", ["y"])
    adapter.join("b", ["x"])
    assert adapter.rooms("a") == {"x", "y"}
    assert adapter.members("x") == {"a", "b"}
    check(adapter)
    adapter.leave("a", "x")
    adapter.leave("a", "x")
    adapter.leave("c", "x")
    adapter.leave("a", "z")
    assert adapter.members("x") == {"b"}
    check(adapter)
    adapter.leave_all("a")
    adapter.leave_all("a")
    assert (adapter.rooms("a"), adapter.members("y")) == (frozenset(), frozenset())
    adapter.leave("b", "x")
    adapter.leave_all("b")
    assert (adapter._rooms, adapter._sockets) == ({}, {})


def test_select_is_what_a_naive_search_finds() -> None:
    stage = Stage()
    namespace = stage.server.sockets
    adapter = namespace.adapter
    ids = [stage.connect().id for _ in range(12)]
    rooms = list("pqrstu")
    choose = random.Random(5)
    for id in ids:
        adapter.join(id, choose.sample(rooms, choose.randrange(4)))
    adapter.join("joined by nobody who is connected", ["p"])
    names = rooms + ids[:3] + ["nobody's"]
    for _ in range(500):
        wanted = frozenset(choose.sample(names, choose.randrange(3)))
        excluded = frozenset(choose.sample(names, choose.randrange(3)))
        selected = [s.id for s in adapter.select(BroadcastOptions(rooms=wanted, except_=excluded))]
        naive = {
            id
            for id in ids
            if (not wanted or adapter.rooms(id) & wanted) and not adapter.rooms(id) & excluded
        }
        assert len(selected) == len(set(selected))
        assert set(selected) == naive
    check(adapter)


def test_one_message_for_all() -> None:
    stage = Stage()
    visitors = [stage.connect(polling=n % 2 == 0) for n in range(4)]
    for visitor in visitors[:3]:
        stage.socket(visitor).join("room")
    stage.server.to("room").emit("news", b"x")
    queued: list[Outgoing] = []
    for visitor in visitors:
        queued += stage.socket(visitor).conn.take_buffer()
    assert len(queued) == 3
    assert len({id(outgoing) for outgoing in queued}) == 1
    assert queued[0].packets == ('451-["news",{"_placeholder":true,"num":0}]', b"x")


def test_a_client_that_leaves_during_a_broadcast() -> None:
    """An overflow ends a session in the middle of the loop."""
    stage = Stage(max_send_buffer=100)
    visitors = [stage.connect(window=0) for _ in range(3)]
    for visitor in visitors:
        assert visitor.socket is not None
        visitor.socket.down.hold()
    for _ in range(4):
        stage.server.emit("x" * 40)
        stage.advance()
    assert stage.server.sockets.sockets == {}
    check(stage.server.sockets.adapter)


def test_a_server_that_is_alone_answers_at_once() -> None:
    stage = Stage()
    namespace = stage.server.sockets
    adapter = namespace.adapter
    task = stage.run(namespace.ask_adapter(adapter.server_count))
    assert task.value == [1]
    assert adapter.offset is None
    adapter.persist_session(SavedSession("id", "pid", frozenset(), {}, None))
    restoring: Any = object()
    (event,) = adapter.restore_session(restoring, "pid", None)
    assert isinstance(event, SessionRestored)
    assert (event.restoring, event.session, event.missed) == (restoring, None, ())
    adapter.answer((), 1)
    adapter.clients_counted((), 1)
    adapter.close()


def test_the_option_makes_the_adapter_of_each_namespace() -> None:
    made: list[str] = []

    def factory(namespace: Namespace) -> InMemoryAdapter:
        made.append(namespace.name)
        return InMemoryAdapter(namespace)

    stage = Stage(adapter=factory)
    stage.server.of("/a")
    assert made == ["/", "/a"]
    ada = stage.connect("/a")
    stage.server.of("/a").emit("hello")
    stage.advance()
    assert ada.take() == ['2/a,["hello"]']


def test_a_dynamic_namespace_that_ends_takes_its_sessions_along() -> None:
    stage = Stage(connection_state_recovery=True, cleanup_empty_child_namespaces=True)
    stage.server.of(re.compile("^/dyn-"))
    ada = stage.visitor()
    ada.send("0/dyn-1,")
    stage.advance()
    stage.server.of("/dyn-1").emit("hello")
    ada.leave()
    stage.advance()
    assert set(stage.server.namespaces) == {"/"}
    assert stage.server.adapter_timers.deadline is None
