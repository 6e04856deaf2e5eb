"""The unprivileged account that servers run as when we are root: PostgreSQL refuses to run as root.

Uses an account that exists; never creates one.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.embedded.errors import EmbeddedServerError

CANDIDATES: Final = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A system account by number."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """Whom servers run as: None (ourselves) for an ordinary user, an unprivileged account for root."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedServerError(
        "PostgreSQL refuses to run as root, and neither account 'postgres' nor 'nobody' exists to run it as.",
        mend="Run as an ordinary user, or point POINTSMAN_DATABASE_URL to a server of your own.",
    )


def can_use(account: Account | None, path: Path) -> bool:
    """Whether the account can reach `path` and read it (enter it, for a folder), by the permission bits."""
    if account is None:
        return os.access(path, os.R_OK)
    path = path.resolve()
    enter = all(_allows(account, folder, stat.S_IXOTH) for folder in path.parents)
    return enter and _allows(account, path, stat.S_IROTH)


def _allows(account: Account, path: Path, others_bit: int) -> bool:
    facts = path.stat()
    if facts.st_uid == account.uid:
        return bool(facts.st_mode & (others_bit << 6))
    if facts.st_gid == account.gid:
        return bool(facts.st_mode & (others_bit << 3))
    return bool(facts.st_mode & others_bit)
