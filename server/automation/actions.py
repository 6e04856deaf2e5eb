"""What a rule does: shapes only. Carried out in `server.services`, each so that doing it twice does it once."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from server.automation.conditions import Shape, Word

MOST_ACTIONS = 10
"""in one rule"""

AccountText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
GroupText = AccountText
People = Annotated[list[AccountText], Field(max_length=20)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class _ToSomebody(Shape):
    account_ids: People = []
    group_id: GroupText | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.account_ids and self.group_id is None and not getattr(self, "owner", False):
            raise ValueError("name somebody: account_ids or group_id")
        return self


class Invite(_ToSomebody):
    """Ask people, or a group (the first of it who joins answers for all), into the conversation (CO-01)."""

    kind: Literal["invite"]
    reason: Annotated[str, StringConstraints(max_length=500)] = ""


class Add(Shape):
    """Start a collaboration: these people take part from now on, unasked."""

    kind: Literal["add"]
    account_ids: Annotated[People, Field(min_length=1)]


class SetPriority(Shape):
    """Let a waiting conversation wait in this class: `priority` goes first."""

    kind: Literal["set_priority"]
    priority: Literal["priority", "normal"]


class Notify(_ToSomebody):
    """Tell people, or everybody of a group, or who serves the conversation (`owner`)."""

    kind: Literal["notify"]
    text: Words
    owner: bool = False


class HandOn(Shape):
    """Give the conversation to somebody, or to the member of a group with the lightest load. `stay`: who had it takes
    part from then on."""

    kind: Literal["hand_on"]
    account_id: AccountText | None = None
    group_id: GroupText | None = None
    stay: bool = False

    @model_validator(mode="after")
    def _one_receiver(self) -> Self:
        if (self.account_id is None) == (self.group_id is None):
            raise ValueError("name exactly one receiver: account_id or group_id")
        return self


class Note(Shape):
    """Leave a note for colleagues; the customer never sees it."""

    kind: Literal["note"]
    text: Words


class Tag(Shape):
    """Put tags on the customer, or take some away."""

    kind: Literal["tag"]
    add: Annotated[list[Word], Field(max_length=20)] = []
    remove: Annotated[list[Word], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.add and not self.remove:
            raise ValueError("name a tag to add or to remove")
        if both := sorted({*self.add} & {*self.remove}):
            raise ValueError(f"both added and removed: {', '.join(both)}")
        return self


Action = Annotated[
    Invite | Add | SetPriority | Notify | HandOn | Note | Tag,
    Field(discriminator="kind"),
]
