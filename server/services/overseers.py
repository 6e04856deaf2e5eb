"""The scope engine's question asked backwards: whose right covers this conversation? (CO-09)

Answered from the accounts of the shop, their grants, and who shares a group with the owner: a few queries, however many
the accounts are. `Scope.judge` gives the same answer for each of them; a test holds the two against each other.
"""

from collections.abc import Iterable

from protocol.ids import AccountId, PersonId
from protocol.rights import Reach, Right
from protocol.states import Life, Role
from server.services.scope import Scope
from server.services.shops import Shops
from server.services.viewer import AccountEyes
from server.store.accounts import Accounts
from server.store.groups import Groups
from server.store.roles import Roles
from server.store.rows import ConversationRow


class Overseers:
    """Finds who is to be told of a conversation by right, not by taking part."""

    def __init__(self, accounts: Accounts, groups: Groups, roles: Roles, shops: Shops, scope: Scope) -> None:
        self._accounts = accounts
        self._groups = groups
        self._roles = roles
        self._shops = shops
        self._scope = scope

    async def of(
        self, row: ConversationRow, right: Right, *, also: Iterable[AccountId] = ()
    ) -> tuple[PersonId, ...]:
        """Everybody whose grant of `right` covers the conversation. `also`: as if these owned it too."""
        near = await self._near(row, frozenset(also))
        found: list[PersonId] = []
        for account in await self._accounts.of_shop(row.shop_id):
            if account.disabled_ms is not None or Role.BOT in account.roles:
                continue
            eyes = AccountEyes(row.shop_id, PersonId(account.id), account.roles)
            reach = (await self._scope.grants(eyes)).get(right)
            if reach is None:
                continue
            if (
                reach is Reach.ALL
                or account.id in row.following
                or (reach is Reach.GROUPS and (near is None or account.id in near))
            ):
                found.append(eyes.person_id)
        return tuple(found)

    async def _near(self, row: ConversationRow, also: frozenset[AccountId]) -> frozenset[AccountId] | None:
        """Who shares a group with an owner, or is in one that it waits for; None: it waits for anybody."""
        near: set[AccountId] = set()
        for owner in {row.owner_id, *also}:
            if owner is not None:
                near |= await self._roles.colleagues(row.shop_id, owner)
        if row.owner_id is None and row.state is not Life.CLOSED:
            pools = (await self._shops.get(row.shop_id)).live_policy.pools
            bound = () if row.pool is None else pools.get(row.pool, ())
            if not bound:
                return None
            for group in bound:
                near.update(await self._groups.members(row.shop_id, group))
        return frozenset(near)
