"""Who asks for something over HTTP: an account, or a system of the shop with an API key."""

from dataclasses import dataclass

from protocol.ids import AccountId, PersonId, ShopId
from protocol.states import PersonKind
from server.services.viewer import API_KEY


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose credentials were checked for this very request.

    An API key has no account and no roles, only `scopes`; it sees what its scopes open for the whole shop.
    """

    shop_id: ShopId
    name: str
    account_id: AccountId | None = None
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    api_key_id: str | None = None

    @property
    def account(self) -> AccountId:
        """The account; only for routes that no API key may call."""
        assert self.account_id is not None, "the rights table lets no API key in here"
        return self.account_id

    @property
    def label(self) -> str:
        """For records of who did something: the account's id, or `key:<id>`."""
        return self.account_id or f"key:{self.api_key_id}"


@dataclass(frozen=True, slots=True)
class CallerEyes:
    """A caller of the HTTP API as a viewer; an API key sees the whole shop."""

    caller: Caller

    @property
    def shop_id(self) -> ShopId:
        """The caller's shop."""
        return self.caller.shop_id

    @property
    def person_id(self) -> PersonId:
        """The account; for an API key, what no conversation belongs to."""
        return PersonId(self.caller.label)

    @property
    def kind(self) -> PersonKind:
        """Never a customer."""
        return PersonKind.ACCOUNT

    @property
    def roles(self) -> frozenset[str]:
        """An account's, or what an API key has in their place."""
        return self.caller.roles if self.caller.api_key_id is None else frozenset({API_KEY})
