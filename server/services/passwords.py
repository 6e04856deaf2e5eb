"""Passwords: argon2id hashes (RFC 9106), made and checked beside the event loop.

One check costs some 100 ms of a core and 64 MiB, so only `parallel` run at once and only `waiting` may wait for them;
more are refused at once rather than slowing everything else down.
"""

import asyncio
import base64
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from protocol.codes import ErrorCode
from protocol.errors import RequestError

PASSWORD_MIN_CHARS = 10
PASSWORD_MAX_CHARS = 128
_VERSION: Final = 0x13  # of argon2, RFC 9106

R = TypeVar("R")


def weakness(password: str, *names: str) -> str | None:
    """What is wrong with a new password, in words for people; None when nothing is. Length counts, not symbols
    (NIST SP 800-63B): not a repetition, and not the owner's own name or address."""
    if not PASSWORD_MIN_CHARS <= len(password) <= PASSWORD_MAX_CHARS:
        return f"must have {PASSWORD_MIN_CHARS} to {PASSWORD_MAX_CHARS} characters"
    if len(set(password)) < 5:
        return "must use at least 5 different characters"
    lowered = password.lower()
    for name in names:
        for part in name.lower().replace("@", " ").split():
            if len(part) >= 4 and part in lowered:
                return "must not contain your name or e-mail address"
    return None


class Passwords:
    """Hashes and checks passwords with bounded concurrency. Close it to end its threads."""

    def __init__(self, hasher: PasswordHasher | None = None, *, parallel: int = 2, waiting: int = 32) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(parallel, thread_name_prefix="argon2")
        self._room = parallel + waiting
        self.nobody = _nobodys(self._hasher)
        """checked against when there is no such account: the same work, so the same time"""

    async def hash(self, password: str) -> str:
        """The encoded hash to keep. RequestError UNAVAILABLE when too many wait."""
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, encoded: str | None, password: str) -> bool:
        """Whether it is the password. `encoded` None or "" (no such account, none set) takes as long and is False."""

        def check() -> bool:
            try:
                return self._hasher.verify(encoded or self.nobody, password) and bool(encoded)
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(check)

    def outdated(self, encoded: str) -> bool:
        """Whether the hash was made with other costs than today's: hash again while the password is at hand."""
        return self._hasher.check_needs_rehash(encoded)

    def close(self) -> None:
        """Ends the threads; what runs is finished first."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], R]) -> R:
        if self._room <= 0:
            raise RequestError(
                ErrorCode.UNAVAILABLE,
                "sign_in_busy",
                "Too many people sign in at this moment; please try again.",
                retry_after_ms=1000,
            )
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._room += 1


def _nobodys(hasher: PasswordHasher) -> str:
    """The encoded hash of no password that anybody knows, with the hasher's costs. Drawn, not computed: a node begins
    without a run of argon2 and its 64 MiB."""
    salt, drawn = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2{hasher.type.name.lower()}$v={_VERSION}${costs}${salt}${drawn}"
