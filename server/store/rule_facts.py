"""What rules are judged on, as the database has it: one question for everything about one conversation."""

from dataclasses import dataclass
from typing import Any, Final

from protocol.ids import ConversationId, GroupId, ShopId
from server.store.conversation_columns import WIDTH, columns, conversation_from
from server.store.database import Database
from server.store.rows import ConversationRow

LOOK: Final = "rules"
"""The kind of timer that says when to look at a conversation's rules again."""
SAID_MOST: Final = 20
"""Unanswered messages that keywords are looked for in."""
APART_MS: Final = 2
"""Between two of many looks, so that other deadlines that fall in that time are not late."""
_SAID_AMONG: Final = 60
"""In how many of the last entries of the log they are looked for."""

_FACTS: Final = f"""
    SELECT {columns("c")},
        now() AS now,
        u.tags,
        coalesce(queued.since, c.opened_at) AS queued_since,
        coalesce(served.groups, '{{}}') AS groups,
        coalesce(said.texts, '{{}}') AS said,
        coalesce(fired.rules, '{{}}'::jsonb) AS fired,
        t.due_at AS look_at
    FROM conversations c
    JOIN customers u ON u.id = c.customer_id
    LEFT JOIN LATERAL (
        -- Since it waits without a break: changes of class are decisions too, and no beginning.
        SELECT min(d.at) AS since FROM decisions d
        WHERE d.conversation_id = c.id AND d.change = 'queued' AND d.rev > coalesce((
            SELECT max(a.rev) FROM decisions a WHERE a.conversation_id = c.id AND a.change <> 'queued'), 0)
    ) queued ON c.state = 'queued'
    LEFT JOIN LATERAL (
        SELECT array_agg(g.group_id) AS groups FROM group_members g
        WHERE g.shop_id = c.shop_id AND g.account_id = c.owner_id
    ) served ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(m.text ORDER BY m.seq DESC) AS texts FROM (
            SELECT m.seq, m.body ->> 'text' AS text FROM messages m
            WHERE m.conversation_id = c.id AND m.seq > c.head_seq - {_SAID_AMONG} AND m.sender_kind = 'customer'
                AND m.created_at >= c.waiting_since AND m.body ->> 'kind' = 'text' AND m.recalled_at IS NULL
            ORDER BY m.seq DESC LIMIT {SAID_MOST}
        ) m
    ) said ON c.waiting_since IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(f.rule_id, jsonb_build_array(f.times, f.last)) AS rules FROM (
            SELECT f.rule_id, max(f.occasion) AS times, floor(extract(epoch FROM max(f.at)) * 1000)::bigint AS last
            FROM rule_firings f WHERE f.subject_id = c.id GROUP BY f.rule_id
        ) f
    ) fired ON true
    LEFT JOIN timers t ON t.kind = '{LOOK}' AND t.subject_id = c.id
    WHERE c.shop_id = $1 AND c.id = $2
"""


@dataclass(frozen=True, slots=True)
class ConversationFacts:
    """One conversation at `now_ms` of the database's clock. `fired`: rule id -> (times, when last in ms). `look_ms`:
    when it is looked at again, if it is. `groups`: of its owner."""

    row: ConversationRow
    now_ms: int
    tags: tuple[str, ...]
    queued_since_ms: int
    groups: tuple[GroupId, ...]
    said: tuple[str, ...]
    fired: dict[str, tuple[int, int]]
    look_ms: int | None


class RuleFacts:
    """Facts about subjects of all shops."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def conversation(
        self, shop_id: ShopId, conversation_id: ConversationId
    ) -> ConversationFacts | None:
        """What rules may ask of a conversation; None: there is none of this name in the shop."""
        row = await self._db.fetchrow(_FACTS, shop_id, conversation_id)
        if row is None:
            return None
        values: tuple[Any, ...] = tuple(row.values())
        now_ms, tags, queued_since, groups, said, fired, look_at = values[WIDTH:]
        return ConversationFacts(
            row=conversation_from(values[:WIDTH]),
            now_ms=now_ms,
            tags=tuple(tags),
            queued_since_ms=queued_since,
            groups=tuple(groups),
            said=tuple(said),
            fired={rule: (times, last_ms) for rule, (times, last_ms) in fired.items()},
            look_ms=look_at,
        )

    async def look_at_all(self, shop_id: ShopId, *, after_ms: int) -> None:
        """Have every open conversation of the shop looked at, `after_ms` from now, a few at a time; one that would be
        looked at before that is looked at both times."""
        await self._db.execute(
            f"""
            INSERT INTO timers AS t (shop_id, kind, subject_id, due_at, take_at, payload)
            SELECT c.shop_id, '{LOOK}', c.id, c.at, c.at, '{{}}' FROM (
                SELECT shop_id, id, date_trunc('milliseconds', now())
                    + ($2 + {APART_MS} * row_number() OVER (ORDER BY id)) * interval '1 millisecond' AS at
                FROM conversations WHERE shop_id = $1 AND state <> 'closed'
            ) c
            ON CONFLICT (kind, subject_id) DO UPDATE SET
                due_at = least(t.due_at, excluded.due_at), take_at = least(t.take_at, excluded.take_at), rev = t.rev + 1
            """,
            shop_id,
            after_ms,
        )
