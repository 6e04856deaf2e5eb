"""Divided work (CO-08) and alarms (CO-09)."""

from server.store.migrations.sql import run

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    run()
