"""The official Socket.IO JavaScript client, for servers that serve it to browsers.

The files are package data: the build fetched them (pinned version and hash, see `hatch_build.py`), and
nothing is downloaded when a server runs.
"""

from ._files import CLIENT_VERSION, ClientBundle, client_files, client_license

__all__ = ["CLIENT_VERSION", "ClientBundle", "client_files", "client_license"]
