"""Tokens that are not what they must be are refused, each for its own reason (fault 25)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.ids import AccountId, CustomerId, ShopId
from protocol.states import Role
from router.link import Link
from server.services.identity import IdentityTokens
from server.services.tokens import ACCESS, Tokens, sign

SECRET = "a secret of the tests, long enough for anybody"
SHOP, ACCOUNT = ShopId("shop-1"), AccountId("account-1")


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(SECRET)


def access(tokens: Tokens) -> str:
    return tokens.access(SHOP, ACCOUNT, frozenset({Role.AGENT}), 3)


def reason_of(read: Callable[[], object]) -> str:
    with pytest.raises(RequestError) as refused:
        read()
    assert refused.value.code is ErrorCode.UNAUTHENTICATED
    return refused.value.reason


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, claims, signature = token.split(".")
    return unpack(header), unpack(claims), signature


def unpack(part: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def pack(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_a_fresh_access_token_says_who_it_was_made_for(tokens: Tokens) -> None:
    claims = tokens.read_access(access(tokens))
    assert (claims.sub, claims.shop, claims.roles, claims.tv) == (ACCOUNT, SHOP, ["agent"], 3)
    assert claims.exp - claims.iat == 900


@pytest.mark.req("PF-04")
def test_nodes_whose_clocks_are_minutes_apart_take_each_others_tokens(tokens: Tokens) -> None:
    ahead, behind = [Tokens(SECRET, now=lambda by=by: time.time() + by) for by in (300, -300)]

    for maker, reader in ((ahead, tokens), (behind, tokens), (ahead, behind), (behind, ahead)):
        assert reader.read_access(access(maker)).sub == ACCOUNT


def forged_without_algorithm(tokens: Tokens) -> str:
    header, claims, _ = parts(access(tokens))
    return f"{pack({**header, 'alg': 'none'})}.{pack(claims)}."


def forged_by_an_rsa_key(tokens: Tokens) -> str:
    header, claims, _ = parts(access(tokens))
    key = RSAKey.generate_key(2048, auto_kid=False)
    return jwt.encode({**header, "alg": "RS256"}, claims, key, algorithms=["RS256"])


def signed_with_another_hash(tokens: Tokens) -> str:
    header, claims, _ = parts(access(tokens))
    key = tokens._access.keys[header["kid"]]
    return jwt.encode({**header, "alg": "HS512"}, claims, key, algorithms=["HS512"])


def with_header(tokens: Tokens, **members: Any) -> str:
    header, claims, _ = parts(access(tokens))
    key = tokens._access.keys[header["kid"]]
    changed = {name: value for name, value in {**header, **members}.items() if value is not None}
    return jwt.encode(changed, claims, key, algorithms=["HS256"], default_type=None)


def with_claims(tokens: Tokens, **members: Any) -> str:
    header, claims, _ = parts(access(tokens))
    key = tokens._access.keys[header["kid"]]
    changed = {name: value for name, value in {**claims, **members}.items() if value is not None}
    return jwt.encode(header, changed, key, algorithms=["HS256"])


def tampered(tokens: Tokens) -> str:
    header, claims, signature = access(tokens).split(".")
    return f"{header}.{pack({**unpack(claims), 'roles': ['owner']})}.{signature}"


FORGERIES: dict[str, Callable[[Tokens], str]] = {
    "alg none": forged_without_algorithm,
    "RS256 instead of HS256": forged_by_an_rsa_key,
    "HS512 with the right key": signed_with_another_hash,
    "an unknown kid": lambda tokens: with_header(tokens, kid="somebody-elses"),
    "no kid": lambda tokens: with_header(tokens, kid=None),
    "another kind of token": lambda tokens: with_header(tokens, typ="JWT"),
    "another audience": lambda tokens: with_claims(tokens, aud="widget"),
    "no audience": lambda tokens: with_claims(tokens, aud=None),
    "another issuer": lambda tokens: with_claims(tokens, iss="somebody"),
    "no issuer": lambda tokens: with_claims(tokens, iss=None),
    "issued in the future": lambda tokens: with_claims(tokens, iat=int(time.time()) + 3600),
    "no expiry": lambda tokens: with_claims(tokens, exp=None),
    "an expiry that is no number": lambda tokens: with_claims(tokens, exp="tomorrow"),
    "no token version": lambda tokens: with_claims(tokens, tv=None),
    "a token version that is a truth": lambda tokens: with_claims(tokens, tv=True),
    "changed claims": tampered,
    "a customer's session token": lambda tokens: tokens.customer(SHOP, CustomerId("c"), known=True)[0],
    "another server's secret": lambda _: access(Tokens("another secret, also long enough for anybody")),
    "no token at all": lambda _: "Bearer",
    "two parts": lambda tokens: access(tokens).rpartition(".")[0],
    "far too long": lambda _: "a" * 20_000,
    "letters beyond ASCII": lambda _: "é.ü.中",
}


@pytest.mark.req("PF-01")
@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda name: name)
def test_a_forged_access_token_is_refused(tokens: Tokens, forgery: str) -> None:
    token = FORGERIES[forgery](tokens)
    assert reason_of(lambda: tokens.read_access(token)) == "token_invalid"


def test_an_expired_access_token_says_that_it_has_expired() -> None:
    then = Tokens(SECRET, now=lambda: time.time() - 3600)
    assert reason_of(lambda: Tokens(SECRET).read_access(access(then))) == "token_expired"


def test_an_access_token_is_no_customers_session(tokens: Tokens) -> None:
    assert reason_of(lambda: tokens.read_customer(access(tokens))) == "token_invalid"


def test_tokens_of_the_secret_before_still_hold_while_it_is_rotated() -> None:
    old = access(Tokens(SECRET))
    rotated = Tokens("the next secret, long enough for anybody too", previous_secrets=(SECRET,))
    assert rotated.read_access(old).sub == ACCOUNT
    assert parts(access(rotated))[0]["kid"] != parts(old)[0]["kid"]


def test_every_kind_of_token_has_keys_of_its_own(tokens: Tokens) -> None:
    customer, _ = tokens.customer(SHOP, CustomerId("c"), known=False)
    assert parts(customer)[0]["kid"] != parts(access(tokens))[0]["kid"]


# --- identity tokens -------------------------------------------------------------------------------------------------
KEYS = {"ik_1": "the shop's identity secret, 32 characters", "ik_2": "its successor, also with 32 characters"}


def identity(kid: str = "ik_1", secret: str | None = None, **members: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": "demo",
        "aud": "pointsman",
        "sub": "c-1",
        "jti": "1",
        "iat": now,
        "exp": now + 600,
        **members,
    }
    key = OctKey.import_key((secret or KEYS[kid]).encode())
    return jwt.encode({"alg": "HS256", "kid": kid}, claims, key, algorithms=["HS256"])


@pytest.fixture
def identity_tokens(link: Link) -> IdentityTokens:
    return IdentityTokens(link)


@pytest.mark.parametrize("kid", ["ik_1", "ik_2"])
def test_an_identity_token_holds_by_each_key_that_is_not_revoked(
    identity_tokens: IdentityTokens, kid: str
) -> None:
    claims = identity_tokens.read(identity(kid, name="林"), shop_slug="demo", keys=KEYS)
    assert (claims.sub, claims.name) == ("c-1", "林")


BAD_IDENTITIES: dict[str, Callable[[], str]] = {
    "a revoked or unknown key": lambda: identity("ik_9", "whatever it was, 32 characters long"),
    "another shop's secret": lambda: identity("ik_1", "the secret of another shop, 32 characters"),
    "another shop's name": lambda: identity(iss="other"),
    "another audience": lambda: identity(aud="somebody"),
    "issued in the future": lambda: identity(iat=int(time.time()) + 600),
    "no jti": lambda: identity(jti=""),
    "no customer": lambda: identity(sub=""),
    "a customer id with a space": lambda: identity(sub="c 1"),
    "an order in a state that is none": lambda: identity(
        orders=[{"id": "o", "state": "lost", "changed_at": 1}]
    ),
    "our own access token": lambda: access(Tokens(SECRET)),
}


@pytest.mark.parametrize("fault", BAD_IDENTITIES, ids=lambda name: name)
def test_a_bad_identity_token_is_refused(identity_tokens: IdentityTokens, fault: str) -> None:
    token = BAD_IDENTITIES[fault]()
    assert reason_of(lambda: identity_tokens.read(token, shop_slug="demo", keys=KEYS)) == "token_invalid"


def test_an_identity_token_for_longer_than_an_hour_is_refused(identity_tokens: IdentityTokens) -> None:
    token = identity(exp=int(time.time()) + 3601)
    reason = reason_of(lambda: identity_tokens.read(token, shop_slug="demo", keys=KEYS))
    assert reason == "identity_token_too_long"


async def test_an_identity_token_works_once(identity_tokens: IdentityTokens) -> None:
    claims = identity_tokens.read(identity(), shop_slug="demo", keys=KEYS)
    await identity_tokens.use(SHOP, claims)
    with pytest.raises(RequestError) as refused:
        await identity_tokens.use(SHOP, claims)
    assert refused.value.reason == "identity_token_used"
    await identity_tokens.use(ShopId("another-shop"), claims)  # its own numbers


def test_sign_puts_issuer_and_audience_where_they_belong(tokens: Tokens) -> None:
    key = tokens._access.keys[tokens._access.current]
    header, claims, _ = parts(sign({"sub": "x"}, key, "k", ACCESS))
    assert (header["typ"], claims["iss"], claims["aud"]) == ("at+jwt", "pointsman", "api")
