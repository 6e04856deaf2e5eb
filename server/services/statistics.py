"""Reports (GP-05, CO-09): figures of a shop by time and by group, agent or order state, within the asker's reach.

What each measure means is in docs/statistics.md. Buckets begin when the clock on the shop's wall shows a full half
hour, a full hour, or midnight; so an hour that comes twice is two buckets, and one that is leapt over is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, Literal
from zoneinfo import ZoneInfo

from protocol.ids import GroupId, ShopId
from protocol.rights import Right
from router.policy import Policy
from server.services.accounts import invalid
from server.services.callers import Caller, CallerEyes
from server.services.duty import day_of, instant
from server.services.scope import Scope
from server.services.shops import Shops
from server.store.accounts import Accounts
from server.store.agent_states import AgentStates, State
from server.store.groups import Groups
from server.store.statistics import By, Figure, Statistics, Visible

Step = Literal["half_hour", "hour", "day", "total"]

BUCKETS_MAX: Final = 1500
"""A month of half hours, two months of hours, four years of days."""
_QUARTER_MS: Final = 900_000
_MINUTES: Final[Mapping[str, int]] = {"half_hour": 30, "hour": 60}
NO_FIGURE: Final = Figure(0, None, "", 0, 0, 0, None, None, None, 0)


@dataclass(frozen=True, slots=True)
class Line:
    """One bucket of one key. `key` None: the whole shop, or what belongs to no agent or group. `figures`: by measure;
    what is not in it did not happen. `states`: milliseconds that agents spent in each state."""

    from_ms: int
    to_ms: int
    key: str | None
    name: str
    figures: Mapping[str, Figure]
    states: Mapping[State, int]


@dataclass(frozen=True, slots=True)
class Report:
    """Lines by time, then by name; buckets and keys without anything are left out."""

    timezone: str
    step: Step
    by: By
    lines: tuple[Line, ...]


class ReportKeys:
    """The names of what figures are counted by."""

    def __init__(self, accounts: Accounts, groups: Groups) -> None:
        self._accounts = accounts
        self._groups = groups

    async def names(self, shop: ShopId, by: By) -> Mapping[str, str]:
        """By id; nothing for what has no names of the shop's own."""
        if by == "agent":
            return {row.id: row.name for row in await self._accounts.of_shop(shop)}
        if by == "group":
            return {row.id: row.name for row in await self._groups.of_shop(shop)}
        return {}


class Reports:
    """Makes reports."""

    def __init__(
        self,
        statistics: Statistics,
        states: AgentStates,
        shops: Shops,
        keys: ReportKeys,
        scope: Scope,
    ) -> None:
        self._statistics = statistics
        self._states = states
        self._shops = shops
        self._keys = keys
        self._scope = scope

    async def report(self, caller: Caller, from_ms: int, to_ms: int, step: Step, by: By) -> Report:
        """Everything that happened from `from_ms` up to `to_ms` (exclusive) and that the caller may count: with reach
        `own` what they did themselves; with `groups` what their colleagues did, and what waited for their groups.
        INVALID_PARAMS: the stretch is empty, or has too many buckets. UNAVAILABLE: the database is too slow."""
        facts = await self._shops.get(caller.shop_id)
        checked_span(from_ms, to_ms)
        edges = edges_of(from_ms, to_ms, step, ZoneInfo(facts.policy.timezone))
        cover = await self._scope.cover(CallerEyes(caller), Right.REPORT)
        visible = Visible() if cover.accounts is None else Visible(cover.accounts, cover.pools or frozenset())
        bound = bound_groups(facts.policy, groups_exist=facts.groups_exist)
        found = await self._statistics.figures(caller.shop_id, edges, by, visible, bound)
        times = await self._states.times(caller.shop_id, edges, by, visible)
        names = await self._keys.names(caller.shop_id, by)
        lines: dict[tuple[int, str | None], dict[str, Figure]] = {}
        for figure in found:
            lines.setdefault((figure.bucket, figure.key), {})[figure.measure] = figure
        states: dict[tuple[int, str | None], dict[State, int]] = {}
        for time in times:
            states.setdefault((time.bucket, time.key), {})[time.state] = time.ms
            if time.state != "offline":  # being offline alone is nothing that happened
                lines.setdefault((time.bucket, time.key), {})
        stretches = list(pairwise(edges))
        shown = [
            Line(*stretches[bucket], key, names.get(key or "", ""), figures, states.get((bucket, key), {}))
            for (bucket, key), figures in lines.items()
            # A colleague's other groups are not the caller's.
            if by != "group" or cover.groups is None or key in cover.groups
        ]
        shown.sort(key=lambda line: (line.from_ms, line.key is not None, line.name, line.key or ""))
        return Report(facts.policy.timezone, step, by, tuple(shown))


def checked_span(from_ms: int, to_ms: int) -> None:
    """Refuse an empty stretch: INVALID_PARAMS."""
    if from_ms >= to_ms:
        raise invalid("query.to", "must be after `from`")


def bound_groups(policy: Policy, *, groups_exist: bool) -> dict[str, tuple[GroupId, ...]]:
    """The groups for which customers of an order state wait; none in basic mode."""
    return dict(policy.live(groups_exist=groups_exist).pools)


def edges_of(from_ms: int, to_ms: int, step: Step, zone: ZoneInfo) -> list[int]:
    """Where buckets begin and end: `from_ms`, every full step of the shop's clock in between, `to_ms`. INVALID_PARAMS
    when that is too many buckets."""
    edges = [from_ms]
    at = from_ms
    while step != "total":
        at = _next_day(at, zone) if step == "day" else _next_full(at, _MINUTES[step], zone)
        if at >= to_ms:
            break
        edges.append(at)
        if len(edges) > BUCKETS_MAX:
            raise invalid(
                "query.step", f"more than {BUCKETS_MAX} buckets; ask for longer steps, or less time"
            )
    return [*edges, to_ms]


def _next_day(at_ms: int, zone: ZoneInfo) -> int:
    day = day_of(at_ms, zone)
    while (midnight := instant(zone, day, 0)) <= at_ms:
        day += timedelta(1)
    return midnight


def _next_full(at_ms: int, minutes: int, zone: ZoneInfo) -> int:
    """All zones of our time stand off by quarters of an hour, so that looking at each is enough."""
    at_ms -= at_ms % _QUARTER_MS
    while True:
        at_ms += _QUARTER_MS
        if datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).minute % minutes == 0:
            return at_ms
