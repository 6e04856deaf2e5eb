"""Routes of the thresholds of supervisors' walls."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from protocol.cards import WallThresholds
from protocol.times import text_of_ms
from server.http.fields import Closed, View
from server.http.guard import Asking, Given, GuardedRoute
from server.services.wall_settings import Current, Thresholds

router = APIRouter(prefix="/v1/settings/wall", route_class=GuardedRoute, tags=["wall settings"])


class WallSettingsBody(Closed):
    """All thresholds: what is left out gets its default. `rev`: the revision that was looked at; 0: never set."""

    thresholds: Thresholds
    rev: Annotated[int, Field(ge=0, lt=2**53)]


class WallSettingsView(View):
    """The thresholds that hold."""

    thresholds: WallThresholds
    rev: int


class WallChangeView(View):
    """One change: what differs, before and after."""

    at: str
    by: str
    before: dict[str, Any]
    after: dict[str, Any]


class WallChanges(View):
    """The latest changes, the newest first."""

    items: list[WallChangeView]


def _view(current: Current) -> WallSettingsView:
    return WallSettingsView(thresholds=current.thresholds, rev=current.rev)


@router.get("")
async def get_wall_settings(deps: Given, caller: Asking) -> WallSettingsView:
    """From when on a figure on the wall deserves a look."""
    return _view(await deps.wall_settings.current(caller.shop_id))


@router.put("")
async def set_wall_settings(deps: Given, caller: Asking, body: WallSettingsBody) -> WallSettingsView:
    """Replace them; every wall shows it within two seconds. Refused when somebody was faster (409 `stale_rev`)."""
    return _view(await deps.wall_settings.replace(caller, body.thresholds, rev=body.rev))


@router.get("/history")
async def get_wall_history(deps: Given, caller: Asking) -> WallChanges:
    """Who changed what, and when."""
    return WallChanges(
        items=[
            WallChangeView(
                at=text_of_ms(change.at_ms), by=change.by, before=change.before, after=change.after
            )
            for change in await deps.wall_settings.history(caller.shop_id)
        ]
    )
