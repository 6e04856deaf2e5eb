"""I7: old snapshot + events = fresh snapshot, for every action, as its customer, its agent and a colleague see it.

Everybody's client keeps its view by events alone. After each action it must equal what a fresh hello of the same person
gives. Left out: `rev`, a version and not a fact.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from protocol.ids import AccountId, GroupId
from protocol.states import Role
from tests.scenarios.house import Agent, Customer, House, Person, Shop, until
from tests.scenarios.raw import raw_socket

NOT_COMPARED = {"rev"}


@dataclass
class Scene:
    """Lily serves Ada; Max may take over; Boss manages."""

    shop: Shop
    lily: Agent
    max: Agent
    boss: Agent
    ada: Customer
    conversation: str

    async def asks(self, who: Person, method: str, **params: Any) -> None:
        await who.asks(method, conversation_id=self.conversation, **params)

    async def said(self, who: Person, text: str) -> int:
        """A message; its number once everybody concerned has it."""
        sent = await who.says(self.conversation, text)
        return sent.seq


async def setting(house: House) -> Scene:
    shop = await house.shop()
    lily = await shop.agent("Lily", capacity=1)
    max_ = await shop.agent("Max", status="paused")
    boss = await shop.agent("Boss", roles=(Role.OWNER,), status="offline")
    ada = await shop.customer("Ada")
    return Scene(shop, lily, max_, boss, ada, await ada.opens())


async def ends(scene: Scene) -> None:
    await scene.asks(scene.lily, "conversation.end")


async def closes(scene: Scene) -> None:
    await scene.shop.set_policy(wrap_up_s=0)
    await ends(scene)


async def reopens(scene: Scene) -> None:
    await ends(scene)
    await scene.asks(scene.lily, "conversation.reopen")


async def writes_in_wrap_up(scene: Scene) -> None:
    await ends(scene)
    await scene.said(scene.ada, "one more thing")


async def requeues(scene: Scene) -> None:
    await scene.lily.sets("paused")
    await scene.asks(scene.lily, "conversation.requeue")


async def the_one_behind_leaves(scene: Scene) -> None:
    bob = await scene.shop.customer("Bob")
    waiting = await bob.opens()
    await requeues(scene)
    await bob.asks("conversation.leave_queue", conversation_id=waiting)


async def one_passes_by_and_leaves(scene: Scene) -> None:
    """She is first, then second to a new customer with priority, then first again."""
    await scene.shop.set_policy(new_customer_priority=True)
    await requeues(scene)
    just_now = int(time.time() * 1000)
    bob = await scene.shop.customer("Bob", first_paid_ms=just_now, last_bought_ms=just_now)
    waiting = await bob.opens()
    await until(lambda: place_of(scene) == 2, what="being told the second place")
    await bob.asks("conversation.leave_queue", conversation_id=waiting)


def place_of(scene: Scene) -> int | None:
    known = scene.ada.knows(scene.conversation)
    return None if known is None or known.queue is None else known.queue.place


async def the_last_agents_leave_her_waiting(scene: Scene) -> None:
    await requeues(scene)
    await scene.lily.sets("offline")
    await scene.max.sets("offline")


async def is_pulled(scene: Scene) -> None:
    await requeues(scene)
    await scene.asks(scene.max, "conversation.pull")


async def stops_waiting(scene: Scene) -> None:
    await requeues(scene)
    await scene.asks(scene.ada, "conversation.leave_queue")


async def transfers(scene: Scene) -> None:
    await scene.asks(scene.lily, "conversation.transfer", account_id=scene.max.id)


async def assigns(scene: Scene) -> None:
    await scene.asks(scene.boss, "conversation.assign", account_id=scene.max.id)


async def assigns_to_the_boss(scene: Scene) -> None:
    await scene.asks(scene.boss, "conversation.assign", account_id=scene.boss.id)


async def customer_writes(scene: Scene) -> None:
    await scene.said(scene.ada, "are you there?")


async def agent_answers(scene: Scene) -> None:
    await scene.said(scene.lily, "yes")


async def agent_recalls(scene: Scene) -> None:
    sent = await scene.lily.says(scene.conversation, "wrong window")
    await scene.asks(scene.lily, "message.recall", message_id=sent.message_id)


async def customer_reads(scene: Scene) -> None:
    await scene.asks(scene.ada, "read.mark", seq=await scene.said(scene.lily, "yes"))


async def agent_reads(scene: Scene) -> None:
    await scene.asks(scene.lily, "read.mark", seq=2)


async def agent_reads_some_of_it(scene: Scene) -> None:
    seq = await scene.said(scene.ada, "one")
    await scene.said(scene.ada, "two")
    await scene.asks(scene.lily, "read.mark", seq=seq)
    await scene.said(scene.ada, "three")


async def a_returning_customer_comes(scene: Scene) -> None:
    carl = await scene.shop.customer("Carl")
    await scene.shop.served_before(carl, scene.max)
    await scene.boss.asks("agent.set_capacity", capacity=2, account_id=scene.lily.id)
    await carl.opens("me again")


async def limits_and_groups_change(scene: Scene) -> None:
    await scene.shop.grouped({"after_sale": "Refunds"})
    await scene.shop.set_policy(recall_within_s=7, workbench={"slow_reply_s": 30, "vip_tags": ["gold"]})


async def customer_rates(scene: Scene) -> None:
    await ends(scene)
    await scene.asks(scene.ada, "conversation.rate", rating=4)


async def pauses(scene: Scene) -> None:
    await scene.lily.sets("paused")


async def goes_offline(scene: Scene) -> None:
    await scene.lily.sets("offline", open_conversations="keep")


async def gets_more_room(scene: Scene) -> None:
    await scene.boss.asks("agent.set_capacity", capacity=7, account_id=scene.lily.id)


async def is_excluded(scene: Scene) -> None:
    await scene.shop.change(scene.lily, excluded=True)


async def joins_a_group(scene: Scene) -> None:
    await scene.shop.grouped({"after_sale": "Refunds"})
    await scene.shop.app.group_store.add_member(
        scene.shop.id,
        GroupId(scene.shop.groups["Refunds"]),
        AccountId(scene.lily.id),
    )
    await scene.shop.app.changes.profile_changed(scene.shop.id, AccountId(scene.lily.id))


async def gets_a_second_one(scene: Scene) -> None:
    bob = await scene.shop.customer("Bob")
    await bob.opens()
    await scene.boss.asks("agent.set_capacity", capacity=2, account_id=scene.lily.id)


async def another_closes(scene: Scene) -> None:
    await gets_a_second_one(scene)
    await closes(scene)


ACTIONS: list[Callable[[Scene], Awaitable[None]]] = [
    ends, closes, reopens, writes_in_wrap_up, requeues, the_one_behind_leaves, one_passes_by_and_leaves,
    the_last_agents_leave_her_waiting, is_pulled, stops_waiting, transfers, assigns,
    assigns_to_the_boss, customer_writes, agent_answers, agent_recalls, customer_reads, agent_reads,
    agent_reads_some_of_it, a_returning_customer_comes, limits_and_groups_change, customer_rates,
    pauses, goes_offline, gets_more_room, is_excluded, joins_a_group, gets_a_second_one, another_closes,
]  # fmt: skip


def known(person: Person) -> dict[str, Any]:
    """What a client made of its old snapshot and the events since."""
    view = person.client.view
    me = view.agents.get(person.id)
    return {
        "conversations": [compared(each.model_dump(mode="json")) for each in view.snapshot()],
        "me": None if me is None else me.model_dump(mode="json"),
        "watching": sorted(view.watching),
        "invitations": by(
            "conversation_id", [each.model_dump(mode="json") for each in view.invitations.values()]
        ),
        "mentions": by("message_id", [each.model_dump(mode="json") for each in view.mentions.values()]),
        "rights": view.rights,
        "pools": [each.model_dump(mode="json") for each in view.pools],
        "workbench": None if view.workbench is None else view.workbench.model_dump(mode="json"),
    }


async def fresh(person: Person) -> dict[str, Any]:
    """What a hello says now, on another connection to the same node."""
    async with raw_socket(person, person.node) as (socket, ticket):
        snapshot = (await socket.asks("session.hello", ticket=ticket))["result"]["snapshot"]
    return {
        "conversations": [compared(each) for each in by("conversation_id", snapshot["conversations"])],
        "me": snapshot["me"],
        "watching": sorted(snapshot["watching"]),
        "invitations": by("conversation_id", snapshot["invitations"]),
        "mentions": by("message_id", snapshot["mentions"]),
        "rights": snapshot["rights"],
        "pools": snapshot["pools"],
        "workbench": snapshot["workbench"],
    }


def by(name: str, things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(things, key=lambda each: each[name])


def compared(conversation: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in conversation.items() if name not in NOT_COMPARED}


def unequal(known: Any, fresh: Any, where: str = "") -> list[str]:
    """Every place at which the two differ, with both values."""
    if isinstance(known, dict) and isinstance(fresh, dict):
        return [
            each
            for name in sorted({*known, *fresh})
            for each in unequal(known.get(name), fresh.get(name), f"{where}.{name}")
        ]
    if isinstance(known, list) and isinstance(fresh, list) and len(known) == len(fresh):
        return [each for i in range(len(known)) for each in unequal(known[i], fresh[i], f"{where}[{i}]")]
    return [] if known == fresh else [f"{where} = {known!r}, not {fresh!r}"]


@pytest.mark.req("PF-03", "PF-04")
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
async def test_old_snapshot_and_events_equal_a_fresh_snapshot(
    house: House, action: Callable[[Scene], Awaitable[None]]
) -> None:
    scene = await setting(house)

    await action(scene)

    await are_up_to_date(action.__name__, scene.ada, scene.lily, scene.max, scene.boss)


async def are_up_to_date(after: str, *people: Person) -> None:
    """Everybody knows by events what a fresh hello would tell them."""
    for person in people:
        differences: list[str] = []

        async def equal(person: Person = person, differences: list[str] = differences) -> bool:
            differences[:] = unequal(known(person), await fresh(person))
            return not differences

        try:
            await until(equal, what="equality", within_s=5)
        except AssertionError:
            pytest.fail(f"after {after}, {person.name} has: " + "; ".join(differences))
