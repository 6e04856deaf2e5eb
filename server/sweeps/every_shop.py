"""One shop after the other, so that a shop in disorder keeps no other waiting."""

import random
from collections.abc import Awaitable, Callable

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ShopId
from router.redis_link import LinkError
from server.services.live import NOT_LIVE_REASON
from server.services.shops import Shops

NAMED = 5
"""Most failures of which the error tells."""


class ShopsFailed(Exception):
    """Some shops could not be looked at; all the others were."""

    def __init__(self, failures: dict[ShopId, Exception]) -> None:
        named = sorted(f"{shop}: {error!r}" for shop, error in failures.items())[:NAMED]
        super().__init__(f"{len(failures)} shops: {'; '.join(named)}")


async def every_shop(shops: Shops, look: Callable[[ShopId], Awaitable[None]]) -> None:
    """Look at each shop that is served, each time in another order. Raises `ShopsFailed` at the end; at once when what
    all of them need is away (Redis, the database), since every further look would wait for it too."""
    failures: dict[ShopId, Exception] = {}
    ids = await shops.all_ids()
    for shop in random.sample(ids, len(ids)):
        try:
            await look(shop)
        except LinkError:
            raise
        except RequestError as error:
            if error.code is ErrorCode.UNAVAILABLE and error.reason != NOT_LIVE_REASON:
                raise
            failures[shop] = error
        except Exception as error:  # whatever it is, it is this shop's alone
            failures[shop] = error
    if failures:
        raise ShopsFailed(failures)
