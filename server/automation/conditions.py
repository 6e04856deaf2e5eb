"""What a rule asks of its subject: shapes only, each with its limits. Judged in `evaluate`."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

MOST_CONDITIONS = 50
"""in one rule"""
DEEPEST = 5
"""levels of `all`, `any` and `not` above a condition, at most"""
LEAST_S, MOST_S = 1, 7 * 24 * 3600
"""bounds of everything that lasts"""
MINUTES_A_DAY = 24 * 60

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Shape(BaseModel):
    """Exactly these members, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Keyword(Shape):
    """What the customer wrote and nobody has answered yet holds one of these words: in any case, as a whole word; words
    of scripts without spaces (Chinese, Japanese, Korean, Thai ...) anywhere."""

    kind: Literal["keyword"]
    any_of: Annotated[list[Word], Field(min_length=1, max_length=100)]


class OneOf(Shape):
    """The subject is, or has, one of these: a tag of its customer, its order state, its queue pool, the group it waits
    for or whose member serves it, its class, its state."""

    kind: Literal["customer_tag", "order_state", "pool", "group", "priority", "state"]
    any_of: Annotated[list[Word], Field(min_length=1, max_length=100)]


class Longer(Shape):
    """Something has lasted at least so long: the customer waits for an answer, it waits in the queue, people work on it
    together."""

    kind: Literal["customer_waits", "in_queue", "collaboration_open"]
    longer_than_s: Annotated[int, Field(ge=LEAST_S, le=MOST_S)]


class Count(Shape):
    """A number within bounds: people who take part (its owner included), conversations that wait in the shop, how many
    of a hundred agents at work have no room."""

    kind: Literal["participants", "queue_length", "full_agents_percent"]
    at_least: Annotated[int, Field(ge=0, le=100_000)] | None = None
    at_most: Annotated[int, Field(ge=0, le=100_000)] | None = None

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is above at_most: no number is both")
        return self


class TimeOfDay(Shape):
    """From one time of day (included) to another (not included), in the shop's zone; over midnight when `until` is
    earlier. `weekdays`: on which it begins, 0 is Monday."""

    kind: Literal["time_of_day"]
    begins: Clock
    until: Clock
    weekdays: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1, max_length=7)] = [
        *range(7)
    ]

    @field_validator("weekdays")
    @classmethod
    def _once_each(cls, value: list[int]) -> list[int]:
        if len(set(value)) < len(value):
            raise ValueError("each weekday at most once")
        return sorted(value)

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.begins == self.until:
            raise ValueError("begins and until are the same: that is no time at all, or always")
        return self


class All(Shape):
    """Every one of these holds."""

    kind: Literal["all"]
    of: Annotated[list["Condition"], Field(min_length=1, max_length=MOST_CONDITIONS)]


class Any(Shape):
    """At least one of these holds."""

    kind: Literal["any"]
    of: Annotated[list["Condition"], Field(min_length=1, max_length=MOST_CONDITIONS)]


class Not(Shape):
    """This does not hold."""

    kind: Literal["not"]
    of: "Condition"


Leaf = Keyword | OneOf | Longer | Count | TimeOfDay
Condition = Annotated[
    Keyword | OneOf | Longer | Count | TimeOfDay | All | Any | Not, Field(discriminator="kind")
]
All.model_rebuild()
Any.model_rebuild()
Not.model_rebuild()


def leaves(condition: Condition, *, wanted: bool = True, path: str = "") -> Iterator[tuple[str, Leaf, bool]]:
    """Every condition that is no tree: its path (`of.0.of`), and whether its holding (True) or its not holding serves
    the rule."""
    match condition:
        case All() | Any():
            for place, part in enumerate(condition.of):
                yield from leaves(part, wanted=wanted, path=_under(path, f"of.{place}"))
        case Not():
            yield from leaves(condition.of, wanted=not wanted, path=_under(path, "of"))
        case _:
            yield path, condition, wanted


def _under(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part
