"""The servers that users make: the vocabulary of `socketio_proto` on trio."""

from __future__ import annotations

import os
import time
from typing import Any

import socketio_proto
from socketio_client_files import CLIENT_VERSION, client_files
from socketio_proto import ClientFiles

from ._runtime import TrioRuntime


class Server(socketio_proto.Server):
    """A Socket.IO server: `io = Server(cors={"origin": "https://example.com"}, ping_interval=25.0)`.

    Args:
        options: the documented options in snake_case, durations in seconds, sizes in bytes.

    Raises:
        TypeError, ValueError: a wrong option; the text names it, its value and what is allowed.
    """

    runtime: TrioRuntime

    def __init__(self, **options: Any) -> None:
        super().__init__(
            options,
            runtime=TrioRuntime(),
            random_bytes=os.urandom,
            wall_clock=time.time,
            client_files=ClientFiles(CLIENT_VERSION, client_files()),
        )


class EngineServer(socketio_proto.EngineServer):
    """An Engine.IO server, without Socket.IO: `engine = EngineServer(cors={"origin": "https://example.com"})`.

    Args:
        options: the documented options in snake_case, durations in seconds, sizes in bytes.

    Raises:
        TypeError, ValueError: a wrong option; the text names it, its value and what is allowed.
    """

    runtime: TrioRuntime

    def __init__(self, **options: Any) -> None:
        super().__init__(options, runtime=TrioRuntime(), random_bytes=os.urandom)
