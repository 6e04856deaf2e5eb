"""Groups and memberships (GP-01): who serves whom, heard of by live routing at once."""

from protocol.errors import invalid_state, not_found
from protocol.ids import AccountId, GroupId
from router.policy import Policy
from server.services.accounts import LiveProfiles
from server.services.callers import Caller
from server.services.revisions import check_revision, revision_of
from server.store.accounts import AccountRow
from server.store.accounts import Accounts as AccountStore
from server.store.editing import Editing
from server.store.groups import GroupRow
from server.store.groups import Groups as GroupStore
from server.store.policies import Policies as PolicyStore


class Groups:
    """Makes groups and changes who belongs to them. Everything is the caller's shop's; else NOT_FOUND."""

    def __init__(
        self,
        *,
        groups: GroupStore,
        accounts: AccountStore,
        policies: PolicyStore,
        editing: Editing,
        live: LiveProfiles,
    ) -> None:
        self._groups = groups
        self._accounts = accounts
        self._policies = policies
        self._editing = editing
        self._live = live

    async def list(self, caller: Caller) -> tuple[GroupRow, ...]:
        """All groups of the shop, by name."""
        return await self._groups.of_shop(caller.shop_id)

    async def get(self, caller: Caller, group: GroupId) -> GroupRow:
        """One group."""
        return await self._groups.get(caller.shop_id, group)

    async def create(self, caller: Caller, name: str, kind: str) -> GroupRow:
        """Make a group. Refused: CONFLICT `group_name_taken`. The first one switches grouped routing on (KS-12)."""
        row = await self._groups.add(caller.shop_id, name=name, kind=kind)
        await self._live.policy_changed(caller.shop_id)
        return row

    async def change(
        self, caller: Caller, group: GroupId, *, name: str | None, kind: str | None, rev: str
    ) -> GroupRow:
        """Change what is given. Refused: NOT_FOUND, CONFLICT `stale_rev`, `group_name_taken`."""
        async with self._editing.of(caller.shop_id) as stored:
            row = await stored.groups.get(caller.shop_id, group)
            check_revision(rev, revision_of(row.name, row.kind))
            changed = await stored.groups.update(
                caller.shop_id, group, name=name or row.name, kind=kind or row.kind
            )
        if changed.name != row.name:
            await self._live.policy_changed(caller.shop_id)
        return changed

    async def delete(self, caller: Caller, group: GroupId) -> None:
        """Delete a group that no order state is bound to. Refused: NOT_FOUND, INVALID_STATE `group_in_use`."""
        await self.get(caller, group)
        policy = Policy.parse((await self._policies.get(caller.shop_id)).policy)
        bound = sorted(state for state, groups in policy.order_state_groups.items() if group in groups)
        if bound:
            raise invalid_state("group_in_use", f"Unbind it first from: {', '.join(bound)}.")
        members = await self._groups.members(caller.shop_id, group)
        await self._groups.delete(caller.shop_id, group)
        for account in members:
            await self._live.profile_changed(caller.shop_id, account)
        await self._live.policy_changed(caller.shop_id)

    async def members(self, caller: Caller, group: GroupId) -> tuple[AccountRow, ...]:
        """The group's members."""
        await self.get(caller, group)
        members = frozenset(await self._groups.members(caller.shop_id, group))
        return tuple(row for row in await self._accounts.of_shop(caller.shop_id) if row.id in members)

    async def add_member(self, caller: Caller, group: GroupId, account: AccountId) -> None:
        """Make an account a member; nothing happens when it is one. Refused: NOT_FOUND."""
        await self.get(caller, group)
        row = await self._accounts.get(caller.shop_id, account)
        if row.disabled_ms is not None:
            raise not_found("account")
        await self._groups.add_member(caller.shop_id, group, account)
        await self._live.profile_changed(caller.shop_id, account)

    async def remove_member(self, caller: Caller, group: GroupId, account: AccountId) -> None:
        """End a membership; nothing happens when there is none. Refused: NOT_FOUND."""
        await self.get(caller, group)
        await self._accounts.get(caller.shop_id, account)
        await self._groups.remove_member(caller.shop_id, group, account)
        await self._live.profile_changed(caller.shop_id, account)
