"""What was changed on each page of the settings, and by whom (KS-23): the audit's records, for who may see the page.

The database writes them (migration 0013); routing settings have a history of their own beside, with notes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from protocol.ids import ShopId
from protocol.rights import Grants, Reach, Right
from server.services.callers import Caller, CallerEyes
from server.services.scope import Scope, Why, refusal
from server.store.audit import AuditRow, AuditStore, Reader
from server.store.roles import Roles
from server.store.rows import Page


@dataclass(frozen=True, slots=True)
class Part:
    """Changes of a table. `right`: what who asks needs beside the right to see settings. `columns`: of the shop's own
    row, the only ones that are meant."""

    table: str
    right: Right = Right.SETTINGS_VIEW
    columns: tuple[str, ...] = ()

    @property
    def deeds(self) -> tuple[str, ...]:
        """How it changes. The shop's own row is not made on any page."""
        return ("changed",) if self.columns else ("added", "changed", "removed")


PageName = Literal[
    "routing",
    "wall",
    "quick_replies",
    "rules",
    "collaboration",
    "endings",
    "files",
    "groups",
    "accounts",
    "roles",
    "schedules",
    "holidays",
    "widget",
    "keys",
]

PAGES: Final[Mapping[PageName, tuple[Part, ...]]] = {
    "routing": (Part("shops", columns=("policy",)),),
    "wall": (Part("wall_settings"),),
    "quick_replies": (Part("quick_replies", Right.REPLIES),),
    "rules": (Part("rules", Right.RULES),),
    "collaboration": (Part("shops", columns=("collaboration",)),),
    "endings": (Part("shops", columns=("endings",)),),
    "files": (Part("file_settings"),),
    "groups": (Part("groups"), Part("group_members")),
    "accounts": (Part("accounts"),),
    "roles": (Part("roles", Right.ROLES), Part("break_glass", Right.ROLES)),
    "schedules": (Part("schedules"), Part("dated_days"), Part("dated_shifts"), Part("duty_by_hand")),
    "holidays": (Part("holidays"), Part("holiday_hours")),
    "widget": (
        Part("shops", columns=("widget_settings",)),
        Part("shop_origins"),
        Part("identity_keys", Right.INTEGRATION),
    ),
    "keys": (Part("api_keys", Right.INTEGRATION),),
}
"""Page -> what it changes. A new page of settings adds its line."""


def _asked(parts: Sequence[Part]) -> tuple[list[str], list[str]]:
    """Actions and columns, as the store is asked for them."""
    actions = [f"{part.table}.{deed}" for part in parts for deed in part.deeds]
    return actions, [column for part in parts for column in part.columns]


class SettingsHistory:
    """Reads it."""

    def __init__(self, store: AuditStore, roles: Roles, scope: Scope) -> None:
        self._store = store
        self._roles = roles
        self._scope = scope

    async def of(self, caller: Caller, page: PageName, *, limit: int, cursor: str | None) -> Page[AuditRow]:
        """Changes, the newest first. Refused: FORBIDDEN `no_right` when the page is not theirs to see, INVALID_PARAMS
        `bad_cursor`."""
        grants = await self._scope.grants(CallerEyes(caller))
        parts = [part for part in PAGES[page] if part.right in grants]
        if not parts:
            raise refusal(Why.NO_RIGHT, "see these settings", PAGES[page][0].right)
        return await self._store.changes(
            caller.shop_id,
            *_asked(parts),
            reader=await self._reader(caller, grants),
            cursor=cursor,
            limit=limit,
        )

    async def last(
        self, shop: ShopId, page: PageName, tables: tuple[str, ...], subject: str, about: str
    ) -> AuditRow | None:
        """The last change of a page: of some of its tables, of one subject, of what names `about`; empty: of any."""
        parts = [part for part in PAGES[page] if not tables or part.table in tables]
        found = await self._store.changes(
            shop, *_asked(parts), subject=subject or None, about=about or None, cursor=None, limit=1
        )
        return found.rows[0] if found.rows else None

    async def _reader(self, caller: Caller, grants: Grants) -> Reader:
        """Whose quick replies they may know of."""
        every = grants.get(Right.REPLIES) is Reach.ALL
        groups = None if every else await self._roles.groups_of(caller.shop_id, caller.account)
        return Reader(caller.account, groups)
