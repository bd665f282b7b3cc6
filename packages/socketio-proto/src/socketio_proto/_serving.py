"""What every binding's `serve` checks before it listens: its arguments, and that a server is served once."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any


def check_serve(
    io: object, kinds: tuple[type[Any], ...], binding: str, port: object, ready: object, close_grace: object
) -> None:
    """Refuse wrong arguments of a binding's `serve`, before anything is listened on.

    Raises:
        TypeError, ValueError: naming the argument.
        RuntimeError: the server is being served, or was closed.
    """
    if not isinstance(io, kinds):
        raise TypeError(f"serve: io must be a Server or EngineServer of {binding}, not {io!r}")
    if isinstance(port, bool) or not isinstance(port, int):
        raise TypeError(f"serve: port must be a number, 0 for a free one, not {port!r}")
    if not 0 <= port <= 65_535:
        raise ValueError(f"serve: port must be from 0 to 65535, not {port!r}")
    if ready is not None and (not callable(ready) or iscoroutinefunction(ready)):
        raise TypeError(f"serve: ready must be a plain function of the port, not {ready!r}")
    if isinstance(close_grace, bool) or not isinstance(close_grace, (int, float)):
        raise TypeError(f"serve: close_grace must be seconds as a number, not {close_grace!r}")
    if not close_grace >= 0:
        raise ValueError(f"serve: close_grace must be 0 seconds or more, not {close_grace!r}")
    server: Any = io
    if server.runtime.served:
        raise RuntimeError("serve: this server is being served already; a second port needs a server of its own")
    if server.is_closed:
        raise RuntimeError("serve: this server was served and has ended; make a new one")
    server.runtime.served = True
