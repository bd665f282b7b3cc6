"""One server process under test: started, pinned to a core, its CPU time and memory read, stopped.

CPU time is that of the whole process, user and kernel, every thread, read from its CPU clock with
nanosecond precision. It is what a machine pays for a message; throughput would also measure us, the
generator, and whatever else runs on the machine.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SERVER_CORE, GENERATOR_CORE = 0, 1
START_SECONDS = 20.0


class BenchmarkError(Exception):
    """A server did not start, stopped answering, or answered something else than the case expects."""


@dataclass(slots=True)
class Cost:
    """What one measured stretch cost the server, in seconds of CPU."""

    cpu: float = 0.0
    """User and kernel time, every thread."""
    kernel: float = 0.0
    """The kernel's part, in clock ticks of usually 10 ms: only a hint."""


@dataclass(slots=True)
class Company:
    """What the rest of the machine did during all measured stretches: it takes caches and raises every figure."""

    others: float = 0.0
    """Seconds of CPU used by neither the server under test nor the generator, stolen time included."""
    capacity: float = 0.0
    """Seconds of CPU that the machine had."""

    @property
    def share(self) -> float:
        return max(self.others, 0.0) / self.capacity if self.capacity else 0.0


COMPANY = Company()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to start one kind of server. `command` gets the port as one more argument."""

    name: str
    command: Sequence[str]


class Target:
    """A running server. Use as a context manager; leaving it kills the process."""

    def __init__(self, recipe: Recipe, *, profile: Path | None = None) -> None:
        self.name = recipe.name
        self.port = _free_port()
        self._profile = profile
        self._log = tempfile.TemporaryFile()  # noqa: SIM115, closed by stop()
        extra = [] if profile is None else ["--profile", str(profile)]
        self._process = subprocess.Popen(
            [*recipe.command, str(self.port), *extra],
            stdout=subprocess.PIPE,
            stderr=self._log,
            preexec_fn=_pin_server,
        )
        self.pid = self._process.pid
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextlib.contextmanager
    def measured(self) -> Iterator[Cost]:
        """Fill a Cost with what the process spends inside the block."""
        cost = Cost()
        if self._profile is not None:
            os.kill(self.pid, signal.SIGUSR1)
        begun, busy, own = time.monotonic(), _busy_seconds(), time.process_time()
        kernel, cpu = self._kernel_seconds(), self.cpu_seconds()
        yield cost
        cost.cpu = self.cpu_seconds() - cpu
        cost.kernel = self._kernel_seconds() - kernel
        COMPANY.others += _busy_seconds() - busy - cost.cpu - (time.process_time() - own)
        COMPANY.capacity += (time.monotonic() - begun) * (os.cpu_count() or 1)
        if self._profile is not None:
            os.kill(self.pid, signal.SIGUSR2)
            deadline = time.monotonic() + START_SECONDS
            while not self._profile.exists():
                if time.monotonic() > deadline:
                    raise BenchmarkError(f"{self.name} wrote no profile: {self._said()}")
                time.sleep(0.05)

    def cpu_seconds(self) -> float:
        """CPU time since the start, user and kernel, every thread."""
        # A process's CPU clock id, as clock_getcpuclockid(3) forms it: its scheduler clock (2).
        return time.clock_gettime((~self.pid << 3) | 2)

    def rest(self) -> None:
        """Return once the process has used no CPU for 50 ms, so that nothing old falls into a slice."""
        used, deadline = -1.0, time.monotonic() + START_SECONDS
        while (now := self.cpu_seconds()) - used > 0.002 and time.monotonic() < deadline:
            used = now
            time.sleep(0.05)

    def rss(self) -> int:
        """Resident memory in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()

    def failed(self, error: Exception) -> BenchmarkError:
        """`error` with what the server last wrote, which is mostly the reason."""
        return BenchmarkError(f"{self.name}: {error!r}; the server {self._state()}; it wrote: {self._said()}")

    def _kernel_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[12]) / os.sysconf("SC_CLK_TCK")

    def _wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        watchdog = signal.signal(signal.SIGALRM, _not_ready)
        signal.setitimer(signal.ITIMER_REAL, START_SECONDS)
        try:
            for line in self._process.stdout:
                if line.startswith(b"READY "):
                    return
        except TimeoutError:
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, watchdog)
        raise BenchmarkError(f"{self.name} printed no READY; it {self._state()} and wrote: {self._said()}")

    def _state(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return f"ended with status {self._process.wait(0.2)}"
        return "still runs"

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read()[-700:].decode(errors="replace").strip() or "nothing"


def _busy_seconds() -> float:
    """CPU time that all cores have spent on anything but idling."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _iowait, *rest = (int(field) for field in stat.readline().split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _pin_server() -> None:
    with contextlib.suppress(OSError):  # a container may own other cores only
        os.sched_setaffinity(0, {SERVER_CORE})


def pin_generator() -> bool:
    """Move this process to its own core; False where there is only one."""
    try:
        os.sched_setaffinity(0, {GENERATOR_CORE})
    except OSError:
        return False
    return True


def _not_ready(signum: int, frame: object) -> None:
    raise TimeoutError
