"""The body of a request, piece by piece, and what follows it. Where it ends is never left to a parser.

A length is counted down. Chunks are read here, and only what RFC 9112 7.1 allows: CRLF ends every line, sizes
are hexadecimal digits and nothing else, extensions are tokens or quoted, trailers are header lines that frame
nothing. Whatever is read here, h11 and llhttp read alike (a property test holds all three together); much that
one of them would let pass (CVE-2025-43859) is refused.

What extensions and trailers say is thrown away (RFC 9112 7.1.1: "A recipient MUST ignore unrecognized chunk
extensions"; 7.1.2 allows to discard trailers).
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from ._head import FRAMING_NAMES, HEADER_LINE, TOKEN
from ._http_engine import BadRequest

# RFC 9112 7.1: chunk-size [ chunk-ext ] CRLF, without the spaces that only a recipient of old software allows.
# 15 digits are more than any size that is allowed.
_SIZE_LINE: Final = re.compile(
    rb"([0-9A-Fa-f]{1,15})(?:;%b++(?:=(?:%b++|\"(?:[\t !#-\[\]-~]|\\[\t -~])*+\"))?+)*+\r\n" % (TOKEN, TOKEN)
)
_TRAILER: Final = re.compile(HEADER_LINE)
# Chunk lines and trailers that may surround this many bytes of body. A body of one-byte chunks is framed by five
# bytes each and is allowed; endless extensions or trailers are not.
_OVERHEAD_PER_BYTE: Final = 8
_OVERHEAD_AT_LEAST: Final = 65_536


class BodyReader(Protocol):
    """Reads one body.

    Attributes:
        complete: all of it was read; `rest` then is what follows it.
    """

    complete: bool
    rest: bytes

    def feed(self, data: bytes) -> None:
        """Give it what arrived after the head."""
        ...

    def read(self, most_pieces: int) -> tuple[bytes, bool]:
        """Body bytes that are here, and whether there may be more of them without another `feed`.

        Args:
            most_pieces: chunks to look at in this call, so that a flood of tiny ones cannot hold the loop.

        Raises:
            BadRequest: broken chunks or trailers, or too many bytes around too small a body.
        """
        ...


class LengthBody:
    """As many bytes as the head said.

    Args:
        length: how many, more than none.
    """

    __slots__ = ("_data", "_left", "complete", "rest")

    def __init__(self, length: int) -> None:
        self._left = length
        self._data = b""
        self.complete = False
        self.rest = b""

    def feed(self, data: bytes) -> None:
        """Give it what arrived after the head."""
        self._data = self._data + data if self._data else data

    def read(self, most_pieces: int) -> tuple[bytes, bool]:
        """All that is here."""
        data, self._data = self._data, b""
        if len(data) >= self._left:
            self.complete = True
            self.rest = data[self._left :]
            data = data[: self._left]
        self._left -= len(data)
        return data, False


class ChunkedBody:
    """Chunks, until the last one and the trailers.

    Args:
        max_line: bytes of a chunk's first line, and of all trailers together.
        max_trailers: how many of these.
    """

    __slots__ = (
        "_data",
        "_in_trailers",
        "_left",
        "_max_line",
        "_overhead",
        "_pos",
        "_trailers",
        "_trailers_size",
        "complete",
        "rest",
    )

    def __init__(self, *, max_line: int, max_trailers: int) -> None:
        self._max_line = max_line
        self._trailers = max_trailers
        self._trailers_size = max_line
        self._data = b""
        self._pos = 0
        # Of the chunk that is being read, its CRLF included; 0 before a line.
        self._left = 0
        self._in_trailers = False
        # Lines so far, less what the body read so far excuses.
        self._overhead = -_OVERHEAD_AT_LEAST
        self.complete = False
        self.rest = b""

    def feed(self, data: bytes) -> None:
        """Give it what arrived after the head."""
        self._data = self._data[self._pos :] + data
        self._pos = 0

    def read(self, most_pieces: int) -> tuple[bytes, bool]:
        """The data of so many chunks. Raises BadRequest."""
        pieces: list[bytes] = []
        while len(pieces) < most_pieces:
            if self._left > 2:
                piece = self._data[self._pos : self._pos + self._left - 2]
                if not piece:
                    break
                pieces.append(piece)
                self._pos += len(piece)
                self._left -= len(piece)
                self._overhead -= _OVERHEAD_PER_BYTE * len(piece)
            if self._left:
                if self._left > 2 or not self._end_chunk():
                    break
            elif not (self._read_trailer() if self._in_trailers else self._read_size()):
                break
        else:
            return b"".join(pieces), True
        if self.complete:
            self.rest, self._data = self._data[self._pos :], b""
        return b"".join(pieces), False

    def _end_chunk(self) -> bool:
        """Read the CRLF behind the data; whether it is here."""
        end = self._data[self._pos : self._pos + 2]
        if end == b"\r\n":
            self._pos += 2
            self._left = 0
            return True
        if end not in (b"", b"\r"):
            raise BadRequest(400, "a chunk does not end where its size says")
        return False

    def _read_size(self) -> bool:
        """Read a chunk's first line; whether it is here."""
        line = self._line(self._max_line)
        if line is None:
            return False
        match = _SIZE_LINE.fullmatch(line)
        if match is None:
            raise BadRequest(400, "no chunk size")
        self._overhead += len(line)
        if self._overhead > 0:
            raise BadRequest(400, "too many bytes around the chunks of a small body")
        size = int(match[1], 16)
        if size:
            self._left = size + 2
        else:
            self._in_trailers = True
        return True

    def _read_trailer(self) -> bool:
        """Read a trailer; whether it is here and another may follow."""
        line = self._line(self._trailers_size)
        if line is None:
            return False
        if line == b"\r\n":
            self.complete = True
            return False
        self._trailers -= 1
        self._trailers_size -= len(line)
        if self._trailers < 0:
            raise BadRequest(431, "too many trailers")
        # RFC 9110 6.5.1: no trailer may say where a message ends.
        if _TRAILER.fullmatch(line) is None or line.partition(b":")[0].lower() in FRAMING_NAMES:
            raise BadRequest(400, "no trailer")
        return True

    def _line(self, longest: int) -> bytes | None:
        end = self._data.find(b"\n", self._pos) + 1
        size = (end or len(self._data)) - self._pos
        if size > longest:
            raise BadRequest(431, "a line of the chunks, or the trailers, are too long")
        if not end:
            return None
        line = self._data[self._pos : end]
        self._pos = end
        return line
