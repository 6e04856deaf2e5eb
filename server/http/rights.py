"""Who may call which route: one table, deny by default. A route that is not in it cannot be built, nor called.

Rights here are about the route as a whole; services check the thing it is called on. The shop always comes from the
caller's credentials, never from the request.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocol.rights import Right


class Scope(StrEnum):
    """What an API key may do."""

    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    CONVERSATIONS_READ = "conversations:read"
    AGENTS_READ = "agents:read"


@dataclass(frozen=True, slots=True)
class Access:
    """`public`: nobody needs to sign in. Else an account with `right`, or an API key with `scope`. `own_body`: the
    route itself reads the body, and bounds it; for all others it is JSON of a bounded size, `body_bytes` where that is
    not the server's limit for bodies (0)."""

    right: Right | None = None
    scope: Scope | None = None
    public: bool = False
    own_body: bool = False
    body_bytes: int = 0


_public = Access(public=True)
_account = Access(Right.SIGN_IN)
_staff = Access(Right.VIEW)
_settings = Access(Right.SETTINGS_VIEW)
_routing = Access(Right.ROUTING)
_agents = Access(Right.AGENT_MANAGE)
_accounts = Access(Right.ACCOUNTS)
_integration = Access(Right.INTEGRATION)
_rules = Access(Right.RULES)
_roles = Access(Right.ROLES)
_replies = Access(Right.REPLIES)
_break_glass = Access(Right.BREAK_GLASS)

RIGHTS: dict[str, Access] = {
    # identity
    "POST /v1/auth/login": _public,
    "POST /v1/auth/links": _public,
    "POST /v1/auth/refresh": _public,
    "POST /v1/auth/logout": _public,
    "POST /v1/widget/sessions": _public,
    "OPTIONS /v1/widget/sessions": _public,
    "POST /v1/tickets": _account,
    "GET /v1/me": _account,
    "POST /v1/me/password": _account,
    # the shop's people
    "GET /v1/accounts": _staff,
    "POST /v1/accounts": _accounts,
    "GET /v1/accounts/{account_id}": _staff,
    "PATCH /v1/accounts/{account_id}": _agents,
    "POST /v1/accounts/{account_id}/password": _accounts,
    "POST /v1/accounts/{account_id}/revoke": _accounts,
    "GET /v1/accounts/{account_id}/schedules": _staff,
    "PUT /v1/accounts/{account_id}/schedules": _agents,
    "GET /v1/accounts/{account_id}/dates": _staff,
    "PUT /v1/accounts/{account_id}/dates/{day}": _agents,
    "DELETE /v1/accounts/{account_id}/dates/{day}": _agents,
    "GET /v1/accounts/{account_id}/duty": _staff,
    "PUT /v1/accounts/{account_id}/duty": _agents,
    "DELETE /v1/accounts/{account_id}/duty": _agents,
    "GET /v1/roles": _roles,
    "PUT /v1/roles/{role}": _roles,
    "DELETE /v1/roles/{role}": _roles,
    "GET /v1/break-glass": _break_glass,
    "POST /v1/break-glass": _break_glass,
    "DELETE /v1/break-glass/{break_glass_id}": _break_glass,
    "GET /v1/groups": _staff,
    "POST /v1/groups": _routing,
    "GET /v1/groups/{group_id}": _staff,
    "PATCH /v1/groups/{group_id}": _routing,
    "DELETE /v1/groups/{group_id}": _routing,
    "GET /v1/groups/{group_id}/members": _staff,
    "PUT /v1/groups/{group_id}/members/{account_id}": _routing,
    "DELETE /v1/groups/{group_id}/members/{account_id}": _routing,
    # settings
    "GET /v1/settings/routing": _settings,
    "PUT /v1/settings/routing": _routing,
    "GET /v1/settings/routing/history": _settings,
    "GET /v1/settings/routing/warnings": _settings,
    "GET /v1/settings/history/{page}": _settings,
    "GET /v1/settings/export": _settings,
    "POST /v1/settings/import": Access(Right.ROUTING, body_bytes=4 * 1024 * 1024),
    "POST /v1/routing/dry-run": _settings,
    "GET /v1/rules": _rules,
    "POST /v1/rules": _rules,
    "POST /v1/rules/order": _rules,
    "POST /v1/rules/dry-run": _rules,
    "GET /v1/rules/{rule_id}": _rules,
    "PATCH /v1/rules/{rule_id}": _rules,
    "DELETE /v1/rules/{rule_id}": _rules,
    "GET /v1/rules/{rule_id}/firings": _rules,
    "GET /v1/quick-replies": _account,
    "POST /v1/quick-replies": _replies,
    "PATCH /v1/quick-replies/{reply_id}": _replies,
    "DELETE /v1/quick-replies/{reply_id}": _replies,
    "GET /v1/quick-replies/table": _replies,
    "POST /v1/quick-replies/table": Access(Right.REPLIES, body_bytes=2 * 1024 * 1024),
    "GET /v1/settings/collaboration": _settings,
    "PUT /v1/settings/collaboration": _routing,
    "GET /v1/settings/wall": _settings,
    "PUT /v1/settings/wall": _routing,
    "GET /v1/settings/wall/history": _settings,
    "GET /v1/settings/endings": _settings,
    "PUT /v1/settings/endings": _routing,
    "GET /v1/settings/holidays": _settings,
    "PUT /v1/settings/holidays": _routing,
    "GET /v1/settings/widget": _settings,
    "PUT /v1/settings/widget": _integration,
    "GET /v1/settings/origins": _settings,
    "PUT /v1/settings/origins/{surface}": _integration,
    "GET /v1/settings/identity-keys": _integration,
    "POST /v1/settings/identity-keys": _integration,
    "DELETE /v1/settings/identity-keys/{kid}": _integration,
    "GET /v1/api-keys": _integration,
    "POST /v1/api-keys": _integration,
    "DELETE /v1/api-keys/{api_key_id}": _integration,
    # customers and orders, for the shop's own systems
    "GET /v1/customers/{external_id}": Access(Right.CUSTOMER_VIEW, Scope.CUSTOMERS_READ),
    "PUT /v1/customers/{external_id}": Access(Right.INTEGRATION, Scope.CUSTOMERS_WRITE),
    "GET /v1/customers": Access(Right.CUSTOMER_VIEW, Scope.CUSTOMERS_READ),
    "GET /v1/customers/id/{customer_id}": Access(Right.CUSTOMER_VIEW),
    "PATCH /v1/customers/id/{customer_id}": Access(Right.CUSTOMER_EDIT),
    "GET /v1/customers/id/{customer_id}/notes": Access(Right.CUSTOMER_VIEW),
    "POST /v1/customers/id/{customer_id}/notes": Access(Right.CUSTOMER_EDIT),
    "POST /v1/customers/reassignments": Access(Right.CUSTOMER_ASSIGN),
    "GET /v1/customers/reassignments/{reassignment_id}": Access(Right.CUSTOMER_ASSIGN),
    "GET /v1/customers/reassignments/{reassignment_id}/refused": Access(Right.CUSTOMER_ASSIGN),
    "GET /v1/statistics/collaboration": Access(Right.REPORT),
    "GET /v1/orders/{order_id}": Access(Right.CUSTOMER_VIEW, Scope.ORDERS_READ),
    "PUT /v1/orders/{order_id}": Access(Right.INTEGRATION, Scope.ORDERS_WRITE),
    # files: the grant in the address is the credential
    "PUT /v1/files/{file_id}/content": Access(public=True, own_body=True),
    "OPTIONS /v1/files/{file_id}/content": _public,
    "GET /v1/files/{file_id}/content": _public,
    "GET /v1/files/{file_id}/thumbnail": _public,
    "GET /v1/settings/files": _settings,
    "PUT /v1/settings/files": _routing,
    # conversations and live state
    "GET /v1/conversations": Access(Right.VIEW, Scope.CONVERSATIONS_READ),
    "GET /v1/conversations/search": Access(Right.VIEW, Scope.CONVERSATIONS_READ),
    "GET /v1/conversations/{conversation_id}": Access(Right.VIEW, Scope.CONVERSATIONS_READ),
    "GET /v1/conversations/{conversation_id}/transcript": Access(Right.VIEW, Scope.CONVERSATIONS_READ),
    "GET /v1/conversations/{conversation_id}/explanation": Access(Right.VIEW, Scope.CONVERSATIONS_READ),
    "GET /v1/agents": Access(Right.VIEW, Scope.AGENTS_READ),
    "GET /v1/agents/{account_id}/slots": Access(Right.VIEW, Scope.AGENTS_READ),
    "GET /v1/queues": Access(Right.VIEW, Scope.AGENTS_READ),
    "GET /v1/invariants": Access(Right.OPERATE),
    "GET /v1/audit": Access(Right.AUDIT),
    # reports
    "GET /v1/statistics": Access(Right.REPORT),
    "GET /v1/statistics/outcomes": Access(Right.REPORT),
    "GET /v1/statistics/conversations": Access(Right.REPORT),
    "GET /v1/statistics/conversations/export": Access(Right.REPORT),
    # the server itself
    "GET /v1/demo/identity": _public,
    "GET /livez": _public,
    "GET /readyz": _public,
    "GET /metrics": _public,
    "GET /openapi.json": _public,
    "GET /openrpc.json": _public,
    "GET /asyncapi.json": _public,
    "GET /docs": _public,
}
"""`METHOD /path` -> right."""
