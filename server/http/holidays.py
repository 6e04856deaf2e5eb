"""Routes of the shop's holidays (GP-06)."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from server.http.fields import Closed, Day, Name, Rev, View
from server.http.guard import Asking, Given, GuardedRoute
from server.services.revisions import revision_of
from server.store.hours import Holiday, Stretch

router = APIRouter(prefix="/v1/settings", route_class=GuardedRoute, tags=["schedules"])


class OpenBody(Closed):
    """Open hours of a holiday, in minutes since midnight in the shop's time zone; the end exclusive."""

    start_minute: Annotated[int, Field(ge=0, le=1439)]
    end_minute: Annotated[int, Field(ge=1, le=1440)]


class HolidayBody(Closed):
    """A day on which the shop is open for these hours only. None: closed all day."""

    date: Day
    name: Name
    hours: Annotated[list[OpenBody], Field(max_length=12)] = []


class HolidaysBody(Closed):
    """The whole list; it replaces what was there."""

    holidays: Annotated[list[HolidayBody], Field(max_length=1000)]
    rev: Rev


class OpenView(View):
    """Open hours of a holiday."""

    start_minute: int
    end_minute: int


class HolidayView(View):
    """A holiday. No hours: closed all day."""

    date: date
    name: str
    hours: list[OpenView]


class HolidaysView(View):
    """The shop's holidays, by date."""

    holidays: list[HolidayView]
    rev: Rev


def _view(holidays: tuple[Holiday, ...]) -> HolidaysView:
    return HolidaysView(
        holidays=[
            HolidayView(
                date=holiday.day,
                name=holiday.name,
                hours=[
                    OpenView(start_minute=part.start_minute, end_minute=part.end_minute)
                    for part in holiday.hours
                ],
            )
            for holiday in holidays
        ],
        rev=revision_of(holidays),
    )


@router.get("/holidays")
async def get_holidays(deps: Given, caller: Asking) -> HolidaysView:
    """The shop's holidays."""
    return _view(await deps.schedules.holidays(caller))


@router.put("/holidays")
async def set_holidays(deps: Given, caller: Asking, body: HolidaysBody) -> HolidaysView:
    """Replace the shop's holidays; live routing follows at once. On such a day nobody is on duty outside its hours, but
    for bots and for who has hours of their own for that very date."""
    holidays = tuple(
        Holiday(
            holiday.date,
            holiday.name,
            tuple(Stretch(part.start_minute, part.end_minute) for part in holiday.hours),
        )
        for holiday in body.holidays
    )
    return _view(await deps.schedules.set_holidays(caller, holidays, rev=body.rev))
