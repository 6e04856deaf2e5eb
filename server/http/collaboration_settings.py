"""Routes of the shop's settings for working together (CO-06)."""

from fastapi import APIRouter

from server.http.guard import Asking, Given, GuardedRoute
from server.services.collaboration_settings import CollaborationSettings

router = APIRouter(prefix="/v1/settings", route_class=GuardedRoute, tags=["collaboration settings"])


@router.get("/collaboration")
async def get_collaboration(deps: Given, caller: Asking) -> CollaborationSettings:
    """How colleagues work together in this shop."""
    return await deps.collaborating.current(caller.shop_id)


@router.put("/collaboration")
async def set_collaboration(
    deps: Given, caller: Asking, body: CollaborationSettings
) -> CollaborationSettings:
    """Replace the settings; what is left out gets its default. In force within a second, everywhere."""
    return await deps.collaborating.replace(caller, body)
