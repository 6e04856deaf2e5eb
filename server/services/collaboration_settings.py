"""A shop's settings for working together (CO-06).

The descriptions of the fields are what the settings page and the documentation show; each default has its reason there.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S


class CollaborationSettings(BaseModel):
    """How colleagues work together in this shop. What is absent has its default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    agents_see_watchers: bool = Field(
        default=False,
        description="Whether those who serve a conversation see who watches it. Off: watching is silent, as "
        "supervisors expect of it (CO-12); switch it on where staff must be told.",
    )
    participants_max: Annotated[int, Field(ge=1, le=200)] = Field(
        default=50,
        description="Most collaborators in one conversation, beside its owner and supervisors. Everybody hears every "
        "word, so each costs: 50 is far above what a customer can follow.",
    )
    watchers_max: Annotated[int, Field(ge=1, le=200)] = Field(
        default=20, description="Most who watch one conversation at once: a training class, not a department."
    )
    invitations_max: Annotated[int, Field(ge=1, le=500)] = Field(
        default=200, description="Most people who are asked into one conversation at once: a large group."
    )
    invitation_s: Annotated[int, Field(ge=10, le=DAY_S)] = Field(
        default=10 * MINUTE_S,
        description="Seconds until an invitation that nobody answers ends. A customer waits meanwhile: ten minutes.",
    )
    stalled_after_s: Annotated[int, Field(ge=30, le=7 * DAY_S)] = Field(
        default=15 * MINUTE_S,
        description="Seconds without any word or work, or without an answer to the customer, after which a "
        "collaboration has stalled and managers are told (CO-09). Longer than an invitation holds, so that a pending "
        "one does not raise it.",
    )
    items_max: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=100,
        description="Most pieces of work in one conversation (CO-08). More than can be read is no division of work.",
    )

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "CollaborationSettings":
        """What a shop has stored; what this version does not know is passed over."""
        return cls.model_validate({name: value for name, value in stored.items() if name in cls.model_fields})
