"""Who takes part in conversations: every change of it, and the questions about it.

The roster is in the conversation's row (the hot path reads it there); `participations` is its history, and finds the
conversations of a person. Both are changed by the function `change_roster` alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state, not_found
from protocol.ids import (
    AccountId,
    ClientMessageId,
    ConversationId,
    CustomerId,
    GroupId,
    MessageId,
    ShopId,
    new_id,
)
from server.store.contacts import written_since
from server.store.conversation_columns import columns, conversation_from
from server.store.database import Database, Transaction
from server.store.rows import ConversationRow, MessageRow

RosterRole = Literal["collaborator", "supervisor", "watcher"]
Verb = Literal["invite", "join", "leave", "remove", "decline", "expire"]

# Not a SELECT to the eye: a lost answer to it is an unknown COMMIT.
CHANGE: Final = f"""
    WITH done AS MATERIALIZED (SELECT * FROM change_roster($1, $2, $3, $4, $5, $6))
    SELECT verdict, changed, released, left_off, entry_seq, entry_message_id, entry_created_at, entry_body,
        {columns("done")}
    FROM done
"""
_BEFORE_ROW: Final = 8


@dataclass(frozen=True, slots=True)
class RosterChange:
    """What a change of the roster did.

    `invited`: who is asked now and was not before. `moved`: who joined, left, or was removed. `released`: whose
    invitation ended. `left_off`: who watches no longer. All empty: it was so already. `entry`: what the log says about
    it, for colleagues; None when nothing happened, or nothing that the log tells (watching).
    """

    conversation: ConversationRow
    invited: tuple[AccountId, ...]
    moved: tuple[AccountId, ...]
    released: tuple[AccountId, ...]
    left_off: tuple[AccountId, ...]
    entry: MessageRow | None
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Participation:
    """One stretch of somebody's part in a conversation. Milliseconds since 1970 UTC."""

    conversation_id: ConversationId
    account_id: AccountId
    role: RosterRole
    joined_ms: int
    left_ms: int | None
    ended_by: str | None
    """`left`, `removed`, `closed`, `became_owner`, `other_role`"""
    invited_by: AccountId | None
    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Somebody's part in a conversation changed."""

    shop_id: ShopId
    conversation_id: ConversationId
    account_id: AccountId
    watching: bool
    """that they watched it"""


class Participants:
    """Rosters of all shops; every question names its shop. `node` is named in what it writes to logs."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def change(
        self,
        node: str,
        shop_id: ShopId,
        conversation_id: ConversationId,
        verb: Verb,
        people: tuple[AccountId, ...] = (),
        *,
        role: RosterRole | None = None,
        by: AccountId | None = None,
        reason: str = "",
        group: GroupId | None = None,
        most: int | None = None,
        for_ms: int | None = None,
        invited_only: bool = False,
        shown: bool = False,
        once: str | None = None,
        within: Transaction | None = None,
    ) -> RosterChange:
        """One change, atomic.

        `invite`: ask `people` (as members of `group`) for `for_ms`; `most`: invitations open at once. `join`: one
        person takes `role`; `most`: people in it; `invited_only`: refused unless asked. `leave`: one person takes part
        no longer, or with `role="watcher"` watches no longer. `remove`: the same by somebody else, and takes an
        invitation back. `decline`: one person's invitation ends. `expire`: those end whose time is over.
        `shown`: colleagues see who watches. `once`: names the change, a repeat of it does nothing. `within`: as part of
        this transaction.

        NOT_FOUND; INVALID_STATE `conversation_closed`, `not_invited`; CONFLICT `too_many`.
        """
        given: dict[str, Any] = {
            "role": role,
            "by": by,
            "reason": reason,
            "group": group,
            "most": most,
            "for_ms": for_ms,
            "invited_only": invited_only,
            "shown": shown,
            "client": once or f"r:{new_id()}",
            "message": new_id(),
        }
        row = await (within or self._db).fetchrow(
            CHANGE, node, shop_id, conversation_id, verb, list(people), given
        )
        if row is None:
            raise not_found("conversation")
        values: tuple[Any, ...] = tuple(row.values())
        verdict, changed, released, left_off, seq, message_id, created_ms, body = values[:_BEFORE_ROW]
        if verdict in _REFUSALS:
            raise _refused(verdict, verb)
        conversation = conversation_from(values[_BEFORE_ROW:])
        entry = None
        if seq is not None:
            entry = MessageRow(
                shop_id=shop_id,
                conversation_id=conversation_id,
                seq=seq,
                customer_seq=None,
                message_id=MessageId(message_id),
                sender_kind="system",
                sender_id=None,
                sender_name="",
                client_message_id=ClientMessageId(given["client"]),
                body=body,
                visibility="internal",
                created_ms=created_ms,
                recalled_ms=None,
                rev=0,
            )
        invited, moved = (changed, ()) if verb == "invite" else ((), changed)
        return RosterChange(
            conversation,
            tuple(invited),
            tuple(moved),
            tuple(released),
            tuple(left_off),
            entry,
            verdict == "duplicate",
        )

    async def watched_by(
        self, shop_id: ShopId, people: tuple[AccountId, ...]
    ) -> dict[AccountId, tuple[ConversationId, ...]]:
        """Which open conversations each of them watches, in the order in which they began to."""
        rows = await self._db.fetch(
            """
            SELECT account_id, conversation_id FROM participations
            WHERE shop_id = $1 AND account_id = ANY ($2) AND left_at IS NULL AND role = 'watcher'
            ORDER BY joined_at, id
            """,
            shop_id,
            list(people),
        )
        watched: dict[AccountId, list[ConversationId]] = {person: [] for person in people}
        for row in rows:
            watched[row["account_id"]].append(row["conversation_id"])
        return {person: tuple(conversations) for person, conversations in watched.items()}

    async def of_conversation(
        self, shop_id: ShopId, conversation_id: ConversationId
    ) -> tuple[Participation, ...]:
        """Who took part in a conversation and who watched it, in the order of coming."""
        rows = await self._db.fetch(
            """
            SELECT conversation_id, account_id, role, joined_at, left_at, ended_by, invited_by, reason
            FROM participations WHERE shop_id = $1 AND conversation_id = $2 ORDER BY joined_at, id
            """,
            shop_id,
            conversation_id,
        )
        return tuple(Participation(*row.values()) for row in rows)

    async def moved_since(self, since: str | None) -> tuple[Moved, ...]:
        """Who came into a conversation, left it, or began or ceased to watch it since (see `Contacts.since`), in all
        shops."""
        rows = await self._db.fetch(
            f"""
            SELECT p.shop_id, p.conversation_id, p.account_id, p.role = 'watcher' FROM participations p
            WHERE {written_since("p", 1)}
            """,
            since,
        )
        return tuple(Moved(*row.values()) for row in rows)

    async def gave_up_since(
        self, since: str | None, conversations: Iterable[ConversationId]
    ) -> tuple[Moved, ...]:
        """Who ceased to own one of these since."""
        rows = await self._db.fetch(
            f"""
            SELECT d.shop_id, d.conversation_id, d.previous_owner, false FROM decisions d
            WHERE d.conversation_id = ANY ($2) AND d.previous_owner IS NOT NULL AND {written_since("d", 1)}
            """,
            since,
            list(conversations),
        )
        return tuple(Moved(*row.values()) for row in rows)

    async def open_of_customer(self, shop_id: ShopId, customer_id: CustomerId) -> ConversationRow | None:
        """The customer's open conversation, if there is one."""
        row = await self._db.fetchrow(
            f"""
            SELECT {columns("c")} FROM conversations c
            WHERE c.shop_id = $1 AND c.customer_id = $2 AND c.state <> 'closed'
            """,
            shop_id,
            customer_id,
        )
        return None if row is None else conversation_from(tuple(row.values()))


_REFUSALS: Final = frozenset({"closed", "full", "not_invited"})


def _refused(verdict: str, verb: Verb) -> RequestError:
    if verdict == "closed":
        return invalid_state("conversation_closed", "The conversation is closed.")
    if verdict == "not_invited":
        return invalid_state(
            "not_invited", "The invitation holds no longer: somebody else answered it, or its time is over."
        )
    what = "asked into" if verb == "invite" else "taking part in"
    return RequestError(
        ErrorCode.CONFLICT, "too_many", f"As many as the shop allows are {what} this conversation already."
    )
