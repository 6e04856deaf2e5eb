"""Quick replies: texts that agents use again and again, of the whole shop, of a group, or of one account."""

from server.store.migrations.audited import audited
from server.store.migrations.sql import run

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A shortcut is unique on its shelf: among the shop's, a group's, or somebody's own."""
    run(
        # One row per shop: its revision rises with each change, and its lock lets one change happen after the other.
        """
        CREATE TABLE quick_reply_books (
            shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
            rev bigint NOT NULL
        )
        """,
        """
        CREATE TABLE quick_replies (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            group_id uuid,
            account_id uuid,
            folder text NOT NULL,
            shortcut text NOT NULL,
            title text NOT NULL,
            text text NOT NULL,
            pinyin text NOT NULL,
            initials text NOT NULL,
            rev bigint NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
            changed_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
            CHECK (group_id IS NULL OR account_id IS NULL),
            CONSTRAINT quick_replies_shortcut UNIQUE NULLS NOT DISTINCT (shop_id, group_id, account_id, shortcut),
            FOREIGN KEY (shop_id, group_id) REFERENCES groups (shop_id, id) ON DELETE CASCADE,
            FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
        )
        """,
    )
    audited("quick_replies", "quick_reply", without=("pinyin", "initials", "rev", "created_at", "changed_at"))
