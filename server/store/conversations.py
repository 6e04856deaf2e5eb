"""Conversations: opening, reading, and the changes that are not messages or decisions.

What agents and customers write, and what the router decides, goes through `server.store.log` alone.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Final

from protocol.codes import ErrorCode, Reason
from protocol.errors import RequestError, invalid_state, not_found
from protocol.ids import AccountId, ConversationId, CustomerId, ShopId
from protocol.states import Life
from router.model import Contact, ConversationState, Remembered
from server.store.contacts import written_since
from server.store.conversation_columns import WIDTH, columns, conversation_from
from server.store.customer_columns import customer_columns, customer_from
from server.store.database import Database, Row
from server.store.rows import ConversationRow, ConversationView, Opened, Side
from server.store.view_columns import VIEW, view_from
from server.store.wire import NIL

LIVE_PART: Final = 500
"""Conversations in one part of `live`."""

_LAST_CONTACT: Final = """
    SELECT last_agent_id, last_contact_at FROM conversations
    WHERE shop_id = {shop} AND customer_id = {customer} AND last_contact_at IS NOT NULL
    ORDER BY last_contact_at DESC LIMIT 1
"""
"""The human agent who wrote last to a customer, over all their conversations (KS-01)."""
_FIND: Final = f"""
    SELECT {columns("c")}, {customer_columns("u")}, k.last_agent_id AS contact, k.last_contact_at AS contact_at
    FROM customers u
    LEFT JOIN conversations c ON c.customer_id = u.id AND c.shop_id = u.shop_id AND c.state <> 'closed'
    LEFT JOIN LATERAL ({_LAST_CONTACT.format(shop="u.shop_id", customer="u.id")}) k ON true
    WHERE u.shop_id = $1 AND u.id = $2
"""
_CREATE: Final = f"""
    INSERT INTO conversations AS c (
        id, shop_id, customer_id, state, order_state, order_id, via_bot, opened_at, arrived_at, returning_agent_id,
        returning_at
    )
    SELECT $3, $1, $2, 'queued', $4, $5, $6, t.now, t.now, k.last_agent_id, k.last_contact_at
    FROM (SELECT date_trunc('milliseconds', clock_timestamp()) AS now) t
    LEFT JOIN LATERAL ({_LAST_CONTACT.format(shop="$1", customer="$2")}) k ON true
    ON CONFLICT (customer_id) WHERE state <> 'closed' DO NOTHING
    RETURNING {columns("c")}
"""
_RATE: Final = f"""
    UPDATE conversations c SET rating = $4, rating_comment = $5, rating_reasons = $6,
        rated_at = CASE WHEN k.corrects THEN c.rated_at ELSE k.now END, rev = c.rev + 1,
        customer_rev = c.customer_rev + 1
    FROM (
        SELECT o.id, t.now, o.rated_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM decisions d
            WHERE d.conversation_id = o.id AND d.change = 'reopened' AND d.at > o.rated_at
        ) AS corrects
        FROM conversations o, (SELECT date_trunc('milliseconds', clock_timestamp()) AS now) t
        WHERE o.shop_id = $1 AND o.id = $3 AND o.customer_id = $2 AND o.state IN ('wrap_up', 'closed')
        FOR NO KEY UPDATE OF o
    ) k
    WHERE c.id = k.id AND (NOT k.corrects OR c.rated_at > k.now - $7 * interval '1 second')
    RETURNING {columns("c")}
"""
_MARK: Final = f"""
    UPDATE conversations c
    SET %(mark)s = k.mark, rev = c.rev + 1, %(theirs)s = k.theirs%(asked)s,
        customer_rev = c.customer_rev + k.for_customer::int
    FROM (
        SELECT o.id, least($3, o.%(head)s) AS mark, m.theirs,
            %(customers)s OR m.theirs > o.%(theirs)s AS for_customer%(asked_until)s
        FROM (
            SELECT * FROM conversations o WHERE o.shop_id = $1 AND o.id = $2 FOR NO KEY UPDATE
        ) o
        CROSS JOIN LATERAL (
            SELECT coalesce(max(m.%(to)s), 0) AS theirs FROM messages m
            WHERE m.conversation_id = o.id AND m.%(from)s <= least($3, o.%(head)s)
        ) m
        WHERE o.%(mark)s < least($3, o.%(head)s)
    ) k
    WHERE c.id = k.id
    RETURNING k.for_customer, {columns("c")}
"""
_MARKS: Final[dict[Side, str]] = {
    "customer": _MARK
    % {
        "mark": "customer_read_seq",
        "head": "customer_head_seq",
        "theirs": "customer_read_log_seq",
        "from": "customer_seq",
        "to": "seq",
        "customers": "true",
        "asked": "",
        "asked_until": "",
    },
    "staff": _MARK
    % {
        "mark": "staff_read_seq",
        "head": "head_seq",
        "theirs": "staff_read_customer_seq",
        "from": "seq",
        "to": "customer_seq",
        "customers": "false",
        "asked": ", customer_messages_read = k.asked",
        "asked_until": """, o.customer_messages_read + (
            SELECT count(*) FROM messages m
            WHERE m.conversation_id = o.id AND m.seq > o.staff_read_seq AND m.seq <= least($3, o.head_seq)
                AND m.sender_kind = 'customer'
        ) AS asked""",
    },
}


@dataclass(frozen=True, slots=True)
class ReadMoved:
    """A read mark. `moved`: this call moved it. `for_customer`: in the customer's numbering too; the staff's mark can
    move over notes alone."""

    conversation: ConversationRow
    moved: bool
    for_customer: bool


class Conversations:
    """Conversations of all shops; every question names its shop, and what belongs to another is not found (I5)."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(
        self,
        shop_id: ShopId,
        customer_id: CustomerId,
        conversation_id: ConversationId,
        *,
        order_state: str,
        order_id: str | None = None,
        via_bot: bool = False,
    ) -> Opened:
        """The customer's open conversation, or a new one with this id: QUEUED, `live_rev` 0, an empty log.

        Concurrent calls for one customer get the same conversation. NOT_FOUND: no such customer.
        """
        found = await self._find(shop_id, customer_id)
        values = tuple(found.values())
        if values[0] is not None:
            return _opened(found, conversation_from(values[:WIDTH]), created=False)
        made = await self._db.fetchrow(
            _CREATE, shop_id, customer_id, conversation_id, order_state, order_id, via_bot
        )
        if made is not None:
            return _opened(found, conversation_from(tuple(made.values())), created=True)
        # Somebody else opened it between the two statements (or has closed it again: then there is one more turn).
        return await self.open(
            shop_id, customer_id, conversation_id, order_state=order_state, order_id=order_id, via_bot=via_bot
        )

    async def _find(self, shop_id: ShopId, customer_id: CustomerId) -> Row:
        found = await self._db.fetchrow(_FIND, shop_id, customer_id)
        if found is None:
            raise not_found("customer")
        return found

    async def get(self, shop_id: ShopId, conversation_id: ConversationId) -> ConversationRow:
        """One conversation. NOT_FOUND."""
        return await self._one(
            f"SELECT {columns('c')} FROM conversations c WHERE c.shop_id = $1 AND c.id = $2",
            shop_id,
            conversation_id,
        )

    async def of_ids(
        self, shop_id: ShopId, conversation_ids: tuple[ConversationId, ...]
    ) -> tuple[ConversationRow, ...]:
        """Those of these that are in the shop, oldest first."""
        rows = await self._db.fetch(
            f"SELECT {columns('c')} FROM conversations c WHERE c.shop_id = $1 AND c.id = ANY ($2) ORDER BY c.id",
            shop_id,
            conversation_ids,
        )
        return tuple(conversation_from(tuple(row.values())) for row in rows)

    async def get_for_customer(
        self, shop_id: ShopId, customer_id: CustomerId, conversation_id: ConversationId
    ) -> ConversationRow:
        """One conversation of this customer. NOT_FOUND also when it is another's."""
        return await self._one(
            f"SELECT {columns('c')} FROM conversations c WHERE c.shop_id = $1 AND c.id = $2 AND c.customer_id = $3",
            shop_id,
            conversation_id,
            customer_id,
        )

    async def view(
        self, shop_id: ShopId, conversation_id: ConversationId, *, for_customer: bool = False
    ) -> ConversationView:
        """One conversation with customer, owner's name, and the last entry that the asker may see. NOT_FOUND."""
        sql = VIEW.format(where="c.shop_id = $1 AND c.id = $3", order="")
        row = await self._db.fetchrow(sql, shop_id, for_customer, conversation_id)
        if row is None:
            raise not_found("conversation")
        return view_from(row)

    async def written_since(
        self, since: str | None, also: Iterable[ConversationId]
    ) -> dict[ConversationId, ConversationRow]:
        """The open conversations of all shops that changed since (see `Contacts.since`), and `also` these."""
        rows = await self._db.fetch(
            f"""
            SELECT {columns("c")} FROM conversations c WHERE c.id IN (
                SELECT o.id FROM conversations o WHERE o.state <> 'closed' AND {written_since("o", 1)}
                UNION ALL SELECT unnest($2::uuid[])
            )
            """,
            since,
            list(also),
        )
        found = [conversation_from(tuple(row.values())) for row in rows]
        return {row.id: row for row in found}

    async def mark_read(
        self, shop_id: ShopId, conversation_id: ConversationId, side: Side, seq: int
    ) -> ReadMoved:
        """Move a side's mark forward to `seq` (in that side's numbering), at most to the head; never back.

        NOT_FOUND.
        """
        moved = await self._db.fetchrow(_MARKS[side], shop_id, conversation_id, seq)
        if moved is not None:
            for_customer, *values = tuple[Any, ...](moved.values())
            return ReadMoved(conversation_from(values), moved=True, for_customer=for_customer)
        return ReadMoved(await self.get(shop_id, conversation_id), moved=False, for_customer=False)

    async def rate(
        self,
        shop_id: ShopId,
        customer_id: CustomerId,
        conversation_id: ConversationId,
        rating: int,
        comment: str,
        *,
        reasons: tuple[str, ...] = (),
        correct_s: int = 0,
    ) -> ConversationRow:
        """The customer's rating of an ended or closed conversation, 1 to 5. A later one replaces it within `correct_s`
        after the first, and when the conversation was taken up again since.

        NOT_FOUND, also for another customer's; INVALID_STATE `not_ended`, `rated_already`.
        """
        rated = await self._db.fetchrow(
            _RATE, shop_id, customer_id, conversation_id, rating, comment, list(reasons), correct_s
        )
        if rated is not None:
            return conversation_from(tuple(rated.values()))
        row = await self.get_for_customer(shop_id, customer_id, conversation_id)
        if row.state in (Life.WRAP_UP, Life.CLOSED):
            raise invalid_state("rated_already", "You have rated this conversation; thank you.")
        raise invalid_state("not_ended", "You can rate the conversation when it has ended.")

    async def set_result(
        self,
        shop_id: ShopId,
        conversation_id: ConversationId,
        tags: tuple[str, ...],
        *,
        epoch: int,
        end_reason: str | None = None,
    ) -> ConversationRow:
        """Note what became of a conversation in service or in wrap-up, and why it is ended (absent: as it is). Whoever
        believes in another `epoch` had it before: STALE_ASSIGNMENT. NOT_FOUND; INVALID_STATE `not_in_service`."""
        noted = await self._db.fetchrow(
            f"""
            UPDATE conversations c
            SET result_tags = $4, end_reason = coalesce($5, c.end_reason), rev = c.rev + 1
            WHERE c.shop_id = $1 AND c.id = $2 AND c.assign_epoch = $3 AND c.state IN ('active', 'wrap_up')
            RETURNING {columns("c")}
            """,
            shop_id,
            conversation_id,
            epoch,
            list(tags),
            end_reason,
        )
        if noted is not None:
            return conversation_from(tuple(noted.values()))
        row = await self.get(shop_id, conversation_id)
        if row.assign_epoch != epoch:
            raise RequestError(
                ErrorCode.STALE_ASSIGNMENT,
                "stale_assignment",
                "The conversation is somebody else's now.",
                detail={"assign_epoch": row.assign_epoch},
            )
        raise invalid_state("not_in_service", "The conversation is not in service.")

    async def detach(
        self, shop_id: ShopId, conversation_id: ConversationId, owner_id: AccountId
    ) -> tuple[ConversationRow, bool]:
        """Note that this owner has been away for too long: the conversation is routed anew when its customer writes
        (KS-18). The next decision ends that. The conversation, and whether this call changed it. NOT_FOUND."""
        moved = await self._db.fetchrow(
            f"""
            UPDATE conversations c
            SET detached_at = date_trunc('milliseconds', clock_timestamp()), rev = c.rev + 1
            WHERE c.shop_id = $1 AND c.id = $2 AND c.owner_id = $3 AND c.state = 'active' AND c.detached_at IS NULL
            RETURNING {columns("c")}
            """,
            shop_id,
            conversation_id,
            owner_id,
        )
        if moved is not None:
            return conversation_from(tuple(moved.values())), True
        return await self.get(shop_id, conversation_id), False

    async def remembered(self, shop_id: ShopId, day_ms: int) -> Remembered:
        """Since when owners have what they have, and how many each was given since `day_ms`, the beginning of the
        day."""
        held = await self._db.fetch(
            """
            SELECT id, assigned_at FROM conversations
            WHERE shop_id = $1 AND state <> 'closed' AND owner_id IS NOT NULL AND assigned_at IS NOT NULL
            """,
            shop_id,
        )
        given = await self._db.fetch(
            """
            SELECT owner, count(*) AS times FROM decisions
            WHERE shop_id = $1 AND change = 'assigned' AND at >= $2::timestamptz
            GROUP BY owner ORDER BY max(at), max(rev), owner
            """,
            shop_id,
            day_ms,
        )
        return Remembered(
            {row["id"]: row["assigned_at"] for row in held}, {row["owner"]: row["times"] for row in given}
        )

    async def active(self, shop_id: ShopId) -> dict[AccountId, tuple[ConversationId, ...]]:
        """What everybody has in service."""
        rows = await self._db.fetch(
            """
            SELECT owner_id, array_agg(id ORDER BY id) AS ids FROM conversations
            WHERE shop_id = $1 AND state <> 'closed' AND state = 'active' AND owner_id IS NOT NULL
            GROUP BY owner_id
            """,
            shop_id,
        )
        return {row["owner_id"]: tuple(row["ids"]) for row in rows}

    async def live(self, shop_id: ShopId) -> AsyncIterator[tuple[ConversationState, ...]]:
        """Every open conversation that was ever decided about, in parts, oldest id first: what `Engine.rebuild`
        takes."""
        after = ConversationId(NIL)
        while True:
            rows = await self._db.fetch(
                """
                SELECT c.id, c.state, c.owner_id, c.assign_epoch, c.live_rev, c.priority, c.arrived_at, c.pool,
                    c.wrap_up_until, d.reason, d.previous_owner
                FROM conversations c
                LEFT JOIN LATERAL (
                    SELECT reason, previous_owner FROM decisions
                    WHERE conversation_id = c.id AND change IN ('assigned', 'queued') ORDER BY rev DESC LIMIT 1
                ) d ON true
                WHERE c.shop_id = $1 AND c.state <> 'closed' AND c.live_rev > 0 AND c.id > $2
                ORDER BY c.id LIMIT $3
                """,
                shop_id,
                after,
                LIVE_PART,
            )
            if not rows:
                return
            yield tuple(_live(row) for row in rows)
            after = rows[-1]["id"]

    async def unrouted(
        self, shop_id: ShopId, *, older_than_ms: int, limit: int = 100
    ) -> tuple[ConversationRow, ...]:
        """Opened at least `older_than_ms` ago and never decided about: their process died before it could route them.
        Oldest first."""
        rows = await self._db.fetch(
            f"""
            SELECT {columns("c")} FROM conversations c
            WHERE c.shop_id = $1 AND c.state = 'queued' AND c.live_rev = 0
                AND c.opened_at <= clock_timestamp() - $2 * interval '1 millisecond'
            ORDER BY c.priority, c.arrived_at, c.id LIMIT $3
            """,
            shop_id,
            older_than_ms,
            limit,
        )
        return tuple(conversation_from(tuple(row.values())) for row in rows)

    async def written_to(
        self, shop_id: ShopId, *, older_than_ms: int, limit: int = 100
    ) -> tuple[ConversationRow, ...]:
        """Whose customer wrote after the end (in wrap-up), or to an owner who was away for too long, at least
        `older_than_ms` ago: their process died before it could bring anybody back. Oldest first."""
        rows = await self._db.fetch(
            f"""
            SELECT {columns("c")} FROM conversations c
            WHERE c.shop_id = $1 AND c.state <> 'closed' AND c.waiting_since IS NOT NULL
                AND (c.state = 'wrap_up' OR (c.state = 'active' AND c.detached_at IS NOT NULL))
                AND EXISTS (
                    SELECT FROM messages m
                    WHERE m.conversation_id = c.id AND m.sender_kind = 'customer'
                        AND m.created_at <= clock_timestamp() - $2 * interval '1 millisecond'
                        AND m.seq > coalesce((
                            SELECT d.seq FROM messages d
                            WHERE d.conversation_id = c.id AND d.sender_kind = 'system'
                                AND d.client_message_id = 'd:' || c.live_rev
                        ), 0)
                )
            ORDER BY c.id LIMIT $3
            """,
            shop_id,
            older_than_ms,
            limit,
        )
        return tuple(conversation_from(tuple(row.values())) for row in rows)

    async def _one(self, sql: str, *args: Any) -> ConversationRow:
        row = await self._db.fetchrow(sql, *args)
        if row is None:
            raise not_found("conversation")
        return conversation_from(tuple(row.values()))


def _opened(found: Row, conversation: ConversationRow, *, created: bool) -> Opened:
    customer = customer_from(tuple(found.values())[WIDTH:-2])
    return Opened(conversation, customer, created, _contact(found))


def _contact(found: Row) -> Contact | None:
    return None if found["contact"] is None else Contact(found["contact"], found["contact_at"])


def _live(row: Row) -> ConversationState:
    return ConversationState(
        conversation=row["id"],
        life=Life(row["state"]),
        owner=row["owner_id"],
        epoch=row["assign_epoch"],
        rev=row["live_rev"],
        priority=row["priority"],
        arrived_ms=row["arrived_at"],
        pool=row["pool"],
        wrap_up_until_ms=row["wrap_up_until"],
        reason=None if row["reason"] is None else Reason(row["reason"]),
        previous_owner=row["previous_owner"],
    )
