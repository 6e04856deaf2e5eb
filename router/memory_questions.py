"""The questions of `router.engine.Engine` on a `LiveShop`: read, never change. Also what KS-22 asks for."""

from collections.abc import Sequence

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId, GroupId
from protocol.states import Life
from router.memory_claim import WHOLE_SHOP, Walk, pool_of
from router.memory_state import ConversationRecord, LiveShop
from router.model import (
    EVERYBODY,
    POOL_SHOWN,
    AgentState,
    ConversationState,
    Place,
    Plan,
    PoolState,
    Snapshot,
    Tried,
    Waiting,
)


class MemoryQuestions:
    """Everything that can be asked about one shop; empty answers while it is not live."""

    def __init__(self, shop: LiveShop) -> None:
        self._shop = shop

    async def is_live(self) -> bool:
        """See `Engine.is_live`."""
        return self._shop.live

    async def agent(self, agent: AccountId) -> AgentState | None:
        """See `Engine.agent`."""
        record = self._shop.agents.get(agent)
        return None if record is None else self._shop.agent_state(record)

    async def agents(self) -> tuple[AgentState, ...]:
        """See `Engine.agents`; by id."""
        return self._agents(with_slots=False)

    async def conversation(self, conversation: ConversationId) -> ConversationState | None:
        """See `Engine.conversation`."""
        record = self._shop.conversations.get(conversation)
        return None if record is None else self._shop.conversation_state(record)

    async def pools(self) -> tuple[PoolState, ...]:
        """See `Engine.pools`; by name."""
        return tuple(
            PoolState(
                pool=pool,
                length=len(queue),
                oldest_ms=min(arrived for _, arrived, _ in queue),
                groups=self._shop.bound_groups(pool),
                open_to_everybody=self._shop.serving(pool) == (EVERYBODY,),
                first=tuple(conversation for _, _, conversation in queue[:POOL_SHOWN]),
            )
            for pool, queue in sorted(self._shop.queues.items())
        )

    async def waiting(self, pool: str, *, first: int = 1, limit: int = 100) -> tuple[ConversationState, ...]:
        """See `Engine.waiting`."""
        part = self._shop.queues.get(pool, [])[first - 1 : first - 1 + limit]
        records = (self._shop.conversations[conversation] for _, _, conversation in part)
        return tuple(self._shop.conversation_state(record) for record in records)

    async def holdings(
        self, agents: Sequence[AccountId], conversations: Sequence[ConversationId] = ()
    ) -> Snapshot:
        """See `Engine.holdings`."""
        shop = self._shop
        people = tuple(shop.agent_state(shop.agents[name]) for name in sorted(agents) if name in shop.agents)
        named = dict.fromkeys([slot.conversation for agent in people for slot in agent.slots])
        named.update(dict.fromkeys(conversations))
        found = (shop.conversations[name] for name in named if name in shop.conversations)
        return Snapshot(people, tuple(shop.conversation_state(record) for record in found), ())

    async def place(self, conversation: ConversationId) -> Place | None:
        """See `Engine.place`."""
        record = self._shop.conversations.get(conversation)
        if record is None or record.life is not Life.QUEUED:
            return None
        return Place(
            pool=record.pool,
            place=self._shop.queues[record.pool].index(record.queue_key) + 1,
            length=len(self._shop.queues[record.pool]),
            reason=self._why(record.pool) if self._anybody_on_duty() else Reason.OFF_DUTY,
            arrived_ms=record.arrived_ms,
        )

    async def explain(self, conversation: ConversationId) -> Waiting | None:
        """See `Engine.explain`. Eligible are the agents of the bound groups while anybody of them is at work, else all
        agents; those who are offline or excluded are named with that as the reason."""
        record = self._shop.conversations.get(conversation)
        if record is None or record.life is not Life.QUEUED:
            return None
        serving: tuple[GroupId, ...] = self._shop.serving(record.pool)
        eligible = sorted(self._shop.members(serving), key=lambda agent: agent.profile.agent)
        queue = self._shop.queues[record.pool]
        return Waiting(
            conversation=conversation,
            pool=record.pool,
            place=queue.index(record.queue_key) + 1,
            length=len(queue),
            priority=record.priority,
            arrived_ms=record.arrived_ms,
            reason=self._why(record.pool),
            groups=self._shop.bound_groups(record.pool),
            open_to_everybody=serving == (EVERYBODY,),
            agents=tuple((agent.profile.agent, agent.availability()) for agent in eligible),
        )

    async def preview(self, plan: Plan, *, day: int, rand: int) -> tuple[Tried, ...]:
        """See `Engine.preview`."""
        if not self._shop.live:
            return ()
        request = plan.request
        record = ConversationRecord(
            conversation=request.conversation,
            epoch=request.epoch,
            rev=request.rev,
            arrived_ms=request.arrived_ms,
            priority=plan.priority,
            pool=pool_of(plan),
        )
        return Walk(self._shop, plan, record, day=day, rand=rand).run().tried

    async def snapshot(self) -> Snapshot:
        """See `Engine.snapshot`. `extra`: `seq`, `due`, `unconfirmed`, `directory`, as plain sorted values."""
        shop = self._shop
        conversations = sorted(shop.conversations.values(), key=lambda record: record.conversation)
        return Snapshot(
            agents=self._agents(with_slots=True),
            conversations=tuple(shop.conversation_state(record) for record in conversations),
            pools=tuple(
                (pool, tuple(conversation for _, _, conversation in queue))
                for pool, queue in sorted(shop.queues.items())
            ),
            extra={
                "seq": shop.seq,
                "due": [[name, at] for at, name in sorted((at, name) for name, at in shop.due.items())],
                "unconfirmed": [[conversation, rev] for conversation, rev in sorted(shop.unconfirmed)],
                "directory": {
                    person: dict(sorted(at.items())) for person, at in sorted(shop.directory.items())
                },
            },
        )

    def _anybody_on_duty(self) -> bool:
        """False: whoever could serve is off duty; a shop whose agents are all excluded is not out of hours."""
        members = [agent.availability() for agent in self._shop.members(WHOLE_SHOP)]
        duty = [reason for reason in members if reason is not Reason.EXCLUDED]
        return not duty or any(reason is not Reason.OFF_DUTY for reason in duty)

    def _why(self, pool: str) -> Reason:
        at_work = self._shop.anybody_at_work(self._shop.serving(pool))
        return Reason.ALL_FULL if at_work else Reason.NOBODY_ONLINE

    def _agents(self, *, with_slots: bool) -> tuple[AgentState, ...]:
        shop = self._shop
        return tuple(
            shop.agent_state(shop.agents[name], with_slots=with_slots) for name in sorted(shop.agents)
        )
