"""The official client's files, served under the path. The core reads no file: the binding gives the bytes.

Source: `packages/socket.io/lib/index.ts`, `attachServe` and `serve`.
"""

from __future__ import annotations

from collections.abc import Mapping

from engineio_proto import Request, Response


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

    def serve(self, name: str, request: Request) -> Response:
        """The answer for one of the files, 304 when the browser has it."""
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
