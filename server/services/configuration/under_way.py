"""An import under way: in which transaction, for whom, and everything that cannot hold so far."""

from dataclasses import dataclass, field
from typing import Any, cast

from protocol.errors import RequestError
from protocol.ids import AccountId, ShopId
from protocol.rights import Grants
from server.services.callers import Caller
from server.services.configuration.names import Names, UnknownName
from server.services.configuration.text import Fault
from server.services.quick_replies import Limits
from server.store.editing import Editable


@dataclass(slots=True)
class UnderWay:
    """Whoever finds `faults` at the end takes everything back."""

    stored: Editable
    caller: Caller
    held: Grants
    """what the caller may give to roles"""
    kinds: frozenset[str]
    """of files, that the server takes"""
    limits: Limits
    faults: list[Fault] = field(default_factory=list[Fault])

    @property
    def shop(self) -> ShopId:
        """The caller's."""
        return self.caller.shop_id

    async def names(self) -> Names:
        """Everybody and every group, as they are by now."""
        return Names(
            await self.stored.accounts.of_shop(self.shop), await self.stored.groups.of_shop(self.shop)
        )

    def fault(self, place: str, problem: str) -> None:
        """One more."""
        self.faults.append(Fault(place, problem))

    def account(self, names: Names, email: str, place: str) -> AccountId | None:
        """The account of this e-mail; None: there is none, which is a fault at `place`."""
        try:
            return names.account(email)
        except UnknownName as error:
            self.fault(place, error.problem)
            return None

    def refused(self, error: RequestError, *, instead_of: str = "", place: str = "") -> None:
        """Everything wrong by a refusal; `place` stands where its fields begin with `instead_of`."""
        if not isinstance(error.detail, list):
            self.fault(place, error.message)
            return
        for each in cast("list[dict[str, Any]]", error.detail):
            at = str(each["field"])
            at = f"{place}{at.removeprefix(instead_of)}" if instead_of else at
            self.fault(at, str(each["problem"]))
