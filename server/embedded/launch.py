"""Becomes a server program: drops privileges, ties its life to the parent's, and executes it.

Run as a script in a process of its own (`python -I -S launch.py PARENT SIGNAL UID GID PROGRAM ARG...`; UID and GID are
-1 to stay who we are). A script instead of a hook between fork and exec, since such hooks can deadlock in a
process with threads.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1


def become(parent: int, death_signal: int, uid: int, gid: int, command: list[str]) -> None:
    """Replaces this process by `command`, which gets `death_signal` when the thread that spawned us dies."""
    os.umask(0o077)
    if uid != -1:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After setuid, which clears it.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit("the parent died before the server was started")
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
