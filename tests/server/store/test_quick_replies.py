"""Quick replies in the database: shelves, shortcuts, and many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import GroupId
from server.store.database import Database
from server.store.groups import Groups
from server.store.quick_replies import Content, QuickReplies, Shelf
from tests.server.store.world import World

SHOP = Shelf()
FH = Content("售后", "fh", "发货", "今天发货。", "fa huo", "fh")


def content(shortcut: str) -> Content:
    return replace(FH, shortcut=shortcut)


@pytest.fixture
def replies(db: Database) -> QuickReplies:
    return QuickReplies(db)


@pytest.fixture
async def north(world: World) -> GroupId:
    return (await Groups(world.db).add(world.shop, name="North")).id


async def refused(asked: Awaitable[object], reason: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        await asked
    assert caught.value.reason == reason
    return caught.value


async def test_a_shortcut_stands_once_on_each_shelf(
    world: World, replies: QuickReplies, north: GroupId
) -> None:
    shelves = [SHOP, Shelf(group_id=north), Shelf(account_id=world.ann), Shelf(account_id=world.bob)]
    for shelf in shelves:
        await replies.add(world.shop, shelf, FH, most=10)
    for shelf in shelves:
        error = await refused(replies.add(world.shop, shelf, FH, most=10), "shortcut_taken")
        assert error.code is ErrorCode.CONFLICT


async def test_each_reads_the_shops_their_groups_and_their_own(
    world: World, replies: QuickReplies, north: GroupId
) -> None:
    for number, shelf in enumerate((SHOP, Shelf(group_id=north), Shelf(account_id=world.ann))):
        await replies.add(world.shop, shelf, content(f"r{number}"), most=10)
    read = {
        "ann in north": await replies.readable(world.shop, world.ann, [north]),
        "bob in no group": await replies.readable(world.shop, world.bob, []),
        "bob over all groups": await replies.readable(world.shop, world.bob, None),
    }
    assert {who: [row.shortcut for row in rows] for who, rows in read.items()} == {
        "ann in north": ["r2", "r1", "r0"],
        "bob in no group": ["r0"],
        "bob over all groups": ["r1", "r0"],
    }


async def test_another_shop_has_none_of_it(world: World, replies: QuickReplies) -> None:
    row, _ = await replies.add(world.shop, SHOP, FH, most=10)
    other = await World.make(world.db)
    assert await replies.readable(other.shop, other.ann, None) == ()
    assert await replies.rev(other.shop) == 0
    await refused(replies.get(other.shop, row.id), "quick_reply_not_found")
    await refused(replies.change(other.shop, row.id, FH, expected_rev=1), "quick_reply_not_found")
    await refused(replies.delete(other.shop, row.id), "quick_reply_not_found")
    assert await replies.on(world.shop, SHOP) == (row,)


async def test_every_change_raises_the_revision_and_no_refusal_does(
    world: World, replies: QuickReplies
) -> None:
    row, first = await replies.add(world.shop, SHOP, FH, most=1)
    await refused(replies.add(world.shop, SHOP, content("x"), most=1), "too_many_quick_replies")
    changed, second = await replies.change(world.shop, row.id, content("f"), expected_rev=1)
    stale = await refused(replies.change(world.shop, row.id, FH, expected_rev=1), "stale_rev")
    third = await replies.delete(world.shop, row.id)
    assert (first, second, third, await replies.rev(world.shop)) == (1, 2, 3, 3)
    assert (changed.rev, changed.shortcut, stale.detail) == (2, "f", {"rev": 2})


async def test_one_without_a_shortcut_gets_a_free_one(world: World, replies: QuickReplies) -> None:
    made = [(await replies.add(world.shop, SHOP, FH, most=10, name_it=True))[0].shortcut for _ in range(3)]
    long = content("x" * 32)
    made += [(await replies.add(world.shop, SHOP, long, most=10, name_it=True))[0].shortcut for _ in range(2)]
    assert made == ["fh", "fh2", "fh3", "x" * 32, "x" * 31 + "2"]


async def test_of_many_at_once_all_come_or_none(world: World, replies: QuickReplies) -> None:
    await replies.add(world.shop, SHOP, content("a"), most=10)
    await replies.add(world.shop, SHOP, content("b"), most=10)
    many = [content("a"), replace(content("b"), text="another"), content("c")]
    before = await replies.on(world.shop, SHOP)
    rehearsed = await replies.bring(world.shop, SHOP, many, most=3, rehearse=True)
    assert await replies.on(world.shop, SHOP) == before
    await refused(replies.bring(world.shop, SHOP, many, most=2, rehearse=False), "too_many_quick_replies")
    assert await replies.on(world.shop, SHOP) == before
    brought = await replies.bring(world.shop, SHOP, many, most=3, rehearse=False)
    assert (brought.added, brought.changed, brought.same) == (1, 1, 1)
    assert (rehearsed.added, rehearsed.changed, rehearsed.same) == (1, 1, 1)
    rows = await replies.on(world.shop, SHOP)
    assert [(row.shortcut, row.text, row.rev) for row in rows] == [
        ("a", "今天发货。", 1),
        ("b", "another", 2),
        ("c", "今天发货。", 1),
    ]
    assert [row.id for row in rows[:2]] == [row.id for row in before]


async def test_many_who_write_at_once_pass_no_limit(world: World, replies: QuickReplies) -> None:
    tries = await asyncio.gather(
        *(replies.add(world.shop, SHOP, content(f"s{n}"), most=3) for n in range(8)), return_exceptions=True
    )
    assert sum(isinstance(each, RequestError) for each in tries) == 5
    assert len(await replies.on(world.shop, SHOP)) == 3
    assert await replies.rev(world.shop) == 3


async def test_what_belongs_to_a_group_goes_with_it(
    world: World, replies: QuickReplies, north: GroupId
) -> None:
    await replies.add(world.shop, Shelf(group_id=north), FH, most=10)
    await Groups(world.db).delete(world.shop, north)
    assert await replies.readable(world.shop, world.ann, None) == ()
