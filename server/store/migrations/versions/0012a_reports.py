"""What reports and walls need beside the log: how long agents were in which state, who was in which group when, and
from when on a figure on the wall deserves a look (GP-05, KS-18, CO-09).

Triggers write the first two, so that they are right whoever changes a status or a group, and however.
"""

from server.store.migrations.audited import audited
from server.store.migrations.sql import run

revision = "0012a"
down_revision = "0012"
branch_labels = None
depends_on = None

STATE_CHANGED = """
CREATE FUNCTION agent_state_changed() RETURNS trigger LANGUAGE plpgsql AS $body$
-- What an agent chose: ends the state they were in, and begins another.
DECLARE
    v_now timestamptz := date_trunc('milliseconds', clock_timestamp());
BEGIN
    UPDATE agent_states SET ended_at = greatest(v_now, began_at) WHERE account_id = NEW.id AND ended_at IS NULL;
    INSERT INTO agent_states (shop_id, account_id, state, began_at) VALUES (NEW.shop_id, NEW.id, NEW.status, v_now);
    RETURN NULL;
END
$body$
"""

MEMBERSHIP_CHANGED = """
CREATE FUNCTION group_membership_changed() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO group_terms (shop_id, group_id, account_id) VALUES (NEW.shop_id, NEW.group_id, NEW.account_id);
    ELSE
        UPDATE group_terms SET left_at = greatest(joined_at, date_trunc('milliseconds', clock_timestamp()))
        WHERE group_id = OLD.group_id AND account_id = OLD.account_id AND left_at IS NULL;
    END IF;
    RETURN NULL;
END
$body$
"""


def upgrade() -> None:
    """Who is there already is taken to have been so since their account was made, or since now."""
    run(
        """
        CREATE TABLE agent_states (
            shop_id uuid NOT NULL,
            account_id uuid NOT NULL,
            state text NOT NULL CHECK (state IN ('online', 'paused', 'offline', 'away')),
            began_at timestamptz NOT NULL,
            ended_at timestamptz CHECK (ended_at >= began_at),
            FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
        )
        """,
        # The states that end after some moment: those of a report of lately are the last few of many.
        "CREATE INDEX agent_states_by_end ON agent_states (shop_id, coalesce(ended_at, 'infinity'::timestamptz))",
        "CREATE UNIQUE INDEX agent_states_now ON agent_states (account_id) WHERE ended_at IS NULL",
        STATE_CHANGED,
        """
        INSERT INTO agent_states (shop_id, account_id, state, began_at)
        SELECT shop_id, id, status, status_at FROM accounts
        """,
        """
        CREATE TRIGGER agent_state_begins AFTER INSERT ON accounts
        FOR EACH ROW EXECUTE FUNCTION agent_state_changed()
        """,
        """
        CREATE TRIGGER agent_state_changes AFTER UPDATE OF status ON accounts
        FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION agent_state_changed()
        """,
        """
        CREATE TABLE group_terms (
            shop_id uuid NOT NULL,
            group_id uuid NOT NULL,
            account_id uuid NOT NULL,
            joined_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
            left_at timestamptz,
            FOREIGN KEY (shop_id, group_id) REFERENCES groups (shop_id, id) ON DELETE CASCADE,
            FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX group_terms_by_account ON group_terms (shop_id, account_id)",
        "CREATE INDEX group_terms_by_group ON group_terms (shop_id, group_id)",
        """
        INSERT INTO group_terms (shop_id, group_id, account_id, joined_at)
        SELECT m.shop_id, m.group_id, m.account_id, a.created_at FROM group_members m
        JOIN accounts a ON a.id = m.account_id
        """,
        MEMBERSHIP_CHANGED,
        """
        CREATE TRIGGER group_membership_changes AFTER INSERT OR DELETE ON group_members
        FOR EACH ROW EXECUTE FUNCTION group_membership_changed()
        """,
        """
        CREATE TABLE wall_settings (
            shop_id uuid PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
            settings jsonb NOT NULL,
            rev bigint NOT NULL
        )
        """,
        # One row per conversation, by the time at which they were opened.
        "CREATE INDEX conversations_of_shop_by_opening ON conversations (shop_id, opened_at, id)",
        # Tags and reasons are counted by the closing.
        "CREATE INDEX conversations_by_closing ON conversations (shop_id, closed_at) WHERE state = 'closed'",
    )
    audited("wall_settings", "shop", named_by="shop_id", without=("rev",))
