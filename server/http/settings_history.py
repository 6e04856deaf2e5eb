"""The route of what was changed on a page of the settings (KS-23)."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from protocol.times import text_of_ms
from server.http.fields import Cursor, Limit, View
from server.http.guard import Asking, Given, GuardedRoute
from server.services.settings_history import PageName
from server.store.audit import AuditRow

router = APIRouter(prefix="/v1/settings/history", route_class=GuardedRoute, tags=["settings history"])


class ChangedView(View):
    """One change. `before` and `after` hold what differs, never anything secret."""

    id: str
    at: str
    actor_kind: str = Field(description="As in the audit: `account`, `key`, `cli`, `system`.")
    actor_id: str
    actor_name: str = Field(description="As it was then.")
    action: str = Field(description="`<table>.added`, `.changed`, `.removed`")
    subject_kind: str
    subject_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ChangedPage(View):
    """One page, newest first."""

    items: list[ChangedView]
    cursor: str | None


def _view(row: AuditRow) -> ChangedView:
    return ChangedView(
        id=row.id,
        at=text_of_ms(row.at_ms),
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        action=row.action,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        before=row.before,
        after=row.after,
    )


@router.get("/{page}")
async def get_settings_history(
    deps: Given,
    caller: Asking,
    page: Annotated[PageName, Path(description="Which settings.")],
    limit: Limit = 20,
    cursor: Cursor = None,
) -> ChangedPage:
    """Who changed what of these settings, newest first. From where is in the audit only. What one may not see is left
    out; 403 `no_right` when that is all."""
    found = await deps.settings_history.of(caller, page, limit=limit, cursor=cursor)
    return ChangedPage(items=[_view(row) for row in found.rows], cursor=found.cursor)
