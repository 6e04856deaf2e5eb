"""Leaving without anybody noticing: the sockets of a stopping node go in waves, each told to come back elsewhere."""

import asyncio
import logging
import random
from collections.abc import Collection

from protocol.codes import CloseCode
from server.gateway.connection import Connection
from server.limits import GatewayLimits

log = logging.getLogger(__name__)

WAVE_S = 0.2
FINISH_S = 2.0
"""How long a connection may take to answer what it was asked before the drain."""


async def drain(sockets: Collection[Connection], limits: GatewayLimits) -> int:
    """Close every connection with `session.going_away` and 4200, at most `drain_share_per_s` of them per second (but
    at least one per wave, so that a handful does not take a minute), and wait until the sockets are gone.

    Over within `limits.drain_s`, whatever clients do: what is left then is aborted. Returns how many were.
    New connections must be refused already.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits.drain_s
    waiting = list(sockets)
    random.shuffle(waiting)
    per_s = max(len(waiting) * limits.drain_share_per_s, 1.0 / WAVE_S)
    begun, closed = loop.time(), 0
    last_wave = deadline - FINISH_S
    while waiting:
        now = loop.time()
        # Rounded up: the first wave goes at once. In the end the deadline outranks the rate.
        due = len(waiting) if now >= last_wave else int((now - begun) * per_s) + 1 - closed
        for _ in range(min(due, len(waiting))):
            _go_away(waiting.pop(), limits)
            closed += 1
        if waiting:
            await asyncio.sleep(WAVE_S)
    while sockets and loop.time() < deadline:
        await asyncio.sleep(min(0.05, WAVE_S))
    left = tuple(sockets)
    for connection in left:
        connection.abort(CloseCode.DRAINING, "did not leave in time")
    log.info("drained: %d closed, %d aborted", closed, len(left))
    return len(left)


def _go_away(connection: Connection, limits: GatewayLimits) -> None:
    if connection.closed:
        return
    reconnect_in_ms = random.randint(limits.reconnect_min_ms, limits.reconnect_max_ms)
    connection.go_away(reconnect_in_ms, FINISH_S)
