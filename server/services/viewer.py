"""Whoever looks or acts: a session, a caller of the HTTP API, or an account of which something is to be known."""

from dataclasses import dataclass
from typing import Protocol

from protocol.ids import PersonId, ShopId
from protocol.states import PersonKind, Role
from server.store.accounts import AccountRow

API_KEY = "api key"
"""What stands in place of roles for a system of the shop with an API key; no role can have this name."""


class Viewer(Protocol):
    """Who it is, and what they are to the shop."""

    @property
    def shop_id(self) -> ShopId: ...

    @property
    def person_id(self) -> PersonId: ...

    @property
    def kind(self) -> PersonKind: ...

    @property
    def roles(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class AccountEyes:
    """An account as a viewer, whether it is connected or not."""

    shop_id: ShopId
    person_id: PersonId
    roles: frozenset[str]
    kind: PersonKind = PersonKind.ACCOUNT


def eyes_of(account: AccountRow) -> AccountEyes:
    """The account, or the bot, as it is now."""
    kind = PersonKind.BOT if Role.BOT in account.roles else PersonKind.ACCOUNT
    return AccountEyes(account.shop_id, PersonId(account.id), account.roles, kind)
