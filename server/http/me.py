"""Routes of the caller's own account: who am I, a new password, a ticket for the socket."""

from fastapi import APIRouter, Request
from pydantic import Field

from protocol.times import text_of_ms
from server.http.auth import SignedInView, signed_in_view
from server.http.fields import Closed, Password, View
from server.http.guard import Asking, Given, GuardedRoute, peer_address
from server.http.people import AccountView, account_view

router = APIRouter(prefix="/v1", route_class=GuardedRoute, tags=["identity"])


class ShopView(View):
    """The shop that the account belongs to."""

    id: str
    slug: str
    name: str
    timezone: str = Field(description="IANA name: in it the shop's days begin, and its hours are meant.")


class MeView(View):
    """Who the access token belongs to, as of now."""

    account: AccountView
    shop: ShopView


class PasswordBody(Closed):
    """The password so far, and the new one."""

    current_password: Password
    new_password: Password


class TicketView(View):
    """What goes into the first frame of the socket, once, soon, and from the same origin."""

    ticket: str
    expires_in_s: int
    session_expires_at: str


@router.get("/me")
async def who_am_i(deps: Given, caller: Asking) -> MeView:
    """The caller's account and shop."""
    account = await deps.accounts.get(caller, caller.account)
    shop = await deps.shop_settings.shop(caller.shop_id)
    zone = (await deps.policies.current(caller.shop_id)).policy.timezone
    return MeView(
        account=account_view(account),
        shop=ShopView(id=shop.id, slug=shop.slug, name=shop.name, timezone=zone),
    )


@router.post("/me/password")
async def change_password(deps: Given, caller: Asking, request: Request, body: PasswordBody) -> SignedInView:
    """Change the own password. Every other sign-in of the account ends; the answer has new tokens for this one."""
    signed_in = await deps.sign_in.change_password(
        caller, body.current_password, body.new_password, peer_address(request)
    )
    return signed_in_view(signed_in)


@router.post("/tickets", status_code=201)
async def issue_ticket(deps: Given, caller: Asking, request: Request) -> TicketView:
    """A single-use ticket for the socket, bound to this account and to the Origin header of this request."""
    ticket = await deps.authentication.ticket_for(caller, request.headers.get("origin", ""))
    return TicketView(
        ticket=ticket.ticket,
        expires_in_s=ticket.ticket_s,
        session_expires_at=text_of_ms(ticket.session_until_ms),
    )
