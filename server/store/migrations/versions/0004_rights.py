"""What roles may do in a shop (GP-02, CO-06), and reach over everything for a short time (break-glass)."""

from server.store.migrations.sql import run

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BUILT_IN = """ARRAY['owner', 'admin', 'service_admin', 'supervisor', 'operations', 'agent', 'bot']"""

# The other half of a foreign key from each of `accounts.roles`: whoever deletes a role locks its row first, and looks
# for its holders then (store/roles.py).
ROLES_EXIST = f"""
CREATE FUNCTION roles_exist() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    v_role text;
BEGIN
    FOR v_role IN SELECT unnest(NEW.roles) LOOP
        IF v_role <> ALL ({BUILT_IN}) THEN
            PERFORM FROM roles WHERE shop_id = NEW.shop_id AND role = v_role FOR KEY SHARE;
            IF NOT FOUND THEN
                RAISE foreign_key_violation USING
                    MESSAGE = 'no such role: ' || v_role, CONSTRAINT = 'accounts_roles';
            END IF;
        END IF;
    END LOOP;
    RETURN NEW;
END
$body$
"""


def upgrade() -> None:
    """A role without a row has its built-in grants; a role of the shop's own exists by its row. `grants`: right ->
    reach."""
    run(
        # Shared by all shops, so that a revision never names two different states of a role that went and came back.
        "CREATE SEQUENCE role_revs",
        """
        CREATE TABLE roles (
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            role text NOT NULL CHECK (role ~ '^[a-z][a-z0-9_]{0,31}$' AND role NOT IN ('owner', 'customer', 'bot')),
            name text NOT NULL DEFAULT '',
            grants jsonb NOT NULL CHECK (jsonb_typeof(grants) = 'object'),
            rev bigint NOT NULL DEFAULT nextval('role_revs'),
            PRIMARY KEY (shop_id, role)
        )
        """,
        """
        CREATE TABLE break_glass (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL,
            account_id uuid NOT NULL,
            opened_by uuid NOT NULL,
            reason text NOT NULL CHECK (reason <> ''),
            began_at timestamptz NOT NULL DEFAULT now(),
            until timestamptz NOT NULL,
            ended_at timestamptz,
            FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE,
            FOREIGN KEY (shop_id, opened_by) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX break_glass_by_shop ON break_glass (shop_id, id DESC)",
        "CREATE INDEX break_glass_open ON break_glass (until) WHERE ended_at IS NULL",
        ROLES_EXIST,
        """
        CREATE TRIGGER roles_exist BEFORE INSERT OR UPDATE OF roles ON accounts
        FOR EACH ROW EXECUTE FUNCTION roles_exist()
        """,
    )
