"""A chat in rooms: who is here, who is typing, images as binary, an acknowledgement for every message.

    python server.py [--host HOST] [--port PORT] [--check]

The page beside this file uses the official JavaScript client, which the server itself hands out. There are no
accounts: a person is whoever they say, so this is a demonstration and not a messenger.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import itertools
import os
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeAlias

from socketio_asyncio import Request, Response, Server, Socket, serve

HERE = Path(__file__).parent
NODE_MODULES = HERE.parents[2] / "tests" / "interop" / "js" / "node_modules"

LONGEST_NAME = 24  # characters, of a person and of a room
LONGEST_TEXT = 2_000  # characters
LARGEST_IMAGE = 900_000  # bytes; below the server's limit for one message, which is 1 MB
MOST_ROOMS = 200
HISTORY = 50  # messages that a newcomer sees; the bytes of an image are not kept

Answer: TypeAlias = dict[str, object]  # what an acknowledgement carries
P = ParamSpec("P")


@dataclass
class Room:
    people: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])  # sid: user, name
    history: deque[Answer] = field(default_factory=lambda: deque[Answer](maxlen=HISTORY))


# The page comes from this server and needs no CORS; a front end's development server elsewhere does.
io = Server(cors={"origin": ["http://localhost:3000", "http://localhost:5173"], "credentials": True})
rooms = {"lobby": Room(), "pictures": Room()}
message_ids = itertools.count(time.time_ns() // 1_000_000)  # still growing after a restart


# -- checking what clients send ------------------------------------------------------------------------------


class Refusal(Exception):
    """What a client sent is not acceptable; the text is the answer it gets."""


def answers(handler: Callable[Concatenate[Socket, P], Answer]) -> Callable[Concatenate[Socket, P], Answer]:
    """The acknowledgement is `{"ok": true, ...}`, or `{"ok": false, "error": why}` for a refusal."""

    @functools.wraps(handler)
    def answering(socket: Socket, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return {"ok": True, **handler(socket, *args, **kwargs)}
        except Refusal as refusal:
            return {"ok": False, "error": str(refusal)}

    return answering


def a_text(value: object, what: str, longest: int) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not 0 < len(text) <= longest:
        raise Refusal(f"{what} must be a text of 1 to {longest} characters.")
    return text


def a_name(value: object, what: str) -> str:
    name = " ".join(a_text(value, what, LONGEST_NAME).split())
    if not name.isprintable():
        raise Refusal(f"{what} must not have control characters.")
    return name


def an_image(value: object) -> tuple[bytes, str]:
    """The bytes and the media type, which is read from the bytes: a sender's word for it means nothing."""
    if not isinstance(value, bytes):
        raise Refusal("An image must be sent as binary.")
    if len(value) >= LARGEST_IMAGE:
        raise Refusal(f"An image must be smaller than {LARGEST_IMAGE // 1000} kB.")
    if value.startswith(b"\x89PNG\r\n\x1a\n"):
        return value, "image/png"
    if value.startswith(b"\xff\xd8\xff"):
        return value, "image/jpeg"
    if value.startswith((b"GIF87a", b"GIF89a")):
        return value, "image/gif"
    if value.startswith(b"RIFF") and value[8:12] == b"WEBP":
        return value, "image/webp"
    raise Refusal("That is not a PNG, JPEG, GIF or WebP image.")


# -- the conversation ----------------------------------------------------------------------------------------


@io.on("join")
@answers
def join(socket: Socket, user: object, name: object, room: object) -> Answer:
    user, name = a_name(user, "An id"), a_name(name, "Your name")
    room = a_name(room, "A room's name").lower()
    if room not in rooms and len(rooms) >= MOST_ROOMS:
        raise Refusal(f"There are {MOST_ROOMS} rooms already. Join one of them.")
    leave(socket)
    socket.data.update(room=room, user=user, name=name)
    socket.join(channel(room))
    rooms.setdefault(room, Room()).people[socket.id] = (user, name)
    tell_who_is_here(room)
    return {"room": room, "history": list(rooms[room].history)}


@io.on("chat")
@answers
def chat(socket: Socket, room: object, text: object) -> Answer:
    return post(socket, room, {"text": a_text(text, "A message", LONGEST_TEXT)})


@io.on("image")
@answers
def image(socket: Socket, room: object, filename: object, data: object) -> Answer:
    content, media_type = an_image(data)
    name = a_text(filename, "A file's name", 255)
    return post(socket, room, {"filename": name, "type": media_type}, {"image": content})


@io.on("typing")
def typing(socket: Socket, room: object, active: object) -> None:
    data = socket.data
    if isinstance(room, str) and room == data.get("room"):
        socket.to(channel(room)).emit("typing", room, data["user"], data["name"], active is True)


@io.on("disconnecting")
def disconnecting(socket: Socket, reason: str) -> None:
    leave(socket)


def post(socket: Socket, room: object, content: Answer, attached: Answer | None = None) -> Answer:
    """Sends a message to the others in the room; what is `attached` is not kept for newcomers."""
    data = socket.data
    if not isinstance(room, str) or room != data.get("room"):
        raise Refusal("You are not in that room.")
    stamp = {"id": next(message_ids), "at": time.time_ns() // 1_000_000}
    message: Answer = {**stamp, "room": room, "user": data["user"], "name": data["name"], **content}
    rooms[room].history.append(message)
    socket.to(channel(room)).emit("message", {**message, **(attached or {})})
    return {"id": message["id"]}


def leave(socket: Socket) -> None:
    room = socket.data.pop("room", None)
    if not isinstance(room, str):
        return
    socket.leave(channel(room))
    del rooms[room].people[socket.id]
    if not rooms[room].people and room not in ("lobby", "pictures"):
        del rooms[room]
    tell_who_is_here(room)


def tell_who_is_here(room: str) -> None:
    """To the room: its people, a person in two windows once. To everyone: how many are in which room."""
    here = dict(rooms[room].people.values()) if room in rooms else {}
    io.to(channel(room)).emit("people", room, [{"user": user, "name": name} for user, name in here.items()])
    io.emit("rooms", [{"name": name, "people": len({*r.people.values()})} for name, r in rooms.items()])


def channel(room: str) -> str:
    """The Socket.IO room of a chat room. The prefix keeps names apart from ids: each id is a room as well."""
    return f"chat:{room}"


# -- the page ------------------------------------------------------------------------------------------------

PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/chat.css": ("chat.css", "text/css; charset=utf-8"),
    "/chat.js": ("chat.js", "text/javascript; charset=utf-8"),
    "/view.js": ("view.js", "text/javascript; charset=utf-8"),
    "/images.js": ("images.js", "text/javascript; charset=utf-8"),
}


async def pages(request: Request) -> Response:
    """Every path that is not Socket.IO's."""
    if request.method not in ("GET", "HEAD"):
        return Response(405, (("allow", "GET, HEAD"),))
    if request.path not in PAGES:
        return Response(404, (("content-type", "text/plain"),), b"There is nothing here.\n")
    name, media_type = PAGES[request.path]
    headers = (
        ("content-type", media_type),
        ("cache-control", "no-cache"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'"),
    )
    return Response(200, headers, (HERE / name).read_bytes())


# -- starting it ---------------------------------------------------------------------------------------------


async def check(host: str, port: int) -> int:
    """Starts the server, drives it once with the official Node client and says what it saw."""
    node = shutil.which("node")
    if node is None:
        return fail("--check needs Node.js 18 or newer on PATH. `nox -s demo -- --check` brings its own.")
    if not (NODE_MODULES / "socket.io-client").is_dir():
        return fail(f"--check needs the official client: run `npm ci` in {NODE_MODULES.parent}.")
    listening: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    serving = serve(io, host=host, port=port, other=pages, ready=listening.set_result)
    server: asyncio.Future[Any] = asyncio.create_task(serving)
    try:
        await asyncio.wait({server, listening}, return_when=asyncio.FIRST_COMPLETED)
        if server.done():
            await server  # raises what kept it from listening
        command = (node, HERE / "check.mjs", url(host, listening.result()))
        environment = {**os.environ, "SOCKETIO_NODE_MODULES": str(NODE_MODULES)}
        script = await asyncio.create_subprocess_exec(*command, env=environment)
        return await script.wait()
    finally:
        server.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await server


def announce(host: str, port: int) -> None:
    print(f"Chat on {url(host, port)} (end it with Ctrl-C)", flush=True)


def url(host: str, port: int) -> str:
    name = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
    return f"http://{name}:{port}"


def fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(description="A chat on Socket.IO.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=3000, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="drive it once with the Node client and exit")
    options = parser.parse_args()
    host, port = options.host, options.port
    try:
        if options.check:
            return asyncio.run(check(host, port))
        asyncio.run(serve(io, host=host, port=port, other=pages, ready=functools.partial(announce, host)))
    except OSError as error:
        return fail(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another one with --port.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
