"""What a session queues to send: made once, shared by everyone it is sent to.

An `Outgoing` holds the Engine.IO packets of one message of the layer above, already encoded: a text packet is
`str` and begins with its type digit, a binary message is `bytes` as it is. A Socket.IO packet with attachments
is one `Outgoing`, so it is queued, dropped and counted whole and its attachments never part from it.

Every wire form is made when first needed and kept: protocol 4's polling form and the forms of protocol 3 here, the
WebSocket frames in `frame`, a slot that belongs to the wire. A broadcast to N sessions is one `Outgoing`, so it is
encoded once per form.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final, TypeVar

Form = TypeVar("Form")

RECORD_SEPARATOR: Final = "\x1e"


class Outgoing:
    """Encoded packets that belong together.

    Attributes:
        packets: `str` with the type digit first, or `bytes` for a binary message.
        compress: whether a transport may compress it.
        size: bytes counted against a send buffer.
        frame: the WebSocket frames of all packets, cached by the wire; None until then.
        compressed: by coding and first byte, a polling payload of these packets alone, and what it was compressed
            to; None until there is one.
        deflated: by what they were compressed with, the WebSocket frames where packets are; None until then.
    """

    __slots__ = ("_forms", "_payload", "compress", "compressed", "deflated", "frame", "packets", "size")

    def __init__(self, packets: tuple[str | bytes, ...], compress: bool = True) -> None:
        self.packets = packets
        self.compress = compress
        self.frame: bytes | None = None
        self.compressed: dict[tuple[str, bytes], tuple[bytes, bytes]] | None = None
        self.deflated: dict[object, bytes] | None = None
        self._payload: str | None = None
        self._forms: dict[Callable[[Outgoing], Any], Any] | None = None
        # Nearly every message is one packet of ASCII, whose size is known without encoding it.
        if len(packets) == 1 and packets[0].isascii():
            self.size = len(packets[0])
        else:
            self.size = sum(
                [
                    len(packet) if isinstance(packet, bytes) else len(packet.encode("utf-8", "surrogatepass"))
                    for packet in packets
                ]
            )

    @property
    def payload(self) -> str:
        """The packets as they stand in a polling payload (Engine.IO protocol 4, "HTTP long-polling")."""
        payload = self._payload
        if payload is None:
            payload = self._payload = RECORD_SEPARATOR.join(
                packet if isinstance(packet, str) else "b" + b64encode(packet).decode("ascii")
                for packet in self.packets
            )
        return payload

    @property
    def has_bytes(self) -> bool:
        """Whether there is a binary message: only that differs between the forms over a WebSocket."""
        return bool([packet for packet in self.packets if isinstance(packet, bytes)])

    def form(self, make: Callable[[Outgoing], Form]) -> Form:
        """What `make` makes of it, the first time; it must not be the `Outgoing` itself, nor refer to it."""
        forms = self._forms
        if forms is None:
            forms = self._forms = {}
        elif make in forms:
            kept: Form = forms[make]
            return kept
        made = forms[make] = make(self)
        return made

    def __repr__(self) -> str:
        return f"Outgoing({self.packets!r}, compress={self.compress})"


def message(*messages: str | bytes, compress: bool = True) -> Outgoing:
    """The `message` packets that carry the given messages: text gets the digit 4, bytes stay as they are."""
    first = messages[0]
    if len(messages) == 1 and isinstance(first, str):
        return Outgoing(("4" + first,), compress=compress)
    return Outgoing(
        tuple([m if isinstance(m, bytes) else "4" + m for m in messages]),
        compress=compress,
    )


# Made once per process: every session sends these very objects, frames included.
PING: Final = Outgoing(("2",))  # the session's, so a transport may compress it, as in the reference
PONG: Final = Outgoing(("3",))
# Those of a transport itself, never compressed.
NOOP: Final = Outgoing(("6",), compress=False)
CLOSE: Final = Outgoing(("1",), compress=False)
PROBE_ANSWER: Final = Outgoing(("3probe",), compress=False)
