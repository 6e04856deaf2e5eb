"""Finds open conversations that live state does not know, and has it made anew (fault 4).

A decision may reach the database after the Redis that took it lost its data, and after the rebuild had read the
database; and a Redis that was killed may come back without its last moments. Nothing would ever end, close or give on
such a conversation.
"""

import asyncio
from dataclasses import dataclass

import structlog

from protocol.ids import ConversationId, ShopId
from server.services.live import Live
from server.services.shops import Shops
from server.store.conversations import Conversations
from server.sweeps.every_shop import every_shop
from server.sweeps.runner import Counts

log = structlog.get_logger("strays")

UNCONFIRMED_MOST = 1000
"""With more decisions on their way it cannot be said what is astray."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found in the live state of that epoch and life of Redis: conversation and `live_rev`."""

    epoch: str
    strays: frozenset[tuple[ConversationId, int]]


class Strays:
    """Looks at each live state of a shop, anew after each restart of Redis, until two looks, a period apart, agree that
    all is well. Only what two looks found is believed: between the questions to the database and to Redis a
    conversation may just have closed."""

    def __init__(self, shops: Shops, live: Live, conversations: Conversations) -> None:
        self._shops = shops
        self._live = live
        self._conversations = conversations
        self._last: dict[ShopId, Look] = {}
        self._well: dict[ShopId, str] = {}

    async def run(self) -> Counts:
        """Counts: `strays` for whose sake live state was made anew."""
        counts: Counts = {"strays": 0}

        async def look(shop: ShopId) -> None:
            counts["strays"] += await self._shop(shop)

        await every_shop(self._shops, look)
        return counts

    async def _shop(self, shop: ShopId) -> int:
        epoch = await self._live.life(shop)
        if self._well.get(shop) == epoch or not await self._live.ask(shop, lambda engine: engine.is_live()):
            return 0
        strays = await self._strays(shop)
        last = self._last.get(shop)
        self._last[shop] = Look(epoch, strays)
        if last is None or last.epoch != epoch:
            return 0
        lasting = strays & last.strays
        if lasting:
            log.warning("strays", shop=shop, conversations=sorted(each for each, _ in lasting))
            await self._live.rebuild(shop)
        elif not strays:
            self._well[shop] = epoch
            del self._last[shop]
        return len(lasting)

    async def _strays(self, shop: ShopId) -> frozenset[tuple[ConversationId, int]]:
        found: set[tuple[ConversationId, int]] = set()
        async for part in self._conversations.live(shop):
            states = await self._live.ask(
                shop,
                lambda engine, part=part: asyncio.gather(
                    *(engine.conversation(each.conversation) for each in part)
                ),
            )
            for each, state in zip(part, states, strict=True):
                if state is None or state.rev < each.rev:
                    found.add((each.conversation, each.rev))
        if not found:
            return frozenset()
        on_their_way = await self._live.ask(
            shop, lambda engine: engine.unconfirmed(0, limit=UNCONFIRMED_MOST)
        )
        if len(on_their_way) == UNCONFIRMED_MOST:
            return frozenset()
        decided = {decision.conversation for decision in on_their_way}
        return frozenset(each for each in found if each[0] not in decided)
