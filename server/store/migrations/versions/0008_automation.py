"""Rules, what they fired, and deadlines that fire once (CO-07)."""

from server.store.migrations.sql import run

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    run()
