"""Rows and live state -> what goes over the wire, for the two audiences of a log.

Staff count every entry, customers only public ones (ADR 1), and what the shop notes about a customer is for staff; the
difference between the two is made here and nowhere else.
"""

from enum import StrEnum
from typing import Any

import orjson

from protocol.codes import Reason
from protocol.events import EVENTS, ConversationChanged
from protocol.ids import ConversationId, PersonId
from protocol.shapes import (
    AgentCard,
    Conversation,
    CustomerCard,
    Message,
    Party,
    PoolCard,
    Queue,
    Returning,
    SlotCard,
    WaitsBecause,
    Work,
)
from protocol.times import text_of_ms
from router.model import PRIORITY, AgentState, Place, PoolState, Slot
from server.push import Push, push
from server.services.casts import Cast
from server.store.log import Appended, Entry
from server.store.rows import ConversationRow, CustomerRow, MessageRow, Side, Visibility


class Audience(StrEnum):
    """Who reads."""

    STAFF = "staff"
    CUSTOMER = "customer"


def when(ms: int | None) -> str | None:
    """A moment that may not have come, as text."""
    return None if ms is None else text_of_ms(ms)


def message(row: MessageRow, audience: Audience) -> Message:
    """An entry of a log. The customer's view exists only for public entries."""
    return Message.model_validate(_message_members(row, audience))


def _message_members(row: MessageRow, audience: Audience) -> dict[str, Any]:
    return {
        "conversation_id": row.conversation_id,
        "seq": row.seq if audience is Audience.STAFF else row.customer_seq,
        "message_id": row.message_id,
        "client_message_id": row.client_message_id,
        "sender": {"kind": row.sender_kind, "id": row.sender_id, "name": row.sender_name},
        "body": row.body,
        "created_at": text_of_ms(row.created_ms),
        "recalled_at": when(row.recalled_ms),
        "rev": row.rev,
        "internal": row.visibility == "internal",
    }


def created(visibility: Visibility) -> str:
    """How an entry is announced: a client that knows no notes must not take one for a message."""
    return "message.created" if visibility == "public" else "note.created"


def message_push(
    to: tuple[PersonId, ...], row: MessageRow, audience: Audience, method: str | None = None
) -> Push:
    """An entry that is in the database, as a push: as created, or by `method`."""
    members = _message_members(row, audience)
    method = method or created(row.visibility)
    frame = orjson.dumps({"jsonrpc": "2.0", "method": method, "params": members})
    return Push(to, frame, EVENTS[method].plane, "", row.conversation_id, members["seq"])


def conversation_push(to: tuple[PersonId, ...], method: str, shape: Conversation) -> Push:
    """A conversation as it is now, as a push. One that says what was said last is not replaced by one that does not."""
    kind = "conversation" if shape.last_message is None else "conversation:said"
    return push(
        to,
        method,
        ConversationChanged(conversation=shape),
        key=f"{kind}:{shape.conversation_id}",
        conversation=ConversationId(shape.conversation_id),
        seq=shape.rev,
    )


def appended_push(to: tuple[PersonId, ...], entry: Entry, done: Appended, audience: Audience) -> Push:
    """An entry that was just appended, as a push; its body is not parsed again."""
    seq = done.seq if audience is Audience.STAFF else done.customer_seq
    assert seq is not None, "an internal entry has no push for the customer"
    params = {
        "conversation_id": entry.conversation_id,
        "seq": seq,
        "message_id": done.message_id,
        "client_message_id": entry.client_message_id,
        "sender": {"kind": entry.sender_kind, "id": entry.sender_id, "name": entry.sender_name},
        "body": orjson.Fragment(entry.body),
        "created_at": text_of_ms(done.created_ms),
        "recalled_at": None,
        "rev": 0,
        "internal": entry.visibility == "internal",
    }
    method = created(entry.visibility)
    frame = orjson.dumps({"jsonrpc": "2.0", "method": method, "params": params})
    return Push(to, frame, EVENTS[method].plane, "", entry.conversation_id, seq)


def waits_because(reason: Reason) -> WaitsBecause:
    """Why somebody waits, as customers are told it."""
    if reason is Reason.OFF_DUTY:
        return "out_of_hours"
    return "nobody_online" if reason is Reason.NOBODY_ONLINE else "all_full"


def queue(place: Place, estimate_s: int | None = None) -> Queue:
    """Where a conversation waits, and how much longer."""
    return Queue(
        pool=place.pool,
        place=place.place,
        length=place.length,
        reason=waits_because(place.reason),
        waiting_since=text_of_ms(place.arrived_ms),
        estimate_s=estimate_s,
    )


def customer_card(
    row: CustomerRow,
    priority: int,
    audience: Audience,
    looked_after_by: Party | None,
    returning: Returning | None = None,
) -> CustomerCard:
    """The customer of a conversation. What the shop notes about them is for staff."""
    staff = audience is Audience.STAFF
    return CustomerCard(
        customer_id=row.id,
        name=row.name,
        anonymous=row.anonymous,
        new_customer_priority=staff and priority == PRIORITY,
        tags=list(row.tags) if staff else [],
        owner=looked_after_by if staff else None,
        returning=returning if staff else None,
    )


def revision(row: ConversationRow, audience: Audience) -> int:
    """The audience's version of a conversation. The customer's does not rise with what is not for them."""
    return row.rev if audience is Audience.STAFF else row.customer_rev


def read_mark(row: ConversationRow, side: Side, audience: Audience) -> int:
    """Up to where a side has read, in the audience's numbering."""
    if side == "customer":
        return row.customer_read_seq if audience is Audience.CUSTOMER else row.customer_read_log_seq
    return row.staff_read_seq if audience is Audience.STAFF else row.staff_read_customer_seq


def conversation(
    row: ConversationRow,
    customer: CustomerRow,
    cast: Cast,
    audience: Audience,
    *,
    place: Place | None = None,
    estimate_s: int | None = None,
    last: MessageRow | None = None,
) -> Conversation:
    """The whole of a conversation for one audience. `last`: what was said last that the audience may see."""
    staff = audience is Audience.STAFF
    return Conversation(
        conversation_id=row.id,
        rev=revision(row, audience),
        state=row.state,
        customer=customer_card(customer, row.priority, audience, cast.looked_after_by, cast.returning),
        owner=cast.owner,
        assign_epoch=row.assign_epoch,
        order_state=row.order_state,
        order_id=row.order_id,
        queue=None if place is None else queue(place, estimate_s),
        opened_at=text_of_ms(row.opened_ms),
        arrived_at=text_of_ms(row.arrived_ms),
        assigned_at=when(row.assigned_ms),
        wrap_up_until=when(row.wrap_up_until_ms),
        closed_at=when(row.closed_ms),
        answers_later=row.answers_later,
        head_seq=row.head_seq if staff else row.customer_head_seq,
        read_by_customer=read_mark(row, "customer", audience),
        read_by_staff=read_mark(row, "staff", audience),
        waiting_since=when(row.waiting_since_ms),
        last_message=None if last is None else message(last, audience),
        customer_messages=row.customer_messages,
        customer_messages_read=row.customer_messages_read,
        answered=row.last_contact_ms is not None,
        rating=row.rating,
        rating_reasons=list(cast.rating_reasons),
        rating_comment=row.rating_comment or "",
        rated_at=when(row.rated_ms),
        participants=list(cast.participants) if staff else [],
        watchers=list(cast.watchers) if staff else [],
        work=Work(done=row.items_done, remaining=row.items_open)
        if staff and (row.items_done or row.items_open)
        else None,
        result_tags=list(cast.result_tags) if staff else [],
        end_reason=row.end_reason if staff else "",
    )


def agent_card(state: AgentState, name: str) -> AgentCard:
    """An agent as colleagues see them."""
    profile = state.profile
    return AgentCard(
        account_id=profile.agent,
        name=name,
        status=state.status,
        connected=state.connected,
        counted_offline=state.counted_offline,
        availability=state.availability.value,
        load=state.load,
        capacity=profile.capacity,
        received_today=state.received_today,
        groups=list(profile.groups),
        excluded=profile.excluded,
        on_duty=profile.on_duty,
        pause_mode=profile.pause_mode,
        pause_at=profile.pause_at,
        status_since=text_of_ms(state.status_since_ms),
    )


def slot_card(slot: Slot, customer_name: str) -> SlotCard:
    """One line of the slot ledger (KS-22)."""
    return SlotCard(
        conversation_id=slot.conversation,
        why="wrap_up" if slot.why == "wrap_up" else "in_service",
        since=text_of_ms(slot.since_ms),
        reason=slot.reason.value,
        over_capacity=slot.over_capacity,
        until=when(slot.until_ms),
        customer_name=customer_name,
    )


def pool_card(pool: PoolState) -> PoolCard:
    """One queue pool."""
    return PoolCard(
        pool=pool.pool,
        length=pool.length,
        oldest_at=when(pool.oldest_ms),
        groups=list(pool.groups),
        open_to_everybody=pool.open_to_everybody,
    )
