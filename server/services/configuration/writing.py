"""A configuration into the stores, section by section, by the rules that hold for the pages of the settings as well."""

from collections.abc import Mapping
from typing import Any, Final, cast

from protocol.errors import RequestError
from protocol.ids import GroupId
from protocol.rights import BUILT_IN, FIXED_ROLES, Grants, Right, united
from router.policy import Policy, PolicyError, ShopFacts
from server.services.configuration.names import Names, UnknownName
from server.services.configuration.shapes import Document, Group, RoleGrants, Widget
from server.services.configuration.under_way import UnderWay
from server.services.configuration.writing_hours import write_holidays, write_schedules
from server.services.configuration.writing_replies import write_replies
from server.services.configuration.writing_rules import write_rules
from server.services.ending_settings import EndingSettings, faults
from server.services.roles import read_grants
from server.services.shop_settings import check_open
from server.services.wall_settings import Thresholds, stored_thresholds
from server.store.shops import WidgetSettings

NOTE: Final = "import"
"""What the history of the routing settings says of it."""


async def write(way: UnderWay, document: Document) -> None:
    """Everything that the document says. A section without a word is left alone. What cannot hold is told to `way`."""
    leaving: list[GroupId] = []
    if document.groups is not None:
        leaving = await _write_groups(way, document.groups)
    if document.roles is not None:
        await _write_roles(way, document.roles)
    if document.routing is not None:
        await _write_routing(way, document.routing, frozenset(leaving))
    await _leave_groups(way, leaving)
    if document.schedules is not None:
        await write_schedules(way, document.schedules)
    if document.holidays is not None:
        await write_holidays(way, document.holidays)
    if document.files is not None:
        await _write_files(way, document.files.kinds)
    if document.endings is not None:
        await _write_endings(way, document.endings)
    if document.collaboration is not None:
        await way.stored.shops.set_collaboration(way.shop, document.collaboration.model_dump(mode="json"))
    if document.wall is not None:
        await _write_wall(way, document.wall)
    if document.rules is not None:
        await write_rules(way, document.rules)
    if document.quick_replies is not None:
        await write_replies(way, document.quick_replies)
    if document.widget is not None:
        await _write_widget(way, document.widget)


async def _write_groups(way: UnderWay, wanted: Mapping[str, Group]) -> list[GroupId]:
    """Those that are named; gives those that are not, to be deleted when nothing names them any more."""
    groups, names = way.stored.groups, await way.names()
    there = {row.name.lower(): row for row in await groups.of_shop(way.shop)}
    named: set[str] = set()
    for name, group in wanted.items():
        if name.lower() in named:
            way.fault(f"groups.{name}", "is there twice, written in another way")
            continue
        named.add(name.lower())
        row = there.get(name.lower()) or await groups.add(way.shop, name=name, kind=group.kind)
        if (row.name, row.kind) != (name, group.kind):
            await groups.update(way.shop, row.id, name=name, kind=group.kind)
        members = {
            account
            for at, email in enumerate(group.members)
            if (account := way.account(names, email, f"groups.{name}.members.{at}")) is not None
        }
        before = set(await groups.members(way.shop, row.id))
        for account in sorted(members - before):
            await groups.add_member(way.shop, row.id, account)
        for account in sorted(before - members):
            await groups.remove_member(way.shop, row.id, account)
    return [row.id for key, row in there.items() if key not in named]


async def _leave_groups(way: UnderWay, leaving: list[GroupId]) -> None:
    policy = Policy.parse((await way.stored.policies.get(way.shop)).policy)
    for group in leaving:
        bound = sorted(state for state, groups in policy.order_state_groups.items() if group in groups)
        if bound:
            row = await way.stored.groups.get(way.shop, group)
            way.fault(
                "groups", f"{row.name} is missing, and still bound to {', '.join(bound)}; unbind it first"
            )
        else:
            await way.stored.groups.delete(way.shop, group)


async def _write_roles(way: UnderWay, wanted: Mapping[str, RoleGrants]) -> None:
    roles = way.stored.roles
    before = await roles.of_shop(way.shop)
    for role, given in wanted.items():
        place = f"roles.{role}"
        if role in FIXED_ROLES:
            way.fault(place, f"What {role} may do cannot be changed.")
            continue
        try:
            grants = read_grants(given.grants, place=f"{place}.grants")
        except RequestError as error:
            way.refused(error)
            continue
        row = before.get(role)
        if row is not None and row.rev and (row.name, dict(row.grants)) == (given.name, dict(grants)):
            continue
        so_far: Grants = {} if row is None else row.grants
        for right, reach in grants.items():
            if reach > so_far.get(right, 0) and reach > way.held.get(right, 0):
                way.fault(f"{place}.grants.{right.value}", "you cannot grant what you do not hold yourself")
        await roles.put(
            way.shop, role, name=given.name, grants=grants, expected_rev=0 if row is None else row.rev
        )
    for role, row in before.items():
        if role not in wanted and (row.rev or role not in BUILT_IN):
            try:
                await roles.delete(way.shop, role, expected_rev=None)
            except RequestError as error:
                way.fault("roles", f"{role} is missing: {error.message}")
    after = await roles.of_shop(way.shop)
    own = [role for role in way.caller.roles if role in before]
    if Right.ROLES in united(before[role].grants for role in own) and Right.ROLES not in united(
        after[role].grants for role in own if role in after
    ):
        way.fault("roles", "you would lose the right to change roles, and could not undo it")


async def _write_routing(way: UnderWay, wanted: Mapping[str, Any], leaving: frozenset[GroupId]) -> None:
    names = await way.names()
    accounts = await way.stored.accounts.of_shop(way.shop)
    facts = ShopFacts(
        groups=frozenset(row.id for row in await way.stored.groups.of_shop(way.shop)) - leaving,
        accounts=frozenset(row.id for row in accounts),
        excluded=frozenset(row.id for row in accounts if row.excluded),
    )
    known = len(way.faults)
    data = _routing_read(way, wanted, names)
    if len(way.faults) > known:
        return
    try:
        policy = Policy.parse(data)
        policy.check(facts)
    except PolicyError as error:
        for fault in error.detail():
            way.fault(f"routing.{fault['field']}", fault["problem"])
        return
    row = await way.stored.policies.get(way.shop)
    await way.stored.policies.update(
        way.shop,
        expected_rev=row.rev,
        policy=policy.model_dump(mode="json"),
        by=way.caller.account_id,
        note=NOTE,
    )


def _routing_read(way: UnderWay, wanted: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """With ids in the place of names; what has another shape is left to the settings' own validation."""
    data = dict(wanted)
    if isinstance(listed := data.get("offline_list"), list):
        data["offline_list"] = [
            account
            for at, email in enumerate(cast("list[Any]", listed))
            if (account := way.account(names, str(email), f"routing.offline_list.{at}")) is not None
        ]
    if isinstance(data.get("bot"), dict):
        bot = cast("dict[str, Any]", data["bot"])
        if isinstance(email := bot.get("account"), str):
            data["bot"] = {**bot, "account": way.account(names, email, "routing.bot.account")}
    if isinstance(data.get("order_state_groups"), dict):
        bound = cast("dict[str, Any]", data["order_state_groups"])
        data["order_state_groups"] = {
            state: _bound(way, names, groups, f"routing.order_state_groups.{state}")
            for state, groups in bound.items()
        }
    return data


def _bound(way: UnderWay, names: Names, groups: Any, place: str) -> Any:
    """Of one order state: ids in the place of names."""
    if not isinstance(groups, list):
        return groups
    found: list[GroupId] = []
    for name in cast("list[Any]", groups):
        try:
            found.append(names.group(str(name)))
        except UnknownName as error:
            way.fault(place, error.problem)
    return found


async def _write_files(way: UnderWay, kinds: list[str]) -> None:
    for at, kind in enumerate(kinds):
        if kind not in way.kinds:
            way.fault(f"files.kinds.{at}", "has a kind that this server does not take")
            return
    chosen = await way.stored.files.kinds(way.shop)
    if frozenset(kinds) != (way.kinds if chosen is None else chosen[0]):
        await way.stored.files.set_kinds(way.shop, frozenset(kinds), rev=0 if chosen is None else chosen[1])


async def _write_endings(way: UnderWay, wanted: EndingSettings) -> None:
    holds = EndingSettings.of(await way.stored.shops.endings(way.shop))
    for where, problem in faults(wanted, holds):
        way.fault(f"endings.{where}", problem)
    if wanted != holds:
        await way.stored.shops.set_endings(way.shop, wanted.model_dump(mode="json"))


async def _write_wall(way: UnderWay, wanted: Thresholds) -> None:
    row = await way.stored.wall.get(way.shop)
    settings = stored_thresholds(wanted)
    if settings != stored_thresholds(
        Thresholds() if row is None else Thresholds.model_validate(row.settings)
    ):
        await way.stored.wall.put(way.shop, settings, rev=0 if row is None else row.rev)


async def _write_widget(way: UnderWay, wanted: Widget) -> None:
    settings = WidgetSettings(wanted.identity_mode, wanted.anonymous_allowed)
    try:
        check_open(settings, await way.stored.shops.identity_keys(way.shop))
    except RequestError as error:
        way.refused(error, instead_of="body", place="widget")
    await way.stored.shops.set_widget(way.shop, settings)
    origins = await way.stored.shops.origins(way.shop)
    if frozenset(wanted.origins.widget) != origins.widget:
        await way.stored.shops.set_origins(way.shop, "widget", tuple(wanted.origins.widget))
    if frozenset(wanted.origins.desk) != origins.desk:
        await way.stored.shops.set_origins(way.shop, "desk", tuple(wanted.origins.desk))
