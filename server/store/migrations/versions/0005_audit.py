"""What was done, by whom, and what was refused."""

from server.store.migrations.sql import run

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rows are added and read, never changed."""
    run(
        """
        CREATE TABLE audit (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
            actor_kind text NOT NULL,
            actor_id text NOT NULL,
            actor_name text NOT NULL,
            action text NOT NULL,
            subject_kind text NOT NULL,
            subject_id text NOT NULL,
            outcome text NOT NULL CHECK (outcome IN ('done', 'refused')),
            reason text NOT NULL,
            before jsonb,
            after jsonb,
            source jsonb NOT NULL
        )
        """,
        "CREATE INDEX audit_by_time ON audit (shop_id, at DESC, id DESC)",
    )
