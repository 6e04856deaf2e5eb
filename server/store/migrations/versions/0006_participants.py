"""Who is asked into conversations, who took part, who was named; and the shop's settings for working together.

`change_roster`: one change of who takes part, in one statement. Guarantees:
- the conversation's row is locked first, so that changes of one roster happen one after the other (limits hold, of a
  group exactly one answers for it);
- the arrays in the row, the tables here and the entry in the log say the same, or nothing happened;
- a repeat with the same client message id gives what it gave; a change that is already so changes nothing;
- an owner is never in the roster: who becomes it leaves it (`apply_decisions`).

A verdict is one of `ok`, `nothing`, `duplicate`, `closed`, `full`, `not_invited`; no row: there is no such
conversation.
Watching leaves no entry, and raises `rev` only when colleagues are shown who watches.
"""

from importlib import import_module
from typing import Final

from server.store.migrations.sql import run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ENTRIES = import_module("server.store.migrations.versions.0003_append_entries")
CONVERSATION: Final[str] = _ENTRIES.CONVERSATION
COLUMNS: Final[list[str]] = _ENTRIES.COLUMNS
NIL: Final[str] = _ENTRIES.NIL

TABLES: Final = (
    "ALTER TABLE shops ADD COLUMN collaboration jsonb NOT NULL DEFAULT '{}'",
    """
    CREATE TABLE invitations (
        conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
        account_id uuid NOT NULL,
        shop_id uuid NOT NULL,
        group_id uuid,
        by uuid,
        reason text NOT NULL,
        at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (conversation_id, account_id),
        FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE,
        FOREIGN KEY (shop_id, by) REFERENCES accounts (shop_id, id) ON DELETE SET NULL (by),
        FOREIGN KEY (shop_id, group_id) REFERENCES groups (shop_id, id) ON DELETE SET NULL (group_id)
    )
    """,
    "CREATE INDEX invitations_by_account ON invitations (shop_id, account_id, at)",
    "CREATE INDEX invitations_by_expiry ON invitations (expires_at)",
    """
    CREATE TABLE participations (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        shop_id uuid NOT NULL,
        conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
        account_id uuid NOT NULL,
        role text NOT NULL CHECK (role IN ('collaborator', 'supervisor', 'watcher')),
        joined_at timestamptz NOT NULL,
        left_at timestamptz,
        ended_by text CHECK (ended_by IN ('left', 'removed', 'closed', 'became_owner', 'other_role')),
        invited_by uuid,
        reason text NOT NULL,
        CHECK ((left_at IS NULL) = (ended_by IS NULL)),
        FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
    )
    """,
    """
    CREATE UNIQUE INDEX participations_now ON participations (conversation_id, account_id) WHERE left_at IS NULL
    """,
    "CREATE INDEX participations_open ON participations (shop_id, account_id) WHERE left_at IS NULL",
    "CREATE INDEX participations_by_account ON participations (shop_id, account_id, joined_at)",
    "CREATE INDEX participations_by_time ON participations (shop_id, joined_at)",
    """
    CREATE TABLE mentions (
        conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
        seq bigint NOT NULL,
        account_id uuid NOT NULL,
        shop_id uuid NOT NULL,
        message_id uuid NOT NULL,
        at timestamptz NOT NULL,
        read_at timestamptz,
        void boolean NOT NULL DEFAULT false,
        PRIMARY KEY (conversation_id, seq, account_id),
        FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX mentions_by_account ON mentions (shop_id, account_id, at DESC, message_id DESC)",
    """
    CREATE INDEX mentions_unread ON mentions (shop_id, account_id, at DESC, message_id DESC) WHERE read_at IS NULL
    """,
    # Running collaborations (CO-09). What changes with every message is not in it.
    """
    CREATE INDEX conversations_collaborating ON conversations (shop_id, collaboration_since)
    WHERE collaboration_since IS NOT NULL
    """,
)


def _columns(of: str) -> str:
    return ", ".join(f"{of}.{column}" for column in COLUMNS)


PARTIES: Final = """
CREATE FUNCTION parties(p_shop uuid, p_people uuid[]) RETURNS jsonb LANGUAGE sql STABLE AS $body$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'kind', CASE WHEN 'bot' = ANY (a.roles) THEN 'bot' ELSE 'agent' END, 'id', a.id, 'name', a.name
    ) ORDER BY p.nth), '[]')
    FROM unnest(p_people) WITH ORDINALITY AS p(id, nth) JOIN accounts a ON a.shop_id = p_shop AND a.id = p.id
$body$
"""

CHANGE_ROSTER: Final = f"""
CREATE FUNCTION change_roster(
    p_node text, p_shop uuid, p_conversation uuid, p_verb text, p_people uuid[], p_given jsonb
)
RETURNS TABLE (
    verdict text, changed uuid[], released uuid[], left_off uuid[], entry_seq bigint, entry_message_id uuid,
    entry_created_at timestamptz, entry_body jsonb, {CONVERSATION}
) LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    c conversations%ROWTYPE;
    v_now timestamptz;
    v_verdict text := 'ok';
    v_role text := p_given ->> 'role';
    v_by uuid := (p_given ->> 'by')::uuid;
    v_reason text := coalesce(p_given ->> 'reason', '');
    v_group uuid := (p_given ->> 'group')::uuid;
    v_client text := p_given ->> 'client';
    v_most int := coalesce((p_given ->> 'most')::int, 2147483647);
    v_who uuid := p_people[1];
    v_changed uuid[] := '{{}}';
    v_released uuid[] := '{{}}';
    v_left_off uuid[] := '{{}}';
    v_event text;
    v_body jsonb;
    v_asked_by uuid;
    v_asked_group uuid;
    v_seq bigint;
    v_message uuid;
    v_created timestamptz;
BEGIN
    SELECT * INTO c FROM conversations WHERE id = p_conversation AND shop_id = p_shop FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_now := date_trunc('milliseconds', clock_timestamp());

    SELECT m.seq, m.message_id, m.created_at, m.body INTO v_seq, v_message, v_created, v_body FROM messages m
    WHERE m.conversation_id = p_conversation AND m.client_message_id = v_client AND m.sender_kind = 'system'
        AND coalesce(m.sender_id, '{NIL}'::uuid) = '{NIL}'::uuid;
    IF FOUND THEN
        v_verdict := 'duplicate';
    ELSIF c.state = 'closed' THEN
        v_verdict := CASE WHEN p_verb IN ('invite', 'join') THEN 'closed' ELSE 'nothing' END;
    ELSIF p_verb = 'invite' THEN
        -- Asked again after the time was over: as if for the first time.
        DELETE FROM invitations
        WHERE conversation_id = p_conversation AND account_id = ANY (p_people) AND expires_at <= v_now;
        SELECT coalesce(array_agg(i.account_id ORDER BY i.at), '{{}}') INTO c.invited
        FROM invitations i WHERE i.conversation_id = p_conversation;
        SELECT coalesce(array_agg(p.id ORDER BY p.nth), '{{}}') INTO v_changed
        FROM (SELECT id, min(nth) AS nth FROM unnest(p_people) WITH ORDINALITY AS p(id, nth) GROUP BY id) p
        WHERE p.id IS DISTINCT FROM c.owner_id AND p.id <> ALL (c.collaborators || c.supervisors || c.invited);
        IF v_changed = '{{}}' THEN
            v_verdict := 'nothing';
        ELSIF cardinality(c.invited) + cardinality(v_changed) > v_most THEN
            v_verdict := 'full';
        ELSE
            INSERT INTO invitations (conversation_id, account_id, shop_id, group_id, by, reason, at, expires_at)
            SELECT p_conversation, p.id, p_shop, v_group, v_by, v_reason, v_now,
                v_now + (p_given ->> 'for_ms')::bigint * interval '1 millisecond'
            FROM unnest(v_changed) AS p(id);
            c.invited := c.invited || v_changed;
            v_event := 'invited';
        END IF;
    ELSIF p_verb = 'join' THEN
        SELECT i.by, i.group_id INTO v_asked_by, v_asked_group FROM invitations i
        WHERE i.conversation_id = p_conversation AND i.account_id = v_who AND i.expires_at > v_now;
        IF v_who = c.owner_id OR v_who = ANY (CASE v_role
            WHEN 'collaborator' THEN c.collaborators || c.supervisors WHEN 'supervisor' THEN c.supervisors
            ELSE c.collaborators || c.supervisors || c.watchers END) THEN
            v_verdict := 'nothing';
        ELSIF (p_given ->> 'invited_only')::boolean AND NOT EXISTS (
            SELECT FROM invitations i
            WHERE i.conversation_id = p_conversation AND i.account_id = v_who AND i.expires_at > v_now
        ) THEN
            v_verdict := 'not_invited';
        ELSIF cardinality(CASE v_role
            WHEN 'collaborator' THEN c.collaborators WHEN 'supervisor' THEN c.supervisors ELSE c.watchers END
        ) >= v_most THEN
            v_verdict := 'full';
        ELSE
            v_changed := ARRAY[v_who];
            IF v_who = ANY (c.watchers) THEN
                v_left_off := v_changed;
            END IF;
            IF v_role <> 'watcher' THEN
                -- The first of a group who comes answers for all of it.
                WITH gone AS (
                    DELETE FROM invitations i
                    WHERE i.conversation_id = p_conversation AND (i.account_id = v_who OR i.group_id = v_asked_group)
                    RETURNING i.account_id
                )
                SELECT coalesce(array_agg(g.account_id), '{{}}') INTO v_released FROM gone g;
                v_event := 'joined';
            END IF;
            UPDATE participations SET left_at = v_now, ended_by = 'other_role'
            WHERE conversation_id = p_conversation AND account_id = v_who AND left_at IS NULL;
            INSERT INTO participations (shop_id, conversation_id, account_id, role, joined_at, invited_by, reason)
            VALUES (p_shop, p_conversation, v_who, v_role, v_now, coalesce(v_asked_by, v_by), v_reason);
            c.collaborators := array_remove(c.collaborators, v_who);
            c.supervisors := array_remove(c.supervisors, v_who);
            c.watchers := array_remove(c.watchers, v_who);
            IF v_role = 'collaborator' THEN
                c.collaborators := c.collaborators || v_who;
            ELSIF v_role = 'supervisor' THEN
                c.supervisors := c.supervisors || v_who;
            ELSE
                c.watchers := c.watchers || v_who;
            END IF;
            v_by := coalesce(v_by, v_asked_by);
            v_group := v_asked_group;
        END IF;
    ELSIF p_verb = 'leave' OR p_verb = 'remove' THEN
        -- Who is asked still is asked no longer; who takes part goes. Whoever watches is out of reach here, unless that
        -- is what shall end.
        WITH gone AS (
            DELETE FROM invitations i
            WHERE i.conversation_id = p_conversation AND i.account_id = v_who AND p_verb = 'remove'
            RETURNING i.account_id
        )
        SELECT coalesce(array_agg(g.account_id), '{{}}') INTO v_released FROM gone g;
        WITH ended AS (
            UPDATE participations SET left_at = v_now,
                ended_by = CASE p_verb WHEN 'leave' THEN 'left' ELSE 'removed' END
            WHERE conversation_id = p_conversation AND account_id = v_who AND left_at IS NULL
                AND (role = 'watcher') = (v_role IS NOT DISTINCT FROM 'watcher')
            RETURNING account_id, role
        )
        SELECT coalesce(array_agg(e.account_id), '{{}}'), max(e.role) INTO v_changed, v_role FROM ended e;
        IF v_changed = '{{}}' AND v_released = '{{}}' THEN
            v_verdict := 'nothing';
        ELSIF v_role = 'watcher' THEN
            c.watchers := array_remove(c.watchers, v_who);
            v_left_off := v_changed;
        ELSE
            v_event := CASE p_verb WHEN 'leave' THEN 'left' ELSE 'removed' END;
            c.collaborators := array_remove(c.collaborators, v_who);
            c.supervisors := array_remove(c.supervisors, v_who);
        END IF;
        IF p_verb = 'remove' THEN
            UPDATE mentions SET void = true WHERE conversation_id = p_conversation AND account_id = v_who;
        END IF;
    ELSIF p_verb = 'decline' OR p_verb = 'expire' THEN
        WITH gone AS (
            DELETE FROM invitations i
            WHERE i.conversation_id = p_conversation
                AND CASE p_verb WHEN 'decline' THEN i.account_id = v_who ELSE i.expires_at <= v_now END
            RETURNING i.account_id, i.at
        )
        SELECT coalesce(array_agg(g.account_id ORDER BY g.at), '{{}}') INTO v_released FROM gone g;
        IF v_released = '{{}}' THEN
            v_verdict := 'nothing';
        ELSE
            v_event := CASE p_verb WHEN 'decline' THEN 'declined' ELSE 'expired' END;
        END IF;
    ELSE
        RAISE EXCEPTION 'change_roster knows no verb %', p_verb;
    END IF;

    IF v_verdict = 'ok' THEN
        UPDATE conversations SET
            collaborators = c.collaborators,
            supervisors = c.supervisors,
            watchers = c.watchers,
            invited = ARRAY(
                SELECT u.id FROM unnest(c.invited) WITH ORDINALITY AS u(id, nth)
                WHERE u.id <> ALL (v_released) ORDER BY u.nth
            ),
            collaboration_since = CASE WHEN c.collaborators || c.supervisors = '{{}}' THEN NULL
                ELSE coalesce(collaboration_since, v_now) END,
            rev = rev + CASE WHEN v_event IS NULL AND (p_given ->> 'shown')::boolean THEN 1 ELSE 0 END
        WHERE id = p_conversation;
    END IF;
    IF v_event IS NOT NULL THEN
        v_body := jsonb_build_object('kind', 'system', 'event', v_event, 'data', jsonb_build_object(
            'who', parties(p_shop, CASE WHEN v_changed = '{{}}' THEN v_released ELSE v_changed END),
            'by', parties(p_shop, ARRAY[v_by]) -> 0,
            'role', v_role,
            'group', (
                SELECT jsonb_build_object('id', g.id, 'name', g.name) FROM groups g
                WHERE g.shop_id = p_shop AND g.id = v_group
            ),
            'reason', v_reason
        ));
        SELECT a.entry_seq, a.entry_message_id, a.entry_created_at INTO v_seq, v_message, v_created
        FROM append_entries(p_node, ARRAY[p_conversation], jsonb_build_array(jsonb_build_object(
            'n', 0, 'shop', p_shop, 'conversation', p_conversation, 'kind', 'system', 'sender', NULL, 'name', '',
            'client', v_client, 'message', p_given ->> 'message', 'body', v_body, 'hash', md5(v_body::text),
            'public', false, 'epoch', NULL, 'must_own', false, 'decision', NULL
        )), false) a;
    END IF;
    RETURN QUERY SELECT
        v_verdict, v_changed, v_released, v_left_off, v_seq, v_message, v_created, v_body, {_columns("k")}
    FROM conversations k WHERE k.id = p_conversation;
END
$body$
"""


def upgrade() -> None:
    """What somebody may see of a closed conversation they took part in stays in its row; the rest ends with it."""
    run(*TABLES, PARTIES, CHANGE_ROSTER)
