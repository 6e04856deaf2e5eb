"""Routes of the shop's settings for working together (CO-06)."""

from fastapi import APIRouter

from server.http.fields import Rev
from server.http.guard import Asking, Given, GuardedRoute
from server.services.collaboration_settings import CollaborationSettings
from server.services.revisions import revision_of

router = APIRouter(prefix="/v1/settings", route_class=GuardedRoute, tags=["collaboration settings"])


class Collaboration(CollaborationSettings):
    """The settings, and the revision that they have, or that they were made from."""

    rev: Rev


def _view(settings: CollaborationSettings) -> Collaboration:
    return Collaboration(**settings.model_dump(), rev=revision_of(settings))


@router.get("/collaboration")
async def get_collaboration(deps: Given, caller: Asking) -> Collaboration:
    """How colleagues work together in this shop."""
    return _view(await deps.collaborating.current(caller.shop_id))


@router.put("/collaboration")
async def set_collaboration(deps: Given, caller: Asking, body: Collaboration) -> Collaboration:
    """Replace the settings; what is left out gets its default. In force within a second, everywhere."""
    settings = CollaborationSettings(**body.model_dump(exclude={"rev"}))
    return _view(await deps.collaborating.replace(caller, settings, rev=body.rev))
