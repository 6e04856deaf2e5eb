"""PostgreSQL's side, by plain SQL: what the checker reads, as the rows of `rows`. Knows the tables, no code of the
server's."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final, TypeAlias

import asyncpg

from loadtest.checker.givings import Staff
from loadtest.checker.histories import History
from loadtest.checker.rows import Conversation, Decision, Entry

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_MS: Final = "(extract(epoch FROM {}) * 1000)::bigint"
_CONVERSATIONS: Final = """
    SELECT id::text, shop_id::text, customer_id::text, state, coalesce(owner_id::text, ''), assign_epoch, live_rev,
        head_seq, customer_head_seq, customer_read_seq, staff_read_seq,
        (collaborators || supervisors || watchers)::text[]
    FROM conversations WHERE id = ANY ($1::text[]::uuid[])
"""
_MESSAGES: Final = """
    SELECT conversation_id::text, seq, customer_seq, message_id::text, sender_kind, coalesce(sender_id::text, ''),
        client_message_id,
        left(md5(coalesce(body ->> 'text', body ->> 'event', body ->> 'file_id', body ->> 'order_id', '')), 8),
        recalled_at IS NOT NULL,
        CASE sender_kind WHEN 'system' THEN coalesce(body ->> 'event', '') ELSE '' END,
        CASE WHEN sender_kind = 'system' AND body ->> 'event' IN ('joined', 'left', 'removed')
            THEN ARRAY(SELECT who ->> 'id' FROM jsonb_array_elements(body -> 'data' -> 'who') who) END
    FROM messages WHERE conversation_id = ANY ($1::text[]::uuid[]) ORDER BY conversation_id, seq
"""
_DECISION: Final = f"""
    conversation_id::text, rev, shop_id::text, {_MS.format("at")}, change, epoch, coalesce(owner::text, ''),
    coalesce(previous_owner::text, ''), coalesce(reason, ''), coalesce(by::text, ''), coalesce(pool, ''), priority,
    {_MS.format("arrived_at")}, ARRAY(SELECT jsonb_array_elements_text(tried -> -1 -> 'groups'))
"""
_DECISIONS_OF: Final = f"""
    SELECT {_DECISION} FROM decisions WHERE conversation_id = ANY ($1::text[]::uuid[]) ORDER BY conversation_id, rev
"""
_DECISIONS_BY_TIME: Final = f"SELECT {_DECISION} FROM decisions WHERE shop_id = $1::text::uuid ORDER BY at"
_OWNERS: Final = """
    SELECT id::text, shop_id::text FROM accounts WHERE id = ANY ($1::text[]::uuid[])
    UNION ALL SELECT id::text, shop_id::text FROM customers WHERE id = ANY ($1::text[]::uuid[])
    UNION ALL SELECT id::text, shop_id::text FROM conversations WHERE id = ANY ($1::text[]::uuid[])
    UNION ALL SELECT id::text, shop_id::text FROM groups WHERE id = ANY ($1::text[]::uuid[])
    UNION ALL SELECT id::text, id::text FROM shops WHERE id = ANY ($1::text[]::uuid[])
"""
_DEFAULT_CAPACITIES: Final = f"""
    SELECT 0 AS since, (coalesce(
        (SELECT before FROM policy_history h WHERE h.shop_id = s.id ORDER BY rev LIMIT 1), policy
    ) ->> 'default_capacity')::int FROM shops s WHERE id = $1::text::uuid
    UNION ALL SELECT {_MS.format("at")}, (after ->> 'default_capacity')::int FROM policy_history
    WHERE shop_id = $1::text::uuid ORDER BY since
"""
_BATCH: Final = 2_000
DEFAULT_CAPACITY: Final = 10
"""Of a shop that never set one (KS-19)."""


class Stored:
    """What PostgreSQL has, when all is over. One connection, one question at a time."""

    def __init__(self, connection: Connection, shops: Collection[str] = ()) -> None:
        """`shops`: ids of those that matter; none: all."""
        self._db = connection
        self._shops = list(shops)

    async def ids(self) -> list[str]:
        """Every conversation."""
        rows = await self._db.fetch(
            "SELECT id::text FROM conversations WHERE $1 OR shop_id = ANY ($2::text[]::uuid[])",
            not self._shops,
            self._shops,
        )
        return [row[0] for row in rows]

    async def shops(self) -> list[tuple[str, bool]]:
        """Every shop, and whether its wrap-up holds a slot."""
        rows = await self._db.fetch(
            "SELECT id::text, coalesce((policy ->> 'wrap_up_holds_slot')::boolean, true) FROM shops "
            "WHERE $1 OR id = ANY ($2::text[]::uuid[]) ORDER BY id",
            not self._shops,
            self._shops,
        )
        return [(row[0], row[1]) for row in rows]

    async def conversations(self, ids: Collection[str]) -> dict[str, Conversation]:
        """These, as far as they exist."""
        rows = await self._db.fetch(_CONVERSATIONS, list(ids))
        found: dict[str, Conversation] = {}
        for row in rows:
            *facts, following = row.values()
            found[row[0]] = Conversation._make((*facts, frozenset(following)))
        return found

    async def logs(self, ids: Collection[str]) -> dict[str, list[Entry]]:
        """Their logs, by `seq`."""
        logs: dict[str, list[Entry]] = {}
        for row in await self._db.fetch(_MESSAGES, list(ids)):
            conversation, *facts, who = row.values()
            logs.setdefault(conversation, []).append(Entry._make((*facts, tuple(who or ()))))
        return logs

    async def decisions(self, ids: Collection[str]) -> dict[str, list[Decision]]:
        """Theirs, by `rev`."""
        made: dict[str, list[Decision]] = {}
        for row in await self._db.fetch(_DECISIONS_OF, list(ids)):
            made.setdefault(row[0], []).append(_decision(row))
        return made

    async def moments(self, shop: str) -> AsyncIterator[list[Decision]]:
        """All decisions of a shop in the order of time: those of one millisecond together."""
        moment: list[Decision] = []
        async with self._db.transaction(readonly=True):
            async for row in self._db.cursor(_DECISIONS_BY_TIME, shop, prefetch=_BATCH):
                decision = _decision(row)
                if moment and moment[0].at_ms != decision.at_ms:
                    yield moment
                    moment = []
                moment.append(decision)
        if moment:
            yield moment

    async def owners(self, ids: Collection[str]) -> dict[str, str]:
        """Id -> the shop that it belongs to. What is no account, customer, conversation, group or shop is left out."""
        rows = await self._db.fetch(_OWNERS, list(ids))
        return {row[0]: row[1] for row in rows}

    async def capacities(self, shop: str) -> dict[str, History[int]]:
        """How many each agent might hold, over time: what the audit says of the account, else the shop's default."""
        own = await self._account_changes(shop, "capacity")
        default = [
            (int(row[0]), int(row[1]))
            for row in await self._db.fetch(_DEFAULT_CAPACITIES, shop)
            if row[1] is not None
        ]
        accounts = await self._db.fetch("SELECT id::text FROM accounts WHERE shop_id = $1::text::uuid", shop)
        known: dict[str, History[int]] = {}
        for (account,) in accounts:
            set_to = [(at_ms, int(value)) for at_ms, value in own.get(account, []) if value is not None]
            known[account] = History(set_to or default or [(0, DEFAULT_CAPACITY)])
        return known

    async def staff(self, shop: str) -> Staff:
        """What the agents of a shop were, over time."""
        states: dict[str, list[tuple[int, str]]] = {}
        for row in await self._db.fetch(
            f"SELECT account_id::text, {_MS.format('began_at')}, state FROM agent_states "
            "WHERE shop_id = $1::text::uuid ORDER BY began_at",
            shop,
        ):
            states.setdefault(row[0], []).append((row[1], row[2]))
        groups: dict[str, dict[str, list[tuple[int, bool]]]] = {}
        for account, group, came_ms, left_ms in await self._terms(shop):
            changes = groups.setdefault(account, {}).setdefault(group, [])
            changes.append((came_ms, True))
            if left_ms is not None:
                changes.append((left_ms, False))
        excluded = await self._account_changes(shop, "excluded")
        return Staff(
            states={account: History(changes) for account, changes in states.items()},
            excluded={
                account: History([(at, value == "true") for at, value in changes])
                for account, changes in excluded.items()
            },
            groups={
                account: {group: History(changes) for group, changes in terms.items()}
                for account, terms in groups.items()
            },
        )

    async def _terms(self, shop: str) -> Sequence[asyncpg.Record]:
        return await self._db.fetch(
            f"""
            SELECT account_id::text, group_id::text, {_MS.format("joined_at")}, {_MS.format("left_at")}
            FROM group_terms WHERE shop_id = $1::text::uuid ORDER BY joined_at
            """,
            shop,
        )

    async def _account_changes(self, shop: str, member: str) -> dict[str, list[tuple[int, Any]]]:
        """Account -> (when, value as text) of one member, as the audit recorded it."""
        changes: dict[str, list[tuple[int, Any]]] = {}
        for row in await self._db.fetch(
            f"""
            SELECT subject_id, {_MS.format("at")}, after ->> $2 FROM audit
            WHERE shop_id = $1::text::uuid AND action IN ('accounts.added', 'accounts.changed') AND after ? $2
            ORDER BY at, id
            """,
            shop,
            member,
        ):
            changes.setdefault(row[0], []).append((row[1], row[2]))
        return changes


def _decision(row: asyncpg.Record) -> Decision:
    *facts, groups = row.values()
    return Decision._make((*facts, tuple(groups)))
