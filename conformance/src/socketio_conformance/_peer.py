"""What a replay needs of a server: connections that carry bytes, and time.

A peer may be a machine under virtual time, where `advance(25)` is instant, or a process behind TCP, where it
waits. The replay never looks inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Connection(Protocol):
    """One connection, from the client's side."""

    @property
    def ended(self) -> bool:
        """Whether the server has ended it; `receive` may still give what came before."""
        ...

    def send(self, data: bytes) -> None:
        """Give the server these bytes."""
        ...

    def receive(self) -> bytes:
        """Take what the server has sent since the last call; never waits."""
        ...

    def end(self) -> None:
        """End it, from the client's side and for good."""
        ...


class Peer(Protocol):
    """A server under test, freshly started with the configuration of one trace."""

    @property
    def has_log(self) -> bool:
        """Whether `take_log` tells what the server's handlers saw."""
        ...

    @property
    def patience(self) -> float:
        """Seconds that something due may take longer than in the trace; 0 under virtual time."""
        ...

    def open(self) -> Connection:
        """A new connection."""
        ...

    def advance(self, seconds: float) -> None:
        """Let this much time pass, and whatever happens meanwhile happen."""
        ...

    def take_log(self) -> list[Mapping[str, Any]]:
        """Remove and return the log entries since the last call."""
        ...
