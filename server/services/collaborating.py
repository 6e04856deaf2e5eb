"""Reads and changes a shop's settings for working together (CO-06)."""

from protocol.ids import ShopId
from server.services.callers import Caller
from server.services.collaboration_settings import CollaborationSettings
from server.services.shops import Shops
from server.store.shops import Shops as ShopStore


class Collaborating:
    """The settings page."""

    def __init__(self, store: ShopStore, shops: Shops) -> None:
        self._store = store
        self._shops = shops

    async def current(self, shop: ShopId) -> CollaborationSettings:
        """What holds."""
        return CollaborationSettings.of(await self._store.collaboration(shop))

    async def replace(self, caller: Caller, settings: CollaborationSettings) -> CollaborationSettings:
        """From now on these hold: at once on this node, within a second on the others."""
        await self._store.set_collaboration(caller.shop_id, settings.model_dump(mode="json"))
        self._shops.forget(caller.shop_id)
        return settings
