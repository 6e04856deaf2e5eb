"""Who looks after a customer, what is noted about them, and reassigning many (GP-07)."""

from server.store.migrations.sql import run

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    run()
