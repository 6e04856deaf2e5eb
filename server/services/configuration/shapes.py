"""What stands in the file: sections, each as people write it. A section that is left out stays as it is in the shop."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from protocol.rights import Right
from server.services.collaboration_settings import CollaborationSettings
from server.services.ending_settings import EndingSettings
from server.services.wall_settings import Thresholds

FORMAT: Final = 1
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ORIGIN: Final = r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$|^https?://\[[0-9a-f:]+\](:[0-9]{1,5})?$"
_STRETCH: Final = re.compile(r"([0-4][0-9]):([0-5][0-9])-([0-4][0-9]):([0-5][0-9])(?: (.+))?", re.DOTALL)

Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1F\x7F]*$")]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254)]
Role = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Day = Annotated[str, StringConstraints(pattern=r"^2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Hours = Annotated[
    str,
    StringConstraints(pattern=r"^[0-4][0-9]:[0-5][0-9]-[0-4][0-9]:[0-5][0-9]( .+)?$"),
    Field(description="`09:00-18:00`, past midnight `22:00-30:00`; then the group, if it is for one alone."),
]
Origin = Annotated[str, StringConstraints(max_length=255, pattern=ORIGIN)]
Text = Annotated[str, StringConstraints(max_length=20_000)]


class Shape(BaseModel):
    """Exactly these members, of exactly these types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Group(Shape):
    """A group and its members, by e-mail."""

    kind: Literal["region", "product_line", "customer_type", "other"] = "other"
    members: list[Email] = []


class RoleGrants(Shape):
    """What a role grants: right and reach. Built-in roles only where the shop changed them."""

    name: Annotated[str, StringConstraints(max_length=80, pattern=r"^[^\x00-\x1F\x7F]*$")] = ""
    grants: dict[str, str]


class DatedHours(Shape):
    """What somebody works on one date instead of the week. No hours: off."""

    hours: list[Hours] = []
    note: Annotated[str, StringConstraints(max_length=500)] = ""


class Schedule(Shape):
    """The hours of one account. No week: always on duty."""

    week: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], list[Hours]] = {}
    dates: dict[Day, DatedHours] = {}


class Holiday(Shape):
    """A day on which the shop is open for these hours only; none: closed."""

    name: Name
    hours: list[Hours] = []


class Files(Shape):
    """Kinds of files that may be sent."""

    kinds: list[str]


class Reply(Shape):
    """A quick reply; its shortcut is its name."""

    title: Text
    text: Text
    folder: Text = ""


class Replies(Shape):
    """Quick replies of the shop and of groups, by shortcut."""

    shop: dict[str, Reply] = {}
    groups: dict[str, dict[str, Reply]] = {}


class Origins(Shape):
    """From where browsers may connect."""

    widget: Annotated[list[Origin], Field(max_length=200)]
    desk: Annotated[list[Origin], Field(max_length=200)]


class Widget(Shape):
    """How customers come in, and from where."""

    identity_mode: Literal["off", "report", "enforce"]
    anonymous_allowed: bool
    origins: Origins


class Document(Shape):
    """The whole file."""

    format: Literal[1]
    groups: Annotated[dict[Name, Group] | None, Field(max_length=1000)] = None
    roles: dict[Role, RoleGrants] | None = None
    routing: dict[str, Any] | None = None
    schedules: dict[Email, Schedule] | None = None
    holidays: Annotated[dict[Day, Holiday] | None, Field(max_length=1000)] = None
    files: Files | None = None
    endings: EndingSettings | None = None
    collaboration: CollaborationSettings | None = None
    wall: Thresholds | None = None
    rules: Annotated[list[dict[str, Any]] | None, Field(max_length=100)] = None
    quick_replies: Replies | None = None
    widget: Widget | None = None


SECTIONS: Final[dict[str, tuple[Right, Right, str]]] = {
    "groups": (Right.SETTINGS_VIEW, Right.ROUTING, "Groups, and who is in them (accounts by e-mail)."),
    "roles": (Right.ROLES, Right.ROLES, "Roles of the shop's own, and built-in ones that it changed."),
    "routing": (
        Right.SETTINGS_VIEW,
        Right.ROUTING,
        "Who gets which customer, and what the workbench goes by. Times in seconds.",
    ),
    "schedules": (
        Right.SETTINGS_VIEW,
        Right.AGENT_MANAGE,
        "Working hours. Nobody who is not named here has hours: always on duty.",
    ),
    "holidays": (Right.SETTINGS_VIEW, Right.ROUTING, "Days on which the shop is closed, or open for less."),
    "files": (Right.SETTINGS_VIEW, Right.ROUTING, "Kinds of files that may be sent."),
    "endings": (Right.SETTINGS_VIEW, Right.ROUTING, "Result tags, taking an end back, reasons for ratings."),
    "collaboration": (Right.SETTINGS_VIEW, Right.ROUTING, "Working together in one conversation."),
    "wall": (Right.SETTINGS_VIEW, Right.ROUTING, "From when on a figure on the wall deserves a look."),
    "rules": (Right.RULES, Right.RULES, "Automation rules, in their order."),
    "quick_replies": (Right.REPLIES, Right.REPLIES, "Quick replies of the shop and of groups, by shortcut."),
    "widget": (Right.SETTINGS_VIEW, Right.INTEGRATION, "How customers come in, and from where."),
}
"""Section -> the right to see it, the right to change it, and what the file says above it; in the order of the file."""


def stretch(text: str) -> tuple[int, int, str | None]:
    """Minutes of beginning and end, and the group's name."""
    found = _STRETCH.fullmatch(text)
    assert found is not None, "the shape has seen it"
    begins, from_, ends, until, group = found.groups()
    return int(begins) * 60 + int(from_), int(ends) * 60 + int(until), group


def stretch_text(start: int, end: int, group: str | None) -> str:
    """The same as it is written."""
    clock = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    return clock if group is None else f"{clock} {group}"
