"""Gathers what rules are judged on: few questions, and of live state only what the shop's rules ask for."""

from collections.abc import Iterable
from dataclasses import dataclass

from protocol.codes import Reason
from protocol.ids import ConversationId, ShopId
from protocol.states import Life
from router.model import PRIORITY, AgentState
from server.automation.evaluate import Fired
from server.automation.facts import UNFORESEEN, Facts, Subject
from server.services.live import Live
from server.services.shops import ShopFacts, Shops
from server.store.rows import ConversationRow
from server.store.rule_facts import ConversationFacts, RuleFacts

AT_WORK = frozenset({Reason.HAS_ROOM, Reason.FULL, Reason.PAUSED, Reason.AUTO_PAUSED})
NOBODY_THERE = 100
"""Of nobody at work nobody has room: as much a peak as when all are full."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A subject as it is now: the facts, and where they come from."""

    facts: Facts
    found: ConversationFacts

    @property
    def is_unrouted(self) -> bool:
        """Nobody was chosen for it yet, nor has it a place in the queue: nothing can be done with it."""
        return self.found.row.live_rev == 0 and not self.facts.over

    def fired(self, rule_id: str) -> Fired:
        """What a rule did with it so far."""
        times, last_ms = self.found.fired.get(rule_id, (0, 0))
        return Fired(times, last_ms)


class RuleSubjects:
    """Facts about conversations."""

    def __init__(self, facts: RuleFacts, shops: Shops, live: Live) -> None:
        self._facts = facts
        self._shops = shops
        self._live = live

    async def look(
        self, shop: ShopId, conversation: ConversationId, asks: frozenset[str], said: Iterable[str] = ()
    ) -> Looked | None:
        """A conversation as it is now; None: there is none. `asks`: the kinds of condition that there are. `said`: what
        its customer has just written, answered already or not."""
        found = await self._facts.conversation(shop, conversation)
        if found is None:
            return None
        facts = await self._shops.get(shop)
        numbers = {"participants": len(found.row.speaking)}
        if not UNFORESEEN.isdisjoint(asks):
            numbers |= await self._peak(shop)
        return Looked(_facts_of(found, facts, numbers, tuple(dict.fromkeys((*said, *found.said)))), found)

    async def _peak(self, shop: ShopId) -> dict[str, int]:
        """How busy the shop is (CO-11)."""
        pools = await self._live.ask(shop, lambda engine: engine.pools())
        agents = await self._live.ask(shop, lambda engine: engine.agents())
        return {
            "queue_length": sum(pool.length for pool in pools),
            "full_agents_percent": full_percent(agents),
        }


def full_percent(agents: Iterable[AgentState]) -> int:
    """How many of a hundred agents at work have no room."""
    at_work = [agent.availability for agent in agents if agent.availability in AT_WORK]
    if not at_work:
        return NOBODY_THERE
    return 100 * sum(each is not Reason.HAS_ROOM for each in at_work) // len(at_work)


def _facts_of(
    found: ConversationFacts, shop: ShopFacts, numbers: dict[str, int], said: tuple[str, ...]
) -> Facts:
    row = found.row
    since: dict[str, int] = {}
    if row.state is Life.QUEUED:
        since["in_queue"] = found.queued_since_ms
    if row.waiting_since_ms is not None and row.state in (Life.QUEUED, Life.ACTIVE):
        since["customer_waits"] = row.waiting_since_ms
    if row.collaboration_since_ms is not None:
        since["collaboration_open"] = row.collaboration_since_ms
    return Facts(
        subject=Subject.CONVERSATION,
        subject_id=row.id,
        now_ms=found.now_ms,
        zone=shop.policy.timezone,
        over=row.state is Life.CLOSED,
        said=said,
        words={
            "customer_tag": frozenset(found.tags),
            "group": _groups(row, found, shop),
            "order_state": frozenset({row.order_state}),
            "pool": frozenset() if row.pool is None else frozenset({row.pool}),
            "priority": frozenset({"priority" if row.priority == PRIORITY else "normal"}),
            "state": frozenset({row.state.value}),
        },
        since_ms=since,
        numbers=numbers,
    )


def _groups(row: ConversationRow, found: ConversationFacts, shop: ShopFacts) -> frozenset[str]:
    """The groups it waits for, or those of whoever serves it."""
    if row.state is Life.QUEUED:
        return frozenset(shop.live_policy.pools.get(row.pool or "", ()))
    return frozenset(found.groups)
