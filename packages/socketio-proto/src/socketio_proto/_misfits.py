"""Events whose arguments do not fit their handler: told to the user, but not for ever.

A misfit may be a client's doing or the user's mistake, such as a parameter for a callback that Node would pass. The
first of each handler is told loudly; then a few of each connection, as one of many things that clients do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from engineio_proto import SessionState

from ._runtime import Report, Runtime, Trouble

if TYPE_CHECKING:
    from ._events import EventReceived
    from ._handlers import Handler

_PER_CONNECTION: Final = 3


class Misfits:
    """Those of one server.

    Args:
        runtime: takes the reports.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._told: WeakSet[Any] = WeakSet()

    def report(self, event: EventReceived, handler: Handler, before: int = 1) -> None:
        """`before`: what the handler takes before the arguments."""
        connection = event.socket.connection
        if connection.session.state is SessionState.CLOSED or connection.misfits >= _PER_CONNECTION:
            return
        connection.misfits += 1
        given, least, most = len(event.args), max(handler.least - before, 0), handler.most - before
        takes = f"{least}" if least == most else f"{least} or more" if most > 1000 else f"{least} to {most}"
        text = f"event {event.name!r} of {event.socket!r} came with {given} arguments; {handler!r} takes {takes}"
        if event.ack_id is not None and not handler.ack and least == given + 1:
            text += ": return the acknowledgement, or annotate the last parameter with Ack"
        # One that is put on each socket is the same code.
        told = getattr(handler.listener, "__code__", handler)
        trouble = Trouble.MISFIT if told in self._told else Trouble.FIRST_MISFIT
        self._told.add(told)
        self._runtime.report(Report(trouble, text))
