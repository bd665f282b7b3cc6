"""What a namespace does for its adapter, deliveries apart."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, assert_never

from ._adapter import (
    AdapterEvent,
    AnswerReceived,
    AnswersComplete,
    AnswersExpected,
    DeliveryReady,
    DisconnectReady,
    JoinReady,
    LeaveReady,
    ServerSideEventReceived,
    SessionRestored,
)

if TYPE_CHECKING:
    from ._namespace import Namespace


def apply_other(namespace: Namespace, event: AdapterEvent) -> None:
    """Do what an event says."""
    adapter = namespace.adapter
    match event:
        case JoinReady(options=options, rooms=rooms):
            for socket in adapter.select(options):
                socket.join(rooms)
        case LeaveReady(options=options, rooms=rooms):
            for socket in adapter.select(options):
                for room in rooms:
                    socket.leave(room)
        case DisconnectReady(options=options, close=close):
            for socket in adapter.select(options):
                if socket.connected:  # with `close`, one before may have had the same connection
                    socket.disconnect(close)
        case AnswersComplete(question=question):
            if not question.ended:
                question.completed(event.answers, event.missing)
        case AnswersExpected(ack=ack):
            ack.counted(event.clients)
        case AnswerReceived(ack=ack):
            ack.answered_elsewhere(event.value)
        case ServerSideEventReceived(request=request):
            reply = None if request is None else partial(adapter.answer, request)
            namespace.receive_server_side(event.name, event.args, reply)
        case SessionRestored():
            assert namespace.returning is not None  # who asks it has it
            namespace.returning.restored(event)
        case DeliveryReady():
            namespace.apply((event,))
        case _:
            assert_never(event)
