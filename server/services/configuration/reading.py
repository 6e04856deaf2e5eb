"""A shop's configuration from the stores, as the file has it: in an order that does not depend on when it was made."""

from typing import Any

from protocol.cards import WallThresholds
from protocol.ids import ShopId
from protocol.rights import BUILT_IN, Right, words
from protocol.times import text_of_ms
from router.policy import Policy
from server.automation.facts import Subject
from server.services.collaboration_settings import CollaborationSettings
from server.services.configuration.names import Names
from server.services.configuration.shapes import DAYS, stretch_text
from server.services.ending_settings import EndingSettings
from server.store.editing import Editable
from server.store.groups import Shift
from server.store.hours import FIRST_DAY, LAST_DAY, Stretch
from server.store.quick_replies import ReplyRow


class Reading:
    """Reads one shop. `kinds`: of files, that the server takes: what a shop allows that chose none."""

    def __init__(self, stored: Editable, shop: ShopId, kinds: frozenset[str]) -> None:
        self._stored = stored
        self._shop = shop
        self._kinds = kinds

    async def names(self) -> Names:
        """Everybody and every group, now."""
        return Names(
            await self._stored.accounts.of_shop(self._shop), await self._stored.groups.of_shop(self._shop)
        )

    async def document(self) -> dict[str, Any]:
        """Every section."""
        names = await self.names()
        shop = await self._stored.shops.get(self._shop)
        origins = await self._stored.shops.origins(self._shop)
        wall = await self._stored.wall.get(self._shop)
        chosen = await self._stored.files.kinds(self._shop)
        kinds = self._kinds if chosen is None else chosen[0] & self._kinds
        return {
            "groups": await self._groups(names),
            "roles": await self._roles(),
            "routing": routing_written(Policy.parse(shop.policy), names),
            "schedules": await self._schedules(names),
            "holidays": await self._holidays(),
            "files": {"kinds": sorted(kinds)},
            "endings": EndingSettings.of(shop.endings).model_dump(mode="json"),
            "collaboration": CollaborationSettings.of(shop.collaboration).model_dump(mode="json"),
            "wall": wall_written({} if wall is None else wall.settings),
            "rules": await self._rules(names),
            "quick_replies": await self._replies(names),
            "widget": {
                "identity_mode": shop.widget.identity_mode,
                "anonymous_allowed": shop.widget.anonymous_allowed,
                "origins": {"widget": sorted(origins.widget), "desk": sorted(origins.desk)},
            },
        }

    async def _groups(self, names: Names) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for group in sorted(await self._stored.groups.of_shop(self._shop), key=lambda row: row.name):
            members = await self._stored.groups.members(self._shop, group.id)
            found[group.name] = {
                "kind": group.kind,
                "members": sorted(filter(None, map(names.email, members))),
            }
        return found

    async def _roles(self) -> dict[str, Any]:
        rows = (await self._stored.roles.of_shop(self._shop)).values()
        return {
            row.role: {
                "name": row.name,
                "grants": words(
                    {right: row.grants[right] for right in row.grants if right is not Right.SIGN_IN}
                ),
            }
            for row in sorted(rows, key=lambda row: row.role)
            if row.rev or row.role not in BUILT_IN
        }

    async def _schedules(self, names: Names) -> dict[str, Any]:
        week: dict[str, dict[str, list[str]]] = {}
        for shift in sorted(
            await self._stored.groups.shifts(self._shop),
            key=lambda each: (each.weekday, each.start_minute, each.end_minute, each.group_id or ""),
        ):
            days = week.setdefault(names.email(shift.account_id) or "", {})
            days.setdefault(DAYS[shift.weekday], []).append(_hours(shift, names))
        dates: dict[str, dict[str, Any]] = {}
        overrides = await self._stored.hours.overrides(self._shop, FIRST_DAY, LAST_DAY)
        for account, days in overrides.dated.items():
            dates[names.email(account) or ""] = {
                day.day.isoformat(): {
                    "hours": sorted(_hours(part, names) for part in day.hours),
                    "note": day.note,
                }
                for day in days
            }
        return {
            email: {
                "week": {day: sorted(hours) for day, hours in week.get(email, {}).items()},
                "dates": dates.get(email, {}),
            }
            for email in sorted({*week, *dates})
        }

    async def _holidays(self) -> dict[str, Any]:
        return {
            holiday.day.isoformat(): {
                "name": holiday.name,
                "hours": [stretch_text(part.start_minute, part.end_minute, None) for part in holiday.hours],
            }
            for holiday in await self._stored.hours.holidays(self._shop)
        }

    async def _rules(self, names: Names) -> list[dict[str, Any]]:
        return [
            rule_written(row.content(), names)
            for row in await self._stored.rules.of_shop(self._shop, Subject.CONVERSATION)
        ]

    async def _replies(self, names: Names) -> dict[str, Any]:
        shop: dict[str, Any] = {}
        groups: dict[str, dict[str, Any]] = {}
        for row in await self._stored.replies.readable(self._shop, None, None):
            if row.group_id is None:
                shop[row.shortcut] = _reply(row)
            else:
                groups.setdefault(names.group_name(row.group_id) or "", {})[row.shortcut] = _reply(row)
        return {
            "shop": dict(sorted(shop.items())),
            "groups": {name: dict(sorted(found.items())) for name, found in sorted(groups.items())},
        }


def routing_written(policy: Policy, names: Names) -> dict[str, Any]:
    """Routing settings with names in the place of ids; what is gone is left out."""
    data = policy.model_dump(mode="json")
    bot = data["bot"]
    return {
        **data,
        "offline_list": sorted(filter(None, map(names.email, data["offline_list"]))),
        "bot": {**bot, "account": names.email(bot["account"]) if bot["account"] else None},
        "order_state_groups": {
            state: sorted(filter(None, map(names.group_name, groups)))
            for state, groups in sorted(data["order_state_groups"].items())
        },
    }


def rule_written(content: dict[str, Any], names: Names) -> dict[str, Any]:
    """A rule with names in the place of ids, and times that people read."""
    first, last = content["valid_from_ms"], content["valid_until_ms"]
    return {
        "name": content["name"],
        "enabled": content["enabled"],
        "conditions": names.rule_written(content["conditions"]),
        "actions": names.rule_written(content["actions"]),
        "cooldown_s": content["cooldown_s"],
        "valid_from": None if first is None else text_of_ms(first),
        "valid_until": None if last is None else text_of_ms(last),
    }


def wall_written(settings: dict[str, Any]) -> dict[str, Any]:
    """Thresholds, whole."""
    return WallThresholds.model_validate(settings).model_dump(mode="json")


def _hours(part: Stretch | Shift, names: Names) -> str:
    group = None if part.group_id is None else names.group_name(part.group_id)
    return stretch_text(part.start_minute, part.end_minute, group)


def _reply(row: ReplyRow) -> dict[str, str]:
    return {"title": row.title, "text": row.text, "folder": row.folder}
