"""The routing verbs on Redis, each exactly one script call (`rebuild` in parts). Promises what `engine.py` promises.

Every verb raises `LinkError` when there is no reply; when its outcome is unknown, repeating the verb with the same
`op_id` is safe and answers with the first outcome. Arbitration is in `lua/`; nothing is decided here.
"""

from collections.abc import Awaitable, Sequence

import orjson

from protocol.ids import AccountId, ConnectionId, ConversationId, PersonId, ShopId
from protocol.states import DEFAULT_POOL, AgentStatus, Life
from router import replies
from router.link import Link
from router.model import (
    NOT_IN,
    ConversationState,
    Decision,
    Due,
    LivePolicy,
    Outcome,
    Plan,
    Profile,
    Remembered,
)
from router.redis_questions import RedisQuestions
from router.scripts import ARITY

REBUILD_PART = 500
"""Most agents, or conversations, per script call of a rebuild."""


class RedisEngine(RedisQuestions):
    """`Engine` of one shop for the node incarnation `node`, over a link that has the scripts of `scripts.load()`."""

    def __init__(self, link: Link, shop: ShopId, *, node: str) -> None:
        super().__init__(link, shop)
        self._node = node

    # --- conversations -------------------------------------------------------------------------------------------
    async def claim(
        self,
        plan: Plan,
        *,
        op_id: str,
        day: int,
        rand: int,
        takes_from: AccountId | None = None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.claim`."""
        text = replies.plan_text(plan)
        return await self._verb(
            "claim", op_id, day, now_ms, plan.request.conversation, rand, text, takes_from or ""
        )

    async def assign(
        self,
        conversation: ConversationId,
        agent: AccountId,
        *,
        by: AccountId | None,
        op_id: str,
        day: int,
        expected_epoch: int | None = None,
        expected_load: int | None = None,
        stay: str | None = None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.assign`."""
        return await self._verb(
            "assign",
            op_id,
            day,
            now_ms,
            conversation,
            agent,
            by or "",
            _number(expected_epoch),
            _number(expected_load),
            "" if stay is None else f"={stay}",
        )

    async def pull(
        self,
        agent: AccountId,
        *,
        op_id: str,
        day: int,
        conversation: ConversationId | None = None,
        pool: str | None = None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.pull`."""
        return await self._verb("pull", op_id, day, now_ms, conversation or "", agent, pool or "")

    async def requeue(
        self,
        conversation: ConversationId,
        *,
        op_id: str,
        day: int,
        pool: str | None = None,
        expected_epoch: int | None = None,
        by: AccountId | None = None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.requeue`."""
        return await self._verb(
            "requeue", op_id, day, now_ms, conversation, pool or "", _number(expected_epoch), by or ""
        )

    async def end(
        self,
        conversation: ConversationId,
        *,
        op_id: str,
        day: int,
        wrap_up_ms: int,
        expected_epoch: int | None = None,
        by: AccountId | None = None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.end`."""
        return await self._verb(
            "end", op_id, day, now_ms, conversation, wrap_up_ms, _number(expected_epoch), by or ""
        )

    async def reopen(
        self,
        conversation: ConversationId,
        *,
        op_id: str,
        day: int,
        by: AccountId | None = None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.reopen`."""
        return await self._verb("reopen", op_id, day, now_ms, conversation, by or "")

    async def close(
        self,
        conversation: ConversationId,
        *,
        op_id: str,
        day: int,
        expected: Life | None = None,
        by: AccountId | None = None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.close`."""
        only = () if expected is None else (expected.value, NOT_IN[expected].value)
        return await self._verb("close", op_id, day, now_ms, conversation, *(only or ("", "")), by or "")

    async def set_priority(
        self,
        conversation: ConversationId,
        priority: int,
        *,
        op_id: str,
        day: int,
        by: AccountId | None = None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.set_priority`."""
        return await self._verb("set_priority", op_id, day, now_ms, conversation, priority, by or "")

    async def fill(self, *, op_id: str, day: int, now_ms: int | None = None) -> Outcome:
        """See `Engine.fill`."""
        return await self._verb("fill", op_id, day, now_ms)

    # --- agents --------------------------------------------------------------------------------------------------
    async def set_status(
        self, agent: AccountId, status: AgentStatus, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """See `Engine.set_status`."""
        return await self._verb("set_status", op_id, day, now_ms, agent, status)

    async def set_profile(
        self, profile: Profile, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """See `Engine.set_profile`."""
        return await self._verb(
            "set_profile", op_id, day, now_ms, profile.agent, replies.profile_text(profile)
        )

    async def remove_agent(
        self, agent: AccountId, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """See `Engine.remove_agent`."""
        return await self._verb("remove_agent", op_id, day, now_ms, agent)

    async def set_policy(
        self, policy: LivePolicy, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """See `Engine.set_policy`."""
        letters, pools = replies.policy_letters(policy), replies.pools_text(policy)
        return await self._verb("set_policy", op_id, day, now_ms, letters, pools)

    async def connect(
        self,
        person: PersonId,
        connection: ConnectionId,
        *,
        op_id: str,
        day: int,
        node: str,
        offline_after_ms: int | None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.connect`."""
        after = _after(offline_after_ms)
        return await self._verb("connect", op_id, day, now_ms, person, connection, node, after)

    async def disconnect(
        self,
        person: PersonId,
        connection: ConnectionId,
        *,
        op_id: str,
        day: int,
        node: str,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.disconnect`."""
        return await self._verb("disconnect", op_id, day, now_ms, person, connection, node)

    # --- deadlines and repair ------------------------------------------------------------------------------------
    async def expire(
        self, *, op_id: str, day: int, requeue_after_ms: int, limit: int = 100, now_ms: int | None = None
    ) -> Due:
        """See `Engine.expire`. A fenced node, or a shop that is not live, finds nothing due."""
        return replies.due(await self._run("expire", op_id, day, now_ms, requeue_after_ms, limit))

    async def reap(self, node: str, *, op_id: str, day: int, now_ms: int | None = None) -> Outcome:
        """See `Engine.reap`. Works without live state too: the fence matters."""
        return await self._verb("reap", op_id, day, now_ms, node)

    async def confirm(self, decisions: list[tuple[ConversationId, int]]) -> None:
        """See `Engine.confirm`."""
        if decisions:
            names = tuple(replies.decision_name(conversation, rev) for conversation, rev in decisions)
            await self._link.script("confirm", self._keys, names)

    async def unconfirmed(
        self, older_than_ms: int, *, limit: int = 100, now_ms: int | None = None
    ) -> tuple[Decision, ...]:
        """See `Engine.unconfirmed`."""
        rows = await self._link.script("unconfirmed", self._keys, (_number(now_ms), older_than_ms, limit))
        return tuple(replies.decision(orjson.loads(row)) for row in rows)

    async def rebuild(
        self,
        policy: LivePolicy,
        profiles: list[tuple[Profile, AgentStatus]],
        conversations: list[ConversationState],
        *,
        op_id: str,
        day: int,
        offline_after_ms: int | None,
        remembered: Remembered | None = None,
        now_ms: int | None = None,
    ) -> Outcome:
        """See `Engine.rebuild`. Of several at once the one that began last wins; the others are refused as NOT_LIVE."""
        while True:
            begun = await self._run("rebuild_begin", op_id, day, now_ms, replies.policy_letters(policy))
            if begun == b"wiping":
                continue
            if not begun.isdigit():
                return replies.outcome(begun)
            break
        now = int(begun)
        known = remembered or Remembered()
        places = {agent: place for place, agent in enumerate(known.received, start=1)}
        agents = [
            [
                replies.profile_text(each),
                status,
                known.received.get(each.agent, 0),
                places.get(each.agent, 0),
                _after(known.grace_ms[each.agent]) if each.agent in known.grace_ms else "",
                int(each.agent in known.away),
            ]
            for each, status in profiles
        ]
        rows = [
            [*replies.conversation_row(state, DEFAULT_POOL), known.since_ms.get(state.conversation, 0)]
            for state in conversations
            if state.life is not Life.CLOSED
        ]
        after = _number(offline_after_ms)
        none = b"[]"
        parts = [(part, none) for part in _parts(agents, REBUILD_PART)]
        parts += [(none, part) for part in _parts(rows, REBUILD_PART)]
        for some_agents, some_rows in parts:
            added = await self._run("rebuild_add", op_id, day, now, some_agents, some_rows, after)
            if added != b"added":
                return replies.outcome(added)
        return await self._verb("rebuild_end", op_id, day, now, replies.pools_text(policy), len(places))

    # --- inside --------------------------------------------------------------------------------------------------
    async def _verb(
        self, script: str, op_id: str, day: int, now_ms: int | None, *args: str | bytes | int
    ) -> Outcome:
        return replies.outcome(await self._run(script, op_id, day, now_ms, *args))

    def _run(
        self, script: str, op_id: str, day: int, now_ms: int | None, *args: str | bytes | int
    ) -> Awaitable[bytes]:
        argv = ("" if now_ms is None else now_ms, op_id, self._node, day, *args)
        if len(argv) != ARITY[script]:
            raise TypeError(f"{script} takes {ARITY[script]} arguments, not {len(argv)}")
        return self._link.script(script, self._keys, argv)


def _after(offline_after_ms: int | None) -> str | int:
    return "never" if offline_after_ms is None else offline_after_ms


def _parts(items: Sequence[object], size: int) -> list[bytes]:
    return [orjson.dumps(items[i : i + size]) for i in range(0, len(items), size)]


def _number(value: int | None) -> str | int:
    return "" if value is None else value
