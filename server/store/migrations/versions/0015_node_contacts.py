"""When each node last heard from Redis: what one that hears nothing asks, to know whether Redis is gone or itself."""

from server.store.migrations.sql import run

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Written every few seconds and of no use after a crash: no log is kept of it."""
    run("CREATE UNLOGGED TABLE node_contacts (node text PRIMARY KEY, at timestamptz NOT NULL)")
