"""What all wires of one server share: the engine, the bounds and the deadlines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar, cast

from engineio_proto import Engine

from ._codec import CodecSettings, FrameCodec, WebSocketEngine
from ._config import WireConfig
from ._deadlines import Deadlines, Waiting
from ._events import WireEvent
from ._http_engine import http_engine
from ._negotiation import DeflateParameters
from ._websocket import WebSocketSide
from ._wire import Wire
from ._writer import Writer
from ._wsproto_codec import WsprotoEngine

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
        options = engine.wire_options
        self.http_engine = http_engine(options.http_engine)
        self.max_message_size = options.max_message_size
        self.per_message_deflate = options.per_message_deflate
        self.websocket = options.websocket
        self.direct_path = options.ws_engine is None
        self._ours = options.ws_engine in (None, "wsproto")
        self._ws_engine = WsprotoEngine() if self._ours else cast(WebSocketEngine, options.ws_engine)
        self._plain = CodecSettings(self.max_message_size, self.config.max_fragments, None)
        # Payload of a frame that `Wire.receive_bytes` may read at once.
        self.short_limit = min(125, self.max_message_size) if self.direct_path else -1
        self.deadlines: Deadlines[Wire[E]] = Deadlines(engine.timers, self.config)

    def codec(self) -> FrameCodec:
        """A codec for what the direct path leaves over, up to the next idle boundary."""
        return self._ws_engine.codec(self._plain)

    def lasting_side(self, deflate: DeflateParameters | None) -> WebSocketSide | None:
        """What a connection keeps from its 101 to its end; None for a plain one, which holds nothing between frames."""
        if deflate is None and self._ours:
            return None
        settings = self._plain if deflate is None else replace(self._plain, deflate=deflate)
        codec = self._ws_engine.codec(settings)
        return WebSocketSide(codec, Writer(codec, deflate, shares=self._ours))

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
