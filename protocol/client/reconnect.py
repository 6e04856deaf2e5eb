"""When to come back after a socket ended: the policy that the number ranges of close codes carry. Pure."""

import random
from dataclasses import dataclass
from http import HTTPStatus

from protocol.codes import CloseCode
from protocol.errors import ConnectionClosed


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the client waits for what, in seconds."""

    open_s: float = 10.0
    """for the handshake, and for the reply to hello"""
    reply_s: float = 10.0
    """for a session and a reply, when a request names no other limit"""
    first_s: float = 0.5
    """before the first new try; doubled with every further one"""
    longest_s: float = 30.0
    soon_s: float = 1.0
    """at most, after a close code of the range 4200-4299"""
    stable_s: float = 10.0
    """a session that lived this long starts the doubling anew"""
    gap_s: float = 0.05
    """for a missing message to come by itself, before it is fetched"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a connection ended, or why there was none. `wait_s` is what the server asked for."""

    code: int
    reason: str = ""
    wait_s: float | None = None


def is_final(ended: Ended) -> bool:
    """4000-4099: coming back would end the same way."""
    return 4000 <= ended.code < 4100


def final_error(ended: Ended) -> ConnectionClosed:
    """What the client's callers get once it has stopped."""
    return ConnectionClosed(ended.code, ended.reason)


def delay_s(ended: Ended, attempt: int, patience: Patience, rng: random.Random) -> float:
    """Seconds until the next try; `attempt` counts tries since the last stable session, from 0.

    4200-4299: soon, at first. Everything else: doubling, with jitter of a half, so that the clients of a lost node do
    not come back in step. Never before the time that the server named.
    """
    if 4200 <= ended.code < 4300 and attempt == 0:
        delay = rng.uniform(0, patience.soon_s)
    else:
        delay = min(patience.first_s * 2.0 ** min(attempt, 20), patience.longest_s) * rng.uniform(0.5, 1.0)
    return delay + (ended.wait_s or 0.0)


def refused(status: int, retry_after: str | None) -> Ended:
    """The end of a handshake that HTTP refused: 401 and 403 are final, 429 and 503 say when to come back."""
    wait_s = float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
    reason = f"HTTP {status}"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Ended(CloseCode.AUTH_FAILED, reason)
    return Ended(CloseCode.OVERLOAD, reason, wait_s)
