"""What a shop's own backend does for the widget, done for the demo's shop page: saying who the customer is."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from server.chat.identity import IdentityKey as SigningKey
from server.chat.identity import Order, Person, identity_token
from server.demo.cast import BUYERS, LANGUAGES, Bought
from server.services.sign_in_links import SignInLinks
from server.store.shops import Shops

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Introduced:
    """A customer as the shop page shows them, and the token that makes the widget believe it (once)."""

    number: int
    count: int
    name: str
    orders: tuple[tuple[Bought, str], ...]
    """each with its title in the page's language"""
    token: str


class DemoCustomers:
    """Introduces the customers of `server.demo.cast`, to whoever may use sign-in links."""

    def __init__(self, shops: Shops, links: SignInLinks, *, now: Callable[[], float] = time.time) -> None:
        self._shops = shops
        self._links = links
        self._now = now

    async def introduce(self, slug: str, number: int, language: str, address: str) -> Introduced:
        """Customer `number`, counted around. NOT_FOUND where there is no demo, no such shop, or no identity key."""
        nothing = RequestError(ErrorCode.NOT_FOUND, "not_found", "There is nothing at this address.")
        shop = await self._shops.find(slug) if self._links.open_to(address) else None
        if shop is None:
            raise nothing
        key = next((key for key in await self._shops.identity_keys(shop.id) if key.revoked_ms is None), None)
        if key is None:
            raise nothing
        number %= len(BUYERS)
        buyer, word = BUYERS[number], LANGUAGES.index(language)
        orders = tuple((bought, bought.title[word]) for bought in buyer.orders)
        first_paid = int(self._now()) - buyer.days * DAY_S if buyer.days else None
        person = Person(
            f"shop-{buyer.key}",
            buyer.name[word],
            buyer.tags,
            tuple(Order(bought.order, bought.state, title, bought.amount) for bought, title in orders),
            first_paid,
            first_paid,
        )
        token = identity_token(SigningKey(key.kid, key.secret), slug, person)
        return Introduced(number, len(BUYERS), person.name, orders, token)
