"""Compressed poll answers: the option `http_compression`, which coding a client wants, and the bytes.

An answer is compressed when the option is on, a packet in it may be compressed, its body has at least `threshold`
bytes, and the request's Accept-Encoding leaves a coding. Whatever is cheap to know is looked at first, so an answer
below the threshold costs nothing. The body of one message that many sessions get (a broadcast) is compressed once
per coding: its `Outgoing` keeps the result. Files that a server adds to the engine choose their coding here too.

Source: `packages/engine.io/lib/transports/polling.ts`, `doWrite`; the npm modules `accepts` 1.3.8 and `negotiator`
0.6.3, `lib/encoding.js`, which read a header as below, not as RFC 9110 12.5.3 has it: `identity` never wins.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, cast, final

from ._errors import unknown_option
from ._outgoing import Outgoing
from ._request import Request, Response

try:
    import brotli  # type: ignore[import-untyped, unused-ignore]  # pyright: ignore[reportMissingTypeStubs]
except ImportError:
    _brotli: Any = None
else:
    _brotli = brotli

# Node's zlib has these bounds. A window of 8 bits is left out: gzip has none, and either coding may be asked for.
_RANGES: Final[Mapping[str, tuple[int, int | None]]] = {
    "threshold": (0, None),
    "level": (-1, 9),
    "mem_level": (1, 9),
    "window_bits": (9, 15),
    "strategy": (0, 4),
    "chunk_size": (64, None),
}
# What the middleware `compression` of Express uses: about gzip's speed, and smaller. 11, the default, is for files.
_BROTLI_QUALITY: Final = 4

FILE_CODINGS: Final = ("gzip", "deflate") if _brotli is None else ("br", "gzip", "deflate")
"""What `compress_file` has; `br` where the package brotli is installed."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCompression:
    """When and how poll answers are compressed. Raises `TypeError` or `ValueError` naming option, value and range;
    `ImportError` for `brotli=True` where the package brotli is not installed."""

    threshold: int = 1024
    """Bytes from which a body is compressed."""
    level: int = -1
    """0 (none) to 9 (smallest); -1 is zlib's own choice, 6."""
    mem_level: int = 8
    """1 (least memory) to 9 (fastest)."""
    window_bits: int = 15
    """9 to 15: the base two logarithm of the window."""
    strategy: int = 0
    """0 default, 1 filtered, 2 Huffman only, 3 run lengths, 4 fixed codes."""
    chunk_size: int = 16 * 1024
    """Accepted because Node's zlib has it; an answer is compressed in one piece here."""
    brotli: bool = False
    """Whether `br` is used, too, before the others where the client likes them equally. The reference never does."""

    def __post_init__(self) -> None:
        for name, (lowest, highest) in _RANGES.items():
            value: object = getattr(self, name)
            allowed = f"at least {lowest}" if highest is None else f"from {lowest} to {highest}"
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"http_compression: {name} must be an integer {allowed}, not {value!r}")
            if value < lowest or (highest is not None and value > highest):
                raise ValueError(f"http_compression: {name} must be {allowed}, not {value!r}")
        if not isinstance(cast(object, self.brotli), bool):
            raise TypeError(f"http_compression: brotli must be True or False, not {self.brotli!r}")
        if self.brotli and _brotli is None:
            raise ImportError(
                "http_compression: brotli=True needs the package brotli: pip install engineio-proto[brotli]"
            )

    @classmethod
    def from_option(cls, value: Any) -> HttpCompression | None:
        """The option as a user gives it: None or False is off, True or a mapping is on.

        As in the reference a value that does not name a `threshold` compresses everything: it takes the place of
        the whole default.
        """
        if value is None or value is False or isinstance(value, cls):
            return value or None
        given: dict[str, Any] = {"threshold": 0}
        if isinstance(value, Mapping):
            known = {field.name for field in fields(cls)}
            for name in cast("Mapping[str, Any]", value):
                if name not in known:
                    raise TypeError(f"http_compression: {unknown_option(name, known)}")
            given.update(cast("Mapping[str, Any]", value))
        elif value is not True:
            raise TypeError(
                f"http_compression must be True, False or a mapping such as {{'threshold': 1024}}, not {value!r}"
            )
        return cls(**given)

    def apply(self, request: Request, response: Response, buffer: list[Outgoing]) -> Response:
        """The answer of a poll that brings `buffer`, compressed if all conditions hold."""
        body = response.body
        if len(body) < self.threshold or not any(outgoing.compress for outgoing in buffer):
            return response
        accepted = request.headers.get("accept-encoding")
        coding = self.coding_for(accepted) if accepted else None
        if coding is None:
            return response
        body = self._shared(buffer[0], coding, body) if len(buffer) == 1 else self._compress(coding, body)
        first, *rest = response.headers
        return Response(response.status, (first, ("Content-Encoding", coding), *rest), body)

    def coding_for(self, accepted: str) -> str | None:
        """The coding for an Accept-Encoding header, None when none is left.

        `br` first is a preference of the server, as negotiator 0.6.4 has it for that purpose: browsers name it last.
        """
        codings = ("br", "gzip", "deflate") if self.brotli else ("gzip", "deflate")
        return negotiate_coding(accepted, codings, preferred="br")

    def _shared(self, outgoing: Outgoing, coding: str, body: bytes) -> bytes:
        # One message has several bodies: of protocol 4, of 3 as text and as binary, of JSONP. They begin differently
        # (nearly always), so clients of all kinds in turn find theirs; a JSONP one has its client's number in it.
        key = coding, body[:1]
        kept = outgoing.compressed.get(key) if outgoing.compressed else None
        if kept is not None and kept[0] == body:
            return kept[1]
        compressed = self._compress(coding, body)
        if outgoing.compressed is None:
            outgoing.compressed = {}
        outgoing.compressed[key] = (body, compressed)
        return compressed

    def _compress(self, coding: str, body: bytes) -> bytes:
        if coding == "br":
            return cast(bytes, _brotli.compress(body, quality=_BROTLI_QUALITY))
        # zlib.h, deflateInit2: "Add 16 to windowBits to write a simple gzip header and trailer". The coding
        # `deflate` is the zlib format (RFC 9110 8.4.1.2), not raw deflate.
        window = self.window_bits + (16 if coding == "gzip" else 0)
        machine = zlib.compressobj(self.level, zlib.DEFLATED, window, self.mem_level, self.strategy)
        return machine.compress(body) + machine.flush()


# White space of a JavaScript pattern that a header may hold: tab, space, and the no-break space.
_ENTRY: Final = re.compile(r"[\t \xa0]*([^\t \xa0;]+)[\t \xa0]*(?:;(.*))?")
# parseFloat: the longest beginning that is a decimal literal.
_NUMBER: Final = re.compile(r"[\t \xa0]*([+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))")
_NAN: Final = float("nan")


def compress_file(coding: str, body: bytes) -> bytes:
    """The body in one of `FILE_CODINGS`: for what is compressed once, and so that a first request need not wait long.

    On the client's files brotli at 5 takes zlib's time and saves what its highest level does; 11 takes a second.
    """
    if coding == "br":
        return cast(bytes, _brotli.compress(body, quality=5))
    machine = zlib.compressobj(wbits=31 if coding == "gzip" else 15)
    return machine.compress(body) + machine.flush()


def negotiate_coding(accepted: str, codings: Sequence[str], *, preferred: str | None = None) -> str | None:
    """Which of `codings` an Accept-Encoding header asks for, None when it leaves none.

    The highest q wins; among equals the preferred one, then a coding that is named before one that only `*` covers,
    then the client's order, then that of `codings`.
    """
    entries: list[tuple[int, str, float]] = []
    for index, part in enumerate(accepted.split(",")):
        match = _ENTRY.fullmatch(part.strip("\t \xa0"))
        if match:
            entries.append((index, match[1].lower(), _quality(match[2] or "")))
    best: tuple[float, bool, bool, int] | None = None
    chosen = None
    for coding in codings:
        named, quality, place = False, 0.0, -1
        for index, name, q in entries:
            # Of several entries for one coding: the one that names it, of the highest q, the last.
            if (name == coding or name == "*") and _later(named, quality, place, name == coding, q, index):
                named, quality, place = name == coding, q, index
        rank = (-quality, coding != preferred, not named, place)
        if quality > 0 and (best is None or rank < best):
            best, chosen = rank, coding
    return chosen


def _later(named: bool, quality: float, place: int, new_named: bool, new_quality: float, index: int) -> bool:
    # negotiator: `(a.s - b.s || a.q - b.q || a.o - b.o) < 0`, where a difference that is NaN counts as none.
    for difference in (named - new_named, quality - new_quality):
        if difference and difference == difference:
            return difference < 0
    return place < index


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, *values = parameter.strip("\t \xa0").split("=")
        if name == "q":
            match = _NUMBER.match(values[0]) if values else None
            return float(match[1]) if match else _NAN
    return 1.0
