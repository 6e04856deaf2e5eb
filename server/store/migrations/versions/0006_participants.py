"""Who is asked into conversations, who took part, who was named; and the shop's settings for working together."""

from server.store.migrations.sql import run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
    run()
