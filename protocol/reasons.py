"""Every `reason` that a refusal of the server can carry, over the socket and over HTTP.

A reason is a stable word for programs; what a person reads is said in their language by the client, which has words for
each of `FOR_PEOPLE`. `FOR_PROGRAMS` are met only by whoever writes a client, and need no words but the sentence that
comes along. A reason that stands in neither is a fault, which a test finds.
"""

from typing import Final

FOR_PEOPLE: Final = (
    "account_disabled", "account_is_bot", "account_not_found", "agent_not_found", "alarm_not_found", "all_paused",
    "already_routed", "already_sent", "anonymous_not_allowed", "api_key_not_found", "backlog_full", "bad_cursor",
    "bad_text", "body_too_large", "break_glass_not_found", "busy", "cannot_serve",
    "commit_unknown", "conversation_closed", "conversation_ended", "conversation_missing", "conversation_not_found",
    "customer_not_found", "database_down", "database_slow", "deadline", "draining", "email_taken", "excluded",
    "exports_under_way", "file_is_internal", "file_not_found", "file_too_large", "forbidden", "grant_expired",
    "grant_invalid", "group_empty", "group_in_use", "group_name_taken", "group_not_found", "idempotency_conflict",
    "identity_key_not_found", "internal", "internal_error", "invalid", "invalid_configuration", "invalid_grants",
    "invalid_params", "invalid_quick_reply", "invalid_rule", "invalid_settings", "invalid_table", "item_not_found",
    "last_owner",
    "link_invalid", "message_not_found", "no_right", "nobody_named", "nobody_online", "node_fenced", "not_active",
    "not_agreed", "not_an_agent", "not_an_image", "not_asked", "not_ended", "not_for_accounts", "not_for_customers",
    "not_found", "not_in_service", "not_in_wrap_up", "not_invited", "not_owner", "not_participant", "not_taking_part",
    "not_waiting", "not_watching", "not_what_it_says", "not_with_bot", "one_rule", "one_shelf", "one_subject",
    "one_target", "oneself", "only_oneself", "open_conversations", "order_not_found", "origin_not_allowed",
    "other_device", "other_rules", "out_of_scope", "own_account", "own_rights", "owner", "owner_already",
    "owner_elsewhere", "owner_stays", "participant_already", "participant_not_found", "pool_empty",
    "quick_reply_not_found", "quote_gone", "rated_already", "reassignment_not_found", "rebuilding",
    "recall_too_late", "redis_down",
    "refresh_token_invalid", "refresh_token_reused", "result_tag_required", "role_fixed", "role_in_use",
    "role_not_found", "routing_unavailable", "rule_not_found", "same_owner", "screen_busy", "screen_over",
    "share_not_found", "shop_not_found", "shop_suspended", "shortcut_taken", "shutting_down", "sign_in_busy",
    "size_differs", "stale_assignment", "stale_rev", "storage_down", "takes_part", "ticket_invalid", "token_expired",
    "token_invalid", "token_missing", "token_revoked", "too_fast", "too_long", "too_many", "too_many_connections",
    "too_many_customers", "too_many_files", "too_many_items", "too_many_keys", "too_many_pixels",
    "too_many_quick_replies", "too_many_rules", "too_many_tries", "too_slow", "type_not_allowed", "under_way",
    "unknown_pool", "unknown_rating_reason", "unknown_result_tag", "unknown_role", "unknown_rule",
    "watching_too_many", "weak_password", "wrong_credentials", "wrong_password",
)  # fmt: skip
"""What a person can meet, at the desk or at the widget."""

FOR_PROGRAMS: Final = (
    "already_greeted", "api_key_invalid", "bad_id", "bad_params", "batch", "duplicate_member", "empty_span",
    "etag_mismatch", "frame_too_large", "identity_token_too_long", "identity_token_used", "json_invalid",
    "load_changed", "method_not_allowed", "method_not_found", "no_id", "no_method", "no_session", "no_ticket",
    "not_a_reply", "not_an_object", "not_anonymous", "not_json", "not_jsonrpc_2", "not_served", "not_utf8",
    "other_person", "signal_too_large", "slug_taken", "subprotocol_required", "too_deep", "too_many_handshakes",
    "too_many_parts", "too_many_signals", "unauthenticated", "unavailable", "unknown_fact", "unsupported_media_type",
)  # fmt: skip
"""What only clients that we did not write can meet."""

REASONS: Final = frozenset((*FOR_PEOPLE, *FOR_PROGRAMS))
