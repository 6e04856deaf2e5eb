"""One-time sign-in links: what `pointsman demo` prints, so that trying the desk needs no typing.

A link is 128 random bits bound to one account of one shop. Redis keeps its hash for a day, and GETDEL takes it out: of
any number of browsers at once exactly one gets in. Only a demo's server takes links, and only from its own machine.
"""

import ipaddress
import secrets
from typing import Final

from hiredis import ReplyError
from pydantic import BaseModel, ConfigDict, TypeAdapter

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, ShopId
from router.link import Link
from router.redis_link import LinkError
from server.services.sign_in import Entered, SignIn
from server.services.tickets import redis_down
from server.services.tokens import token_hash, unauthenticated

LIFE_S: Final = 86_400


class _Bound(BaseModel):
    """Whom a link lets in, as it lies in Redis."""

    model_config = ConfigDict(frozen=True)

    shop: str
    account: str


_BOUND = TypeAdapter(_Bound)


def _key(link: str) -> str:
    return f"pm:link:{token_hash(link).hex()}"


async def issue_link(redis: Link, shop: ShopId, account: AccountId) -> str:
    """A link that lets whoever holds it in as this account: once, within a day. Raises LinkError."""
    link = secrets.token_urlsafe(16)
    bound = _BOUND.dump_json(_Bound(shop=shop, account=account))
    await redis.call("SET", _key(link), bound, "EX", str(LIFE_S), "NX")
    return link


class SignInLinks:
    """Takes links in. `demo`: whether this server may at all."""

    def __init__(self, redis: Link, sign_in: SignIn, *, demo: bool) -> None:
        self._redis = redis
        self._sign_in = sign_in
        self._demo = demo

    def open_to(self, address: str) -> bool:
        """Whether somebody at this address may use what only a demo has: they sit at its own machine."""
        try:
            return self._demo and ipaddress.ip_address(address).is_loopback
        except ValueError:
            return False

    async def enter(self, link: str, address: str) -> Entered:
        """Sign in with a link. Refused: NOT_FOUND `not_found` where there are no links; UNAUTHENTICATED `link_invalid`
        (used, expired, or never given out); FORBIDDEN `account_disabled` or `shop_suspended`."""
        if not self.open_to(address):
            raise RequestError(ErrorCode.NOT_FOUND, "not_found", "There is nothing at this address.")
        try:
            kept = await self._redis.call("GETDEL", _key(link))
        except (LinkError, ReplyError):
            raise redis_down() from None
        if kept is None:
            raise unauthenticated(
                "link_invalid", "This link was used already, or is too old. Sign in with your password."
            )
        bound = _BOUND.validate_json(kept)
        return await self._sign_in.enter(ShopId(bound.shop), AccountId(bound.account), address)
