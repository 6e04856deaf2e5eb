"""Routes of the shop's settings for the end of conversations."""

from fastapi import APIRouter

from server.http.guard import Asking, Given, GuardedRoute
from server.services.ending_settings import EndingSettings

router = APIRouter(prefix="/v1/settings", route_class=GuardedRoute, tags=["ending settings"])


@router.get("/endings")
async def get_endings(deps: Given, caller: Asking) -> EndingSettings:
    """How conversations end in this shop: result tags, undoing, reasons for ratings."""
    return await deps.endings.current(caller.shop_id)


@router.put("/endings")
async def set_endings(deps: Given, caller: Asking, body: EndingSettings) -> EndingSettings:
    """Replace the settings; what is left out gets its default. Tags and reasons that were there once can be archived,
    not left out. In force within a second, everywhere."""
    return await deps.endings.replace(caller, body)
