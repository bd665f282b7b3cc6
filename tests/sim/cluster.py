"""Several nodes over a simulated broker: an adapter that needs others for all that it does, under virtual time.

The broker has a stream: what a node publishes gets an offset there and comes to every node, its publisher included, in
one order. So a publisher delivers its own events when they come back, each with its offset. Besides, it carries answers
from node to node, and keeps sessions. Between a node and the broker are pipes with latency: one for all that the node
sends, which may be lost, one for the stream, and one for answers, which may overtake the stream or fall behind it.

`BusAdapter` is what an adapter for a real broker would be, but for the form of its messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from socketio_parser import Packet, PacketType
from socketio_proto import (
    AdapterEvent,
    AdapterEvents,
    AnswerReceived,
    AnswersComplete,
    AnswersExpected,
    BroadcastOptions,
    DeliveryReady,
    DisconnectReady,
    ForwardedAck,
    InMemoryAdapter,
    JoinReady,
    LeaveReady,
    Namespace,
    PendingAck,
    Question,
    Restoring,
    SavedSession,
    ServerSideEventReceived,
    SessionRestored,
    Socket,
    SocketDetails,
    reaches,
)

from tests.sim.clock import Clock
from tests.sim.pipe import Pipe
from tests.sim.socketio import Stage

REQUEST_TIMEOUT = 5.0
"""Seconds that other nodes may take to answer, and the broker with a session."""
PUBLISH_TIMEOUT = 2.0
"""Seconds that the broker may take to return what was published; then it is delivered on this node alone."""
DETECTION = 10.0
"""Seconds after which a dead node is known to be dead."""


@dataclass
class Message:
    """From or to a node. `serial` is the offset of what is in the stream."""

    kind: str
    uid: str
    key: int
    body: dict[str, Any]
    to: str | None = None
    serial: int = 0


class Broker:
    """The stream, the sessions, who is there."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.links: dict[str, BusLink] = {}
        self.stream: list[Message] = []
        self.sessions: dict[str, SavedSession] = {}

    def receive(self, message: Message) -> None:
        """Something came from a node."""
        match message.kind:
            case "persist":
                session: SavedSession = message.body["session"]
                self.sessions[session.pid] = session
            case "restore":
                self._restore(message)
            case _ if message.to is not None:
                if message.to in self.links:
                    self.links[message.to].answers.send(message)
            case _:
                message.serial = len(self.stream) + 1
                self.stream.append(message)
                for link in self.links.values():
                    link.down.send(message)

    def _restore(self, message: Message) -> None:
        session = self.sessions.pop(message.body["pid"], None)
        missed: list[Message] = []
        if session is not None:
            start = number(session.offset)
            offset = message.body["offset"]
            given = start if offset is None else number(offset)
            if start is None or given is None or given > len(self.stream):
                session = None
            else:
                later = self.stream[max(start, given) :]
                missed = [entry for entry in later if missable(entry, session.rooms)]
        body = {"session": session, "missed": missed, "tail": len(self.stream)}
        answer = Message("restored", "", message.key, body, to=message.uid)
        if message.uid in self.links:
            self.links[message.uid].answers.send(answer)

    def kill(self, uid: str) -> None:
        """A node is gone without a word. The others are told later."""
        self.links.pop(uid).cut()
        self.clock.call_later(DETECTION, lambda: self._lost(uid))

    def _lost(self, uid: str) -> None:
        for link in self.links.values():
            link.down.send(Message("lost", uid, 0, {}))


def number(offset: str | None) -> int | None:
    """The serial that an offset names."""
    head, _, tail = (offset or "").partition("-")
    return int(head) if head.isascii() and head.isdigit() and tail == "0" else None


def missable(entry: Message, rooms: frozenset[str]) -> bool:
    """Whether an entry is an event that a client in these rooms would miss."""
    return entry.kind == "broadcast" and entry.body["kept"] and reaches(entry.body["options"], rooms)


class BusLink:
    """A node's connection to the broker; an owner in its server's dirty set.

    Attributes:
        loses: asked for each message that the node sends, whether it is lost on the way.
    """

    def __init__(self, broker: Broker, uid: str, latency: float, answers: float) -> None:
        self.broker = broker
        self.uid = uid
        self.stage: NodeStage | None = None
        self.adapters: list[BusAdapter] = []
        self.loses: Callable[[Message], bool] = lambda message: False
        self.up: Pipe[Message] = Pipe(broker.clock, broker.receive, latency=latency)
        self.down: Pipe[Message] = Pipe(broker.clock, self._receive, latency=latency)
        self.answers: Pipe[Message] = Pipe(broker.clock, self._receive, latency=answers)
        broker.links[uid] = self

    def flush(self) -> None:
        """Send what the adapters have; called by the host."""
        for adapter in self.adapters:
            for message in adapter.take_messages():
                if not self.loses(message):
                    self.up.send(message)

    def cut(self) -> None:
        self.up.cut()
        self.down.cut()
        self.answers.cut()

    def _receive(self, message: Message) -> None:
        assert self.stage is not None
        (adapter,) = self.adapters
        server = self.stage.server
        self.stage.host.run(
            lambda: server.receive_adapter_events(adapter.namespace, adapter.receive(message))
        )


@dataclass
class Asked:
    """A question to the other nodes."""

    adapter: BusAdapter
    key: int
    question: Question | None
    waits_for: set[str]
    answers: list[Any] = field(default_factory=list)
    ack: PendingAck | None = None

    @property
    def namespace(self) -> Namespace:
        return self.adapter.namespace

    def handle_timeout(self, now: float) -> AdapterEvents:
        """What came is the answer."""
        self.adapter.asked.pop(self.key, None)
        if self.question is None:
            return ()
        text = f"timeout reached: missing {len(self.waits_for)} responses"
        return (AnswersComplete(self.question, self.answers, text),)

    def __hash__(self) -> int:
        return id(self)


@dataclass(eq=False)
class Later:
    """Something of this node that has a deadline."""

    namespace: Namespace
    act: Callable[[], AdapterEvents]

    def handle_timeout(self, now: float) -> AdapterEvents:
        return self.act()


class BusAdapter(InMemoryAdapter):
    """One namespace of one node.

    Attributes:
        consumed: the serial of the latest entry of the stream that came here.
        pending: what this node published or held back, in order, and what to do when its turn comes.
        asked: questions that other nodes have not all answered.
    """

    def __init__(self, namespace: Namespace, link: BusLink) -> None:
        super().__init__(namespace)
        self.link = link
        self.uid = link.uid
        link.adapters.append(self)
        self.consumed = len(link.broker.stream)
        self.pending: deque[tuple[int | None, Callable[[str | None], AdapterEvents]]] = deque()
        self.asked: dict[int, Asked] = {}
        self._restoring: dict[int, Restoring] = {}
        self._recent: list[Message] = []
        self._outbox: list[Message] = []
        self._keys = 0

    # Outputs.

    def take_messages(self) -> list[Message]:
        """What is to be sent."""
        taken, self._outbox = self._outbox, []
        return taken

    def _send(self, kind: str, body: dict[str, Any], *, to: str | None = None, key: int | None = None) -> int:
        if key is None:
            self._keys += 1
            key = self._keys
        self._outbox.append(Message(kind, self.uid, key, deepcopy(body), to))
        self.namespace.server.dirty.mark(self.link)
        return key

    def _publish(
        self, kind: str, body: dict[str, Any], act: Callable[[str | None], AdapterEvents]
    ) -> AdapterEvents:
        """Into the stream; `act` when it comes back."""
        key = self._send(kind, body)
        self.pending.append((key, act))
        self._after(PUBLISH_TIMEOUT, lambda: self._catch_up(key, None))
        return ()

    def _here(self, act: Callable[[str | None], AdapterEvents]) -> AdapterEvents:
        """For this node alone, behind what is pending."""
        if not self.pending:
            return act(None)
        self.pending.append((None, act))
        return ()

    def _after(self, seconds: float, act: Callable[[], AdapterEvents]) -> Later:
        server = self.namespace.server
        later = Later(self.namespace, act)
        server.adapter_timers.arm(later, server.runtime.now() + seconds)
        return later

    @property
    def _others(self) -> set[str]:
        return set(self.link.broker.links) - {self.uid}

    # Commands.

    def broadcast(
        self, packet: Packet, options: BroadcastOptions, ack: PendingAck | None = None
    ) -> AdapterEvents:
        self.namespace.server.encode(packet)  # raises for what cannot be sent
        data: list[Any] = deepcopy(packet.data)
        kept = packet.id is None and not options.volatile and ack is None
        id = packet.id

        def act(offset: str | None) -> AdapterEvents:
            return (self._delivery(data, id, options, ack, offset if kept else None),)

        if options.local or (id is not None and ack is None):  # the latter is for one socket, of this node
            return self._here(act)
        body = {"data": data, "options": options, "kept": kept, "acks": ack is not None}
        if ack is not None:
            others = self._others
            ack.nodes += len(others)
            self.asked[self._keys + 1] = Asked(self, self._keys + 1, None, others, ack=ack)
            self._arm(self.asked[self._keys + 1], options.timeout)
        return self._publish("broadcast", body, act)

    def _delivery(
        self,
        data: list[Any],
        id: int | None,
        options: BroadcastOptions,
        ack: PendingAck | None,
        offset: str | None,
    ) -> DeliveryReady:
        data = list(data)
        if offset is not None:
            data.append(offset)
        elif options.volatile and id is None and len(data) > 1 and isinstance(data[-1], str):
            data.append(self.offset)
        packet = Packet(PacketType.EVENT, self.namespace.name, data, id)
        outgoing = self.namespace.server.encode(packet, compress=options.compress)
        return DeliveryReady(packet, outgoing, options, ack)

    def sockets_join(self, options: BroadcastOptions, rooms: frozenset[str]) -> AdapterEvents:
        body = {"options": options, "rooms": rooms}
        return self._publish("join", body, lambda offset: (JoinReady(options, rooms),))

    def sockets_leave(self, options: BroadcastOptions, rooms: frozenset[str]) -> AdapterEvents:
        body = {"options": options, "rooms": rooms}
        return self._publish("leave", body, lambda offset: (LeaveReady(options, rooms),))

    def disconnect_sockets(self, options: BroadcastOptions, close: bool) -> AdapterEvents:
        body = {"options": options, "close": close}
        return self._publish("disconnect", body, lambda offset: (DisconnectReady(options, close),))

    def fetch_sockets(self, options: BroadcastOptions, question: Question) -> AdapterEvents:
        here: list[Any] = list(self.select(options))
        if options.local or not self._others:
            return (AnswersComplete(question, here),)
        return self._ask("fetch", {"options": options}, question, here)

    def server_side_emit(
        self, name: str, args: Sequence[Any], question: Question | None = None
    ) -> AdapterEvents:
        body = {"name": name, "args": list(args), "acks": question is not None}
        if question is None:
            self._send("event", body)
            return ()
        if not self._others:
            return (AnswersComplete(question, []),)
        return self._ask("event", body, question, [])

    def _ask(self, kind: str, body: dict[str, Any], question: Question, here: list[Any]) -> AdapterEvents:
        key = self._send(kind, body)
        self.asked[key] = Asked(self, key, question, self._others, here)
        self._arm(self.asked[key], question.timeout)
        return ()

    def _arm(self, asked: Asked, timeout: float | None) -> None:
        server = self.namespace.server
        server.adapter_timers.arm(asked, server.runtime.now() + (timeout or REQUEST_TIMEOUT))

    def clients_counted(self, request: object, clients: int) -> None:
        uid, key = self._address(request)
        self._send("clients", {"clients": clients}, to=uid, key=key)

    def answer(self, request: object, value: Any) -> None:
        uid, key = self._address(request)
        self._send("answer", {"value": value}, to=uid, key=key)

    def _address(self, request: object) -> tuple[str, int]:
        assert isinstance(request, tuple)
        return request

    def server_count(self, question: Question) -> AdapterEvents:
        return (AnswersComplete(question, [len(self.link.broker.links)]),)

    @property
    def offset(self) -> str:
        return f"{self.consumed}-0"

    def persist_session(self, session: SavedSession) -> None:
        self._send("persist", {"session": session})

    def restore_session(self, restoring: Restoring, pid: str, offset: str | None) -> AdapterEvents:
        key = self._send("restore", {"pid": pid, "offset": offset})
        self._restoring[key] = restoring

        def give_up() -> AdapterEvents:
            return (SessionRestored(restoring, None, ()),) if self._forget(key) else ()

        self._after(REQUEST_TIMEOUT, give_up)
        return ()

    def _forget(self, key: int) -> bool:
        known = self._restoring.pop(key, None) is not None
        if not self._restoring:
            self._recent.clear()
        return known

    def close(self) -> None:
        self.link.broker.links.pop(self.uid, None)

    # The input.

    def receive(self, message: Message) -> list[AdapterEvent]:
        """Something came from the broker."""
        match message.kind:
            case "restored":
                return self._restored(message)
            case "lost":
                return self._lost(message.uid)
            case "clients" | "answer" | "sockets":
                return self._answered(message)
            case _:
                assert message.serial == self.consumed + 1, "the stream has a hole"
                self.consumed = message.serial
                if self._restoring:
                    self._recent.append(message)
                if message.uid == self.uid:
                    return self._catch_up(message.key, self.offset)
                return list(self._of_another(message, deepcopy(message.body)))

    def _catch_up(self, key: int, offset: str | None) -> list[AdapterEvent]:
        """The stream has brought this entry of ours, or will not: do it, and what stands before it."""
        if all(known != key for known, _ in self.pending):
            return []
        events: list[AdapterEvent] = []
        while self.pending:
            known, act = self.pending.popleft()
            events.extend(act(offset if known == key else None))
            if known == key:
                break
        while self.pending and self.pending[0][0] is None:
            events.extend(self.pending.popleft()[1](None))
        return events

    def _of_another(self, message: Message, body: dict[str, Any]) -> Iterable[AdapterEvent]:
        request = (message.uid, message.key)
        match message.kind:
            case "broadcast":
                options: BroadcastOptions = body["options"]
                ack = id = None
                if body["acks"]:
                    id = self.namespace.next_ack_id()
                    ack = ForwardedAck(id, self, request)
                    self._after(options.timeout or REQUEST_TIMEOUT, lambda: ack.abandon() or ())
                offset = self.offset if body["kept"] else None
                yield self._delivery(body["data"], id, options, ack, offset)
            case "join":
                yield JoinReady(body["options"], body["rooms"])
            case "leave":
                yield LeaveReady(body["options"], body["rooms"])
            case "disconnect":
                yield DisconnectReady(body["options"], body["close"])
            case "fetch":
                found = [_details(socket) for socket in self.select(body["options"])]
                self._send("sockets", {"sockets": found}, to=message.uid, key=message.key)
            case "event":
                yield ServerSideEventReceived(body["name"], body["args"], request if body["acks"] else None)
            case other:
                raise AssertionError(other)

    def _answered(self, message: Message) -> list[AdapterEvent]:
        asked = self.asked.get(message.key)
        if asked is None:  # too late
            return []
        if asked.ack is not None:
            if message.kind == "answer":
                return [AnswerReceived(asked.ack, message.body["value"])]
            asked.waits_for.discard(message.uid)
            return [AnswersExpected(asked.ack, message.body["clients"])]
        asked.answers += [message.body["value"]] if message.kind == "answer" else message.body["sockets"]
        asked.waits_for.discard(message.uid)
        return self._complete(asked)

    def _lost(self, uid: str) -> list[AdapterEvent]:
        events: list[AdapterEvent] = []
        for asked in [asked for asked in self.asked.values() if uid in asked.waits_for]:
            asked.waits_for.discard(uid)
            if asked.ack is not None:
                events.append(AnswersExpected(asked.ack, 0))
            else:
                events.extend(self._complete(asked))
        return events

    def _complete(self, asked: Asked) -> list[AdapterEvent]:
        if asked.waits_for or asked.question is None:
            return []
        del self.asked[asked.key]
        self.namespace.server.adapter_timers.cancel(asked)
        return [AnswersComplete(asked.question, asked.answers)]

    def _restored(self, message: Message) -> list[AdapterEvent]:
        restoring = self._restoring.get(message.key)
        recent = list(self._recent)
        if restoring is None or not self._forget(message.key):  # too late: the session is lost
            return []
        session: SavedSession | None = message.body["session"]
        if session is None:
            return [SessionRestored(restoring, None, ())]
        # Up to where this node has come: what is behind that will be delivered to the socket itself.
        tail: int = message.body["tail"]
        missed = [entry for entry in message.body["missed"] if entry.serial <= self.consumed]
        missed += [e for e in recent if e.serial > tail and missable(e, session.rooms)]
        outgoing = [
            self._delivery(e.body["data"], None, e.body["options"], None, f"{e.serial}-0").outgoing
            for e in missed
        ]
        return [SessionRestored(restoring, deepcopy(session), outgoing)]


def _details(socket: Socket) -> SocketDetails:
    handshake = {"auth": socket.handshake.auth, "address": socket.handshake.address}
    return SocketDetails(socket.id, socket.rooms, deepcopy(socket.data), handshake)


class NodeStage(Stage):
    """One node: a server with a link to the broker."""

    def __init__(self, broker: Broker, uid: str, *, latency: float, answers: float, **options: Any) -> None:
        self.uid = uid
        self.link = BusLink(broker, uid, latency, answers)
        super().__init__(
            clock=broker.clock,
            adapter=lambda namespace: BusAdapter(namespace, self.link),
            connection_state_recovery=True,
            **options,
        )
        self.link.stage = self

    def random(self, size: int) -> bytes:
        self._ids += 1
        return self.uid.encode().ljust(size - 4, b"\0") + self._ids.to_bytes(4, "big")

    @property
    def adapter(self) -> BusAdapter:
        adapter = self.server.sockets.adapter
        assert isinstance(adapter, BusAdapter)
        return adapter

    def settle(self) -> None:
        """Look after what commands caused."""
        self._pass()


class Cluster:
    """Nodes, a broker and a clock.

    Args:
        latencies: seconds between each node and the broker.
        answers: seconds that an answer takes from the broker to a node.
    """

    def __init__(
        self, latencies: Sequence[float] = (0.01, 0.03), *, answers: float = 0.02, **options: Any
    ) -> None:
        self.clock = Clock()
        self.broker = Broker(self.clock)
        self.nodes = [
            NodeStage(self.broker, f"node{n}", latency=latency, answers=answers, **options)
            for n, latency in enumerate(latencies)
        ]

    def advance(self, seconds: float = 0.0) -> None:
        for node in self.nodes:
            node.settle()
        self.clock.advance(seconds)

    def kill(self, node: NodeStage) -> None:
        """It is gone, with its clients' connections."""
        self.broker.kill(node.uid)
        self.nodes.remove(node)
        self.clock.machines.remove(node.host)
