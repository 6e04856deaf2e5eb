"""Working hours (GP-06): when an account is on duty, and for which groups. No hours at all: always."""

from protocol.ids import AccountId
from server.services.accounts import LiveProfiles, invalid
from server.services.callers import Caller
from server.store.accounts import Accounts as AccountStore
from server.store.groups import Groups as GroupStore
from server.store.groups import Shift


class Schedules:
    """Reads and sets weeks. Everything is the caller's shop's; else NOT_FOUND."""

    def __init__(self, *, groups: GroupStore, accounts: AccountStore, live: LiveProfiles) -> None:
        self._groups = groups
        self._accounts = accounts
        self._live = live

    async def get(self, caller: Caller, account: AccountId) -> tuple[Shift, ...]:
        """The week of an account, in order."""
        await self._accounts.get(caller.shop_id, account)
        return tuple(sorted(await self._groups.shifts(caller.shop_id, account), key=_order))

    async def set(self, caller: Caller, account: AccountId, hours: tuple[Shift, ...]) -> tuple[Shift, ...]:
        """Replace the whole week. Refused: NOT_FOUND; INVALID_PARAMS when a stretch is empty, overlaps another of the
        same group, or names a group that the account is not in."""
        await self._accounts.get(caller.shop_id, account)
        of_account = frozenset(await self._groups.of_account(caller.shop_id, account))
        ordered = tuple(sorted(hours, key=_order))
        for i, stretch in enumerate(ordered):
            if stretch.start_minute >= stretch.end_minute:
                raise invalid(
                    "body.hours", "a stretch must end after it begins; split what goes past midnight"
                )
            if stretch.group_id is not None and stretch.group_id not in of_account:
                raise invalid("body.hours", f"the account is not in group {stretch.group_id}")
            for later in ordered[i + 1 :]:
                same = (later.weekday, later.group_id) == (stretch.weekday, stretch.group_id)
                if same and later.start_minute < stretch.end_minute:
                    raise invalid("body.hours", "two stretches of the same group overlap")
        await self._groups.set_shifts(caller.shop_id, account, ordered)
        await self._live.profile_changed(caller.shop_id, account)
        return ordered


def _order(shift: Shift) -> tuple[int, int, int, str]:
    return shift.weekday, shift.start_minute, shift.end_minute, shift.group_id or ""
