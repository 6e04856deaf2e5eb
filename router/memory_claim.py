"""Walking a plan's tiers over live state: who takes a conversation that arrives, and how every tier ended.

Reads a `LiveShop`, changes nothing. The rules themselves (which tiers, in which order) are in `rules.py`.
"""

from dataclasses import dataclass

from protocol.codes import Reason
from protocol.ids import GroupId
from protocol.states import AgentStatus
from router.memory_state import AgentRecord, ConversationRecord, LiveShop
from router.model import EVERYBODY, Plan, Tier, TierKind, Tried

WHOLE_SHOP = (GroupId(EVERYBODY),)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a walk ended: who takes it and by which tier (None: it waits), and what was tried on the way."""

    tried: tuple[Tried, ...]
    agent: AgentRecord | None = None
    tier: Tier | None = None
    offline: bool = False


Answer = AgentRecord | Reason
"""Of one tier: the agent who takes it, or why nobody does."""


class Walk:
    """One claim's way through the tiers of `plan`, for a conversation that holds no slot and waits nowhere."""

    def __init__(
        self, shop: LiveShop, plan: Plan, record: ConversationRecord, *, day: int, rand: int
    ) -> None:
        self.shop = shop
        self.plan = plan
        self.record = record
        self.day = day
        self.rand = rand

    def run(self) -> Fit:
        """The first tier that fits; POOL, the last, always does."""
        tried: list[Tried] = []
        held = False
        for tier in self.plan.tiers:
            if held and tier.kind is not TierKind.POOL:
                continue
            answer = self._answer(tier)
            if isinstance(answer, AgentRecord):
                tried.append(_tried(tier, Reason.TAKEN, answer))
                return Fit(tuple(tried), answer, tier, self._answers_later(tier, answer))
            tried.append(_tried(tier, answer))
            held = answer is Reason.OTHERS_WAIT or held or (tier.hold and answer is Reason.ALL_FULL)
        return Fit(tuple(tried))

    def _answer(self, tier: Tier) -> Answer:
        match tier.kind:
            case TierKind.AGENT:
                return self._bot(tier) if tier.reason is Reason.BOT else self._agent(tier)
            case TierKind.GROUPS:
                return self._groups(tier.groups)
            case TierKind.RANDOM:
                return self._random(tier)
            case TierKind.OFFLINE_LIST:
                return self._offline_list()
            case TierKind.OWNER:
                return self._shop_owner()
            case TierKind.POOL:
                return self._nobody(WHOLE_SHOP)

    def _agent(self, tier: Tier) -> Answer:
        agent = None if tier.agent is None else self.shop.agents.get(tier.agent)
        if agent is None:
            return Reason.NOT_AN_AGENT
        availability = agent.availability()
        if not agent.at_work():
            return availability
        if availability in (Reason.PAUSED, Reason.AUTO_PAUSED) and not tier.even_paused:
            return availability
        if tier.over_capacity is None or agent.load < agent.profile.capacity + tier.over_capacity:
            return agent
        return Reason.FULL if tier.over_capacity == 0 else Reason.OVER_CAPACITY_LIMIT

    def _bot(self, tier: Tier) -> Answer:
        bot = None if tier.agent is None else self.shop.agents.get(tier.agent)
        if bot is None:
            return Reason.NOT_AN_AGENT
        if bot.profile.excluded:
            return Reason.EXCLUDED
        listening = self.shop.connected(bot.profile.agent) and _reachable(bot)
        return bot if listening else Reason.OFFLINE

    def _groups(self, groups: tuple[GroupId, ...]) -> Answer:
        agent = self.shop.best(self.shop.available(groups), self.day)
        return self._nobody(groups) if agent is None else self._unless_others_wait(agent)

    def _random(self, tier: Tier) -> Answer:
        last = None if tier.only_if_offline is None else self.shop.agents.get(tier.only_if_offline)
        if last is not None and last.at_work():
            return Reason.SOMEBODY_ONLINE
        ready = sorted(
            self.shop.available(WHOLE_SHOP), key=lambda agent: (agent.last_seq, agent.profile.agent)
        )
        if not ready:
            return self._nobody(WHOLE_SHOP)
        return self._unless_others_wait(ready[self.rand % len(ready)])

    def _offline_list(self) -> Answer:
        if self.shop.anybody_at_work(WHOLE_SHOP):
            return Reason.SOMEBODY_ONLINE
        listed = [
            agent
            for agent in self.shop.agents.values()
            if agent.profile.on_offline_list and not agent.profile.excluded
        ]
        with_room = (agent for agent in listed if agent.load < agent.profile.capacity)
        none = Reason.ALL_FULL if listed else Reason.NOBODY_ONLINE
        return self.shop.best(with_room, self.day) or none

    def _shop_owner(self) -> Answer:
        if self.shop.members(WHOLE_SHOP):
            return Reason.HAS_AGENTS
        owners = [agent for agent in self.shop.agents.values() if agent.profile.is_owner]
        if not owners:
            return Reason.NOT_AN_AGENT
        owner = min(owners, key=lambda agent: agent.profile.agent)
        return Reason.EXCLUDED if owner.profile.excluded else owner

    def _nobody(self, groups: tuple[GroupId, ...]) -> Reason:
        return Reason.ALL_FULL if self.shop.anybody_at_work(groups) else Reason.NOBODY_ONLINE

    def _unless_others_wait(self, agent: AgentRecord) -> Answer:
        queue = self.shop.queues.get(self.record.pool)
        return Reason.OTHERS_WAIT if queue and queue[0] < self.record.queue_key else agent

    def _answers_later(self, tier: Tier, agent: AgentRecord) -> bool:
        if tier.kind is TierKind.OWNER:
            return not _reachable(agent)
        return tier.kind is TierKind.OFFLINE_LIST


def pool_of(plan: Plan) -> str:
    """Where the plan waits; its last tier says it."""
    pool = plan.tiers[-1].pool
    if pool is None:
        raise ValueError("a plan ends with a POOL tier that names its pool")
    return pool


def _reachable(agent: AgentRecord) -> bool:
    return agent.status is AgentStatus.ONLINE and not agent.counted_offline


def _tried(tier: Tier, outcome: Reason, agent: AgentRecord | None = None) -> Tried:
    return Tried(
        tier=tier.reason,
        outcome=outcome,
        agent=tier.agent if agent is None else agent.profile.agent,
        groups=tier.groups,
        pool=tier.pool,
    )
