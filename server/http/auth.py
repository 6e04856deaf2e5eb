"""Routes of signing in: password to tokens, tokens to fresh ones, and out again."""

from fastapi import APIRouter, Request

from protocol.times import text_of_ms
from server.http.fields import Closed, Email, Password, Secret, Slug, View
from server.http.guard import Given, GuardedRoute, peer_address
from server.http.people import AccountView, account_view
from server.services.sign_in import SignedIn

router = APIRouter(prefix="/v1/auth", route_class=GuardedRoute, tags=["identity"])


class LoginBody(Closed):
    """An account of a shop, and its password."""

    shop: Slug
    email: Email
    password: Password


class RefreshBody(Closed):
    """The refresh token that was given last."""

    refresh_token: Secret


class SignedInView(View):
    """Two tokens: one to ask with, one to get the next two with. Each refresh token works once."""

    access_token: str
    token_type: str = "Bearer"
    expires_in_s: int
    refresh_token: str
    refresh_expires_at: str
    account: AccountView


class LinkBody(Closed):
    """What is behind `/desk/link/` in a one-time link."""

    link: Secret


class EnteredView(SignedInView):
    """As for a password, and the shop that the link leads into."""

    shop: str


def signed_in_view(signed_in: SignedIn) -> SignedInView:
    """As it is given out."""
    return SignedInView(
        access_token=signed_in.access_token,
        expires_in_s=signed_in.access_s,
        refresh_token=signed_in.refresh_token,
        refresh_expires_at=text_of_ms(signed_in.refresh_until_ms),
        account=account_view(signed_in.account),
    )


@router.post("/login")
async def login(deps: Given, request: Request, body: LoginBody) -> SignedInView:
    """Sign in. Wrong password, no such account and no such shop are answered alike, in the same time; failures are
    limited per account and address (429 with Retry-After)."""
    given = await deps.sign_in.login(body.shop, body.email, body.password, peer_address(request))
    return signed_in_view(given)


@router.post("/links")
async def enter_by_link(deps: Given, request: Request, body: LinkBody) -> EnteredView:
    """Sign in with a one-time link of `pointsman demo` (in demo mode, from the server's own machine; else 404). A link
    lives a day and works once."""
    entered = await deps.sign_in_links.enter(body.link, peer_address(request))
    return EnteredView(shop=entered.shop.slug, **dict(signed_in_view(entered.signed_in)))


@router.post("/refresh")
async def refresh(deps: Given, request: Request, body: RefreshBody) -> SignedInView:
    """New tokens for a refresh token. Using one twice ends the sign-in it belongs to: somebody has copied it."""
    return signed_in_view(await deps.sign_in.refresh(body.refresh_token, peer_address(request)))


@router.post("/logout", status_code=204)
async def logout(deps: Given, request: Request, body: RefreshBody) -> None:
    """Sign out: the sign-in of this refresh token ends, and an agent becomes offline (KS-18). Repeating it is fine."""
    await deps.sign_in.sign_out(body.refresh_token, peer_address(request))
