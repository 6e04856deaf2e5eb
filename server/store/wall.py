"""What a supervisors' wall asks the database, each question bounded by what the wall shows.

Who waits longest for an agent is read from an index. Who waits longest for an answer is not: `waiting_since` changes
with every question and every answer, and in an index it would end in-place updates of `conversations` (measured: 99 %
of them became 0.2 %, the table 2.4 times as large, and the log's writer acknowledged 14 % fewer messages). Instead the
conversations in hand are looked through, by the index of open ones: so many as agents hold, whatever else waits or was
closed; 0.5 us each (5,000 of 500 agents: 2.1 ms).
"""

from dataclasses import dataclass
from typing import Final

from protocol.ids import AccountId, ConversationId, GroupId, ShopId
from server.store.database import Database, Row
from server.store.rows import OwnerKind

_HELD: Final = """
    WITH held AS MATERIALIZED (
        SELECT c.id, c.state, c.waiting_since, c.owner_id, c.last_agent_id, c.last_contact_at FROM conversations c
        WHERE c.shop_id = $1 AND c.state IN ('active', 'wrap_up') AND c.owner_id IS NOT NULL
            AND ($2::uuid[] IS NULL OR c.owner_id = ANY ($2))
    ), unanswered AS (
        SELECT h.id FROM held h WHERE h.state = 'active' AND h.waiting_since IS NOT NULL
        ORDER BY h.waiting_since, h.id LIMIT $3
    ), people AS (
        SELECT h.owner_id, count(*) AS in_service, count(h.waiting_since) AS unanswered,
            min(h.waiting_since) AS unanswered_since,
            max(h.last_contact_at) FILTER (WHERE h.last_agent_id = h.owner_id) AS wrote_at
        FROM held h WHERE h.state = 'active' GROUP BY h.owner_id ORDER BY h.owner_id
    )
    SELECT
        (SELECT count(*) FROM held WHERE state = 'active') AS in_service,
        (SELECT count(*) FROM held WHERE state = 'wrap_up') AS wrap_up,
        one.*,
        c.id, u.name AS customer, c.state, c.order_state, c.owner_id, c.owner_kind, a.name AS owner,
        c.waiting_since AS since
    FROM (
        SELECT array_agg(p.owner_id) AS owners, array_agg(p.in_service) AS works, array_agg(p.unanswered) AS waits,
            array_agg(p.unanswered_since) AS waits_since, array_agg(p.wrote_at) AS wrote
        FROM people p
    ) one
    LEFT JOIN (
        unanswered w
        JOIN conversations c ON c.id = w.id
        JOIN customers u ON u.id = c.customer_id
        JOIN accounts a ON a.id = c.owner_id
    ) ON true
    ORDER BY c.waiting_since, c.id
"""
_BY_PEOPLE: Final = ("owners", "works", "waits", "waits_since", "wrote")
_WAITING: Final = """
    SELECT q.id, u.name AS customer, q.order_state, q.pool, q.arrived_at AS since
    FROM unnest($2::text[]) AS p(pool)
    CROSS JOIN LATERAL (
        SELECT c.id, c.customer_id, c.order_state, c.pool, c.arrived_at FROM conversations c
        WHERE c.shop_id = $1 AND c.state = 'queued' AND c.pool = p.pool
        ORDER BY c.arrived_at, c.id LIMIT $3
    ) q
    JOIN customers u ON u.id = q.customer_id
    ORDER BY q.arrived_at, q.id LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A conversation that waits: for an agent (`pool`), or its customer for an answer (`owner_id`)."""

    id: ConversationId
    customer_name: str
    state: str
    order_state: str
    since_ms: int
    pool: str | None = None
    owner_id: AccountId | None = None
    owner_kind: OwnerKind | None = None
    owner_name: str = ""


@dataclass(frozen=True, slots=True)
class WorkRow:
    """What one agent has in service. `unanswered_ms`: since when the first of the unanswered has waited; `wrote_ms`:
    when they last wrote to one of them."""

    account_id: AccountId
    in_service: int
    unanswered: int
    unanswered_ms: int | None
    wrote_ms: int | None


@dataclass(frozen=True, slots=True)
class HeldRows:
    """The conversations in hand, counted, by agent, and of those the longest unanswered."""

    in_service: int
    wrap_up: int
    unanswered: tuple[WaitingRow, ...]
    work: tuple[WorkRow, ...] = ()


class WallReads:
    """Reads for walls; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def held(self, shop_id: ShopId, owners: tuple[AccountId, ...] | None, most: int) -> HeldRows:
        """What is in hand, of these owners (None: of everybody), and whose customers have waited longest for an answer,
        at most `most`, oldest first."""
        rows = await self._db.fetch(_HELD, shop_id, owners, most)
        return HeldRows(
            rows[0]["in_service"],
            rows[0]["wrap_up"],
            tuple(_unanswered(row) for row in rows if row["id"] is not None),
            tuple(WorkRow(*work) for work in zip(*(rows[0][name] or () for name in _BY_PEOPLE), strict=True)),
        )

    async def waiting(self, shop_id: ShopId, pools: tuple[str, ...], most: int) -> tuple[WaitingRow, ...]:
        """Who has waited longest for an agent in these pools, at most `most`, oldest first."""
        rows = await self._db.fetch(_WAITING, shop_id, pools, most)
        return tuple(
            WaitingRow(
                row["id"], row["customer"], "queued", row["order_state"], row["since"], pool=row["pool"]
            )
            for row in rows
        )

    async def names(self, shop_id: ShopId, accounts: tuple[AccountId, ...]) -> dict[AccountId, str]:
        """What these accounts are called."""
        rows = await self._db.fetch(
            "SELECT id, name FROM accounts WHERE shop_id = $1 AND id = ANY ($2)", shop_id, accounts
        )
        return {row["id"]: row["name"] for row in rows}

    async def groups_of(
        self, shop_id: ShopId, accounts: tuple[AccountId, ...]
    ) -> dict[AccountId, frozenset[GroupId]]:
        """In which groups these accounts are now; who is in none is left out."""
        rows = await self._db.fetch(
            "SELECT account_id, array_agg(group_id) AS groups FROM group_members"
            " WHERE shop_id = $1 AND account_id = ANY ($2) GROUP BY account_id",
            shop_id,
            accounts,
        )
        return {row["account_id"]: frozenset(row["groups"]) for row in rows}

    async def members(self, shop_id: ShopId, groups: frozenset[GroupId]) -> frozenset[AccountId]:
        """Who is in any of these groups now."""
        rows = await self._db.fetch(
            "SELECT DISTINCT account_id FROM group_members WHERE shop_id = $1 AND group_id = ANY ($2)",
            shop_id,
            tuple(groups),
        )
        return frozenset(row["account_id"] for row in rows)


def _unanswered(row: Row) -> WaitingRow:
    return WaitingRow(
        row["id"],
        row["customer"],
        row["state"],
        row["order_state"],
        row["since"],
        owner_id=row["owner_id"],
        owner_kind=row["owner_kind"],
        owner_name=row["owner"],
    )
