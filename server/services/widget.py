"""A customer's session: who is in front of the widget, and by whose word.

An anonymous visitor has an id of ours, signed, and nothing else. Only a valid identity token of the shop's backend
makes them a known customer; then what they wrote before is theirs. The shop chooses how strictly (`identity_mode`), and
on its own whether anonymous visitors may come in at all.
"""

from dataclasses import dataclass

import structlog

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import CustomerId, PersonId, ShopId
from protocol.states import Role
from server.services.attempts import Allowance, Attempts, address_of
from server.services.authentication import Authentication, Ticket
from server.services.customers import CustomerFact, CustomerFacts, OrderFact
from server.services.identity import IdentityClaims, IdentityTokens
from server.services.tokens import Principal, Tokens, unauthenticated
from server.store.customers import Customers as CustomerStore
from server.store.rows import CustomerRow
from server.store.shops import ShopRow, Shops

log = structlog.get_logger("pointsman.identity")


@dataclass(frozen=True, slots=True)
class WidgetSession:
    """A customer's session. `identity`: `accepted`, `absent`, `ignored` (mode off), or why it did not hold (report)."""

    session_token: str
    session_until_ms: int
    customer_id: CustomerId
    anonymous: bool
    identity: str
    ticket: Ticket


class WidgetSessions:
    """Begins and continues sessions."""

    def __init__(
        self,
        *,
        shops: Shops,
        customers: CustomerStore,
        facts: CustomerFacts,
        tokens: Tokens,
        identity_tokens: IdentityTokens,
        authentication: Authentication,
        attempts: Attempts,
        begins_per_minute: int = 120,
    ) -> None:
        self._shops = shops
        self._customers = customers
        self._facts = facts
        self._tokens = tokens
        self._identity_tokens = identity_tokens
        self._authentication = authentication
        self._attempts = attempts
        self._per_address = Allowance("widget", begins_per_minute)

    async def begin(
        self,
        shop_slug: str,
        *,
        origin: str,
        address: str,
        session_token: str | None,
        identity_token: str | None,
    ) -> WidgetSession:
        """A session for whoever this is. `origin` "" is a client that sends none (a native app).

        Refused: NOT_FOUND (shop), FORBIDDEN `shop_suspended`, `origin_not_allowed` or `anonymous_not_allowed`,
        UNAUTHENTICATED (session token; identity token in mode enforce), RATE_LIMITED.
        """
        await self._attempts.begin((self._per_address, address_of(address)))
        shop = await self._shop(shop_slug, origin)
        visitor = None if session_token is None else await self._visitor(shop.id, session_token)
        claims, identity = await self._identity(shop, identity_token)
        if claims is not None:
            customer = await self._known(shop.id, claims, visitor)
        elif visitor is not None and not visitor.anonymous:
            customer = visitor
        elif not shop.widget.anonymous_allowed:
            raise RequestError(
                ErrorCode.FORBIDDEN,
                "anonymous_not_allowed",
                "This shop serves customers who are signed in to it.",
            )
        else:
            customer = visitor or await self._customers.add_anonymous(shop.id)
        token, until_ms = self._tokens.customer(shop.id, customer.id, known=not customer.anonymous)
        principal = Principal(
            shop.id, PersonId(customer.id), "customer", frozenset({Role.CUSTOMER}), customer.name, until_ms
        )
        ticket = await self._authentication.ticket_of(principal, origin)
        return WidgetSession(token, until_ms, customer.id, customer.anonymous, identity, ticket)

    async def _shop(self, slug: str, origin: str) -> ShopRow:
        shop = await self._shops.find(slug)
        if shop is None:
            raise RequestError(ErrorCode.NOT_FOUND, "shop_not_found", "There is no such shop here.")
        if shop.status != "active":
            raise RequestError(ErrorCode.FORBIDDEN, "shop_suspended", "This shop is suspended.")
        if origin and origin not in (await self._shops.origins(shop.id)).widget:
            raise RequestError(
                ErrorCode.FORBIDDEN,
                "origin_not_allowed",
                "This page is not on the shop's list of widget origins.",
            )
        return shop

    async def _visitor(self, shop: ShopId, session_token: str) -> CustomerRow:
        claims = self._tokens.read_customer(session_token)
        refused = unauthenticated("token_invalid", "The session is not valid; begin a new one.")
        if claims.shop != shop:
            raise refused
        try:
            visitor = await self._customers.get(shop, CustomerId(claims.sub))
        except RequestError as error:
            if error.code is ErrorCode.NOT_FOUND:
                raise refused from None
            raise
        if not visitor.anonymous and not claims.known:
            raise refused  # made known since; whoever holds the visitor's token did not prove to be that customer
        return visitor

    async def _identity(self, shop: ShopRow, token: str | None) -> tuple[IdentityClaims | None, str]:
        mode = shop.widget.identity_mode
        if token is None:
            return None, "absent"
        if mode == "off":
            return None, "ignored"
        keys = {
            key.kid: key.secret for key in await self._shops.identity_keys(shop.id) if key.revoked_ms is None
        }
        try:
            claims = self._identity_tokens.read(token, shop_slug=shop.slug, keys=keys)
            await self._identity_tokens.use(shop.id, claims)
        except RequestError as error:
            if mode == "enforce" or error.code is not ErrorCode.UNAUTHENTICATED:
                raise
            log.warning("identity_token_refused", shop=shop.id, reason=error.reason)
            return None, error.reason
        return claims, "accepted"

    async def _known(self, shop: ShopId, claims: IdentityClaims, visitor: CustomerRow | None) -> CustomerRow:
        customer = await self._facts.put(
            shop,
            CustomerFact(
                external_id=claims.sub,
                name=claims.name,
                tags=None if claims.tags is None else tuple(dict.fromkeys(claims.tags)),
                first_paid_ms=None if claims.first_paid_at is None else claims.first_paid_at * 1000,
                last_bought_ms=None if claims.last_bought_at is None else claims.last_bought_at * 1000,
            ),
        )
        for order in claims.orders:
            fact = OrderFact(
                order.id, claims.sub, order.state, order.changed_at * 1000, order.title, order.amount
            )
            await self._facts.keep_order(shop, customer.id, fact)
        if visitor is not None and visitor.anonymous:
            await self._customers.merge(shop, visitor.id, customer.id)
        return customer
