"""Every change of live routing state, as one verb each.

Guarantees of every verb, on every engine:
- it happens entirely or not at all, in one step that no other verb can interleave;
- repeated with the same `op_id` within 60 s it changes nothing and answers with the first outcome;
- every change of a conversation is in the shop's unconfirmed decisions before the verb answers;
- when it frees room, or opens a pool, waiting conversations are given out in the same step, in queue order, up to
  `FILL_LIMIT`; what is left is announced by `more`.

So between verbs (and when `more` is False) no conversation waits that an agent at work with room could take.
`now_ms` None means the engine's own clock (Redis time); tests and simulation pass it.
"""

from collections.abc import Sequence
from typing import Protocol

from protocol.ids import AccountId, ConnectionId, ConversationId, PersonId
from protocol.states import AgentStatus, Life
from router.model import (
    AgentState,
    ConversationState,
    Decision,
    Due,
    LivePolicy,
    Outcome,
    Place,
    Plan,
    PoolState,
    Profile,
    Remembered,
    Snapshot,
    Tried,
    Waiting,
)

FILL_LIMIT = 64
"""Most waiting conversations given out by one verb: bounds the time for which one script holds Redis."""


class Engine(Protocol):
    """Live routing state of ONE shop."""

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
        """Walk the plan's tiers and take the first fit, or wait in the plan's pool.

        `day`: the shop's calendar day as an ordinal, for "received today"; `rand`: 0 <= rand < 2**31, picks the agent
        of a RANDOM tier. `takes_from`: route anew a conversation that this owner has in service (the bot hands over,
        KS-17; its agent has been away for too long, KS-18): the owner's slot is freed in the same step and the tiers
        are walked as for a new one (epoch + 1). Refused: ALREADY_ROUTED when the conversation is live and
        `takes_from` is None; NOT_OWNER when `takes_from` is given and is not the owner of an ACTIVE conversation.
        A live record's epoch and rev start from the request's and only grow.
        """
        ...

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
        """Give a live conversation (waiting, active or in wrap-up) to an agent by hand, whatever their capacity,
        status or exclusion (KS-07, KS-14). Also transfer: the former owner's slot is freed and refilled. `by` None:
        one of the shop's rules did it. `expected_load`: of the agent, by which they were chosen.
        `stay`: for who settles the decision, which carries it.

        Refused: UNKNOWN_CONVERSATION, UNKNOWN_AGENT, SAME_OWNER, STALE_EPOCH, LOAD_CHANGED.
        """
        ...

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
        """Take one waiting conversation, or the first of a pool (of all pools when neither is named), over capacity
        if need be (KS-14, KS-21). Exactly one of several pullers wins. Refused: NOT_WAITING, POOL_EMPTY,
        UNKNOWN_AGENT."""
        ...

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
        """Put an active conversation back into its pool (or another) at its first arrival time, free its slot, and
        fill. It may be given out again in the same step. Refused: UNKNOWN_CONVERSATION, NOT_ACTIVE, STALE_EPOCH."""
        ...

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
        """Begin wrap-up (KS-20); the slot is held until it is over when the policy says so, else freed at once.
        `wrap_up_ms` 0 closes at once. Refused: UNKNOWN_CONVERSATION, NOT_ACTIVE, STALE_EPOCH."""
        ...

    async def reopen(
        self,
        conversation: ConversationId,
        *,
        op_id: str,
        day: int,
        by: AccountId | None = None,
        now_ms: int | None = None,
    ) -> Outcome:
        """Back to the same agent from wrap-up, whatever their capacity (KS-20). Refused: UNKNOWN_CONVERSATION,
        NOT_IN_WRAP_UP."""
        ...

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
        """Close from any live state: wrap-up is over, the customer left the queue, or by force. Frees the slot, fills,
        forgets the live record. `expected`: only from this state, so that what became of it since the caller looked
        is not undone. Refused: UNKNOWN_CONVERSATION; NOT_WAITING, NOT_ACTIVE or NOT_IN_WRAP_UP when it is not in the
        expected state."""
        ...

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
        """Put a waiting conversation into another priority class of its pool (PRIORITY: before everybody of NORMAL, in
        the order of arrival among its like; NORMAL: back), at its first arrival time (KS-15, CO-07). In that class
        already: nothing changes, and nothing is decided. Refused: UNKNOWN_CONVERSATION, NOT_WAITING."""
        ...

    async def fill(self, *, op_id: str, day: int, now_ms: int | None = None) -> Outcome:
        """Give waiting conversations to agents with room, in queue order, up to FILL_LIMIT."""
        ...

    # --- agents --------------------------------------------------------------------------------------------------
    async def set_status(
        self, agent: AccountId, status: AgentStatus, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """What the agent chose (KS-18). Coming to work, and the last one of a group leaving (overflow), fill.
        Ends "counted offline" when the status is not OFFLINE. Refused: UNKNOWN_AGENT."""
        ...

    async def set_profile(
        self, profile: Profile, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """Create or change an agent's profile; a new agent is OFFLINE with load 0. Fills where room appears."""
        ...

    async def remove_agent(
        self, agent: AccountId, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """Forget an agent; conversations they hold stay theirs until given on. Refused: UNKNOWN_AGENT."""
        ...

    async def set_policy(
        self, policy: LivePolicy, *, op_id: str, day: int, now_ms: int | None = None
    ) -> Outcome:
        """Exchange the live policy (KS-23: without restart). Re-scores agents when the distribution changes; fills."""
        ...

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
        """A connection of an agent or customer appeared on node incarnation `node`. `offline_after_ms`: how long after
        the last connection is gone an agent counts as offline; None: never. The longest of those seen since the agent
        last came to work applies (KS-18: mobile never). Ends "counted offline" of an agent, and fills."""
        ...

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
        """It is gone. Starts the grace when it was an agent's last. Unknown connections change nothing."""
        ...

    # --- deadlines and repair ------------------------------------------------------------------------------------
    async def expire(
        self, *, op_id: str, day: int, requeue_after_ms: int, limit: int = 100, now_ms: int | None = None
    ) -> Due:
        """Handle what is due: wrap-ups close; graces run out (counted offline; pools may open); then,
        `requeue_after_ms` after, those agents' conversations are reported once. Never early; each once,
        whichever node asks."""
        ...

    async def reap(self, node: str, *, op_id: str, day: int, now_ms: int | None = None) -> Outcome:
        """Declare node incarnation `node` dead: its connections are gone (graces start), and its later verbs are
        refused as FENCED. Idempotent."""
        ...

    async def confirm(self, decisions: list[tuple[ConversationId, int]]) -> None:
        """These (conversation, rev) are durable and on their way: forget them."""
        ...

    async def unconfirmed(
        self, older_than_ms: int, *, limit: int = 100, now_ms: int | None = None
    ) -> tuple[Decision, ...]:
        """Decisions at least `older_than_ms` old that nobody confirmed, oldest first."""
        ...

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
        """Make the shop's live state from durable facts, replacing what is there. Connections are added afterwards by
        `connect`; agents at work without one get their grace from now, `offline_after_ms` when `remembered` knows none
        (None: never); who was counted offline is so still, until they connect. `remembered`: what of the day is known,
        nothing if not given. In parts when large, and invisible until
        complete: every other verb is refused as NOT_LIVE meanwhile. Then fills."""
        ...

    # --- questions -----------------------------------------------------------------------------------------------
    async def is_live(self) -> bool:
        """Whether live state is there, complete."""
        ...

    async def agent(self, agent: AccountId) -> AgentState | None:
        """One agent with the slot ledger (KS-22)."""
        ...

    async def agents(self) -> tuple[AgentState, ...]:
        """All agents, without their slots."""
        ...

    async def conversation(self, conversation: ConversationId) -> ConversationState | None:
        """One live conversation."""
        ...

    async def pools(self) -> tuple[PoolState, ...]:
        """Every non-empty pool."""
        ...

    async def waiting(self, pool: str, *, first: int = 1, limit: int = 100) -> tuple[ConversationState, ...]:
        """Some of a pool from the `first` place on, in queue order, with their places; what is in it and not live
        (which never happens) is said to be closed."""
        ...

    async def holdings(
        self, agents: Sequence[AccountId], conversations: Sequence[ConversationId] = ()
    ) -> Snapshot:
        """These agents with their slots, the conversations in them, and these conversations, as they are at one moment;
        no pools. What is not live is left out."""
        ...

    async def place(self, conversation: ConversationId) -> Place | None:
        """Where it waits, in O(log n); None when it does not."""
        ...

    async def explain(self, conversation: ConversationId) -> Waiting | None:
        """Why it waits; None when it does not."""
        ...

    async def preview(self, plan: Plan, *, day: int, rand: int) -> tuple[Tried, ...]:
        """What a `claim` of this plan would try if it came now, in order: the last is the tier that takes the
        conversation, or the pool in which it would wait. Nothing is claimed. Empty while the shop is not live."""
        ...

    async def snapshot(self) -> Snapshot:
        """Everything (tests, invariants)."""
        ...
