"""Acknowledgements, both ways.

A client that asks for one gets it from the handler's return value, or from an `Ack` that the handler calls
later. When the server asks, the answer is awaited: one `PendingAck` per question, under the same id on each
socket that was asked, gone when answered, timed out, disconnected or cancelled.
Source: Socket.IO protocol 5, "Acknowledgement"; `packages/socket.io/lib/socket.ts`, `_onack`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ._errors import AckDisconnected, AckTimeout
from ._runtime import Waiter

if TYPE_CHECKING:
    from ._adapter import Adapter
    from ._events import EventReceived
    from ._socket import Socket


class Ack:
    """Answers a client's event: call it with the answer's arguments. Only the first call counts.

    A handler gets one by annotating its last parameter: `def save(socket, doc, ack: Ack)`.
    """

    __slots__ = ("_event",)

    def __init__(self, event: EventReceived | None) -> None:
        self._event = event

    @property
    def wanted(self) -> bool:
        """Whether the client asked for an answer that it has not got yet."""
        return self._event is not None and self._event.ack_id is not None

    def __call__(self, *args: Any) -> None:
        event, self._event = self._event, None
        if event is not None:
            event.answer(list(args))


class PendingAck:
    """One question of the server, to one socket or to many.

    Args:
        waiter: what the asking task awaits.
        single: True when one socket was asked: the waiter gets its answer; else the list of all answers.

    Attributes:
        waiting: the sockets of this node that have not answered.
        ended: nobody waits any more; what comes late does nothing.
        nodes: those that have not said yet how many clients they asked; one of them is this.
        remote: clients of other nodes that have not answered.
    """

    __slots__ = ("_lost", "ended", "id", "nodes", "remote", "responses", "single", "waiter", "waiting")

    def __init__(self, ack_id: int, waiter: Waiter, *, single: bool) -> None:
        self.id = ack_id
        self.waiter = waiter
        self.single = single
        self.waiting: set[Socket] = set()
        self.ended = False
        self.nodes = 1
        self.remote = 0
        self.responses: list[Any] = []
        self._lost = False

    def ask(self, socket: Socket) -> None:
        """Expect an answer from this socket. One that owes too many already is not waited for."""
        if self.ended:
            return
        if socket.owes_too_many:
            self._lost = True
        else:
            self.waiting.add(socket)
            socket.expect_ack(self)

    def answered(self, socket: Socket, args: list[Any]) -> None:
        """An ACK packet came."""
        self.waiting.discard(socket)
        if self.single:
            self.waiter.set(_value(args))
            return
        # Of many, only the first argument of each is collected. Source: `broadcast-operator.ts`, `emit`.
        self.responses.append(args[0] if args else None)
        self._resolve_if_complete()

    def delivered(self) -> None:
        """The sockets of this node were asked."""
        self.counted(0)

    def counted(self, clients: int) -> None:
        """A node asked so many clients of its own; of this one they are in `waiting`."""
        self.nodes -= 1
        self.remote += clients
        self._resolve_if_complete()

    def answered_elsewhere(self, value: Any) -> None:
        """A client of another node answered."""
        self.remote -= 1
        self.responses.append(value)
        self._resolve_if_complete()

    def _resolve_if_complete(self) -> None:
        """All have answered, or none was asked."""
        if not (self.ended or self.waiting or self.nodes or self.remote or self._lost):
            self.waiter.set(self.responses)

    def disconnected(self, socket: Socket) -> None:
        """A socket that was asked is gone. Of many, its answer stays missing until the timeout, as in the reference."""
        self.waiting.discard(socket)
        self._lost = True
        if self.single:
            self.waiter.fail(AckDisconnected())

    def timed_out(self) -> None:
        """The deadline passed."""
        self.abandon()
        self.waiter.fail(AckTimeout(self.responses))

    def abandon(self) -> None:
        """Nobody waits any more: forget the question on every socket."""
        self.ended = True
        for socket in self.waiting:
            socket.forget_ack(self)
        self.waiting.clear()


class _Nobody:
    """Nobody awaits here what another node asked."""

    def set(self, value: Any) -> None:
        pass

    def fail(self, error: Exception) -> None:
        pass

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError


class ForwardedAck(PendingAck):
    """A question of another node to many: what the sockets of this node answer goes back there.

    Args:
        adapter: sends it.
        request: what the adapter calls the question.
    """

    __slots__ = ("_adapter", "_request")

    def __init__(self, ack_id: int, adapter: Adapter, request: object) -> None:
        super().__init__(ack_id, _Nobody(), single=False)
        self._adapter = adapter
        self._request = request

    def delivered(self) -> None:
        """Tell how many answers may come."""
        self._adapter.clients_counted(self._request, len(self.waiting))

    def answered(self, socket: Socket, args: list[Any]) -> None:
        """An ACK packet came."""
        self.waiting.discard(socket)
        self._adapter.answer(self._request, args[0] if args else None)


def _value(args: list[Any]) -> Any:
    """What an awaited ack returns: nothing is None, one argument is itself, several are a tuple."""
    if not args:
        return None
    return args[0] if len(args) == 1 else tuple(args)
