"""The browser bundle of socket.io-client 2.5 in Chromium: JSONP, binary payloads over XMLHttpRequest, WebSocket."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.target import JS, Target, missing

with contextlib.suppress(ImportError):  # without it there is no `browser`, so nothing here runs
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

BUNDLE = JS / "node_modules" / "socket.io-client-2" / "dist" / "socket.io.js"
WAYS: dict[str, dict[str, Any]] = {
    "jsonp": {"transports": ["polling"], "forceJSONP": True},
    "polling": {"transports": ["polling"]},
    "websocket": {"transports": ["websocket"]},
    "upgrade": {},
}
# What a script in an answer must not stumble over, and what a form must carry up.
TEXT = "gr\u00fc\u00dfe \U0001f680 \u2028\u2029 \n\r\n\t \"'\\ \\n </script> &amp; %41 +"

SESSION = """
async ([options, text, transport]) => {
    const socket = io(location.origin + "/custom", { ...options, forceNew: true, query: { token: "a&b" } });
    const event = (name) => new Promise((resolve, reject) => {
        setTimeout(() => reject(new Error("no " + name)), 20000);
        socket.once(name, (...values) => resolve(values));
    });
    const ask = (...args) => new Promise((resolve) => socket.emit(...args, resolve));
    const bytes = (value) => Array.from(new Uint8Array(value));
    await event("connect");
    const back = event("message-back");
    socket.emit("message", text, { deep: new Uint8Array([0, 1, 254, 255]).buffer });
    const [heard, { deep }] = await back;
    while (transport && socket.io.engine.transport.name !== transport) await ask("echo", 0);
    const answer = await ask("echo", new Uint8Array([7, 8]).buffer);
    socket.on("question", (value, ack) => ack(value));
    const { res } = await ask("ask", 10000, "question", [text]);
    const info = await ask("info");
    const many = [];
    for (let i = 0; i < 20; i++) many.push(ask("echo", i));
    const result = {
        heard, deep: bytes(deep), answer: bytes(answer), asked: res[0], sid: info.sid, id: socket.id,
        auth: info.handshake.auth, transport: info.transport, protocol: info.protocol, many: await Promise.all(many),
    };
    const gone = event("disconnect");
    socket.emit("disconnect-me", true);
    result.reason = (await gone)[0];
    return result;
}
"""


@pytest.fixture
def target() -> Iterator[Target]:
    running = Target({"allowEIO3": True})
    yield running
    assert running.stop().splitlines() == ["socketio: SIGTERM, closing"]


@pytest.fixture
def page(browser: Browser, target: Target) -> Iterator[Page]:
    """A page of the target's own, for what playwright makes up may not open a WebSocket to this machine: a refusal."""
    with browser.new_context() as context:
        opened = context.new_page()
        opened.goto(target.url + "/socket.io/")
        opened.add_script_tag(path=BUNDLE)
        yield opened


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_session(page: Page, way: str) -> None:
    transport = "websocket" if way == "upgrade" else ""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(f"{request.resource_type} {request.url}"))
    result = page.evaluate(SESSION, [WAYS[way], TEXT, transport])
    assert result["heard"] == result["asked"] == TEXT
    assert result["deep"] == [0, 1, 254, 255]
    assert result["answer"] == [7, 8]
    assert result["sid"] == result["id"]
    assert result["auth"] == {"token": "a&b"}
    assert result["many"] == list(range(20))
    assert result["protocol"] == 3
    assert result["reason"] == "io server disconnect"
    if way == "jsonp":
        assert any(line.startswith("script ") and "&j=0" in line for line in requests)
    assert result["transport"] == ("polling" if way in ("jsonp", "polling") else "websocket")
