"""What colleagues see of working together: invitations, mentions, divided work, alarms, choosers, and the wall."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from protocol.shapes import (
    AgentCard,
    Conversation,
    CustomerCard,
    Id,
    Participant,
    Party,
    PoolCard,
    Rev,
    Shape,
    Timestamp,
    Work,
)


class Invitation(Shape):
    """Somebody is asked into a conversation (CO-01). The invited may see it; joining makes a participant."""

    conversation_id: Id
    by: Party
    group_id: Id | None = None
    """asked as a member of this group; the first who joins answers for all of it"""
    reason: str = ""
    at: Timestamp
    expires_at: Timestamp
    customer: CustomerCard


class Mention(Shape):
    """A note names somebody (CO-05). It stays until it was read."""

    conversation_id: Id
    message_id: Id
    seq: int
    by: Party
    text: str
    at: Timestamp
    read_at: Timestamp | None = None


class Item(Shape):
    """A piece of the work in a collaboration (CO-08): absolute, the highest `rev` wins."""

    item_id: Id
    conversation_id: Id
    rev: Rev
    text: Annotated[str, StringConstraints(max_length=500)]
    owner: Party | None = None
    done: bool = False
    due_at: Timestamp | None = None
    by: Party
    created_at: Timestamp
    done_at: Timestamp | None = None
    removed: bool = False


class Alarm(Shape):
    """Something stalls (CO-09): absolute, the highest `rev` wins."""

    alarm_id: Id
    rev: Rev
    kind: Literal["collaboration_stalled", "customer_waits", "item_overdue"]
    conversation_id: Id
    item_id: Id | None = None
    since: Timestamp
    """what stalls has stalled since then"""
    raised_at: Timestamp
    acknowledged_by: Party | None = None
    cleared_at: Timestamp | None = None


class Collaboration(Shape):
    """A conversation in which several work, as managers see it (CO-09)."""

    conversation: Conversation
    began_at: Timestamp
    last_activity_at: Timestamp
    alarms: list[Alarm] = []


class Target(Shape):
    """Somebody whom a chooser may offer, or not, and why not (GP-04)."""

    agent: AgentCard
    permitted: bool
    why_not: str | None = None
    """`out_of_scope`, `excluded`, `bot`, `oneself`, `owner_already`, `participant_already`"""


class GroupTarget(Shape):
    """A group whom a chooser may offer, or not, and why not (GP-04)."""

    group_id: Id
    name: str
    online: int
    """members on duty who are online or paused"""
    with_room: int
    permitted: bool
    why_not: str | None = None
    """`out_of_scope`, `nobody_online`, `all_paused`, `only_oneself` (the reader alone could receive it, who has it),
    `owner_already` (its owner alone could)"""


class WaitingCard(Shape):
    """A conversation that waits for an agent, or whose customer waits for an answer, on the wall."""

    conversation_id: Id
    customer_name: str
    state: str
    pool: str | None = None
    owner: Party | None = None
    order_state: str
    since: Timestamp


class Bounds(Shape):
    """From which value on a figure deserves a look, and from which on an act."""

    warn: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
    bad: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class WallThresholds(Shape):
    """When a figure on the wall deserves a look or an act; null: never. Of shares, percent."""

    queued: Bounds | None = None
    """how many wait for an agent"""
    waiting_s: Bounds | None = Bounds(warn=120, bad=600)
    """how long the first of them has waited"""
    unanswered_s: Bounds | None = Bounds(warn=100, bad=180)
    """how long a customer in service has waited for an answer"""
    load_percent: Bounds | None = Bounds(warn=80, bad=100)
    reply_percent: Bounds | None = Bounds(warn=90, bad=70)
    """replies within three minutes; the less the worse"""
    first_reply_s: Bounds | None = Bounds(warn=60, bad=180)
    """median of the first replies today"""
    rating: Bounds | None = Bounds(warn=4.5, bad=4)
    """mean rating today; the less the worse"""
    abandoned_percent: Bounds | None = Bounds(warn=5, bad=10)
    """of those opened today, who gave up in the queue"""
    silent_s: Annotated[int, Field(ge=10, le=86_400)] = 180
    """an agent online is silent when a customer of theirs waits that long, and they wrote to nobody meanwhile"""


class WallFigures(Shape):
    """Today by the shop's clock, as far as the right to see reports reaches. Null: there was none."""

    since: Timestamp
    opened: int
    abandoned: int
    replies: int
    within_3_min: float | None
    """of all replies today and of conversations never answered: the share of replies within three minutes"""
    replies_now: int
    within_3_min_now: float | None
    """the same over the last `now_minutes`"""
    now_minutes: int
    first_replies: int
    first_reply_median_ms: int | None
    first_reply_p95_ms: int | None
    ratings: int
    rating_mean: float | None


class AgentWork(Shape):
    """What an agent has in hand now. Who has nothing is not in the list."""

    account_id: Id
    in_service: int
    unanswered: int
    """of them: whose customer waits for an answer"""
    unanswered_since: Timestamp | None
    """since when the first of these has waited"""
    wrote_at: Timestamp | None
    """when they last wrote to a customer whom they still have"""


class Wall(Shape):
    """What a supervisor's wall shows (PF-01, CO-09): absolute, the latest wins; only what is within their reach."""

    agents: list[AgentCard]
    pools: list[PoolCard]
    waiting: list[WaitingCard]
    """those who have waited longest for an agent, oldest first; at most `waiting_most`"""
    unanswered: list[WaitingCard]
    """in service, customer waits longest for an answer; at most `waiting_most`"""
    waiting_most: int
    queued: int
    in_service: int
    wrap_up: int
    collaborations: list["CollaborationLine"]
    alarms: list[Alarm]
    at: Timestamp
    work: list[AgentWork] = []
    thresholds: WallThresholds = WallThresholds()
    figures: WallFigures | None = None
    """null: for who may see no reports, and until they are counted"""


class CollaborationLine(Shape):
    """One running collaboration on the wall."""

    conversation_id: Id
    customer_name: str
    owner: Party | None
    participants: list[Participant]
    work: Work | None = None
    began_at: Timestamp
    last_activity_at: Timestamp


Wall.model_rebuild()


class ServedGroup(Shape):
    """A group of the shop, and the order states whose customers it serves (none in basic mode)."""

    group_id: Id
    name: str
    order_states: list[str]


class Workbench(Shape):
    """What the agents' workbench goes by, from the shop's settings."""

    recall_within_s: int
    """how long an own message may be taken back"""
    slow_reply_s: int
    """after so long without an answer an agent is warned"""
    first_reply_s: int
    """within that the customer shall have the first answer"""
    each_reply_s: int
    """and each later one"""
    vip_tags: list[str]
    """a customer with one of these tags is an important one"""
    groups: list[ServedGroup]
