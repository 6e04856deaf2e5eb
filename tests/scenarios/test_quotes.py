"""A message about another one: who may quote what, what is shown of it, and what is left of it after a recall."""

from typing import Any

import pytest

from protocol.ids import new_id
from tests.scenarios.house import Agent, Customer, House, Person, Shop, until


async def in_service(house: House) -> tuple[Shop, Agent, Customer, str]:
    """Lily serves Ada."""
    shop = await house.shop()
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    conversation = await ada.opens("where is  my\nparcel?")
    await lily.sees(conversation, state="active")
    return shop, lily, ada, conversation


def about(message: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "client_message_id": new_id(),
        "body": {"kind": "text", "text": text, "quote": {"message_id": message}},
        **more,
    }


def noted(message: str, text: str) -> dict[str, Any]:
    return {
        "client_message_id": new_id(),
        "body": {"kind": "note", "text": text, "quote": {"message_id": message}},
    }


async def first(person: Person, conversation: str) -> str:
    """The id of the customer's first message."""
    page = await person.asks("message.history", conversation_id=conversation)
    return next(each.message_id for each in page.messages if each.sender.kind == "customer")


async def heard(person: Person, conversation: str, text: str) -> Any:
    """What this client's own log has as the quote of the message with this text."""
    said: Any = (await person.reads(conversation, text)).body
    return said.quote


async def quote_of(person: Person, conversation: str, text: str) -> Any:
    """What this reader is given now as the quote of the message with this text."""
    page = await person.asks("message.history", conversation_id=conversation)
    return next(each.body.quote for each in page.messages if getattr(each.body, "text", "") == text)


@pytest.mark.req("PF-05")
async def test_agents_and_customers_quote_each_other(house: House) -> None:
    _, lily, ada, talk = await in_service(house)
    question = await first(lily, talk)

    answer = await lily.asks("message.send", conversation_id=talk, **about(question, "on its way"))
    await ada.asks("message.send", conversation_id=talk, **about(answer.message_id, "thanks"))

    told = await heard(ada, talk, "on its way")
    assert (told.message_id, told.sender.name, told.kind, told.excerpt) == (
        question,
        "Ada",
        "text",
        "where is my parcel?",
    )
    thanked = await heard(lily, talk, "thanks")
    assert (thanked.sender.kind, thanked.excerpt) == ("agent", "on its way")


@pytest.mark.req("PF-05")
async def test_a_long_message_is_quoted_by_its_beginning(house: House) -> None:
    _, lily, ada, talk = await in_service(house)
    long = await ada.says(talk, "啊" * 500)

    await lily.asks("message.send", conversation_id=talk, **about(long.message_id, "I see"))

    assert (await quote_of(ada, talk, "I see")).excerpt == "啊" * 199 + "…"


@pytest.mark.req("CO-05", "CO-12")
async def test_nothing_public_quotes_what_is_internal(house: House) -> None:
    _, lily, ada, talk = await in_service(house)
    note = await lily.asks(
        "note.send",
        conversation_id=talk,
        client_message_id=new_id(),
        body={"kind": "note", "text": "be careful with her"},
    )

    by_agent = await lily.refused("message.send", conversation_id=talk, **about(note.message_id, "hm"))
    by_customer = await ada.refused("message.send", conversation_id=talk, **about(note.message_id, "hm"))
    made_up = await ada.refused("message.send", conversation_id=talk, **about(new_id(), "hm"))

    assert (by_agent.code, by_agent.reason) == (1012, "quote_gone")
    assert (by_customer.code, by_customer.reason, str(by_customer), by_customer.detail) == (
        made_up.code,
        made_up.reason,
        str(made_up),
        made_up.detail,
    ), "to the customer a note is not there"
    await lily.asks("note.send", conversation_id=talk, **noted(note.message_id, "I was"))
    assert (await quote_of(lily, talk, "I was")).excerpt == "be careful with her"


@pytest.mark.req("PF-05")
async def test_what_is_elsewhere_and_what_the_system_said_is_not_quoted(house: House) -> None:
    shop, lily, _, talk = await in_service(house)
    bob = await shop.customer("Bob")
    other = await bob.opens("hello")
    elsewhere = await first(bob, other)
    page = await lily.asks("message.history", conversation_id=talk)
    system = next(each.message_id for each in page.messages if each.sender.kind == "system")

    for message in (elsewhere, system):
        refused = await lily.refused("message.send", conversation_id=talk, **about(message, "hm"))
        assert refused.reason == "quote_gone"


@pytest.mark.req("PF-05")
async def test_a_recall_takes_the_quoted_words_away_everywhere(house: House) -> None:
    shop, lily, ada, talk = await in_service(house)
    secret = await ada.says(talk, "my card is 1234")
    await lily.asks("message.send", conversation_id=talk, **about(secret.message_id, "do not send that"))
    await lily.asks("note.send", conversation_id=talk, **noted(secret.message_id, "she sent a card"))
    await ada.reads(talk, "do not send that")

    await ada.asks("message.recall", conversation_id=talk, message_id=secret.message_id)

    for person, text in (
        (lily, "do not send that"),
        (lily, "she sent a card"),
        (ada, "do not send that"),
    ):

        async def unsaid(person: Person = person, text: str = text) -> bool:
            quote = await heard(person, talk, text)
            return (quote.message_id, quote.kind, quote.excerpt) == (secret.message_id, None, "")

        await until(unsaid, what=f"{person.name}'s log forgetting what {text!r} quotes")
        assert (await quote_of(person, talk, text)).excerpt == ""
    rows = await shop.app.db.fetch(
        "SELECT 1 FROM messages WHERE conversation_id = $1 AND recalled_at IS NULL AND body::text LIKE '%1234%'",
        talk,
    )
    assert rows == [], "nothing that will ever be given out has it"


@pytest.mark.req("PF-05")
async def test_what_was_recalled_is_quoted_no_more_but_a_repeat_is_still_one(house: House) -> None:
    _, lily, ada, talk = await in_service(house)
    word = await ada.says(talk, "take this back")
    answer = about(word.message_id, "which one?")
    sent = await lily.asks("message.send", conversation_id=talk, **answer)
    await ada.asks("message.recall", conversation_id=talk, message_id=word.message_id)

    again = await lily.asks("message.send", conversation_id=talk, **answer)
    refused = await lily.refused("message.send", conversation_id=talk, **about(word.message_id, "hm"))

    assert (again.duplicate, again.message_id) == (True, sent.message_id)
    assert refused.reason == "quote_gone"


@pytest.mark.req("KS-20")
async def test_a_quote_does_not_follow_into_another_conversation(house: House) -> None:
    shop = await house.shop(wrap_up_s=0)
    lily, ada = await shop.agent("Lily"), await shop.customer("Ada")
    talk = await ada.opens("hello")
    word = await first(ada, talk)
    await lily.asks("conversation.end", conversation_id=talk)
    await ada.sees(talk, state="closed")

    opened = await ada.asks("conversation.open", message=about(word, "about that"))

    other = opened.conversation.conversation_id
    assert other != talk
    assert await quote_of(ada, other, "about that") is None
