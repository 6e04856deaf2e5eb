"""A shop's settings for the end of conversations: what became of them, and what customers say of them.

The descriptions of the fields are what the settings page and the documentation show; each default has its reason there.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from protocol.shapes import RatingReason, ResultTag, TagColour

DAY_S: Final = 24 * 60 * 60
OFFERED_MOST: Final = 10
"""Most reasons that one rating offers: more is not read by anybody who is about to leave."""

_NAMED: Final = r"^[^\x00-\x1F\x7F]*[^\s\x00-\x1F\x7F][^\x00-\x1F\x7F]*$"
"""One line with something in it."""
Language = Literal["zh-CN", "en", "zh-TW"]
Key = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class _Setting(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ResultTagSetting(_Setting):
    """A result tag. What was used once keeps its meaning: it can be renamed and archived, not removed."""

    tag_id: Key
    name: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_NAMED)]
    colour: TagColour = "grey"
    archived: bool = Field(default=False, description="Not offered any more; where it was used it is shown.")

    def shown(self) -> ResultTag:
        """As the wire has it."""
        return ResultTag(tag_id=self.tag_id, name=self.name, colour=self.colour)


class RatingReasonSetting(_Setting):
    """A reason for a rating, in one language at least; others are shown the first that is there."""

    reason_id: Key
    texts: Annotated[
        dict[Language, Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_NAMED)]],
        Field(min_length=1),
    ]
    stars_from: Annotated[int, Field(ge=1, le=5)] = 1
    stars_to: Annotated[int, Field(ge=1, le=5)] = 5
    archived: bool = Field(default=False, description="Not offered any more; where it was given it is shown.")

    def shown(self) -> RatingReason:
        """As the wire has it."""
        return RatingReason(
            reason_id=self.reason_id,
            texts={**self.texts},
            stars_from=self.stars_from,
            stars_to=self.stars_to,
        )

    def offered_with(self, rating: int) -> bool:
        """Whether customers who give this rating may choose it."""
        return not self.archived and self.stars_from <= rating <= self.stars_to


def _reason(key: str, stars: tuple[int, int], zh_cn: str, en: str, zh_tw: str) -> RatingReasonSetting:
    return RatingReasonSetting(
        reason_id=key,
        texts={"zh-CN": zh_cn, "en": en, "zh-TW": zh_tw},
        stars_from=stars[0],
        stars_to=stars[1],
    )


_BAD, _GOOD = (1, 3), (4, 5)
SEEDED: Final = (
    _reason("slow", _BAD, "回复太慢", "Slow replies", "回覆太慢"),
    _reason("unsolved", _BAD, "问题没有解决", "Not solved", "問題沒有解決"),
    _reason("unclear", _BAD, "解答不清楚", "Unclear answers", "解答不清楚"),
    _reason("unfriendly", _BAD, "服务态度不好", "Unfriendly", "服務態度不佳"),
    _reason("quick", _GOOD, "回复及时", "Quick replies", "回覆即時"),
    _reason("solved", _GOOD, "问题已解决", "Solved", "問題已解決"),
    _reason("expert", _GOOD, "解答专业", "Knew the answer", "解答專業"),
    _reason("friendly", _GOOD, "服务热情", "Friendly", "服務親切"),
)
"""What a shop offers until it says otherwise."""


class EndingSettings(_Setting):
    """How conversations end in this shop. What is absent has its default."""

    result_tags: Annotated[tuple[ResultTagSetting, ...], Field(max_length=200)] = Field(
        default=(),
        strict=False,
        description="What may have become of a conversation, in the order in which it is offered.",
    )
    result_tag_required: bool = Field(
        default=False,
        description="Whether who serves a conversation must say what became of it to end it. Managers who end somebody "
        "else's are not asked.",
    )
    undo_s: Annotated[int, Field(ge=0, le=60)] = Field(
        default=10,
        description="Seconds for which the end is offered to be taken back; so long the customer is shown nothing of "
        "it. Ten: long enough to notice a slip, short enough for who wants to rate. Never longer than wrap-up.",
    )
    rating_reasons: Annotated[tuple[RatingReasonSetting, ...], Field(max_length=100)] = Field(
        default=SEEDED,
        strict=False,
        description="Why a customer rated as they did, in the order in which it is offered.",
    )
    rating_correct_s: Annotated[int, Field(ge=0, le=30 * DAY_S)] = Field(
        default=600,
        description="Seconds for which a rating may be given anew: ten minutes for a slip of the finger, and no second "
        "thoughts after somebody called.",
    )

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "EndingSettings":
        """What a shop has stored; what this version does not know is passed over."""
        return cls.model_validate({name: value for name, value in stored.items() if name in cls.model_fields})

    def tags(self, ids: Sequence[str]) -> list[ResultTag]:
        """These result tags, in this order. One that is not known is shown by its id."""
        known = {tag.tag_id: tag.shown() for tag in self.result_tags}
        return [known.get(each) or ResultTag(tag_id=each, name=each) for each in ids]

    def reasons(self, ids: Sequence[str]) -> list[RatingReason]:
        """These reasons, in this order."""
        known = {reason.reason_id: reason.shown() for reason in self.rating_reasons}
        return [known.get(each) or RatingReason(reason_id=each, texts={}) for each in ids]


def faults(settings: EndingSettings, before: EndingSettings) -> list[tuple[str, str]]:
    """Everything that contradicts itself, and what is missing that was there: field and problem."""
    found: list[tuple[str, str]] = []
    tags, reasons = settings.result_tags, settings.rating_reasons
    found += _twice("result_tags", "tag_id", [tag.tag_id for tag in tags])
    found += _twice(
        "result_tags",
        "name",
        [f"\0{tag.tag_id}" if tag.archived else tag.name.strip().casefold() for tag in tags],
    )
    found += _twice("rating_reasons", "reason_id", [reason.reason_id for reason in reasons])
    found += _missing("result_tags", [tag.tag_id for tag in before.result_tags], [tag.tag_id for tag in tags])
    found += _missing(
        "rating_reasons",
        [reason.reason_id for reason in before.rating_reasons],
        [reason.reason_id for reason in reasons],
    )
    for n, reason in enumerate(reasons):
        if reason.stars_from > reason.stars_to:
            found.append((f"rating_reasons.{n}.stars_to", "must not be below stars_from"))
    for stars in range(1, 6):
        if sum(reason.offered_with(stars) for reason in reasons) > OFFERED_MOST:
            found.append(("rating_reasons", f"at most {OFFERED_MOST} are offered with {stars} stars"))
    if settings.result_tag_required and all(tag.archived for tag in tags):
        found.append(("result_tag_required", "there is no tag to choose"))
    return found


def _twice(field: str, member: str, values: list[str]) -> list[tuple[str, str]]:
    return [
        (f"{field}.{n}.{member}", "is there twice") for n, value in enumerate(values) if value in values[:n]
    ]


def _missing(field: str, before: list[str], now: list[str]) -> list[tuple[str, str]]:
    gone = [each for each in before if each not in now]
    return [(field, f"{each} is missing: archive it instead")] if (each := ", ".join(gone)) else []
