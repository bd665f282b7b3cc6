"""The load over long-polling: sessions on keep-alive connections, a POST that emits, a GET that collects.

Each session uses one TCP connection and never has both requests under way, so the two requests and two
responses of a round trip are the whole cost, in the same order on every server.
"""

from __future__ import annotations

import json
import re
import select
import socket
from typing import Self

from tests.benchmarks._generator import BROWSER_HEADERS, SILENCE_SECONDS, open_connection
from tests.benchmarks._target import BenchmarkError

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)


class Session:
    """One Engine.IO session over polling on a socket of its own."""

    __slots__ = ("get", "next", "pong", "post", "rest", "sock", "url")

    def __init__(self, port: int, packet: str) -> None:
        self.sock: socket.socket = open_connection(port)
        self.rest = b""
        headers = BROWSER_HEADERS.format(port=port, connection="Connection: keep-alive\r\nAccept: */*\r\n")
        url = "/socket.io/?EIO=4&transport=polling&t=PgT5kd0"
        self.get = f"GET {url} HTTP/1.1\r\n{headers}\r\n".encode()
        self.sock.sendall(self.get)
        sid = json.loads(self._answer()[1:])["sid"]
        self.get = f"GET {url}&sid={sid} HTTP/1.1\r\n{headers}\r\n".encode()
        posts = [
            f"POST {url}&sid={sid} HTTP/1.1\r\n{headers}Content-type: text/plain;charset=UTF-8\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            for body in ("40", packet, "3")
        ]
        for request in (posts[0], self.get):
            self.sock.sendall(request)
            answer = self._answer()
        if not answer.startswith(b"40"):
            raise BenchmarkError(f"expected the answer to CONNECT, got {answer!r}")
        self.post, self.pong = posts[1], posts[2]

    def receive(self) -> bytes | None:
        """The body of a response, or None while it is not whole."""
        data = self.sock.recv(65536)
        if not data:
            raise BenchmarkError("the server closed a connection")
        if self.rest:
            data = self.rest + data
        head = data.find(b"\r\n\r\n")
        self.rest = data
        if head < 0:
            return None
        length = CONTENT_LENGTH.search(data, 0, head + 2)
        if not data.startswith(b"HTTP/1.1 200"):
            raise BenchmarkError(f"expected a 200, got {data[:400]!r}")
        if length is None:
            return self._chunked(data, head + 4)
        end = head + 4 + int(length[1])
        if len(data) < end:
            return None
        self.rest = data[end:]
        return data[head + 4 : end]

    def _chunked(self, data: bytes, at: int) -> bytes | None:
        body = b""
        while (line := data.find(b"\r\n", at)) > 0:
            size = int(data[at:line], 16)
            at = line + 2 + size + 2
            if at > len(data):
                return None
            if not size:
                self.rest = data[at:]
                return body
            body += data[line + 2 : at - 2]
        return None

    def _answer(self) -> bytes:
        while (body := self.receive()) is None:
            pass
        return body


class PollingSwarm:
    """`count` sessions that emit `packet` and expect `reply`. Use as a context manager."""

    def __init__(self, port: int, count: int, packet: str, reply: str) -> None:
        self._reply = reply.encode()
        self._epoll = select.epoll()
        self._sessions: dict[int, Session] = {}
        for _ in range(count):
            session = Session(port, packet)
            self._sessions[session.sock.fileno()] = session
            self._epoll.register(session.sock.fileno(), select.EPOLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for session in self._sessions.values():
            session.sock.close()
        self._epoll.close()

    def round_trips(self, total: int) -> None:
        """POST and GET `total` times over all sessions, one round trip under way in each."""
        sessions, reply = self._sessions, self._reply
        started = done = 0
        for session in list(sessions.values())[:total]:
            session.sock.send(session.post)
            started += 1
        while done < total:
            ready = self._epoll.poll(SILENCE_SECONDS)
            if not ready:
                raise BenchmarkError(f"{SILENCE_SECONDS} s of silence after {done} of {total} round trips")
            for fd, _ in ready:
                session = sessions[fd]
                body = session.receive()
                if body is None:
                    continue
                if body in (b"ok", b"OK"):  # python-engineio says OK
                    session.sock.send(session.get)
                elif body == b"2":
                    session.sock.send(session.pong)
                elif body == reply or body in (b"2\x1e" + reply, reply + b"\x1e2"):
                    done += 1
                    if started < total:
                        started += 1
                        session.sock.send(session.post)
                else:
                    raise BenchmarkError(f"expected {reply!r}, got {body!r}")
