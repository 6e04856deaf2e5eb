"""What was done, by whom, and what was refused (GP-03, KS-23).

Rows are added and read, never changed: the table itself refuses the rest. The functions here write the rows for changes
of other tables; `migrations.audited` attaches them. Who acts is told by the connection (`server.store.acting`).
"""

from server.store.migrations.sql import run

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

AUDIT_ID = """
CREATE FUNCTION audit_id() RETURNS uuid LANGUAGE sql VOLATILE AS $body$
    -- A UUIDv7 with microseconds: rows of one transaction keep their order.
    SELECT (
        lpad(to_hex(us / 1000), 12, '0') || '7' || lpad(to_hex(us % 1000 * 4), 3, '0')
        || substr(replace(gen_random_uuid()::text, '-', ''), 17)
    )::uuid
    FROM (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS clock(us)
$body$
"""

AUDIT_DIFFERENCE = """
CREATE FUNCTION audit_difference(p_one jsonb, p_other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $body$
    -- The members of one that are not the same in the other; of settings (objects) only those of theirs that differ.
    -- Without another one: all that have a value.
    SELECT coalesce(jsonb_object_agg(m.key, CASE
        WHEN jsonb_typeof(m.value) = 'object' AND jsonb_typeof(p_other -> m.key) = 'object' THEN (
            SELECT coalesce(jsonb_object_agg(s.key, s.value), '{}')
            FROM jsonb_each(m.value) s WHERE p_other -> m.key -> s.key IS DISTINCT FROM s.value
        )
        ELSE m.value
    END), '{}')
    FROM jsonb_each(p_one) m
    WHERE CASE
        WHEN p_other IS NULL THEN jsonb_typeof(m.value) <> 'null' ELSE p_other -> m.key IS DISTINCT FROM m.value
    END
$body$
"""

AUDIT_ACTOR = """
CREATE FUNCTION audit_actor() RETURNS jsonb LANGUAGE sql STABLE AS $body$
    -- Who acts in this transaction; null: nobody said.
    SELECT convert_from(decode(nullif(current_setting('pointsman.act', true), ''), 'base64'), 'UTF8')::jsonb
$body$
"""

AUDIT_WRITE = """
CREATE FUNCTION audit_write(
    p_shop uuid, p_action text, p_subject_kind text, p_subject_id text, p_before jsonb, p_after jsonb
) RETURNS void LANGUAGE sql VOLATILE AS $body$
    INSERT INTO audit (
        id, shop_id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, outcome, reason, before,
        after, source
    )
    SELECT
        audit_id(), shop.id, coalesce(actor ->> 'kind', 'system'), coalesce(actor ->> 'id', ''),
        coalesce(actor ->> 'name', ''), p_action, p_subject_kind, p_subject_id, 'done', '', p_before, p_after,
        coalesce(actor -> 'source', '{}')
    -- A shop that is being deleted takes its audit with it.
    FROM shops shop, audit_actor() actor WHERE shop.id = p_shop
$body$
"""

AUDIT_ROW = """
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $body$
-- One record for one row. Arguments: the subject's kind, the column that names it, columns whose values are secret,
-- columns that do not matter, and `people` when only what somebody did counts.
DECLARE
    v_old jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    v_new jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    v_row jsonb := coalesce(v_new, v_old);
    v_secret text[] := string_to_array(TG_ARGV[2], ',');
    v_left_out text[] := string_to_array(TG_ARGV[3], ',') || ARRAY['shop_id', TG_ARGV[1]];
    v_before jsonb;
    v_after jsonb;
BEGIN
    v_old := v_old - v_left_out;
    v_new := v_new - v_left_out;
    IF v_old = v_new OR (TG_ARGV[4] = 'people' AND audit_actor() IS NULL) THEN
        RETURN NULL;
    END IF;
    v_before := audit_difference(v_old - v_secret, v_new);
    v_after := audit_difference(v_new - v_secret, v_old);
    v_after := v_after || (
        SELECT coalesce(jsonb_object_agg(name, CASE TG_OP WHEN 'INSERT' THEN 'set' ELSE 'changed' END), '{}')
        FROM unnest(v_secret) name
        WHERE v_old -> name IS DISTINCT FROM v_new -> name AND coalesce(v_new ->> name, '') <> ''
    );
    PERFORM audit_write(
        coalesce(v_row ->> 'shop_id', v_row ->> 'id')::uuid,
        TG_TABLE_NAME || CASE TG_OP WHEN 'INSERT' THEN '.added' WHEN 'UPDATE' THEN '.changed' ELSE '.removed' END,
        TG_ARGV[0],
        v_row ->> TG_ARGV[1],
        CASE WHEN TG_OP <> 'INSERT' THEN v_before END,
        CASE WHEN TG_OP <> 'DELETE' THEN v_after END
    );
    RETURN NULL;
END
$body$
"""

AUDIT_MEMBER = """
CREATE FUNCTION audit_member() RETURNS trigger LANGUAGE plpgsql AS $body$
-- For rows that are members of a set which belongs to one subject (the hours of an account): what became of the set
-- is recorded once, at the end of the transaction; members taken out and put back leave no trace. Arguments: the
-- subject's kind, the column that names it, columns that do not matter, the name of the set.
DECLARE
    v_old jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    v_new jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    v_left_out text[] := string_to_array(TG_ARGV[2], ',') || ARRAY['shop_id', TG_ARGV[1]];
BEGIN
    INSERT INTO audit_pending (shop_id, table_name, subject_kind, subject_id, member, added)
    SELECT
        (member.whole ->> 'shop_id')::uuid, TG_ARGV[3], TG_ARGV[0], member.whole ->> TG_ARGV[1],
        jsonb_strip_nulls(member.whole - v_left_out), member.added
    FROM (VALUES (v_old, false), (v_new, true)) AS member(whole, added) WHERE member.whole IS NOT NULL;
    RETURN NULL;
END
$body$
"""

AUDIT_SETTLE = """
CREATE FUNCTION audit_settle() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    v_removed jsonb;
    v_added jsonb;
BEGIN
    WITH pending AS (
        DELETE FROM audit_pending p
        WHERE p.transaction = NEW.transaction AND p.table_name = NEW.table_name AND p.subject_id = NEW.subject_id
        RETURNING p.member, p.added
    ), net AS (
        SELECT member, sum(CASE WHEN added THEN 1 ELSE -1 END) AS change FROM pending GROUP BY member
    )
    SELECT
        jsonb_agg(member ORDER BY member) FILTER (WHERE change < 0),
        jsonb_agg(member ORDER BY member) FILTER (WHERE change > 0)
    INTO v_removed, v_added FROM net;
    IF v_removed IS NOT NULL OR v_added IS NOT NULL THEN
        PERFORM audit_write(
            NEW.shop_id, NEW.table_name || '.changed', NEW.subject_kind, NEW.subject_id,
            jsonb_build_object(NEW.table_name, coalesce(v_removed, '[]')),
            jsonb_build_object(NEW.table_name, coalesce(v_added, '[]'))
        );
    END IF;
    RETURN NULL;
END
$body$
"""

AUDIT_STANDS = """
CREATE FUNCTION audit_stands() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM shops WHERE id = OLD.shop_id) THEN
        RETURN OLD;  -- the shop itself is being deleted
    END IF;
    RAISE EXCEPTION 'the audit is added to and read, never changed' USING ERRCODE = 'restrict_violation';
END
$body$
"""


def upgrade() -> None:
    """The table, the indices that its search goes by, and what writes into it."""
    run(
        """
        CREATE TABLE audit (
            id uuid PRIMARY KEY,
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
            actor_kind text NOT NULL,
            actor_id text NOT NULL,
            actor_name text NOT NULL,
            action text NOT NULL,
            subject_kind text NOT NULL,
            subject_id text NOT NULL,
            outcome text NOT NULL CHECK (outcome IN ('done', 'refused')),
            reason text NOT NULL,
            before jsonb,
            after jsonb,
            source jsonb NOT NULL
        )
        """,
        "CREATE INDEX audit_by_time ON audit (shop_id, at DESC, id DESC)",
        "CREATE INDEX audit_by_actor ON audit (shop_id, actor_id, at DESC, id DESC)",
        "CREATE INDEX audit_by_subject ON audit (shop_id, subject_id, at DESC, id DESC)",
        "CREATE INDEX audit_by_action ON audit (shop_id, action text_pattern_ops, at DESC, id DESC)",
        "CREATE INDEX audit_refused ON audit (shop_id, at DESC, id DESC) WHERE outcome = 'refused'",
        """
        CREATE UNLOGGED TABLE audit_pending (
            transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
            shop_id uuid NOT NULL,
            table_name text NOT NULL,
            subject_kind text NOT NULL,
            subject_id text NOT NULL,
            member jsonb NOT NULL,
            added boolean NOT NULL
        )
        """,
        "CREATE INDEX audit_pending_by_transaction ON audit_pending (transaction)",
        AUDIT_ID,
        AUDIT_DIFFERENCE,
        AUDIT_ACTOR,
        AUDIT_WRITE,
        AUDIT_ROW,
        AUDIT_MEMBER,
        AUDIT_SETTLE,
        AUDIT_STANDS,
        """
        CREATE CONSTRAINT TRIGGER audit_settle AFTER INSERT ON audit_pending
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_settle()
        """,
        """
        CREATE TRIGGER audit_stands BEFORE UPDATE OR DELETE ON audit
        FOR EACH ROW EXECUTE FUNCTION audit_stands()
        """,
        """
        CREATE TRIGGER audit_stands_whole BEFORE TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_stands()
        """,
    )
