"""Files of conversations (CO-04)."""

from server.store.migrations.sql import run

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is known of each file; the bytes are in the object store under `object`.

    `granted`: a place for bytes that may come; `stored`: they are there and are what they claim; `gone`: nobody may use
    it any more, its bytes are being deleted. `receiving_until`: an upload is under way, at the latest until then.
    `touched_at`: when it was last granted, stored or named; `kept`: a message names it, so it stays.
    """
    run(
        """
        CREATE TABLE files (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            conversation_id uuid NOT NULL REFERENCES conversations,
            uploader_kind text NOT NULL CHECK (uploader_kind IN ('customer', 'agent', 'bot')),
            uploader_id uuid NOT NULL,
            name text NOT NULL CHECK (name <> ''),
            size bigint NOT NULL CHECK (size > 0),
            media_type text NOT NULL,
            internal boolean NOT NULL,
            width int NOT NULL DEFAULT 0 CHECK (width >= 0),
            height int NOT NULL DEFAULT 0 CHECK (height >= 0),
            thumbnail boolean NOT NULL DEFAULT false,
            state text NOT NULL DEFAULT 'granted' CHECK (state IN ('granted', 'stored', 'gone')),
            object text NOT NULL DEFAULT '',
            sha256 bytea,
            created_at timestamptz NOT NULL DEFAULT now(),
            stored_at timestamptz,
            receiving_until timestamptz,
            touched_at timestamptz NOT NULL DEFAULT now(),
            kept boolean NOT NULL DEFAULT false,
            CHECK (state <> 'stored' OR (stored_at IS NOT NULL AND sha256 IS NOT NULL AND object <> ''))
        )
        """,
        "CREATE INDEX files_by_conversation ON files (conversation_id, created_at)",
        "CREATE INDEX files_by_shop ON files (shop_id)",
        "CREATE INDEX files_loose ON files (touched_at) WHERE NOT kept",
        """
        CREATE TABLE file_settings (
            shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
            kinds text[] NOT NULL,
            rev bigint NOT NULL DEFAULT 1
        )
        """,
    )
