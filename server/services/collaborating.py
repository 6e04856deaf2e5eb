"""Reads and changes a shop's settings for working together (CO-06)."""

from protocol.ids import ShopId
from server.services.callers import Caller
from server.services.collaboration_settings import CollaborationSettings
from server.services.revisions import check_revision, revision_of
from server.services.shops import Shops
from server.store.editing import Editing
from server.store.shops import Shops as ShopStore


class Collaborating:
    """The settings page."""

    def __init__(self, store: ShopStore, editing: Editing, shops: Shops) -> None:
        self._store = store
        self._editing = editing
        self._shops = shops

    async def current(self, shop: ShopId) -> CollaborationSettings:
        """What holds."""
        return CollaborationSettings.of(await self._store.collaboration(shop))

    async def replace(
        self, caller: Caller, settings: CollaborationSettings, *, rev: str
    ) -> CollaborationSettings:
        """From now on these hold: at once on this node, within a second on the others. CONFLICT `stale_rev`."""
        async with self._editing.of(caller.shop_id) as stored:
            holds = CollaborationSettings.of(await stored.shops.collaboration(caller.shop_id))
            check_revision(rev, revision_of(holds))
            await stored.shops.set_collaboration(caller.shop_id, settings.model_dump(mode="json"))
        self._shops.forget(caller.shop_id)
        return settings
