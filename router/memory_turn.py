"""One verb under way on a `LiveShop`: the steps that verbs are made of, each keeping every index right.

Every change of a conversation makes exactly one `Decision`; the legal ones are in `protocol.states.LIFE`. Knows no verb
and no op id; `memory_engine.py` composes verbs from these steps.
"""

from dataclasses import dataclass, field, replace

from protocol.codes import Reason
from protocol.ids import AccountId, ConnectionId, PersonId
from protocol.states import DEFAULT_POOL, LIFE, AgentStatus, Life, Step
from router.engine import FILL_LIMIT
from router.memory_state import NEVER, AgentRecord, ConversationRecord, LiveShop
from router.model import Change, ConversationState, Decision, Profile, Remembered, Slot, Tried

STEP: dict[Change, Step] = {
    Change.QUEUED: Step.QUEUE,
    Change.ASSIGNED: Step.ASSIGN,
    Change.ENDED: Step.END,
    Change.REOPENED: Step.REOPEN,
    Change.CLOSED: Step.CLOSE,
}


@dataclass(slots=True)
class MemoryTurn:
    """The steps of one verb at one moment; `decisions` collects what they did, in order."""

    shop: LiveShop
    now_ms: int
    day: int
    decisions: list[Decision] = field(default_factory=list[Decision])

    # --- conversations ---------------------------------------------------------------------------------------------
    def give(
        self,
        record: ConversationRecord,
        agent: AgentRecord,
        reason: Reason,
        *,
        offline: bool = False,
        by: AccountId | None = None,
        tried: tuple[Tried, ...] = (),
        stay: str | None = None,
    ) -> None:
        """Make `agent` the owner, from wherever the conversation is; counts the receipt (KS-02)."""
        if record.life is Life.QUEUED and record.conversation in self.shop.conversations:
            self.shop.dequeue(record)
        self.free_slot(record)
        self._forget_wrap_up(record)
        self.take_slot(record, agent, reason)
        self.shop.seq += 1
        agent.last_seq = self.shop.seq
        if self.day > agent.received_day:
            agent.received, agent.received_day = 0, self.day
        agent.received += 1
        self._decide(
            record,
            Change.ASSIGNED,
            owner=agent.profile.agent,
            reason=reason,
            offline=offline,
            by=by,
            tried=tried,
            stay=stay,
        )

    def wait(
        self, record: ConversationRecord, *, by: AccountId | None = None, tried: tuple[Tried, ...] = ()
    ) -> None:
        """Put a new or active conversation into its pool, at its first arrival time (I8)."""
        self.free_slot(record)
        place = self.shop.enqueue(record)
        self._decide(
            record, Change.QUEUED, owner=None, reason=Reason.QUEUE_POOL, place=place, by=by, tried=tried
        )

    def end(self, record: ConversationRecord, wrap_up_ms: int, *, by: AccountId | None = None) -> None:
        """Begin wrap-up; the slot stays only when the policy says so now (KS-20)."""
        until = self.now_ms + wrap_up_ms
        record.wrap_up_until_ms = until
        self.shop.due[f"wrap:{record.conversation}"] = until
        if not self.shop.policy.wrap_up_holds_slot:
            self.free_slot(record)
        elif (owner := self._owner(record)) and (slot := owner.slots.get(record.conversation)):
            owner.slots[record.conversation] = replace(slot, why="wrap_up", until_ms=until)
        self._decide(record, Change.ENDED, owner=record.owner, until=until, by=by)

    def reopen(self, record: ConversationRecord, *, by: AccountId | None = None) -> None:
        """Back to the same agent from wrap-up; a slot is taken anew when none was held."""
        self._forget_wrap_up(record)
        if owner := self._owner(record):
            slot = owner.slots.get(record.conversation)
            if slot is None:
                self.take_slot(record, owner, Reason.REOPENED)
            else:
                owner.slots[record.conversation] = replace(slot, why="in_service", until_ms=None)
        self._decide(record, Change.REOPENED, owner=record.owner, reason=Reason.REOPENED, by=by)

    def close(self, record: ConversationRecord, *, by: AccountId | None = None) -> None:
        """Close from any live state and forget the conversation."""
        if record.life is Life.QUEUED:
            self.shop.dequeue(record)
        self.free_slot(record)
        self._forget_wrap_up(record)
        self._decide(record, Change.CLOSED, owner=record.owner, by=by)
        del self.shop.conversations[record.conversation]

    def fill(self) -> bool:
        """Give waiting conversations to agents with room, in queue order over all pools; whether some may be left."""
        blocked: set[str] = set()
        given = 0
        while given < FILL_LIMIT:
            pools = [pool for pool in self.shop.queues if pool not in blocked]
            if not pools:
                return False
            pool = min(pools, key=lambda name: self.shop.queues[name][0])
            if self._fill_from(pool):
                given += 1
            else:
                blocked.add(pool)
        return any(pool not in blocked for pool in self.shop.queues)

    def _fill_from(self, pool: str) -> bool:
        bound = self.shop.bound_groups(pool)
        serving = self.shop.serving(pool)
        agent = self.shop.best(self.shop.available(serving), self.day)
        if agent is None:
            return False
        reason = Reason.FILLED if not bound or serving == bound else Reason.OVERFLOW
        record = self.shop.conversations[self.shop.queues[pool][0][2]]
        tried = Tried(reason, Reason.TAKEN, agent=agent.profile.agent, groups=bound, pool=pool)
        self.give(record, agent, reason, tried=(tried,))
        return True

    def recall(self, name: AccountId, known: Remembered, offline_after_ms: int | None) -> None:
        """What an agent was given today goes on being counted, and in that order. Who is at work and was counted
        offline is so still, and is said to be at once; who was not gets their grace, or the one given."""
        self.shop.seq = len(known.received)
        agent = self.shop.agents[name]
        if name in known.received:
            agent.received, agent.received_day = known.received[name], self.day
            agent.last_seq = [*known.received].index(name) + 1
        if agent.status is AgentStatus.OFFLINE:
            return
        if name in known.grace_ms:
            grace_ms = known.grace_ms[name]
            agent.offline_after_ms = NEVER if grace_ms is None else float(grace_ms)
        agent.counted_offline = name in known.away
        if agent.counted_offline:
            self.shop.due[f"grace:{name}"] = self.now_ms
        elif agent.offline_after_ms is not None:
            self.miss(agent)
        elif offline_after_ms is not None:
            self.shop.due[f"grace:{name}"] = self.now_ms + offline_after_ms

    def restore(self, state: ConversationState, since_ms: int | None) -> None:
        """Take a conversation over from durable facts, as it is there; no decision is made."""
        record = ConversationRecord(
            conversation=state.conversation,
            epoch=state.epoch,
            rev=state.rev,
            priority=state.priority,
            arrived_ms=state.arrived_ms,
            pool=state.pool or DEFAULT_POOL,
            life=state.life,
            owner=state.owner,
            previous_owner=state.previous_owner,
            reason=state.reason,
        )
        self.shop.conversations[record.conversation] = record
        if record.life is Life.QUEUED:
            self.shop.enqueue(record)
            return
        owner = self._owner(record)
        reason = record.reason or Reason.REBUILT
        if record.life is Life.ACTIVE:
            if owner:
                self.take_slot(record, owner, reason, since_ms=since_ms)
            return
        until = self.now_ms if state.wrap_up_until_ms is None else state.wrap_up_until_ms
        record.wrap_up_until_ms = until
        self.shop.due[f"wrap:{record.conversation}"] = until
        if owner and self.shop.policy.wrap_up_holds_slot:
            self.take_slot(record, owner, reason, until_ms=until, since_ms=since_ms)

    # --- slots -----------------------------------------------------------------------------------------------------
    def take_slot(
        self,
        record: ConversationRecord,
        agent: AgentRecord,
        reason: Reason,
        *,
        until_ms: int | None = None,
        since_ms: int | None = None,
    ) -> None:
        """Hold one unit of the agent's capacity, noting in the ledger whether it was beyond it (KS-22). `since_ms`:
        when that began, if not now."""
        agent.slots[record.conversation] = Slot(
            conversation=record.conversation,
            why="in_service" if until_ms is None else "wrap_up",
            since_ms=self.now_ms if since_ms is None else since_ms,
            reason=reason,
            over_capacity=agent.load >= agent.profile.capacity,
            until_ms=until_ms,
        )

    def free_slot(self, record: ConversationRecord) -> None:
        """Give back the slot that the conversation holds, if it holds one."""
        if owner := self._owner(record):
            owner.slots.pop(record.conversation, None)

    # --- agents ----------------------------------------------------------------------------------------------------
    def enrol(self, profile: Profile, status: AgentStatus = AgentStatus.OFFLINE) -> None:
        """A new agent. One who was removed and comes back holds slots again for what stayed theirs (I4)."""
        agent = self.shop.agents[profile.agent] = AgentRecord(profile, self.now_ms, status)
        for name in sorted(self.shop.conversations):
            record = self.shop.conversations[name]
            if record.owner == profile.agent and record.life is Life.ACTIVE:
                self.take_slot(record, agent, record.reason or Reason.REBUILT)

    # --- presence --------------------------------------------------------------------------------------------------
    def hear_from(self, agent: AgentRecord, offline_after_ms: int | None) -> None:
        """A connection appeared: no deadline runs, and the longest grace seen is remembered (KS-18)."""
        seen = NEVER if offline_after_ms is None else float(offline_after_ms)
        agent.offline_after_ms = max(agent.offline_after_ms or 0.0, seen)
        agent.counted_offline = False
        self._forget_deadlines(agent)

    def miss(self, agent: AgentRecord) -> None:
        """The agent has no connection (any more): start the grace when at work and one is known."""
        if agent.status is AgentStatus.OFFLINE:
            agent.offline_after_ms = None
        elif agent.offline_after_ms is not None and agent.offline_after_ms != NEVER:
            self.shop.due[f"grace:{agent.profile.agent}"] = self.now_ms + int(agent.offline_after_ms)

    def choose(self, agent: AgentRecord, status: AgentStatus) -> None:
        """The agent's own choice of status (KS-18)."""
        if agent.status is not status:
            agent.status, agent.status_since_ms = status, self.now_ms
        if status is AgentStatus.OFFLINE:
            self._forget_deadlines(agent)
        else:
            agent.counted_offline = False
            self.shop.due.pop(f"requeue:{agent.profile.agent}", None)
        if not self.shop.connected(agent.profile.agent):
            self.miss(agent)

    def hang_up(self, person: PersonId, connections: list[ConnectionId]) -> None:
        """These connections are gone; the last one of an agent starts the grace."""
        at = self.shop.directory[person]
        for connection in connections:
            del at[connection]
        if not at:
            del self.shop.directory[person]
            if agent := self.shop.agents.get(AccountId(person)):
                self.miss(agent)

    def count_offline(self, agent: AgentRecord, requeue_after_ms: int) -> None:
        """The grace ran out."""
        agent.counted_offline = True
        self.shop.due[f"requeue:{agent.profile.agent}"] = self.now_ms + requeue_after_ms

    def forget_agent(self, agent: AgentRecord) -> None:
        """Without a trace but the conversations that stay theirs."""
        self._forget_deadlines(agent)
        del self.shop.agents[agent.profile.agent]

    # --- inside ----------------------------------------------------------------------------------------------------
    def _owner(self, record: ConversationRecord) -> AgentRecord | None:
        return None if record.owner is None else self.shop.agents.get(record.owner)

    def _forget_wrap_up(self, record: ConversationRecord) -> None:
        record.wrap_up_until_ms = None
        self.shop.due.pop(f"wrap:{record.conversation}", None)

    def _forget_deadlines(self, agent: AgentRecord) -> None:
        self.shop.due.pop(f"grace:{agent.profile.agent}", None)
        self.shop.due.pop(f"requeue:{agent.profile.agent}", None)

    def _decide(
        self,
        record: ConversationRecord,
        change: Change,
        *,
        owner: AccountId | None,
        reason: Reason | None = None,
        place: int | None = None,
        until: int | None = None,
        offline: bool = False,
        by: AccountId | None = None,
        tried: tuple[Tried, ...] = (),
        stay: str | None = None,
    ) -> None:
        previous = record.owner
        record.life = LIFE[record.life, STEP[change]]
        record.rev += 1
        if owner != previous:
            record.epoch += 1
            record.owner, record.previous_owner = owner, previous
        record.reason = reason or record.reason
        self.shop.conversations[record.conversation] = record
        decision = Decision(
            conversation=record.conversation,
            rev=record.rev,
            epoch=record.epoch,
            change=change,
            at_ms=self.now_ms,
            owner=owner,
            previous_owner=previous,
            reason=reason,
            pool=record.pool,
            priority=record.priority,
            arrived_ms=record.arrived_ms,
            place=place,
            wrap_up_until_ms=until,
            offline=offline,
            by=by,
            tried=tried,
            stay=stay,
        )
        self.shop.unconfirmed[record.conversation, record.rev] = decision
        self.decisions.append(decision)
