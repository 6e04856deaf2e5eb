"""What became of a customer, told to the colleagues who have them in an open conversation (GP-07)."""

from collections.abc import Sequence

from protocol.ids import CustomerId, ShopId
from server.background import Background
from server.services.delivery import Delivery
from server.services.names import KEEP_S, Names
from server.store.customer_list import CustomerList
from server.store.rows import ConversationRow

AGAIN_S = KEEP_S + 0.5
"""By then every node has forgotten what it remembered of a customer before the change."""


class CustomerNews:
    """Tells at once, and once more.

    Another node may remember the customer as they were for up to `names.KEEP_S`; if something else happens to the
    conversation there in that time, its news shows them so, with a higher revision. So they are told again, with a
    still higher one, when nobody remembers the past.
    """

    def __init__(
        self, customers: CustomerList, names: Names, delivery: Delivery, background: Background
    ) -> None:
        self._customers = customers
        self._names = names
        self._delivery = delivery
        self._background = background

    async def changed(
        self, shop: ShopId, customers: Sequence[CustomerId], talks: Sequence[ConversationRow]
    ) -> None:
        """These customers are others now; `talks` are their open conversations, with a `rev` risen by it."""
        for customer in customers:
            self._names.forget(shop, customer)
        await self._tell(talks)
        for talk in talks:
            self._delivery.retagged(talk)
        if talks:
            told = tuple(talk.customer_id for talk in talks)
            self._background.later(AGAIN_S, lambda: self._again(shop, told), "customer news")

    async def _again(self, shop: ShopId, customers: tuple[CustomerId, ...]) -> None:
        await self._tell(await self._customers.touch(shop, customers))

    async def _tell(self, talks: Sequence[ConversationRow]) -> None:
        for talk in talks:
            await self._delivery.changed_for_staff(talk)
