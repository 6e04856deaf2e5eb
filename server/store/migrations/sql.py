"""How a migration says SQL."""

from alembic import op
from sqlalchemy import text


def run(*statements: str) -> None:
    """Execute statements exactly as written (alembic would take `:word` for a parameter)."""
    for statement in statements:
        op.execute(text(statement.replace("\\", "\\\\").replace(":", "\\:")))
