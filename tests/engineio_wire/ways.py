"""The ways of a frame: who reads and makes frames, and whether permessage-deflate was agreed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from engineio_proto import PerMessageDeflate
from engineio_wire import WireConfig

from tests.engineio_wire.peer import Connection, RecordingEngine, websocket
from tests.engineio_wire.websockets_engine import WebsocketsEngine

ENGINES: dict[str, Any] = {"direct": None, "wsproto": "wsproto", "websockets": WebsocketsEngine()}


@dataclass(frozen=True)
class Way:
    engine: str
    deflate: bool = False

    def open(
        self, engine: RecordingEngine | None = None, config: WireConfig | None = None
    ) -> tuple[RecordingEngine, Connection[Any]]:
        """A WebSocket whose frames go this way."""
        engine = engine if engine is not None else RecordingEngine()
        engine.ws_engine = ENGINES[self.engine]
        if self.deflate:
            engine.per_message_deflate = engine.per_message_deflate or PerMessageDeflate()
        return websocket(engine, config, offer="permessage-deflate" if self.deflate else None)

    @property
    def lasts(self) -> bool:
        """Whether the connection holds something between two frames."""
        return self.deflate or self.engine == "websockets"


WAYS = [Way(engine, deflate) for deflate in (False, True) for engine in ENGINES]
EVERY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.engine + ("-deflate" if way.deflate else ""))
OURS = pytest.mark.parametrize("way", [Way("direct"), Way("wsproto")], ids=["direct", "wsproto"])
