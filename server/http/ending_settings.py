"""Routes of the shop's settings for the end of conversations."""

from fastapi import APIRouter

from server.http.fields import Rev
from server.http.guard import Asking, Given, GuardedRoute
from server.services.ending_settings import EndingSettings
from server.services.revisions import revision_of

router = APIRouter(prefix="/v1/settings", route_class=GuardedRoute, tags=["ending settings"])


class Endings(EndingSettings):
    """The settings, and the revision that they have, or that they were made from."""

    rev: Rev


def _view(settings: EndingSettings) -> Endings:
    return Endings(**settings.model_dump(), rev=revision_of(settings))


@router.get("/endings")
async def get_endings(deps: Given, caller: Asking) -> Endings:
    """How conversations end in this shop: result tags, undoing, reasons for ratings."""
    return _view(await deps.endings.current(caller.shop_id))


@router.put("/endings")
async def set_endings(deps: Given, caller: Asking, body: Endings) -> Endings:
    """Replace the settings; what is left out gets its default. Tags and reasons that were there once can be archived,
    not left out. In force within a second, everywhere."""
    settings = EndingSettings(**body.model_dump(exclude={"rev"}))
    return _view(await deps.endings.replace(caller, settings, rev=body.rev))
