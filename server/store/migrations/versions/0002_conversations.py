"""Conversations, their logs, and the decisions about them."""

from server.store.migrations.sql import run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What changes with every message is in no index of `conversations`, and its pages keep room: updates stay
    in place."""
    run(
        """
        CREATE TABLE conversations (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            customer_id uuid NOT NULL,
            state text NOT NULL CHECK (state IN ('queued', 'active', 'wrap_up', 'closed')),
            owner_id uuid,
            owner_kind text CHECK (owner_kind IN ('agent', 'bot')),
            assign_epoch bigint NOT NULL DEFAULT 0,
            live_rev bigint NOT NULL DEFAULT 0,
            rev bigint NOT NULL DEFAULT 1,
            order_state text NOT NULL,
            order_id text,
            priority smallint NOT NULL DEFAULT 1,
            pool text,
            opened_at timestamptz NOT NULL,
            arrived_at timestamptz NOT NULL,
            assigned_at timestamptz,
            wrap_up_until timestamptz,
            closed_at timestamptz,
            answers_later boolean NOT NULL DEFAULT false,
            detached_at timestamptz,
            via_bot boolean NOT NULL DEFAULT false,
            head_seq bigint NOT NULL DEFAULT 0,
            customer_head_seq bigint NOT NULL DEFAULT 0,
            customer_read_seq bigint NOT NULL DEFAULT 0,
            staff_read_seq bigint NOT NULL DEFAULT 0,
            customer_read_log_seq bigint NOT NULL DEFAULT 0,
            staff_read_customer_seq bigint NOT NULL DEFAULT 0,
            waiting_since timestamptz,
            last_agent_id uuid,
            last_contact_at timestamptz,
            last_owner_id uuid,
            rating smallint CHECK (rating BETWEEN 1 AND 5),
            rating_comment text,
            customer_rev bigint NOT NULL DEFAULT 1,
            collaborators uuid[] NOT NULL DEFAULT '{}',
            supervisors uuid[] NOT NULL DEFAULT '{}',
            watchers uuid[] NOT NULL DEFAULT '{}',
            invited uuid[] NOT NULL DEFAULT '{}',
            items_done int NOT NULL DEFAULT 0 CHECK (items_done >= 0),
            items_open int NOT NULL DEFAULT 0 CHECK (items_open >= 0),
            collaboration_since timestamptz,
            customer_messages bigint NOT NULL DEFAULT 0,
            customer_messages_read bigint NOT NULL DEFAULT 0,
            returning_agent_id uuid,
            returning_at timestamptz,
            result_tags text[] NOT NULL DEFAULT '{}',
            end_reason text NOT NULL DEFAULT '',
            rating_reasons text[] NOT NULL DEFAULT '{}',
            rated_at timestamptz,
            FOREIGN KEY (shop_id, customer_id) REFERENCES customers (shop_id, id),
            FOREIGN KEY (shop_id, owner_id) REFERENCES accounts (shop_id, id),
            FOREIGN KEY (shop_id, last_agent_id) REFERENCES accounts (shop_id, id),
            FOREIGN KEY (shop_id, last_owner_id) REFERENCES accounts (shop_id, id),
            CHECK ((owner_id IS NULL) = (owner_kind IS NULL)),
            CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
            CHECK (customer_head_seq BETWEEN 0 AND head_seq),
            CHECK (customer_read_seq BETWEEN 0 AND customer_head_seq),
            CHECK (staff_read_seq BETWEEN 0 AND head_seq),
            CHECK (customer_messages_read BETWEEN 0 AND customer_messages),
            CHECK ((returning_agent_id IS NULL) = (returning_at IS NULL))
        ) WITH (fillfactor = 70)
        """,
        "CREATE UNIQUE INDEX conversations_one_open ON conversations (customer_id) WHERE state <> 'closed'",
        "CREATE INDEX conversations_by_customer ON conversations (shop_id, customer_id, id DESC)",
        "CREATE INDEX conversations_all ON conversations (shop_id, id DESC)",
        "CREATE INDEX conversations_open ON conversations (shop_id, owner_id, id) WHERE state <> 'closed'",
        """
        CREATE INDEX conversations_queue ON conversations (shop_id, priority, arrived_at, id)
        WHERE state = 'queued'
        """,
        # For walls. There is none for `waiting_since`: see server/store/wall.py.
        """
        CREATE INDEX conversations_waiting ON conversations (shop_id, pool, arrived_at, id)
        WHERE state = 'queued'
        """,
        """
        CREATE INDEX conversations_recent ON conversations (shop_id, last_owner_id, closed_at DESC, id DESC)
        WHERE state = 'closed'
        """,
        """
        CREATE TABLE messages (
            conversation_id uuid NOT NULL,
            seq bigint NOT NULL CHECK (seq > 0),
            customer_seq bigint,
            shop_id uuid NOT NULL,
            message_id uuid NOT NULL,
            sender_kind text NOT NULL CHECK (sender_kind IN ('customer', 'agent', 'bot', 'system')),
            sender_id uuid,
            sender_name text NOT NULL,
            client_message_id text NOT NULL,
            body jsonb NOT NULL,
            body_hash bytea NOT NULL,
            visibility text NOT NULL CHECK (visibility IN ('public', 'internal')),
            created_at timestamptz NOT NULL,
            recalled_at timestamptz,
            rev bigint NOT NULL DEFAULT 0,
            node text NOT NULL,
            PRIMARY KEY (conversation_id, seq),
            CHECK ((visibility = 'public') = (customer_seq IS NOT NULL))
        )
        """,
        # Written in the order of time: a BRIN finds a stretch of it, and costs a write next to nothing.
        """
        CREATE INDEX messages_by_time ON messages USING brin (created_at)
        WITH (pages_per_range = 16, autosummarize = on)
        """,
        """
        CREATE UNIQUE INDEX messages_once ON messages (
            conversation_id, client_message_id, sender_kind,
            (coalesce(sender_id, '00000000-0000-0000-0000-000000000000'::uuid))
        )
        """,
        """
        CREATE TABLE decisions (
            conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
            rev bigint NOT NULL,
            shop_id uuid NOT NULL,
            at timestamptz NOT NULL,
            change text NOT NULL CHECK (change IN ('assigned', 'queued', 'ended', 'reopened', 'closed')),
            epoch bigint NOT NULL,
            owner uuid,
            previous_owner uuid,
            reason text,
            by uuid,
            pool text,
            priority smallint NOT NULL,
            arrived_at timestamptz NOT NULL,
            place int,
            wrap_up_until timestamptz,
            offline boolean NOT NULL,
            tried jsonb NOT NULL,
            PRIMARY KEY (conversation_id, rev),
            CHECK (change <> 'assigned' OR owner IS NOT NULL)
        )
        """,
        "CREATE INDEX decisions_by_time ON decisions (shop_id, at) INCLUDE (owner) WHERE change = 'assigned'",
    )
