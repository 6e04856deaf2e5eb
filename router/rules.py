"""The shunting order: from one request and the shop's settings to ordered tiers. Pure; no clock, no live state.

The order, of which a plan has the parts that apply (KS-01 to KS-17):

    RETURNING_PRIORITY   the switch is on and there was contact: that agent, whatever the capacity, even paused
    BOT                  the bot speaks first, unless it had its turn or a new customer skips it
    LAST_AGENT           stickiness: basic mode only with room, grouped mode above capacity
    RANDOM_ONLINE        basic mode: a random other agent when the last one is not online
    ORDER_STATE_GROUP    grouped mode: the bound groups, which hold the customer while anybody of them is at work
    ANY_ONLINE           everybody
    OWNER_FALLBACK       while the shop has no agent
    OFFLINE_LIST         offline routing, while nobody is at work
    QUEUE_POOL           wait
"""

from protocol.codes import Reason
from protocol.ids import AccountId, GroupId
from protocol.states import DEFAULT_POOL
from router.model import EVERYBODY, NORMAL, PRIORITY, Plan, Request, Tier, TierKind
from router.policy import Policy


def plan(request: Request, policy: Policy, *, now_ms: int, groups_exist: bool) -> Plan:
    """The tiers for `request` at `now_ms`. `groups_exist`: the shop has at least one group (KS-12)."""
    grouped = policy.groups_apply(groups_exist=groups_exist)
    bound = policy.bound_groups(request.order_state, groups_exist=groups_exist)
    first_in_line = policy.new_customer_priority and request.new_customer_priority
    last_agent = _last_agent(request, policy, now_ms)
    tiers = (
        *_returning_priority(policy, last_agent),
        *_bot(request, policy, skipped=first_in_line),
        *_stickiness(request, policy, last_agent, grouped=grouped),
        *_bound_groups(bound),
        Tier(TierKind.GROUPS, Reason.ANY_ONLINE, groups=(GroupId(EVERYBODY),)),
        Tier(TierKind.OWNER, Reason.OWNER_FALLBACK),
        *_offline_list(policy),
        Tier(TierKind.POOL, Reason.QUEUE_POOL, pool=request.order_state if bound else DEFAULT_POOL),
    )
    return Plan(request, tiers, PRIORITY if first_in_line else NORMAL)


def _last_agent(request: Request, policy: Policy, now_ms: int) -> AccountId | None:
    contact = request.last_contact
    if contact is None or now_ms - contact.at_ms > policy.sticky_window_s * 1000:
        return None
    return contact.agent


def _returning_priority(policy: Policy, last_agent: AccountId | None) -> list[Tier]:
    """KS-16: either mode, any capacity, even paused, before the bot."""
    if last_agent is None or not policy.returning_customer_priority:
        return []
    return [
        Tier(
            TierKind.AGENT,
            Reason.RETURNING_PRIORITY,
            agent=last_agent,
            over_capacity=None,
            even_paused=True,
        )
    ]


def _bot(request: Request, policy: Policy, *, skipped: bool) -> list[Tier]:
    """The bot takes any number; new customers with priority skip it (KS-15)."""
    if skipped or request.via_bot or request.bot is None or not policy.bot.enabled:
        return []
    return [Tier(TierKind.AGENT, Reason.BOT, agent=request.bot, over_capacity=None)]


def _stickiness(
    request: Request, policy: Policy, last_agent: AccountId | None, *, grouped: bool
) -> list[Tier]:
    """KS-01 in basic mode, KS-08 in grouped mode; void with the bot on (KS-17)."""
    by_bot = policy.bot.enabled or request.via_bot
    if last_agent is None or (by_bot and not policy.bot.keep_stickiness):
        return []
    tiers: list[Tier] = []
    # With KS-16's switch the same agent was tried already, on wider terms.
    if not policy.returning_customer_priority:
        over = policy.sticky_over_capacity if grouped else 0
        tiers.append(Tier(TierKind.AGENT, Reason.LAST_AGENT, agent=last_agent, over_capacity=over))
    if not grouped:
        tiers.append(Tier(TierKind.RANDOM, Reason.RANDOM_ONLINE, only_if_offline=last_agent))
    return tiers


def _bound_groups(bound: tuple[GroupId, ...]) -> list[Tier]:
    """KS-05, KS-09: they hold the customer while anybody of them is at work."""
    return [Tier(TierKind.GROUPS, Reason.ORDER_STATE_GROUP, groups=bound, hold=True)] if bound else []


def _offline_list(policy: Policy) -> list[Tier]:
    """KS-10, KS-13: set on its own, works with either mode."""
    return [Tier(TierKind.OFFLINE_LIST, Reason.OFFLINE_LIST)] if policy.offline_routing else []
