"""Running screen shares, in Redis: who shows whom, whether they agreed, and on which session each side is (CO-04).

A share is one small hash with an end of its own; the running ones of a shop are listed in another. Any node may change
any share, each change is one script. Losing Redis ends all shares, as it ends the negotiation that they carry.
"""

from dataclasses import dataclass
from typing import Final, Literal, cast

import orjson

from protocol.ids import ConversationId, PersonId, SessionId, ShopId
from protocol.shapes import Party
from router.link import Link
from router.redis_link import LinkError, Reply
from server.services.live import routing_unavailable

State = Literal["asked", "agreed", "refused", "ended"]
Side = Literal["sharer", "viewer"]

SHOPS_KEY: Final = "pm:screens"
"""Hash: shop in which there may be a running share -> a number that grows when one begins."""
LIFE_MS: Final = 3_600_000
"""A share that no node has looked at for so long is forgotten."""
REMEMBERED_MS: Final = 60_000
"""How long one that is over can still be asked about."""
SIGNALS_MOST: Final = 100
"""Signals of one side in a window: several negotiations with all their candidates."""
WINDOW_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    """A share. The sessions are empty until their side has acted."""

    id: str
    shop_id: ShopId
    conversation_id: ConversationId
    sharer: Party
    viewer: Party
    state: State
    sharer_session: str = ""
    viewer_session: str = ""

    @property
    def people(self) -> tuple[PersonId, PersonId]:
        """Both sides, the sharer first."""
        return _person(self.sharer), _person(self.viewer)

    @property
    def with_customer(self) -> bool:
        """Whether the customer is one of the two."""
        return "customer" in (self.sharer.kind, self.viewer.kind)

    def side_of(self, person: PersonId) -> Side | None:
        """Which side somebody is; None: they have no part in it."""
        sharer, viewer = self.people
        return "sharer" if person == sharer else "viewer" if person == viewer else None


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a signal: `sent` with its number, `slow` with the ms to wait, `elsewhere`: another session of that
    person has the share; `over`: it is not agreed to, or not any more."""

    outcome: Literal["sent", "slow", "elsewhere", "over"]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Age:
    """Of a running share: ms since it began, and since each side was there."""

    began_ms: int
    sharer_away_ms: int
    viewer_away_ms: int


class Shares:
    """Shares of all shops. Redis silent: UNAVAILABLE."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def begin(self, share: Share) -> bool:
        """Keep a new share. False: this person shows their screen in that conversation already."""
        fields = (
            ("conversation", share.conversation_id),
            ("sharer", share.sharer.model_dump_json()),
            ("viewer", share.viewer.model_dump_json()),
            ("state", share.state),
            ("sharer_session", share.sharer_session),
            ("viewer_session", share.viewer_session),
        )
        args = (_name(share), share.id, LIFE_MS, *(part for field in fields for part in field))
        # Before, so that no share runs in a shop that is not listed; after, so that who looked in between sees it.
        await self._list(share.shop_id)
        begun = await self._script("screen_begin", self._keys(share), args) == b""
        await self._list(share.shop_id)
        return begun

    async def get(self, shop: ShopId, share_id: str) -> Share | None:
        """A share that runs, or has ended a moment ago."""
        try:
            found = await self._link.call("HGETALL", _key(shop, share_id))
        except LinkError:
            raise routing_unavailable() from None
        fields = {found[i].decode(): found[i + 1].decode() for i in range(0, len(found), 2)}
        if "conversation" not in fields:
            return None
        return Share(
            id=share_id,
            shop_id=shop,
            conversation_id=ConversationId(fields["conversation"]),
            sharer=Party.model_validate(orjson.loads(fields["sharer"])),
            viewer=Party.model_validate(orjson.loads(fields["viewer"])),
            state=cast("State", fields["state"]),
            sharer_session=fields["sharer_session"],
            viewer_session=fields["viewer_session"],
        )

    async def agree(self, share: Share, session: SessionId) -> str:
        """The asked side agrees on this session. `agreed`, or the state that it is in instead."""
        return (await self._script("screen_agree", (_key(share.shop_id, share.id),), (session,))).decode()

    async def end(self, share: Share, state: Literal["refused", "ended"]) -> str:
        """It is over. The state it was in until now, `asked` or `agreed`; empty: it was over already."""
        args = (_name(share), share.id, state, REMEMBERED_MS)
        return (await self._script("screen_end", self._keys(share), args)).decode()

    async def signal(self, share: Share, side: Side, session: SessionId) -> Sent:
        """A signal of one side on this session. The first session of a side that signals has the share."""
        args = (side, session, SIGNALS_MOST, WINDOW_MS)
        answer = await self._script("screen_signal", (_key(share.shop_id, share.id),), args)
        match answer[0]:
            case b"sent":
                return Sent("sent", int(answer[1]))
            case b"slow":
                return Sent("slow", int(answer[1]))
            case b"elsewhere":
                return Sent("elsewhere")
            case _:
                return Sent("over")

    async def seen(self, share: Share, *, sharer_here: bool, viewer_here: bool) -> Age | None:
        """Note which sides are at this node. None: it is over."""
        args = (str(int(sharer_here)), str(int(viewer_here)), LIFE_MS)
        answer = await self._script("screen_seen", (_key(share.shop_id, share.id),), args)
        if answer[0] not in (b"asked", b"agreed"):
            return None
        return Age(int(answer[1]), int(answer[2]), int(answer[3]))

    async def shops(self) -> dict[ShopId, int]:
        """Shops in which there may be running shares, each with its number."""
        listed = await self._link.call("HGETALL", SHOPS_KEY)
        return {ShopId(listed[i].decode()): int(listed[i + 1]) for i in range(0, len(listed), 2)}

    async def running(self, shop: ShopId, number: int) -> tuple[Share, ...]:
        """The running shares of a shop; what is listed and forgotten is taken off the list, and so is the shop, unless
        its number is another one by then."""
        listed = await self._link.call("HGETALL", _list_key(shop))
        shares: list[Share] = []
        for i in range(0, len(listed), 2):
            share = await self.get(shop, listed[i + 1].decode())
            if share is None:
                await self._link.call("HDEL", _list_key(shop), listed[i])
            else:
                shares.append(share)
        if not listed:
            await self._link.script("screen_rest", (SHOPS_KEY,), (shop, str(number)))
        return tuple(shares)

    async def _list(self, shop: ShopId) -> None:
        try:
            await self._link.call("HINCRBY", SHOPS_KEY, shop, "1")
        except LinkError:
            raise routing_unavailable() from None

    def _keys(self, share: Share) -> tuple[str, str]:
        return _key(share.shop_id, share.id), _list_key(share.shop_id)

    async def _script(self, name: str, keys: tuple[str, ...], args: tuple[str | int, ...]) -> Reply:
        try:
            return await self._link.script(name, keys, args)
        except LinkError:
            raise routing_unavailable() from None


def _key(shop: ShopId, share_id: str) -> str:
    """Hash: one share."""
    return f"pm:screen:{{{shop}}}:{share_id}"


def _list_key(shop: ShopId) -> str:
    """Hash: conversation and sharer -> share, of those that run."""
    return f"pm:screens:{{{shop}}}"


def _name(share: Share) -> str:
    return f"{share.conversation_id}/{share.sharer.id}"


def _person(party: Party) -> PersonId:
    assert party.id is not None, "both sides are people"
    return PersonId(party.id)
