"""The replay against servers that are a few lines long: when it sends, when it polls, what it does not hide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from socketio_conformance import End, Line, Log, Mismatch, Request, Response, Trace, replay

HEADERS = {"content-type": "text/plain; charset=UTF-8"}
HANDSHAKE = Request("GET", "/?EIO=4&transport=polling", {})
POLL = Request("GET", "/?EIO=4&transport=polling&sid=${sid}", {})
POST = Request("POST", "/?EIO=4&transport=polling&sid=${sid}", {}, "4a")


class ScriptedPeer:
    """A server as a function of what it is asked; it answers by `Ask.answer`, at once or later."""

    has_log = True

    def __init__(self, serve: Callable[[Ask], None], patience: float = 0.0) -> None:
        self.serve = serve
        self.patience = patience
        self.time = 0.0
        self.asked: list[Ask] = []
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.log: list[Mapping[str, Any]] = []

    def open(self) -> Ask:
        ask = Ask(self)
        self.asked.append(ask)
        return ask

    def advance(self, seconds: float) -> None:
        self.time = round(self.time + seconds, 6)
        due = [call for when, call in self.later if when <= self.time]
        self.later = [(when, call) for when, call in self.later if when > self.time]
        for call in due:
            call()

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.later.append((self.time + seconds, call))

    def take_log(self) -> list[Mapping[str, Any]]:
        taken, self.log = self.log, []
        return taken

    @property
    def kinds(self) -> list[str]:
        return [ask.kind for ask in self.asked]


class Ask:
    """A connection with one request on it."""

    def __init__(self, peer: ScriptedPeer) -> None:
        self.peer = peer
        self.ended = False
        self.kind = ""
        self.gone = False
        self._out = b""

    def send(self, data: bytes) -> None:
        target = data.split(b" ")[1].decode()
        self.kind = data.split(b" ")[0].decode() if "sid=S1" in target else "handshake"
        self.peer.serve(self)

    def receive(self) -> bytes:
        out, self._out = self._out, b""
        return out

    def end(self) -> None:
        self.gone = True

    def answer(self, body: str, status: int = 200) -> None:
        head = (
            f"HTTP/1.1 {status} X\r\ncontent-type: {HEADERS['content-type']}\r\nContent-Length: {len(body)}"
        )
        self._out += f"{head}\r\n\r\n{body}".encode()


def trace(*lines: tuple[int, str, int, Any]) -> Trace:
    handshake = (
        (0, "client", 1, HANDSHAKE),
        (1, "server", 1, Response(200, HEADERS, '0{"sid":"${sid}"}')),
    )
    made = (Line(t, side, wire, what) for t, side, wire, what in (*handshake, *lines))  # type: ignore[arg-type]
    return Trace("made", {"scenario": "made"}, tuple(made))


def payload(text: str) -> Response:
    return Response(200, HEADERS, text)


TWO_POLLS = trace(
    (10, "client", 2, POLL),
    (20, "server", 2, payload("4a")),
    (21, "client", 3, POLL),
    (30, "server", 3, payload("4b")),
)


class Queue:
    """A server with a queue: a poll takes what is there, or waits for what comes."""

    def __init__(self) -> None:
        self.packets: list[str] = []
        self.waiting: Ask | None = None

    def __call__(self, ask: Ask) -> None:
        if ask.kind == "handshake":
            ask.answer('0{"sid":"S1"}')
        elif ask.kind == "POST":
            ask.answer("ok")
        elif self.packets:
            ask.answer("\x1e".join(self.packets))
            self.packets.clear()
        else:
            self.waiting = ask

    def put(self, *packets: str) -> None:
        self.packets += packets
        if self.waiting is not None:
            ask, self.waiting = self.waiting, None
            self(ask)


def test_the_same_boundaries() -> None:
    queue = Queue()
    peer = ScriptedPeer(queue)
    peer.call_later(0.015, lambda: queue.put("4a"))
    peer.call_later(0.025, lambda: queue.put("4b"))
    replay(TWO_POLLS, peer)
    assert peer.kinds == ["handshake", "GET", "GET"]


def test_a_poll_is_left_out_while_the_one_before_waits() -> None:
    queue = Queue()
    peer = ScriptedPeer(queue)
    peer.call_later(0.025, lambda: queue.put("4a", "4b"))
    replay(TWO_POLLS, peer)
    assert peer.kinds == ["handshake", "GET"]


def test_a_poll_that_overlaps_in_the_trace_is_sent() -> None:
    overlapping = trace(
        (10, "client", 2, POLL),
        (11, "client", 3, POLL),
        (12, "server", 3, Response(400, {})),
        (13, "server", 2, payload("1")),
    )
    polls: list[Ask] = []

    def serve(ask: Ask) -> None:
        if ask.kind == "handshake":
            ask.answer('0{"sid":"S1"}')
            return
        polls.append(ask)
        if len(polls) == 2:
            polls[1]._out += b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n"
            polls[0].answer("1")

    replay(overlapping, ScriptedPeer(serve))
    assert len(polls) == 2


def test_what_is_missing_is_polled_for_in_the_end() -> None:
    queue = Queue()
    peer = ScriptedPeer(queue)
    peer.call_later(0.0, lambda: queue.put("4a"))
    peer.call_later(0.020, lambda: queue.put("4b"))
    joined = trace((30, "client", 2, POLL), (31, "server", 2, payload("4a\x1e4b")))
    # The server answers in two payloads although both packets were there.
    queue_answers = queue.packets

    def one_at_a_time(ask: Ask) -> None:
        if ask.kind == "GET" and queue_answers:
            ask.answer(queue_answers.pop(0))
        else:
            queue(ask)

    peer.serve = one_at_a_time
    replay(joined, peer)
    assert peer.kinds == ["handshake", "GET", "GET"]


def test_polling_on_is_not_endless() -> None:
    def serve(ask: Ask) -> None:
        ask.answer('0{"sid":"S1"}' if ask.kind == "handshake" else "6")

    with pytest.raises(Mismatch, match=r"expected Packet\(text='4a'\)"):
        replay(TWO_POLLS, ScriptedPeer(serve))


def test_a_silent_server_fails() -> None:
    with pytest.raises(Mismatch, match="2 entries never came"):
        replay(TWO_POLLS, ScriptedPeer(Queue()))


def test_a_patient_replay_waits_for_a_slow_server_before_it_goes_on() -> None:
    queue = Queue()
    sent_at: list[float] = []
    posting = trace(
        (10, "client", 2, POLL),
        (20, "server", 2, payload("4a")),
        (21, "client", 3, POST),
        (22, "server", 3, payload("ok")),
    )
    peer = ScriptedPeer(queue, patience=1.0)

    def serve(ask: Ask) -> None:
        if ask.kind == "POST":
            sent_at.append(peer.time)
        queue(ask)

    peer.serve = serve
    peer.call_later(0.5, lambda: queue.put("4a"))
    replay(posting, peer)
    assert sent_at == [pytest.approx(0.5, abs=0.01)]


def test_an_aborted_poll_no_longer_waits() -> None:
    queue = Queue()
    aborting = trace(
        (10, "client", 2, POLL),
        (11, "client", 2, End()),
        (12, "client", 3, POLL),
        (13, "server", 3, payload("4a")),
    )
    peer = ScriptedPeer(queue)
    peer.call_later(0.0125, lambda: queue.put("4a"))
    replay(aborting, peer)
    assert peer.kinds == ["handshake", "GET", "GET"]
    assert peer.asked[1].gone


def test_an_answer_that_never_comes_but_an_end() -> None:
    def serve(ask: Ask) -> None:
        if ask.kind == "handshake":
            ask.answer('0{"sid":"S1"}')
        else:
            ask.ended = True

    replay(trace((10, "client", 2, POST), (11, "server", 2, End())), ScriptedPeer(serve))
    with pytest.raises(Mismatch, match=r"expected Response.*\n.*came     End"):
        replay(trace((10, "client", 2, POST), (11, "server", 2, payload("ok"))), ScriptedPeer(serve))


@pytest.mark.parametrize(("later", "too_much"), [(0.02, True), (0.2, False)])
def test_what_comes_behind_the_last_line_is_too_much(later: float, too_much: bool) -> None:
    peer = ScriptedPeer(Queue())
    peer.call_later(0.001 + later, lambda: peer.log.append({"event": "disconnect"}))
    if too_much:
        with pytest.raises(Mismatch, match="nothing more is expected there"):
            replay(trace(), peer)
    else:
        replay(trace(), peer)


def test_the_log_is_compared() -> None:
    logged = trace((2, "server", 0, Log({"event": "connect", "sid": "${sid}"})))
    peer = ScriptedPeer(Queue())
    peer.call_later(0.002, lambda: peer.log.append({"event": "connect", "sid": "S1"}))
    replay(logged, peer)
    wrong = ScriptedPeer(Queue())
    wrong.call_later(0.002, lambda: wrong.log.append({"event": "connect", "sid": "S2"}))
    with pytest.raises(Mismatch, match="log, entry 0"):
        replay(logged, wrong)
