"""What admins change, brought into live state at once (KS-19, KS-23): profiles, settings, accounts that leave."""

import structlog

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, ShopId
from protocol.states import AgentStatus
from server.services.agents import Agents, in_service_of
from server.services.duty_times import DutyTimes
from server.services.live import Live
from server.services.profiles import Profiles
from server.services.routing import Routing
from server.services.shops import Shops
from server.services.workbench import Workbenches

log = structlog.get_logger("live_changes")


class LiveChanges:
    """Called after a change is durable; repeating a call changes nothing. Implements `accounts.LiveProfiles`.

    When routing is away the change stands in the database all the same, and `reconcile` brings it in when it is back.
    """

    def __init__(
        self,
        shops: Shops,
        live: Live,
        profiles: Profiles,
        agents: Agents,
        routing: Routing,
        duty_times: DutyTimes,
        workbenches: Workbenches,
    ) -> None:
        self._shops = shops
        self._live = live
        self._profiles = profiles
        self._agents = agents
        self._routing = routing
        self._duty_times = duty_times
        self._workbenches = workbenches

    async def profile_changed(self, shop_id: ShopId, account_id: AccountId) -> None:
        """An account's capacity, pause mode, mark, roles, groups or hours changed, or it is new. One that may not
        serve any more is treated as removed."""
        self._shops.forget(shop_id)  # the account may be the bot
        policy = (await self._shops.get(shop_id)).policy
        if await self._profiles.one(shop_id, account_id, policy) is None:
            await self.account_removed(shop_id, account_id)
        else:
            await self._agents.profile_changed(shop_id, account_id)
        await self._duty_times.touch(shop_id)

    async def hours_changed(self, shop_id: ShopId) -> None:
        """Hours, holidays or duty by hand changed: who is on duty now is when this returns, and every node knows when
        that changes next (GP-06)."""
        self._shops.forget(shop_id)
        await self.reconcile(shop_id)
        await self._duty_times.touch(shop_id)

    async def policy_changed(self, shop_id: ShopId) -> None:
        """Settings or groups changed: pools may open, capacities, the offline list and what workbenches go by may be
        others."""
        self._shops.forget(shop_id)
        await self._routing.follow(shop_id, await self._live.set_policy(shop_id))
        await self.reconcile(shop_id)
        await self._duty_times.touch(shop_id)  # the time zone may be another one
        await self._workbenches.changed(shop_id)

    async def account_removed(self, shop_id: ShopId, account_id: AccountId) -> None:
        """The account serves no longer: what it had in service goes back to the queue at its original age."""
        self._shops.forget(shop_id)
        if await self._live.ask(shop_id, lambda engine: engine.agent(account_id)) is not None:
            try:
                await self._agents.change_status(shop_id, account_id, AgentStatus.OFFLINE)
                state = await self._agents.state(shop_id, account_id)
            except RequestError as error:
                if error.code is not ErrorCode.NOT_FOUND:
                    raise
                return  # the round that looks at duty was faster, and does all of this
            await self._agents.give_back(shop_id, account_id, in_service_of(state), by=None)
        await self._routing.follow(shop_id, await self._live.remove_agent(shop_id, account_id))

    async def reconcile(self, shop_id: ShopId) -> int:
        """Bring in every profile that is not what facts, settings and the clock say it should be, and take out those
        who serve no longer. Returns how many."""
        policy = (await self._shops.get(shop_id)).policy
        states = await self._live.ask(shop_id, lambda engine: engine.agents())
        present = {state.profile.agent: state.profile for state in states}
        wanted = {profile.agent: profile for profile, _ in await self._profiles.all(shop_id, policy)}
        changed = 0
        try:
            for agent, profile in wanted.items():
                if present.get(agent) != profile:
                    await self._agents.profile_changed(shop_id, agent)
                    changed += 1
            for agent in present.keys() - wanted.keys():
                await self.account_removed(shop_id, agent)
                changed += 1
        except RequestError as error:  # routing or the database is away; the next round looks again
            log.warning("reconcile_cut_off", shop=shop_id, reason=error.reason)
        return changed
