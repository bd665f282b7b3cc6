"""A core for plain WebSockets: what stands behind a wire where there is no Engine.IO.

Every upgrade is accepted, every message is a call, every other request gets the same answer. It makes no events, so
all its lists are empty, and has no deadline beside those of its wires.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Never

from engineio_proto import Dirty, Exchange, Link, LinkState, Outgoing, Response, Timers, WireOptions

_UPGRADE_REQUIRED: Final = Response(
    426, (("Upgrade", "websocket"), ("Content-Type", "text/plain")), b"This is a WebSocket server.\n"
)


class WebSocketCore:
    """Satisfies `Core`; give it to a `Pump`.

    Args:
        receive: called with the link and each message, text as `str`. It may `send` and `close_link`.
        options: the size of a message, compression, engines.
        answer: to a request that is no WebSocket handshake.

    Attributes:
        links: the open WebSockets.
        dirty, timers, wire_options: see `Engine`.
    """

    def __init__(
        self,
        receive: Callable[[Link, str | bytes], object],
        options: WireOptions,
        *,
        answer: Response = _UPGRADE_REQUIRED,
    ) -> None:
        self.wire_options = options
        self.dirty = Dirty()
        self.timers = Timers()
        self.links: set[Link] = set()
        self._receive = receive
        self._answer = answer

    # Commands.

    def send(self, link: Link, message: str | bytes, *, compress: bool = True) -> None:
        """Queue a message; nothing, once the WebSocket closes."""
        if link.state is LinkState.OPEN:
            link.push(Outgoing((message,), compress=compress))
            self.dirty.mark(link.owner)

    def close_link(self, link: Link) -> None:
        """Close one WebSocket, behind what is queued."""
        if link.state is LinkState.OPEN:
            link.close()
            self.dirty.mark(link.owner)

    def close(self, now: float) -> list[Never]:
        """Close every WebSocket."""
        for link in self.links:
            self.close_link(link)
        return []

    # Inputs, called by a wire.

    def owns(self, target: str) -> bool:
        """Every path is ours."""
        return True

    def receive_upgrade(self, link: Link, now: float) -> list[Never]:
        """A WebSocket handshake."""
        link.accept()
        self.links.add(link)
        return []

    def receive_text(self, link: Link, text: str, now: float) -> list[Never]:
        """A text message."""
        self._receive(link, text)
        return []

    def receive_bytes(self, link: Link, data: bytes, now: float) -> list[Never]:
        """A binary message."""
        self._receive(link, data)
        return []

    def link_blocked(self, link: Link) -> None:
        """Who does not read what we send may send no more: otherwise answers would pile up."""
        link.blocked = link.paused = True

    def link_writable(self, link: Link, now: float) -> list[Never]:
        """It reads again."""
        link.blocked = link.paused = False
        return []

    def link_closed(self, link: Link, now: float, error: str | None = None) -> list[Never]:
        """A WebSocket is over."""
        link.ended()
        self.links.discard(link)
        return []

    def receive_request(self, exchange: Exchange, now: float) -> list[Never]:
        """No WebSocket handshake. It is answered at once, so its body is thrown away."""
        exchange.answer(self._answer)
        return []

    def receive_body(self, exchange: Exchange, data: bytes, now: float) -> list[Never]:
        """Not called."""
        return []

    def receive_body_end(self, exchange: Exchange, now: float) -> list[Never]:
        """Not called."""
        return []

    def resume_body(self, exchange: Exchange, now: float) -> list[Never]:
        """Not called."""
        return []

    def exchange_closed(self, exchange: Exchange, now: float) -> list[Never]:
        """The peer is gone before it had its answer."""
        return []

    # Time and events.

    @property
    def deadline(self) -> float | None:
        """That of the wires."""
        return self.timers.deadline

    def handle_timeout(self, now: float) -> list[Never]:
        """Nothing is due here."""
        return []

    def take_events(self) -> list[Never]:
        """There are none."""
        return []
