"""One Engine.IO client: its send buffer, its heartbeat and its end.

Its three drivers: the user sends and closes; the network delivers packets (through `Polling`, `Upgrade`, or the
link itself); time fires the heartbeat. The send buffer belongs to the session, not to a transport: whoever
carries the session now takes it whole, so an upgrade loses and repeats nothing.

`owner` is whom to mark dirty when something is queued: the wire behind the link, or behind the parked GET, or
None while nobody can take (no GET pending; the link is blocked).
Source: Engine.IO protocol 4; `packages/engine.io/lib/socket.ts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._events import CloseReason, MessageReceived, SessionClosed, SessionUpgraded
from ._exchange import Exchange
from ._link import Link
from ._outgoing import CLOSE, PING, Outgoing, message
from ._polling import Polling
from ._request import Request
from ._revision import Revision
from ._tables import SESSION, SessionInput, SessionState, move
from ._upgrade import Upgrade

if TYPE_CHECKING:
    from ._server import EngineServer

# Looked up once, not once per message.
_OPEN: Final = SessionState.OPEN


class Session:
    """One Engine.IO client, from handshake to close.

    Attributes:
        id: 20 url-safe characters, unguessable.
        request: the handshake request.
        state: OPEN, CLOSING (a polling client has yet to collect the close) or CLOSED.
        paused: the layer above wants no more input for now; see `pause`.
        buffered_bytes: bytes queued, or taken and not yet written.
        revision: of the protocol that the client speaks.
        held: the heartbeat's deadline is suspended, and starts anew when it comes: there was a pause since it was set.
        user: a slot for the layer above.
    """

    __slots__ = (
        "_buffer",
        "_extended",
        "_ping_at",
        "_taken",
        "_unwritten",
        "buffered_bytes",
        "engine",
        "held",
        "id",
        "last_received",
        "link",
        "owner",
        "paused",
        "polling",
        "request",
        "revision",
        "state",
        "upgrade",
        "user",
    )

    def __init__(
        self, engine: EngineServer, id: str, request: Request, revision: Revision, now: float
    ) -> None:
        self.engine = engine
        self.id = id
        self.request = request
        self.revision = revision
        self.state = SessionState.OPEN
        self.link: Link | None = None
        self.polling: Polling | None = None
        self.upgrade: Upgrade | None = None
        self.owner: Any = None
        self.paused = False
        self.user: Any = None
        self.last_received = now
        self._buffer: list[Outgoing] = []
        self._taken = 0
        self._unwritten = 0
        self.buffered_bytes = 0
        self._ping_at = now
        self._extended = False
        self.held = False
        revision.start_heartbeat(self, now)

    # Getters.

    @property
    def protocol(self) -> int:
        """The Engine.IO protocol that the client speaks: 4, or 3 if the config allows it."""
        return self.revision.number

    @property
    def transport(self) -> str:
        """`polling` or `websocket`."""
        return "polling" if self.link is None else "websocket"

    @property
    def remote_address(self) -> str:
        """The client's IP address at the handshake."""
        return self.request.remote_address

    @property
    def parked(self) -> Exchange | None:
        """The GET that waits for something to send."""
        return self.polling.parked if self.polling is not None else None

    @property
    def has_buffered(self) -> bool:
        """Whether something waits to be taken."""
        return bool(self._buffer)

    @property
    def writable(self) -> bool:
        """Whether what is sent now leaves at once: somebody can take, and nothing is queued before it."""
        return self.owner is not None and not self._buffer and self.state is SessionState.OPEN

    # Commands.

    def send(self, outgoing: Outgoing) -> bool:
        """Queue packets. False when the session is closing or closed, or this closed it: its buffer was full."""
        if self.state is not _OPEN:
            return False
        buffered = self.buffered_bytes
        engine = self.engine
        if buffered and (
            buffered + outgoing.size > engine.max_send_buffer or len(self._buffer) >= engine.max_queued
        ):
            self._overflow(outgoing)
            return False
        buffer = self._buffer
        # Whoever takes takes all, so behind a message that waits the owner is marked already. Before anything is
        # changed, since it may refuse.
        if not buffer and self.owner is not None:
            engine.dirty.mark(self.owner)
        self.buffered_bytes = buffered + outgoing.size
        buffer.append(outgoing)
        return True

    def send_message(self, *messages: str | bytes, compress: bool = True) -> bool:
        """`send` for one message, or several that belong together."""
        return self.send(message(*messages, compress=compress))

    def close(self, now: float, *, discard: bool = False, description: str | None = None) -> None:
        """Close from this side; what is queued still goes out. With `discard` only what can be taken at once does.

        A session on polling without a pending GET stays CLOSING until the next GET, or `close_timeout`.
        The `SessionClosed` comes with the engine's next events.
        """
        if self.state is SessionState.CLOSED:
            return
        # What can leave at once has left, as far as the user knows: only what waits for the client is dropped.
        if discard and self.owner is None:
            self._buffer.clear()
        elif discard:
            self.answer_poll()
        polling = self.polling
        # A POST that still arrives is aborted, so its client knows; one with packets buffered collects them first.
        told = polling is None or (not self._buffer and (polling.parked is not None or polling.receiving))
        if told or discard:
            self.end(CloseReason.FORCED_CLOSE, description)
        elif self.state is SessionState.OPEN:
            self.state = move(SESSION, self.state, SessionInput.DEFER_CLOSE)
            self.revision.stop_heartbeat(self)
            self.resume()  # what a POST still holds is only thrown away now
            # A candidate goes on: its client may have sent the `5` already, and looks for what is queued there.
            self.engine.close_timers.arm(self, now)

    def pause(self, now: float) -> None:
        """Stop input: the wire stops reading, a POST's answer is withheld, the pong deadline is suspended."""
        if not self.paused and self.state is SessionState.OPEN:
            self.paused = self.held = True
            self.engine.stall_timers.arm(self, now)
            if self.link is not None:
                self.link.paused = True
                self.engine.dirty.mark(self.link.owner)

    def resume(self) -> None:
        """Take input again."""
        if self.paused:
            self.paused = False
            self.engine.stall_timers.cancel(self)
            if self.link is not None:
                self.link.paused = False
                self.engine.dirty.mark(self.link.owner)
            if self.polling is not None:
                self.polling.resumed()

    # The buffer, pulled by whoever carries the session.

    def take_buffer(self) -> list[Outgoing]:
        """Remove and return all that is queued; it counts as unwritten while the link is blocked."""
        buffer, self._buffer = self._buffer, []
        # Written, unless the transport says otherwise: see `blocked`.
        self._taken = self.buffered_bytes - self._unwritten
        self.buffered_bytes = self._unwritten
        return buffer

    def answer_poll(self) -> None:
        """Answer the parked GET if there is something to send."""
        if self._buffer and self.polling is not None:
            self.owner = None
            self.polling.answer_poll(self.take_buffer())

    def push(self, outgoing: Outgoing) -> None:
        """Queue a packet of the protocol itself: in any state, without a bound (there are a few at most)."""
        self._buffer.append(outgoing)
        self.buffered_bytes += outgoing.size
        if self.owner is not None:
            self.engine.dirty.mark(self.owner)

    def blocked(self) -> None:
        """The link's transport is full: nothing more is taken, and what was taken is not written yet."""
        self.owner = None
        self._unwritten += self._taken
        self.buffered_bytes += self._taken
        self._taken = 0

    def unblocked(self, link: Link) -> None:
        """All that was taken from the session's link is written."""
        self.buffered_bytes -= self._unwritten
        self._unwritten = 0
        self.owner = link.owner
        if self._buffer:
            self.engine.dirty.mark(self.owner)

    # Inputs.

    def receive_packet(self, packet: str | bytes, now: float) -> None:
        """One packet, on either transport; bytes are a binary message. Source: `Socket.onPacket`."""
        kind = packet[:1]
        if kind == "4":
            self.engine.raise_event(MessageReceived(self, packet[1:]))
        elif isinstance(packet, bytes):
            self.engine.raise_event(MessageReceived(self, packet))
        elif kind == "3":
            self.revision.receive_pong(self, now)
        elif kind == "b":
            self.revision.receive_base64(self, packet[1:], now)
        elif kind == "1":
            self.end(CloseReason.TRANSPORT_CLOSE)
        elif kind == "2":
            self.revision.receive_ping(self, now)
        elif kind not in ("0", "5", "6") or not kind:
            self.end(CloseReason.PARSE_ERROR)

    def commit_upgrade(self, link: Link, now: float) -> None:
        """The candidate sent its `5`: the link carries the session from now on."""
        polling = self.polling
        assert polling is not None
        self.polling = None
        polling.finish(CLOSE)
        self.link = link
        self._taken = 0  # a poll's answer, and none of the link's business
        link.paused = self.paused
        if self.state is SessionState.CLOSING:
            self.end(CloseReason.FORCED_CLOSE)
            return
        self.owner = None if link.blocked else link.owner
        self.engine.dirty.mark(link.owner)
        # The reference clears a timer here and then never times out a client that falls silent.
        self.revision.stop_heartbeat(self)
        self.revision.start_heartbeat(self, now)
        self.engine.raise_event(SessionUpgraded(self))

    # Time, in protocol 4.

    def ping_due(self, now: float) -> None:
        """Send a ping; its pong has `ping_timeout` seconds."""
        self._ping_at = now
        self._extended = False
        self.held = self.paused
        self.engine.pong_timers.arm(self, now)
        self.push(PING)

    def pong_due(self, now: float) -> None:
        """No pong: the end, unless the session is paused, or bytes that came after the ping extend it once."""
        received = self.last_received if self.link is None else self.link.last_received
        if self.held:
            # The pong may wait unread behind what the pause holds up, so it has its full time after the pause.
            self.held = self.paused
            self.engine.pong_timers.arm(self, now)
        elif received > self._ping_at and not self._extended:
            self._extended = True
            self.engine.late_pong_timers.arm(self, received + self.engine.config.ping_timeout)
        else:
            self.end(CloseReason.PING_TIMEOUT)

    # The end.

    def end(self, reason: CloseReason, description: str | None = None) -> None:
        """The session is over, whoever ended it; every other way out comes through here, once."""
        self.state = move(SESSION, self.state, SessionInput.END)
        engine = self.engine
        self.revision.stop_heartbeat(self)
        engine.close_timers.cancel(self)
        engine.stall_timers.cancel(self)
        if self.upgrade is not None:
            self.upgrade.abandon()
        if self.polling is not None:
            self.polling.finish(CLOSE)
            self.polling = None
        link, self.link = self.link, None
        self.owner = None
        if link is not None:
            link.session = None
            link.paused = False
            link.close(self.take_buffer())
            engine.dirty.mark(link.owner)
        self._buffer.clear()
        self.buffered_bytes = self._unwritten = 0
        self.paused = False
        engine.forget(self)
        engine.raise_event(SessionClosed(self, reason, description))

    def _overflow(self, outgoing: Outgoing) -> None:
        """The peer reads too slowly. It gets what fits in its closed connection: nothing."""
        queued = len(self._buffer)
        if queued >= self.engine.max_queued:
            full = f"{queued} messages wait, no more may with"
        else:
            full = f"{self.buffered_bytes} bytes wait, {outgoing.size} more would pass"
        description = f"send buffer full: {full} max_send_buffer={self.engine.max_send_buffer}"
        self._buffer.clear()
        self.end(CloseReason.FORCED_CLOSE, description)

    def __repr__(self) -> str:
        return f"<Session {self.id} {self.transport} {self.state.value}>"
