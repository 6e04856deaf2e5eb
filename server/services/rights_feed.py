"""Tells colleagues what they may do from now on, when that has changed; and live routing, who serves now."""

from collections.abc import Awaitable, Callable, Iterable

from protocol.events import RightsChanged
from protocol.ids import AccountId, PersonId, ShopId
from protocol.rights import words
from server.bus import Bus
from server.push import push
from server.services.scope import Scope
from server.services.viewer import eyes_of
from server.store.accounts import Accounts

Reconcile = Callable[[ShopId], Awaitable[int]]
"""Bring the profiles of a shop's agents into live routing; see `LiveChanges.reconcile`."""


class RightsFeed:
    """Called after a change of rights is durable; repeating a call changes nothing."""

    def __init__(self, accounts: Accounts, scope: Scope, bus: Bus, reconcile: Reconcile) -> None:
        self._accounts = accounts
        self._scope = scope
        self._bus = bus
        self._reconcile = reconcile

    async def changed(self, shop: ShopId, accounts: Iterable[AccountId], *, serving: bool) -> None:
        """The rights of these accounts changed: their sockets on every node get `rights.changed`. `serving`: the right
        to serve may be among them, so live routing looks who serves now (KS-04)."""
        self._scope.forget(shop)
        for account in accounts:
            row = await self._accounts.find(shop, account)
            if row is None or row.disabled_ms is not None:
                continue
            grants = await self._scope.grants(eyes_of(row))
            event = RightsChanged(rights=words(grants))
            self._bus.publish(shop, [push((PersonId(account),), "rights.changed", event, key="rights")])
        if serving:
            await self._reconcile(shop)
