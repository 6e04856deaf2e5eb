"""What the lists say of a conversation without its log: the last words, how much is unread, who came back."""

import pytest

from protocol.cards import Workbench
from protocol.ids import AccountId
from tests.scenarios.house import Agent, House, until
from tests.scenarios.test_notes import notes


def last_words(person: Agent, conversation: str) -> tuple[str | None, str]:
    """Who said what last, as this client knows it; recalled words are none."""
    known = person.knows(conversation)
    if known is None or known.last_message is None:
        return None, ""
    body = known.last_message.body
    return known.last_message.sender.name, getattr(body, "text", "recalled" if body is None else "")


def unread(person: Agent, conversation: str) -> int:
    known = person.knows(conversation)
    return 0 if known is None else known.customer_messages - known.customer_messages_read


@pytest.mark.req("KS-21", "PF-03")
async def test_a_list_shows_what_was_said_last_and_not_what_the_system_wrote(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens("where is my parcel?")
    await lily.sees(conversation, owner=lily.id)

    (listed,) = await lily.mine()

    assert listed.last_message is not None
    assert getattr(listed.last_message.body, "text", "") == "where is my parcel?"
    await until(lambda: last_words(lily, conversation) == ("Ada", "where is my parcel?"), what="her words")


@pytest.mark.req("CO-05")
async def test_colleagues_see_a_note_as_last_words_and_the_customer_never_does(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens("hello")
    await lily.sees(conversation, owner=lily.id)

    await notes(lily, conversation, "big customer", "n1")

    (listed,) = await lily.mine()
    assert listed.last_message is not None
    assert listed.last_message.internal
    shown = (await ada.service()).last_message
    assert shown is not None
    assert getattr(shown.body, "text", "") == "hello"


@pytest.mark.req("KS-21")
async def test_what_was_recalled_stays_the_last_that_was_said(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens("hello")
    await lily.sees(conversation, owner=lily.id)
    sent = await lily.says(conversation, "wrong window")

    await lily.asks("message.recall", conversation_id=conversation, message_id=sent.message_id)

    await until(lambda: last_words(lily, conversation) == ("Lily", "recalled"), what="the recall")
    (listed,) = await lily.mine()
    assert listed.last_message is not None
    assert listed.last_message.body is None


@pytest.mark.req("KS-21", "CO-02")
async def test_who_gets_a_conversation_knows_the_last_words_without_its_log(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    row = await shop.account("Max", "agent")
    max_ = await shop.person(row, arrive=False)
    await max_.arrive(whole_logs=False)
    await max_.sets("paused")
    ada = await shop.customer("Ada")
    conversation = await ada.opens("it is broken")
    await lily.sees(conversation, owner=lily.id)
    await lily.says(conversation, "my colleague will help")

    await lily.asks("conversation.transfer", conversation_id=conversation, account_id=max_.id)

    await max_.sees(conversation, owner=max_.id)
    assert last_words(max_, conversation) == ("Lily", "my colleague will help")
    assert unread(max_, conversation) == 1


@pytest.mark.req("KS-21")
async def test_unread_is_counted_from_the_hello_and_by_events_alike(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens("one")
    second = await ada.says(conversation, "two")
    await until(lambda: unread(lily, conversation) == 2, what="two unread")

    await lily.asks("read.mark", conversation_id=conversation, seq=second.seq)
    await until(lambda: unread(lily, conversation) == 0, what="nothing unread")
    await ada.says(conversation, "three")
    await lily.says(conversation, "an answer is not a reading")
    await until(lambda: unread(lily, conversation) == 1, what="one unread")

    again = await shop.person(await shop.app.account_store.get(shop.id, AccountId(lily.id)), arrive=False)
    await again.arrive(whole_logs=False)
    assert unread(again, conversation) == 1


@pytest.mark.req("KS-01")
async def test_colleagues_see_whom_a_returning_customer_spoke_to_and_when(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    max_ = await shop.agent("Max", status="offline")
    ada, bob = await shop.customer("Ada"), await shop.customer("Bob")
    await shop.served_before(ada, max_, hours_ago=71)
    await shop.served_before(bob, max_, hours_ago=73)

    hers, his = await ada.opens(), await bob.opens()

    seen = await lily.sees(hers, owner=lily.id)
    assert seen.customer.returning is not None
    assert seen.customer.returning.agent.name == "Max"
    assert seen.customer.returning.at < seen.opened_at
    assert (await lily.sees(his, owner=lily.id)).customer.returning is None, "72 hours are over"
    assert (await ada.service()).customer.returning is None, "not for customers"


@pytest.mark.req("KS-01")
async def test_a_mark_stays_while_the_agent_answers(house: House) -> None:
    """It says how the customer came, so a contact in this very conversation does not change it."""
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    await lily.sees(conversation, owner=lily.id)

    await lily.says(conversation, "hello Ada")

    (listed,) = await lily.mine()
    assert listed.customer.returning is None


@pytest.mark.req("KS-23")
async def test_limits_of_the_workbench_reach_those_who_are_there_and_those_who_come(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    assert lily.client.view.workbench is not None
    assert lily.client.view.workbench.slow_reply_s == 100

    await shop.set_policy(workbench={"slow_reply_s": 45, "vip_tags": ["gold"]}, recall_within_s=9)

    def told() -> Workbench | None:
        bench = lily.client.view.workbench
        return bench if bench is not None and bench.slow_reply_s == 45 else None

    bench = await until(told, what="45 s")
    assert (bench.recall_within_s, bench.first_reply_s, bench.vip_tags) == (9, 180, ["gold"])
    max_ = await shop.agent("Max")
    assert max_.client.view.workbench == bench
    ada = await shop.customer("Ada")
    assert ada.client.view.workbench is None, "not for customers"


@pytest.mark.req("GP-01", "KS-05")
async def test_the_workbench_names_the_groups_and_whom_they_serve(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")

    await shop.grouped({"after_sale": "Refunds", "trade_done": "Refunds"})

    def served() -> list[tuple[str, list[str]]]:
        bench = lily.client.view.workbench
        return [] if bench is None else [(group.name, group.order_states) for group in bench.groups]

    await until(lambda: served() == [("Refunds", ["trade_done", "after_sale"])], what="the group")


@pytest.mark.req("KS-21")
async def test_a_conversation_is_answered_once_its_owner_wrote(house: House) -> None:
    shop = await house.shop()
    lily = await shop.agent("Lily")
    ada = await shop.customer("Ada")
    conversation = await ada.opens()
    assert not (await lily.sees(conversation, owner=lily.id)).answered
    await notes(lily, conversation, "let me see", "n1")

    await lily.says(conversation, "hello Ada")

    await lily.sees(conversation, answered=True)
