"""Routes of working hours (GP-06): the week, single dates, duty by hand."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from protocol.ids import AccountId, GroupId
from protocol.times import text_of_ms
from server.http.fields import Closed, Day, Id, Instant, Note, Rev, View, milliseconds, stamp_if
from server.http.guard import Asking, Given, GuardedRoute
from server.services.schedules import DutyNow, dated_rev, week_rev
from server.store.groups import Shift
from server.store.hours import FIRST_DAY, LAST_DAY, ByHand, DatedDay, Stretch

router = APIRouter(prefix="/v1/accounts", route_class=GuardedRoute, tags=["schedules"])

Start = Annotated[int, Field(ge=0, le=1439, description="Minutes since midnight in the shop's time zone.")]
End = Annotated[
    int,
    Field(
        ge=1, le=2879, description="The same, exclusive; above 1440 on the day after: 06:00 there is 1800."
    ),
]
DayInPath = Annotated[Day, Path(description="A date of the shop's calendar.")]


class StretchBody(Closed):
    """One stretch in which the account serves a group, or all its groups (`group_id` null)."""

    start_minute: Start
    end_minute: End
    group_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None = None

    @property
    def group(self) -> GroupId | None:
        """The group; None: all."""
        return None if self.group_id is None else GroupId(self.group_id)


class HoursBody(StretchBody):
    """One stretch of a week; it belongs to the day on which it begins."""

    weekday: Annotated[int, Field(ge=0, le=6, description="0 Monday to 6 Sunday.")]


class ScheduleBody(Closed):
    """The whole week; it replaces what was there. Empty: always on duty."""

    hours: Annotated[list[HoursBody], Field(max_length=500)]
    rev: Rev


class HoursView(View):
    """One stretch of a week."""

    weekday: int
    start_minute: int
    end_minute: int
    group_id: str | None


class ScheduleView(View):
    """The week of an account. Empty: always on duty."""

    hours: list[HoursView]
    rev: Rev


def _view(hours: tuple[Shift, ...]) -> ScheduleView:
    return ScheduleView(
        hours=[
            HoursView(
                weekday=h.weekday, start_minute=h.start_minute, end_minute=h.end_minute, group_id=h.group_id
            )
            for h in hours
        ],
        rev=week_rev(hours),
    )


class DatedBody(Closed):
    """What an account works on one date, instead of its week and of any holiday. Nothing: off that day."""

    hours: Annotated[list[StretchBody], Field(max_length=50)]
    note: Note = ""
    rev: Rev


class StretchView(View):
    """One stretch of a day."""

    start_minute: int
    end_minute: int
    group_id: str | None


class DatedView(View):
    """What an account works on one date. No hours: off that day."""

    date: date
    hours: list[StretchView]
    note: str
    rev: Rev


class DatedList(View):
    """Dates that override the week, in order."""

    items: list[DatedView]


class DutyBody(Closed):
    """On or off duty, whatever the schedule says."""

    on_duty: bool
    until: Annotated[Instant | None, Field(description="Null: until it is taken back.")] = None
    reason: Note = ""


class ByHandView(View):
    """Who said so, and until when."""

    on_duty: bool
    until: str | None
    reason: str
    by: str | None
    at: str


class DutyView(View):
    """How it stands with an account now."""

    on_duty: bool
    groups: list[str] = Field(description="Groups served now.")
    until: str | None = Field(description="When that changes next; null: not within a month.")
    by_hand: ByHandView | None = Field(description="Null: the schedule decides.")


def _stretches(hours: Sequence[Stretch]) -> list[StretchView]:
    return [
        StretchView(start_minute=h.start_minute, end_minute=h.end_minute, group_id=h.group_id) for h in hours
    ]


def _dated(day: DatedDay) -> DatedView:
    return DatedView(date=day.day, hours=_stretches(day.hours), note=day.note, rev=dated_rev(day))


def _duty(now: DutyNow) -> DutyView:
    by_hand = now.by_hand
    return DutyView(
        on_duty=now.duty.on,
        groups=list(now.duty.groups),
        until=stamp_if(now.duty.until_ms),
        by_hand=None
        if by_hand is None
        else ByHandView(
            on_duty=by_hand.on_duty,
            until=stamp_if(by_hand.until_ms),
            reason=by_hand.reason,
            by=by_hand.by,
            at=text_of_ms(by_hand.set_ms),
        ),
    )


@router.get("/{account_id}/schedules")
async def get_schedule(deps: Given, caller: Asking, account_id: Id) -> ScheduleView:
    """When an account is on duty, and for which groups."""
    return _view(await deps.schedules.get(caller, AccountId(str(account_id))))


@router.put("/{account_id}/schedules")
async def set_schedule(deps: Given, caller: Asking, account_id: Id, body: ScheduleBody) -> ScheduleView:
    """Set the whole week; live routing follows at once. Refused when a stretch ends before it begins, is longer than a
    day, overlaps another one for the same group, or names a group that the account is not a member of."""
    hours = tuple(Shift(h.weekday, h.start_minute, h.end_minute, h.group) for h in body.hours)
    return _view(await deps.schedules.set(caller, AccountId(str(account_id)), hours, rev=body.rev))


@router.get("/{account_id}/dates")
async def list_dates(
    deps: Given,
    caller: Asking,
    account_id: Id,
    first: Annotated[Day, Query(alias="from", description="The first date.")] = FIRST_DAY,
    last: Annotated[Day, Query(alias="to", description="The last date, included.")] = LAST_DAY,
) -> DatedList:
    """The dates on which an account works other hours than its week's."""
    days = await deps.schedules.dated(caller, AccountId(str(account_id)), first, last)
    return DatedList(items=[_dated(day) for day in days])


@router.put("/{account_id}/dates/{day}")
async def set_date(deps: Given, caller: Asking, account_id: Id, day: DayInPath, body: DatedBody) -> DatedView:
    """Set what an account works on a date: other hours, or nothing (off). It goes above the week and above holidays;
    live routing follows at once. Refused like a week."""
    hours = tuple(Stretch(h.start_minute, h.end_minute, h.group) for h in body.hours)
    given = DatedDay(AccountId(str(account_id)), day, body.note, hours)
    return _dated(await deps.schedules.set_dated(caller, given, rev=body.rev))


@router.delete("/{account_id}/dates/{day}", status_code=204)
async def delete_date(deps: Given, caller: Asking, account_id: Id, day: DayInPath) -> None:
    """Let the week decide about a date again."""
    await deps.schedules.delete_dated(caller, AccountId(str(account_id)), day)


@router.get("/{account_id}/duty")
async def get_duty(deps: Given, caller: Asking, account_id: Id) -> DutyView:
    """Whether an account is on duty now, for which groups, and until when."""
    return _duty(await deps.schedules.duty(caller, AccountId(str(account_id))))


@router.put("/{account_id}/duty")
async def set_duty(deps: Given, caller: Asking, account_id: Id, body: DutyBody) -> DutyView:
    """Put an account on or off duty by hand, until a time or until it is taken back; live routing follows at once."""
    given = ByHand(
        AccountId(str(account_id)), body.on_duty, milliseconds(body.until), body.reason, caller.account_id
    )
    return _duty(await deps.schedules.set_by_hand(caller, given))


@router.delete("/{account_id}/duty")
async def end_duty(deps: Given, caller: Asking, account_id: Id) -> DutyView:
    """Let the schedule decide again."""
    return _duty(await deps.schedules.end_by_hand(caller, AccountId(str(account_id))))
