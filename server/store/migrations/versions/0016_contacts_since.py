"""How far the database had come a while before each node was last heard of: of what it wrote after that, perhaps nobody
was told when it died."""

from server.store.migrations.sql import run

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """`since`: a transaction as long before `at` as a dead node's words are told again, or longer. `mark`, of
    `marked_at`: the next such."""
    run(
        """
        ALTER TABLE node_contacts ADD COLUMN since xid8, ADD COLUMN mark xid8, ADD COLUMN marked_at timestamptz
        """
    )
