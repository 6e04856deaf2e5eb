"""`change_roster`: who takes part, whatever happens at once."""

import asyncio
from typing import Any

import pytest

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, GroupId, new_id
from protocol.states import Role
from server.store.database import Database
from server.store.groups import Groups
from server.store.invitations import Invitations
from server.store.log import Log
from server.store.participants import Participants, RosterChange
from tests.server.store.world import World

HOUR_MS = 3_600_000


@pytest.fixture
def roster(db: Database) -> Participants:
    return Participants(db)


class Hand:
    """Changes the roster of `talk`, in few words."""

    def __init__(self, world: World, roster: Participants) -> None:
        self._world = world
        self._roster = roster

    async def __call__(self, verb: Any, *people: AccountId, **facts: Any) -> RosterChange:
        if verb == "invite":
            facts.setdefault("for_ms", HOUR_MS)
        if verb == "join":
            facts.setdefault("role", "collaborator")
        return await self._roster.change("n1", self._world.shop, self._world.talk, verb, people, **facts)

    async def refused(self, verb: Any, *people: AccountId, **facts: Any) -> tuple[ErrorCode, str]:
        with pytest.raises(RequestError) as refused:
            await self(verb, *people, **facts)
        return refused.value.code, refused.value.reason


@pytest.fixture
def change(world: World, roster: Participants) -> Hand:
    return Hand(world, roster)


async def crowd(world: World, size: int) -> list[AccountId]:
    return [await world.account(f"agent{n}", Role.AGENT) for n in range(size)]


async def log_of(world: World) -> list[tuple[int, str | None]]:
    rows = await world.db.fetch(
        "SELECT seq, body ->> 'event' AS event FROM messages WHERE conversation_id = $1 ORDER BY seq",
        world.talk,
    )
    return [(row["seq"], row["event"]) for row in rows]


@pytest.mark.req("CO-01")
async def test_an_invitation_a_join_and_a_leave_are_in_row_log_and_history(
    world: World, log: Log, change: Hand, roster: Participants
) -> None:
    await world.assign(log, world.ann)
    await change("invite", world.bob, by=world.ann, reason="knows the printer")
    row = (await change("join", world.bob)).conversation
    assert (row.collaborators, row.invited, row.owner_id) == ((world.bob,), (), world.ann)
    assert row.collaboration_since_ms is not None
    row = (await change("leave", world.bob)).conversation
    assert (row.collaborators, row.collaboration_since_ms) == ((), None)
    assert row == await world.now()
    assert await log_of(world) == [(1, "assigned"), (2, "invited"), (3, "joined"), (4, "left")]
    (part,) = await roster.of_conversation(world.shop, world.talk)
    assert (part.role, part.ended_by, part.invited_by) == ("collaborator", "left", world.ann)


@pytest.mark.req("CO-05")
async def test_nothing_of_it_has_a_number_for_the_customer(world: World, log: Log, change: Hand) -> None:
    await world.assign(log, world.ann)
    before = await world.now()
    await change("invite", world.bob)
    await change("join", world.bob)
    await change("remove", world.bob)
    after = await world.now()
    assert (after.customer_rev, after.customer_head_seq) == (before.customer_rev, before.customer_head_seq)
    assert (after.rev, after.head_seq) == (before.rev + 3, before.head_seq + 3)


async def test_a_repeat_with_the_same_name_does_nothing(world: World, log: Log, change: Hand) -> None:
    await world.assign(log, world.ann)
    first = await change("join", world.bob, once="rule:1")
    await change("leave", world.bob)
    again = await change("join", world.bob, once="rule:1")
    assert (again.duplicate, again.moved) == (True, ())
    assert again.entry is not None and first.entry is not None
    assert (again.entry.seq, again.entry.message_id) == (first.entry.seq, first.entry.message_id)
    assert (await world.now()).collaborators == ()


@pytest.mark.parametrize("verb", ["leave", "remove", "decline", "expire"])
async def test_what_is_so_already_changes_nothing(world: World, log: Log, change: Hand, verb: str) -> None:
    before = (await world.assign(log, world.ann)).conversation
    done = await change(verb, *(() if verb == "expire" else (world.bob,)))
    assert (done.moved, done.released, done.entry, done.conversation) == ((), (), None, before)


@pytest.mark.req("CO-01")
async def test_fifty_who_join_at_once_are_all_in_once_and_no_more_than_allowed(
    world: World, log: Log, change: Hand
) -> None:
    await world.assign(log, world.ann)
    people = await crowd(world, 50)

    async def joins(person: AccountId) -> str:
        try:
            await change("join", person, most=30)
        except RequestError as error:
            return error.reason
        return "in"

    outcomes = await asyncio.gather(*(joins(person) for person in people for _ in range(2)))

    row = await world.now()
    assert len(row.collaborators) == len(set(row.collaborators)) == 30
    assert sorted(set(outcomes)) == ["in", "too_many"]
    entries = await log_of(world)
    assert [seq for seq, _ in entries] == list(range(1, 32))
    assert [event for _, event in entries] == ["assigned", *["joined"] * 30]
    open_now = await world.db.fetch(
        "SELECT account_id FROM participations WHERE conversation_id = $1 AND left_at IS NULL", world.talk
    )
    assert {each["account_id"] for each in open_now} == set(row.collaborators)


@pytest.mark.req("CO-01")
async def test_the_first_of_a_group_answers_for_all_of_it(world: World, log: Log, change: Hand) -> None:
    await world.assign(log, world.ann)
    group = (await Groups(world.db).add(world.shop, name="Refunds")).id
    first, *others = await crowd(world, 5)
    await change("invite", first, *others, group=group)
    await change("invite", world.bob)

    async def joins(person: AccountId) -> str:
        try:
            await change("join", person, invited_only=True)
        except RequestError as error:
            return error.reason
        return "in"

    outcomes = await asyncio.gather(*(joins(person) for person in (first, *others)))

    assert sorted(outcomes) == ["in", *["not_invited"] * 4]
    row = await world.now()
    assert (len(row.collaborators), row.invited) == (1, (world.bob,))


async def test_more_than_the_shop_allows_are_not_asked(world: World, log: Log, change: Hand) -> None:
    await world.assign(log, world.ann)
    people = await crowd(world, 3)
    before = await world.now()
    assert await change.refused("invite", *people, most=2) == (ErrorCode.CONFLICT, "too_many")
    assert await world.now() == before
    assert (await change("invite", *people[:2], most=2)).invited == tuple(people[:2])


async def test_whoever_takes_part_or_is_asked_is_not_asked_again(
    world: World, log: Log, change: Hand
) -> None:
    await world.assign(log, world.ann)
    colleague, another = await crowd(world, 2)
    await change("join", colleague)
    await change("invite", another)
    done = await change("invite", world.ann, colleague, another, world.bob, world.bob)
    assert done.invited == (world.bob,)
    assert (await change("invite", world.ann, colleague)).entry is None


async def test_an_invitation_ends_by_itself(world: World, log: Log, change: Hand, db: Database) -> None:
    await world.assign(log, world.ann)
    await change("invite", world.bob, for_ms=0)
    invitations = Invitations(db)
    assert await invitations.of_account(world.shop, world.bob) == ()
    assert await change.refused("join", world.bob, invited_only=True) == (
        ErrorCode.INVALID_STATE,
        "not_invited",
    )
    assert await invitations.overdue() == ((world.shop, world.talk),)
    done = await change("expire")
    assert (done.released, done.conversation.invited) == ((world.bob,), ())
    assert await invitations.overdue() == ()


async def test_asked_again_after_the_time_was_over_is_asked(world: World, log: Log, change: Hand) -> None:
    await world.assign(log, world.ann)
    await change("invite", world.bob, for_ms=0)
    done = await change("invite", world.bob)
    assert (done.invited, done.conversation.invited) == ((world.bob,), (world.bob,))


@pytest.mark.req("CO-10")
async def test_a_collaborator_who_becomes_the_owner_has_one_part(
    world: World, log: Log, change: Hand, roster: Participants
) -> None:
    await world.assign(log, world.ann)
    await change("join", world.bob)
    row = (await world.assign(log, world.bob, rev=2)).conversation
    assert (row.owner_id, row.collaborators, row.collaboration_since_ms) == (world.bob, (), None)
    assert row.speaking == (world.bob,)
    (part,) = await roster.of_conversation(world.shop, world.talk)
    assert part.ended_by == "became_owner"


@pytest.mark.req("CO-12")
async def test_watching_leaves_no_entry_and_is_seen_in_the_version_only_if_it_is_shown(
    world: World, log: Log, change: Hand, roster: Participants
) -> None:
    before = (await world.assign(log, world.ann)).conversation
    silent = await change("join", world.bob, role="watcher")
    assert (silent.entry, silent.conversation.watchers) == (None, (world.bob,))
    assert (silent.conversation.rev, silent.conversation.collaboration_since_ms) == (before.rev, None)
    assert await roster.watched_by(world.shop, (world.bob,)) == {world.bob: (world.talk,)}
    assert (await change("leave", world.bob)).moved == ()
    gone = await change("leave", world.bob, role="watcher", shown=True)
    assert (gone.left_off, gone.conversation.watchers) == ((world.bob,), ())
    assert gone.conversation.rev == before.rev + 1


@pytest.mark.req("CO-12")
async def test_a_watcher_who_speaks_watches_no_longer(world: World, log: Log, change: Hand) -> None:
    await world.assign(log, world.ann)
    await change("join", world.bob, role="watcher")
    done = await change("join", world.bob, role="supervisor")
    assert (done.left_off, done.conversation.watchers, done.conversation.supervisors) == (
        (world.bob,),
        (),
        (world.bob,),
    )


async def test_a_close_ends_watching_and_asking_and_keeps_who_took_part(
    world: World, log: Log, change: Hand, roster: Participants, db: Database
) -> None:
    await world.assign(log, world.ann)
    colleague, watcher = await crowd(world, 2)
    await change("join", colleague)
    await change("join", watcher, role="watcher")
    await change("invite", world.bob)

    done = await world.close(log)

    assert set(done.released) == {world.bob, watcher}
    row = done.conversation
    assert (row.collaborators, row.watchers, row.invited) == ((colleague,), (), ())
    assert row.collaboration_since_ms is None
    assert await Invitations(db).of_conversation(world.shop, world.talk) == ()
    assert {part.ended_by for part in await roster.of_conversation(world.shop, world.talk)} == {"closed"}
    assert await change.refused("join", world.bob) == (ErrorCode.INVALID_STATE, "conversation_closed")


@pytest.mark.req("I5")
async def test_another_shop_s_conversation_is_not_found(world: World, roster: Participants) -> None:
    elsewhere = await World.make(world.db)
    with pytest.raises(RequestError) as refused:
        await roster.change("n1", elsewhere.shop, world.talk, "join", (elsewhere.ann,), role="collaborator")
    assert refused.value.code is ErrorCode.NOT_FOUND


async def test_a_group_that_is_deleted_leaves_its_invitations(world: World, log: Log, change: Hand) -> None:
    await world.assign(log, world.ann)
    group = (await Groups(world.db).add(world.shop, name=new_id())).id
    await change("invite", world.bob, group=group)
    await Groups(world.db).delete(world.shop, GroupId(group))
    (asked,) = await Invitations(world.db).of_account(world.shop, world.bob)
    assert asked.group_id is None
