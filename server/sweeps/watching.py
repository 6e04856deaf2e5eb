"""Ends watching by those who are gone, and by those who may watch no longer (CO-12, GP-02)."""

from protocol.ids import AccountId, PersonId, ShopId
from protocol.rights import Right
from router.keys import prefix
from router.link import Link
from server.services.scope import Cover, Scope
from server.services.shops import Shops
from server.services.viewer import AccountEyes
from server.services.watching import Watching
from server.store.watching import Watched, WatchedRow, Watcher
from server.sweeps.every_shop import every_shop
from server.sweeps.runner import Counts

FORGET_MS = 30_000
"""Longer than any pause between two looks: with nobody watching nobody is looked at, and who was away then has not been
since."""


class WatchingEnds:
    """Looks at everybody who watches. `away_s`: so long without a connection on any node."""

    def __init__(
        self, link: Link, shops: Shops, watched: Watched, watching: Watching, scope: Scope, away_s: float
    ) -> None:
        self._link = link
        self._shops = shops
        self._watched = watched
        self._watching = watching
        self._scope = scope
        self._away_s = away_s

    async def run(self) -> Counts:
        """Counts: `ended`, each of one conversation."""
        counts: Counts = {"ended": 0}
        everybody = await self._watched.everybody()

        async def look(shop: ShopId) -> None:
            watchers = everybody.get(shop, {})
            if not watchers:
                return
            gone = await self._away(shop, tuple(watchers))
            for account, watcher in watchers.items():
                over = watcher.watched if account in gone else await self._out_of_reach(shop, watcher)
                for row in over:
                    await self._watching.end(shop, row.id, account)
                counts["ended"] += len(over)

        await every_shop(self._shops, look)
        return counts

    async def _away(self, shop: ShopId, people: tuple[AccountId, ...]) -> frozenset[AccountId]:
        """Who of these has been without a connection for too long."""
        args = (prefix(shop), str(int(self._away_s * 1000)), str(FORGET_MS), *people)
        gone = await self._link.script("watchers_away", (away_key(shop),), args)
        return frozenset(AccountId(each.decode()) for each in gone)

    async def _out_of_reach(self, shop: ShopId, watcher: Watcher) -> list[WatchedRow]:
        """What somebody could not begin to watch now."""
        if watcher.disabled:
            return watcher.watched
        eyes = AccountEyes(shop, PersonId(watcher.account_id), watcher.roles)
        cover = await self._scope.cover(eyes, Right.WATCH)
        return [row for row in watcher.watched if not _covers(cover, row)]


def _covers(cover: Cover, row: WatchedRow) -> bool:
    if row.owner_id is not None:
        return cover.accounts is None or row.owner_id in cover.accounts
    if cover.pools is None:
        return True
    return bool(cover.pools) if row.pool is None else row.pool in cover.pools  # not routed yet: anybody's


def away_key(shop: ShopId) -> str:
    """Zset account -> since when they have no connection, ms; of those who watch. Not with the shop's other keys: a
    rebuild need not begin it anew."""
    return f"pm:watchers_away:{{{shop}}}"
