"""mypy and pyright find the wrong uses of typed events, each of them, and nothing in the right ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.rules import FOLDERS

SAMPLE = """\
from typing import assert_type

from socketio_asyncio import ClassNamespace, Server, Socket, TypedEvent

class Chat:
    say = TypedEvent[[str], bool]("say")
    said = TypedEvent[[str, str], None]("said")
    place = TypedEvent[[], tuple[int, int]]("place")

io = Server()
admin = io.of("/admin")

@io.on(Chat.say)
async def say(socket: Socket, text: str) -> bool:
    await io.emit(Chat.said, "Ada", text)
    io.to("room").emit(Chat.said, "Ada", text)
    socket.emit(Chat.said, "Ada", text)
    socket.volatile.emit(Chat.said, "Ada", text)
    assert_type(await socket.emit_with_ack(Chat.say, "hi"), bool)
    assert_type(await socket.timeout(1.0).emit_with_ack(Chat.place), tuple[int, int])
    assert_type(await io.timeout(1.0).emit_with_ack(Chat.say, "hi"), list[bool])
    return True

@admin.once(Chat.place)
def place(socket: Socket) -> tuple[int, int]:
    socket.on(Chat.said, lambda who, text: print(who.upper(), text))
    return 1, 2

@io.on("plain")
def plain(socket: Socket, anything: float) -> str:
    socket.emit("plain", 1, {"x": 2})
    return "strings still do"

def listener(socket: Socket, text: str) -> bool:
    return bool(text)

io.on(Chat.say, listener)
io.off(Chat.say, listener)

class Room(ClassNamespace):
    @ClassNamespace.event(Chat.say)
    async def heard(self, socket: Socket, text: str) -> bool:
        self.emit(Chat.said, "Ada", text)
        return True

    def on_plain(self, socket: Socket) -> None: ...

    @ClassNamespace.event(Chat.said)  # wrong: bool for None
    def wrong(self, socket: Socket, who: str, text: str) -> bool:
        self.emit(Chat.said, text)  # wrong: one for two
        return True

io.emit(Chat.said, "Ada")  # wrong: one for two
io.emit(Chat.said, "Ada", 5)  # wrong: an int for a str
io.in_("room").emit(Chat.said)  # wrong: none for two
io.emit(Chat.sayd, "Ada", "hi")  # wrong: no such event

@io.on(Chat.say)  # wrong: an int for a str
def argument(socket: Socket, text: int) -> bool:
    return True

@io.on(Chat.say)  # wrong: takes too little
async def short(socket: Socket) -> bool:
    return True

@io.on(Chat.say)  # wrong: answers a str
async def answer(socket: Socket, text: str) -> str:
    socket.emit(Chat.say, text, text)  # wrong: two for one
    socket.compress(False).emit(Chat.say, 5)  # wrong: an int for a str
    number: int = await socket.emit_with_ack(Chat.said, "a", "b")  # wrong: None is no int
    return text

def connected(socket: Socket) -> None:
    @socket.on(Chat.say)  # wrong: a socket's own handlers do not get the socket
    def own(socket: Socket, text: str) -> bool:
        return True
"""


def wrong_lines() -> set[int]:
    return {number for number, line in enumerate(SAMPLE.splitlines(), 1) if "# wrong" in line}


@pytest.mark.parametrize("checker", [["mypy", "--strict"], ["pyright"]], ids=["mypy", "pyright"])
def test_the_sample(checker: list[str], tmp_path: Path) -> None:
    sources = [str(folder / "src") for folder in FOLDERS.values()]
    (tmp_path / "sample.py").write_text(SAMPLE)
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nmypy_path = {':'.join(sources)}\n")
    strict = {"typeCheckingMode": "strict", "reportUnusedFunction": False, "extraPaths": sources}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(strict))
    options = ["--pythonpath", sys.executable] if checker == ["pyright"] else []
    run = subprocess.run(
        [sys.executable, "-m", *checker, *options, "sample.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    found = {int(line) for line in re.findall(r"sample\.py:(\d+)[^\n]*error", run.stdout)}
    assert found == wrong_lines(), run.stdout + run.stderr
