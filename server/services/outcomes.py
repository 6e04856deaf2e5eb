"""Reports of what became of conversations and why customers rated as they did (GP-05), within the asker's reach."""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.rights import Right
from server.services.callers import Caller, CallerEyes
from server.services.scope import Scope
from server.services.shops import Shops
from server.services.statistics import ReportKeys, bound_groups, checked_span
from server.store.outcomes import Outcome, Outcomes
from server.store.statistics import By, Visible


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """One tag or reason of one key. `name`: of the agent or group. `labels`: language -> words; a tag has one name in
    all of them, under the empty word. None of both: it is not known any more, or nothing was given."""

    outcome: Outcome
    name: str
    labels: Mapping[str, str]


class OutcomeReports:
    """Makes them."""

    def __init__(self, outcomes: Outcomes, shops: Shops, keys: ReportKeys, scope: Scope) -> None:
        self._outcomes = outcomes
        self._shops = shops
        self._keys = keys
        self._scope = scope

    async def report(self, caller: Caller, from_ms: int, to_ms: int, by: By) -> tuple[OutcomeLine, ...]:
        """Conversations closed from `from_ms` up to `to_ms` (exclusive), as far as the caller may count them, by key:
        first the tags, then the reasons, what was given most first. INVALID_PARAMS: the stretch is empty."""
        checked_span(from_ms, to_ms)
        facts = await self._shops.get(caller.shop_id)
        cover = await self._scope.cover(CallerEyes(caller), Right.REPORT)
        visible = Visible() if cover.accounts is None else Visible(cover.accounts, cover.pools or frozenset())
        bound = bound_groups(facts.policy, groups_exist=facts.groups_exist)
        found = await self._outcomes.counted(caller.shop_id, from_ms, to_ms, by, visible, bound)
        names = await self._keys.names(caller.shop_id, by)
        labels: dict[tuple[str, str], Mapping[str, str]] = {
            **{("result_tag", tag.tag_id): {"": tag.name} for tag in facts.endings.result_tags},
            **{("rating_reason", each.reason_id): {**each.texts} for each in facts.endings.rating_reasons},
        }
        lines = [
            OutcomeLine(one, names.get(one.key or "", ""), labels.get((one.kind, one.id or ""), {}))
            for one in found
            if by != "group" or cover.groups is None or one.key in cover.groups
        ]
        lines.sort(key=lambda line: (line.outcome.key is not None, line.name, line.outcome.key or ""))
        return tuple(lines)
