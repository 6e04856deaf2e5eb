"""Who may call which route: one table, deny by default. A route that is not in it cannot be built, nor called.

Rights here are about the route as a whole; services check the thing it is called on. The shop always comes from the
caller's credentials, never from the request.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocol.methods import OBSERVERS, STAFF
from protocol.states import Role


class Scope(StrEnum):
    """What an API key may do."""

    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    CONVERSATIONS_READ = "conversations:read"
    AGENTS_READ = "agents:read"


@dataclass(frozen=True, slots=True)
class Right:
    """`public`: nobody needs to sign in. Else one of `roles`, or an API key with `scope`."""

    roles: frozenset[Role] = frozenset()
    scope: Scope | None = None
    public: bool = False


ADMINS = frozenset({Role.OWNER, Role.ADMIN})
"""Accounts, keys, origins."""
SETTERS = frozenset({Role.OWNER, Role.ADMIN, Role.SERVICE_ADMIN})
"""Routing settings, groups, schedules (KS-23)."""
OPERATORS = frozenset({Role.OWNER, Role.ADMIN, Role.OPERATIONS})
EVERY_ACCOUNT = STAFF | {Role.BOT}

_public = Right(public=True)
_account = Right(EVERY_ACCOUNT)
_staff = Right(STAFF)
_observer = Right(OBSERVERS)
_setter = Right(SETTERS)
_admin = Right(ADMINS)

RIGHTS: dict[str, Right] = {
    # identity
    "POST /v1/auth/login": _public,
    "POST /v1/auth/refresh": _public,
    "POST /v1/auth/logout": _public,
    "POST /v1/widget/sessions": _public,
    "OPTIONS /v1/widget/sessions": _public,
    "POST /v1/tickets": _account,
    "GET /v1/me": _account,
    "POST /v1/me/password": _account,
    # the shop's people
    "GET /v1/accounts": _staff,
    "POST /v1/accounts": _admin,
    "GET /v1/accounts/{account_id}": _staff,
    "PATCH /v1/accounts/{account_id}": _setter,
    "POST /v1/accounts/{account_id}/password": _admin,
    "POST /v1/accounts/{account_id}/revoke": _admin,
    "GET /v1/accounts/{account_id}/schedules": _staff,
    "PUT /v1/accounts/{account_id}/schedules": _setter,
    "GET /v1/groups": _staff,
    "POST /v1/groups": _setter,
    "GET /v1/groups/{group_id}": _staff,
    "PATCH /v1/groups/{group_id}": _setter,
    "DELETE /v1/groups/{group_id}": _setter,
    "GET /v1/groups/{group_id}/members": _staff,
    "PUT /v1/groups/{group_id}/members/{account_id}": _setter,
    "DELETE /v1/groups/{group_id}/members/{account_id}": _setter,
    # settings
    "GET /v1/settings/routing": _observer,
    "PUT /v1/settings/routing": _setter,
    "GET /v1/settings/routing/history": _observer,
    "GET /v1/settings/routing/warnings": _observer,
    "POST /v1/routing/dry-run": _observer,
    "GET /v1/settings/widget": _observer,
    "PUT /v1/settings/widget": _admin,
    "GET /v1/settings/origins": _observer,
    "PUT /v1/settings/origins/{surface}": _admin,
    "GET /v1/settings/identity-keys": _admin,
    "POST /v1/settings/identity-keys": _admin,
    "DELETE /v1/settings/identity-keys/{kid}": _admin,
    "GET /v1/api-keys": _admin,
    "POST /v1/api-keys": _admin,
    "DELETE /v1/api-keys/{api_key_id}": _admin,
    # customers and orders, for the shop's own systems
    "GET /v1/customers/{external_id}": Right(STAFF, Scope.CUSTOMERS_READ),
    "PUT /v1/customers/{external_id}": Right(ADMINS, Scope.CUSTOMERS_WRITE),
    "GET /v1/orders/{order_id}": Right(STAFF, Scope.ORDERS_READ),
    "PUT /v1/orders/{order_id}": Right(ADMINS, Scope.ORDERS_WRITE),
    # conversations and live state
    "GET /v1/conversations": Right(STAFF, Scope.CONVERSATIONS_READ),
    "GET /v1/conversations/search": Right(OBSERVERS, Scope.CONVERSATIONS_READ),
    "GET /v1/conversations/{conversation_id}": Right(STAFF, Scope.CONVERSATIONS_READ),
    "GET /v1/conversations/{conversation_id}/transcript": Right(STAFF, Scope.CONVERSATIONS_READ),
    "GET /v1/conversations/{conversation_id}/explanation": Right(STAFF, Scope.CONVERSATIONS_READ),
    "GET /v1/agents": Right(STAFF, Scope.AGENTS_READ),
    "GET /v1/agents/{account_id}/slots": Right(STAFF, Scope.AGENTS_READ),
    "GET /v1/queues": Right(STAFF, Scope.AGENTS_READ),
    "GET /v1/invariants": Right(OPERATORS),
    # the server itself
    "GET /livez": _public,
    "GET /readyz": _public,
    "GET /metrics": _public,
    "GET /openapi.json": _public,
    "GET /openrpc.json": _public,
    "GET /asyncapi.json": _public,
    "GET /docs": _public,
}
"""`METHOD /path` -> right."""


def permits(right: Right, roles: frozenset[Role], scopes: frozenset[str]) -> bool:
    """Whether somebody with these roles, or a key with these scopes, may call a route with this right."""
    return right.public or not roles.isdisjoint(right.roles) or right.scope in scopes
