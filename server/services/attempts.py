"""Counts failed tries, so that secrets cannot be guessed (fault 33).

A try is counted before it is judged, in one step of Redis, so that a thousand at once are a thousand tries; a try that
turns out right is given back. Counters hold hashes of what was tried for, never the thing itself.
"""

import hashlib
import ipaddress
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from server.services.tickets import redis_down

# Counts one try. KEYS[1] counter; ARGV[1] window in ms, ARGV[2] most tries in it.
# RETURNS 0 when the try may go on, else the ms until the window ends.
_COUNT = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
if n <= tonumber(ARGV[2]) then return 0 end
return math.max(redis.call('PTTL', KEYS[1]), 1)
"""

# Gives one try back. KEYS[1] counter. RETURNS what is left.
_GIVE_BACK = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('DECR', KEYS[1])
"""


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
    """Counters in Redis, shared by all nodes. `redis`: explicit time-outs, no retries of its own."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._count = redis.register_script(_COUNT)
        self._give_back = redis.register_script(_GIVE_BACK)

    async def begin(self, *subjects: tuple[Allowance, str]) -> None:
        """Count one try for each subject. Beyond an allowance: RATE_LIMITED with the time to wait.

        Redis silent: UNAVAILABLE; nobody gets in uncounted."""
        wait_ms = 0
        try:
            for allowance, subject in subjects:
                waits = await self._count(
                    keys=[_key(allowance, subject)], args=[allowance.window_s * 1000, allowance.tries]
                )
                wait_ms = max(wait_ms, int(waits))
        except RedisError:
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
                await self._give_back(keys=[_key(allowance, subject)])
        except RedisError:
            raise redis_down() from None


def _key(allowance: Allowance, subject: str) -> str:
    digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
    return f"pm:tries:{allowance.kind}:{digest}"
