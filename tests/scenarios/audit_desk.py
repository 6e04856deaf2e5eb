"""A shop whose every setting can be changed over HTTP, and how: one change for each route that changes one (KS-23)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from protocol.ids import AccountId, PersonId, new_id
from protocol.states import Role
from server.services.ending_settings import SEEDED
from server.services.revisions import NOTHING
from server.store.accounts import AccountRow
from server.store.audit import AuditRow, Wanted
from tests.scenarios.house import House, Shop

PASSWORD = "four SECRET words together"
RULE: dict[str, Any] = {
    "name": "greet",
    "conditions": {"kind": "keyword", "any_of": ["refund"]},
    "actions": [{"kind": "set_priority", "priority": "priority"}],
    "cooldown_s": 600,
}
REPLY = {"whose": "shop", "shortcut": "hi", "title": "Hello", "text": "Hello {customer}"}
HOURS = {"start_minute": 540, "end_minute": 1080}
KEPT: list[dict[str, Any]] = [reason.model_dump(mode="json") for reason in SEEDED]


class Desk:
    """The owner at the settings page."""

    def __init__(self, house: House, shop: Shop, owner: AccountRow, agent: AccountRow) -> None:
        self.house, self.shop, self.app = house, shop, house.app
        self.owner, self.agent = owner, agent
        self.http = httpx.AsyncClient(base_url=house.nodes[0].url)
        self.ids: dict[str, str] = {}
        """what stands in the braces of routes"""

    @classmethod
    async def of(cls, house: House) -> Desk:
        shop = await house.shop()
        owner = await shop.account("Olga", Role.OWNER)
        await house.app.account_store.rehash(shop.id, owner.id, await house.app.passwords.hash(PASSWORD))
        agent = await shop.account("Ann", Role.AGENT)
        desk = cls(house, shop, owner, agent)
        customer = await house.app.customer_store.put(shop.id, "c-1", name="Cara", tags=("new",))
        desk.ids = {
            "account_id": agent.id,
            "group_id": await shop.group("North"),
            "customer_id": customer.id,
            "external_id": "c-1",
            "day": "2026-12-24",
            "surface": "desk",
            "page": "groups",
            "role": "supervisor",
        }
        return desk

    async def ask(
        self, route: str, body: dict[str, Any] | None = None, *, who: AccountRow | None = None, **params: Any
    ) -> httpx.Response:
        """One request, by the owner or somebody else; made from what holds now, where the route asks for that and
        nothing else is said."""
        if body is not None and "rev" not in body and route in READ:
            body = {**body, "rev": await self.rev(route)}
        method, path = route.split(" ", 1)
        account = await self.app.account_store.get(self.shop.id, (who or self.owner).id)
        token = self.app.tokens.access(self.shop.id, account.id, account.roles, account.token_version)
        return await self.http.request(
            method,
            path.format(**self.ids),
            json=body,
            params=params or None,
            headers={"Authorization": f"Bearer {token}"},
        )

    async def rev(self, route: str) -> Any:
        """The revision of what this route changes, as a page reads it before."""
        read, pick = READ[route]
        return pick((await self.ask(read)).json(), self.ids)

    async def does(self, route: str, body: dict[str, Any] | None = None) -> Any:
        """One request that must succeed; what it answers."""
        answer = await self.ask(route, body)
        assert answer.is_success, f"{route}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def records(self, **wanted: Any) -> list[AuditRow]:
        """The shop's audit, oldest first."""
        page = await self.app.audit.search(self.shop.id, Wanted(**wanted), limit=200)
        return list(page.rows[::-1])

    async def somebody(self, role: Role) -> AccountRow:
        """Another colleague."""
        return await self.shop.account(f"{role}-{new_id()[-4:]}", role)

    def person(self, row: AccountRow) -> PersonId:
        """As sockets know them."""
        return PersonId(AccountId(row.id))


Pick = Callable[[Any, dict[str, str]], Any]


def _whole(answer: Any, ids: dict[str, str]) -> Any:
    return answer.get("rev", NOTHING)


def _one(name: str, parameter: str) -> Pick:
    """Of a list: the one whose `name` is in the path; what is not there has the revision of nothing."""

    def pick(answer: Any, ids: dict[str, str]) -> Any:
        found = [each["rev"] for each in answer["items"] if each[name] == ids.get(parameter)]
        return found[0] if found else NOTHING

    return pick


READ: dict[str, tuple[str, Pick]] = {
    "PUT /v1/settings/routing": ("GET /v1/settings/routing", _whole),
    "PUT /v1/settings/collaboration": ("GET /v1/settings/collaboration", _whole),
    "PUT /v1/settings/wall": ("GET /v1/settings/wall", _whole),
    "PUT /v1/settings/endings": ("GET /v1/settings/endings", _whole),
    "PUT /v1/settings/files": ("GET /v1/settings/files", _whole),
    "PUT /v1/settings/holidays": ("GET /v1/settings/holidays", _whole),
    "PUT /v1/settings/widget": ("GET /v1/settings/widget", _whole),
    "PUT /v1/settings/origins/{surface}": (
        "GET /v1/settings/origins",
        lambda answer, ids: answer["revs"][ids["surface"]],
    ),
    "PUT /v1/accounts/{account_id}/schedules": ("GET /v1/accounts/{account_id}/schedules", _whole),
    "PUT /v1/accounts/{account_id}/dates/{day}": ("GET /v1/accounts/{account_id}/dates", _one("date", "day")),
    "PATCH /v1/groups/{group_id}": ("GET /v1/groups/{group_id}", _whole),
    "PUT /v1/roles/{role}": ("GET /v1/roles", _one("role", "role")),
    "PATCH /v1/rules/{rule_id}": ("GET /v1/rules/{rule_id}", _whole),
    "PATCH /v1/quick-replies/{reply_id}": ("GET /v1/quick-replies", _one("id", "reply_id")),
}
"""Route that changes something -> the route by which it was read before, and where its revision stands."""


Before = Callable[[Desk], Awaitable[None]]


@dataclass(frozen=True)
class Change:
    """What a route is asked, and what the audit then says. `before`: what must be there first."""

    body: dict[str, Any] | None
    recorded: tuple[str, ...]
    before: Before | None = None


def first(route: str, body: dict[str, Any] | None = None, *, id_as: str = "", id_in: str = "id") -> Before:
    """Make what is to be changed."""

    async def make(desk: Desk) -> None:
        made = await desk.does(route, body)
        if id_as:
            desk.ids[id_as] = made.get("api_key", made)[id_in]

    return make


async def two_rules(desk: Desk) -> None:
    """Rules to be put in order, one to be changed."""
    one = await desk.does("POST /v1/rules", RULE)
    two = await desk.does("POST /v1/rules", {**RULE, "name": "second"})
    desk.ids |= {"rule_id": one["id"], "one": one["id"], "two": two["id"]}


CHANGES: dict[str, Change] = {
    "POST /v1/me/password": Change(
        {"current_password": PASSWORD, "new_password": "other SECRET words here"}, ("accounts.changed",)
    ),
    "POST /v1/accounts": Change(
        {"email": "new@example.com", "name": "New", "roles": ["agent"], "password": PASSWORD},
        ("accounts.added",),
    ),
    "PATCH /v1/accounts/{account_id}": Change(
        {"roles": ["supervisor"], "capacity": 9}, ("accounts.changed",)
    ),
    "POST /v1/accounts/{account_id}/password": Change({"password": PASSWORD}, ("accounts.changed",)),
    "POST /v1/accounts/{account_id}/revoke": Change(None, ("accounts.revoked",)),
    "PUT /v1/accounts/{account_id}/schedules": Change(
        {"hours": [{"weekday": day, **HOURS} for day in range(5)]}, ("schedules.changed",)
    ),
    "PUT /v1/accounts/{account_id}/dates/{day}": Change({"hours": [HOURS]}, ("dated_days.changed",)),
    "DELETE /v1/accounts/{account_id}/dates/{day}": Change(
        None, ("dated_days.changed",), first("PUT /v1/accounts/{account_id}/dates/{day}", {"hours": [HOURS]})
    ),
    "PUT /v1/accounts/{account_id}/duty": Change({"on_duty": False}, ("duty_by_hand.added",)),
    "DELETE /v1/accounts/{account_id}/duty": Change(
        None, ("duty_by_hand.removed",), first("PUT /v1/accounts/{account_id}/duty", {"on_duty": False})
    ),
    "PUT /v1/roles/{role}": Change({"grants": {"conversation.view": "all"}}, ("roles.added",)),
    "DELETE /v1/roles/{role}": Change(
        None,
        ("roles.removed",),
        first("PUT /v1/roles/{role}", {"grants": {"conversation.view": "all"}}),
    ),
    "POST /v1/break-glass": Change({"minutes": 5, "reason": "the shop burns down"}, ("break_glass.added",)),
    "DELETE /v1/break-glass/{break_glass_id}": Change(
        None,
        ("break_glass.changed",),
        first(
            "POST /v1/break-glass", {"minutes": 5, "reason": "the shop burns down"}, id_as="break_glass_id"
        ),
    ),
    "POST /v1/groups": Change({"name": "South"}, ("groups.added",)),
    "PATCH /v1/groups/{group_id}": Change({"name": "West"}, ("groups.changed",)),
    "DELETE /v1/groups/{group_id}": Change(None, ("groups.removed",)),
    "PUT /v1/groups/{group_id}/members/{account_id}": Change(None, ("group_members.changed",)),
    "DELETE /v1/groups/{group_id}/members/{account_id}": Change(
        None, ("group_members.changed",), first("PUT /v1/groups/{group_id}/members/{account_id}")
    ),
    "PUT /v1/settings/routing": Change({"policy": {"default_capacity": 7}}, ("shops.changed",)),
    "POST /v1/rules": Change(RULE, ("rules.added",)),
    "POST /v1/rules/order": Change(
        {"ids": ["{two}", "{one}"]}, ("rules.changed", "rules.changed"), two_rules
    ),
    "PATCH /v1/rules/{rule_id}": Change({"enabled": False}, ("rules.changed",), two_rules),
    "DELETE /v1/rules/{rule_id}": Change(
        None, ("rules.removed",), first("POST /v1/rules", RULE, id_as="rule_id")
    ),
    "POST /v1/quick-replies": Change(REPLY, ("quick_replies.added",)),
    "PATCH /v1/quick-replies/{reply_id}": Change(
        {"text": "Good day"},
        ("quick_replies.changed",),
        first("POST /v1/quick-replies", REPLY, id_as="reply_id"),
    ),
    "DELETE /v1/quick-replies/{reply_id}": Change(
        None, ("quick_replies.removed",), first("POST /v1/quick-replies", REPLY, id_as="reply_id")
    ),
    "POST /v1/quick-replies/table": Change(
        {"whose": "shop", "csv": "shortcut,title,text\nhi,Hello,Hello"}, ("quick_replies.added",)
    ),
    "PUT /v1/settings/holidays": Change(
        {"holidays": [{"date": "2026-12-25", "name": "Christmas", "hours": [HOURS]}]}, ("holidays.changed",)
    ),
    "PUT /v1/settings/widget": Change(
        {"identity_mode": "enforce", "anonymous_allowed": True}, ("shops.changed",)
    ),
    "PUT /v1/settings/origins/{surface}": Change(
        {"origins": ["https://desk.example.com"]}, ("shop_origins.changed",)
    ),
    "POST /v1/settings/identity-keys": Change(None, ("identity_keys.added",)),
    "DELETE /v1/settings/identity-keys/{kid}": Change(
        None,
        ("identity_keys.changed",),
        first("POST /v1/settings/identity-keys", id_as="kid", id_in="kid"),
    ),
    "POST /v1/settings/import": Change(
        {"yaml": "format: 1\ncollaboration:\n  watchers_max: 7\n"}, ("shops.changed",)
    ),
    "PUT /v1/settings/collaboration": Change({"agents_see_watchers": True}, ("shops.changed",)),
    "PUT /v1/settings/wall": Change(
        {"thresholds": {"waiting_s": {"warn": 60, "bad": 300}}}, ("wall_settings.added",)
    ),
    "PUT /v1/settings/endings": Change({"rating_reasons": KEPT, "undo_s": 5}, ("shops.changed",)),
    "POST /v1/api-keys": Change({"name": "erp", "scopes": ["orders:read"]}, ("api_keys.added",)),
    "DELETE /v1/api-keys/{api_key_id}": Change(
        None,
        ("api_keys.changed",),
        first("POST /v1/api-keys", {"name": "erp", "scopes": ["orders:read"]}, id_as="api_key_id"),
    ),
    "PUT /v1/customers/{external_id}": Change({"tags": ["vip"]}, ("customers.changed",)),
    "PATCH /v1/customers/id/{customer_id}": Change({"tags": ["vip"]}, ("customers.changed",)),
    "POST /v1/customers/reassignments": Change(
        {"customer_ids": ["{customer_id}"], "to": "{account_id}"}, ("customers.changed",)
    ),
    "PUT /v1/settings/files": Change({"kinds": ["image"]}, ("file_settings.added",)),
}
"""Route -> its change."""

NO_SETTING = {
    "POST /v1/tickets": "a ticket is not a right, only a way in",
    "POST /v1/routing/dry-run": "changes nothing",
    "POST /v1/rules/dry-run": "changes nothing",
    "PUT /v1/orders/{order_id}": "what the shop's systems bring",
    "POST /v1/customers/id/{customer_id}/notes": "notes keep who wrote them",
}
"""Routes that change no right, setting or owner, and why."""


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A body with the ids in place of the braces."""
    if isinstance(value, dict):
        return {name: filled(member, ids) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(member, ids) for member in value]
    return value.format(**ids) if isinstance(value, str) and value.startswith("{") else value
