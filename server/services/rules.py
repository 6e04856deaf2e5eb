"""A shop's rules: written, ordered, tried out; and compiled for those who look (CO-07).

What the hot path needs is remembered for at most a second, as everything about a shop is (`Shops`): a change made on
this node holds here at once, one made on another within `KEEP_S`.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state, not_found
from protocol.ids import ConversationId, ShopId
from protocol.states import Role
from server.automation.evaluate import NEVER, Finding, Fired, judge, may_fire, next_look
from server.automation.facts import Facts, Happening, Subject
from server.automation.rule import Rule
from server.automation.validation import MOST_RULES, Known, RuleError, parse
from server.services.callers import Caller, CallerEyes
from server.services.rule_subjects import RuleSubjects
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.store.accounts import Accounts
from server.store.groups import Groups
from server.store.rows import Page
from server.store.rule_facts import RuleFacts
from server.store.rules import FiringRow, RuleRow
from server.store.rules import Rules as Store

log = structlog.get_logger("rules")

KEEP_S = 1.0
SETTLED_MS = 1500
"""How long after a change of rules open conversations are looked at: then no node goes by older ones."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to be judged."""

    row: RuleRow
    rule: Rule


@dataclass(frozen=True, slots=True)
class Compiled:
    """The rules of a shop that are switched on, in their order; what they listen to and what they ask for."""

    rules: tuple[CompiledRule, ...]
    heard: frozenset[Happening]
    asks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule would do: whether it holds and why; `may_fire`: switched on, within its time, and not done already;
    `next_look_ms`: when time alone would make it fire."""

    rule: Rule
    rule_id: str
    holds: bool
    may_fire: bool
    findings: tuple[Finding, ...]
    next_look_ms: int | None


class Rules:
    """Rules about conversations; the subject is a field of each."""

    def __init__(
        self,
        store: Store,
        facts: RuleFacts,
        subjects: RuleSubjects,
        shops: Shops,
        accounts: Accounts,
        groups: Groups,
        seeing: Seeing,
    ) -> None:
        self._store = store
        self._facts = facts
        self._subjects = subjects
        self._shops = shops
        self._accounts = accounts
        self._groups = groups
        self._seeing = seeing
        self._kept: dict[ShopId, tuple[float, Compiled]] = {}

    # --- for those who look ------------------------------------------------------------------------------------------
    def kept(self, shop: ShopId) -> Compiled | None:
        """What is remembered; None when that is too old to go by."""
        kept = self._kept.get(shop)
        return None if kept is None or kept[0] <= time.monotonic() else kept[1]

    async def compiled(self, shop: ShopId) -> Compiled:
        """The rules that are switched on, not older than `KEEP_S`."""
        kept = self.kept(shop)
        if kept is None:
            read_at = time.monotonic()
            kept = compiled(await self._store.of_shop(shop, Subject.CONVERSATION))
            self._kept[shop] = (read_at + KEEP_S, kept)
        return kept

    # --- for those who write them ------------------------------------------------------------------------------------
    async def list(self, caller: Caller) -> tuple[RuleRow, ...]:
        """All rules, in their order."""
        return await self._store.of_shop(caller.shop_id, Subject.CONVERSATION)

    async def get(self, caller: Caller, rule_id: str) -> RuleRow:
        """One rule. NOT_FOUND."""
        return await self._store.get(caller.shop_id, rule_id)

    async def create(self, caller: Caller, data: Mapping[str, Any]) -> RuleRow:
        """A new rule, the last in order. INVALID_PARAMS `invalid_rule` with every fault; CONFLICT `too_many_rules`."""
        rule = await self._accepted(caller.shop_id, data)
        row = await self._store.add(caller.shop_id, content_of(rule), most=MOST_RULES)
        await self.changed(caller.shop_id)
        return row

    async def change(self, caller: Caller, rule_id: str, data: Mapping[str, Any], *, rev: int) -> RuleRow:
        """Replace the members given. NOT_FOUND; INVALID_PARAMS `invalid_rule` with every fault; CONFLICT `stale_rev`.
        What it fired already stays so: it does not fire again for the same conversation."""
        row = await self._store.get(caller.shop_id, rule_id)
        rule = await self._accepted(caller.shop_id, {**row.content(), **data})
        changed = await self._store.change(caller.shop_id, rule_id, content_of(rule), expected_rev=rev)
        await self.changed(caller.shop_id)
        return changed

    async def delete(self, caller: Caller, rule_id: str) -> None:
        """Forget a rule; what it fired stays on record. NOT_FOUND."""
        await self._store.delete(caller.shop_id, rule_id)
        self._kept.pop(caller.shop_id, None)

    async def reorder(self, caller: Caller, rule_ids: tuple[str, ...]) -> tuple[RuleRow, ...]:
        """All rules in this order. CONFLICT `other_rules`."""
        rows = await self._store.reorder(caller.shop_id, Subject.CONVERSATION, rule_ids)
        self._kept.pop(caller.shop_id, None)
        return rows

    async def changed(self, shop: ShopId) -> None:
        """Rules were changed, durably: conversations that are open now are looked at by the rules as they are now."""
        self._kept.pop(shop, None)
        await self._facts.look_at_all(shop, after_ms=SETTLED_MS)

    async def firings(
        self, caller: Caller, rule_id: str, *, limit: int, cursor: str | None
    ) -> Page[FiringRow]:
        """What a rule fired, the latest first; also of one that was deleted. NOT_FOUND: never heard of."""
        page = await self._store.firings(caller.shop_id, rule_id, limit=limit, cursor=cursor)
        if not page.rows:
            await self._store.get(caller.shop_id, rule_id)
        return page

    # --- trying out --------------------------------------------------------------------------------------------------
    async def try_on_conversation(
        self,
        caller: Caller,
        conversation: ConversationId,
        data: Mapping[str, Any] | None,
        rule_id: str | None,
    ) -> tuple[Facts, tuple[Tried, ...]]:
        """What would happen to a conversation now by a rule that is described, by one that there is, or by all. Nothing
        does. NOT_FOUND, also for one that the caller may not see; INVALID_PARAMS `invalid_rule`."""
        await self._seeing.conversation(CallerEyes(caller), conversation)
        rules = await self._chosen(caller, data, rule_id)
        asks = frozenset(kind for _, rule in rules for kind in rule.asks_for())
        looked = await self._subjects.look(caller.shop_id, conversation, asks)
        if looked is None:
            raise not_found("conversation")
        return looked.facts, tuple(
            _tried(name, rule, looked.facts, looked.fired(name)) for name, rule in rules
        )

    async def try_on_facts(
        self, caller: Caller, facts: Facts, data: Mapping[str, Any] | None, rule_id: str | None
    ) -> tuple[Tried, ...]:
        """The same for a conversation that is described."""
        rules = await self._chosen(caller, data, rule_id)
        return tuple(_tried(name, rule, facts, NEVER) for name, rule in rules)

    async def zone(self, caller: Caller) -> str:
        """The shop's time zone."""
        return (await self._shops.get(caller.shop_id)).policy.timezone

    # --- shared ------------------------------------------------------------------------------------------------------
    async def _chosen(
        self, caller: Caller, data: Mapping[str, Any] | None, rule_id: str | None
    ) -> Sequence[tuple[str, Rule]]:
        if data is not None:
            return [("", await self._accepted(caller.shop_id, data))]
        if rule_id is None:
            return [(each.row.id, each.rule) for each in understood(await self.list(caller))]
        row = await self._store.get(caller.shop_id, rule_id)
        for each in understood([row]):
            return [(each.row.id, each.rule)]
        raise invalid_state(
            "unknown_rule", "This rule is of another version of the server; nothing can be said of it."
        )

    async def _accepted(self, shop: ShopId, data: Mapping[str, Any]) -> Rule:
        accounts = await self._accounts.of_shop(shop)
        known = Known(
            groups=frozenset(group.id for group in await self._groups.of_shop(shop)),
            people=frozenset(
                account.id
                for account in accounts
                if account.disabled_ms is None and Role.BOT not in account.roles
            ),
        )
        try:
            return parse(data, known)
        except RuleError as error:
            raise RequestError(
                ErrorCode.INVALID_PARAMS,
                "invalid_rule",
                "This rule cannot hold; see errors. Nothing was changed.",
                detail=[{**fault, "field": f"rule.{fault['field']}"} for fault in error.detail()],
            ) from None


def understood(rows: Iterable[RuleRow]) -> tuple[CompiledRule, ...]:
    """Stored rules, ready to be judged. They were accepted when they were written; what another version of the server
    wrote that this one does not know is left to nodes of that version (fault 32)."""
    found: list[CompiledRule] = []
    for row in rows:
        try:
            found.append(CompiledRule(row, Rule.model_validate(row.content())))
        except ValidationError as error:
            log.warning("rule_not_understood", shop=row.shop_id, rule=row.id, faults=error.error_count())
    return tuple(found)


def content_of(rule: Rule) -> dict[str, Any]:
    """As it is stored."""
    return rule.model_dump(mode="json")


def compiled(rows: Iterable[RuleRow]) -> Compiled:
    """What is switched on, ready to be judged."""
    rules = understood(row for row in rows if row.enabled)
    heard: frozenset[Happening] = frozenset()
    asks: frozenset[str] = frozenset()
    for each in rules:
        heard |= each.rule.listens_to()
        asks |= each.rule.asks_for()
    return Compiled(rules, heard, asks)


def _tried(rule_id: str, rule: Rule, facts: Facts, fired: Fired) -> Tried:
    judgement = judge(rule, facts)
    fires = judgement.holds and may_fire(rule, facts, fired)
    next_ms = None if fires else next_look(rule, facts, fired)
    return Tried(rule, rule_id, judgement.holds, may_fire(rule, facts, fired), judgement.findings, next_ms)
