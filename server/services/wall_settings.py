"""From when on a figure on the wall deserves a look: the shop's own settings, validated, with their history (KS-23).

Walls show them with the figures, so that every supervisor sees a change at once.
"""

from dataclasses import dataclass
from typing import Any, Final

from pydantic import ConfigDict, field_validator

from protocol.cards import Bounds, WallThresholds
from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ShopId
from server.services.audit import Audit
from server.services.callers import Caller
from server.store.audit import Wanted
from server.store.wall_settings import WallSettings as WallSettingsStore

ACTION: Final = "wall_settings"
"""How the database names changes of them in the audit."""
HISTORY: Final = 50
RISING: Final = (
    "queued", "waiting_s", "unanswered_s", "load_percent", "first_reply_s", "abandoned_percent",
)  # fmt: skip
FALLING: Final = ("reply_percent", "rating")
PERCENT: Final = ("reply_percent", "abandoned_percent")
RATING_MOST: Final = 5


class Thresholds(WallThresholds):
    """What somebody sets: exactly these members, and nothing that could never hold."""

    model_config = ConfigDict(extra="forbid")

    @field_validator(*RISING)
    @classmethod
    def _rises(cls, bounds: Bounds | None) -> Bounds | None:
        if bounds is not None and bounds.bad < bounds.warn:
            raise ValueError("`bad` must not be below `warn`: the more the worse")
        return bounds

    @field_validator(*FALLING)
    @classmethod
    def _falls(cls, bounds: Bounds | None) -> Bounds | None:
        if bounds is not None and bounds.bad > bounds.warn:
            raise ValueError("`bad` must not be above `warn`: the less the worse")
        return bounds

    @field_validator(*PERCENT)
    @classmethod
    def _is_percent(cls, bounds: Bounds | None) -> Bounds | None:
        if bounds is not None and max(bounds.warn, bounds.bad) > 100:
            raise ValueError("is a share: at most 100 percent")
        return bounds

    @field_validator("rating")
    @classmethod
    def _is_rating(cls, bounds: Bounds | None) -> Bounds | None:
        if bounds is not None and max(bounds.warn, bounds.bad) > RATING_MOST:
            raise ValueError("ratings are 1 to 5")
        return bounds


@dataclass(frozen=True, slots=True)
class Current:
    """What holds, and its revision; 0: never set."""

    thresholds: WallThresholds
    rev: int


@dataclass(frozen=True, slots=True)
class Change:
    """One change: who made it, when, and what was before and after of everything that differs."""

    at_ms: int
    by: str
    before: dict[str, Any]
    after: dict[str, Any]


class WallSettings:
    """Reads and changes them."""

    def __init__(self, store: WallSettingsStore, audit: Audit) -> None:
        self._store = store
        self._audit = audit

    async def current(self, shop: ShopId) -> Current:
        """What holds; what this version does not know is passed over."""
        row = await self._store.get(shop)
        if row is None:
            return Current(WallThresholds(), 0)
        return Current(WallThresholds.model_validate(row.settings), row.rev)

    async def replace(self, caller: Caller, thresholds: Thresholds, *, rev: int) -> Current:
        """From now on these hold. CONFLICT `stale_rev`: somebody was faster."""
        settings = WallThresholds.model_validate(thresholds.model_dump())
        if not await self._store.put(caller.shop_id, stored_thresholds(thresholds), rev=rev):
            now = await self.current(caller.shop_id)
            raise RequestError(
                ErrorCode.CONFLICT,
                "stale_rev",
                "These settings were changed meanwhile; look at them again.",
                detail={"rev": now.rev},
            )
        return Current(settings, rev + 1)

    async def history(self, shop: ShopId) -> tuple[Change, ...]:
        """The latest changes, the newest first."""
        page = await self._audit.search(shop, Wanted(action=ACTION), limit=HISTORY)
        return tuple(
            Change(row.at_ms, row.actor_name, _settings(row.before), _settings(row.after))
            for row in page.rows
        )


def stored_thresholds(thresholds: WallThresholds) -> dict[str, Any]:
    """As they are kept."""
    return WallThresholds.model_validate(thresholds.model_dump()).model_dump(mode="json")


def _settings(recorded: dict[str, Any] | None) -> dict[str, Any]:
    return (recorded or {}).get("settings", {})
