"""Routes of break-glass: reach over everything, lent for a short time, with a reason."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from protocol.ids import AccountId
from protocol.times import text_of_ms
from server.http.fields import Closed, Cursor, Id, Limit, View, stamp_if
from server.http.guard import Asking, Given, GuardedRoute
from server.store.glass import Glass

router = APIRouter(prefix="/v1/break-glass", route_class=GuardedRoute, tags=["roles"])

REASON_LEAST = 10
"""Characters; shorter ones are not reasons but evasions, and the audit is read by somebody who was not there."""

REASON = r"^[^\s\x00-\x1F\x7F][^\x00-\x08\x0B\x0C\x0E-\x1F\x7F]*[^\s\x00-\x1F\x7F]$"
"""Printable, and no blanks around it that would make it long enough."""


class BreakGlassBody(Closed):
    """To whom, for how long, and why."""

    account_id: Annotated[UUID | None, Field(strict=False, description="Absent: to oneself.")] = None
    minutes: Annotated[int, Field(ge=1, le=1440, description="The server may allow less.")]
    reason: Annotated[str, StringConstraints(min_length=REASON_LEAST, max_length=500, pattern=REASON)]


class GlassView(View):
    """One loan."""

    id: str
    account_id: str
    opened_by: str
    reason: str
    began_at: str
    until: str
    ended_at: str | None


class GlassPage(View):
    """One page; `cursor` asks for the next, null: that was all."""

    items: list[GlassView]
    cursor: str | None


def glass_view(glass: Glass) -> GlassView:
    """As it is given out."""
    return GlassView(
        id=glass.id,
        account_id=glass.account_id,
        opened_by=glass.opened_by,
        reason=glass.reason,
        began_at=text_of_ms(glass.began_ms),
        until=text_of_ms(glass.until_ms),
        ended_at=stamp_if(glass.ended_ms),
    )


@router.post("", status_code=201)
async def break_glass(deps: Given, caller: Asking, body: BreakGlassBody) -> GlassView:
    """Lend an account reach over everything, at once and on every node within a second. It ends by itself; managing
    accounts, roles and integrations is never lent. Only the owner may, and the audit keeps it."""
    account = caller.account if body.account_id is None else AccountId(str(body.account_id))
    glass = await deps.break_glass.open(caller, account, reason=body.reason, minutes=body.minutes)
    return glass_view(glass)


@router.get("")
async def list_break_glass(
    deps: Given, caller: Asking, limit: Limit = 50, cursor: Cursor = None
) -> GlassPage:
    """All there were, the newest first."""
    page = await deps.break_glass.list(caller, limit=limit, cursor=cursor)
    return GlassPage(items=[glass_view(glass) for glass in page.rows], cursor=page.cursor)


@router.delete("/{break_glass_id}", status_code=204)
async def end_break_glass(deps: Given, caller: Asking, break_glass_id: Id) -> None:
    """End it now. Repeating it is fine."""
    await deps.break_glass.end(caller, str(break_glass_id))
