"""What is known of files: who put them where, and whether their bytes are there. Bytes are in `objects`."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from protocol.errors import not_found
from protocol.ids import ConversationId, PersonId, ShopId
from server.store.database import Database
from server.store.rows import SenderKind

FileState = Literal["granted", "stored", "gone"]
_NAMES: Final = (
    "id",
    "shop_id",
    "conversation_id",
    "uploader_kind",
    "uploader_id",
    "name",
    "size",
    "media_type",
    "internal",
    "width",
    "height",
    "thumbnail",
    "state",
    "object",
    "sha256",
)
_COLUMNS: Final = ", ".join(f"f.{name}" for name in _NAMES)
SWEPT: Final = 200
"""How many files one look of the sweep takes."""
_NAMED: Final = """
    EXISTS (
        SELECT FROM messages m
        WHERE m.conversation_id = f.conversation_id AND m.body->>'file_id' = f.id::text
            AND m.body->>'kind' IN ('image', 'file')
            {more}
    )
"""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file, in the order of `_NAMES`. `size` in bytes, `width` and `height` in pixels (0: not an image)."""

    id: str
    shop_id: ShopId
    conversation_id: ConversationId
    uploader_kind: SenderKind
    uploader_id: PersonId
    name: str
    size: int
    media_type: str
    internal: bool
    width: int
    height: int
    thumbnail: bool
    state: FileState
    object: str
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one side of a conversation may upload into it in a day (24 hours back from now)."""

    count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Granted:
    """The place is kept."""


@dataclass(frozen=True, slots=True)
class Used:
    """The place is not kept: this is what the side has uploaded in the last day, and more is too much."""

    count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Busy:
    """Bytes for this place are coming already, or have come."""

    state: FileState


@dataclass(frozen=True, slots=True)
class Receiving:
    """A place whose bytes may come now, under `file.object`. `left`: the object of an earlier try that broke off
    without a word; empty when there is none."""

    file: FileRow
    left: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out about bytes that came."""

    sha256: bytes
    width: int = 0
    height: int = 0
    thumbnail: bool = False


class Files:
    """Files of all shops; every question names its shop."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def grant(self, file: FileRow, allowance: Allowance) -> Granted | Used:
        """Keep a place for `file`, unless its side (customer or staff) would use more than `allowance`.

        Files of one conversation are granted one after the other, so that the limit holds.
        """
        async with self._db.transaction() as go:
            await go.fetchrow("SELECT pg_advisory_xact_lock(hashtextextended($1, 7))", file.conversation_id)
            used = await go.fetchrow(
                """
                SELECT count(*) AS files, coalesce(sum(size), 0)::bigint AS bytes FROM files
                WHERE conversation_id = $1 AND (uploader_kind = 'customer') = ($2 = 'customer')
                    AND created_at > now() - interval '1 day'
                """,
                file.conversation_id,
                file.uploader_kind,
            )
            assert used is not None, "an aggregate always has a row"
            if used["files"] + 1 > allowance.count or used["bytes"] + file.size > allowance.size_bytes:
                return Used(used["files"], used["bytes"])
            await go.execute(
                """
                INSERT INTO files
                    (id, shop_id, conversation_id, uploader_kind, uploader_id, name, size, media_type, internal)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                """,
                file.id,
                file.shop_id,
                file.conversation_id,
                file.uploader_kind,
                file.uploader_id,
                file.name,
                file.size,
                file.media_type,
                file.internal,
            )
        return Granted()

    async def get(self, shop_id: ShopId, file_id: str) -> FileRow:
        """A file whose bytes are there. NOT_FOUND."""
        row = await self._db.fetchrow(
            f"SELECT {_COLUMNS} FROM files f WHERE f.shop_id = $1 AND f.id = $2 AND f.state = 'stored'",
            shop_id,
            file_id,
        )
        return _there(row)

    async def named(self, shop_id: ShopId, file_id: str, *, public: bool) -> bool:
        """Whether an entry of its conversation's log names the file and has not been recalled; `public`: one that the
        customer may see."""
        visible = "AND m.recalled_at IS NULL" + (" AND m.visibility = 'public'" if public else "")
        row = await self._db.fetchrow(
            f"SELECT {_NAMED.format(more=visible)} AS named FROM files f WHERE f.shop_id = $1 AND f.id = $2",
            shop_id,
            file_id,
        )
        return row is not None and row["named"]

    async def touch(self, shop_id: ShopId, file_id: str) -> FileRow:
        """A stored file that is about to be named in a message: from now on it is not swept for a day. NOT_FOUND."""
        row = await self._db.fetchrow(
            f"""
            UPDATE files f SET touched_at = now() WHERE f.shop_id = $1 AND f.id = $2 AND f.state = 'stored'
            RETURNING {_COLUMNS}
            """,
            shop_id,
            file_id,
        )
        return _there(row)

    # --- bytes that come ---------------------------------------------------------------------------------------------
    async def receive(
        self, shop_id: ShopId, file_id: str, *, object: str, within_s: float
    ) -> Receiving | Busy:
        """Take the place for one upload, for at most `within_s`; nobody else gets it meanwhile. NOT_FOUND."""
        row = await self._db.fetchrow(
            f"""
            WITH before AS (
                SELECT id, object, state, receiving_until FROM files
                WHERE shop_id = $1 AND id = $2 AND state <> 'gone' FOR UPDATE
            ), taken AS (
                UPDATE files f SET object = $3, receiving_until = now() + make_interval(secs => $4)
                FROM before
                WHERE f.id = before.id AND before.state = 'granted'
                    AND (before.receiving_until IS NULL OR before.receiving_until < now())
                RETURNING {_COLUMNS}
            )
            SELECT taken.*, before.state AS was, before.object AS left
            FROM before LEFT JOIN taken ON true
            """,
            shop_id,
            file_id,
            object,
            within_s,
        )
        if row is None:
            raise not_found("file")
        if row["id"] is None:
            return Busy(row["was"])
        return Receiving(_file(row), row["left"])

    async def stored(self, file: FileRow, facts: Facts) -> bool:
        """The bytes are there, under `file.object`. False: it took too long, and the place is another upload's."""
        return bool(
            await self._db.execute(
                """
                UPDATE files SET
                    state = 'stored', stored_at = now(), touched_at = now(), receiving_until = NULL, sha256 = $4,
                    width = $5, height = $6, thumbnail = $7
                WHERE shop_id = $1 AND id = $2 AND object = $3 AND state = 'granted'
                """,
                file.shop_id,
                file.id,
                file.object,
                facts.sha256,
                facts.width,
                facts.height,
                facts.thumbnail,
            )
        )

    async def released(self, file: FileRow) -> None:
        """The upload broke off; the place is free for another try."""
        await self._db.execute(
            """
            UPDATE files SET receiving_until = NULL, object = ''
            WHERE shop_id = $1 AND id = $2 AND object = $3 AND state = 'granted'
            """,
            file.shop_id,
            file.id,
            file.object,
        )

    # --- bytes that go -----------------------------------------------------------------------------------------------
    async def condemn(self, file: FileRow) -> bool:
        """Nobody may use it from now on; `forget` it when its bytes are deleted. False: it is another upload's now."""
        return bool(
            await self._db.execute(
                "UPDATE files SET state = 'gone' WHERE shop_id = $1 AND id = $2 AND object = $3",
                file.shop_id,
                file.id,
                file.object,
            )
        )

    async def condemn_unused(self, unused_s: int) -> tuple[FileRow, ...]:
        """Of the files untouched for that long, those that no entry names (recalled ones count), and those condemned
        before whose bytes may still be there. The others are kept for good. At most `SWEPT` at a time."""
        rows = await self._db.fetch(
            f"""
            WITH loose AS (
                SELECT f.id, f.state = 'gone' AS gone, {_NAMED.format(more="")} AS named
                FROM files f
                WHERE NOT f.kept AND (f.state = 'gone' OR f.touched_at < now() - make_interval(secs => $1))
                ORDER BY f.touched_at LIMIT $2
                FOR UPDATE SKIP LOCKED
            )
            UPDATE files f SET
                kept = loose.named AND NOT loose.gone,
                state = CASE WHEN loose.named AND NOT loose.gone THEN f.state ELSE 'gone' END
            FROM loose WHERE f.id = loose.id
            RETURNING {_COLUMNS}
            """,
            unused_s,
            SWEPT,
        )
        return tuple(file for file in map(_file, rows) if file.state == "gone")

    async def forget(self, file: FileRow) -> None:
        """Its bytes are deleted."""
        await self._db.execute(
            "DELETE FROM files WHERE shop_id = $1 AND id = $2 AND state = 'gone'", file.shop_id, file.id
        )

    # --- settings ----------------------------------------------------------------------------------------------------
    async def kinds(self, shop_id: ShopId) -> tuple[frozenset[str], int] | None:
        """The kinds of files that the shop allows, and the revision of this setting; None: never set."""
        row = await self._db.fetchrow("SELECT kinds, rev FROM file_settings WHERE shop_id = $1", shop_id)
        return None if row is None else (frozenset(row["kinds"]), row["rev"])

    async def set_kinds(self, shop_id: ShopId, kinds: frozenset[str], *, rev: int) -> bool:
        """Set them, if the revision is still `rev` (0: never set), which then is one more. False: it is another."""
        return bool(
            await self._db.execute(
                """
                INSERT INTO file_settings (shop_id, kinds, rev) SELECT $1, $2::text[], 1 WHERE $3::bigint = 0
                ON CONFLICT DO NOTHING
                """
                if rev == 0
                else """
                UPDATE file_settings SET kinds = $2::text[], rev = rev + 1 WHERE shop_id = $1 AND rev = $3::bigint
                """,
                shop_id,
                sorted(kinds),
                rev,
            )
        )


def _there(row: Any) -> FileRow:
    if row is None:
        raise not_found("file")
    return _file(row)


def _file(row: Any) -> FileRow:
    return FileRow(*(row[name] for name in _NAMES))
