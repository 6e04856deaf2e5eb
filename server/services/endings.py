"""Reads and changes a shop's settings for the end of conversations."""

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import ShopId
from server.services.callers import Caller
from server.services.ending_settings import EndingSettings, faults
from server.services.revisions import check_revision, revision_of
from server.services.shops import Shops
from server.store.editing import Editing
from server.store.shops import Shops as ShopStore


class Endings:
    """The settings page."""

    def __init__(self, store: ShopStore, editing: Editing, shops: Shops) -> None:
        self._store = store
        self._editing = editing
        self._shops = shops

    async def current(self, shop: ShopId) -> EndingSettings:
        """What holds."""
        return EndingSettings.of(await self._store.endings(shop))

    async def replace(self, caller: Caller, settings: EndingSettings, *, rev: str) -> EndingSettings:
        """From now on these hold: at once on this node, within a second on the others.

        Refused: INVALID_PARAMS with every fault named; CONFLICT `stale_rev` when somebody else changed them since.
        """
        async with self._editing.of(caller.shop_id) as stored:
            holds = EndingSettings.of(await stored.shops.endings(caller.shop_id))
            check_revision(rev, revision_of(holds))
            found = faults(settings, holds)
            if found:
                raise RequestError(
                    ErrorCode.INVALID_PARAMS,
                    "invalid",
                    "Some fields are not as they must be; see errors.",
                    detail=[{"field": f"body.{field}", "problem": problem} for field, problem in found],
                )
            await stored.shops.set_endings(caller.shop_id, settings.model_dump(mode="json"))
        self._shops.forget(caller.shop_id)
        return settings
