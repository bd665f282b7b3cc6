"""The official client's files, served under the path. The core reads no file: the binding gives the bytes.

Each is compressed when it is first asked for in a coding, and kept: 2.1 MB for all eight in all codings.

Source: `packages/socket.io/lib/index.ts`, `attachServe`, `serve` and `sendFile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engineio_proto import FILE_CODINGS, Exchange, Response, compress_file, negotiate_coding

if TYPE_CHECKING:
    from cors_policy import CorsPolicy


class ClientFiles:
    """The official client, ready to be served.

    Args:
        version: the version of the npm package; it is the ETag.
        files: name -> contents; a mapping may read them when asked, which is once.
    """

    def __init__(self, version: str, files: Mapping[str, bytes]) -> None:
        self._etag = f'"{version}"'
        self._files = files
        self._bodies: dict[tuple[str, str | None], bytes] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def serve(self, name: str, exchange: Exchange, cors: CorsPolicy | None) -> Response:
        """The answer for one of the files, 304 when the browser has it; a preflight has its own answer."""
        request = exchange.request
        if cors is not None:
            result = cors.apply(request.method, request.headers)
            exchange.headers = tuple(h for h in result.headers if h[0] != "Content-Length")
            if result.preflight is not None:
                return Response(result.preflight)
        if request.headers.get("if-none-match") in (self._etag, "W/" + self._etag):
            return Response(304)
        kind = "json" if name.endswith(".map") else "javascript"
        headers: tuple[tuple[str, str], ...] = (
            ("Cache-Control", "public, max-age=0"),
            ("Content-Type", f"application/{kind}; charset=utf-8"),
            ("ETag", self._etag),
        )
        accepted = request.headers.get("accept-encoding")
        coding = negotiate_coding(accepted, FILE_CODINGS) if accepted else None
        if coding is not None:
            headers += (("Content-Encoding", coding),)
        return Response(200, headers, self._body(name, coding))

    def _body(self, name: str, coding: str | None) -> bytes:
        body = self._bodies.get((name, coding))
        if body is None:
            body = self._files[name] if coding is None else compress_file(coding, self._body(name, None))
            self._bodies[name, coding] = body
        return body
