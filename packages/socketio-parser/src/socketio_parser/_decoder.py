"""Messages to packets: a state machine with two states, "between packets" and "attachments are missing".

    type [attachments "-"] [namespace ","] [id] [json]          (reference: socket.io-protocol 5)

One decoder belongs to one connection. `feed` takes one message and returns the packet that it completes,
or None while attachments are missing. It raises `DecodeError`, and nothing else, for whatever a peer may
send; the decoder is then back between packets and holds nothing, but the connection should be closed.

What a peer can make it hold is bounded: the number of attachments, their bytes, the depth. What is stricter
here than in socket.io-parser 4.2.7 is listed in the README.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NoReturn, cast

from ._depth import is_deeper
from ._encoder import checked_bound, checked_depth, checked_json
from ._errors import DecodeError
from ._json import JsonCodec, OrjsonJson
from ._narrow import is_dict, is_list
from ._packet import MAX_ID, RESERVED_EVENTS, Packet, PacketType, fits

# Looking a member up on an enum costs more than all the rest of a header, so each is looked up once.
_CONNECT: Final = PacketType.CONNECT
_EVENT: Final = PacketType.EVENT
_ACK: Final = PacketType.ACK
_CONNECT_ERROR: Final = PacketType.CONNECT_ERROR
_TYPES: Final = {str(int(kind)): kind for kind in PacketType if kind <= _CONNECT_ERROR}
_BINARY_TYPES: Final = {"5": _EVENT, "6": _ACK}
# Not str.isdigit, which knows more digits than ASCII's. It matches everywhere, if only nothing.
_digits: Final = cast("Callable[[str, int], re.Match[str]]", re.compile(r"[0-9]*").match)
_TOO_LONG: Final = 16
"""MAX_ID has 16 digits; a longer run is never made a number, whatever its length."""


class Decoder:
    """The default parser's decoder.

    `json`: how data is read; `default_json()` when None.
    `max_attachments`: per packet, None for any number (the reference: 10).
    `max_depth`: arrays and objects inside one another.
    `max_pending_bytes`: attachments held while others are missing, None for any number; the default is
    what the reference's limits come to, 10 messages of 1,000,000 bytes.
    """

    # One for every connection, and most of them idle: six pointers, and nothing of its own behind them.
    __slots__ = ("_json", "_max_attachments", "_max_depth", "_max_pending_bytes", "_pending", "_quick")

    def __init__(
        self,
        *,
        json: JsonCodec | None = None,
        max_attachments: int | None = 10,
        max_depth: int = 128,
        max_pending_bytes: int | None = 10_000_000,
    ) -> None:
        codec = checked_json(json)
        self._json = codec
        self._quick = codec.quick_loads if type(codec) is OrjsonJson else codec.loads
        self._max_attachments = checked_bound("max_attachments", max_attachments, 0)
        self._max_depth = checked_depth(max_depth)
        self._max_pending_bytes = checked_bound("max_pending_bytes", max_pending_bytes, 0)
        self._pending: _Pending | None = None

    @property
    def awaiting(self) -> int:
        """How many attachments are missing; 0 between packets."""
        return 0 if self._pending is None else self._pending.missing

    @property
    def pending_bytes(self) -> int:
        """The bytes of the attachments held for a packet that is not complete."""
        return 0 if self._pending is None else self._pending.size

    def reset(self) -> None:
        """Drop a packet that is not complete (the reference's `destroy`)."""
        self._pending = None

    def feed(self, chunk: str | bytes) -> Packet | None:
        """Take one message; returns the packet that is now complete, or None.

        Raises DecodeError for a peer's violation; TypeError when the chunk is neither text nor bytes.
        """
        if isinstance(chunk, str):
            if self._pending is not None:
                self._fail("got plaintext data when reconstructing a packet", 0)
            # An event or an answer in "/", not deep: nearly every message. The other way does the rest, says what is
            # wrong, and reads what orjson cannot.
            at = chunk.find("[", 1, _TOO_LONG)
            first = chunk[:1]
            if (
                at > 0
                and (first == "2" or first == "3")
                and (len(chunk) <= self._max_depth or not is_deeper(chunk, self._max_depth))
            ):
                number = None
                if at > 1:
                    digits = chunk[1:at]
                    if not (digits.isdecimal() and digits.isascii()):
                        return self._feed_text(chunk)
                    number = int(digits)
                try:
                    data = self._quick(chunk[at:])
                except (ValueError, RecursionError):
                    return self._feed_text(chunk)
                if first == "3":
                    return Packet(_ACK, "/", data, number)
                if data and data[0].__class__ is str and data[0] not in RESERVED_EVENTS:
                    return Packet(_EVENT, "/", data, number)
            return self._feed_text(chunk)
        if isinstance(cast(object, chunk), (bytes, bytearray, memoryview)):
            return self._feed_attachment(bytes(chunk))
        raise TypeError(f"Unknown type: {chunk!r}")

    def _fail(self, message: str, offset: int, detail: str = "") -> NoReturn:
        self.reset()
        raise DecodeError(message, offset, detail)

    def _read(self, chunk: str, start: int) -> Any:
        text = chunk[start:]
        if len(text) > self._max_depth and is_deeper(text, self._max_depth):
            self._fail("invalid payload", start, f"nested deeper than {self._max_depth}")
        try:
            return self._json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DecodeError("invalid payload", start + getattr(error, "pos", 0), str(error)) from None

    def _feed_text(self, chunk: str) -> Packet | None:
        first = chunk[:1]
        kind = _TYPES.get(first)
        at = 1
        attachments = 0
        if kind is None:
            kind = _BINARY_TYPES.get(first)
            if kind is None:
                self._fail(f"unknown packet type {first if first in ('7', '8', '9') else 'NaN'}", 0)
            attachments, at = self._read_count(chunk)
        namespace = "/"
        if chunk.startswith("/", at):
            comma = chunk.find(",", at)
            end = len(chunk) if comma < 0 else comma
            namespace = chunk[at:end]
            at = min(end + 1, len(chunk))
        number, at = self._read_id(chunk, at)
        data = None
        if at < len(chunk):
            # JSON allows white space here; the reference reads it as a part of the id.
            if chunk[at] in " \t\r\n":
                self._fail("invalid payload", at, "white space before the payload")
            data = self._read(chunk, at)
            if not fits(kind, data):
                self._fail("invalid payload", at, f"wrong shape for {kind.name}")
        packet = Packet(kind, namespace, data, number)
        if not attachments:
            return packet
        self._pending = _Pending(packet, attachments)
        return None

    def _read_count(self, chunk: str) -> tuple[int, int]:
        end = _digits(chunk, 1).end()
        digits = chunk[1:end].lstrip("0")
        if not digits or not chunk.startswith("-", end):
            self._fail("Illegal attachments", 1)
        if len(digits) > _TOO_LONG:
            self._fail("too many attachments", 1)
        count = int(digits)
        if self._max_attachments is not None and count > self._max_attachments:
            self._fail("too many attachments", 1)
        return count, end + 1

    def _read_id(self, chunk: str, at: int) -> tuple[int | None, int]:
        end = _digits(chunk, at).end()
        if end == at:
            return None, at
        if end - at > _TOO_LONG or (number := int(chunk[at:end])) > MAX_ID:
            self._fail("invalid payload", at, f"id larger than {MAX_ID}")
        return number, end

    def _feed_attachment(self, chunk: bytes) -> Packet | None:
        pending = self._pending
        if pending is None:
            self._fail("got binary data when not reconstructing a packet", 0)
        pending.size += len(chunk)
        if self._max_pending_bytes is not None and pending.size > self._max_pending_bytes:
            self._fail("attachments too large", 0, f"more than {self._max_pending_bytes} bytes")
        pending.buffers.append(chunk)
        pending.missing -= 1
        if pending.missing:
            return None
        self._pending = None
        packet = pending.packet
        if packet.data is not None:
            _place(packet.data, pending.buffers)
        return packet


class _Pending:
    """A packet whose attachments have not all come."""

    __slots__ = ("buffers", "missing", "packet", "size")

    def __init__(self, packet: Packet, missing: int) -> None:
        self.packet = packet
        self.missing = missing
        self.buffers: list[bytes] = []
        self.size = 0


def _place(data: Any, buffers: list[bytes]) -> None:
    """Put the attachments where their placeholders are, in place and without recursion.

    One number may be used twice; an attachment without a placeholder is dropped. Both as the reference.
    """
    containers: list[Any] = [data]
    while containers:
        container = containers.pop()
        keys: Any = container if is_dict(container) else range(len(container))
        for key in keys:
            value: Any = container[key]
            if is_list(value):
                containers.append(value)
            elif is_dict(value):
                if value.get("_placeholder") is not True:
                    containers.append(value)
                    continue
                number: Any = value.get("num")
                # CVE-2022-2421: only an index may index; a bool is an int in Python.
                if number.__class__ is not int or not 0 <= number < len(buffers):
                    raise DecodeError("illegal attachments", 0)
                container[key] = buffers[number]
