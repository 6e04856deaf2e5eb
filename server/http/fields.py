"""Kinds of fields that several routes take or give, each with its limits and its example."""

import re
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from protocol.times import ms_of_moment, text_of_ms

PRINTABLE = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F]*$"
"""No control characters but tab and line ends; everything else is somebody's language, and is kept as it is."""
ONE_LINE = r"^[^\x00-\x1F\x7F]*$"

_RFC3339 = re.compile(
    r"^2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_DAY = re.compile(r"^2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")


class Closed(BaseModel):
    """A request body: exactly these members, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class View(BaseModel):
    """Something that is given out."""

    model_config = ConfigDict(frozen=True)


def _read_instant(value: object) -> datetime:
    if not isinstance(value, str) or _RFC3339.fullmatch(value) is None:
        raise ValueError("must be a time by RFC 3339 with an offset, between the years 2000 and 2199")
    return datetime.fromisoformat(value)


def _read_day(value: object) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        raise ValueError("must be a date such as 2026-12-25, between the years 2000 and 2199")
    return date.fromisoformat(value)


def stamp_if(ms: int | None) -> str | None:
    """A time of something that may not have happened, as on the wire."""
    return None if ms is None else text_of_ms(ms)


def milliseconds(instant: datetime | None) -> int | None:
    """An instant as the store keeps it."""
    return None if instant is None else ms_of_moment(instant)


Slug = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$"),
    Field(description="The shop's short name.", examples=["demo"]),
]
Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254, pattern=r"^[^@\s\x00-\x1F\x7F]+@[^@\s\x00-\x1F\x7F]+$"),
    Field(examples=["lin@example.com"]),
]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=ONE_LINE), Field(examples=["林小姐"])
]
Password = Annotated[
    str, StringConstraints(min_length=1, max_length=128), Field(json_schema_extra={"format": "password"})
]
Secret = Annotated[
    str, StringConstraints(min_length=1, max_length=16 * 1024, pattern=r"^[A-Za-z0-9_.~+/=-]+$")
]
"""A token of ours or of the shop's backend."""
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=ONE_LINE)]
Note = Annotated[str, StringConstraints(max_length=500, pattern=PRINTABLE)]
RoleName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$"), Field(examples=["agent", "night_shift"])
]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:~@-]+$")]
Instant = Annotated[
    datetime,
    BeforeValidator(_read_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _RFC3339.pattern}),
    Field(description="RFC 3339 with an offset.", examples=["2026-11-22T08:00:00.000Z"]),
]
Day = Annotated[
    date,
    BeforeValidator(_read_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": _DAY.pattern}),
]
"""A date of the shop's calendar, as in `2026-12-25`."""
Rev = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9a-f]{16}|none)$"),
    Field(
        description="`rev` of what was read before; `none`: it was not there. Made from anything but what holds, the "
        "change is refused (409 `stale_rev`), and the refusal names who was faster.",
    ),
]
Id = Annotated[UUID, Path(description="An id of ours.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Most entries of the page.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=r"^[A-Za-z0-9_=-]+$",
        description="`cursor` of the page before; absent: the first.",
    ),
]
