"""Automation rules of a configuration, into the store: a rule is known by its name, and keeps what it fired."""

from collections.abc import Sequence
from typing import Any, Final

from protocol.errors import RequestError
from protocol.states import Role
from protocol.times import ms_of
from server.automation.facts import Subject
from server.automation.validation import MOST_RULES, Known, RuleError, parse
from server.services.configuration.names import Names, UnknownName
from server.services.configuration.under_way import UnderWay
from server.services.rules import content_of
from server.store.rules import RuleRow

_MEMBERS: Final = {"name", "enabled", "conditions", "actions", "cooldown_s", "valid_from", "valid_until"}


async def write_rules(way: UnderWay, wanted: Sequence[dict[str, Any]]) -> None:
    """All of them, in this order."""
    names = await way.names()
    known = await _known(way)
    contents = [_content(way, names, known, rule, f"rules.{at}") for at, rule in enumerate(wanted)]
    if any(content is None for content in contents):
        return
    there = list(await way.stored.rules.of_shop(way.shop, Subject.CONVERSATION))
    kept: list[tuple[RuleRow | None, dict[str, Any]]] = []
    for content in contents:
        assert content is not None, "there was no fault"
        row = next((each for each in there if each.name == content["name"]), None)
        if row is not None:
            there.remove(row)
        kept.append((row, content))
    for row in there:
        await way.stored.rules.delete(way.shop, row.id)
    order: list[str] = []
    for row, content in kept:
        if row is None:
            row = await way.stored.rules.add(way.shop, content, most=MOST_RULES)
        elif row.content() != content:
            await way.stored.rules.change(way.shop, row.id, content, expected_rev=row.rev)
        order.append(row.id)
    await way.stored.rules.reorder(way.shop, Subject.CONVERSATION, tuple(order))


async def _known(way: UnderWay) -> Known:
    accounts = await way.stored.accounts.of_shop(way.shop)
    return Known(
        groups=frozenset(row.id for row in await way.stored.groups.of_shop(way.shop)),
        people=frozenset(row.id for row in accounts if row.disabled_ms is None and Role.BOT not in row.roles),
    )


def _content(
    way: UnderWay, names: Names, known: Known, given: dict[str, Any], place: str
) -> dict[str, Any] | None:
    """As it is stored; None: it cannot be."""
    for member in given.keys() - _MEMBERS:
        way.fault(f"{place}.{member}", "There is no such member.")
    if given.keys() - _MEMBERS:
        return None
    try:
        data: dict[str, Any] = {
            **{name: given[name] for name in ("name", "enabled", "cooldown_s") if name in given},
            "conditions": names.rule_read(given.get("conditions")),
            "actions": names.rule_read(given.get("actions")),
            **{f"{name}_ms": _moment(given.get(name)) for name in ("valid_from", "valid_until")},
        }
        return content_of(parse(data, known))
    except UnknownName as error:
        way.fault(place, error.problem)
    except RuleError as error:
        for fault in error.faults:
            way.fault(f"{place}.{fault.field}", fault.problem)
    except RequestError as error:
        way.refused(error, place=place)
    except ValueError:
        way.fault(place, "valid_from and valid_until are times such as 2026-11-22T08:00:00.000Z")
    return None


def _moment(text: Any) -> int | None:
    return None if text is None else ms_of(str(text))
