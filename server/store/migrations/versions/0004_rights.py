"""What roles may do in a shop (GP-02, CO-06), and reach over everything for a short time (break-glass)."""

from server.store.migrations.sql import run

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A role without a row has its built-in grants; a role of the shop's own exists by its row. `grants`: right ->
    reach."""
    run(
        """
        CREATE TABLE roles (
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            role text NOT NULL CHECK (role ~ '^[a-z][a-z0-9_]{0,31}$' AND role NOT IN ('owner', 'customer', 'bot')),
            name text NOT NULL DEFAULT '',
            grants jsonb NOT NULL CHECK (jsonb_typeof(grants) = 'object'),
            rev bigint NOT NULL DEFAULT 1,
            PRIMARY KEY (shop_id, role)
        )
        """,
        """
        CREATE TABLE break_glass (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL,
            account_id uuid NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            began_at timestamptz NOT NULL DEFAULT now(),
            until timestamptz NOT NULL,
            ended_at timestamptz,
            FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX break_glass_by_shop ON break_glass (shop_id, until DESC)",
    )
