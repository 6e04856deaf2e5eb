"""Statistics (GP-05, CO-09): facts drawn from the log, and their sums by the quarter of an hour.

`conversation_facts` draws everything that is counted out of the logs of some conversations: one row per thing that
happened, at the time of the log entry with which it happened; `statistic_facts` does so for a stretch of time. An
entry's time is given under the lock of its conversation, so that a quarter that is over does not change any more.
`statistics` holds those quarters, `statistics_mark` says up to when; what is newer is drawn when it is asked for. The
sums can be thrown away and made again at any time.

What changes after it happened (ratings, ends of collaborations) and what is no entry of a log (refused tries, items) is
never summed: `statistic_rows` reads it by its own index.
"""

from server.store.migrations.sql import run

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FACTS = """
CREATE FUNCTION conversation_facts(p_ids uuid[], p_until timestamptz)
RETURNS TABLE (
    conversation uuid, shop_id uuid, at timestamptz, measure text, agent uuid, order_state text, value bigint
) LANGUAGE sql STABLE SET jit = off AS $body$
    -- `value`: milliseconds, null for what is only counted.
    WITH touched AS MATERIALIZED (
        SELECT DISTINCT t.id FROM unnest(p_ids) AS t(id)
    ), entry AS MATERIALIZED (
        -- All of each log up to then.
        SELECT c.id, c.shop_id, c.order_state, c.opened_at, m.seq, m.created_at AS at, m.sender_kind AS kind,
            m.sender_id AS sender, m.visibility, d.change, d.owner
        FROM touched t
        JOIN conversations c ON c.id = t.id
        JOIN messages m ON m.conversation_id = t.id AND m.created_at < p_until
        -- LATERAL ... LIMIT 1: by the index, whatever the planner believes of how much was touched.
        LEFT JOIN LATERAL (
            SELECT d.change, d.owner FROM decisions d WHERE d.conversation_id = t.id AND d.rev = CASE
                WHEN m.sender_kind = 'system' AND m.client_message_id ~ '^d:[0-9]{1,18}$'
                THEN substr(m.client_message_id, 3)::bigint END
            LIMIT 1
        ) d ON true
    ), owned AS (
        -- `held`: decisions so far; the first entry of each number is the decision that holds for the others.
        SELECT e.*,
            count(e.change) OVER log AS held,
            count(*) FILTER (WHERE e.kind = 'customer') OVER log AS asked,
            count(*) FILTER (WHERE e.kind = 'agent' AND e.visibility = 'public') OVER log AS answered
        FROM entry e WINDOW log AS (PARTITION BY e.id ORDER BY e.seq)
    ), told AS (
        SELECT o.*, first_value(o.owner) OVER (PARTITION BY o.id, o.held ORDER BY o.seq) AS owner_then FROM owned o
    ), decided AS (
        SELECT
            e.id, e.shop_id, e.order_state, e.opened_at, e.seq, e.at, e.change, e.owner, e.asked, e.answered,
            lag(e.change) OVER log AS change_before,
            lag(e.owner) OVER log AS owner_before,
            count(e.owner) OVER log AS owners,
            count(*) FILTER (WHERE e.change <> 'queued') OVER (log ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                AS stretch
        FROM owned e WHERE e.change IS NOT NULL
        WINDOW log AS (PARTITION BY e.id ORDER BY e.seq)
    ), step AS (
        SELECT d.*,
            -- The last who had it, up to now.
            first_value(d.owner) OVER (PARTITION BY d.id, d.owners ORDER BY d.seq) AS last_owner,
            min(d.at) FILTER (WHERE d.change = 'queued') OVER (PARTITION BY d.id, d.stretch) AS queued_at,
            d.change IN ('closed', 'ended') AND d.change_before = 'queued' AS given_up
        FROM decided d
    ), said AS (
        SELECT t.*,
            count(*) FILTER (WHERE t.kind <> 'customer') OVER (
                PARTITION BY t.id ORDER BY t.seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS turn,
            row_number() OVER (PARTITION BY t.id, t.kind ORDER BY t.seq) AS nth,
            row_number() OVER (PARTITION BY t.id, t.kind, t.sender ORDER BY t.seq) AS nth_of_sender
        FROM told t WHERE t.visibility = 'public' AND t.kind <> 'system'
    ), speech AS (
        SELECT s.*,
            min(s.at) FILTER (WHERE s.kind = 'customer') OVER (PARTITION BY s.id, s.turn) AS unanswered_at,
            count(*) FILTER (WHERE s.kind = 'agent' AND s.nth_of_sender = 1) OVER (PARTITION BY s.id ORDER BY s.seq)
                AS speakers
        FROM said s
    ), fact AS (
        SELECT s.id, s.shop_id, s.at, 'messages_' || s.kind AS measure,
            CASE s.kind WHEN 'customer' THEN s.owner_then ELSE s.sender END AS agent, s.order_state,
            NULL::interval AS took
        FROM speech s
        UNION ALL
        SELECT e.id, e.shop_id, e.at, 'notes', e.sender, e.order_state, NULL FROM entry e
        WHERE e.kind = 'agent' AND e.visibility = 'internal'
        UNION ALL
        SELECT s.id, s.shop_id, s.at, 'responses', s.sender, s.order_state, s.at - s.unanswered_at FROM speech s
        WHERE s.kind = 'agent' AND s.unanswered_at IS NOT NULL
        UNION ALL
        SELECT s.id, s.shop_id, s.at, 'first_responses', s.sender, s.order_state,
            s.at - coalesce(s.unanswered_at, least(s.opened_at, s.at))
        FROM speech s WHERE s.kind = 'agent' AND s.nth = 1
        UNION ALL
        SELECT s.id, s.shop_id, s.at, 'served_by_several', s.sender, s.order_state, NULL FROM speech s
        WHERE s.kind = 'agent' AND s.nth_of_sender = 1 AND s.speakers = 2
        UNION ALL
        SELECT d.id, d.shop_id, d.at, 'assigned', d.owner, d.order_state, NULL FROM step d WHERE d.change = 'assigned'
        UNION ALL
        SELECT d.id, d.shop_id, d.at, moved.measure, moved.agent, d.order_state, NULL
        FROM step d
        CROSS JOIN LATERAL (
            VALUES ('transfers_in', d.owner), ('transfers_out', d.owner_before)
        ) AS moved(measure, agent)
        WHERE d.change = 'assigned' AND d.change_before IN ('assigned', 'reopened') AND d.owner_before <> d.owner
            AND NOT EXISTS (SELECT FROM accounts a WHERE a.id = d.owner_before AND 'bot' = ANY (a.roles))
        UNION ALL
        SELECT d.id, d.shop_id, d.at, 'queue_waits', CASE WHEN NOT d.given_up THEN d.owner END, d.order_state,
            d.at - d.queued_at
        FROM step d WHERE d.change_before = 'queued' AND d.change <> 'queued'
        UNION ALL
        SELECT d.id, d.shop_id, d.at, 'abandoned', NULL, d.order_state, NULL FROM step d WHERE d.given_up
        UNION ALL
        SELECT d.id, d.shop_id, d.at, 'closed', CASE WHEN NOT d.given_up THEN d.last_owner END, d.order_state, NULL
        FROM step d WHERE d.change = 'closed'
        UNION ALL
        SELECT d.id, d.shop_id, d.at, 'resolutions', d.last_owner, d.order_state, d.at - least(d.opened_at, d.at)
        FROM step d WHERE d.change = 'closed' AND NOT d.given_up AND d.last_owner IS NOT NULL
        UNION ALL
        SELECT d.id, d.shop_id, d.at, 'unanswered', CASE WHEN NOT d.given_up THEN d.last_owner END, d.order_state, NULL
        FROM step d WHERE d.change = 'closed' AND d.asked > 0 AND d.answered = 0
    )
    SELECT f.id, f.shop_id, f.at, f.measure, f.agent, f.order_state,
        round(extract(epoch FROM f.took) * 1000)::bigint
    FROM fact f
$body$
"""

OF_TIME = """
CREATE FUNCTION statistic_facts(p_shop uuid, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (shop_id uuid, at timestamptz, measure text, agent uuid, order_state text, value bigint)
LANGUAGE sql STABLE SET jit = off AS $body$
    -- Of one shop, or (null) of all. What ends in the stretch may have begun long before it: all of each log so far.
    SELECT f.shop_id, f.at, f.measure, f.agent, f.order_state, f.value
    FROM conversation_facts((
        SELECT array_agg(DISTINCT m.conversation_id) FROM messages m
        WHERE m.created_at >= p_from AND m.created_at < p_to AND (p_shop IS NULL OR m.shop_id = p_shop)
    ), p_to) f
    WHERE f.at >= p_from AND f.at < p_to
    UNION ALL
    SELECT c.shop_id, c.opened_at, 'opened', NULL, c.order_state, NULL FROM conversations c
    WHERE c.opened_at >= p_from AND c.opened_at < p_to AND (p_shop IS NULL OR c.shop_id = p_shop)
$body$
"""

SUM_UP = """
CREATE FUNCTION statistics_sum_up(p_until timestamptz) RETURNS timestamptz LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $body$
-- Sums up the oldest quarter that is not yet, if it ended before `p_until`; says up to when all is summed then. Null:
-- there is none, or another node is at it.
DECLARE
    v_from timestamptz;
    v_to timestamptz;
BEGIN
    SELECT upto INTO v_from FROM statistics_mark FOR UPDATE SKIP LOCKED;
    v_to := v_from + interval '15 minutes';
    IF v_from IS NULL OR v_to > p_until THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM messages WHERE created_at >= v_from AND created_at < v_to)
        AND NOT EXISTS (SELECT FROM conversations WHERE opened_at >= v_from AND opened_at < v_to) THEN
        -- Over quiet times in one step: to the quarter in which something happens next.
        v_to := least(
            date_bin('15 minutes', p_until, timestamptz 'epoch'),
            date_bin('15 minutes', least(
                (SELECT min(created_at) FROM messages WHERE created_at >= v_to),
                (SELECT min(opened_at) FROM conversations WHERE opened_at >= v_to)
            ), timestamptz 'epoch')
        );
    END IF;
    DELETE FROM statistics WHERE quarter >= v_from AND quarter < v_to;
    INSERT INTO statistics (shop_id, quarter, measure, agent, order_state, n, times)
    SELECT f.shop_id, v_from, f.measure, f.agent, f.order_state, count(*),
        array_agg(f.value) FILTER (WHERE f.value IS NOT NULL)
    FROM statistic_facts(NULL, v_from, least(v_to, v_from + interval '15 minutes')) f
    GROUP BY f.shop_id, f.measure, f.agent, f.order_state;
    UPDATE statistics_mark SET upto = v_to;
    RETURN v_to;
END
$body$
"""

ROWS = """
CREATE FUNCTION statistic_rows(p_shop uuid, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (at timestamptz, measure text, agent uuid, order_state text, n bigint, times bigint[])
LANGUAGE sql STABLE SET jit = off AS $body$
    -- Everything that is counted in a stretch of time: whole quarters from their sums, the rest from the log.
    WITH mark AS MATERIALIZED (
        SELECT q.first, greatest(q.first, least(q.last, s.upto)) AS last
        FROM (SELECT
            date_bin('15 minutes', p_from + interval '899.999999 seconds', timestamptz 'epoch') AS first,
            date_bin('15 minutes', p_to, timestamptz 'epoch') AS last
        ) q CROSS JOIN statistics_mark s
    ), fresh AS (
        SELECT f.* FROM mark m
        CROSS JOIN LATERAL (VALUES
            -- Nothing whole in it, or nothing summed yet: all of it is drawn from the log, in one piece.
            (p_from, CASE WHEN m.last > m.first THEN m.first ELSE p_to END),
            (CASE WHEN m.last > m.first THEN m.last ELSE p_to END, p_to)
        ) AS part(a, z)
        CROSS JOIN LATERAL statistic_facts(p_shop, part.a, part.z) f
        WHERE part.a < part.z
    )
    SELECT s.quarter, s.measure, s.agent, s.order_state, s.n::bigint, s.times
    FROM statistics s, mark m WHERE s.shop_id = p_shop AND s.quarter >= m.first AND s.quarter < m.last
    UNION ALL
    SELECT f.at, f.measure, f.agent, f.order_state, 1, CASE WHEN f.value IS NOT NULL THEN ARRAY[f.value] END
    FROM fresh f
    UNION ALL
    SELECT c.closed_at, 'ratings', c.last_owner_id, c.order_state, 1, ARRAY[c.rating::bigint]
    FROM conversations c
    WHERE c.shop_id = p_shop AND c.rating IS NOT NULL AND c.closed_at >= p_from AND c.closed_at < p_to
    UNION ALL
    SELECT a.at, 'cross_group_tries',
        CASE WHEN a.actor_kind <> 'key' AND a.actor_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        THEN a.actor_id::uuid END, NULL, 1, NULL
    FROM audit a
    WHERE a.shop_id = p_shop AND a.outcome = 'refused' AND a.reason = 'out_of_scope'
        AND a.at >= p_from AND a.at < p_to
    UNION ALL
    SELECT p.joined_at, 'collaborations', p.account_id, c.order_state, 1,
        CASE WHEN p.left_at IS NOT NULL
        THEN ARRAY[round(extract(epoch FROM p.left_at - p.joined_at) * 1000)::bigint] END
    FROM participations p JOIN conversations c ON c.id = p.conversation_id
    WHERE p.shop_id = p_shop AND p.role <> 'watcher' AND p.joined_at >= p_from AND p.joined_at < p_to
    UNION ALL
    SELECT i.done_at, 'items_done', i.done_by, c.order_state, 1,
        ARRAY[round(extract(epoch FROM i.done_at - i.created_at) * 1000)::bigint]
    FROM items i JOIN conversations c ON c.id = i.conversation_id
    WHERE i.shop_id = p_shop AND i.done AND i.removed_at IS NULL AND i.done_at >= p_from AND i.done_at < p_to
$body$
"""


def upgrade() -> None:
    """Sums begin with the oldest log; the sweep makes up for what was before."""
    run(
        """
        CREATE TABLE statistics (
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            quarter timestamptz NOT NULL,
            measure text NOT NULL,
            agent uuid,
            order_state text NOT NULL,
            n int NOT NULL,
            times bigint[]
        )
        """,
        "CREATE INDEX statistics_by_time ON statistics (shop_id, quarter)",
        "CREATE INDEX statistics_by_quarter ON statistics USING brin (quarter)",
        # One row: everything before `upto` is summed up.
        "CREATE TABLE statistics_mark (upto timestamptz NOT NULL)",
        "CREATE UNIQUE INDEX statistics_mark_one ON statistics_mark ((true))",
        """
        INSERT INTO statistics_mark SELECT date_bin(
            '15 minutes', coalesce((SELECT min(opened_at) FROM conversations), now()), timestamptz 'epoch'
        )
        """,
        "CREATE INDEX conversations_by_opening ON conversations (opened_at)",
        """
        CREATE INDEX conversations_rated ON conversations (shop_id, closed_at)
        WHERE rating IS NOT NULL
        """,
        FACTS,
        OF_TIME,
        SUM_UP,
        ROWS,
    )
