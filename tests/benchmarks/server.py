"""Our server as the benchmarks measure it: the four handlers of ``node_server.mjs``, and no option set but
those of the command line.

``python server.py PORT [--profile FILE] [--http-engine NAME]`` prints ``READY <port>`` once it accepts
connections. It runs on uvloop where that is installed. With ``--profile``, SIGUSR1 starts cProfile and SIGUSR2 stops it
and writes FILE, so that a profile holds the measured part of a case and not the connecting before it.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import signal
from typing import Any

from socketio_asyncio import Server, Socket, serve

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("port", type=int)
parser.add_argument("--profile", metavar="FILE")
parser.add_argument("--http-engine", metavar="NAME")
arguments = parser.parse_args()

io = Server(http_engine=arguments.http_engine)


@io.on("echo")
def echo(socket: Socket, x: Any) -> None:
    socket.emit("echo", x)


@io.on("aecho")
async def aecho(socket: Socket, x: Any) -> None:
    socket.emit("aecho", x)


@io.on("ack")
def ack(socket: Socket, x: Any) -> Any:
    return x


@io.on("cast")
def cast(socket: Socket, x: Any) -> None:
    io.emit("cast", x)


def profile_on_signals(path: str) -> None:
    profile = cProfile.Profile()

    def stop() -> None:
        profile.disable()
        profile.dump_stats(path + ".part")
        os.replace(path + ".part", path)  # the runner waits for the name, so it must appear whole

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, profile.enable)
    loop.add_signal_handler(signal.SIGUSR2, stop)


async def main(port: int, profile: str | None) -> None:
    if profile is not None:
        profile_on_signals(profile)
    await serve(io, host="127.0.0.1", port=port, ready=lambda port: print(f"READY {port}", flush=True))


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        run = asyncio.run
    else:
        run = uvloop.run
    run(main(arguments.port, arguments.profile))
