"""Divided work (CO-08) and alarms (CO-09).

`change_item` and `look_for_alarms` each do one thing as a whole: the rows, the counts of the conversation, and the
entry for colleagues in its log.
"""

from server.store.migrations.sql import run

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = (
    # An id is the client's own word: it names an item only together with its conversation. `added` is what it was added
    # as, by which a repeated request is known.
    """
    CREATE TABLE items (
        conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
        id uuid NOT NULL,
        shop_id uuid NOT NULL,
        rev bigint NOT NULL,
        text text NOT NULL CHECK (length(text) BETWEEN 1 AND 500),
        owner_id uuid,
        due_at timestamptz,
        done boolean NOT NULL DEFAULT false,
        by_id uuid NOT NULL,
        added jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        done_at timestamptz,
        done_by uuid,
        removed_at timestamptz,
        due_watched boolean NOT NULL DEFAULT true,
        PRIMARY KEY (conversation_id, id),
        FOREIGN KEY (shop_id, owner_id) REFERENCES accounts (shop_id, id),
        FOREIGN KEY (shop_id, by_id) REFERENCES accounts (shop_id, id),
        FOREIGN KEY (shop_id, done_by) REFERENCES accounts (shop_id, id),
        CHECK (done = (done_at IS NOT NULL) AND done = (done_by IS NOT NULL))
    )
    """,
    """
    CREATE INDEX items_due ON items (shop_id, due_at)
    WHERE due_watched AND NOT done AND removed_at IS NULL AND due_at IS NOT NULL
    """,
    "CREATE INDEX items_done ON items (shop_id, done_at) WHERE done AND removed_at IS NULL",
    """
    CREATE TABLE alarms (
        id uuid PRIMARY KEY,
        shop_id uuid NOT NULL,
        rev bigint NOT NULL DEFAULT 1,
        kind text NOT NULL CHECK (kind IN ('collaboration_stalled', 'customer_waits', 'item_overdue')),
        conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
        item_id uuid,
        since timestamptz NOT NULL,
        raised_at timestamptz NOT NULL,
        acknowledged_by uuid,
        acknowledged_at timestamptz,
        cleared_at timestamptz,
        FOREIGN KEY (shop_id, acknowledged_by) REFERENCES accounts (shop_id, id),
        CHECK ((kind = 'item_overdue') = (item_id IS NOT NULL))
    )
    """,
    # Raised once, whichever nodes look.
    """
    CREATE UNIQUE INDEX alarms_once ON alarms (
        conversation_id, kind, (coalesce(item_id, '00000000-0000-0000-0000-000000000000'::uuid))
    ) WHERE cleared_at IS NULL
    """,
    "CREATE INDEX alarms_open ON alarms (shop_id, raised_at, id) WHERE cleared_at IS NULL",
)

CHANGE_ITEM = """
CREATE FUNCTION change_item(
    p_node text, p_shop uuid, p_conversation uuid, p_item uuid, p_act text, p_by uuid, p_by_name text,
    p_must_speak boolean, p_rev bigint, p_given jsonb, p_most int, p_message uuid
) RETURNS TABLE (
    verdict text, item items, talk conversations, entry_seq bigint, entry_message uuid, entry_at timestamptz,
    entry_body jsonb
) LANGUAGE plpgsql ROWS 1
SET enable_seqscan = off SET jit = off AS $body$
DECLARE
    v_was items;
    v_now timestamptz;
    v_entries jsonb;
    v_done int;
    v_open int;
BEGIN
    SELECT * INTO talk FROM conversations c
    WHERE c.id = p_conversation AND c.shop_id = p_shop FOR NO KEY UPDATE;
    v_now := date_trunc('milliseconds', clock_timestamp());
    SELECT * INTO v_was FROM items i WHERE i.conversation_id = p_conversation AND i.id = p_item;
    item := v_was;
    IF p_act = 'add' AND v_was.id IS NULL THEN
        item.conversation_id := p_conversation;
        item.id := p_item;
        item.shop_id := p_shop;
        item.rev := 0;
        item.done := false;
        item.by_id := p_by;
        item.added := p_given;
        item.created_at := v_now;
        item.due_watched := true;
    END IF;
    IF p_act <> 'remove' AND (p_act = 'change' OR v_was.id IS NULL) THEN
        item.text := coalesce(p_given ->> 'text', item.text);
        IF p_given ? 'owner_id' THEN item.owner_id := (p_given ->> 'owner_id')::uuid; END IF;
        IF p_given ? 'due_ms' THEN item.due_at := to_timestamp((p_given ->> 'due_ms')::bigint / 1000.0); END IF;
        item.done := coalesce((p_given ->> 'done')::boolean, item.done);
    END IF;

    verdict := CASE
        WHEN talk.id IS NULL THEN 'no_conversation'
        WHEN p_must_speak AND p_by IS DISTINCT FROM talk.owner_id
            AND p_by <> ALL (talk.collaborators || talk.supervisors) THEN 'not_taking_part'
        WHEN p_act = 'add' AND v_was.id IS NOT NULL THEN
            CASE WHEN v_was.added = p_given AND v_was.by_id = p_by THEN 'same' ELSE 'conflict' END
        WHEN p_act = 'remove' AND v_was.removed_at IS NOT NULL THEN 'same'
        WHEN p_act <> 'add' AND (v_was.id IS NULL OR v_was.removed_at IS NOT NULL) THEN 'no_item'
        WHEN p_act = 'change' AND item = v_was THEN 'same'
        WHEN p_rev <> v_was.rev THEN 'stale'
        WHEN talk.state = 'closed' THEN 'closed'
        WHEN item.owner_id IS DISTINCT FROM v_was.owner_id
            AND item.owner_id <> ALL (
                array_remove(talk.owner_id || talk.collaborators || talk.supervisors || talk.invited, NULL)
            ) THEN 'owner_elsewhere'
        WHEN p_act = 'add' AND p_most <= (
            SELECT count(*) FROM items i WHERE i.conversation_id = p_conversation AND i.removed_at IS NULL
        ) THEN 'too_many'
        ELSE 'ok'
    END;
    IF verdict <> 'ok' THEN
        item := v_was;
        RETURN NEXT;
        RETURN;
    END IF;

    item.rev := item.rev + 1;
    IF item.done AND NOT coalesce(v_was.done, false) THEN
        item.done_at := v_now;
        item.done_by := p_by;
    ELSIF NOT item.done THEN
        item.done_at := NULL;
        item.done_by := NULL;
    END IF;
    IF p_act = 'remove' THEN item.removed_at := v_now; END IF;
    IF p_act = 'add' THEN
        INSERT INTO items SELECT (item).*;
    ELSE
        UPDATE items i SET
            rev = item.rev, text = item.text, owner_id = item.owner_id, due_at = item.due_at, done = item.done,
            done_at = item.done_at, done_by = item.done_by, removed_at = item.removed_at
        WHERE i.conversation_id = p_conversation AND i.id = p_item;
    END IF;
    SELECT count(*) FILTER (WHERE i.done), count(*) FILTER (WHERE NOT i.done) INTO v_done, v_open
    FROM items i WHERE i.conversation_id = p_conversation AND i.removed_at IS NULL;
    UPDATE conversations c SET items_done = v_done, items_open = v_open WHERE c.id = p_conversation;

    entry_body := jsonb_build_object(
        'kind', 'system',
        'event', CASE p_act WHEN 'add' THEN 'item_added' WHEN 'change' THEN 'item_changed' ELSE 'item_removed' END,
        'data', jsonb_build_object(
            'item_id', item.id,
            'rev', item.rev,
            'text', item.text,
            'done', item.done,
            'by', jsonb_build_object('kind', 'agent', 'id', p_by, 'name', p_by_name),
            'owner', (
                SELECT jsonb_build_object('kind', 'agent', 'id', a.id, 'name', a.name)
                FROM accounts a WHERE a.id = item.owner_id
            )
        )
    );
    v_entries := jsonb_build_array(jsonb_build_object(
        'n', 0, 'shop', p_shop, 'conversation', p_conversation, 'kind', 'system', 'name', '',
        'client', 'i:' || item.id || ':' || item.rev, 'message', p_message, 'body', entry_body,
        'hash', md5(entry_body::text), 'public', false, 'must_own', false
    ));
    SELECT e.entry_seq, e.entry_message_id, e.entry_created_at INTO entry_seq, entry_message, entry_at
    FROM append_entries(p_node, ARRAY[p_conversation], v_entries, false) e;
    SELECT * INTO talk FROM conversations c WHERE c.id = p_conversation;
    RETURN NEXT;
END
$body$
"""

LOOK_FOR_ALARMS = """
CREATE FUNCTION look_for_alarms(p_node text, p_shop uuid, p_stalled_s double precision) RETURNS TABLE (
    what text, alarm alarms, talk conversations, entry_seq bigint, entry_message uuid, entry_at timestamptz,
    entry_body jsonb
) LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $body$
DECLARE
    v_now timestamptz;
    v_before timestamptz;
    v_kinds text[];
    v_talks uuid[];
    v_items uuid[];
    v_since timestamptz[];
    v_due jsonb;
    v_cleared uuid[];
    v_raised uuid[];
    v_entries jsonb;
    v_seqs bigint[];
    v_messages uuid[];
    v_times timestamptz[];
BEGIN
    -- One look at a time: a second one with older eyes would clear what the first has raised.
    IF NOT pg_try_advisory_xact_lock(hashtext('pointsman alarms'), hashtext(p_shop::text)) THEN
        RETURN;
    END IF;
    v_now := date_trunc('milliseconds', clock_timestamp());
    v_before := v_now - make_interval(secs => p_stalled_s);

    -- What is closed stays closed: its items are looked at no more.
    UPDATE items i SET due_watched = false
    FROM conversations c
    WHERE i.shop_id = p_shop AND i.due_watched AND NOT i.done AND i.removed_at IS NULL AND i.due_at < v_now
        AND c.id = i.conversation_id AND c.state = 'closed';

    WITH running AS MATERIALIZED (
        SELECT
            c.id,
            greatest(c.waiting_since, c.collaboration_since) AS waits_since,
            greatest(said.at, c.collaboration_since) AS quiet_since,
            c.waiting_since IS NOT NULL AS waits
        FROM conversations c
        LEFT JOIN LATERAL (
            -- What we say about it ourselves is no movement.
            SELECT m.created_at AS at FROM messages m
            WHERE m.conversation_id = c.id AND NOT (
                m.sender_kind = 'system' AND m.body ->> 'event' IN ('alarm_raised', 'rule_applied')
            )
            ORDER BY m.seq DESC LIMIT 1
        ) said ON true
        WHERE c.shop_id = p_shop AND c.collaboration_since IS NOT NULL AND c.state IN ('active', 'queued')
    ), due AS (
        SELECT 'customer_waits' AS kind, r.id AS conversation, NULL::uuid AS item, r.waits_since AS since
        FROM running r WHERE r.waits AND r.waits_since < v_before
        UNION ALL
        SELECT 'collaboration_stalled', r.id, NULL, r.quiet_since
        FROM running r WHERE NOT r.waits AND r.quiet_since < v_before
        UNION ALL
        SELECT 'item_overdue', i.conversation_id, i.id, i.due_at
        FROM items i
        WHERE i.shop_id = p_shop AND i.due_watched AND NOT i.done AND i.removed_at IS NULL AND i.due_at < v_now
    )
    SELECT
        array_agg(d.kind), array_agg(d.conversation), array_agg(d.item), array_agg(d.since),
        jsonb_object_agg(concat_ws(' ', d.kind, d.conversation, d.item, d.since), true)
    INTO v_kinds, v_talks, v_items, v_since, v_due FROM due d;

    WITH moved AS (
        UPDATE alarms a SET cleared_at = v_now, rev = a.rev + 1
        WHERE a.shop_id = p_shop AND a.cleared_at IS NULL
            AND NOT coalesce(v_due ? concat_ws(' ', a.kind, a.conversation_id, a.item_id, a.since), false)
        RETURNING a.id
    )
    SELECT array_agg(m.id) INTO v_cleared FROM moved m;

    WITH fresh AS (
        INSERT INTO alarms (id, shop_id, kind, conversation_id, item_id, since, raised_at)
        SELECT gen_random_uuid(), p_shop, d.kind, d.conversation, d.item, d.since, v_now
        FROM unnest(v_kinds, v_talks, v_items, v_since) AS d(kind, conversation, item, since)
        WHERE NOT EXISTS (
            SELECT FROM alarms a
            WHERE a.conversation_id = d.conversation AND a.kind = d.kind AND a.cleared_at IS NULL
                AND coalesce(a.item_id, '00000000-0000-0000-0000-000000000000')
                    = coalesce(d.item, '00000000-0000-0000-0000-000000000000')
        )
        ON CONFLICT DO NOTHING
        RETURNING id
    )
    SELECT array_agg(f.id) INTO v_raised FROM fresh f;

    IF v_raised IS NOT NULL THEN
        SELECT jsonb_agg(jsonb_build_object(
            'n', n.n - 1, 'shop', p_shop, 'conversation', a.conversation_id, 'kind', 'system', 'name', '',
            'client', 'alarm:' || a.id, 'message', gen_random_uuid(), 'body', b.body, 'hash', md5(b.body::text),
            'public', false, 'must_own', false
        ) ORDER BY n.n) INTO v_entries
        FROM unnest(v_raised) WITH ORDINALITY AS n(id, n)
        JOIN alarms a ON a.id = n.id
        LEFT JOIN items i ON i.conversation_id = a.conversation_id AND i.id = a.item_id
        CROSS JOIN LATERAL (
            SELECT jsonb_build_object('kind', 'system', 'event', 'alarm_raised', 'data', jsonb_build_object(
                'alarm_id', a.id, 'kind', a.kind, 'item_id', a.item_id, 'text', i.text,
                'since', to_char(a.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
            )) AS body
        ) b;
        SELECT
            array_agg(e.entry_seq ORDER BY e.n), array_agg(e.entry_message_id ORDER BY e.n),
            array_agg(e.entry_created_at ORDER BY e.n)
        INTO v_seqs, v_messages, v_times
        FROM append_entries(
            p_node, (SELECT array_agg(DISTINCT a.conversation_id) FROM alarms a WHERE a.id = ANY (v_raised)), v_entries,
            false
        ) e;
    END IF;

    RETURN QUERY
    SELECT 'cleared', a, c, NULL::bigint, NULL::uuid, NULL::timestamptz, NULL::jsonb
    FROM alarms a JOIN conversations c ON c.id = a.conversation_id
    WHERE a.id = ANY (v_cleared)
    UNION ALL
    SELECT 'raised', a, c, v_seqs[n.n], v_messages[n.n], v_times[n.n], v_entries -> (n.n - 1)::int -> 'body'
    FROM unnest(v_raised) WITH ORDINALITY AS n(id, n)
    JOIN alarms a ON a.id = n.id JOIN conversations c ON c.id = a.conversation_id;
END
$body$
"""


def upgrade() -> None:
    """Tables first: the functions speak of their row types."""
    run(*TABLES, CHANGE_ITEM, LOOK_FOR_ALARMS)
