"""The chat demo in headless Chromium: what a person does with it, on two pages at once.

The server is `docs/examples/chat/server.py --port 0`, a process of its own. DEMO_COMMAND names another one to
compare with (it is given `--port N` and prints its address); DEMO_SCREENSHOTS names a folder for pictures.
Without Chromium the tests are skipped with the reason, which `tests/conftest.py` makes a failure when CI=true.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

with contextlib.suppress(ImportError):  # without it there is no `browser`, so nothing here runs
    from playwright.sync_api import Browser, Locator, Page, expect

SERVER = Path(__file__).parents[2] / "docs" / "examples" / "chat" / "server.py"
COMMAND = shlex.split(os.environ.get("DEMO_COMMAND", "")) or [sys.executable, str(SERVER)]
OpenPage = Callable[..., "Page"]


# -- the server, the browser, the pages ----------------------------------------------------------------------


class Demo:
    """The server as a process; `restart` is what a deployment does to its clients."""

    def __init__(self) -> None:
        self.url = ""
        self.start(0)

    def start(self, port: int) -> None:
        command = [*COMMAND, "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        watchdog = threading.Timer(20, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        watchdog.cancel()
        found = re.search(r"http://localhost:(\d+)", line)
        assert found, f"{command} printed no address but {line!r}"
        self.url = found[0]
        _wait_for_listener(int(found[1]))

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            pytest.fail("the server did not end within 15 s of SIGTERM")
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()

    def restart(self) -> None:
        self.start(int(self.url.rpartition(":")[2]))


@pytest.fixture
def demo() -> Iterator[Demo]:
    running = Demo()
    yield running
    if running.process.returncode is None:
        running.stop()


@pytest.fixture
def complaints() -> list[str]:
    """What the pages wrote to the console as an error; none is expected, unless a test says so."""
    return []


@pytest.fixture
def enter(browser: Browser, demo: Demo, complaints: list[str]) -> Iterator[OpenPage]:
    """Opens a page of its own person: another browser context has another storage."""
    contexts = []

    def open_page(name: str, room: str = "", **options: object) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{name}: {error}"))
        page.on("console", lambda m: complaints.append(f"{name}: {m.text}") if m.type == "error" else None)
        page.goto(f"{demo.url}/#{room}" if room else demo.url)
        page.get_by_role("textbox", name="Your name").fill(name)
        page.get_by_role("button", name="Start chatting").click()
        expect(page.get_by_test_id("room")).to_have_text(room or "lobby")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


# -- what a person does --------------------------------------------------------------------------------------


def test_a_message_reaches_the_other_page_and_is_acknowledged(enter: OpenPage) -> None:
    ada, bob = enter("Ada"), enter("Bob")
    expect(ada.get_by_test_id("people").get_by_role("listitem")).to_have_count(2)
    expect(ada.get_by_text("Bob joined")).to_be_visible()

    ada.get_by_test_id("text").press_sequentially("Hel")
    expect(bob.get_by_test_id("typing")).to_have_text("Ada is typing")
    say(ada, "Hello <b>Bob</b> & <img src=x onerror=alert(1)>")

    expect(messages(bob)).to_contain_text(["Hello <b>Bob</b> & <img src=x onerror=alert(1)>"])
    expect(messages(bob)).to_contain_text(["Ada"])
    expect(bob.get_by_test_id("typing")).to_be_empty()
    expect(ada.get_by_test_id("tick")).to_have_attribute("data-state", "acknowledged")
    expect(ada.get_by_test_id("tick")).to_have_attribute(
        "aria-label", re.compile("Acknowledged by the server")
    )
    expect(bob.get_by_test_id("tick")).to_have_count(0)

    say(bob, "Hello Ada")
    expect(messages(ada)).to_contain_text(["Hello", "Hello Ada"])
    picture(ada, "desktop")


def test_the_badge_shows_the_way_from_polling_to_websocket(
    browser: Browser, demo: Demo, enter: OpenPage
) -> None:
    ada = enter("Ada")
    badge = ada.get_by_test_id("transport")
    expect(badge).to_have_attribute("data-transport", "websocket")
    expect(badge).to_have_attribute("data-state", "connected")
    requests = ada.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert any("transport=polling" in name for name in requests), "it did not start with polling"

    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script("delete window.WebSocket")
        page.goto(demo.url)
        page.get_by_test_id("name").fill("Cy")
        page.get_by_test_id("enter").click()
        expect(page.get_by_test_id("transport")).to_have_attribute("data-transport", "polling")
        say(page, "over polling only")
        expect(messages(ada)).to_contain_text(["over polling only"])
        expect(page.get_by_test_id("tick")).to_have_attribute("data-state", "acknowledged")


def test_an_image_travels_as_binary_and_is_shown(enter: OpenPage) -> None:
    ada, bob = enter("Ada"), enter("Bob")
    for page in (ada, bob):
        expect(page.get_by_test_id("transport")).to_have_attribute("data-transport", "websocket")
    bob.reload()  # so that its WebSocket is opened under observation
    frames: list[bytes | str] = []
    bob.on("websocket", lambda ws: ws.on("framereceived", lambda frame: frames.append(frame)))
    bob.reload()
    expect(bob.get_by_test_id("transport")).to_have_attribute("data-transport", "websocket")
    small = png(24, 16)

    ada.get_by_test_id("file").set_input_files([upload("tiny.png", "image/png", small)])
    expect(ada.get_by_test_id("tray")).to_contain_text("tiny.png")
    ada.get_by_test_id("send").click()

    expect_picture(bob, 24)
    expect_picture(ada, 24)
    assert small in frames, "the image did not arrive as one binary frame with the very bytes of the file"
    expect(ada.get_by_test_id("tray")).to_be_hidden()
    expect(ada.get_by_test_id("tick")).to_have_attribute("data-state", "acknowledged")
    picture(bob, "image")


def test_a_pasted_image_and_a_dropped_one_are_staged(enter: OpenPage) -> None:
    ada = enter("Ada")
    for event, field in (("paste", "clipboardData"), ("drop", "dataTransfer")):
        ada.evaluate(
            """([event, field, bytes]) => {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(bytes)], `by ${event}.png`, { type: "image/png" }));
                const Type = event === "paste" ? ClipboardEvent : DragEvent;
                document.body.dispatchEvent(new Type(event, { [field]: data, bubbles: true, cancelable: true }));
            }""",
            [event, field, list(png(4, 4))],
        )
        expect(ada.get_by_test_id("tray")).to_contain_text(f"by {event}.png")
        ada.get_by_label("Remove the image").click()
        expect(ada.get_by_test_id("tray")).to_be_hidden()


def test_a_large_image_is_scaled_down_and_what_is_no_image_is_refused(enter: OpenPage) -> None:
    ada, bob = enter("Ada"), enter("Bob")
    large = png(900, 700, noise=True)
    assert len(large) > 1_000_000
    ada.get_by_test_id("file").set_input_files([upload("large.png", "image/png", large)])
    expect(ada.get_by_test_id("tray-note")).to_contain_text("scaled down from 1.9 MB")
    ada.get_by_test_id("send").click()
    expect_picture(bob, 900)

    ada.get_by_test_id("file").set_input_files([upload("notes.txt", "text/plain", b"text")])
    expect(ada.get_by_test_id("problem")).to_have_text("“notes.txt” is not an image.")
    ada.get_by_test_id("file").set_input_files([upload("broken.png", "image/png", b"not a PNG")])
    expect(ada.get_by_test_id("problem")).to_have_text("“broken.png” cannot be shown by this browser.")


def test_after_a_reload_everything_goes_on(enter: OpenPage) -> None:
    ada, bob = enter("Ada", room="garden"), enter("Bob", room="garden")
    say(ada, "before")
    expect(messages(bob)).to_contain_text(["before"])
    ada.reload()

    expect(ada.get_by_test_id("me")).to_contain_text("Ada")
    expect(ada.get_by_test_id("room")).to_have_text("garden")
    expect(messages(ada)).to_contain_text(["before"])
    expect(messages(ada)).to_have_class([re.compile(r"\bown\b")])
    expect(ada.get_by_test_id("people").get_by_role("listitem")).to_have_count(2)
    say(ada, "after")
    expect(messages(bob)).to_contain_text(["before", "after"])
    say(bob, "still here")
    expect(messages(ada)).to_contain_text(["before", "after", "still here"])


def test_a_room_is_made_and_kept_apart(enter: OpenPage) -> None:
    ada, bob = enter("Ada"), enter("Bob")
    say(ada, "in the lobby")
    expect(messages(bob)).to_have_count(1)

    ada.get_by_label("Create or join a room").fill("Tea Room")
    ada.get_by_label("Create or join a room").press("Enter")
    expect(ada.get_by_test_id("room")).to_have_text("tea room")
    expect(messages(ada)).to_have_count(0)
    expect(bob.get_by_text("Ada left")).to_be_visible()
    say(ada, "in the tea room")
    expect(ada.get_by_test_id("tick")).to_have_attribute("data-state", "acknowledged")
    say(bob, "anyone?")
    expect(bob.get_by_test_id("tick")).to_have_attribute("data-state", "acknowledged")
    expect(messages(bob)).to_contain_text(["in the lobby", "anyone?"])
    expect(messages(ada)).to_have_count(1)

    bob.get_by_test_id("rooms").get_by_role("link", name="tea room").click()
    expect(bob.get_by_test_id("room")).to_have_text("tea room")
    expect(messages(bob)).to_contain_text(["in the tea room"])
    bob.go_back()
    expect(bob.get_by_test_id("room")).to_have_text("lobby")
    expect(messages(bob)).to_contain_text(["in the lobby", "anyone?"])


def test_a_restart_of_the_server_is_survived(demo: Demo, enter: OpenPage, complaints: list[str]) -> None:
    ada, bob = enter("Ada"), enter("Bob")
    expect(ada.get_by_test_id("transport")).to_have_attribute("data-transport", "websocket")
    demo.stop()
    expect(ada.get_by_test_id("banner")).to_be_visible()
    expect(ada.get_by_test_id("transport")).to_have_attribute("data-state", "reconnecting")
    say(ada, "written while the server was away")
    expect(ada.get_by_test_id("tick")).to_have_attribute("data-state", "waiting")
    picture(ada, "reconnecting")

    demo.restart()
    expect(ada.get_by_test_id("tick")).to_have_attribute("data-state", "acknowledged")
    expect(ada.get_by_test_id("banner")).to_be_hidden()
    expect(messages(bob)).to_contain_text(["written while the server was away"])
    expect(ada.get_by_test_id("transport")).to_have_attribute("data-transport", "websocket")
    complaints.clear()  # the browser writes down each refused connection


def test_a_phone_has_a_drawer_and_nothing_wider_than_its_screen(enter: OpenPage) -> None:
    ada = enter("Ada", viewport={"width": 360, "height": 720}, color_scheme="dark", device_scale_factor=2)
    say(ada, "a" * 200)
    expect(ada.get_by_test_id("tick")).to_have_attribute("data-state", "acknowledged")
    assert ada.evaluate("document.documentElement.scrollWidth") <= 360
    assert ada.evaluate("document.getElementById('messages').scrollWidth") <= 360
    expect(ada.get_by_test_id("rooms")).to_be_hidden()
    picture(ada, "phone")
    ada.get_by_role("button", name="Rooms and people").click()
    ada.get_by_test_id("rooms").get_by_role("link", name="pictures").click()
    expect(ada.get_by_test_id("room")).to_have_text("pictures")
    expect(ada.get_by_test_id("rooms")).to_be_hidden()


# -- callees -------------------------------------------------------------------------------------------------


def say(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_label("Message", exact=True).press("Enter")


def messages(page: Page) -> Locator:
    return page.get_by_test_id("message")


def expect_picture(page: Page, width: int) -> None:
    shown = page.get_by_test_id("picture")
    expect(shown).to_have_count(1)
    expect(shown).to_have_js_property("complete", True)
    expect(shown).to_have_js_property("naturalWidth", width)


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("DEMO_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def upload(name: str, media_type: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": media_type, "buffer": content}


def png(width: int, height: int, *, noise: bool = False) -> bytes:
    """A PNG, RGB; noise does not compress, so its size is known from its area."""
    random = Random(7)
    row = 3 * width
    rows = (b"\0" + (random.randbytes(row) if noise else b"\x35\xb7\x95" * width) for _ in range(height))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(rows))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _wait_for_listener(port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    pytest.fail(f"nothing listens on port {port} 10 s after its address was printed")
