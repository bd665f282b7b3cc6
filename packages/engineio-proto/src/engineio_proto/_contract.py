"""What a wire drives: the seam between bytes and protocol.

`EngineServer` satisfies it alone; a `socketio_proto.Server` wraps an engine and satisfies it too, so a wire never
knows which of them it serves. Every input returns events, to be dispatched in order; outputs are pulled from
the exchange or link whose owner `dirty` holds.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from ._dirty import Dirty
from ._exchange import Exchange
from ._link import Link
from ._timers import Timers
from ._wire_options import WireOptions

Event = TypeVar("Event")


class Engine(Protocol[Event]):
    """The inputs that a wire may call. `now` is monotonic seconds, clamped so that it never runs backwards.

    All of them return the events that followed, oldest first. None raises because of what a peer sent.
    """

    @property
    def dirty(self) -> Dirty:
        """The owners with something to take."""
        ...

    @property
    def timers(self) -> Timers:
        """The one clock, shared with the wires."""
        ...

    @property
    def wire_options(self) -> WireOptions:
        """What the wire must honour."""
        ...

    def owns(self, target: str) -> bool:
        """Whether a request target lies under the engine's path."""
        ...

    def receive_request(self, exchange: Exchange, now: float) -> list[Event]:
        """A request's head arrived. Afterwards `exchange.wants_body` says whether to feed its body; while it is
        `undecided`, hold the body back, and look again when its owner was marked dirty."""
        ...

    def receive_body(self, exchange: Exchange, data: bytes, now: float) -> list[Event]:
        """A piece of the body arrived."""
        ...

    def receive_body_end(self, exchange: Exchange, now: float) -> list[Event]:
        """The body is complete. When `exchange.has_more` is True afterwards, call `resume_body`."""
        ...

    def resume_body(self, exchange: Exchange, now: float) -> list[Event]:
        """Handle the next slice of a long payload."""
        ...

    def exchange_closed(self, exchange: Exchange, now: float) -> list[Event]:
        """The peer is gone before the exchange was answered."""
        ...

    def receive_upgrade(self, link: Link, now: float) -> list[Event]:
        """A well-formed WebSocket upgrade request arrived. Look at `link.state` and, if DECIDING, wait."""
        ...

    def receive_text(self, link: Link, text: str, now: float) -> list[Event]:
        """A complete text message arrived on an open link."""
        ...

    def receive_bytes(self, link: Link, data: bytes, now: float) -> list[Event]:
        """A complete binary message arrived on an open link."""
        ...

    def link_closed(self, link: Link, now: float, error: str | None = None) -> list[Event]:
        """The WebSocket is over: by a close frame or the end of the connection, or by the given `error`."""
        ...

    def link_blocked(self, link: Link) -> None:
        """The transport behind the link cannot take more bytes; what was taken last is not yet written."""
        ...

    def link_writable(self, link: Link, now: float) -> list[Event]:
        """All that was taken is written."""
        ...
