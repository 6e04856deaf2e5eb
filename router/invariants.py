"""What must hold of a shop's live state between verbs (I3, I4, I8, I9): for tests, and for operators on live data.

`violations` judges one snapshot; `broken_between` judges what became of one snapshot. An empty list means all is well.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId
from protocol.states import Life
from router.model import AgentState, Change, ConversationState, Decision, LivePolicy, Snapshot

AUTOMATIC = frozenset(
    {
        Reason.LAST_AGENT,
        Reason.RETURNING_PRIORITY,
        Reason.ORDER_STATE_GROUP,
        Reason.RANDOM_ONLINE,
        Reason.ANY_ONLINE,
        Reason.OFFLINE_LIST,
        Reason.FILLED,
        Reason.OVERFLOW,
    }
)
"""Reasons under which nobody chose the agent. The owner's fallback and the bot have terms of their own."""

ABOVE_CAPACITY = frozenset({Reason.LAST_AGENT, Reason.RETURNING_PRIORITY})
"""The automatic reasons that may go above capacity (KS-08, KS-16)."""

AT_WORK = frozenset({Reason.HAS_ROOM, Reason.FULL, Reason.PAUSED, Reason.AUTO_PAUSED})


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant broken: its id in reliability.md, what it is about, and what is wrong."""

    invariant: str
    about: str
    problem: str


def violations(snapshot: Snapshot, policy: LivePolicy, *, more: bool = False) -> list[Violation]:
    """Everything wrong with one snapshot under the live policy. `more`: the last verb announced that room is left to
    fill, so that waiting beside free agents is no fault yet."""
    agents = {state.profile.agent: state for state in snapshot.agents}
    conversations = {state.conversation: state for state in snapshot.conversations}
    found = [
        *_one_owner(snapshot, agents, conversations),
        *_load_is_slots(snapshot, agents, conversations),
        *_one_pool(snapshot, conversations),
    ]
    if not more:
        found += _nobody_waits_beside_room(snapshot, policy)
    return found


def held_wrongly(part: Snapshot) -> list[Violation]:
    """I3, I4 within a part of a shop: some agents with everything in their slots, or some conversations alone."""
    agents = {state.profile.agent: state for state in part.agents}
    conversations = {state.conversation: state for state in part.conversations}
    return [*_one_owner(part, agents, conversations), *_load_is_slots(part, agents, conversations)]


def waits_wrongly(pool: str, first: int, part: Sequence[ConversationState]) -> Iterable[Violation]:
    """I8 within a part of a pool that begins at place `first`: all wait in it, where they say, in queue order."""
    if list(part) != sorted(part, key=lambda state: (state.priority, state.arrived_ms, state.conversation)):
        yield Violation("I8", pool, "not in queue order")
    for place, state in enumerate(part, start=first):
        if (state.life, state.pool, state.place) != (Life.QUEUED, pool, place):
            yield Violation(
                "I8",
                state.conversation,
                f"{state.life} in {state.pool} at {state.place}, is at {place} of {pool}",
            )


def _one_owner(
    snapshot: Snapshot,
    agents: dict[AccountId, AgentState],
    conversations: dict[ConversationId, ConversationState],
) -> Iterable[Violation]:
    """I3: waiting ones have no owner, others exactly one; nobody else holds a slot for them."""
    for state in snapshot.conversations:
        owned = state.owner is not None
        if state.life is Life.CLOSED:
            yield Violation("I3", state.conversation, "closed, and still live")
        elif owned is (state.life is Life.QUEUED):
            yield Violation("I3", state.conversation, f"{state.life} with owner {state.owner}")
    for agent in agents.values():
        for slot in agent.slots:
            state = conversations.get(slot.conversation)
            if state is None:
                yield Violation(
                    "I4", agent.profile.agent, f"slot for unknown conversation {slot.conversation}"
                )
            elif state.owner != agent.profile.agent:
                yield Violation(
                    "I3", slot.conversation, f"slot of {agent.profile.agent}, owner is {state.owner}"
                )


def _load_is_slots(
    snapshot: Snapshot,
    agents: dict[AccountId, AgentState],
    conversations: dict[ConversationId, ConversationState],
) -> Iterable[Violation]:
    """I4: load = held slots; every active conversation holds one, and every slot says truly why it is held."""
    for agent in snapshot.agents:
        name = agent.profile.agent
        held = {slot.conversation: slot for slot in agent.slots}
        if agent.load != len(agent.slots):
            yield Violation("I4", name, f"load {agent.load} with {len(agent.slots)} slots")
        if len(held) != len(agent.slots):
            yield Violation("I4", name, "two slots for one conversation")
        for slot in agent.slots:
            state = conversations.get(slot.conversation)
            expected = "wrap_up" if state and state.life is Life.WRAP_UP else "in_service"
            if state and (slot.why, slot.until_ms) != (expected, state.wrap_up_until_ms):
                yield Violation("I4", name, f"slot {slot.conversation} says {slot.why} until {slot.until_ms}")
    for state in snapshot.conversations:
        owner = agents.get(state.owner) if state.owner is not None else None
        if (
            owner
            and state.life is Life.ACTIVE
            and all(s.conversation != state.conversation for s in owner.slots)
        ):
            yield Violation("I4", state.conversation, f"active with {state.owner} and holds no slot")


def _one_pool(
    snapshot: Snapshot, conversations: dict[ConversationId, ConversationState]
) -> Iterable[Violation]:
    """I8: a waiting conversation is in exactly one pool, the one it says, in queue order; nothing else is in any."""
    times = Counter(conversation for _, queue in snapshot.pools for conversation in queue)
    for state in snapshot.conversations:
        expected = 1 if state.life is Life.QUEUED else 0
        if times[state.conversation] != expected:
            yield Violation(
                "I8", state.conversation, f"{state.life} and in {times[state.conversation]} pools"
            )
    for pool, queue in snapshot.pools:
        known = [conversations[conversation] for conversation in queue if conversation in conversations]
        for unknown in (conversation for conversation in queue if conversation not in conversations):
            yield Violation("I8", unknown, f"waits in {pool} and is not live")
        if not queue:
            yield Violation("I8", pool, "empty pool kept")
        yield from waits_wrongly(pool, 1, known)


def _nobody_waits_beside_room(snapshot: Snapshot, policy: LivePolicy) -> Iterable[Violation]:
    """The promise of engine.py: no conversation waits that an agent at work with room could take (KS-09, KS-19)."""
    for pool, queue in snapshot.pools:
        bound = frozenset(policy.pools.get(pool, ()))
        own = [agent for agent in snapshot.agents if not bound.isdisjoint(agent.profile.groups)]
        bound_at_work = any(agent.availability in AT_WORK for agent in own)
        for agent in own if bound_at_work else snapshot.agents:
            if agent.availability is Reason.HAS_ROOM:
                yield Violation("I8", queue[0], f"waits in {pool} while {agent.profile.agent} has room")


def broken_between(
    before: Snapshot, after: Snapshot, decisions: tuple[Decision, ...], *, by_hand: bool = False
) -> list[Violation]:
    """What went wrong on the way from one snapshot to the next, by one verb that answered with `decisions`.

    `by_hand`: the verb was one by which a person chose (its first decision is exempt from I9).
    """
    return [
        *_histories(before, after, decisions),
        *_automatic(after, decisions[1:] if by_hand else decisions),
    ]


def _histories(before: Snapshot, after: Snapshot, decisions: tuple[Decision, ...]) -> Iterable[Violation]:
    """I3: rev grows by one with each decision, epoch with each change of owner. I8: the first arrival stays."""
    rev = {state.conversation: state.rev for state in before.conversations}
    epoch = {state.conversation: state.epoch for state in before.conversations}
    owner = {state.conversation: state.owner for state in before.conversations}
    arrived = {state.conversation: state.arrived_ms for state in before.conversations}
    for decision in decisions:
        name = decision.conversation
        if decision.rev != rev.get(name, decision.rev - 1) + 1:
            yield Violation("I3", name, f"rev {decision.rev} after {rev[name]}")
        if decision.arrived_ms != arrived.setdefault(name, decision.arrived_ms):
            yield Violation("I8", name, f"first arrival moved to {decision.arrived_ms}")
        if name in epoch:
            rise = int(decision.owner != owner[name])
            if decision.epoch != epoch[name] + rise:
                yield Violation(
                    "I3", name, f"epoch {decision.epoch} after {epoch[name]}, owner {decision.owner}"
                )
        rev[name], epoch[name], owner[name] = decision.rev, decision.epoch, decision.owner
    closed = {decision.conversation for decision in decisions if decision.change is Change.CLOSED}
    live = {state.conversation for state in after.conversations}
    for name in (arrived.keys() - closed) - live:
        yield Violation("I3", name, "gone without being closed")
    for state in after.conversations:
        told = (rev.get(state.conversation), epoch.get(state.conversation), owner.get(state.conversation))
        if told != (state.rev, state.epoch, state.owner):
            yield Violation(
                "I3", state.conversation, f"is {state.rev, state.epoch, state.owner}, told {told}"
            )


def _automatic(after: Snapshot, decisions: tuple[Decision, ...]) -> Iterable[Violation]:
    """I9: nobody excluded or away is given anything automatically; I4: nor beyond capacity, but where a rule says so.
    A verb gives conversations out last, so the agents are still as they were when it chose them."""
    agents = {state.profile.agent: state for state in after.agents}
    for decision in decisions:
        if (
            decision.change is not Change.ASSIGNED
            or decision.reason not in AUTOMATIC
            or decision.owner is None
        ):
            continue
        agent = agents[decision.owner]
        away = decision.reason is not Reason.OFFLINE_LIST and agent.availability not in AT_WORK
        if away or agent.profile.excluded:
            yield Violation(
                "I9", decision.conversation, f"given to {decision.owner}, who is {agent.availability}"
            )
        over = any(slot.over_capacity for slot in agent.slots if slot.conversation == decision.conversation)
        if over and decision.reason not in ABOVE_CAPACITY:
            yield Violation("I4", decision.conversation, f"{decision.reason} gave {decision.owner} too many")
