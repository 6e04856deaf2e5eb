"""Keeps the deadlines of live state: wrap-ups close, graces end, conversations of those long gone are given
on (KS-18, KS-20)."""

from protocol.errors import RequestError
from protocol.ids import AccountId, ConversationId, PersonId, ShopId
from protocol.states import Life
from server.services.agent_feed import AgentFeed
from server.services.live import Live, Stamp
from server.services.routing import Routing
from server.services.shops import Shops
from server.store.agent_states import AgentStates
from server.store.conversations import Conversations
from server.sweeps.every_shop import every_shop
from server.sweeps.runner import Counts


class Deadlines:
    """One look at every shop's due deadlines. Each is handed out once by the engine, whichever node asks; what could
    not be carried through is remembered here until it is."""

    def __init__(
        self,
        shops: Shops,
        live: Live,
        routing: Routing,
        conversations: Conversations,
        feed: AgentFeed,
        states: AgentStates,
    ) -> None:
        self._shops = shops
        self._live = live
        self._routing = routing
        self._conversations = conversations
        self._feed = feed
        self._states = states
        self._unanswered: dict[ShopId, Stamp] = {}
        """looks whose answer was lost; repeated with the same stamp, they give it again"""
        self._left: dict[ShopId, dict[ConversationId, AccountId]] = {}
        """what is still to be given on, and whom it is taken from"""
        self._away: dict[ShopId, set[AccountId]] = {}
        """who is counted as offline, and not written down as away yet"""

    async def run(self) -> Counts:
        """Handle what is due. Counts: `decisions`, `counted_offline`, `requeued`, `detached`."""
        counts: Counts = {"decisions": 0, "counted_offline": 0, "requeued": 0, "detached": 0}

        async def look(shop: ShopId) -> None:
            while await self._shop(shop, counts):
                pass
            await self._write_down(shop)
            await self._give_all_on(shop, counts)

        await every_shop(self._shops, look)
        return counts

    async def _shop(self, shop: ShopId, counts: Counts) -> bool:
        policy = (await self._shops.get(shop)).policy
        stamp = self._unanswered.get(shop) or await self._live.stamp(shop)
        self._unanswered[shop] = stamp
        due = await self._live.engine(shop).expire(
            op_id=stamp.op_id, day=stamp.day, requeue_after_ms=policy.requeue_after_s * 1000
        )
        del self._unanswered[shop]
        for agent, conversations in due.requeue:
            self._left.setdefault(shop, {}).update(dict.fromkeys(conversations, agent))
        counts["counted_offline"] += len(due.counted_offline)
        self._away.setdefault(shop, set()).update(due.counted_offline)
        self._feed.touch(shop, [PersonId(agent) for agent in due.counted_offline])
        counts["decisions"] += await self._routing.settle(shop, due.decisions)
        return due.more

    async def _write_down(self, shop: ShopId) -> None:
        """For reports; who came back meanwhile was not away."""
        away = self._away.get(shop, set())
        states = {
            agent: await self._live.ask(shop, lambda engine, agent=agent: engine.agent(agent))
            for agent in away
        }
        gone = [agent for agent, state in states.items() if state is not None and state.counted_offline]
        if gone:
            await self._states.away(shop, gone)
        self._away.pop(shop, None)

    async def _give_all_on(self, shop: ShopId, counts: Counts) -> None:
        left = self._left.get(shop, {})
        for conversation, agent in tuple(left.items()):
            state = await self._live.ask(shop, lambda engine, agent=agent: engine.agent(agent))
            if state is not None and state.counted_offline:  # who came back meanwhile keeps it
                await self._give_on(shop, agent, conversation, counts)
            left.pop(conversation, None)
        if not left:
            self._left.pop(shop, None)

    async def _give_on(
        self, shop: ShopId, agent: AccountId, conversation: ConversationId, counts: Counts
    ) -> None:
        """KS-18: whose customer waits for an answer goes back to the queue; the others when their customer
        writes next."""
        try:
            row = await self._conversations.get(shop, conversation)
            if row.state is not Life.ACTIVE or row.owner_id != agent:
                return
            if row.waiting_since_ms is None:
                _, moved = await self._conversations.detach(shop, conversation, agent)
                counts["detached"] += moved
                return
            await self._routing.do(
                shop,
                lambda engine, stamp: engine.requeue(
                    row.id, op_id=stamp.op_id, day=stamp.day, expected_epoch=row.assign_epoch
                ),
            )
            counts["requeued"] += 1
        except RequestError as error:
            if error.retryable:
                raise
            # Given on by somebody else meanwhile, or closed.
