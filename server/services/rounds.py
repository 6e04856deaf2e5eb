"""Looking again and again on behalf of some connections: the walls of supervisors, the queue at agents' desks.

One task per shop and kind. Who is gone is forgotten before each round, so that nobody has to tell of their end; with
the last one the task ends, and nobody looks.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from protocol.errors import RequestError
from protocol.ids import ShopId
from router.redis_link import LinkError
from server.session import Session

log = structlog.get_logger("rounds")


async def keep(
    name: str,
    shop: ShopId,
    members: MutableMapping[Session, Any],
    round_: Callable[[], Awaitable[None]],
    *,
    present: Callable[[Session], bool],
    period_s: float,
) -> None:
    """Do a round every `period_s` until none of `members` is `present`; those who are not are dropped first. A round
    that fails is logged, and the next one tries again."""
    loop = asyncio.get_running_loop()
    failing = ""
    while True:
        began = loop.time()
        for session in [each for each in members if not present(each)]:
            del members[session]
        if not members:
            return
        try:
            await round_()
            failing = ""
        except (RequestError, LinkError) as error:  # Redis or the database is away: told when they are back
            if repr(error) != failing:
                failing = repr(error)
                log.warning(f"{name}_failed", shop=shop, error=failing)
        except Exception:  # a bug; but the next round may find what it needs
            log.exception(f"{name}_failed", shop=shop)
        await asyncio.sleep(max(0.0, began + period_s - loop.time()))
