"""The conformance target as a process, for clients that are processes too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

JS = Path(__file__).parent / "js"
ROOT = Path(__file__).parents[2]
SECONDS = 60.0
"""For what hangs; nothing here is a measure of speed."""


def missing() -> str | None:
    """Why the official client cannot be run here, or None."""
    if shutil.which("node") is None:
        return "Node.js is not installed (nox -s tests brings it)"
    if not (JS / "node_modules" / "socket.io-client").is_dir():
        return f"the official client is not installed: run `npm ci` in {JS}"
    return None


def play(scenario: str, url: str, transports: str = "", *, end: Callable[[], object]) -> None:
    """Run one scenario of `js/examples.mjs` to its end; `end` ends the server, when the scenario says so."""
    command = ["node", "examples.mjs", scenario, url, *filter(None, [transports])]
    with subprocess.Popen(
        command, cwd=JS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        watchdog = threading.Timer(SECONDS, process.kill)
        watchdog.start()
        try:
            for line in process.stdout:
                assert line == "> end\n", line
                end()
            errors = process.stderr.read()
        finally:
            watchdog.cancel()
            process.kill()
    # Only what a finished process says counts: 0, and no warning of Node.
    assert (process.returncode, errors[:4000]) == (0, "")


class Target:
    """A running target; `restart` is what a deployment does to its clients."""

    def __init__(
        self,
        options: dict[str, Any] | None = None,
        mode: str | None = None,
        behaviors: dict[str, Any] | None = None,
        *,
        module: str = "socketio_asyncio.conformance_target",
    ) -> None:
        self._module = module
        self._config: dict[str, Any] = {
            "port": 0,
            "options": options or {},
            "mode": mode,
            "behaviors": behaviors or {},
        }
        self.log: list[str] = []
        """The lines of all the processes so far."""
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        environment = {**os.environ, "CONFORMANCE_CONFIG": json.dumps(self._config)}
        command = [sys.executable, "-m", self._module]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        watchdog = threading.Timer(SECONDS, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        watchdog.cancel()
        assert line.startswith("READY "), line + self.process.stderr.read()
        self._config["port"] = json.loads(line.removeprefix("READY "))["port"]
        self.url = f"http://127.0.0.1:{self._config['port']}"
        # Its log must be read, or a full pipe stops it.
        self._reader = threading.Thread(target=self._read_log, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _read_log(self, stream: Any) -> None:
        self.log.extend(stream)

    def stop(self) -> str:
        """End it as a deployment does; what it wrote to standard error."""
        self.process.terminate()
        watchdog = threading.Timer(SECONDS, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None and self.process.stderr is not None
        errors = self.process.stderr.read()
        # The log has a reader of its own; `communicate` would close it under that one's hands.
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        self.process.wait()
        watchdog.cancel()
        assert self.process.returncode == 0, errors
        return errors

    def restart(self) -> None:
        """Stop it and start it again on the same port."""
        self.stop()
        self.start()


def play_scenario(target: Target, script: str, scenario: str, *arguments: str) -> None:
    """Run one scenario of a script in `js` to its end; it may ask for a restart."""
    process = subprocess.Popen(
        ["node", script, scenario, target.url, *arguments],
        cwd=JS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            assert line == "> restart\n", line
            target.restart()
            process.stdin.write("done\n")
            process.stdin.flush()
        errors = process.stderr.read()
        assert process.wait() == 0, errors
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()
