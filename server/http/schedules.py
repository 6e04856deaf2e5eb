"""Routes of working hours (GP-06)."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from protocol.ids import AccountId, GroupId
from server.http.fields import Closed, Id, View
from server.http.guard import Asking, Given, GuardedRoute
from server.store.groups import Shift

router = APIRouter(prefix="/v1/accounts", route_class=GuardedRoute, tags=["schedules"])

Minute = Annotated[int, Field(ge=0, le=1440, description="Minutes since midnight in the shop's time zone.")]


class HoursBody(Closed):
    """One stretch of a week in which the account serves a group, or all its groups (`group_id` null)."""

    weekday: Annotated[int, Field(ge=0, le=6, description="0 Monday to 6 Sunday.")]
    start_minute: Minute
    end_minute: Minute
    group_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None = None


class ScheduleBody(Closed):
    """The whole week; it replaces what was there. Empty: always on duty."""

    hours: Annotated[list[HoursBody], Field(max_length=500)]


class HoursView(View):
    """One stretch of a week."""

    weekday: int
    start_minute: int
    end_minute: int
    group_id: str | None


class ScheduleView(View):
    """The week of an account. Empty: always on duty."""

    hours: list[HoursView]


def _view(hours: tuple[Shift, ...]) -> ScheduleView:
    return ScheduleView(
        hours=[
            HoursView(
                weekday=h.weekday, start_minute=h.start_minute, end_minute=h.end_minute, group_id=h.group_id
            )
            for h in hours
        ]
    )


@router.get("/{account_id}/schedules")
async def get_schedule(deps: Given, caller: Asking, account_id: Id) -> ScheduleView:
    """When an account is on duty, and for which groups."""
    return _view(await deps.schedules.get(caller, AccountId(str(account_id))))


@router.put("/{account_id}/schedules")
async def set_schedule(deps: Given, caller: Asking, account_id: Id, body: ScheduleBody) -> ScheduleView:
    """Set the whole week; live routing follows at once. Refused when a stretch ends before it begins, overlaps another
    one for the same group, or names a group that the account is not a member of."""
    hours = tuple(
        Shift(h.weekday, h.start_minute, h.end_minute, None if h.group_id is None else GroupId(h.group_id))
        for h in body.hours
    )
    return _view(await deps.schedules.set(caller, AccountId(str(account_id)), hours))
