"""What follows an import on a running node: the same as after each change by hand."""

from protocol.ids import ShopId
from server.services.live_changes import LiveChanges
from server.services.quick_replies import QuickReplies
from server.services.rights_feed import RightsFeed
from server.services.rules import Rules
from server.services.shops import Shops
from server.store.accounts import Accounts


class ConfigurationEffects:
    """Tells live routing, desks and other nodes."""

    def __init__(
        self,
        *,
        shops: Shops,
        accounts: Accounts,
        live: LiveChanges,
        rights: RightsFeed,
        rules: Rules,
        replies: QuickReplies,
    ) -> None:
        self._shops = shops
        self._accounts = accounts
        self._live = live
        self._rights = rights
        self._rules = rules
        self._replies = replies

    async def configured(self, shop: ShopId, sections: frozenset[str]) -> None:
        """See `configurations.Effects`."""
        self._shops.forget(shop)
        if "roles" in sections:
            people = [account.id for account in await self._accounts.of_shop(shop)]
            await self._rights.changed(shop, people, serving=False)  # who serves is looked at below
        if sections & {"groups", "roles", "routing", "schedules", "holidays"}:
            await self._live.policy_changed(shop)
        if "rules" in sections:
            await self._rules.changed(shop)
        if "quick_replies" in sections:
            await self._replies.changed(shop)
