"""Our `EngineServer`, that with handlers, and scripted clients over virtual time: a `Stage` without Socket.IO."""

from __future__ import annotations

from typing import Any

from socketio_proto import ClientFiles, EngineServer, EngineSession

from tests.sim.runtime import Start
from tests.sim.socketio import Stage, Visitor


class EngineStage(Stage):
    """An Engine.IO server on virtual time; messages of its visitors are written without the type digit.

    Attributes:
        heard: what each listener of `listen` was called with, in order.
    """

    path = "/engine.io/"

    def __init__(self, *, start: Start = Start.EAGER, **options: Any) -> None:
        super().__init__(start=start, **options)
        self.heard: list[Any] = []

    def make(self, options: dict[str, Any], client_files: ClientFiles | None) -> EngineServer:
        return EngineServer(options, runtime=self.runtime, random_bytes=self.random)

    def session(self, visitor: Visitor) -> EngineSession:
        """The server's side of a client."""
        session: EngineSession = self.server.clients[visitor.sid]
        return session

    def listen(self) -> None:
        """Have every session's events put into `heard`."""

        @self.server.on("connection")
        def connected(session: EngineSession) -> None:
            session.on("message", self.heard.append)
            session.on("upgrade", lambda transport: self.heard.append(("upgrade", transport)))
            session.on("close", lambda *how: self.heard.append(("close", *how)))
