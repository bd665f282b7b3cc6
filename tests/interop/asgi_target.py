"""The conformance target as an ASGI application: its handlers, behind docs/examples/engineio_asgi.py and uvicorn.

Configured and talking as `socketio_asyncio.conformance_target` does; ROOT_PATH is where it is mounted.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
from pathlib import Path
from typing import Any

import uvicorn
from socketio_asyncio import EngineServer, Server, conformance_target

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "engineio_asgi.py"


def main() -> None:
    config = json.loads(os.environ["CONFORMANCE_CONFIG"])
    options = conformance_target.options_of(config)
    core: Any
    if config["mode"] == "engineio":
        core = EngineServer(**options)
        conformance_target.define_engine(core)
    else:
        core = Server(**options)
        conformance_target.define(core)
    example = runpy.run_path(str(EXAMPLE))
    # The class reads the global name of its program.
    server_class: Any = example["UvicornServer"]
    app = server_class.shutdown.__globals__["app"] = example["Application"](core)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # uvicorn raises it again when all is done
    with socket.create_server(("127.0.0.1", config["port"])) as listening:
        conformance_target.ready(listening.getsockname()[1])
        settings = uvicorn.Config(
            app, log_level="warning", ws_ping_interval=None, root_path=os.environ.get("ROOT_PATH", "")
        )
        server_class(settings).run([listening])


if __name__ == "__main__":
    main()
