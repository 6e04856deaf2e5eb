"""The routing verbs on dicts: the executable specification of `router.engine.Engine`, and the engine of simulation.

One process, one event loop: a verb never awaits inside, so none can interleave. Promises what `engine.py` promises,
for as long as the process lives. The Redis engine must give equal outcomes and equal snapshots.
"""

from protocol.ids import AccountId, ConversationId
from protocol.states import AgentStatus, Life
from router.memory_agents import AgentVerbs
from router.memory_conversations import ConversationVerbs
from router.memory_turn import MemoryTurn
from router.memory_verb import FENCE_KEPT_MS
from router.model import ConversationState, Decision, Due, LivePolicy, Outcome, Profile, Refusal, Remembered


class MemoryEngine(ConversationVerbs, AgentVerbs):
    """`Engine` on dicts: with the verbs of `ConversationVerbs` and `AgentVerbs`, deadlines and repair."""

    async def expire(
        self, *, op_id: str, day: int, requeue_after_ms: int, limit: int = 100, now_ms: int | None = None
    ) -> Due:
        """See `Engine.expire`. A fenced node, or a shop that is not live, finds nothing due."""
        turn = self.start_turn(day, now_ms)
        reply = self.first_reply(op_id, turn)
        if isinstance(reply, Due):
            return reply
        if self.barred(turn) is not None:
            return Due()
        counted: list[AccountId] = []
        requeue: list[tuple[AccountId, tuple[ConversationId, ...]]] = []
        ripe = sorted((at, name) for name, at in self._shop.due.items() if at <= turn.now_ms)
        for _, name in ripe[:limit]:
            del self._shop.due[name]
            kind, _, about = name.partition(":")
            if kind == "wrap":
                turn.close(self._shop.conversations[ConversationId(about)])
                continue
            agent = self._shop.agents[AccountId(about)]
            if kind == "grace":
                turn.count_offline(agent, requeue_after_ms)
                counted.append(agent.profile.agent)
            elif agent.counted_offline:
                serving = sorted(
                    slot.conversation for slot in agent.slots.values() if slot.why == "in_service"
                )
                requeue.append((agent.profile.agent, tuple(serving)))
        more = turn.fill()
        more = more or any(at <= turn.now_ms for at in self._shop.due.values())
        due = Due(tuple(turn.decisions), tuple(counted), tuple(requeue), more)
        self.keep_reply(op_id, turn, due)
        return due

    async def reap(self, node: str, *, op_id: str, day: int, now_ms: int | None = None) -> Outcome:
        """See `Engine.reap`. Works without live state too: the fence matters."""

        def act(turn: MemoryTurn) -> Refusal | None:
            self._shop.fenced[node] = turn.now_ms + FENCE_KEPT_MS
            for person in sorted(self._shop.directory):
                gone = [link for link, at in self._shop.directory[person].items() if at == node]
                if gone:
                    turn.hang_up(person, gone)
            return None

        return self.run_verb(op_id, day, now_ms, act, needs_live=False)

    async def confirm(self, decisions: list[tuple[ConversationId, int]]) -> None:
        """See `Engine.confirm`."""
        for conversation, rev in decisions:
            self._shop.unconfirmed.pop((conversation, rev), None)

    async def unconfirmed(
        self, older_than_ms: int, *, limit: int = 100, now_ms: int | None = None
    ) -> tuple[Decision, ...]:
        """See `Engine.unconfirmed`."""
        before = self.now(now_ms) - older_than_ms
        old = [decision for decision in self._shop.unconfirmed.values() if decision.at_ms <= before]
        old.sort(key=lambda decision: (decision.at_ms, decision.conversation, decision.rev))
        return tuple(old[:limit])

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
        """See `Engine.rebuild`."""

        def act(turn: MemoryTurn) -> Refusal | None:
            self._shop.start_anew(policy)
            known = remembered or Remembered()
            for profile, status in profiles:
                turn.enrol(profile, status)
                turn.recall(profile.agent, known, offline_after_ms)
            for state in conversations:
                if state.life is not Life.CLOSED:
                    turn.restore(state, known.since_ms.get(state.conversation))
            return None

        return self.run_verb(op_id, day, now_ms, act, needs_live=False)
