"""The verbs about conversations, on dicts. Promises: see `router.engine.Engine`."""

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId
from protocol.states import AgentStatus, Life
from router.memory_claim import Walk, pool_of
from router.memory_state import ConversationRecord
from router.memory_turn import MemoryTurn
from router.memory_verb import MemoryVerbs
from router.model import NOT_IN, Outcome, Plan, Refusal


class ConversationVerbs(MemoryVerbs):
    """Everything that is done to one conversation, and the fill."""

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
        """See `Engine.claim`. A conversation taken from its owner keeps its first arrival (I8); class and pool are the
        plan's."""

        def act(turn: MemoryTurn) -> Refusal | None:
            record = self._claimed(plan, takes_from)
            if isinstance(record, Refusal):
                return record
            turn.free_slot(record)
            fit = Walk(self._shop, plan, record, day=day, rand=rand).run()
            if fit.agent is None or fit.tier is None:
                turn.wait(record, tried=fit.tried)
            else:
                turn.give(record, fit.agent, fit.tier.reason, offline=fit.offline, tried=fit.tried)
            return None

        return self.run_verb(op_id, day, now_ms, act)

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

        def act(turn: MemoryTurn) -> Refusal | None:
            record = self._shop.conversations.get(conversation)
            receiver = self._shop.agents.get(agent)
            if record is None:
                return Refusal.UNKNOWN_CONVERSATION
            if receiver is None:
                return Refusal.UNKNOWN_AGENT
            if record.owner == agent:
                return Refusal.SAME_OWNER
            if _stale(record, expected_epoch):
                return Refusal.STALE_EPOCH
            if expected_load is not None and receiver.load != expected_load:
                return Refusal.LOAD_CHANGED
            # Who takes it by their own hand is there, whatever their status says.
            absent = receiver.status is AgentStatus.OFFLINE or receiver.counted_offline
            away = absent and by != receiver.profile.agent
            turn.give(record, receiver, Reason.BY_HAND, offline=away, by=by, stay=stay)
            return None

        return self.run_verb(op_id, day, now_ms, act)

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

        def act(turn: MemoryTurn) -> Refusal | None:
            puller = self._shop.agents.get(agent)
            if puller is None:
                return Refusal.UNKNOWN_AGENT
            if conversation is None:
                pools = list(self._shop.queues) if pool is None else [pool]
                heads = [self._shop.queues[name][0] for name in pools if name in self._shop.queues]
                if not heads:
                    return Refusal.POOL_EMPTY
                record = self._shop.conversations[min(heads)[2]]
            else:
                named = self._shop.conversations.get(conversation)
                if named is None or named.life is not Life.QUEUED:
                    return Refusal.NOT_WAITING
                record = named
            turn.give(record, puller, Reason.BY_HAND, by=agent)
            return None

        return self.run_verb(op_id, day, now_ms, act)

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

        def act(turn: MemoryTurn) -> Refusal | None:
            record = self._active(conversation, expected_epoch)
            if isinstance(record, Refusal):
                return record
            record.pool = pool or record.pool
            turn.wait(record, by=by)
            return None

        return self.run_verb(op_id, day, now_ms, act)

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

        def act(turn: MemoryTurn) -> Refusal | None:
            record = self._active(conversation, expected_epoch)
            if isinstance(record, Refusal):
                return record
            if wrap_up_ms == 0:
                turn.close(record, by=by)
            else:
                turn.end(record, wrap_up_ms, by=by)
            return None

        return self.run_verb(op_id, day, now_ms, act)

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

        def act(turn: MemoryTurn) -> Refusal | None:
            record = self._shop.conversations.get(conversation)
            if record is None:
                return Refusal.UNKNOWN_CONVERSATION
            if record.life is not Life.WRAP_UP:
                return Refusal.NOT_IN_WRAP_UP
            turn.reopen(record, by=by)
            return None

        return self.run_verb(op_id, day, now_ms, act)

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

        def act(turn: MemoryTurn) -> Refusal | None:
            record = self._shop.conversations.get(conversation)
            if record is None:
                return Refusal.UNKNOWN_CONVERSATION
            if expected is not None and record.life is not expected:
                return NOT_IN[expected]
            turn.close(record, by=by)
            return None

        return self.run_verb(op_id, day, now_ms, act)

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

        def act(turn: MemoryTurn) -> Refusal | None:
            record = self._shop.conversations.get(conversation)
            if record is None:
                return Refusal.UNKNOWN_CONVERSATION
            if record.life is not Life.QUEUED:
                return Refusal.NOT_WAITING
            if record.priority != priority:
                self._shop.dequeue(record)
                record.priority = priority
                turn.wait(record, by=by)
            return None

        return self.run_verb(op_id, day, now_ms, act)

    async def fill(self, *, op_id: str, day: int, now_ms: int | None = None) -> Outcome:
        """See `Engine.fill`; every verb ends by it."""
        return self.run_verb(op_id, day, now_ms, lambda _: None)

    def _claimed(self, plan: Plan, takes_from: AccountId | None) -> ConversationRecord | Refusal:
        request = plan.request
        record = self._shop.conversations.get(request.conversation)
        if takes_from is None:
            if record is not None:
                return Refusal.ALREADY_ROUTED
            return ConversationRecord(
                conversation=request.conversation,
                epoch=request.epoch,
                rev=request.rev,
                priority=plan.priority,
                arrived_ms=request.arrived_ms,
                pool=pool_of(plan),
            )
        if record is None or record.life is not Life.ACTIVE or record.owner != takes_from:
            return Refusal.NOT_OWNER
        record.epoch, record.rev = max(record.epoch, request.epoch), max(record.rev, request.rev)
        record.priority, record.pool = plan.priority, pool_of(plan)
        return record

    def _active(
        self, conversation: ConversationId, expected_epoch: int | None
    ) -> ConversationRecord | Refusal:
        record = self._shop.conversations.get(conversation)
        if record is None:
            return Refusal.UNKNOWN_CONVERSATION
        if record.life is not Life.ACTIVE:
            return Refusal.NOT_ACTIVE
        return Refusal.STALE_EPOCH if _stale(record, expected_epoch) else record


def _stale(record: ConversationRecord, expected_epoch: int | None) -> bool:
    return expected_epoch is not None and record.epoch != expected_epoch
