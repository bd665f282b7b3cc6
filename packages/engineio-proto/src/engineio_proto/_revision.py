"""What the two revisions of the protocol do differently, beside payloads: who sends pings, and binary packets.

    protocol 4   the server pings every `ping_interval`, the client answers within `ping_timeout`
    protocol 3   the client pings, the server answers; a client without a ping for both together is gone

A session gets its revision at the handshake. Revisions have no state: what they need is the session's, and its
timers are the engine's. Text packets are the same in both, so a message never comes here.
Source: `packages/engine.io/lib/socket.ts` and `transport.ts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from ._events import CloseReason, MessageReceived
from ._outgoing import PONG, Outgoing
from ._payload import PAYLOAD_4, PayloadForm, decode_base64
from ._payload3 import (
    BASE64_PAYLOAD_3,
    BINARY_PAYLOAD_3,
    base64_frames_3,
    base64_frames_4,
    binary_frames_3,
    packet_of_base64,
    packet_of_bytes,
)

if TYPE_CHECKING:
    from ._session import Session

LinkForm: TypeAlias = Callable[[Outgoing], Outgoing]

_WRONG_DIRECTION: Final = "invalid heartbeat direction"


class Revision4:
    """Engine.IO protocol 4. `base64` below is the query `b64`, of a client that takes text only."""

    __slots__ = ()
    number = 4
    settles = False

    def payload_form(self, *, base64: bool) -> PayloadForm:
        """Always base64."""
        return PAYLOAD_4

    def link_form(self, *, base64: bool) -> LinkForm | None:
        """Observed: `b64` counts over a WebSocket, in this protocol too."""
        return base64_frames_4 if base64 else None

    def start_heartbeat(self, session: Session, now: float) -> None:
        """The first ping is due in `ping_interval`."""
        session.engine.ping_timers.arm(session, now)

    def stop_heartbeat(self, session: Session) -> None:
        """No ping and no pong is awaited."""
        session.engine.ping_timers.cancel(session)
        session.engine.pong_timers.cancel(session)
        session.engine.late_pong_timers.cancel(session)

    def receive_ping(self, session: Session, now: float) -> None:
        """Only the server pings."""
        session.end(CloseReason.TRANSPORT_ERROR, _WRONG_DIRECTION)

    def receive_pong(self, session: Session, now: float) -> None:
        """The next ping is due `ping_interval` from here; a pong that answers no ping changes nothing."""
        engine = session.engine
        if session in engine.pong_timers or session in engine.late_pong_timers:
            engine.pong_timers.cancel(session)
            engine.late_pong_timers.cancel(session)
            engine.ping_timers.arm(session, now)

    def receive_bytes(self, session: Session, data: bytes, now: float) -> None:
        """A binary message of a WebSocket."""
        session.engine.pending.append(MessageReceived(session, data))

    def receive_base64(self, session: Session, text: str, now: float) -> None:
        """What a text packet `b` holds."""
        session.engine.raise_event(MessageReceived(session, decode_base64(text)))


class Revision3:
    """Engine.IO protocol 3, of `socket.io-client` 2 and older."""

    __slots__ = ()
    number = 3
    # A client that begins to listen once it is open, as the public suite of this protocol does, misses the open packet
    # when it reads both at once. The reference takes long enough for its 101 to be read first; we must wait.
    settles = True

    def payload_form(self, *, base64: bool) -> PayloadForm:
        """Text, or binary for who takes it."""
        return BASE64_PAYLOAD_3 if base64 else BINARY_PAYLOAD_3

    def link_form(self, *, base64: bool) -> LinkForm | None:
        """A binary message has a type byte, or is text."""
        return base64_frames_3 if base64 else binary_frames_3

    def start_heartbeat(self, session: Session, now: float) -> None:
        """A ping must come within `ping_interval` and `ping_timeout` together."""
        session.held = session.paused
        session.engine.silence_timers.arm(session, now)

    def stop_heartbeat(self, session: Session) -> None:
        """No ping is awaited."""
        session.engine.silence_timers.cancel(session)

    def receive_ping(self, session: Session, now: float) -> None:
        """Answered with a bare pong, whatever it carries. The client's floods meet the bound of the send buffer."""
        self.start_heartbeat(session, now)
        session.send(PONG)

    def receive_pong(self, session: Session, now: float) -> None:
        """Only the server answers."""
        session.end(CloseReason.TRANSPORT_ERROR, _WRONG_DIRECTION)

    def receive_bytes(self, session: Session, data: bytes, now: float) -> None:
        """A packet, its type in the first byte; one of an unknown type is ignored."""
        packet = packet_of_bytes(data)
        if packet is not None:
            session.receive_packet(packet, now)

    def receive_base64(self, session: Session, text: str, now: float) -> None:
        """The same as text."""
        packet = packet_of_base64(text)
        if packet is not None:
            session.receive_packet(packet, now)

    def silence_due(self, session: Session, now: float) -> None:
        """No ping: the end, unless it may wait unread behind what a pause holds up."""
        if session.held:
            self.start_heartbeat(session, now)
        else:
            session.end(CloseReason.PING_TIMEOUT)


Revision: TypeAlias = Revision4 | Revision3
REVISION_3: Final = Revision3()
REVISIONS: Final[Mapping[int, Revision]] = {3: REVISION_3, 4: Revision4()}
