"""What reports need beside the log (GP-05)."""

from server.store.migrations.sql import run

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    run()
