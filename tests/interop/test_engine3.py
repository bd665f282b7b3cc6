"""The old engine.io-client 3.5, the engine of socket.io-client 2, against our engine: in Node, and in Chromium for what
Node's does not do: binary payloads and JSONP."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.interop.target import JS, SECONDS, Target, missing

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

TRANSPORTS = ("polling", "websocket", "polling,websocket")
BUNDLE = JS / "node_modules" / "engine.io-client-3" / "engine.io.js"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def start(**options: object) -> Target:
    return Target({"allowEIO3": True, "pingInterval": 300, "pingTimeout": 20_000, **options}, "engineio")


def play(target: Target, scenario: str, *arguments: str) -> None:
    run = subprocess.run(
        ["node", "engine3.mjs", scenario, target.url, *arguments],
        cwd=JS,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert run.returncode == 0, run.stderr


def reasons(target: Target) -> list[str]:
    """Why sessions ended, from the log."""
    assert target.stop() == "socketio: SIGTERM, closing\n"
    lines = [line for line in target.log if '"disconnect"' in line]
    return [line.split('"reason": "')[1].split('"')[0] for line in lines]


@pytest.mark.parametrize("transports", TRANSPORTS)
@pytest.mark.parametrize("form", ["binary", "base64"])
def test_messages(transports: str, form: str) -> None:
    target = start()
    try:
        play(target, "messages", transports, form)
    finally:
        target.stop()
    assert sum('"connect"' in line for line in target.log) == 1


@pytest.mark.parametrize("transports", TRANSPORTS)
def test_heartbeat(transports: str) -> None:
    target = start()
    try:
        play(target, "heartbeat", transports)
    finally:
        target.stop()
    assert any('"protocol": 3' in line for line in target.log)


@pytest.mark.parametrize("transports", TRANSPORTS)
def test_a_client_that_falls_silent(transports: str) -> None:
    target = start(pingTimeout=300)
    try:
        play(target, "silence", transports)
    finally:
        ended = reasons(target)
    assert ended == ["ping timeout"]


@pytest.mark.parametrize("transports", TRANSPORTS)
def test_closed_by_the_server(transports: str) -> None:
    target = start()
    try:
        play(target, "closed", transports)
    finally:
        ended = reasons(target)
    assert ended == ["forced close"]


def test_refused_when_it_is_off() -> None:
    target = start(allowEIO3=False)
    try:
        with pytest.raises(AssertionError):
            play(target, "heartbeat", "polling")
    finally:
        target.stop()
    assert any('"code": 5' in line for line in target.log)


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    if sync_playwright is None:
        pytest.skip("no playwright in this environment: pip install playwright")
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        pytest.skip(f"no {' or '.join(CHROMIUM_NAMES)} on PATH (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


IN_PAGE = """
async (options) => {
  const messages = ["hello", "\\n and \\\\n and \\\\\\\\n \\"'</script>", "\\ud83d\\ude80 \\u2028\\u2029 +%&=d",
                    new Uint8Array([0, 1, 4, 254, 255]), "x".repeat(3000)];
  const socket = eio(location.origin, options);
  socket.binaryType = "arraybuffer";
  const back = [];
  await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`only ${back.length} came back`)), 20000);
    socket.on("error", reject);
    socket.on("close", (reason) => reject(new Error(reason)));
    socket.on("open", () => messages.forEach((message) => socket.send(message)));
    socket.on("message", (data) => back.push(data) === messages.length && resolve());
  });
  const used = { name: socket.transport.name, binary: Boolean(socket.transport.supportsBinary),
                 jsonp: socket.transport.constructor.name };
  socket.removeAllListeners("close");
  await new Promise((resolve) => socket.once("pong", resolve));
  socket.close();
  // An ArrayBuffer, or what base64 becomes where there is none.
  const bytes = (data) => new Uint8Array(data.data ?? data.buffer ?? data);
  const plain = (data) => typeof data === "string" ? data : [...bytes(data)].join();
  return { used, same: messages.map((message, at) => plain(message) === plain(back[at])) };
}
"""


@pytest.mark.parametrize(
    ("options", "binary"),
    [
        ({"transports": ["polling"]}, True),
        ({"transports": ["polling"], "forceBase64": True}, False),
        ({"transports": ["polling"], "forceJSONP": True}, False),
        ({"transports": ["websocket"]}, True),
        ({"transports": ["websocket"], "forceBase64": True}, False),
    ],
    ids=["polling", "polling, base64", "JSONP", "WebSocket", "WebSocket, base64"],
)
def test_browser(chromium: object, options: dict[str, object], binary: bool) -> None:
    target = start()
    page = chromium.new_page()  # type: ignore[attr-defined]
    try:
        urls: list[str] = []
        page.on("request", lambda request: urls.append(request.url))
        page.goto(f"{target.url}/engine.io/")  # an error page, of the right origin
        page.add_script_tag(path=str(BUNDLE))
        result = page.evaluate(IN_PAGE, options)
    finally:
        page.close()
        target.stop()
    assert result["same"] == [True] * 5
    assert result["used"]["name"] == options["transports"][0]  # type: ignore[index]
    assert result["used"]["binary"] is binary
    assert any("&j=" in url for url in urls) is ("forceJSONP" in options)
