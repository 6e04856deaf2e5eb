"""What was said last is told once, by one picture of a conversation among many: whatever comes first, it is known."""

import weakref

import orjson
import pytest

from protocol.client.view import View
from protocol.ids import PersonId
from protocol.shapes import Conversation, CustomerCard, Message, Party, TextBody
from protocol.states import Life
from server.gateway.outbox import Outbox
from server.services.views import conversation_push

pytestmark = pytest.mark.req("PF-03")

AT = "2026-11-22T08:00:00.000Z"
LIN = Party(kind="agent", id="lin", name="Lin")
LAST = Message(
    conversation_id="c1",
    seq=7,
    message_id="m7",
    sender=Party(kind="customer", id="k1", name="Alice"),
    body=TextBody(kind="text", text="Where is my parcel?"),
    created_at=AT,
    rev=0,
)


def picture(rev: int, last: Message | None = None) -> Conversation:
    return Conversation(
        conversation_id="c1",
        rev=rev,
        state=Life.ACTIVE,
        customer=CustomerCard(customer_id="k1", name="Alice"),
        owner=LIN,
        assign_epoch=1,
        order_state="after_sale",
        opened_at=AT,
        arrived_at=AT,
        head_seq=7,
        last_message=last,
    )


def test_in_a_slow_queue_the_picture_that_tells_it_is_kept_beside_a_later_one() -> None:
    outbox = Outbox(100_000, 0)
    to = (PersonId("lin"),)
    outbox.push(conversation_push(to, "conversation.assigned", picture(1, LAST)))
    for rev in (2, 3):
        outbox.push(conversation_push(to, "conversation.updated", picture(rev)))
    told = [orjson.loads(frame)["params"]["conversation"] for frame in outbox.take(100_000)]
    assert [(each["rev"], each["last_message"] is not None) for each in told] == [(1, True), (3, False)]


def test_an_older_picture_that_comes_late_tells_what_was_said_last_and_nothing_else() -> None:
    view = View()
    assert view.put(picture(2))
    assert view.put(picture(1, LAST))
    known = view.conversations["c1"]
    assert (known.rev, known.last_message) == (2, LAST)
    assert not view.put(picture(1, LAST))
    assert view.put(picture(3))
    assert view.conversations["c1"].last_message == LAST


def test_of_what_was_said_in_a_closed_conversation_only_the_last_is_kept() -> None:
    view = View()
    view.put(picture(1))

    def say(seq: int) -> weakref.ref[Message]:
        message = LAST.model_copy(update={"seq": seq, "message_id": f"m{seq}"})
        view.said(message)
        return weakref.ref(message)

    said = [say(seq) for seq in (8, 9, 10)]
    assert [each() is not None for each in said] == [True, True, True]
    view.put(picture(2).model_copy(update={"state": Life.CLOSED}))
    said.append(say(11))
    assert [each() is not None for each in said] == [False, False, False, True]
    assert view.conversations["c1"].head_seq == 11
