"""Signing in and out: a password for two tokens, a refresh token for the next two, and the end of it.

Wrong password, no such account and no such shop are one answer in one time. Refresh tokens rotate: each works once, and
a second use ends the whole sign-in, because then somebody has a copy (RFC 9700, section 4.14).
"""

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, ShopId
from server.background import Background
from server.services.accounts import Accounts, check_password
from server.services.attempts import Allowance, Attempts, address_of
from server.services.audit import Act, Audit, Source
from server.services.callers import Caller
from server.services.passwords import Passwords
from server.services.tokens import Tokens, token_hash, unauthenticated
from server.store.accounts import AccountRow
from server.store.accounts import Accounts as AccountStore
from server.store.shops import ShopRow, Shops
from server.store.tokens import RefreshTokens, Rotated

SignedOut = Callable[[ShopId, AccountId], Awaitable[None]]
"""An account signed out: an agent becomes offline (KS-18)."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in. Times: seconds to live, milliseconds since 1970 UTC."""

    access_token: str
    access_s: int
    refresh_token: str
    refresh_until_ms: int
    account: AccountRow


@dataclass(frozen=True, slots=True)
class Entered:
    """A sign-in by something other than shop, address and password: it also says where one is now."""

    shop: ShopRow
    signed_in: SignedIn


class SignIn:
    """Signs accounts in and out."""

    def __init__(
        self,
        *,
        shops: Shops,
        accounts: AccountStore,
        refresh_tokens: RefreshTokens,
        tokens: Tokens,
        passwords: Passwords,
        attempts: Attempts,
        people: Accounts,
        signed_out: SignedOut,
        audit: Audit,
        background: Background,
        tries_per_minute: int = 10,
        refresh_s: int = 30 * 86_400,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._audit = audit
        self._background = background
        self._shops = shops
        self._accounts = accounts
        self._refresh_tokens = refresh_tokens
        self._tokens = tokens
        self._passwords = passwords
        self._attempts = attempts
        self._people = people
        self._signed_out = signed_out
        self._refresh_s = refresh_s
        self._now = now
        self._per_account = Allowance("account", tries_per_minute)
        # A shop's people often share one address.
        self._per_address = Allowance("address", tries_per_minute * 5)

    async def login(self, shop_slug: str, email: str, password: str, address: str) -> SignedIn:
        """Sign in. Refused: UNAUTHENTICATED `wrong_credentials`, RATE_LIMITED; with the right password also FORBIDDEN
        `account_disabled` or `shop_suspended`."""
        subjects = (
            (self._per_account, f"{shop_slug}/{email.lower()}"),
            (self._per_address, address_of(address)),
        )
        await self._attempts.begin(*subjects)
        shop = await self._shops.find(shop_slug)
        account = None if shop is None else await self._accounts.find_by_email(shop.id, email)
        encoded = None if account is None else account.password_hash
        matches = await self._passwords.matches(encoded, password)
        if account is None or shop is None or not matches:
            error = unauthenticated("wrong_credentials", "Shop, e-mail address or password is wrong.")
            if account is not None:
                # Not waited for: an answer that takes longer would tell that there is such an account.
                act = _sign_in(account, "auth.signed_in", address, proved=False)
                record = self._audit.refused(act, error)
                self._background.start(record, "failed sign-in")
            raise error
        await self._attempts.succeeded(*subjects)
        signed_in = await self._admit(account, shop, address)
        if self._passwords.outdated(account.password_hash):
            await self._accounts.rehash(account.shop_id, account.id, await self._passwords.hash(password))
        return signed_in

    async def enter(self, shop_id: ShopId, account_id: AccountId, address: str) -> Entered:
        """Sign in somebody who has proved otherwise who they are. Refused: FORBIDDEN `account_disabled` or
        `shop_suspended`, NOT_FOUND (the account)."""
        account = await self._accounts.get(shop_id, account_id)
        shop = await self._shops.get(shop_id)
        return Entered(shop, await self._admit(account, shop, address))

    async def refresh(self, refresh_token: str, address: str) -> SignedIn:
        """The next two tokens. Refused: UNAUTHENTICATED `refresh_token_invalid` (unknown, expired, revoked, or the
        account may no longer sign in) or `refresh_token_reused`, which ends the sign-in; RATE_LIMITED."""
        subject = (self._per_address, address_of(address))
        await self._attempts.begin(subject)
        successor = secrets.token_urlsafe(32)
        until_ms = self._refresh_until_ms()
        used = await self._refresh_tokens.rotate(token_hash(refresh_token), token_hash(successor), until_ms)
        if used.reused:
            error = unauthenticated(
                "refresh_token_reused", "This refresh token was used before; sign in again."
            )
            await self._reused(used, address, error)
            raise error
        refused = unauthenticated("refresh_token_invalid", "The sign-in has ended; sign in again.")
        if used.account_id is None or used.shop_id is None:
            raise refused
        await self._attempts.succeeded(subject)
        account = await self._accounts.get(used.shop_id, used.account_id)
        shop = await self._shops.get(used.shop_id)
        if account.disabled_ms is not None or shop.status != "active":
            raise refused
        return self._signed_in(account, successor, until_ms)

    async def sign_out(self, refresh_token: str, address: str) -> None:
        """End the sign-in of this token, and set its account offline. What has ended already stays ended."""
        ended = await self._refresh_tokens.end(token_hash(refresh_token))
        if ended is not None:
            account = await self._accounts.get(ended.shop_id, ended.account_id)
            await self._audit.record(_sign_in(account, "auth.signed_out", address))
            await self._signed_out(ended.shop_id, ended.account_id)

    async def change_password(self, caller: Caller, current: str, new: str, address: str) -> SignedIn:
        """A new password for oneself; every sign-in ends, and a new one begins. Refused: UNAUTHENTICATED
        `wrong_credentials`, INVALID_PARAMS `weak_password`, RATE_LIMITED."""
        account = await self._accounts.get(caller.shop_id, caller.account)
        subjects = ((self._per_account, account.id), (self._per_address, address_of(address)))
        await self._attempts.begin(*subjects)
        if not await self._passwords.matches(account.password_hash, current):
            raise RequestError(ErrorCode.FORBIDDEN, "wrong_password", "The current password is wrong.")
        await self._attempts.succeeded(*subjects)
        check_password(new, account.name, account.email, field="body.new_password")
        await self._people.replace_password(account, new)
        return await self._begin(await self._accounts.get(caller.shop_id, caller.account))

    async def _admit(self, account: AccountRow, shop: ShopRow, address: str) -> SignedIn:
        """A sign-in for somebody who proved who they are; recorded, whether they may or not."""
        try:
            _may_sign_in(account, shop)
        except RequestError as error:
            await self._audit.refused(_sign_in(account, "auth.signed_in", address), error)
            raise
        await self._audit.record(_sign_in(account, "auth.signed_in", address))
        return await self._begin(account)

    async def _reused(self, used: Rotated, address: str, error: RequestError) -> None:
        """Somebody has copied a token: whose it was is to be seen."""
        assert used.shop_id is not None, "a token that was used is somebody's"
        assert used.account_id is not None, "a token that was used is somebody's"
        account = await self._accounts.get(used.shop_id, used.account_id)
        await self._audit.refused(_sign_in(account, "auth.refreshed", address, proved=False), error)

    async def _begin(self, account: AccountRow) -> SignedIn:
        refresh_token = secrets.token_urlsafe(32)
        until_ms = self._refresh_until_ms()
        await self._refresh_tokens.begin(account.shop_id, account.id, token_hash(refresh_token), until_ms)
        return self._signed_in(account, refresh_token, until_ms)

    def _signed_in(self, account: AccountRow, refresh_token: str, until_ms: int) -> SignedIn:
        access = self._tokens.access(
            account.shop_id, account.id, frozenset(account.roles), account.token_version
        )
        return SignedIn(access, self._tokens.access_s, refresh_token, until_ms, account)

    def _refresh_until_ms(self) -> int:
        return int((self._now() + self._refresh_s) * 1000)


def _may_sign_in(account: AccountRow, shop: ShopRow) -> None:
    if account.disabled_ms is not None:
        raise RequestError(
            ErrorCode.FORBIDDEN, "account_disabled", "This account was disabled; ask your admin."
        )
    if shop.status != "active":
        raise RequestError(ErrorCode.FORBIDDEN, "shop_suspended", "This shop is suspended.")


def _sign_in(account: AccountRow, action: str, address: str, *, proved: bool = True) -> Act:
    """What becomes of somebody's sign-in, for the audit. `proved`: it was they; else nobody knows who it was."""
    return Act(
        shop_id=account.shop_id,
        actor_kind="account" if proved else "unknown",
        actor_id=account.id if proved else "",
        actor_name=account.name if proved else "",
        action=action,
        source=Source(via="http", address=address),
        subject_kind="account",
        subject_id=account.id,
    )
