"""The option `per_message_deflate`: compressed WebSocket messages (RFC 7692). Checked here, honoured by a wire.

Sources: ws 8.21 `lib/permessage-deflate.js` and its documentation; RFC 7692 7.1 for the parameters. Off by default,
as in the reference, because of the memory: a connection that has sent and received compressed messages and keeps
both contexts holds about 300 KiB (see `ZlibOptions.mem_level` and the window bits).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar, cast, final

from ._errors import unknown_option

_RANGES: Final[Mapping[str, tuple[int, int | None]]] = {
    "threshold": (0, None),
    "concurrency_limit": (1, None),
    "level": (-1, 9),
    "mem_level": (1, 9),
    "strategy": (0, 4),
    "window_bits": (8, 15),
    "chunk_size": (64, None),
}
_BITS: Final = (8, 15)  # RFC 7692 7.1.2
T = TypeVar("T")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ZlibOptions:
    """Options of Node's zlib, as far as a stream of WebSocket messages has a use for them.

    Raises:
        TypeError, ValueError: naming the option, its value and what is allowed.
    """

    level: int = -1
    """0 (none) to 9 (smallest); -1 is zlib's own choice, 6. For deflating."""
    mem_level: int = 8
    """1 (least memory) to 9 (fastest): `2 ** (mem_level + 9)` bytes a compressor. For deflating."""
    strategy: int = 0
    """0 default, 1 filtered, 2 Huffman only, 3 run lengths, 4 fixed codes. For deflating."""
    window_bits: int = 15
    """Accepted; what was negotiated takes its place, as in ws."""
    chunk_size: int = 16 * 1024
    """Accepted because Node's zlib has it; pieces have the size that is needed here."""
    dictionary: bytes = b""
    """What both sides know beforehand. No browser can be told of one."""

    def __post_init__(self) -> None:
        for name in ("level", "mem_level", "strategy", "window_bits", "chunk_size"):
            _check_integer(name, getattr(self, name))
        if not isinstance(cast(object, self.dictionary), bytes):
            raise TypeError(f"per_message_deflate: dictionary must be bytes, not {self.dictionary!r}")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PerMessageDeflate:
    """What a server does with offers of permessage-deflate, and how it compresses.

    Of the four parameters, None leaves the choice to the client.

    Raises:
        TypeError, ValueError: naming the option, its value and what is allowed.
    """

    threshold: int = 1024
    """Bytes from which a message is compressed. One whose `compress` flag is off never is."""
    server_no_context_takeover: bool | None = None
    """True: each message we send is compressed alone (no memory in between, and a broadcast is compressed once).
    False: an offer that asks for it is not accepted."""
    client_no_context_takeover: bool | None = None
    """True: the client compresses each message alone, so no memory is held in between."""
    server_max_window_bits: int | bool | None = None
    """8 to 15: the base two logarithm of our window; a compressor takes `2 ** (bits + 2)` bytes for it. False: an
    offer that asks for any is not accepted."""
    client_max_window_bits: int | bool | None = None
    """8 to 15: the same of the client, who must have offered it; a decompressor takes `2 ** bits` bytes. False: what
    the client offers is not confirmed."""
    zlib_deflate_options: ZlibOptions = field(default_factory=ZlibOptions)
    zlib_inflate_options: ZlibOptions = field(default_factory=ZlibOptions)
    concurrency_limit: int = 10
    """Accepted without a meaning: ws limits the threads that compress at once, and here one thread does it all."""

    def __post_init__(self) -> None:
        for name in ("threshold", "concurrency_limit"):
            _check_integer(name, getattr(self, name))
        for name in ("server_no_context_takeover", "client_no_context_takeover"):
            value: object = getattr(self, name)
            if value is not None and not isinstance(value, bool):
                raise TypeError(f"per_message_deflate: {name} must be True, False or None, not {value!r}")
        for name in ("server_max_window_bits", "client_max_window_bits"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, bool):
                _check_integer(name, value, _BITS, ", or True, False or None")
        for name in ("zlib_deflate_options", "zlib_inflate_options"):
            value = getattr(self, name)
            if not isinstance(value, ZlibOptions):
                raise TypeError(f"per_message_deflate: {name} must be ZlibOptions, not {value!r}")

    @classmethod
    def from_option(cls, value: Any) -> PerMessageDeflate | None:
        """The option as a user gives it: None or False is off, True or a mapping is on.

        Raises:
            TypeError: an unknown option, at any depth (the nearest known one is named), or a wrong type.
            ValueError: a wrong value.
        """
        if value is None or value is False or isinstance(value, cls):
            return value or None
        if value is True:
            return cls()
        return _from_mapping(cls, "per_message_deflate", value)


def _from_mapping(kind: type[T], name: str, value: Any) -> T:
    if not isinstance(value, Mapping):
        allowed = "" if name.startswith("zlib") else "True, False or "
        example = "{'level': 6}" if name.startswith("zlib") else "{'threshold': 1024}"
        raise TypeError(f"{name} must be {allowed}a mapping such as {example}, not {value!r}")
    given = dict(cast("Mapping[str, Any]", value))
    known = {option.name for option in fields(cast(Any, kind))}
    for key, item in given.items():
        if key not in known:
            raise TypeError(f"{name}: {unknown_option(key, known)}")
        if key.startswith("zlib_") and not isinstance(item, ZlibOptions):
            given[key] = ZlibOptions() if item is None else _from_mapping(ZlibOptions, key, item)
    return kind(**given)


def _check_integer(
    name: str, value: object, bounds: tuple[int, int | None] | None = None, more: str = ""
) -> None:
    lowest, highest = bounds if bounds is not None else _RANGES[name]
    allowed = (f"at least {lowest}" if highest is None else f"from {lowest} to {highest}") + more
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"per_message_deflate: {name} must be an integer {allowed}, not {value!r}")
    if value < lowest or (highest is not None and value > highest):
        raise ValueError(f"per_message_deflate: {name} must be an integer {allowed}, not {value!r}")
