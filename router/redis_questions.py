"""The questions of `router.engine.Engine` on Redis: read, never change, one script call each."""

from collections.abc import Sequence
from typing import Any

import orjson

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId, ShopId
from router.keys import prefix
from router.link import Link
from router.model import (
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
from router.replies import (
    EMPTY_EXTRA,
    agent_state,
    agent_states,
    availabilities,
    conversation_state,
    groups,
    plan_text,
    pool_state,
    snapshot,
    walked,
)


class RedisQuestions:
    """Everything that can be asked about one shop; empty answers while it is not live. Raises LinkError."""

    def __init__(self, link: Link, shop: ShopId) -> None:
        self._link = link
        self._prefix = prefix(shop)
        self._keys = (self._prefix,)

    async def is_live(self) -> bool:
        """See `Engine.is_live`."""
        return await self._link.call("EXISTS", self._prefix + "live") == 1

    async def agent(self, agent: AccountId) -> AgentState | None:
        """See `Engine.agent`."""
        row = await self._ask("ask_agent", agent)
        return None if row is None else agent_state(row)

    async def agents(self) -> tuple[AgentState, ...]:
        """See `Engine.agents`; by id."""
        return agent_states(await self._ask("ask_agents") or [])

    async def conversation(self, conversation: ConversationId) -> ConversationState | None:
        """See `Engine.conversation`."""
        row = await self._ask("ask_conversation", conversation)
        return None if row is None else conversation_state(row)

    async def pools(self) -> tuple[PoolState, ...]:
        """See `Engine.pools`; by name."""
        rows = await self._ask("ask_pools", POOL_SHOWN)
        return tuple(sorted((pool_state(row) for row in rows or ()), key=lambda state: state.pool))

    async def waiting(self, pool: str, *, first: int = 1, limit: int = 100) -> tuple[ConversationState, ...]:
        """See `Engine.waiting`."""
        rows = await self._ask("ask_waiting", pool, first, limit)
        return tuple(conversation_state(row) for row in rows or ())

    async def holdings(
        self, agents: Sequence[AccountId], conversations: Sequence[ConversationId] = ()
    ) -> Snapshot:
        """See `Engine.holdings`."""
        named = orjson.dumps(list(agents)), orjson.dumps(list(conversations))
        answer: Any = await self._ask("ask_holdings", *named) or ([], [])
        people, found = answer
        return Snapshot(agent_states(people), tuple(conversation_state(row) for row in found), ())

    async def place(self, conversation: ConversationId) -> Place | None:
        """See `Engine.place`."""
        row = await self._ask("ask_place", conversation)
        if row is None:
            return None
        pool, place, length, why, arrived = row
        return Place(pool, place, length, _WHY[int(why)], arrived)

    async def explain(self, conversation: ConversationId) -> Waiting | None:
        """See `Engine.explain`. Eligible are the agents of the bound groups while anybody of them is at work, else all
        agents; those who are offline or excluded are named with that as the reason."""
        row = await self._ask("ask_explain", conversation)
        if row is None:
            return None
        pool, place, length, priority, arrived, at_work, bound, open_to_everybody, *agents = row
        return Waiting(
            conversation=conversation,
            pool=pool,
            place=place,
            length=length,
            priority=priority,
            arrived_ms=arrived,
            reason=_why(at_work),
            groups=groups(bound),
            open_to_everybody=open_to_everybody == 1,
            agents=availabilities(agents),
        )

    async def preview(self, plan: Plan, *, day: int, rand: int) -> tuple[Tried, ...]:
        """See `Engine.preview`."""
        rows = await self._ask("ask_walk", day, plan.request.conversation, rand, plan_text(plan))
        return walked(rows or [])

    async def snapshot(self) -> Snapshot:
        """See `Engine.snapshot`. `extra`: `seq`, `due`, `unconfirmed`, `directory`, as plain sorted values."""
        answer = await self._ask("ask_snapshot")
        return Snapshot((), (), (), EMPTY_EXTRA) if answer is None else snapshot(answer)

    async def _ask(self, script: str, *args: str | int | bytes) -> Any:
        """The decoded answer; None for nothing."""
        reply = await self._link.script(script, self._keys, args)
        return None if reply is None else orjson.loads(reply)


_WHY = (Reason.NOBODY_ONLINE, Reason.ALL_FULL, Reason.OFF_DUTY)
"""As `ask_place` counts."""


def _why(at_work: int) -> Reason:
    return Reason.ALL_FULL if at_work == 1 else Reason.NOBODY_ONLINE
