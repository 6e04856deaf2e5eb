"""The shop's accounts: who may be made what by whom, and what live routing must hear of it.

What is changed is durable first, then open sockets and live routing are told. Everything is the caller's shop's.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from protocol.codes import ErrorCode
from protocol.errors import RequestError, forbidden, invalid_state
from protocol.ids import AccountId, PersonId, ShopId
from protocol.rights import UNSCOPED, Right, united
from protocol.states import PauseMode, Role
from server.services.audit import Audit
from server.services.callers import Caller, CallerEyes
from server.services.passwords import Passwords, weakness
from server.services.scope import Scope
from server.store.accounts import AccountRow
from server.store.accounts import Accounts as AccountStore
from server.store.roles import Roles
from server.store.rows import Page
from server.store.tokens import RefreshTokens

Revoke = Callable[[ShopId, PersonId], Awaitable[None]]
"""Close all sockets of a person, on every node, within a second (4001)."""

_IDENTITY_FIELDS = frozenset({"email", "name", "roles", "disabled"})
_NULLABLE = frozenset({"capacity", "pause_at"})


class LiveProfiles(Protocol):
    """Live routing, as far as settings matter to it. Called after the change is durable; repeating changes nothing."""

    async def profile_changed(self, shop_id: ShopId, account_id: AccountId) -> None:
        """Capacity, pause mode, mark, roles, groups or hours of an account changed, or it is new."""
        ...

    async def policy_changed(self, shop_id: ShopId) -> None:
        """Routing settings changed, or the shop's groups did."""
        ...

    async def account_removed(self, shop_id: ShopId, account_id: AccountId) -> None:
        """The account was disabled: it takes no part any more, and what it held must go on."""
        ...


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made."""

    email: str
    name: str
    roles: frozenset[str]
    password: str | None = None
    capacity: int | None = None
    pause_mode: PauseMode = PauseMode.BY_HAND
    pause_at: int | None = None
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What is to change: any of email, name, roles, capacity, pause_mode, pause_at, excluded, disabled. None stands for
    the default of capacity and pause_at, and for "stays" elsewhere."""

    given: Mapping[str, Any]

    def effective(self) -> dict[str, Any]:
        """Without what stays."""
        return {name: value for name, value in self.given.items() if value is not None or name in _NULLABLE}


def invalid(field: str, problem: str, *, reason: str = "invalid") -> RequestError:
    """One field is not as it must be."""
    return RequestError(
        ErrorCode.INVALID_PARAMS,
        reason,
        "Some fields are not as they must be; see errors.",
        detail=[{"field": field, "problem": problem}],
    )


def check_password(password: str, *names: str, field: str = "body.password") -> None:
    """Refuse a weak new password: INVALID_PARAMS `weak_password`."""
    problem = weakness(password, *names)
    if problem is not None:
        raise invalid(field, problem, reason="weak_password")


class Accounts:
    """Makes and changes accounts."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        roles: Roles,
        scope: Scope,
        refresh_tokens: RefreshTokens,
        passwords: Passwords,
        revoke: Revoke,
        audit: Audit,
        live: LiveProfiles,
    ) -> None:
        self._accounts = accounts
        self._roles = roles
        self._scope = scope
        self._refresh_tokens = refresh_tokens
        self._passwords = passwords
        self._revoke = revoke
        self._audit = audit
        self._live = live

    async def get(self, caller: Caller, account: AccountId) -> AccountRow:
        """One account; NOT_FOUND."""
        return await self._accounts.get(caller.shop_id, account)

    async def list(
        self, caller: Caller, *, disabled: bool, limit: int, cursor: str | None
    ) -> Page[AccountRow]:
        """One page, in the order in which they were made."""
        return await self._accounts.page(caller.shop_id, disabled=disabled, limit=limit, cursor=cursor)

    async def create(self, caller: Caller, new: NewAccount) -> AccountRow:
        """Make an account. Refused: FORBIDDEN (roles that hold more of the shop than the caller), CONFLICT
        `email_taken`, INVALID_PARAMS."""
        await self._check_roles(caller, new.roles)
        _check_pause(new.pause_mode, new.pause_at)
        await self._guard(caller, new.roles, "give these roles")
        encoded = ""
        if new.password is not None:
            check_password(new.password, new.name, new.email)
            encoded = await self._passwords.hash(new.password)
        row = await self._accounts.add(
            caller.shop_id,
            email=new.email,
            name=new.name,
            password_hash=encoded,
            roles=new.roles,
            capacity=new.capacity,
            pause_mode=new.pause_mode,
            pause_at=new.pause_at,
            excluded=new.excluded,
        )
        await self._live.profile_changed(row.shop_id, row.id)
        return row

    async def change(self, caller: Caller, account: AccountId, change: AccountChange) -> AccountRow:
        """Change an account. Refused: NOT_FOUND, FORBIDDEN, CONFLICT `email_taken`, INVALID_STATE `last_owner`,
        INVALID_PARAMS. New roles void its access tokens and sockets; disabling also its refresh tokens."""
        before = await self.get(caller, account)
        given = change.effective()
        await self._check_rights(caller, before, given)
        if "roles" in given:
            given["roles"] = frozenset(given["roles"])
            await self._check_roles(caller, given["roles"])
            await self._guard(caller, given["roles"], "give these roles")
        _check_pause(given.get("pause_mode", before.pause_mode), given.get("pause_at", before.pause_at))
        disabling = given.get("disabled") is True and before.disabled_ms is None
        if disabling and account == caller.account:
            raise invalid_state("own_account", "You cannot disable your own account.")
        if not given:
            return before
        row = await self._accounts.update(caller.shop_id, account, given)
        if disabling:
            await self._end_sign_ins(row)
            await self._live.account_removed(row.shop_id, row.id)
            return row
        if frozenset(row.roles) != frozenset(before.roles):
            await self._accounts.raise_token_version(row.shop_id, row.id)
            await self._revoke(row.shop_id, PersonId(row.id))
        await self._live.profile_changed(row.shop_id, row.id)
        return row

    async def set_password(self, caller: Caller, account: AccountId, password: str) -> None:
        """Set somebody's password; all their sign-ins end. Refused: NOT_FOUND, FORBIDDEN (of somebody who holds more of
        the shop), INVALID_PARAMS `weak_password`."""
        row = await self.get(caller, account)
        await self._guard(caller, row.roles, "set this password")
        check_password(password, row.name, row.email)
        await self.replace_password(row, password)

    async def replace_password(self, row: AccountRow, password: str) -> None:
        """Keep the new password and end all sign-ins."""
        await self._accounts.rehash(row.shop_id, row.id, await self._passwords.hash(password))
        await self._end_sign_ins(row)

    async def revoke(self, caller: Caller, account: AccountId) -> None:
        """End all sign-ins of an account: tokens at once, sockets within a second. Refused: NOT_FOUND, FORBIDDEN."""
        row = await self.get(caller, account)
        await self._guard(caller, row.roles, "end these sign-ins")
        await self._audit.done(row.shop_id, "accounts.revoked", "account", row.id)
        await self._end_sign_ins(row)

    async def _end_sign_ins(self, row: AccountRow) -> None:
        await self._accounts.raise_token_version(row.shop_id, row.id)
        await self._refresh_tokens.end_all(row.shop_id, row.id)
        await self._revoke(row.shop_id, PersonId(row.id))

    async def _check_rights(self, caller: Caller, target: AccountRow, given: Mapping[str, Any]) -> None:
        eyes = CallerEyes(caller)
        if given.keys() - _IDENTITY_FIELDS:
            await self._scope.require(eyes, Right.AGENT_MANAGE, "change this account", account=target.id)
        if given.keys() & _IDENTITY_FIELDS:
            await self._scope.require(
                eyes, Right.ACCOUNTS, "change who somebody is, or what they may do", account=target.id
            )
            await self._guard(caller, target.roles, "change this account")

    async def _guard(self, caller: Caller, roles: frozenset[str], act: str) -> None:
        """Whoever manages accounts is stopped where they would reach rights over the shop that they have not: only
        owners make owners, and only such as they become or change one (KS-23, GP-03)."""
        held = await self._scope.grants(CallerEyes(caller))
        known = await self._roles.of_shop(caller.shop_id)
        theirs = united(known[role].grants for role in roles if role in known)
        beyond = UNSCOPED & theirs.keys() - held.keys()
        if beyond:
            raise forbidden(f"{act}: they hold what you do not, {', '.join(sorted(beyond))}")

    async def _check_roles(self, caller: Caller, roles: frozenset[str]) -> None:
        if Role.CUSTOMER in roles:
            raise invalid("body.roles", "customer is not a role of accounts")
        if Role.BOT in roles and len(roles) > 1:
            raise invalid("body.roles", "bot stands alone")
        known = await self._roles.of_shop(caller.shop_id)
        unknown = sorted(roles - known.keys())
        if unknown:
            raise invalid(
                "body.roles",
                f"no such role: {', '.join(unknown)}; there are {', '.join(known)}",
                reason="unknown_role",
            )


def _check_pause(mode: PauseMode, pause_at: int | None) -> None:
    if mode is PauseMode.AT_N and pause_at is None:
        raise invalid("body.pause_at", "pause mode at_n needs the number")
