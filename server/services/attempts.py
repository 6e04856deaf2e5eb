"""Counts failed tries, so that secrets cannot be guessed (fault 33).

A try is counted before it is judged, in one step of Redis, so that a thousand at once are a thousand tries; a try that
turns out right is given back. Counters hold hashes of what was tried for, never the thing itself.
"""

import hashlib
import ipaddress
from dataclasses import dataclass

from hiredis import ReplyError

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from router.link import Link
from router.redis_link import LinkError
from server.services.tickets import redis_down


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `tries` for one subject of this kind in a window of `window_s`, which begins with the first."""

    kind: str
    tries: int
    window_s: int = 60


def address_of(host: str) -> str:
    """The part of a client address that one subscriber has: IPv4 whole, IPv6 its /64 network."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


class Attempts:
    """Counters in Redis, shared by all nodes."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def begin(self, *subjects: tuple[Allowance, str]) -> None:
        """Count one try for each subject. Beyond an allowance: RATE_LIMITED with the time to wait.

        Redis silent: UNAVAILABLE; nobody gets in uncounted."""
        wait_ms = 0
        try:
            for allowance, subject in subjects:
                args = (str(allowance.window_s * 1000), str(allowance.tries))
                waits = await self._link.script("tries_count", (_key(allowance, subject),), args)
                wait_ms = max(wait_ms, int(waits))
        except (LinkError, ReplyError):
            raise redis_down() from None
        if wait_ms > 0:
            raise RequestError(
                ErrorCode.RATE_LIMITED,
                "too_many_tries",
                f"Too many tries; wait {-(-wait_ms // 1000)} seconds.",
                retry_after_ms=wait_ms,
            )

    async def succeeded(self, *subjects: tuple[Allowance, str]) -> None:
        """The try counted last was right: it does not count."""
        try:
            for allowance, subject in subjects:
                await self._link.script("tries_give_back", (_key(allowance, subject),), ())
        except (LinkError, ReplyError):
            raise redis_down() from None


def _key(allowance: Allowance, subject: str) -> str:
    digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
    return f"pm:tries:{allowance.kind}:{digest}"
