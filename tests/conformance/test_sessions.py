"""The recorded sessions of the reference, replayed through our core under virtual time.

Where we differ on purpose, or something is not built yet, `DIFFERENCES` says what; a difference that is gone
fails too. A few sessions are also replayed against the conformance target as a process, over TCP.
"""

from __future__ import annotations

import shlex
import sys
from contextlib import closing
from pathlib import Path

import pytest
from socketio_conformance import Mismatch, ProcessPeer, Trace, load_traces, replay

from tests.conformance.virtual_peer import VirtualPeer

FOLDER = Path(__file__).parents[2] / "conformance" / "traces" / "sessions"
TRACES = {trace.name: trace for trace in load_traces(FOLDER)}

IN_A_PROCESS = (
    *("eio-polling-echo", "eio-upgrade", "eio3-upgrade", "eio-deflate-on", "eio-compression-codings"),
    *("eio-generate-id-async", "eio-middleware-cookie", "sio-binary-ack", "sio-shutdown"),
    *(
        "sio-client-files-br",
        "sio-utilities",
        "sio-recovery-websocket",
        "sio-msgpack-recovery",
        "sio-json-polling",
    ),
)
"""They show that a process behaves like the core, asynchronous functions and compression too. The last one ends its
process, so it needs one."""

_DECODED_WHOLE = (
    "a POST is decoded whole before handlers run, so no answer to its first packet precedes the close"
)
_SHARED_RULE = (
    "reference.md 3.4 calls the reference's own choice between the two reasons accidental: ours is one"
)

DIFFERENCES = {
    # On purpose.
    "eio-close-packet-ws": (
        "a close packet closes the session on WebSocket too; the reference waits for the heartbeat",
        "came     Close(code=None, reason='')",
    ),
    "eio-heartbeat-upgraded": (
        "an upgrade restarts the ping interval; the reference leaves it running",
        "expected Message(data='2'",
    ),
    "eio-invalid-packet-polling": (_DECODED_WHOLE, "came     Packet(text='1')"),
    "eio-trailing-separator": (_DECODED_WHOLE, "came     Packet(text='1')"),
    "eio-allow-request-gone": (
        "nobody waits for an answer about a client that is gone; the reference refuses, or opens, all the same",
        "expected Log(entry={'event': 'connection_error', 'code': 4",
    ),
    "eio-middleware-and-option-cookie": (
        "cookies are all sent; in the reference the option's replaces the middleware's",
        "'set-cookie': ('mw=1; Path=/'",
    ),
    "eio-middleware-ends-upgrade": (
        "what a middleware answers to an upgrade is sent; the reference ends the connection without a word",
        "came     Response(status=503",
    ),
    "eio-deflate-flag": (
        "messages below the threshold, or whose flag is off, go uncompressed; the reference compresses all",
        "compressed=False",
    ),
    "eio-upgrade-closing": (
        "a session that the user has closed tells nothing more but its close",
        "expected Log(entry={'event': 'upgrade'",
    ),
    "eio-ws-post": ("what is no WebSocket handshake is refused before the engine looks at it", "status=405"),
    "eio-ws-second-link": (
        "a session that began on a WebSocket has nothing to upgrade",
        "came     Close(code=None, reason='')",
    ),
    "eio3-invalid-packet": (_DECODED_WHOLE, "came     Packet(text='1')"),
    "eio3-no-colon": (_DECODED_WHOLE, "came     Packet(text='1')"),
    "sio-ack-other-namespace": (_SHARED_RULE, "'forced server close'"),
    "sio-disconnect-other-namespace": (_SHARED_RULE, "'forced server close'"),
    "sio-event-to-other-namespace": (_SHARED_RULE, "'forced server close'"),
    "sio-namespace-no-comma": (_SHARED_RULE, "'forced server close'"),
    "sio-second-connect": (_SHARED_RULE, "'forced server close'"),
    "sio-connect-and-event": (
        "CONNECT joins at once when nobody has to be asked; in the reference a moment later",
        "came     Packet(text='40{",
    ),
    "sio-events-behind-disconnect": (
        "an event before DISCONNECT is delivered, one behind it closes the connection, in one read as in two",
        "came     Packet(text='6')",
    ),
    "sio-dynamic-pairs": (
        "CONNECTs are answered in their order; the reference refuses a name at once",
        "expected Message(data='44/nowhere",
    ),
    "sio-msgpack-reserved": (
        "a client's packet never reaches the listeners of the server's own events",
        "expected Log(entry={'event': 'disconnect', 'nsp': '/', 'sid': '${sid:/}', 'reason': 'boo'})",
    ),
    "sio-recovery-no-offset": (
        "a client that has received no event since it connected can be recovered too",
        'came     Message(data=\'42["auth",{},',
    ),
    "sio-recovery-used": ("a restored session is single-use", 'expected Message(data=\'42["auth",{"pid"'),
    "sio2-error-from-client": (_SHARED_RULE, "'forced server close'"),
    "sio2-second-connect": (_SHARED_RULE, "'forced server close'"),
}
"""Trace -> what is different, and a part of the message that says so."""

ONLY_IN_THE_LOG = {
    "eio-allow-request-gone",
    "eio-upgrade-closing",
    "sio-ack-other-namespace",
    "sio-disconnect-other-namespace",
    "sio-event-to-other-namespace",
    "sio-namespace-no-comma",
    "sio-second-connect",
    "sio2-error-from-client",
    "sio2-second-connect",
}
"""Of these, what clients see is as in the trace."""


REPLAYED = [name for name in TRACES if name not in {"sio-shutdown", *DIFFERENCES}]


class Unlogged(VirtualPeer):
    """A core whose log is not compared."""

    has_log = False


def test_enough_was_recorded() -> None:
    assert len(TRACES) >= 451
    assert set(DIFFERENCES) <= set(TRACES)
    assert set(DIFFERENCES) >= ONLY_IN_THE_LOG


@pytest.mark.filterwarnings("ignore:origin='\\*' with credentials")
@pytest.mark.parametrize("name", REPLAYED)
def test_core(name: str) -> None:
    trace = TRACES[name]
    replay(trace, VirtualPeer(trace.config))


@pytest.mark.parametrize("name", DIFFERENCES)
def test_difference(name: str) -> None:
    trace = TRACES[name]
    with pytest.raises(Mismatch) as caught, closing(VirtualPeer(trace.config)) as peer:
        replay(trace, peer)
    assert DIFFERENCES[name][1] in str(caught.value)


@pytest.mark.parametrize("name", sorted(ONLY_IN_THE_LOG))
def test_difference_that_no_client_sees(name: str) -> None:
    trace = TRACES[name]
    replay(trace, Unlogged(trace.config))


@pytest.mark.parametrize("name", IN_A_PROCESS)
def test_process(name: str) -> None:
    trace: Trace = TRACES[name]
    command = f"{shlex.quote(sys.executable)} -m socketio_asyncio.conformance_target"
    with ProcessPeer(command, trace.config) as peer:
        replay(trace, peer)


def test_a_process_that_does_not_start() -> None:
    with (
        pytest.raises(Mismatch, match="the server did not start: exit status 3"),
        ProcessPeer(f"{shlex.quote(sys.executable)} -c 'raise SystemExit(3)'", {}),
    ):
        pass
