"""Holidays, shifts by date, duty by hand (GP-06)."""

from server.store.migrations.sql import run

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    run()
