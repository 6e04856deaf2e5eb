"""The folder that holds the private servers' data: temporary for tests, kept for `make run`.

A workspace has one user at a time, told by a lock that the kernel drops when that user dies, however it dies. So
temporary folders left by a killed run are found and deleted by the next one, and nobody else's are touched.

When we are root and the wanted folder cannot be entered by the servers' account (a checkout under /root), the data
lives below /var/tmp instead, and a link `elsewhere` in the wanted folder says where.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from server.embedded.accounts import Account, can_use, server_account
from server.embedded.errors import EmbeddedServerError

PREFIX: Final = "pointsman-embedded-"
LOCK: Final = "owner.lock"
ELSEWHERE: Final = "elsewhere"


class Workspace:
    """A locked folder for the data of private servers, with subfolders that their account owns.

    Made by `temporary` or `kept`; `release` gives it back (and deletes a temporary one).
    """

    def __init__(self, root: Path, lock: int, account: Account | None, *, temporary: bool) -> None:
        self.root = root
        self.account = account
        self._lock = lock
        self._temporary = temporary

    @classmethod
    def temporary(cls) -> Workspace:
        """A new folder that is deleted on release. Also deletes what killed runs left behind."""
        account = server_account()
        base = _temporary_base(account)
        for old in base.glob(f"{PREFIX}*"):
            _delete_if_abandoned(old)
        root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        # Entered by the servers' account, listed by nobody; the subfolders are that account's alone.
        root.chmod(0o711)
        lock = _lock(root)
        if lock is None:  # another start took the lockless newborn for an abandoned folder
            return cls.temporary()
        return cls(root, lock, account, temporary=True)

    @classmethod
    def kept(cls, state_dir: Path) -> Workspace:
        """The folder `state_dir`, made when missing. Raises `EmbeddedServerError` when a running one holds it."""
        account = server_account()
        try:
            state_dir.mkdir(parents=True, exist_ok=True)
            root = state_dir.resolve()
            if account is not None and not can_use(account, root):
                root = _elsewhere(root)
            lock = _lock(root)
        except OSError as error:
            raise EmbeddedServerError(
                f"The state folder {state_dir} cannot be used: {error.strerror}.",
                mend="Choose a folder that you may write to, or give the servers' URLs.",
            ) from error
        if lock is None:
            holder = (root / LOCK).read_text().strip() or "unknown"
            raise EmbeddedServerError(
                f"The private servers in {state_dir} are in use by another run (process {holder}).",
                mend="Stop that run first, or use another state folder.",
            )
        return cls(root, lock, account, temporary=False)

    def folder(self, name: str) -> Path:
        """The subfolder `name`, made when missing, for the servers' account only."""
        path = self.root / name
        path.mkdir(mode=0o700, exist_ok=True)
        self.hand_over(path)
        return path

    def hand_over(self, path: Path) -> None:
        """Makes the servers' account the owner of one file or folder (nothing to do when that is ourselves)."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def reachable(self, root: Path, parts: tuple[Path, ...]) -> Path:
        """`root` when the servers' account can use each part of it, else a folder with a copy of the parts.

        Programs inside a virtual environment under /root are the case: nobody else may enter that.
        """
        if all(can_use(self.account, root / part) for part in parts):
            return root
        copy = self.root / "programs"
        copy.mkdir(mode=0o755, exist_ok=True)
        for part in parts:
            target = copy / part
            shutil.rmtree(target, ignore_errors=True)
            if (root / part).is_dir():
                shutil.copytree(root / part, target, symlinks=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / part, target)
        return copy

    def release(self) -> None:
        """Drops the lock; a temporary folder is deleted. The servers in it must have been stopped."""
        if self._temporary:
            shutil.rmtree(self.root, ignore_errors=True)
        os.close(self._lock)


def discard(state_dir: Path) -> None:
    """Deletes a kept folder with its data, wherever it lives. Raises `EmbeddedServerError` when it is in use."""
    if not state_dir.exists():
        return
    link = state_dir / ELSEWHERE
    root = link.resolve() if link.is_symlink() else state_dir
    if root.exists():
        lock = _lock(root)
        if lock is None:
            raise EmbeddedServerError(
                f"The private servers in {state_dir} are running.", mend="Stop that run first."
            )
        shutil.rmtree(root)
        os.close(lock)
    if state_dir.exists():
        shutil.rmtree(state_dir)


def _lock(root: Path) -> int | None:
    """Takes the folder's lock and writes our process id into it; None when somebody holds it."""
    handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    try:
        same = os.fstat(handle).st_ino == (root / LOCK).stat().st_ino
    except FileNotFoundError:  # deleted between our open and our lock
        same = False
    if not same:
        os.close(handle)
        return None
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    return handle


def _temporary_base(account: Account | None) -> Path:
    for base in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108
        if base.is_dir() and os.access(base, os.W_OK) and can_use(account, base):
            return base
    raise EmbeddedServerError(
        "No temporary folder can be written by us and entered by the servers' account.",
        mend="Make /tmp usable, or set TMPDIR to a folder that everybody may enter.",
    )


def _elsewhere(wanted: Path) -> Path:
    name = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    place = Path("/var/tmp") / f"pointsman-state-{name}"  # noqa: S108
    place.mkdir(mode=0o711, exist_ok=True)
    facts = place.lstat()
    # Anybody may create names in /var/tmp: trust only a real folder of our own.
    if place.is_symlink() or not place.is_dir() or facts.st_uid != os.geteuid():
        raise EmbeddedServerError(
            f"{place}, where the data of {wanted} belongs, was made by somebody else.",
            mend=f"Remove {place}, or keep the checkout in a folder that everybody may enter.",
        )
    link = wanted / ELSEWHERE
    if not link.is_symlink():
        link.symlink_to(place)
    return place


def _delete_if_abandoned(root: Path) -> None:
    try:
        if root.is_symlink() or root.lstat().st_uid != os.geteuid() or not (root / LOCK).exists():
            return
        lock = _lock(root)
    except OSError:
        return  # gone already, or not ours to look into
    if lock is None:
        return
    if not any(is_running(pid) for pid in _server_pids(root)):
        shutil.rmtree(root, ignore_errors=True)
    os.close(lock)


def _server_pids(root: Path) -> list[int]:
    found: list[int] = []
    for pid_file in (*root.glob("*/data/postmaster.pid"), *root.glob("*/redis.pid")):
        first = pid_file.read_text().partition("\n")[0].strip()
        if first.isdecimal():
            found.append(int(first))
    return found


def is_running(pid: int) -> bool:
    """Whether a process with this id exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}
