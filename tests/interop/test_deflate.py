"""permessage-deflate between the npm client `ws` and the asyncio binding, over real sockets."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.interop.target import JS, SECONDS, Target, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

P = "permessage-deflate"
# Options of the server, options of the client, what the server confirms.
CASES: list[tuple[Any, Any, str]] = [
    (False, True, ""),
    (True, False, ""),
    (True, True, P),
    ({"threshold": 0}, {"threshold": 0}, P),
    ({"serverNoContextTakeover": True}, True, f"{P}; server_no_context_takeover"),
    ({"clientNoContextTakeover": True}, True, f"{P}; client_no_context_takeover"),
    (True, {"serverNoContextTakeover": True}, f"{P}; server_no_context_takeover"),
    (True, {"clientNoContextTakeover": True}, f"{P}; client_no_context_takeover"),
    (
        {"serverNoContextTakeover": True, "clientNoContextTakeover": True, "threshold": 0},
        {"threshold": 0},
        f"{P}; server_no_context_takeover; client_no_context_takeover",
    ),
    ({"serverMaxWindowBits": 8}, True, f"{P}; server_max_window_bits=8"),
    ({"serverMaxWindowBits": 9}, True, f"{P}; server_max_window_bits=9"),
    ({"clientMaxWindowBits": 8}, True, f"{P}; client_max_window_bits=8"),
    ({"clientMaxWindowBits": 11}, True, f"{P}; client_max_window_bits=11"),
    (True, {"serverMaxWindowBits": 8}, f"{P}; server_max_window_bits=8"),
    (True, {"serverMaxWindowBits": 12}, f"{P}; server_max_window_bits=12"),
    (True, {"clientMaxWindowBits": 10}, f"{P}; client_max_window_bits=10"),
    (
        {"serverMaxWindowBits": 10, "clientMaxWindowBits": 12, "serverNoContextTakeover": True},
        {"clientMaxWindowBits": 13},
        f"{P}; client_max_window_bits=12; server_no_context_takeover; server_max_window_bits=10",
    ),
    (
        {
            "zlibDeflateOptions": {"level": 9, "memLevel": 9, "strategy": 1, "chunkSize": 1024},
            "zlibInflateOptions": {"chunkSize": 10240},
            "concurrencyLimit": 20,
        },
        True,
        P,
    ),
]


@pytest.mark.parametrize(("server", "client", "confirmed"), CASES)
def test_echo(server: Any, client: Any, confirmed: str) -> None:
    target = Target({"perMessageDeflate": server}, mode="engineio")
    try:
        run = subprocess.run(
            ["node", "deflate.mjs", target.url, json.dumps(client), confirmed],
            cwd=JS,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert (run.returncode, run.stderr[:4000]) == (0, "")
    finally:
        assert "Traceback" not in target.stop()
