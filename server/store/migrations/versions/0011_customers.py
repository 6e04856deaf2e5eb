"""Who looks after a customer, what is noted about them, and reassigning many (GP-07)."""

from server.store.migrations.sql import run

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A reassignment is a job: its customers without an outcome are what is left of it, for whichever node."""
    run(
        # The list is in the order of ids; each of its ways has an index in that order.
        "CREATE INDEX customers_by_owner ON customers (shop_id, owner_id, id) WHERE owner_id IS NOT NULL",
        "CREATE INDEX customers_unowned ON customers (shop_id, id) WHERE owner_id IS NULL",
        "CREATE INDEX customers_by_tag ON customers USING gin (tags)",
        "CREATE INDEX orders_by_state ON orders (shop_id, state, customer_id)",
        """
        CREATE TABLE customer_notes (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL,
            customer_id uuid NOT NULL,
            by_id uuid NOT NULL,
            text text NOT NULL CHECK (text <> ''),
            created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
            FOREIGN KEY (shop_id, customer_id) REFERENCES customers (shop_id, id) ON DELETE CASCADE,
            FOREIGN KEY (shop_id, by_id) REFERENCES accounts (shop_id, id)
        )
        """,
        "CREATE INDEX customer_notes_by_customer ON customer_notes (shop_id, customer_id, id DESC)",
        """
        CREATE TABLE reassignments (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            by_id uuid NOT NULL,
            to_id uuid,
            reason text NOT NULL,
            actor jsonb NOT NULL,
            total int NOT NULL CHECK (total >= 0),
            done int NOT NULL DEFAULT 0,
            refused int NOT NULL DEFAULT 0,
            state text NOT NULL CHECK (state IN ('running', 'done')),
            created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
            finished_at timestamptz,
            FOREIGN KEY (shop_id, by_id) REFERENCES accounts (shop_id, id),
            FOREIGN KEY (shop_id, to_id) REFERENCES accounts (shop_id, id),
            CHECK (done + refused <= total),
            CHECK ((state = 'done') = (done + refused = total)),
            CHECK ((state = 'done') = (finished_at IS NOT NULL))
        )
        """,
        "CREATE INDEX reassignments_by_shop ON reassignments (shop_id, created_at DESC)",
        "CREATE INDEX reassignments_running ON reassignments (created_at) WHERE state = 'running'",
        # No reference to `customers`: an id that is nobody's has its place in the report too.
        """
        CREATE TABLE reassignment_customers (
            reassignment_id uuid NOT NULL REFERENCES reassignments ON DELETE CASCADE,
            customer_id uuid NOT NULL,
            outcome text CHECK (outcome IN ('done', 'refused')),
            why text,
            previous_owner_id uuid,
            PRIMARY KEY (reassignment_id, customer_id),
            CHECK ((outcome = 'refused') = (why IS NOT NULL) OR outcome IS NULL AND why IS NULL)
        )
        """,
        """
        CREATE INDEX reassignment_customers_left ON reassignment_customers (reassignment_id, customer_id)
        WHERE outcome IS NULL
        """,
        """
        CREATE INDEX reassignment_customers_refused ON reassignment_customers (reassignment_id, customer_id)
        WHERE outcome = 'refused'
        """,
    )
