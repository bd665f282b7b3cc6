"""A server in a process of its own, behind TCP on loopback, under real time.

It is started as the conformance target is: the configuration in CONFORMANCE_CONFIG, `READY {"port":N}` on
standard output when it listens, log lines that begin with `@`.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from ._matcher import Mismatch

_START = 15.0
_PATIENCE = 3.0


class TcpConnection:
    """One TCP connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5.0)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.ended = False

    def send(self, data: bytes) -> None:
        """Give the server these bytes."""
        self.socket.settimeout(5.0)
        try:
            self.socket.sendall(data)
        except OSError:
            self.ended = True
        else:
            self.socket.setblocking(False)

    def receive(self) -> bytes:
        """Take what has arrived."""
        parts: list[bytes] = []
        while not self.ended:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if data:
                parts.append(data)
            else:
                self.ended = True
        return b"".join(parts)

    def end(self) -> None:
        """Close it."""
        self.socket.close()
        self.ended = True


class ProcessPeer:
    """A conformance target: `with ProcessPeer(command, trace.config) as peer: replay(trace, peer)`.

    Args:
        command: run by `bash -c`; `{port}` in it becomes the port.
        config: mode, options and behaviors.

    Raises:
        Mismatch: the process does not say READY within 15 s.
    """

    has_log = True
    patience = _PATIENCE

    def __init__(self, command: str, config: Mapping[str, Any]) -> None:
        self._port = _free_port()
        environment = {**os.environ, "CONFORMANCE_CONFIG": json.dumps({"port": self._port, **config})}
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {command.replace('{port}', str(self._port))}"],
            env=environment,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._stdout = self._process.stdout
        os.set_blocking(self._stdout.fileno(), False)
        self._text = b""
        self._ready = False
        self._log: list[Mapping[str, Any]] = []
        self._connections: list[TcpConnection] = []

    def __enter__(self) -> Self:
        deadline = time.monotonic() + _START
        while not self._ready:
            self._read_log()
            status = self._process.poll()
            if status is not None or time.monotonic() > deadline:
                self.close()
                raise Mismatch(f"the server did not start: exit status {status}")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the process."""
        for connection in self._connections:
            connection.end()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._stdout.close()

    def open(self) -> TcpConnection:
        """A new connection."""
        connection = TcpConnection(self._port)
        self._connections.append(connection)
        return connection

    def advance(self, seconds: float) -> None:
        """Wait; what arrives stays in the kernel's buffers."""
        # The replay's clock counts what it asked for, so a late wake-up must not be followed by a full wait.
        time.sleep(max(0.0, seconds))

    def take_log(self) -> list[Mapping[str, Any]]:
        """The log lines since the last call."""
        self._read_log()
        taken, self._log = self._log, []
        return taken

    def _read_log(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            while selector.select(0) and (data := self._stdout.read(65536)):
                self._text += data
        *lines, self._text = self._text.split(b"\n")
        for line in lines:
            if line.startswith(b"READY "):
                self._ready = True
            elif line.startswith(b"@"):
                self._log.append(json.loads(line[1:]))


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port
