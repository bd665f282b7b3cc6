"""The seam for the option `ws_engine`: who reads frames into messages, and who makes frames.

The wire splits its input into single frames, orders what goes out, answers pings and closes. An engine judges and
decodes those frames and makes new ones; `WsprotoEngine` is ours, and any object that satisfies `WebSocketEngine` can
take its place. Without one, whole plain frames take the direct path (`_direct.py`) and only the others an engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, final

from ._frames import FrameHeader
from ._negotiation import DeflateParameters


class Violation(Exception):
    """The peer broke the WebSocket protocol or a bound.

    Attributes:
        code: for the close frame.
        text: the description of the close; for bounds it is that of ws.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Received(NamedTuple):
    """A complete message or control frame."""

    opcode: int
    payload: str | bytes
    "Text of a text message, otherwise bytes."


@final
@dataclass(frozen=True, slots=True)
class CodecSettings:
    """What a codec must honour."""

    max_message_size: int
    "Bytes of one message, all its fragments together, and inflated; beyond it 1009."
    max_fragments: int
    "Frames of one message; beyond it 1008."
    deflate: DeflateParameters | None
    "The permessage-deflate that was agreed on, if any."


class FrameCodec(Protocol):
    """The frames of one WebSocket, both ways, from its 101 to its close."""

    @property
    def idle(self) -> bool:
        """Whether no message is in progress; asked only between two frames."""
        ...

    def begin(self, header: FrameHeader, raw: bytes) -> Received | None:
        """Read a frame's header, `raw`; what it completes if the frame has no payload.

        Raises:
            Violation: the header is invalid or announces more than is allowed.
        """
        ...

    def feed(self, data: bytes) -> Received | None:
        """Read a piece of the payload of the frame that was begun, never more; what it completes.

        Raises:
            Violation: invalid UTF-8, a wrong order of fragments, a wrong close code, bad compressed data, a bound.
        """
        ...

    def frame(self, opcode: int, payload: bytes, compress: bool) -> bytes:
        """A whole, unmasked frame: a message, or a control frame. `compress` only when deflate was agreed on."""
        ...


class WebSocketEngine(Protocol):
    """Makes the codec of each connection; the option `ws_engine`."""

    def codec(self, settings: CodecSettings) -> FrameCodec:
        """The codec of a new connection."""
        ...
