"""What a shop's roles grant, and the facts by which reach is judged: who shares a group with whom."""

from dataclasses import dataclass

from protocol.ids import AccountId, GroupId, ShopId
from protocol.rights import BUILT_IN, REACH_OF, Grants, Right
from server.store.database import Database, Row


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role of a shop. `rev` 0: built in, never changed."""

    shop_id: ShopId
    role: str
    name: str
    grants: Grants
    rev: int


@dataclass(frozen=True, slots=True)
class Glass:
    """Reach over everything, for a short time. Milliseconds since 1970 UTC."""

    id: str
    account_id: AccountId
    reason: str
    began_ms: int
    until_ms: int
    ended_ms: int | None


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

    async def broken_glass(self, shop_id: ShopId) -> tuple[Glass, ...]:
        """Whose reach is over everything now."""
        rows = await self._db.fetch(
            "SELECT * FROM break_glass WHERE shop_id = $1 AND until > now() AND ended_at IS NULL", shop_id
        )
        return tuple(
            Glass(
                row["id"],
                row["account_id"],
                row["reason"],
                row["began_at"],
                row["until"],
                row["ended_at"],
            )
            for row in rows
        )

    async def groups_of(self, shop_id: ShopId, account_id: AccountId) -> frozenset[GroupId]:
        """In which groups somebody is, now."""
        rows = await self._db.fetch(
            "SELECT group_id FROM group_members WHERE shop_id = $1 AND account_id = $2", shop_id, account_id
        )
        return frozenset(row["group_id"] for row in rows)

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
