"""What a namespace asked its adapter: a command carries it there, an event brings it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._errors import AnswersMissing

if TYPE_CHECKING:
    from ._connection import Connection
    from ._namespace import Namespace
    from ._runtime import Waiter


class Question:
    """To the other nodes; a task awaits the answers.

    Args:
        waiter: what it awaits.
        timeout: seconds that the answers may take; the adapter sees to it. None leaves the choice to the adapter.

    Attributes:
        ended: nobody waits any more; an adapter may forget the question.
    """

    __slots__ = ("ended", "timeout", "waiter")

    def __init__(self, waiter: Waiter, timeout: float | None = None) -> None:
        self.waiter = waiter
        self.timeout = timeout
        self.ended = False

    def completed(self, answers: list[Any], missing: str | None) -> None:
        """The adapter's answer; `missing` is why it is not whole."""
        if missing is None:
            self.waiter.set(answers)
        else:
            self.waiter.fail(AnswersMissing(missing, answers))


class Restoring:
    """For a session; a client waits at the door of a namespace.

    Attributes:
        ended: the client is gone. What is restored all the same must be kept for its next attempt.
    """

    __slots__ = ("auth", "connection", "ended", "namespace")

    def __init__(self, namespace: Namespace, connection: Connection, auth: dict[str, Any]) -> None:
        self.namespace = namespace
        self.connection = connection
        self.auth = auth
        self.ended = False
