"""Nodes' last signs of life, and what was written since a while before them."""

import pytest

from server.store.contacts import Contacts, written_since
from server.store.database import Database

pytestmark = pytest.mark.req("PF-05")


async def written(db: Database, since: str | None) -> list[str]:
    rows = await db.fetch(
        f"SELECT c.node FROM node_contacts c WHERE {written_since('c', 1)} ORDER BY 1", since
    )
    return [row["node"] for row in rows]


async def test_of_a_node_that_was_never_heard_of_nothing_is_taken_to_be_new(db: Database) -> None:
    contacts = Contacts(db, kept_s=30)
    await contacts.note("one")

    assert await contacts.since("two") is None
    assert await written(db, None) == []


async def test_a_row_is_new_from_the_first_sign_of_life_on(db: Database) -> None:
    contacts = Contacts(db, kept_s=30)
    await contacts.note("before")
    await contacts.note("one")
    await contacts.note("after")

    since = await contacts.since("one")

    assert await written(db, since) == ["after", "one"]


async def test_signs_of_life_that_follow_soon_leave_the_moment_where_it_was(db: Database) -> None:
    contacts = Contacts(db, kept_s=30)
    await contacts.note("one")
    first = await contacts.since("one")
    await contacts.note("after")

    await contacts.note("one")

    assert await contacts.since("one") == first
    assert await written(db, first) == ["after", "one"]


async def test_after_long_enough_the_moment_moves_on_by_one_mark(db: Database) -> None:
    contacts = Contacts(db, kept_s=30)
    moments: list[str | None] = []
    for _ in range(3):
        await contacts.note("one")
        moments.append(await contacts.since("one"))
        await db.execute("UPDATE node_contacts SET marked_at = marked_at - interval '31 seconds'")

    first, second, third = (int(each or 0) for each in moments)
    assert first == second < third, "the mark that is due becomes the moment when the next one is set"
