"""Looks for what stalls (CO-09)."""

from protocol.ids import ShopId
from server.services.alarms import Alarms
from server.services.shops import Shops
from server.sweeps.every_shop import every_shop
from server.sweeps.runner import Counts


class AlarmLooks:
    """One look at every shop; it may run on several nodes at once."""

    def __init__(self, shops: Shops, alarms: Alarms) -> None:
        self._shops = shops
        self._alarms = alarms

    async def run(self) -> Counts:
        """Counts: `raised`, `cleared`."""
        counts: Counts = {"raised": 0, "cleared": 0}

        async def look(shop: ShopId) -> None:
            for name, count in (await self._alarms.look(shop)).items():
                counts[name] += count

        await every_shop(self._shops, look)
        return counts
