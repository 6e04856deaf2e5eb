"""What is appended to a log, and what comes back: values and their form in one batch's JSON."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import orjson

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state, not_found
from protocol.ids import AccountId, ClientMessageId, ConversationId, MessageId, PersonId, ShopId
from router.model import Decision
from server.failpoints import armed, strikes
from server.store.rows import ConversationRow, SenderKind, Visibility
from server.store.wire import uuid_text


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be appended. `body` is JSON text, `body_hash` a digest that tells two bodies apart.

    `must_own`: an agent or bot must be the owner; False when the caller has checked another right
    (participants, notes of supervisors). With a `decision` the sender is the system and the client message id
    is `d:<rev>`, whatever is given.
    """

    shop_id: ShopId
    conversation_id: ConversationId
    sender_kind: SenderKind
    sender_id: PersonId | None
    sender_name: str
    client_message_id: ClientMessageId
    body: bytes
    body_hash: bytes
    visibility: Visibility = "public"
    expected_epoch: int | None = None
    decision: Decision | None = None
    must_own: bool = True
    quotes: int | None = None
    """`seq` of the entry that this one quotes; 0: one that is not there"""


def happening(
    shop_id: ShopId,
    conversation_id: ConversationId,
    event: str,
    data: dict[str, Any],
    *,
    once: str,
    visibility: Visibility,
) -> Entry:
    """An entry of the system about the conversation itself (`SystemBody`). `once` names it; a repeat changes
    nothing."""
    body = orjson.dumps({"kind": "system", "event": event, "data": data})
    return Entry(
        shop_id=shop_id,
        conversation_id=conversation_id,
        sender_kind="system",
        sender_id=None,
        sender_name="",
        client_message_id=ClientMessageId(once),
        body=body,
        body_hash=digest(body),
        visibility=visibility,
    )


def digest(body: bytes) -> bytes:
    """Tells two bodies apart."""
    return hashlib.blake2b(body, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Appended:
    """An entry that is in the log.

    `customer_seq` is None for what the customer may not see. `conversation` is as the COMMIT left it that wrote
    the entry, or for a duplicate as it is now: with entries of others in it that were committed in the same
    moment.
    """

    seq: int
    customer_seq: int | None
    message_id: MessageId
    created_ms: int
    duplicate: bool
    conversation: ConversationRow
    released: tuple[AccountId, ...] = ()
    """who watched, or was asked in, until a decision of the same COMMIT ended it"""


Key = tuple[str, str, str | None, str]
"""What names an entry: conversation, sender's kind and id, client message id."""


def key_of(entry: Entry) -> Key:
    """The same for the same entry sent again."""
    if entry.decision is not None:
        return (entry.conversation_id, "system", None, f"d:{entry.decision.rev}")
    return (entry.conversation_id, entry.sender_kind, entry.sender_id, entry.client_message_id)


def in_batch(entry: Entry, n: int, message_id: MessageId) -> dict[str, Any]:
    """The entry as the function `append_entries` reads it; its members are listed there."""
    conversation, kind, sender, client = key_of(entry)
    return {
        "n": n,
        "shop": uuid_text(entry.shop_id),
        "conversation": uuid_text(conversation),
        "kind": kind,
        "sender": None if sender is None else uuid_text(sender),
        "name": entry.sender_name,
        "client": client,
        "message": message_id,
        "body": orjson.Fragment(entry.body),
        "hash": entry.body_hash.hex(),
        "public": entry.visibility == "public",
        "epoch": entry.expected_epoch,
        "must_own": entry.must_own and not (armed and strikes("fence.skip")),
        "decision": None if entry.decision is None else decided(entry.decision),
        "quotes": entry.quotes,
    }


def decided(decision: Decision) -> dict[str, Any]:
    """A decision as the table `decisions` keeps it."""
    return {
        "rev": decision.rev,
        "epoch": decision.epoch,
        "change": decision.change,
        "at_ms": decision.at_ms,
        "owner": decision.owner,
        "previous_owner": decision.previous_owner,
        "reason": decision.reason,
        "by": decision.by,
        "pool": decision.pool,
        "priority": decision.priority,
        "arrived_ms": decision.arrived_ms,
        "place": decision.place,
        "wrap_up_until_ms": decision.wrap_up_until_ms,
        "offline": decision.offline,
        "tried": [
            {
                "tier": step.tier,
                "outcome": step.outcome,
                "agent": step.agent,
                "groups": step.groups,
                "pool": step.pool,
            }
            for step in decision.tried
        ],
    }


_REFUSALS: Final = {
    "conflict": (
        ErrorCode.IDEMPOTENCY_CONFLICT,
        "idempotency_conflict",
        "This client message id was used for another message; take a new one.",
    ),
    "stale": (
        ErrorCode.STALE_ASSIGNMENT,
        "stale_assignment",
        "The conversation is somebody else's now; your text was not sent.",
    ),
}


def refused(verdict: str, epoch: int | None = None, owner: str | None = None) -> RequestError:
    """The refusal for a verdict of `append_entries` other than `ok` and `duplicate`. `epoch` and `owner`: of the
    conversation as it is now, for those who had it (I3): their text goes back to them."""
    if verdict == "not_found":
        return not_found("conversation")
    if verdict == "closed":
        return invalid_state("conversation_closed", "The conversation is closed; open a new one.")
    if verdict == "wrap_up":
        return invalid_state("conversation_ended", "The conversation was ended; reopen it to write.")
    if verdict == "quote_gone":
        return invalid_state("quote_gone", "The quoted message is not there any more; send this without it.")
    detail = {"assign_epoch": epoch, "owner_id": owner} if verdict == "stale" else None
    return RequestError(*_REFUSALS[verdict], detail=detail)
