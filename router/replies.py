"""What the Redis engine's scripts answer, as values; and values as the scripts take them. Pure.

Inside replies "" and 0 stand for None, and an empty list may come as `{}` (Lua has one kind of table).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson

from protocol.codes import Reason
from protocol.ids import AccountId, ConversationId, GroupId
from protocol.states import AgentStatus, Life, PauseMode
from router.keys import words
from router.model import (
    AgentState,
    Change,
    ConversationState,
    Decision,
    Done,
    Due,
    LivePolicy,
    Outcome,
    Plan,
    PoolState,
    Profile,
    Refusal,
    Refused,
    Slot,
    Snapshot,
    Tried,
)

Row = list[Any]
"""A decoded JSON list; what is at which place is written in the script that makes it."""
Rows = list[Row]

# Looking a value up is several times cheaper than calling its enum.
_REASON = {reason.value: reason for reason in Reason}
_MAYBE_REASON: dict[str, Reason | None] = {"": None, **_REASON}
_CHANGE = {change.value: change for change in Change}
_REFUSAL = {refusal.value.encode(): Refused(refusal) for refusal in Refusal}


# --- decisions ---------------------------------------------------------------------------------------------------
@lru_cache(4096)
def _tried(tier: str, outcome: str, agent: str, pool: str, *groups: str) -> Tried:
    # The same few come again and again: sharing them is cheaper than making them.
    return Tried(
        _REASON[tier],
        _REASON[outcome],
        AccountId(agent) if agent else None,
        tuple([GroupId(group) for group in groups]),
        pool or None,
    )


def decision(row: Row) -> Decision:
    """One decision from its decoded JSON."""
    (
        name,
        rev,
        epoch,
        change,
        at,
        owner,
        previous,
        reason,
        pool,
        priority,
        arrived,
        place,
        until,
        offline,
        by,
        tried,
        *stay,
    ) = row
    return Decision(
        name,
        rev,
        epoch,
        _CHANGE[change],
        at,
        owner or None,
        previous or None,
        _MAYBE_REASON[reason],
        pool,
        priority,
        arrived,
        place or None,
        until or None,
        offline == 1,
        by or None,
        walked(tried) if tried else (),
        stay[0] if stay else None,
    )


def walked(rows: Row) -> tuple[Tried, ...]:
    """What was tried, or would be."""
    return tuple([_tried(tier, how, who, where, *named) for tier, how, who, named, where in rows])


def outcome(reply: bytes) -> Outcome:
    """A verb's answer: [more, decision...] or the name of a refusal."""
    if reply[:1] != b"[":
        return _REFUSAL[reply]
    rows = orjson.loads(reply)
    return Done(tuple([decision(row) for row in rows[1:]]), rows[0] == 1)


def due(reply: bytes) -> Due:
    """`expire`'s answer; who is refused finds nothing due."""
    if reply[:1] != b"[":
        return Due()
    more, note, *rows = orjson.loads(reply)
    counted, report = note
    return Due(
        decisions=tuple(decision(row) for row in rows),
        counted_offline=tuple(counted),
        requeue=tuple((entry[0], tuple(sorted(entry[1:]))) for entry in report),
        more=more == 1,
    )


# --- states ------------------------------------------------------------------------------------------------------
def profile(text: str | bytes) -> Profile:
    """A profile as `profile_text` wrote it."""
    facts = orjson.loads(text)
    facts["groups"] = tuple(facts["groups"])
    facts["pause_mode"] = PauseMode(facts["pause_mode"])
    return Profile(**facts)


def _slot(row: Row) -> Slot:
    name, life, since, reason, over, until = row
    wrap_up = life == Life.WRAP_UP
    return Slot(
        name,
        "wrap_up" if wrap_up else "in_service",
        since,
        Reason(reason),
        over == 1,
        until if wrap_up else None,
    )


def agent_state(row: Row) -> AgentState:
    """One agent; slots by age, then id."""
    text, status, connected, counted, load, received, availability, since, slots = row
    return AgentState(
        profile=profile(text),
        status=AgentStatus(status),
        connected=connected == 1,
        counted_offline=counted == 1,
        load=load,
        received_today=received,
        availability=Reason(availability),
        slots=tuple(
            sorted((_slot(slot) for slot in slots), key=lambda slot: (slot.since_ms, slot.conversation))
        ),
        status_since_ms=since,
    )


def conversation_state(row: Row) -> ConversationState:
    """One conversation."""
    name, life, owner, epoch, rev, priority, arrived, pool, place, until, reason, previous = row
    return ConversationState(
        conversation=name,
        life=Life(life),
        owner=owner or None,
        epoch=epoch,
        rev=rev,
        priority=priority,
        arrived_ms=arrived,
        pool=pool,
        place=place or None,
        wrap_up_until_ms=until or None,
        reason=_MAYBE_REASON[reason],
        previous_owner=previous or None,
    )


def agent_states(rows: Rows) -> tuple[AgentState, ...]:
    """Agents by id."""
    return tuple(sorted((agent_state(row) for row in rows), key=lambda state: state.profile.agent))


def availabilities(rows: Rows) -> tuple[tuple[AccountId, Reason], ...]:
    """Agents with their availability, by id."""
    return tuple((agent, Reason(why)) for agent, why in sorted(rows))


def groups(items: list[str]) -> tuple[GroupId, ...]:
    """Group ids."""
    return tuple(GroupId(item) for item in items)


def pool_state(row: Row) -> PoolState:
    """One pool at a glance."""
    pool, length, oldest, bound, open_to_everybody, first = row
    return PoolState(pool, length, oldest, groups(bound), open_to_everybody, tuple(first))


def snapshot(answer: Row) -> Snapshot:
    """A whole shop."""
    people, found, pools, seq, due, unconfirmed, directory = answer
    conversations = [conversation_state(row) for row in found]
    waiting = sorted((pool, tuple(ids)) for pool, *ids in pools)
    return Snapshot(
        agents=agent_states(people),
        conversations=tuple(sorted(conversations, key=lambda state: state.conversation)),
        pools=tuple(waiting),
        extra={
            "seq": seq,
            "due": [[name, int(at)] for name, at in _pairs(due)],
            "unconfirmed": [list(name) for name in sorted(_named(name) for name in unconfirmed)],
            "directory": {person: dict(sorted(_pairs(at))) for person, at in sorted(directory)},
        },
    )


EMPTY_EXTRA: dict[str, Any] = {"seq": 0, "due": [], "unconfirmed": [], "directory": {}}
"""What a snapshot says of a shop that is not live."""


def _pairs(flat: Iterable[str]) -> list[tuple[str, str]]:
    items = list(flat)
    return list(zip(items[::2], items[1::2], strict=True))


def _named(name: str) -> tuple[str, int]:
    conversation, _, rev = name.rpartition(":")
    return conversation, int(rev)


# --- values for scripts ------------------------------------------------------------------------------------------
def plan_text(plan: Plan) -> bytes:
    """A plan as `claim` takes it. Raises ValueError for one that does not end in a named pool."""
    request = plan.request
    pool = plan.tiers[-1].pool
    if pool is None:
        raise ValueError("a plan ends with a POOL tier that names its pool")
    tiers = [
        (
            tier.kind,
            tier.reason,
            tier.agent or "",
            tier.groups,
            -1 if tier.over_capacity is None else tier.over_capacity,
            tier.even_paused,
            tier.hold,
            tier.only_if_offline or "",
            tier.pool or "",
        )
        for tier in plan.tiers
    ]
    return orjson.dumps((request.arrived_ms, plan.priority, request.epoch, request.rev, pool, *tiers))


def policy_letters(policy: LivePolicy) -> str:
    """Distribution and whether wrap-up holds the slot."""
    return ("l" if policy.distribution == "least_loaded" else "e") + (
        "1" if policy.wrap_up_holds_slot else "0"
    )


def pools_text(policy: LivePolicy) -> bytes:
    """The bound pools."""
    return orjson.dumps([part for pool, groups in policy.pools.items() for part in (pool, words(groups))])


def profile_text(profile: Profile) -> str:
    """A profile as scripts keep it."""
    return orjson.dumps(profile).decode()


def conversation_row(state: ConversationState, default_pool: str) -> Row:
    """A conversation as `rebuild_add` takes it."""
    until = -1 if state.wrap_up_until_ms is None else state.wrap_up_until_ms
    return [
        state.conversation,
        state.life,
        state.owner or "",
        state.epoch,
        state.rev,
        state.priority,
        state.arrived_ms,
        state.pool or default_pool,
        0,
        until,
        state.reason or "",
        state.previous_owner or "",
    ]


def decision_name(conversation: ConversationId, rev: int) -> str:
    """How a decision is named among the unconfirmed."""
    return f"{conversation}:{rev:010}"
