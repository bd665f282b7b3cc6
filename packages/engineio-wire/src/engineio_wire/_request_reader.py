"""One request read by h11: its head, then its body piece by piece, then what follows it.

A reader lives for one request, so between requests a connection holds no parser. h11 only reads here; answers
are written by `_response.py`. This class is the seam for another HTTP engine.
"""

from __future__ import annotations

from typing import Final

import h11

from ._head import BadRequest, Head, check_raw_head, read_head

# Chunk headers, extensions and trailers that may surround this many bytes of body. A body of one-byte chunks
# is framed by five bytes each and is allowed; endless extensions or trailers are not.
_OVERHEAD_PER_BYTE: Final = 8
_OVERHEAD_AT_LEAST: Final = 65_536


class RequestReader:
    """Reads one request.

    Args:
        raw: the complete head, with its empty line.
        max_head_size: bytes of an incomplete chunk header or trailer section.
        max_headers: header lines.

    Attributes:
        head: what the head says.
        complete: the whole body was read; `rest` then is what follows it.

    Raises:
        BadRequest: the head is refused.
    """

    __slots__ = ("_connection", "_fed", "_read", "complete", "head", "rest")

    def __init__(self, raw: bytes, *, max_head_size: int, max_headers: int) -> None:
        check_raw_head(raw, max_headers)
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=max_head_size)
        try:
            connection.receive_data(raw)
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise BadRequest(error.error_status_hint, str(error)) from None
        if not isinstance(event, h11.Request):
            raise BadRequest(400, "incomplete head")
        self.head: Head = read_head(event)
        self._connection = connection
        self._fed = 0
        self._read = 0
        self.rest = b""
        self.complete = not self.head.has_body

    def feed(self, data: bytes) -> None:
        """Give it what arrived after the head; `data` is not empty, which h11 takes for the end."""
        self._fed += len(data)
        self._connection.receive_data(data)

    def read(self, most_pieces: int) -> tuple[bytes, bool]:
        """Body bytes that are here, and whether there may be more of them without another `feed`.

        Args:
            most_pieces: chunks to look at in this call, so that a flood of tiny ones cannot hold the loop.

        Raises:
            BadRequest: broken chunks or trailers, or too many bytes around too small a body.
        """
        pieces: list[bytes] = []
        more = True
        try:
            for _ in range(most_pieces):
                event = self._connection.next_event()
                if isinstance(event, h11.Data):
                    pieces.append(bytes(event.data))
                    continue
                more = False
                if isinstance(event, h11.EndOfMessage):
                    self.complete = True
                    self.rest = bytes(self._connection.trailing_data[0])
                break
        except h11.RemoteProtocolError as error:
            raise BadRequest(error.error_status_hint, str(error)) from None
        body = b"".join(pieces)
        self._read += len(body)
        overhead = self._fed - self._read - len(self.rest)
        if not more and self.head.chunked and overhead > _OVERHEAD_AT_LEAST + _OVERHEAD_PER_BYTE * self._read:
            raise BadRequest(400, "too many bytes around the chunks of a small body")
        return body, more
