"""What a shop's roles grant, and the facts by which reach is judged: who shares a group with whom."""

from dataclasses import dataclass

from protocol.codes import ErrorCode
from protocol.errors import RequestError, invalid_state
from protocol.ids import AccountId, ConversationId, CustomerId, GroupId, ShopId
from protocol.rights import BUILT_IN, REACH_OF, Grants, Right, words
from server.store.database import Database, Row, Transaction


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role of a shop. `rev` 0: built in, and not changed; it rises with each change, and never comes again."""

    shop_id: ShopId
    role: str
    name: str
    grants: Grants
    rev: int


class Roles:
    """Roles of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_shop(self, shop_id: ShopId) -> dict[str, RoleRow]:
        """Every role, built-in ones first, as they hold now."""
        roles = {role: RoleRow(shop_id, role, "", grants, 0) for role, grants in BUILT_IN.items()}
        for row in await self._db.fetch("SELECT * FROM roles WHERE shop_id = $1 ORDER BY role", shop_id):
            roles[row["role"]] = _role(row)
        return roles

    async def get(self, shop_id: ShopId, role: str) -> RoleRow | None:
        """One role as it holds now, if there is one of that name."""
        return (await self.of_shop(shop_id)).get(role)

    async def holders(self, shop_id: ShopId, role: str) -> tuple[AccountId, ...]:
        """Who has a role; those who are disabled are left out."""
        rows = await self._db.fetch(
            "SELECT id FROM accounts WHERE shop_id = $1 AND $2 = ANY (roles) AND disabled_at IS NULL ORDER BY id",
            shop_id,
            role,
        )
        return tuple(row["id"] for row in rows)

    async def put(
        self, shop_id: ShopId, role: str, *, name: str, grants: Grants, expected_rev: int
    ) -> RoleRow:
        """Make or change a role. CONFLICT `stale_rev` (detail: the revision that holds) when `expected_rev` is not the
        one that holds; 0 for one that has no row yet."""
        stored = words({right: reach for right, reach in grants.items() if right is not Right.SIGN_IN})
        async with self._db.transaction() as transaction:
            await _at(transaction, shop_id, role, expected_rev)
            row = await transaction.fetchrow(
                """
                INSERT INTO roles (shop_id, role, name, grants) VALUES ($1, $2, $3, $4)
                ON CONFLICT (shop_id, role) DO UPDATE
                SET name = excluded.name, grants = excluded.grants, rev = excluded.rev
                RETURNING *
                """,
                shop_id,
                role,
                name,
                stored,
            )
        assert row is not None, "RETURNING gives the row"
        return _role(row)

    async def delete(self, shop_id: ShopId, role: str, *, expected_rev: int | None) -> None:
        """Forget what a shop says of a role: a built-in one is as it was, its own one is no more. Nothing happens when
        it says nothing. CONFLICT `stale_rev`; INVALID_STATE `role_in_use` (one of its own that accounts hold)."""
        async with self._db.transaction() as transaction:
            await _at(transaction, shop_id, role, expected_rev)
            if role not in BUILT_IN:
                held = await transaction.fetchrow(
                    "SELECT count(*) AS by FROM accounts WHERE shop_id = $1 AND $2 = ANY (roles)",
                    shop_id,
                    role,
                )
                if held is not None and held["by"]:
                    raise invalid_state(
                        "role_in_use", f"{held['by']} accounts have this role; give them another one first."
                    )
            await transaction.execute("DELETE FROM roles WHERE shop_id = $1 AND role = $2", shop_id, role)

    async def groups_of(self, shop_id: ShopId, account_id: AccountId) -> frozenset[GroupId]:
        """In which groups somebody is, now."""
        rows = await self._db.fetch(
            "SELECT group_id FROM group_members WHERE shop_id = $1 AND account_id = $2", shop_id, account_id
        )
        return frozenset(row["group_id"] for row in rows)

    async def concerned(
        self, shop_id: ShopId, account_id: AccountId, conversation_id: ConversationId, customer_id: CustomerId
    ) -> bool:
        """Whether somebody may read a conversation for what they are in now: they serve, take part in or watch the
        open conversation of the same customer (CO-02), or a note in it names them (CO-05) and they were not removed
        since."""
        row = await self._db.fetchrow(
            """
            SELECT EXISTS (
                SELECT FROM conversations o
                WHERE o.shop_id = $1 AND o.customer_id = $4 AND o.state <> 'closed'
                    AND ($2 = o.owner_id OR $2 = ANY (o.collaborators || o.supervisors || o.watchers))
            ) OR EXISTS (
                SELECT FROM mentions n
                WHERE n.shop_id = $1 AND n.conversation_id = $3 AND n.account_id = $2 AND NOT n.void
            ) AS concerned
            """,
            shop_id,
            account_id,
            conversation_id,
            customer_id,
        )
        assert row is not None, "SELECT EXISTS gives a row"
        return row["concerned"]

    async def colleagues(self, shop_id: ShopId, account_id: AccountId) -> frozenset[AccountId]:
        """Who shares a group with somebody now; themselves included."""
        rows = await self._db.fetch(
            """
            SELECT DISTINCT b.account_id FROM group_members a JOIN group_members b ON b.group_id = a.group_id
            WHERE a.shop_id = $1 AND a.account_id = $2
            """,
            shop_id,
            account_id,
        )
        return frozenset({account_id, *(row["account_id"] for row in rows)})


async def _at(transaction: Transaction, shop_id: ShopId, role: str, expected_rev: int | None) -> None:
    """Lock a role (one that is not there yet, by its shop), and see that it is at that revision."""
    await transaction.fetchrow("SELECT id FROM shops WHERE id = $1 FOR NO KEY UPDATE", shop_id)
    row = await transaction.fetchrow(
        "SELECT rev FROM roles WHERE shop_id = $1 AND role = $2 FOR UPDATE", shop_id, role
    )
    rev = 0 if row is None else row["rev"]
    if expected_rev is not None and rev != expected_rev:
        raise RequestError(
            ErrorCode.CONFLICT,
            "stale_rev",
            "This role was changed meanwhile; look at it again.",
            detail={"rev": rev},
        )


def grants_from(stored: dict[str, str]) -> Grants:
    """The grants of a row; what this version does not know grants nothing."""
    known = {right.value: right for right in Right}
    return {
        Right.SIGN_IN: REACH_OF["all"],
        **{
            known[name]: REACH_OF[reach]
            for name, reach in stored.items()
            if name in known and reach in REACH_OF
        },
    }


def _role(row: Row) -> RoleRow:
    return RoleRow(row["shop_id"], row["role"], row["name"], grants_from(row["grants"]), row["rev"])
