"""A rule as a whole: when what holds, do what, how often, and between which instants."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from server.automation.actions import MOST_ACTIONS, Action
from server.automation.conditions import Condition, Shape, leaves
from server.automation.facts import BECOMES_FALSE, BECOMES_TRUE, UNFORESEEN, Happening, Subject

COOLDOWN_LEAST_S, COOLDOWN_MOST_S = 60, 30 * 24 * 3600

Instant = Annotated[int, Field(ge=0, lt=2**53)]
"""milliseconds since 1970 UTC"""


class Rule(Shape):
    """One rule. `cooldown_s` None: it fires once for each subject; else again, when its conditions hold that long after
    it last fired. With `valid_from_ms` or `valid_until_ms` it applies only between them, and ends by itself."""

    subject: Annotated[Subject, Field(strict=False)] = Subject.CONVERSATION
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    enabled: bool = True
    conditions: Condition
    actions: Annotated[list[Action], Field(min_length=1, max_length=MOST_ACTIONS)]
    cooldown_s: Annotated[int, Field(ge=COOLDOWN_LEAST_S, le=COOLDOWN_MOST_S)] | None = None
    valid_from_ms: Instant | None = None
    valid_until_ms: Instant | None = None

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        begins, ends = self.valid_from_ms, self.valid_until_ms
        if begins is not None and ends is not None and begins >= ends:
            raise ValueError("it would end before it begins")
        return self

    def applies(self, now_ms: int) -> bool:
        """Switched on, and between its instants."""
        return (
            self.enabled
            and (self.valid_from_ms is None or self.valid_from_ms <= now_ms)
            and (self.valid_until_ms is None or now_ms < self.valid_until_ms)
        )

    def listens_to(self) -> frozenset[Happening]:
        """After which happenings it may hold that did not before."""
        heard: frozenset[Happening] = frozenset()
        for _, leaf, wanted in leaves(self.conditions):
            heard |= (BECOMES_TRUE if wanted else BECOMES_FALSE)[leaf.kind]
        return heard

    def asks_for(self) -> frozenset[str]:
        """The kinds of condition in it."""
        return frozenset(leaf.kind for _, leaf, _ in leaves(self.conditions))

    def is_unforeseen(self) -> bool:
        """Whether it may come to hold by what happens to other subjects."""
        return not UNFORESEEN.isdisjoint(self.asks_for())
