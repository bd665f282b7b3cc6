"""The embedding examples over real sockets: the official clients in Node, and bytes that no client would send."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engineio_wire.peer import frame, upgrade
from tests.interop.target import SECONDS, missing, play

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
needs_node = pytest.mark.skipif(missing() is not None, reason=missing() or "")


class Example:
    """A running example and the address that it printed."""

    def __init__(self, name: str, *options: str) -> None:
        command = [sys.executable, "-X", "dev", "-W", "error", str(EXAMPLES / name), "--port", "0", *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=os.path.sep
        )
        assert self.process.stdout is not None and self.process.stderr is not None
        self.watchdog = threading.Timer(SECONDS, self.process.kill)
        self.watchdog.start()
        self.interrupted = False
        self.url = self.process.stdout.readline().strip()
        assert "://127.0.0.1:" in self.url, self.process.stderr.read()

    def interrupt(self) -> None:
        """Ctrl-C, once: a second one would meet an interpreter that is ending."""
        self.interrupted = True
        self.process.send_signal(signal.SIGINT)

    def end(self) -> None:
        """Ctrl-C ends it, without a word and with status 0."""
        if not self.interrupted:
            self.interrupt()
        output, errors = self.process.communicate(timeout=SECONDS)
        self.watchdog.cancel()
        assert (self.process.returncode, output, errors) == (0, "", "")

    def play(self, scenario: str, transports: str = "") -> None:
        """Run one scenario of `js/examples.mjs` to its end."""
        play(scenario, self.url, transports, end=self.interrupt)


@contextlib.contextmanager
def running(name: str, *options: str) -> Iterator[Example]:
    example = Example(name, *options)
    try:
        yield example
        example.end()
    finally:
        example.watchdog.cancel()
        if example.process.poll() is None:
            example.process.kill()
            example.process.communicate()


@pytest.fixture(scope="module")
def echo() -> Iterator[Example]:
    with running("websocket_echo.py") as example:
        yield example


@needs_node
@pytest.mark.parametrize("scenario", ["messages", "fragments", "pings", "large", "closes"])
def test_websocket_client(echo: Example, scenario: str) -> None:
    echo.play(scenario)


@needs_node
def test_a_message_above_the_limit_is_refused() -> None:
    with running("websocket_echo.py", "--max-size", "1000") as example:
        example.play("limit")


@needs_node
def test_the_end_of_the_server_closes_its_websockets() -> None:
    with running("websocket_echo.py") as example:
        example.play("ended")


def address(example: Example) -> tuple[str, int]:
    host, _, port = example.url.partition("://")[2].rpartition(":")
    return host, int(port)


def connect(example: Example) -> socket.socket:
    return socket.create_connection(address(example), timeout=SECONDS)


def open_websocket(example: Example) -> socket.socket:
    peer = connect(example)
    peer.sendall(upgrade("/"))
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += peer.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 ")
    return peer


def rest(peer: socket.socket) -> bytes:
    """All that comes until the server's FIN."""
    received = b""
    while data := peer.recv(65_536):
        received += data
    return received


ECHO = b"\x81\x02ok"
OK = frame(0x81, b"ok")
CLOSE_1002, CLOSE_1007 = b"\x88\x02\x03\xea", b"\x88\x02\x03\xef"
VIOLATIONS = {
    "unmasked": (frame(0x81, b"no", mask=None), CLOSE_1002),
    "reserved data opcode": (frame(0x83, b""), CLOSE_1002),
    "reserved control opcode": (frame(0x8B, b""), CLOSE_1002),
    "reserved bit without an extension": (frame(0xC1, b"no"), CLOSE_1002),
    "fragmented ping": (frame(0x09, b""), CLOSE_1002),
    "ping of 126 bytes": (frame(0x89, bytes(126)), CLOSE_1002),
    "continuation of nothing": (frame(0x80, b"no"), CLOSE_1002),
    "text inside a message": (frame(0x01, b"a") + frame(0x81, b"b"), CLOSE_1002),
    "close of one byte": (frame(0x88, b"\x03"), CLOSE_1002),
    "close with a code for no frame": (frame(0x88, (1006).to_bytes(2, "big")), CLOSE_1002),
}


@pytest.mark.parametrize(("sent", "answer"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_violation(echo: Example, sent: bytes, answer: bytes) -> None:
    with open_websocket(echo) as peer:
        # What came before is answered, what comes after is not, and the connection ends without a reset.
        peer.sendall(OK + sent + OK)
        assert rest(peer) == ECHO + answer


def test_what_follows_a_violation_does_not_reset_the_connection(echo: Example) -> None:
    """A socket that is closed with unread input would be reset, and the close frame may be lost with it."""
    with open_websocket(echo) as peer:
        peer.sendall(frame(0x83, b"") + bytes(1_000_000))
        assert rest(peer) == CLOSE_1002


# RFC 6455 8.1; the frames are incomplete, so the answer comes before the message could be judged as a whole.
INVALID_UTF8 = {
    "in an unfinished frame": frame(0x81, b"caf\xc3\x28" + b"x" * 1000)[: 8 + 5],
    "in the first fragment": frame(0x01, b"\xed\xa0\x80"),
    "across fragments": frame(0x01, b"\xf0\x9f") + frame(0x00, b"\x28"),
    "cut at the end of the message": frame(0x81, b"\xe2\x82"),
    "in the reason of a close": frame(0x88, b"\x03\xe8\xff"),
}


@pytest.mark.parametrize("sent", INVALID_UTF8.values(), ids=INVALID_UTF8)
def test_invalid_utf8_fails_at_once(echo: Example, sent: bytes) -> None:
    with open_websocket(echo) as peer:
        peer.sendall(sent)
        answer = b""
        while len(answer) < 4:
            data = peer.recv(4)
            assert data, answer
            answer += data
        assert answer == CLOSE_1007


def test_byte_by_byte(echo: Example) -> None:
    with connect(echo) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in upgrade("/") + OK + frame(0x88, b"\x03\xe8bye"):
            peer.sendall(bytes([byte]))
        assert rest(peer).endswith(b"\r\n\r\n" + ECHO + b"\x88\x05\x03\xe8bye")


def test_four_megabytes_in_fragments_of_64_bytes(echo: Example) -> None:
    """As case 9.3.1 of the Autobahn test suite."""
    piece = b"*" * 64
    with open_websocket(echo) as peer:
        peer.sendall(frame(0x01, piece) + frame(0x00, piece) * 65_534 + frame(0x80, piece) + frame(0x88, b""))
        assert rest(peer) == b"\x81\x7f" + (4 << 20).to_bytes(8, "big") + piece * 65_536 + b"\x88\x00"


def test_the_peer_that_sends_no_more_still_gets_its_echoes(echo: Example) -> None:
    with open_websocket(echo) as peer:
        peer.sendall(OK * 1000)
        peer.shutdown(socket.SHUT_WR)
        assert rest(peer) == ECHO * 1000


def test_a_request_that_is_no_websocket(echo: Example) -> None:
    with connect(echo) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = rest(peer)
        assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n")
        assert answer.endswith(b"This is a WebSocket server.\n")


def test_an_idle_client_does_not_keep_the_server_alive() -> None:
    with running("websocket_echo.py") as example, open_websocket(example) as peer:
        example.interrupt()
        assert peer.recv(2) == b"\x88\x00"  # and is not answered
        example.end()


@pytest.mark.parametrize("options", [["--max-size", "-1"], ["--max-size", "big"], ["--port", "x"]])
def test_a_wrong_option_is_named(options: list[str]) -> None:
    command = [sys.executable, str(EXAMPLES / "websocket_echo.py"), "--port", "0", *options]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert run.returncode == 2
    assert options[0] in run.stderr and options[1] in run.stderr


@pytest.fixture(scope="module")
def engine() -> Iterator[Example]:
    with running("engineio_selectors.py", "--ping-interval", "0.2") as example:
        yield example


@needs_node
@pytest.mark.parametrize("transports", ["polling", "websocket", "polling,websocket"])
def test_engine_client(engine: Example, transports: str) -> None:
    engine.play("session", transports)


def test_it_fits() -> None:
    assert len((EXAMPLES / "engineio_selectors.py").read_text().splitlines()) < 120


def test_another_path(engine: Example) -> None:
    with connect(engine) as peer:
        peer.sendall(b"GET /else HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = rest(peer)
        assert answer.startswith(b"HTTP/1.1 404 ") and answer.endswith(b"Only /engine.io/ is here.\n")


def test_a_long_burst_comes_back_in_slices(engine: Example) -> None:
    """More frames in one segment than one call returns events for."""
    with connect(engine) as peer:
        peer.sendall(upgrade() + frame(0x81, b"4x") * 1000)
        received = b""
        while received.count(b"\x81\x024x") < 1000:
            data = peer.recv(65_536)
            assert data, received[-100:]
            received += data


def test_echoes_that_nobody_reads_wait_and_then_come(engine: Example) -> None:
    """Twelve messages of 900 kB, more than the kernel takes from the server, less than `max_send_buffer`."""
    with socket.socket() as peer:
        peer.settimeout(SECONDS)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        peer.connect(address(engine))
        peer.sendall(upgrade() + frame(0x82, b"\xfe" * 900_000) * 12)
        left = 12 * 900_000
        while left:
            data = peer.recv(65_536)
            assert data, f"{left} bytes are missing"
            left -= data.count(b"\xfe")


@pytest.mark.parametrize("name", ["websocket_echo.py", "engineio_selectors.py"])
def test_a_port_that_is_taken(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for port, why in ((str(taken.getsockname()[1]), "in use"), ("99999", "0-65535")):
            command = [sys.executable, str(EXAMPLES / name), "--port", port]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            assert ended.returncode == 2 and ended.stdout == ""
            assert "error: cannot listen on" in ended.stderr and why in ended.stderr
            assert "Traceback" not in ended.stderr
