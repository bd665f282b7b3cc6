"""The move of a session from polling to WebSocket.

    client                                         server
    ------ WebSocket with the session's sid ------>  candidate, upgrade timeout armed
    ------ 2probe -------------------------------->
    <----- 3probe --------------------------------
           (the client stops polling; its pending GET must return, so every 100 ms a noop answers it)
    ------ 5 ------------------------------------->  the link is the session's, the buffer goes out on it

The send buffer belongs to the session, so committing is assigning the link. Anything else that a candidate sends,
its close, or the timeout abandons the candidate and leaves the session on polling.
Source: Engine.IO protocol 4, "Upgrade"; `packages/engine.io/lib/socket.ts`, `_maybeUpgrade`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._link import Link
from ._outgoing import NOOP, PROBE_ANSWER
from ._tables import UPGRADE, UpgradeInput, UpgradeState, move

if TYPE_CHECKING:
    from ._session import Session


class Upgrade:
    """A candidate WebSocket of one session; it lives until committed or abandoned."""

    __slots__ = ("_session", "link", "state")

    def __init__(self, session: Session, link: Link, now: float) -> None:
        self._session = session
        self.link = link
        self.state = UpgradeState.CANDIDATE
        link.session = session
        session.engine.upgrade_timers.arm(self, now)

    def receive(self, packet: str, now: float) -> None:
        """A text message on the candidate."""
        session = self._session
        if packet == "2probe" and self.link.queued < 64:  # a client sends one, and reads the answer
            self.state = move(UPGRADE, self.state, UpgradeInput.PROBE)
            self.link.push(PROBE_ANSWER)
            session.engine.dirty.mark(self.link.owner)
            if self not in session.engine.noop_timers:
                session.engine.noop_timers.arm(self, now)
        # No client may commit before its POST is answered; packets that still wait would be lost or reordered.
        elif packet == "5" and session.polling is not None and not session.polling.backlogged:
            self.state = move(UPGRADE, self.state, UpgradeInput.COMMIT)
            self._leave()
            session.commit_upgrade(self.link, now)
        else:
            self.abandon()

    def release_poll(self, now: float) -> None:
        """The 100 ms are over: answer a GET that is still parked with a noop, so that the client can go on."""
        session = self._session
        if session.parked is not None and not session.has_buffered:
            session.push(NOOP)
        session.engine.noop_timers.arm(self, now)

    def abandon(self) -> None:
        """Close the candidate; the session stays as it is."""
        self.state = move(UPGRADE, self.state, UpgradeInput.ABANDON)
        self._leave()
        self.link.session = None
        self.link.close()
        self._session.engine.dirty.mark(self.link.owner)

    def _leave(self) -> None:
        session = self._session
        session.upgrade = None
        session.engine.upgrade_timers.cancel(self)
        session.engine.noop_timers.cancel(self)
