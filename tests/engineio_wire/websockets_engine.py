"""The `websockets` library as a `ws_engine`: its sans-I/O protocol reads the frames and makes them.

It shows how much a user must write to bring an engine of their own. What the library leaves to its callers is done
here: text is decoded, fragments are counted.
"""

from __future__ import annotations

import codecs

from engineio_wire import CodecSettings, FrameHeader, Received, Violation
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side


class WebsocketsEngine:
    """Satisfies `engineio_wire.WebSocketEngine`."""

    def codec(self, settings: CodecSettings) -> WebsocketsCodec:
        return WebsocketsCodec(settings)


class WebsocketsCodec:
    """Satisfies `engineio_wire.FrameCodec`."""

    def __init__(self, settings: CodecSettings) -> None:
        self.settings = settings
        self.protocol = Protocol(Side.SERVER, max_size=settings.max_message_size)
        if settings.deflate is not None:
            self.protocol.extensions = [
                PerMessageDeflate(
                    settings.deflate.client_no_context_takeover,
                    settings.deflate.server_no_context_takeover,
                    settings.deflate.client_max_window_bits,
                    max(9, settings.deflate.server_max_window_bits),
                )
            ]
        self.pieces: list[Frame] = []
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.text = ""

    @property
    def idle(self) -> bool:
        return self.protocol.current_size is None

    def begin(self, header: FrameHeader, raw: bytes) -> Received | None:
        return self.feed(raw)

    def feed(self, data: bytes) -> Received | None:
        self.protocol.receive_data(data)
        self.protocol.data_to_send()  # the wire answers pings and closes itself
        if self.protocol.parser_exc is not None:
            close = self.protocol.close_sent
            assert close is not None, self.protocol.parser_exc
            raise Violation(close.code, "Max payload size exceeded" if close.code == 1009 else close.reason)
        for frame in self.protocol.events_received():
            assert isinstance(frame, Frame)
            return self.collect(frame)
        return None

    def collect(self, frame: Frame) -> Received | None:
        if frame.opcode not in (Opcode.CONT, Opcode.TEXT, Opcode.BINARY):
            return Received(frame.opcode, bytes(frame.data))
        self.pieces.append(frame)
        if len(self.pieces) > self.settings.max_fragments:
            raise Violation(1008, "Too many message fragments")
        opcode = self.pieces[0].opcode
        if opcode is Opcode.TEXT:
            try:
                self.text += self.decoder.decode(bytes(frame.data), frame.fin)
            except UnicodeDecodeError as error:
                raise Violation(1007, str(error)) from None
        if not frame.fin:
            return None
        binary = b"".join([piece.data for piece in self.pieces])
        message = Received(opcode, self.text if opcode is Opcode.TEXT else binary)
        self.pieces, self.text = [], ""
        return message

    def frame(self, opcode: int, payload: bytes, compress: bool) -> bytes:
        extensions = self.protocol.extensions if compress else []
        return Frame(Opcode(opcode), payload).serialize(mask=False, extensions=extensions)
