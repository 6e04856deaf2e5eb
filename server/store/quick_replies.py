"""Quick replies of a shop, on shelves: the shop's own, one for each group, one for each account."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.ids import AccountId, GroupId, ShopId, new_id
from server.store.database import Database, Row, Transaction
from server.store.failures import unique_taken

Whose = Literal["shop", "group", "own"]
SHORTCUT_MAX: Final = 32
_CONTENT: Final = "folder, shortcut, title, text, pinyin, initials"
_COLUMNS: Final = f"id, shop_id, group_id, account_id, {_CONTENT}, rev, created_at, changed_at"
_TAKEN: Final = {
    "quick_replies_shortcut": ("shortcut_taken", "Another quick reply has this shortcut; choose another.")
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a quick reply stands. Without group and account: the shop's, for everybody."""

    group_id: GroupId | None = None
    account_id: AccountId | None = None

    @property
    def whose(self) -> Whose:
        """Whose it is, in a word."""
        if self.account_id is not None:
            return "own"
        return "shop" if self.group_id is None else "group"


@dataclass(frozen=True, slots=True)
class Content:
    """What a quick reply says, and what it is found by. `pinyin`: syllables with a space between them."""

    folder: str
    shortcut: str
    title: str
    text: str
    pinyin: str
    initials: str


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """A quick reply. Milliseconds since 1970 UTC."""

    id: str
    shop_id: ShopId
    group_id: GroupId | None
    account_id: AccountId | None
    folder: str
    shortcut: str
    title: str
    text: str
    pinyin: str
    initials: str
    rev: int
    created_ms: int
    changed_ms: int

    @property
    def shelf(self) -> Shelf:
        """Where it stands."""
        return Shelf(self.group_id, self.account_id)

    @property
    def content(self) -> Content:
        """What it says."""
        return Content(self.folder, self.shortcut, self.title, self.text, self.pinyin, self.initials)


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of many at once: how many are new, how many replaced one of the same shortcut, how many said the
    same already. `rev`: of the shop's quick replies after it."""

    added: int
    changed: int
    same: int
    rev: int


class QuickReplies:
    """Quick replies of all shops; every question names its shop. What changes something gives the revision of the
    shop's quick replies after it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def rev(self, shop_id: ShopId) -> int:
        """The revision of all that the shop has; 0: it never had any."""
        row = await self._db.fetchrow("SELECT rev FROM quick_reply_books WHERE shop_id = $1", shop_id)
        return 0 if row is None else row["rev"]

    async def readable(
        self, shop_id: ShopId, account_id: AccountId | None, groups: Iterable[GroupId] | None
    ) -> tuple[ReplyRow, ...]:
        """The shop's, those of these groups (None: of all), and the account's own; by shelf, folder and shortcut."""
        rows = await self._db.fetch(
            f"""
            SELECT {_COLUMNS} FROM quick_replies
            WHERE shop_id = $1 AND (account_id IS NULL OR account_id = $2)
                AND (group_id IS NULL OR $3::uuid[] IS NULL OR group_id = ANY ($3))
            ORDER BY account_id NULLS LAST, group_id NULLS LAST, folder, shortcut
            """,
            shop_id,
            account_id,
            None if groups is None else list(groups),
        )
        return tuple(ReplyRow(*row.values()) for row in rows)

    async def on(self, shop_id: ShopId, shelf: Shelf) -> tuple[ReplyRow, ...]:
        """Everything on a shelf, by folder and shortcut."""
        return await _on(self._db, shop_id, shelf)

    async def get(self, shop_id: ShopId, reply_id: str) -> ReplyRow:
        """One. NOT_FOUND."""
        return _there(
            await self._db.fetchrow(
                f"SELECT {_COLUMNS} FROM quick_replies WHERE shop_id = $1 AND id = $2", shop_id, reply_id
            )
        )

    async def add(
        self, shop_id: ShopId, shelf: Shelf, content: Content, *, most: int, name_it: bool = False
    ) -> tuple[ReplyRow, int]:
        """A new one. `name_it`: when the shortcut is taken, a number makes it another. CONFLICT `shortcut_taken`,
        `too_many_quick_replies` (the shelf has `most`)."""
        with unique_taken(_TAKEN):
            async with self._db.transaction() as transaction:
                rev = await _risen(transaction, shop_id)
                there = await _on(transaction, shop_id, shelf)
                if len(there) >= most:
                    raise too_many(most)
                if name_it:
                    taken = {row.shortcut for row in there}
                    content = Content(
                        content.folder,
                        _free(content.shortcut, taken),
                        content.title,
                        content.text,
                        content.pinyin,
                        content.initials,
                    )
                row = await _insert(transaction, shop_id, shelf, content)
        return row, rev

    async def change(
        self, shop_id: ShopId, reply_id: str, content: Content, *, expected_rev: int
    ) -> tuple[ReplyRow, int]:
        """Say something else. NOT_FOUND; CONFLICT `stale_rev` (detail: the revision that holds), `shortcut_taken`."""
        with unique_taken(_TAKEN):
            async with self._db.transaction() as transaction:
                rev = await _risen(transaction, shop_id)
                row = await transaction.fetchrow(
                    f"""
                    UPDATE quick_replies SET ({_CONTENT}) = ($4, $5, $6, $7, $8, $9), rev = rev + 1,
                        changed_at = date_trunc('milliseconds', clock_timestamp())
                    WHERE shop_id = $1 AND id = $2 AND rev = $3 RETURNING {_COLUMNS}
                    """,
                    shop_id,
                    reply_id,
                    expected_rev,
                    *_values(content),
                )
                if row is None:
                    now = _there(
                        await transaction.fetchrow(
                            f"SELECT {_COLUMNS} FROM quick_replies WHERE shop_id = $1 AND id = $2",
                            shop_id,
                            reply_id,
                        )
                    )
                    raise _stale(now.rev)
        return _there(row), rev

    async def delete(self, shop_id: ShopId, reply_id: str) -> int:
        """Forget one. NOT_FOUND."""
        async with self._db.transaction() as transaction:
            rev = await _risen(transaction, shop_id)
            if not await transaction.execute(
                "DELETE FROM quick_replies WHERE shop_id = $1 AND id = $2", shop_id, reply_id
            ):
                raise not_found("quick_reply")
        return rev

    async def bring(
        self, shop_id: ShopId, shelf: Shelf, contents: Sequence[Content], *, most: int, rehearse: bool
    ) -> Brought:
        """All of these onto a shelf, or none: one whose shortcut is there replaces what stands there. Shortcuts must
        differ. `rehearse`: nothing is changed, only counted. CONFLICT `too_many_quick_replies`."""
        async with self._db.transaction() as transaction:
            rev = 0 if rehearse else await _risen(transaction, shop_id)
            there = {row.shortcut: row for row in await _on(transaction, shop_id, shelf)}
            new = [each for each in contents if each.shortcut not in there]
            other = [
                (there[each.shortcut].id, each)
                for each in contents
                if each.shortcut in there and there[each.shortcut].content != each
            ]
            if len(there) + len(new) > most:
                raise too_many(most)
            if not rehearse:
                for content in new:
                    await _insert(transaction, shop_id, shelf, content)
                for reply_id, content in other:
                    await transaction.execute(
                        f"""
                        UPDATE quick_replies SET ({_CONTENT}) = ($3, $4, $5, $6, $7, $8), rev = rev + 1,
                            changed_at = date_trunc('milliseconds', clock_timestamp())
                        WHERE shop_id = $1 AND id = $2
                        """,
                        shop_id,
                        reply_id,
                        *_values(content),
                    )
        return Brought(len(new), len(other), len(contents) - len(new) - len(other), rev)


def too_many(most: int) -> RequestError:
    """A shelf is full."""
    return RequestError(
        ErrorCode.CONFLICT,
        "too_many_quick_replies",
        f"At most {most} quick replies here; delete some before adding others.",
        detail={"most": most},
    )


async def _risen(transaction: Transaction, shop_id: ShopId) -> int:
    row = await transaction.fetchrow(
        """
        INSERT INTO quick_reply_books AS b (shop_id, rev) VALUES ($1, 1)
        ON CONFLICT (shop_id) DO UPDATE SET rev = b.rev + 1 RETURNING rev
        """,
        shop_id,
    )
    assert row is not None, "RETURNING gives the row"
    return row["rev"]


async def _on(db: Database | Transaction, shop_id: ShopId, shelf: Shelf) -> tuple[ReplyRow, ...]:
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS} FROM quick_replies
        WHERE shop_id = $1 AND group_id IS NOT DISTINCT FROM $2 AND account_id IS NOT DISTINCT FROM $3
        ORDER BY folder, shortcut
        """,
        shop_id,
        shelf.group_id,
        shelf.account_id,
    )
    return tuple(ReplyRow(*row.values()) for row in rows)


async def _insert(transaction: Transaction, shop_id: ShopId, shelf: Shelf, content: Content) -> ReplyRow:
    return _there(
        await transaction.fetchrow(
            f"""
            INSERT INTO quick_replies (id, shop_id, group_id, account_id, {_CONTENT})
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING {_COLUMNS}
            """,
            new_id(),
            shop_id,
            shelf.group_id,
            shelf.account_id,
            *_values(content),
        )
    )


def _values(content: Content) -> tuple[str, ...]:
    return (
        content.folder,
        content.shortcut,
        content.title,
        content.text,
        content.pinyin,
        content.initials,
    )


def _free(shortcut: str, taken: set[str]) -> str:
    number, found = 2, shortcut
    while found in taken:
        found = f"{shortcut[: SHORTCUT_MAX - len(str(number))]}{number}"
        number += 1
    return found


def _there(row: Row | None) -> ReplyRow:
    if row is None:
        raise not_found("quick_reply")
    return ReplyRow(*row.values())


def _stale(rev: int) -> RequestError:
    return RequestError(
        ErrorCode.CONFLICT,
        "stale_rev",
        "This quick reply was changed meanwhile; look at it again.",
        detail={"rev": rev},
    )
