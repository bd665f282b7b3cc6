"""Our server as the benchmarks measure it: the four handlers of ``node_server.mjs``, and no option set.

``python server.py PORT [--profile FILE]`` prints ``READY <port>`` once it accepts connections. It runs
on uvloop where that is installed. With ``--profile``, SIGUSR1 starts cProfile and SIGUSR2 stops it and
writes FILE, so that a profile holds the measured part of a case and not the connecting before it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import os
import signal

from socketio_asyncio import Server, serve

io = Server()


@io.on("echo")
def echo(socket, x):
    socket.emit("echo", x)


@io.on("aecho")
async def aecho(socket, x):
    socket.emit("aecho", x)


@io.on("ack")
def ack(socket, x):
    return x


@io.on("cast")
def cast(socket, x):
    io.emit("cast", x)


async def announce(port: int) -> None:
    """Print READY when the port accepts; ``serve`` itself returns only when the server has closed."""
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        await asyncio.sleep(0.01)
    print(f"READY {port}", flush=True)


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
    ready = asyncio.create_task(announce(port))
    await serve(io, host="127.0.0.1", port=port)
    ready.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--profile", metavar="FILE")
    arguments = parser.parse_args()
    try:
        import uvloop
    except ImportError:
        run = asyncio.run
    else:
        run = uvloop.run
    run(main(arguments.port, arguments.profile))
