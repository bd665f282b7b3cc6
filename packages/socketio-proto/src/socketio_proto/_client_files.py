"""The official client's files, served under the path. The core reads no file: the binding gives the bytes.

Source: `packages/socket.io/lib/index.ts`, `attachServe` and `serve`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engineio_proto import Exchange, Response

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
        self._read: dict[str, bytes] = {}

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
        body = self._read.get(name)
        if body is None:
            body = self._read[name] = self._files[name]
        kind = "json" if name.endswith(".map") else "javascript"
        headers = (
            ("Cache-Control", "public, max-age=0"),
            ("Content-Type", f"application/{kind}; charset=utf-8"),
            ("ETag", self._etag),
        )
        return Response(200, headers, body)
