"""Dynamic namespaces over any course of events: clients that ask, leave, vanish; functions that answer late.

What holds after every step: a namespace exists for every client in it; children and their parents agree; with
`cleanup_empty_child_namespaces` nobody's namespace is gone, and nobody's stays.
"""

from __future__ import annotations

import re
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from socketio_proto import Namespace, Socket

from tests.sim.runtime import Start
from tests.sim.socketio import Stage, Visitor

NAMES = st.sampled_from(["/dyn-1", "/dyn-2", "/fn-1", "/fn-2", "/none"])


class DynamicNamespaces(RuleBasedStateMachine):
    @initialize(cleanup=st.booleans(), start=st.sampled_from(Start))
    def begin(self, cleanup: bool, start: Start) -> None:
        self.cleanup = cleanup
        self.stage = Stage(start=start, cleanup_empty_child_namespaces=cleanup, max_dynamic_namespaces=3)
        self.server = self.stage.server
        self.visitors: list[Visitor] = []
        self.questions: list[Any] = []
        self.doors: list[Any] = []
        self.created: list[str] = []
        self.connected: dict[str, int] = {}
        self.server.on("new_namespace", lambda namespace: self.created.append(namespace.name))
        self.parents = [self.server.of(re.compile("^/dyn-")), self.server.of(self.decide)]
        for parent in self.parents:
            parent.use(self.door)
            parent.on("connection", self.entered)
            parent.on("disconnect", self.left)

    async def decide(self, name: str) -> bool:
        if not name.startswith("/fn-"):
            return False
        question = self.stage.runtime.waiter()
        self.questions.append(question)
        return bool(await question)

    async def door(self, socket: Socket) -> None:
        if socket.handshake.auth.get("slow"):
            gate = self.stage.runtime.waiter()
            self.doors.append(gate)
            if not await gate:
                raise ValueError("refused")

    def entered(self, socket: Socket) -> None:
        self.connected[socket.id] = self.connected.get(socket.id, 0) + 1

    def left(self, socket: Socket, reason: str) -> None:
        self.connected[socket.id] -= 1

    def one(self, data: st.DataObject) -> Visitor:
        """A client that is there; a new one now and then."""
        there = [visitor for visitor in self.visitors if not visitor.gone]
        if len(there) < 2 or (len(there) < 5 and data.draw(st.booleans(), "another")):
            there = [self.stage.visitor()]
            self.visitors += there
        return data.draw(st.sampled_from(there), "who")

    def places(self, visitor: Visitor) -> set[str]:
        """Where the client is, or is about to be."""
        session = self.server.engine.sessions.get(visitor.sid)
        return {*session.user.sockets, *session.user.joining} if session is not None else set()

    @rule(data=st.data(), name=NAMES, slow=st.booleans())
    def knock(self, data: st.DataObject, name: str, slow: bool) -> None:
        visitor = self.one(data)
        if name not in self.places(visitor):
            visitor.send(f"0{name}," + ('{"slow":1}' if slow else ""))
            self.stage.advance()

    @rule(data=st.data(), name=NAMES)
    def depart(self, data: st.DataObject, name: str) -> None:
        visitor = self.one(data)
        if name in self.places(visitor):  # where it still joins, it is a violation: the connection closes
            visitor.send(f"1{name},")
            self.stage.advance()

    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        self.one(data).leave()
        self.stage.advance()

    @rule(answer=st.booleans(), data=st.data())
    def answer(self, answer: bool, data: st.DataObject) -> None:
        waiting = self.questions + self.doors
        if waiting:
            gate = data.draw(st.sampled_from(waiting), "who is answered")
            (self.questions if gate in self.questions else self.doors).remove(gate)
            gate.set(answer)
            self.stage.advance()

    @rule(name=NAMES)
    def disconnect_all(self, name: str) -> None:
        if name in self.server.namespaces:
            self.server.namespaces[name].disconnect_sockets(close=True)
            self.stage.advance()

    def teardown(self) -> None:
        """The server ends with whoever is in it."""
        if hasattr(self, "stage"):
            self.stage.command(self.server.close, self.stage.clock.now)
            assert not self.connections()
            self.all_agree()

    def connections(self) -> list[Any]:
        return [session.user for session in self.server.engine.sessions.values() if session.user is not None]

    @invariant()
    def all_agree(self) -> None:
        if not hasattr(self, "stage"):
            return
        children = {name: child for parent in self.parents for name, child in parent.children.items()}
        assert {**children, "/": self.server.sockets} == self.server.namespaces
        assert len(children) <= 3
        connections = self.connections()
        inside = [socket for connection in connections for socket in connection.sockets.values()]
        at_the_door = [
            waiting
            for connection in connections
            for waiting in connection.joining.values()
            if isinstance(waiting, Socket)
        ]
        for name, child in children.items():
            self.agree(child, [socket for socket in inside if socket.namespace.name == name], at_the_door)
            if self.cleanup:
                assert child.sockets or child.joining
        for socket in (*inside, *at_the_door):
            assert self.server.namespaces[socket.namespace.name] is socket.namespace
        assert {id for id, count in self.connected.items() if count} == {socket.id for socket in inside}
        assert set(self.connected.values()) <= {0, 1}
        if not self.cleanup:
            assert sorted(self.created) == sorted(children)

    def agree(self, child: Namespace, inside: list[Socket], at_the_door: list[Socket]) -> None:
        assert set(child.sockets) == {socket.id for socket in inside}
        assert child.joining == len([socket for socket in at_the_door if socket.namespace is child])


TestDynamicNamespaces = DynamicNamespaces.TestCase
TestDynamicNamespaces.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
