"""Quick replies reach the desks that are open: two agents, on different nodes."""

import pytest

from protocol.client.subscription import Subscription
from protocol.events import QuickRepliesChanged
from protocol.ids import AccountId
from protocol.states import Role
from server.services.callers import Caller
from server.services.quick_reply_text import draft_of
from server.store.quick_replies import Shelf
from tests.scenarios.house import House, Person, Shop


async def caller(shop: Shop, person: Person) -> Caller:
    row = await shop.app.account_store.get(shop.id, AccountId(person.id))
    return Caller(shop.id, row.name, row.id, row.roles)


async def hears(ear: Subscription) -> int:
    """The next revision that somebody hears of."""
    frame = await ear.next("quick_replies.changed")
    assert isinstance(frame.params, QuickRepliesChanged)
    return frame.params.rev


@pytest.mark.req("PF-03", "PF-04")
async def test_a_new_quick_reply_is_at_every_open_desk(house: House) -> None:
    shop = await house.shop()
    boss = await shop.account("Boss", Role.OWNER)
    owner = Caller(shop.id, boss.name, boss.id, boss.roles)
    ann, bob = await shop.agent("Ann"), await shop.agent("Bob")
    to_ann, to_bob = ann.client.subscribe(), bob.client.subscribe()
    replies = shop.app.web.state.deps.quick_replies

    made = await replies.add(owner, Shelf(), draft_of("", "", "发货", "{customer}您好，今天发货。"))

    assert (await hears(to_ann), await hears(to_bob)) == (1, 1)
    for agent in (ann, bob):
        library = await replies.library(await caller(shop, agent), to_edit=False)
        assert (library.rev, library.rows, library.editable(made)) == (1, (made,), False)

    # What somebody keeps for themselves is told to nobody else.
    own = Shelf(account_id=AccountId(ann.id))
    await replies.add(await caller(shop, ann), own, draft_of("", "", "再见", "再见！"))
    assert await hears(to_ann) == 2
    await replies.delete(owner, made.id)
    assert await hears(to_bob) == 3
    assert (await replies.library(await caller(shop, bob), to_edit=False)).rows == ()
