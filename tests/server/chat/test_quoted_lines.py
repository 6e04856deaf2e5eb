"""What a line of the log at a terminal says of the message that it quotes."""

import pytest

from protocol.shapes import Message, NoteBody, Party, Quote, TextBody
from server.chat import sentences
from server.chat.language import load

ALICE = Party(kind="customer", id="k1", name="Alice")


def line(quote: Quote | None, *, note: bool = False) -> str:
    """What stands behind the time, of Lin's "On its way" about this message."""
    body = TextBody(kind="text", text="On its way", quote=quote)
    if note:
        body = NoteBody(kind="note", text="On its way", quote=quote)
    entry = Message(
        conversation_id="c1",
        seq=2,
        message_id="m2",
        sender=Party(kind="agent", id="lin", name="Lin"),
        body=body,
        created_at="2026-11-22T08:00:00.000Z",
        rev=0,
    )
    return sentences.message(load("en"), entry, mine=False).partition(" ")[2]


@pytest.mark.parametrize(
    ("kind", "excerpt", "shown"),
    [
        ("text", "Where is\nmy parcel?", "↪ Alice: Where is my parcel? / On its way"),
        ("text", "a" * 80, f"↪ Alice: {'a' * 60}… / On its way"),
        ("image", "kettle.png", "↪ Alice: [image kettle.png] / On its way"),
        ("file", "log.txt", "↪ Alice: [file log.txt] / On its way"),
        ("order_card", "A-20471", "↪ Alice: A-20471 / On its way"),
    ],
)
def test_a_quoted_message_stands_before_what_is_said_about_it(kind: str, excerpt: str, shown: str) -> None:
    quote = Quote.model_validate({"message_id": "m1", "sender": ALICE, "kind": kind, "excerpt": excerpt})
    assert line(quote) == f"Lin: {shown}"
    assert line(quote, note=True) == f"Lin: {shown.replace('On its way', '[note] On its way')}"


def test_what_was_taken_back_is_not_quoted_any_more() -> None:
    assert line(Quote(message_id="m1")) == "Lin: ↪ [taken back] / On its way"


def test_without_a_quote_nothing_stands_there() -> None:
    assert line(None) == "Lin: On its way"
