"""I7 while several work together: old snapshot + events = fresh snapshot, for every action, as the customer, the owner,
a collaborator, somebody who is asked in, and a supervisor see it."""

from collections.abc import Awaitable, Callable

import pytest

from protocol.ids import AccountId
from tests.scenarios.house import Agent, House, until
from tests.scenarios.test_collaboration import Scene, invited, set_collaboration
from tests.scenarios.test_mentions import mentioned
from tests.scenarios.test_notes import notes
from tests.scenarios.test_snapshots import are_up_to_date


async def asks(person: Agent, scene: Scene, method: str, **params: object) -> None:
    await person.asks(method, conversation_id=scene.talk, **params)


async def invites(scene: Scene) -> None:
    await asks(scene.lily, scene, "participant.invite", account_ids=[scene.nina.id], reason="rush")
    await invited(scene.nina, scene.talk)


async def invites_a_group_and_one_comes(scene: Scene) -> None:
    group = await scene.shop.group("Refunds")
    for person in (scene.nina, scene.boss):
        await scene.shop.app.group_store.add_member(scene.shop.id, group, AccountId(person.id))
    await asks(scene.lily, scene, "participant.invite", group_id=group)
    await invited(scene.boss, scene.talk)
    await scene.comes(scene.nina)


async def comes(scene: Scene) -> None:
    await scene.brings_in(scene.nina)


async def declines(scene: Scene) -> None:
    await invites(scene)
    await asks(scene.nina, scene, "participant.decline")


async def takes_back(scene: Scene) -> None:
    await invites(scene)
    await asks(scene.lily, scene, "participant.remove", account_id=scene.nina.id)


async def waits_too_long(scene: Scene) -> None:
    await invites(scene)
    await scene.shop.app.db.execute("UPDATE invitations SET expires_at = now()")


async def leaves(scene: Scene) -> None:
    await asks(scene.max, scene, "participant.leave")


async def is_removed(scene: Scene) -> None:
    await asks(scene.lily, scene, "participant.remove", account_id=scene.max.id)


async def watches(scene: Scene) -> None:
    await asks(scene.boss, scene, "monitor.watch")


async def watches_and_is_seen(scene: Scene) -> None:
    await set_collaboration(scene.shop, agents_see_watchers=True)
    await watches(scene)


async def watches_no_longer(scene: Scene) -> None:
    await watches(scene)
    await asks(scene.boss, scene, "monitor.unwatch")


async def was_seen_and_watches_no_longer(scene: Scene) -> None:
    await watches_and_is_seen(scene)
    await asks(scene.boss, scene, "monitor.unwatch")


async def watches_while_much_happens(scene: Scene) -> None:
    await watches(scene)
    await scene.ada.says(scene.talk, "hello?")
    await scene.max.says(scene.talk, "here")
    await notes(scene.max, scene.talk, "she is impatient", "n1")
    await comes(scene)


async def whispers(scene: Scene) -> None:
    await watches(scene)
    await asks(
        scene.boss,
        scene,
        "monitor.whisper",
        client_message_id="w1",
        body={"kind": "note", "text": "offer a refund"},
    )


async def speaks(scene: Scene) -> None:
    await watches(scene)
    await asks(scene.boss, scene, "monitor.speak")
    await scene.boss.says(scene.talk, "I am the manager")


async def takes_over(scene: Scene) -> None:
    await watches(scene)
    await asks(scene.boss, scene, "monitor.take_over", reason="complaint")


async def gives_it_to_the_collaborator(scene: Scene) -> None:
    await asks(scene.lily, scene, "conversation.transfer", account_id=scene.max.id)


async def gives_it_away_and_stays(scene: Scene) -> None:
    await asks(scene.lily, scene, "conversation.transfer", account_id=scene.nina.id, stay=True)


async def gives_it_to_somebody_who_is_asked(scene: Scene) -> None:
    await invites(scene)
    await asks(scene.lily, scene, "conversation.transfer", account_id=scene.nina.id)


async def leaves_a_note(scene: Scene) -> None:
    await notes(scene.lily, scene.talk, "big customer", "n1")


async def a_manager_leaves_a_note(scene: Scene) -> None:
    await notes(scene.boss, scene.talk, "be kind", "n1")


async def names_the_collaborator(scene: Scene) -> None:
    await notes(scene.lily, scene.talk, "Max?", "n1", scene.max)


async def names_somebody_new(scene: Scene) -> None:
    await notes(scene.lily, scene.talk, "Nina?", "n1", scene.nina)


async def reads_a_mention(scene: Scene) -> None:
    await names_the_collaborator(scene)
    await mentioned(scene.max, "Max?")
    await scene.max.asks("mention.read")


async def takes_a_note_back(scene: Scene) -> None:
    sent = await notes(scene.lily, scene.talk, "Max?", "n1", scene.max)
    await asks(scene.lily, scene, "message.recall", message_id=sent.message_id)


async def the_customer_writes(scene: Scene) -> None:
    await scene.ada.says(scene.talk, "hello?")


async def the_collaborator_answers(scene: Scene) -> None:
    await notes(scene.lily, scene.talk, "yours", "n1")
    await the_customer_writes(scene)
    await scene.max.says(scene.talk, "here")


async def the_collaborator_reads(scene: Scene) -> None:
    await notes(scene.lily, scene.talk, "yours", "n1")
    sent = await scene.max.says(scene.talk, "here")
    await asks(scene.max, scene, "read.mark", seq=sent.seq)


async def reads_a_note_only(scene: Scene) -> None:
    sent = await scene.max.says(scene.talk, "here")
    await asks(scene.lily, scene, "read.mark", seq=sent.seq)
    sent = await notes(scene.max, scene.talk, "done", "n1")
    await asks(scene.lily, scene, "read.mark", seq=sent.seq)


async def the_customer_reads(scene: Scene) -> None:
    await notes(scene.lily, scene.talk, "yours", "n1")
    sent = await scene.max.says(scene.talk, "here")
    await scene.ada.reads(scene.talk, "here")
    await scene.ada.asks("read.mark", conversation_id=scene.talk, seq=sent.seq)


async def ends(scene: Scene) -> None:
    await asks(scene.lily, scene, "conversation.end")


async def closes_with_everybody_around(scene: Scene) -> None:
    await invites(scene)
    await watches(scene)
    await scene.shop.set_policy(wrap_up_s=0)
    await ends(scene)


async def goes_back_to_the_queue(scene: Scene) -> None:
    await scene.lily.sets("paused")
    await asks(scene.lily, scene, "conversation.requeue")


async def the_customer_rates(scene: Scene) -> None:
    await notes(scene.lily, scene.talk, "done", "n1")
    await ends(scene)
    await scene.ada.sees(scene.talk, state="wrap_up")
    await scene.ada.asks("conversation.rate", conversation_id=scene.talk, rating=5)


async def work_is_divided(scene: Scene) -> None:
    item = "0197c7a0-0000-7000-8000-000000000001"
    await asks(scene.lily, scene, "item.add", item_id=item, text="find the receipt")
    await asks(scene.max, scene, "item.change", item_id=item, done=True)


ACTIONS: list[Callable[[Scene], Awaitable[None]]] = [
    invites, invites_a_group_and_one_comes, comes, declines, takes_back, waits_too_long, leaves, is_removed, watches,
    watches_and_is_seen, watches_no_longer, was_seen_and_watches_no_longer, watches_while_much_happens, whispers,
    speaks, takes_over, gives_it_to_the_collaborator, gives_it_away_and_stays, gives_it_to_somebody_who_is_asked,
    leaves_a_note, a_manager_leaves_a_note, names_the_collaborator, names_somebody_new, reads_a_mention,
    takes_a_note_back, the_customer_writes, the_collaborator_answers, the_collaborator_reads, reads_a_note_only,
    the_customer_reads, ends, closes_with_everybody_around, goes_back_to_the_queue, the_customer_rates, work_is_divided,
]  # fmt: skip


@pytest.mark.req("CO-01", "CO-02", "CO-05", "CO-08", "CO-12", "I7")
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
async def test_old_snapshot_and_events_equal_a_fresh_snapshot(
    house: House, action: Callable[[Scene], Awaitable[None]]
) -> None:
    scene = await Scene.make(house)
    await scene.brings_in(scene.max)
    await until(lambda: len(scene.max.client.view.snapshot()) == 1, what="Max's being in it")

    await action(scene)

    await are_up_to_date(action.__name__, scene.ada, scene.lily, scene.max, scene.nina, scene.boss)
