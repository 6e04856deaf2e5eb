"""A shop's routing settings: validated whole, changed from a known revision, kept with their history (KS-23)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ShopId
from router.policy import Notice, Policy, PolicyError, ShopFacts
from server.services.accounts import LiveProfiles
from server.services.callers import Caller
from server.store.accounts import Accounts as AccountStore
from server.store.groups import Groups as GroupStore
from server.store.policies import Policies as PolicyStore


@dataclass(frozen=True, slots=True)
class Current:
    """The settings that hold, and what should be known about them."""

    rev: int
    policy: Policy
    warnings: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `diff`: (dotted field, before, after) of every setting that differs."""

    rev: int
    at_ms: int
    by: str
    note: str
    before: dict[str, Any]
    after: dict[str, Any]
    diff: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of changes, newest first."""

    changes: tuple[Change, ...]
    cursor: str | None


class Policies:
    """Reads and changes routing settings. `live` is told after the change is durable."""

    def __init__(
        self, policies: PolicyStore, accounts: AccountStore, groups: GroupStore, live: LiveProfiles
    ) -> None:
        self._policies = policies
        self._accounts = accounts
        self._groups = groups
        self._live = live

    async def current(self, shop: ShopId) -> Current:
        """The settings that hold."""
        row = await self._policies.get(shop)
        policy = Policy.parse(row.policy)
        return Current(row.rev, policy, policy.warnings(await self.facts(shop)))

    async def facts(self, shop: ShopId) -> ShopFacts:
        """What of the shop decides whether settings make sense for it."""
        accounts = await self._accounts.of_shop(shop)
        groups = await self._groups.of_shop(shop)
        return ShopFacts(
            groups=frozenset(group.id for group in groups),
            accounts=frozenset(account.id for account in accounts),
            excluded=frozenset(account.id for account in accounts if account.excluded),
        )

    def accept(self, data: Mapping[str, Any], facts: ShopFacts) -> Policy:
        """Valid settings for this shop, or INVALID_PARAMS `invalid_settings` with every fault."""
        try:
            policy = Policy.parse(data)
            policy.check(facts)
        except PolicyError as error:
            detail = [{**fault, "field": f"policy.{fault['field']}"} for fault in error.detail()]
            raise RequestError(
                ErrorCode.INVALID_PARAMS,
                "invalid_settings",
                "These settings cannot hold; see errors. Nothing was changed.",
                detail=detail,
            ) from None
        return policy

    async def update(self, caller: Caller, data: Mapping[str, Any], *, rev: int, note: str) -> Current:
        """Replace the settings. Refused whole: INVALID_PARAMS with every fault; CONFLICT `stale_rev` when `rev` is not
        the revision that holds. Settings equal to those that hold change nothing."""
        facts = await self.facts(caller.shop_id)
        policy = self.accept(data, facts)
        row = await self._policies.update(
            caller.shop_id,
            expected_rev=rev,
            policy=policy.model_dump(mode="json"),
            by=caller.account_id,
            note=note,
        )
        await self._live.policy_changed(caller.shop_id)
        return Current(row.rev, policy, policy.warnings(facts))

    async def history(self, shop: ShopId, *, limit: int, cursor: str | None) -> Changes:
        """Changes, newest first."""
        page = await self._policies.history(shop, limit=limit, cursor=cursor)
        changes = tuple(
            Change(
                row.rev,
                row.at_ms,
                row.by or "",
                row.note,
                row.before or {},
                row.after,
                differences(row.before or {}, row.after),
            )
            for row in page.rows
        )
        return Changes(changes, page.cursor)


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = ""
) -> tuple[tuple[str, Any, Any], ...]:
    """Every setting that differs, by its dotted name, in the order of names."""
    found: list[tuple[str, Any, Any]] = []
    for name in sorted({*before, *after}):
        pair: tuple[Any, Any] = (before.get(name), after.get(name))
        if all(isinstance(value, dict) for value in pair):
            found += differences(*pair, f"{prefix}{name}.")
        elif pair[0] != pair[1]:
            found.append((f"{prefix}{name}", *pair))
    return tuple(found)
