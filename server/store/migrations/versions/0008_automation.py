"""Rules, what they fired, and deadlines that fire once (CO-07).

A firing is claimed by its unique `(subject_id, rule_id, occasion)`: of several nodes that find a rule to hold, one
inserts the row, and only that one carries the actions out. Its actions are kept as they were then, so that whoever
finishes it after a crash does what was decided.

A timer is taken by moving `take_at` on, in one statement that skips what others have locked; whoever took it removes it
when its effect is done, unless it was set anew meanwhile (`rev`). A node that dies in between leaves it to be taken
again: at least once, and every effect is idempotent.
"""

from server.store.migrations.audited import audited
from server.store.migrations.sql import run

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Firings outlive their rule: they are history."""
    run(
        """
        CREATE TABLE rules (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            subject text NOT NULL,
            position int NOT NULL,
            name text NOT NULL,
            enabled boolean NOT NULL,
            conditions jsonb NOT NULL,
            actions jsonb NOT NULL CHECK (jsonb_typeof(actions) = 'array'),
            cooldown_s int CHECK (cooldown_s > 0),
            valid_from timestamptz,
            valid_until timestamptz,
            rev bigint NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
            changed_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
            CHECK (valid_from < valid_until),
            UNIQUE (shop_id, subject, position) DEFERRABLE INITIALLY DEFERRED
        )
        """,
        """
        CREATE TABLE rule_firings (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            rule_id uuid NOT NULL,
            rule_rev bigint NOT NULL,
            rule_name text NOT NULL,
            subject text NOT NULL,
            subject_id uuid NOT NULL,
            occasion int NOT NULL CHECK (occasion > 0),
            at timestamptz NOT NULL,
            matched jsonb NOT NULL,
            actions jsonb NOT NULL,
            given jsonb NOT NULL,
            outcomes jsonb NOT NULL DEFAULT '[]',
            done_at timestamptz,
            UNIQUE (subject_id, rule_id, occasion)
        )
        """,
        "CREATE INDEX rule_firings_by_rule ON rule_firings (shop_id, rule_id, at DESC, id DESC)",
        """
        CREATE TABLE timers (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            kind text NOT NULL,
            subject_id uuid NOT NULL,
            due_at timestamptz NOT NULL,
            take_at timestamptz NOT NULL,
            payload jsonb NOT NULL,
            rev bigint NOT NULL DEFAULT 1,
            tries int NOT NULL DEFAULT 0,
            UNIQUE (kind, subject_id)
        )
        """,
        "CREATE INDEX timers_due ON timers (take_at)",
        "CREATE INDEX timers_by_shop ON timers (shop_id)",
    )
    audited("rules", "rule", without=("rev", "created_at", "changed_at"))
