"""What all wires of one server share: the engine, the bounds and the deadlines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from engineio_proto import Engine

from ._config import WireConfig
from ._deadlines import Deadlines, Waiting
from ._events import WireEvent
from ._http_engine import http_engine
from ._wire import Wire

E = TypeVar("E")


class WireServer(Generic[E]):
    """Makes the wires of one engine.

    Args:
        engine: an `EngineServer`, or whatever wraps one.
        config: the bounds.
        http_date: gives the `Date` header's value (RFC 9110 5.6.7); without it none is written.

    Raises:
        ImportError: the engine's option `http_engine` names a parser that is not installed.

    Attributes:
        http_engine: parses the heads of requests.
        deadlines: of all wires, in the engine's `timers`.
    """

    def __init__(
        self,
        engine: Engine[E],
        config: WireConfig | None = None,
        *,
        http_date: Callable[[], str] | None = None,
    ) -> None:
        self.engine = engine
        self.config = config if config is not None else WireConfig()
        self.http_date = http_date
        self.http_engine = http_engine(engine.wire_options.http_engine)
        self.max_message_size = engine.wire_options.max_message_size
        # Payload of a frame that `Wire.receive_bytes` may read at once.
        self.short_limit = min(125, self.max_message_size)
        self.deadlines: Deadlines[Wire[E]] = Deadlines(engine.timers, self.config)
        self.direct_path = True

    def use_wsproto_for_every_frame(self) -> None:
        """Turn the direct path off: for the differential property test, and to look for a fault in it."""
        self.direct_path = False
        self.short_limit = -1

    def wire(self, *, now: float, remote_address: str = "", secure: bool = False) -> Wire[E]:
        """The machine of a new connection.

        Args:
            now: monotonic seconds; the first request's head must be complete `head_timeout` later.
            remote_address: the peer's IP address.
            secure: whether the connection is TLS.
        """
        wire = Wire(self, remote_address, secure)
        self.deadlines.arm(Waiting.HEAD, wire, now)
        return wire

    def handle_timeout(self, now: float) -> list[E | WireEvent]:
        """Do what is due; early or twice it does nothing."""
        events: list[E | WireEvent] = []
        for wire in self.deadlines.take_due(now):
            events += wire.handle_timeout(now)
        return events
