"""Who is in a conversation and what became of it, by name: what its staff are shown beside what its row says."""

from collections.abc import Iterable
from dataclasses import dataclass

from protocol.ids import AccountId, ShopId
from protocol.shapes import Participant, Party, RatingReason, ResultTag, Returning
from protocol.times import text_of_ms
from server.services.names import Names
from server.services.shops import Shops
from server.store.rows import ConversationRow, CustomerRow


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of a conversation, and what was said of it. All but the owner and the rating are for staff only."""

    owner: Party | None
    """in charge; None while it waits"""
    participants: tuple[Participant, ...] = ()
    watchers: tuple[Party, ...] = ()
    """nobody, unless the shop shows them to those who serve"""
    looked_after_by: Party | None = None
    """the customer's own colleague (GP-07)"""
    returning: Returning | None = None
    """the customer's last contact, when it was within the sticky window before the conversation was opened"""
    result_tags: tuple[ResultTag, ...] = ()
    rating_reasons: tuple[RatingReason, ...] = ()
    """for the customer too: they gave them"""


class Casts:
    """Finds names. Asks the database only for what was not asked lately."""

    def __init__(self, names: Names, shops: Shops) -> None:
        self._names = names
        self._shops = shops

    async def of(self, row: ConversationRow, customer: CustomerRow) -> Cast:
        """Everybody, as colleagues see them."""
        owner = None if row.owner_id is None else await self._names.party(row.shop_id, row.owner_id)
        returning = None if row.returning_ms is None else await self._returning(row, row.returning_ms)
        if not (row.collaborators or row.supervisors or row.watchers or customer.owner_id or _said(row)):
            return Cast(owner, returning=returning)
        shown = bool(row.watchers) and await self.watchers_shown(row.shop_id)
        return Cast(
            owner,
            (
                *await self._participants(row.shop_id, row.collaborators, "collaborator"),
                *await self._participants(row.shop_id, row.supervisors, "supervisor"),
            ),
            await self.parties(row.shop_id, row.watchers) if shown else (),
            None if customer.owner_id is None else await self._names.party(row.shop_id, customer.owner_id),
            returning,
            await self._result(row),
            await self._reasons(row),
        )

    async def for_customer(self, row: ConversationRow) -> Cast:
        """Who serves, and what the customer said of it themselves."""
        owner = None if row.owner_id is None else await self._names.party(row.shop_id, row.owner_id)
        return Cast(owner, rating_reasons=await self._reasons(row))

    async def watchers_shown(self, shop: ShopId) -> bool:
        """Whether those who serve see who watches."""
        return (await self._shops.get(shop)).collaboration.agents_see_watchers

    async def parties(self, shop: ShopId, people: Iterable[AccountId]) -> tuple[Party, ...]:
        """These accounts, in this order."""
        return tuple([await self._names.party(shop, person) for person in people])

    async def _returning(self, row: ConversationRow, at_ms: int) -> Returning | None:
        window_s = (await self._shops.get(row.shop_id)).policy.sticky_window_s
        if row.returning_agent_id is None or row.opened_ms - at_ms > window_s * 1000:
            return None
        return Returning(
            agent=await self._names.party(row.shop_id, row.returning_agent_id), at=text_of_ms(at_ms)
        )

    async def _result(self, row: ConversationRow) -> tuple[ResultTag, ...]:
        if not row.result_tags:
            return ()
        return tuple((await self._shops.get(row.shop_id)).endings.tags(row.result_tags))

    async def _reasons(self, row: ConversationRow) -> tuple[RatingReason, ...]:
        if not row.rating_reasons:
            return ()
        return tuple((await self._shops.get(row.shop_id)).endings.reasons(row.rating_reasons))

    async def _participants(
        self, shop: ShopId, people: Iterable[AccountId], role: str
    ) -> tuple[Participant, ...]:
        return tuple(
            Participant.model_validate({"person": party, "role": role})
            for party in await self.parties(shop, people)
        )


def _said(row: ConversationRow) -> bool:
    """Whether anything was said of how it went."""
    return bool(row.result_tags or row.rating_reasons)
