"""Changes of settings that are made from something read before, and who was faster when they are refused (KS-23).

Every route here takes the revision that its body was made from. There is one mechanism for all of them: the service
compares while nobody else changes the shop's settings (`store.editing`) and refuses with `stale_rev`; the door adds who
made the last change of just that, from the audit.
"""

from dataclasses import dataclass
from typing import Any, cast

from protocol.errors import RequestError
from protocol.ids import ShopId
from protocol.times import text_of_ms
from server.http.problems import Meanwhile
from server.services.settings_history import PageName, SettingsHistory


@dataclass(frozen=True, slots=True)
class Edit:
    """What a route changes: `tables` of a page of settings (none named: all of it), of one `subject` (the parameter of
    the path that names it), and where a subject has many, of the one that parameter `of_many` names."""

    page: PageName
    tables: tuple[str, ...] = ()
    subject: str = ""
    of_many: str = ""


EDITS: dict[str, Edit] = {
    "PUT /v1/settings/routing": Edit("routing"),
    "PUT /v1/settings/collaboration": Edit("collaboration"),
    "PUT /v1/settings/wall": Edit("wall"),
    "PUT /v1/settings/endings": Edit("endings"),
    "PUT /v1/settings/files": Edit("files"),
    "PUT /v1/settings/holidays": Edit("holidays"),
    "PUT /v1/settings/widget": Edit("widget", ("shops",)),
    "PUT /v1/settings/origins/{surface}": Edit("widget", ("shop_origins",), "surface"),
    "PUT /v1/accounts/{account_id}/schedules": Edit("schedules", ("schedules",), "account_id"),
    "PUT /v1/accounts/{account_id}/dates/{day}": Edit("schedules", ("dated_days",), "account_id", "day"),
    "PATCH /v1/groups/{group_id}": Edit("groups", ("groups",), "group_id"),
    "PUT /v1/roles/{role}": Edit("roles", ("roles",), "role"),
    "DELETE /v1/roles/{role}": Edit("roles", ("roles",), "role"),
    "PATCH /v1/rules/{rule_id}": Edit("rules", subject="rule_id"),
    "PATCH /v1/quick-replies/{reply_id}": Edit("quick_replies", subject="reply_id"),
}
"""Route -> what it changes."""

NO_EDIT: dict[str, str] = {
    "PATCH /v1/accounts/{account_id}": "only what is named changes; the rest stays as somebody else left it",
    "PATCH /v1/customers/id/{customer_id}": "tags are added and removed by agents all day; no settings",
    "PUT /v1/accounts/{account_id}/duty": "a word spoken now, not made from anything",
    "PUT /v1/groups/{group_id}/members/{account_id}": "one membership, whatever the others are",
    "PUT /v1/customers/{external_id}": "what the shop's systems say holds",
    "PUT /v1/orders/{order_id}": "what the shop's systems say holds",
    "PUT /v1/files/{file_id}/content": "written once",
}
"""Other routes that change something in place, and why they ask for no revision."""


async def named(
    history: SettingsHistory, shop: ShopId, edit: Edit, parameters: dict[str, str], error: RequestError
) -> None:
    """Add to a refused change who was faster; nobody, when nobody can be named."""
    last = await history.last(
        shop, edit.page, edit.tables, parameters.get(edit.subject, ""), parameters.get(edit.of_many, "")
    )
    if last is not None:
        detail = cast("dict[str, Any]", error.detail) if isinstance(error.detail, dict) else {}
        meanwhile = Meanwhile(by=last.actor_name, by_id=last.actor_id, at=text_of_ms(last.at_ms))
        error.detail = {**detail, "meanwhile": meanwhile}
