"""`append_entries`: one batch of the log's writer, in one statement.

Takes up to some hundred entries; answers one row for each, in any order, by its number `n`. Guarantees:
- rows of conversations are locked in the order of their ids, so that batches of several nodes cannot deadlock;
- `seq` and `customer_seq` continue without holes, in the order of `n`;
- an entry that is refused leaves no trace and harms no other;
- an agent writes publicly only while owning the conversation or taking part in it, to colleagues also while watching;
  only the owner's words count as the contact that stickiness remembers (KS-01);
- decisions take effect before the entries of the same batch; the conversation always shows the decision with the
  highest `rev`, in whatever order they come; `entry_released` says whom they released from watching and from an
  invitation.

- nothing public quotes what the customer may not see, and nothing quotes what was recalled.

A verdict is one of `ok`, `duplicate`, `conflict`, `not_found`, `stale`, `closed`, `wrap_up`, `quote_gone`. The
caller never puts the same (conversation, sender, client message id) into one batch twice.
"""

from server.store.migrations.sql import run

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CONVERSATION = """
    id uuid, shop_id uuid, customer_id uuid, state text, owner_id uuid, owner_kind text, assign_epoch bigint,
    live_rev bigint, rev bigint, order_state text, order_id text, priority smallint, pool text,
    opened_at timestamptz, arrived_at timestamptz, assigned_at timestamptz, wrap_up_until timestamptz,
    closed_at timestamptz, answers_later boolean, detached_at timestamptz, via_bot boolean, head_seq bigint,
    customer_head_seq bigint, customer_read_seq bigint, staff_read_seq bigint,
    customer_read_log_seq bigint, staff_read_customer_seq bigint, waiting_since timestamptz,
    last_agent_id uuid, last_contact_at timestamptz, last_owner_id uuid, rating smallint, rating_comment text,
    customer_rev bigint, collaborators uuid[], supervisors uuid[], watchers uuid[], invited uuid[],
    items_done int, items_open int, collaboration_since timestamptz, customer_messages bigint,
    customer_messages_read bigint, returning_agent_id uuid, returning_at timestamptz, result_tags text[],
    end_reason text, rating_reasons text[], rated_at timestamptz
"""
COLUMNS = [column.split()[0] for column in CONVERSATION.split(",")]


NIL = "00000000-0000-0000-0000-000000000000"
_CHANGED = {
    "rev": "j.new_rev",
    "customer_rev": "j.customer_rev + j.added_public",
    "head_seq": "j.new_head",
    "customer_head_seq": "j.new_customer_head",
    "waiting_since": "j.new_waiting_since",
    "last_agent_id": "j.new_agent",
    "last_contact_at": "j.new_contact_at",
    "customer_messages": "j.customer_messages + j.added_asked",
}
AFTER = ", ".join(_CHANGED.get(column, f"j.{column}") for column in COLUMNS)
"""The conversation after the batch: known before it is written, since its row is locked."""


def _columns(of: str) -> str:
    return ", ".join(f"{of}.{column}" for column in COLUMNS)


APPLY_DECISIONS = """
CREATE FUNCTION apply_decisions(p_entries jsonb) RETURNS jsonb LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $body$
#variable_conflict use_column
DECLARE
    v_decided uuid[];
    v_watched_or_asked uuid[];
    v_released jsonb;
BEGIN
    WITH entry AS (
        SELECT e.* FROM jsonb_to_recordset(p_entries) AS e(shop uuid, conversation uuid, decision jsonb)
        WHERE e.decision IS NOT NULL
    ), recorded AS (
        INSERT INTO decisions (
            conversation_id, rev, shop_id, at, change, epoch, owner, previous_owner, reason, by, pool, priority,
            arrived_at, place, wrap_up_until, offline, tried
        )
        SELECT
            c.id, d.rev, c.shop_id, to_timestamp(d.at_ms / 1000.0), d.change, d.epoch, d.owner, d.previous_owner,
            d.reason, d.by, d.pool, d.priority,
            CASE WHEN d.arrived_ms > 0 THEN to_timestamp(d.arrived_ms / 1000.0) ELSE c.arrived_at END,
            d.place, to_timestamp(d.wrap_up_until_ms / 1000.0), d.offline, d.tried
        FROM entry e
        JOIN conversations c ON c.id = e.conversation AND c.shop_id = e.shop
        CROSS JOIN LATERAL jsonb_to_record(e.decision) AS d(
            rev bigint, epoch bigint, change text, at_ms bigint, owner uuid, previous_owner uuid, reason text,
            by uuid, pool text, priority smallint, arrived_ms bigint, place int, wrap_up_until_ms bigint,
            offline boolean, tried jsonb
        )
        ON CONFLICT DO NOTHING
        RETURNING conversation_id
    )
    SELECT array_agg(DISTINCT conversation_id) INTO v_decided FROM recorded;

    -- Before they are: who only watches, and who is asked, when a decision ends that.
    SELECT array_agg(c.id), jsonb_object_agg(c.id, to_jsonb(c.invited || c.watchers))
    INTO v_watched_or_asked, v_released
    FROM conversations c WHERE c.id = ANY (v_decided) AND (c.invited <> '{}' OR c.watchers <> '{}');

    -- Everything comes from the decisions recorded so far, nothing from the order in which they came.
    UPDATE conversations c SET
        state = CASE last.change
            WHEN 'queued' THEN 'queued' WHEN 'ended' THEN 'wrap_up' WHEN 'closed' THEN 'closed' ELSE 'active' END,
        owner_id = last.owner,
        owner_kind = CASE WHEN last.owner IS NULL THEN NULL WHEN last.owner_is_bot THEN 'bot' ELSE 'agent' END,
        assign_epoch = greatest(c.assign_epoch, last.epoch),
        live_rev = greatest(c.live_rev, last.rev),
        priority = last.priority,
        pool = last.pool,
        arrived_at = last.arrived_at,
        wrap_up_until = last.wrap_up_until,
        closed_at = CASE WHEN last.change = 'closed' THEN last.at END,
        assigned_at = CASE WHEN given.change = 'assigned' THEN given.at END,
        answers_later = coalesce(given.change = 'assigned' AND given.offline, false),
        detached_at = CASE WHEN last.rev > c.live_rev THEN NULL ELSE c.detached_at END,
        last_owner_id = coalesce(held.owner, c.last_owner_id),
        via_bot = c.via_bot OR bot.served,
        -- One part each: who owns it is in no other. With its close nobody watches or is asked any more; those who took
        -- part stay in the row, and may read it later.
        collaborators = array_remove(c.collaborators, last.owner),
        supervisors = array_remove(c.supervisors, last.owner),
        watchers = CASE WHEN last.change = 'closed' THEN '{}' ELSE array_remove(c.watchers, last.owner) END,
        invited = CASE WHEN last.change = 'closed' THEN '{}' ELSE array_remove(c.invited, last.owner) END,
        collaboration_since = CASE WHEN last.change <> 'closed'
            AND array_remove(c.collaborators || c.supervisors, last.owner) <> '{}' THEN c.collaboration_since END
    FROM unnest(v_decided) AS k(id)
    CROSS JOIN LATERAL (
        SELECT d.*, a.id IS NOT NULL AS owner_is_bot
        FROM decisions d LEFT JOIN accounts a ON a.id = d.owner AND 'bot' = ANY (a.roles)
        WHERE d.conversation_id = k.id ORDER BY d.rev DESC LIMIT 1
    ) last
    LEFT JOIN LATERAL (
        SELECT d.change, d.at, d.offline FROM decisions d
        WHERE d.conversation_id = k.id AND d.change IN ('assigned', 'queued') ORDER BY d.rev DESC LIMIT 1
    ) given ON true
    LEFT JOIN LATERAL (
        SELECT d.owner FROM decisions d
        WHERE d.conversation_id = k.id AND d.owner IS NOT NULL ORDER BY d.rev DESC LIMIT 1
    ) held ON true
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM decisions d JOIN accounts a ON a.id = d.owner AND 'bot' = ANY (a.roles)
            WHERE d.conversation_id = k.id
        ) AS served
    ) bot
    WHERE c.id = k.id;

    UPDATE participations p SET left_at = date_trunc('milliseconds', clock_timestamp()),
        ended_by = CASE c.state WHEN 'closed' THEN 'closed' ELSE 'became_owner' END
    FROM conversations c
    WHERE p.conversation_id = ANY (v_decided) AND p.left_at IS NULL AND c.id = p.conversation_id
        AND (c.state = 'closed' OR c.owner_id = p.account_id);
    IF v_watched_or_asked IS NULL THEN
        RETURN NULL;
    END IF;
    DELETE FROM invitations i USING conversations c
    WHERE i.conversation_id = ANY (v_watched_or_asked) AND c.id = i.conversation_id
        AND i.account_id <> ALL (c.invited);
    RETURN (
        SELECT jsonb_object_agg(c.id, (
            SELECT coalesce(jsonb_agg(was), '[]') FROM jsonb_array_elements_text(v_released -> c.id::text) AS was
            WHERE was::uuid <> ALL (c.invited || c.watchers)
        ))
        FROM conversations c WHERE c.id = ANY (v_watched_or_asked)
    );
END
$body$
"""

APPEND_ENTRIES = f"""
CREATE FUNCTION append_entries(p_node text, p_conversations uuid[], p_entries jsonb, p_decided boolean)
RETURNS TABLE (
    n int, verdict text, entry_seq bigint, entry_customer_seq bigint, entry_message_id uuid,
    entry_created_at timestamptz, entry_released jsonb, {CONVERSATION}
) LANGUAGE plpgsql ROWS 100
SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $body$
#variable_conflict use_column
DECLARE
    v_now timestamptz;
    v_released jsonb;
BEGIN
    PERFORM FROM conversations WHERE id = ANY (p_conversations) ORDER BY id FOR NO KEY UPDATE;
    -- After the locks: whoever writes to a conversation later also has a later time.
    v_now := date_trunc('milliseconds', clock_timestamp());
    IF p_decided THEN
        v_released := apply_decisions(p_entries);
    END IF;

    -- LATERAL ... LIMIT 1 and windows instead of joins: the plan is made once, and must not depend on how large the
    -- tables were when it was made.
    RETURN QUERY
    WITH entry AS MATERIALIZED (
        SELECT e.*, CASE e.kind WHEN 'system' THEN 0 WHEN 'customer' THEN 1 WHEN 'agent' THEN 2 ELSE 3 END AS code
        FROM jsonb_to_recordset(p_entries) AS e(
            n int, shop uuid, conversation uuid, kind text, sender uuid, name text, client text, message uuid,
            body jsonb, hash text, public boolean, epoch bigint, must_own boolean, decision jsonb, quotes bigint
        )
    ), judged AS MATERIALIZED (
        SELECT
            e.n AS entry, e.conversation, e.kind, e.code, e.sender, e.name, e.client, e.message, e.body, e.hash,
            e.public,
            c.*,
            m.seq AS old_seq, m.customer_seq AS old_customer_seq, m.message_id AS old_message,
            m.created_at AS old_created,
            CASE
                WHEN c.id IS NULL THEN 'not_found'
                WHEN m.seq IS NOT NULL THEN
                    CASE WHEN e.decision IS NOT NULL OR m.body_hash = decode(e.hash, 'hex')
                    THEN 'duplicate' ELSE 'conflict' END
                WHEN e.kind = 'system' THEN 'ok'
                WHEN e.kind = 'customer' AND e.sender IS DISTINCT FROM c.customer_id THEN 'not_found'
                WHEN e.kind <> 'customer' AND e.must_own AND c.owner_id IS DISTINCT FROM e.sender
                    AND e.sender <> ALL (c.collaborators || c.supervisors)
                    AND (e.public OR e.sender <> ALL (c.watchers)) THEN
                    CASE WHEN EXISTS (
                        SELECT FROM decisions d WHERE d.conversation_id = c.id AND d.owner = e.sender
                    ) THEN 'stale' ELSE 'not_found' END
                WHEN e.epoch <> c.assign_epoch AND e.sender <> ALL (c.collaborators || c.supervisors) THEN 'stale'
                WHEN c.state = 'closed' THEN 'closed'
                WHEN c.state = 'wrap_up' AND e.kind <> 'customer' AND e.public THEN 'wrap_up'
                -- Under the lock that a recall takes, too: a quote of what was recalled meanwhile is not written.
                WHEN e.quotes IS NOT NULL AND NOT EXISTS (
                    SELECT FROM messages q WHERE q.conversation_id = c.id AND q.seq = e.quotes
                        AND q.recalled_at IS NULL AND q.sender_kind <> 'system'
                        AND (q.customer_seq IS NOT NULL OR NOT e.public)
                ) THEN 'quote_gone'
                ELSE 'ok'
            END AS verdict
        FROM entry e
        LEFT JOIN LATERAL (
            SELECT {_columns("c")} FROM conversations c WHERE c.id = e.conversation AND c.shop_id = e.shop LIMIT 1
        ) c ON true
        LEFT JOIN LATERAL (
            SELECT m.seq, m.customer_seq, m.message_id, m.created_at, m.body_hash FROM messages m
            WHERE m.conversation_id = c.id AND m.client_message_id = e.client AND m.sender_kind = e.kind
                AND coalesce(m.sender_id, '{NIL}'::uuid) = coalesce(e.sender, '{NIL}'::uuid)
            LIMIT 1
        ) m ON true
    ), numbered AS MATERIALIZED (
        SELECT
            j.*,
            count(*) FILTER (WHERE j.verdict = 'ok') OVER upto AS nth,
            count(*) FILTER (WHERE j.verdict = 'ok' AND j.public) OVER upto AS nth_public,
            -- The same for every entry of a conversation: what the batch does to it.
            count(*) FILTER (WHERE j.verdict = 'ok') OVER whole AS added,
            count(*) FILTER (WHERE j.verdict = 'ok' AND j.public) OVER whole AS added_public,
            count(*) FILTER (WHERE j.verdict = 'ok' AND j.code = 1) OVER whole AS added_asked,
            max(j.entry * 4 + j.code)
                FILTER (WHERE j.verdict = 'ok' AND j.public AND j.code > 0) OVER whole AS spoke_last,
            max(j.entry)
                FILTER (WHERE j.verdict = 'ok' AND j.public AND j.code > 1) OVER whole AS answered_last,
            max(lpad(j.entry::text, 4, '0') || j.sender::text)
                FILTER (WHERE j.verdict = 'ok' AND j.public AND j.code = 2 AND j.sender = j.owner_id)
                OVER whole AS agent_last
        FROM judged j
        WINDOW upto AS (PARTITION BY j.conversation ORDER BY j.entry), whole AS (PARTITION BY j.conversation)
    ), moved AS MATERIALIZED (
        SELECT
            j.*,
            j.rev + j.added AS new_rev,
            j.head_seq + j.added AS new_head,
            j.customer_head_seq + j.added_public AS new_customer_head,
            CASE
                WHEN j.spoke_last IS NULL THEN j.waiting_since
                WHEN j.spoke_last % 4 > 1 THEN NULL
                WHEN j.answered_last IS NOT NULL THEN v_now
                ELSE coalesce(j.waiting_since, v_now)
            END AS new_waiting_since,
            coalesce(substr(j.agent_last, 5)::uuid, j.last_agent_id) AS new_agent,
            CASE WHEN j.agent_last IS NULL THEN j.last_contact_at ELSE v_now END AS new_contact_at
        FROM numbered j
    ), written AS (
        INSERT INTO messages (
            conversation_id, seq, customer_seq, shop_id, message_id, sender_kind, sender_id, sender_name,
            client_message_id, body, body_hash, visibility, created_at, node
        )
        SELECT
            id, head_seq + nth, CASE WHEN public THEN customer_head_seq + nth_public END, shop_id, message, kind,
            sender, name, client, body, decode(hash, 'hex'), CASE WHEN public THEN 'public' ELSE 'internal' END,
            v_now, p_node
        FROM moved WHERE verdict = 'ok'
    ), kept AS (
        UPDATE conversations c SET
            rev = j.new_rev, customer_rev = j.customer_rev + j.added_public,
            head_seq = j.new_head, customer_head_seq = j.new_customer_head,
            waiting_since = j.new_waiting_since, last_agent_id = j.new_agent, last_contact_at = j.new_contact_at,
            customer_messages = j.customer_messages + j.added_asked
        FROM moved j WHERE c.id = j.id AND j.verdict = 'ok' AND j.nth = j.added
    )
    SELECT
        j.entry, j.verdict,
        CASE WHEN j.verdict = 'ok' THEN j.head_seq + j.nth ELSE j.old_seq END,
        CASE WHEN j.verdict <> 'ok' THEN j.old_customer_seq WHEN j.public THEN j.customer_head_seq + j.nth_public END,
        CASE WHEN j.verdict = 'ok' THEN j.message ELSE j.old_message END,
        CASE WHEN j.verdict = 'ok' THEN v_now ELSE j.old_created END,
        v_released -> j.conversation::text,
        {AFTER}
    FROM moved j;
END
$body$
"""


def upgrade() -> None:
    """Both are plain functions: a later step replaces them as a whole."""
    run(APPLY_DECISIONS, APPEND_ENTRIES)
