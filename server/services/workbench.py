"""What the agents' workbench goes by: the shop's limits for replies and recalls, its mark for important customers, and
which groups serve which customers. Given with the hello, and told anew when settings or groups change."""

from protocol.cards import ServedGroup, Workbench
from protocol.events import WorkbenchChanged
from protocol.ids import PersonId, ShopId
from protocol.states import OrderState, Role
from server.background import Background
from server.bus import Bus
from server.push import push
from server.services.shops import KEEP_S, Shops
from server.store.accounts import Accounts

AGAIN_S = KEEP_S + 0.5
"""By then every node has forgotten the settings from before the change."""


class Workbenches:
    """Workbenches of shops."""

    def __init__(self, shops: Shops, accounts: Accounts, bus: Bus, background: Background) -> None:
        self._shops = shops
        self._accounts = accounts
        self._bus = bus
        self._background = background

    async def of(self, shop: ShopId) -> Workbench:
        """What holds now, as far as this node knows."""
        facts = await self._shops.get(shop)
        policy = facts.policy
        served: dict[str, list[str]] = {group: [] for group in facts.groups}
        for state in OrderState:
            for group in policy.bound_groups(state, groups_exist=facts.groups_exist):
                served.setdefault(group, []).append(state.value)
        return Workbench(
            recall_within_s=policy.recall_within_s,
            slow_reply_s=policy.workbench.slow_reply_s,
            first_reply_s=policy.workbench.first_reply_s,
            each_reply_s=policy.workbench.each_reply_s,
            vip_tags=list(policy.workbench.vip_tags),
            groups=[
                ServedGroup(group_id=group, name=name, order_states=served[group])
                for group, name in facts.groups.items()
            ],
        )

    async def changed(self, shop: ShopId) -> None:
        """Settings or groups are others now: everybody at a desk gets `workbench.changed`, and once more when no node
        remembers the old ones: somebody may have been given them by a hello meanwhile."""
        await self._tell(shop)
        self._background.later(AGAIN_S, lambda: self._tell(shop), "workbench")

    async def _tell(self, shop: ShopId) -> None:
        people = tuple(
            PersonId(account.id)
            for account in await self._accounts.of_shop(shop)
            if account.disabled_ms is None and Role.BOT not in account.roles
        )
        event = WorkbenchChanged(workbench=await self.of(shop))
        self._bus.publish(shop, [push(people, "workbench.changed", event, key="workbench")])
