"""A shop's routing settings (KS-23): validated, frozen, refused whole when contradictory.

Knows no clock, no engine and no database. Durations are seconds (`_s`). The descriptions of the fields are what the
settings page and the documentation show.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from protocol.ids import AccountId, GroupId
from protocol.states import OrderState
from router.model import LivePolicy
from router.policy_faults import (
    CONTRADICTION,
    Contradiction,
    Fault,
    Notice,
    PolicyError,
    contradictions_in,
    field_faults_in,
)

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S

Group = Annotated[GroupId, Field(min_length=1, max_length=64)]
Account = Annotated[AccountId, Field(min_length=1, max_length=64)]
GraceS = Annotated[int, Field(ge=5, le=7 * DAY_S)]


class RoutingMode(StrEnum):
    """The two modes, of which exactly one holds (KS-13)."""

    BASIC = "basic"
    GROUPED = "grouped"


class Distribution(StrEnum):
    """What "evenly" means (KS-02)."""

    EVEN = "even"
    LEAST_LOADED = "least_loaded"


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What of a shop decides whether settings make sense for it."""

    groups: frozenset[GroupId] = frozenset()
    accounts: frozenset[AccountId] = frozenset()
    excluded: frozenset[AccountId] = frozenset()
    """accounts that carry the mark of KS-14"""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BotPolicy(_Settings):
    """The bot that speaks first."""

    enabled: bool = Field(
        default=False, description="The bot answers first and hands over to a human agent (KS-17)."
    )
    account: Account | None = Field(default=None, description="The bot's account. Needed when the bot is on.")
    keep_stickiness: bool = Field(
        default=False,
        description="After the hand-off a returning customer goes to the last agent all the same (KS-17).",
    )


class OfflineAfter(_Settings):
    """How long after the last connection of each kind an agent counts as offline; null: never (KS-18)."""

    web: GraceS | None = Field(
        default=60, description="Seconds after the last browser connection. Null: never."
    )
    desktop: GraceS | None = Field(
        default=60, description="Seconds after the last desktop program's connection. Null: never."
    )
    mobile: GraceS | None = Field(
        default=None,
        description="Seconds after the last mobile connection. Null: never, as closing the app is no sign-out.",
    )
    bot: GraceS | None = Field(default=15, description="Seconds after a bot's last connection. Null: never.")

    def of(self, device: str) -> int | None:
        """The grace of a kind of device; None: never. What is none of ours is like a browser."""
        return {"desktop": self.desktop, "mobile": self.mobile, "bot": self.bot}.get(device, self.web)

    def as_patient(self, device: str) -> tuple[str, ...]:
        """The kinds of device whose grace is at least as long as that of this one; itself is one of them."""
        least = _or_ever(self.of(device))
        kinds = ("web", "desktop", "mobile", "bot")
        return (device, *(kind for kind in kinds if kind != device and _or_ever(self.of(kind)) >= least))


def _or_ever(seconds: int | None) -> float:
    return float("inf") if seconds is None else seconds


class WorkbenchPolicy(_Settings):
    """What agents are reminded of at their workbench. It decides nothing about routing."""

    first_reply_s: int = Field(
        default=3 * MINUTE_S,
        ge=5,
        le=DAY_S,
        description="Within that a customer shall have the first answer.",
    )
    each_reply_s: int = Field(
        default=3 * MINUTE_S,
        ge=5,
        le=DAY_S,
        description="Within that a customer shall have each later answer.",
    )
    slow_reply_s: int = Field(
        default=100, ge=5, le=DAY_S, description="After so long without an answer an agent is warned."
    )
    vip_tags: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        default=("VIP",),
        max_length=20,
        description="Customers with one of these tags are marked as important.",
    )


class Policy(_Settings):
    """A shop's routing settings. Make it by `parse`, which reports every fault at once."""

    mode: RoutingMode = Field(
        default=RoutingMode.BASIC,
        description="`basic`: evenly over all online agents. `grouped`: by the order state's groups. One or the other.",
    )
    distribution: Distribution = Field(
        default=Distribution.EVEN,
        description="`even`: fewest conversations received today. `least_loaded`: lowest load for the capacity. "
        "Ties go to whoever has waited longest.",
    )
    sticky_window_s: int = Field(
        default=72 * HOUR_S,
        ge=MINUTE_S,
        le=30 * DAY_S,
        description="How long a contact makes a customer a returning one.",
    )
    sticky_over_capacity: int | None = Field(
        default=None,
        ge=0,
        le=500,
        description="Grouped mode: how many conversations above capacity a returning customer may add. Null: no limit.",
    )
    returning_customer_priority: bool = Field(
        default=False,
        description="Returning customers go to their last human agent first, in either mode, whatever the capacity and "
        "even when paused, before the bot. Never to an agent who is offline (KS-16).",
    )
    new_customer_priority: bool = Field(
        default=False, description="New customers skip the bot and go to the front of the queue (KS-15)."
    )
    new_customer_bought_within_s: int = Field(
        default=30 * DAY_S,
        ge=HOUR_S,
        le=3650 * DAY_S,
        description="A new customer has bought within this time.",
    )
    new_customer_first_paid_within_s: int = Field(
        default=180 * DAY_S,
        ge=HOUR_S,
        le=3650 * DAY_S,
        description="A new customer's first payment is not older than this.",
    )
    offline_routing: bool = Field(
        default=False,
        description="While nobody is online, conversations go to the accounts of the offline list (KS-10).",
    )
    offline_list: tuple[Account, ...] = Field(
        default=(), max_length=500, description="Who receives while nobody is online and answers later."
    )
    bot: BotPolicy = Field(default_factory=BotPolicy, description="The bot that speaks first.")
    order_state_groups: dict[OrderState, tuple[Group, ...]] = Field(
        default_factory=dict[OrderState, tuple[Group, ...]],
        description="Grouped mode: the groups that serve customers of each order state (KS-05, KS-06).",
    )
    order_lookback_s: int = Field(
        default=30 * DAY_S,
        ge=DAY_S,
        le=366 * DAY_S,
        description="Orders that last changed before this do not count (KS-06).",
    )
    wrap_up_s: int = Field(
        default=20 * MINUTE_S,
        ge=0,
        le=120 * MINUTE_S,
        description="From the agent's ending a conversation to its closing.",
    )
    wrap_up_holds_slot: bool = Field(
        default=True, description="Wrap-up uses capacity until the conversation closes (KS-20)."
    )
    offline_after_s: OfflineAfter = Field(
        default_factory=OfflineAfter,
        description="After how long without any connection an agent counts as offline, by kind of device (KS-18).",
    )
    requeue_after_s: int = Field(
        default=10 * MINUTE_S,
        ge=0,
        le=DAY_S,
        description="How long an agent who is counted offline keeps conversations whose customer waits (KS-18).",
    )
    default_capacity: int = Field(
        default=10,
        ge=1,
        le=500,
        description="Conversations at once, for agents without a capacity of their own (KS-19).",
    )
    timezone: str = Field(
        default="Asia/Shanghai",
        description="IANA time zone of the shop's days: received today, daily limits, reports.",
    )
    recall_within_s: int = Field(
        default=2 * MINUTE_S,
        ge=0,
        le=DAY_S,
        description="How long an agent may take back a message. 0: not at all.",
    )
    workbench: WorkbenchPolicy = Field(
        default_factory=WorkbenchPolicy, description="What agents are reminded of at their workbench."
    )

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Policy":
        """Settings from JSON data. Raises `PolicyError` with all faults: of single fields, and contradictions."""
        try:
            return _from_json(data)
        except ValidationError as error:
            faults = field_faults_in(error)
            found = contradictions_in(error)
        broken = {fault.field.partition(".")[0] for fault in faults}
        if broken:
            # Pydantic looks for contradictions only among sound fields: look again without the broken ones.
            try:
                _from_json({name: value for name, value in data.items() if name not in broken})
            except ValidationError as error:
                found = [one for one in contradictions_in(error) if not one.involved & broken]
        raise PolicyError(faults + [one.fault for one in found])

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (LookupError, ValueError, OSError):
            raise PydanticCustomError("timezone", "Not an IANA time zone, such as Asia/Shanghai.") from None
        return name

    @field_validator("offline_list")
    @classmethod
    def _once_each(cls, accounts: tuple[AccountId, ...]) -> tuple[AccountId, ...]:
        if len(set(accounts)) < len(accounts):
            raise PydanticCustomError("twice", "An account is named twice.")
        return accounts

    @field_validator("order_state_groups")
    @classmethod
    def _bound_once(
        cls, bound: dict[OrderState, tuple[GroupId, ...]]
    ) -> dict[OrderState, tuple[GroupId, ...]]:
        if any(len(set(groups)) < len(groups) for groups in bound.values()):
            raise PydanticCustomError("twice", "A group is bound to the same order state twice.")
        return bound

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if found := _contradictions(self):
            raise PydanticCustomError(CONTRADICTION, "Contradictory settings.", {"found": found})
        return self

    def check(self, facts: ShopFacts) -> None:
        """Raise `PolicyError` when these settings name groups or accounts that the shop does not have."""
        faults = [
            Fault(f"order_state_groups.{state}", f"There is no group {group}; bind an existing one.")
            for state, groups in self.order_state_groups.items()
            for group in groups
            if group not in facts.groups
        ]
        faults += [
            Fault("offline_list", f"There is no account {account}; take it off the list.")
            for account in self.offline_list
            if account not in facts.accounts
        ]
        if self.bot.account is not None and self.bot.account not in facts.accounts:
            faults.append(
                Fault("bot.account", f"There is no account {self.bot.account}; name the bot's account.")
            )
        if faults:
            raise PolicyError(faults)

    def warnings(self, facts: ShopFacts) -> tuple[Notice, ...]:
        """What holds and should be known: unbound order states (KS-06), void offline entries (KS-14), and so on."""
        notices: list[Notice] = []
        if self.mode is RoutingMode.GROUPED and not facts.groups:
            problem = "The shop has no group: basic routing applies until there is one."
            notices.append(Notice("mode", "no_groups", "", problem))
        elif self.mode is RoutingMode.GROUPED:
            notices += [
                Notice(
                    f"order_state_groups.{state}",
                    "unbound_order_state",
                    state,
                    "No group is bound: these customers go to any online agent, and wait in the default pool.",
                )
                for state in OrderState
                if not self.order_state_groups.get(state)
            ]
        notices += [
            Notice("offline_list", "void_when_excluded", account, "Excluded: void while the mark stands.")
            for account in self.offline_list
            if account in facts.excluded
        ]
        if self.bot.account is not None and self.bot.account in facts.excluded:
            problem = "The bot's account is excluded: it receives nothing."
            notices.append(Notice("bot.account", "void_when_excluded", self.bot.account, problem))
        return tuple(notices)

    def groups_apply(self, *, groups_exist: bool) -> bool:
        """Whether grouped routing applies: chosen, and the shop has a group (KS-12)."""
        return self.mode is RoutingMode.GROUPED and groups_exist

    def bound_groups(self, order_state: str, *, groups_exist: bool) -> tuple[GroupId, ...]:
        """The groups bound to an order state; none when it is unbound, unknown, or grouped routing does not apply."""
        bound = {str(state): groups for state, groups in self.order_state_groups.items()}
        return bound.get(order_state, ()) if self.groups_apply(groups_exist=groups_exist) else ()

    def live(self, *, groups_exist: bool) -> LivePolicy:
        """What the engines need to know. No pool is bound in basic mode or without groups (KS-12)."""
        bound = {str(state): self.bound_groups(state, groups_exist=groups_exist) for state in OrderState}
        return LivePolicy(
            distribution=self.distribution.value,
            pools={state: groups for state, groups in bound.items() if groups},
            wrap_up_holds_slot=self.wrap_up_holds_slot,
        )


def _from_json(data: Mapping[str, Any]) -> Policy:
    # Strict in JSON's terms: lists are tuples and words are enums, but "10" is no number and 1 is no bool.
    return Policy.model_validate_json(json.dumps(data), strict=True)


def _contradictions(policy: Policy) -> list[Contradiction]:
    found: list[Contradiction] = []

    def contradiction(field: str, problem: str, *involved: str) -> None:
        found.append(Contradiction(Fault(field, problem), frozenset(involved)))

    if policy.offline_routing and not policy.offline_list:
        problem = "Offline routing is on and nobody is on the list: name an account, or switch it off."
        contradiction("offline_list", problem, "offline_routing", "offline_list")
    if policy.bot.enabled and policy.bot.account is None:
        contradiction(
            "bot.account", "The bot is on and has no account: name it, or switch the bot off.", "bot"
        )
    if policy.bot.account is not None and policy.bot.account in policy.offline_list:
        problem = "The bot cannot answer later in place of people: take it off the list."
        contradiction("offline_list", problem, "bot", "offline_list")
    if policy.returning_customer_priority and policy.sticky_over_capacity is not None:
        problem = "Returning-customer priority goes above any capacity: remove this limit, or switch the priority off."
        contradiction("sticky_over_capacity", problem, "returning_customer_priority", "sticky_over_capacity")
    if policy.new_customer_bought_within_s > policy.new_customer_first_paid_within_s:
        problem = (
            "Longer than the time since the first payment, so that it would never decide: make it shorter."
        )
        windows = ("new_customer_bought_within_s", "new_customer_first_paid_within_s")
        contradiction(windows[0], problem, *windows)
    return found
