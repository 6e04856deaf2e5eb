"""Shops, people, orders, and what they may."""

from server.store.migrations.sql import run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Everything but conversations. `UNIQUE (shop_id, id)` lets references prove that both ends are of one shop
    (I5)."""
    run(
        """
        CREATE TABLE shops (
            id uuid PRIMARY KEY,
            slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
            name text NOT NULL,
            status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
            created_at timestamptz NOT NULL DEFAULT now(),
            policy jsonb NOT NULL,
            policy_rev bigint NOT NULL DEFAULT 1,
            widget_settings jsonb NOT NULL CHECK (
                widget_settings ->> 'identity_mode' IN ('off', 'report', 'enforce')
                AND jsonb_typeof(widget_settings -> 'anonymous_allowed') = 'boolean'
            ),
            endings jsonb NOT NULL DEFAULT '{}'
        )
        """,
        """
        CREATE TABLE shop_origins (
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            surface text NOT NULL CHECK (surface IN ('widget', 'desk')),
            origin text NOT NULL CHECK (origin ~ '^https?://[^/]+$'),
            PRIMARY KEY (shop_id, surface, origin)
        )
        """,
        "CREATE INDEX shop_origins_by_origin ON shop_origins (origin, surface)",
        """
        CREATE TABLE identity_keys (
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            kid text NOT NULL,
            secret text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            revoked_at timestamptz,
            PRIMARY KEY (shop_id, kid)
        )
        """,
        """
        CREATE TABLE policy_history (
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            rev bigint NOT NULL,
            at timestamptz NOT NULL DEFAULT now(),
            by uuid,
            before jsonb,
            after jsonb NOT NULL,
            note text NOT NULL DEFAULT '',
            PRIMARY KEY (shop_id, rev)
        )
        """,
        """
        CREATE TABLE accounts (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            email text NOT NULL,
            name text NOT NULL,
            password_hash text NOT NULL,
            roles text[] NOT NULL CHECK (
                cardinality(roles) > 0
                AND array_to_string(roles, ' ') ~ '^[a-z][a-z0-9_]{0,31}( [a-z][a-z0-9_]{0,31})*$'
            ),
            capacity int CHECK (capacity BETWEEN 1 AND 500),
            pause_mode text NOT NULL DEFAULT 'by_hand' CHECK (pause_mode IN ('at_n', 'by_hand', 'never')),
            pause_at int CHECK (pause_at BETWEEN 1 AND 500),
            excluded boolean NOT NULL DEFAULT false,
            status text NOT NULL DEFAULT 'offline' CHECK (status IN ('online', 'paused', 'offline')),
            status_at timestamptz NOT NULL DEFAULT now(),
            device text NOT NULL DEFAULT '',
            token_version int NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now(),
            disabled_at timestamptz,
            UNIQUE (shop_id, id),
            CHECK (pause_mode <> 'at_n' OR pause_at IS NOT NULL)
        )
        """,
        "CREATE UNIQUE INDEX accounts_email ON accounts (shop_id, lower(email))",
        """
        CREATE TABLE groups (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            name text NOT NULL,
            kind text NOT NULL DEFAULT 'other' CHECK (kind IN ('region', 'product_line', 'customer_type', 'other')),
            created_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (shop_id, id)
        )
        """,
        "CREATE UNIQUE INDEX groups_name ON groups (shop_id, lower(name))",
        """
        CREATE TABLE group_members (
            shop_id uuid NOT NULL,
            group_id uuid NOT NULL,
            account_id uuid NOT NULL,
            PRIMARY KEY (group_id, account_id),
            FOREIGN KEY (shop_id, group_id) REFERENCES groups (shop_id, id) ON DELETE CASCADE,
            FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX group_members_by_account ON group_members (shop_id, account_id)",
        """
        CREATE TABLE schedules (
            shop_id uuid NOT NULL,
            account_id uuid NOT NULL,
            group_id uuid,
            weekday smallint NOT NULL CHECK (weekday BETWEEN 0 AND 6),
            start_minute smallint NOT NULL CHECK (start_minute BETWEEN 0 AND 1439),
            end_minute smallint NOT NULL CHECK (end_minute BETWEEN 1 AND 1440),
            CHECK (start_minute < end_minute),
            FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE,
            FOREIGN KEY (shop_id, group_id) REFERENCES groups (shop_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX schedules_by_account ON schedules (shop_id, account_id)",
        "CREATE INDEX schedules_by_group ON schedules (shop_id, group_id)",
        """
        CREATE TABLE customers (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            external_id text,
            name text NOT NULL DEFAULT '',
            tags text[] NOT NULL DEFAULT '{}',
            anonymous boolean NOT NULL,
            first_paid_at timestamptz,
            last_bought_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            owner_id uuid,
            UNIQUE (shop_id, id),
            UNIQUE (shop_id, external_id),
            FOREIGN KEY (shop_id, owner_id) REFERENCES accounts (shop_id, id),
            CHECK (anonymous = (external_id IS NULL))
        )
        """,
        """
        CREATE TABLE orders (
            shop_id uuid NOT NULL,
            order_id text NOT NULL,
            customer_id uuid NOT NULL,
            state text NOT NULL CHECK (state IN (
                'no_active_order', 'placed_unpaid', 'paid_unshipped', 'shipped_unsigned', 'trade_done', 'after_sale'
            )),
            changed_at timestamptz NOT NULL,
            title text NOT NULL DEFAULT '',
            amount text NOT NULL DEFAULT '',
            PRIMARY KEY (shop_id, order_id),
            FOREIGN KEY (shop_id, customer_id) REFERENCES customers (shop_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX orders_by_customer ON orders (shop_id, customer_id, changed_at DESC)",
        """
        CREATE TABLE refresh_tokens (
            token_hash bytea PRIMARY KEY,
            family uuid NOT NULL,
            shop_id uuid NOT NULL,
            account_id uuid NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz NOT NULL,
            used_at timestamptz,
            revoked_at timestamptz,
            FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family)",
        "CREATE INDEX refresh_tokens_by_account ON refresh_tokens (shop_id, account_id)",
        "CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at)",
        """
        CREATE TABLE api_keys (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            name text NOT NULL,
            prefix text NOT NULL UNIQUE,
            hash bytea NOT NULL,
            scopes text[] NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            revoked_at timestamptz
        )
        """,
        "CREATE INDEX api_keys_by_shop ON api_keys (shop_id, created_at DESC)",
    )
