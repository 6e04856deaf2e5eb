"""Break-glass: an owner lends an account reach over everything, for a short time and with a reason (GP-02, GP-03).

For the night when the one who is there may not do what must be done. It ends by itself; the database records who opened
it for whom, why, and when it ended. What could outlast it is never lent (`protocol.rights.LASTING`).
"""

from protocol.errors import invalid_state
from protocol.ids import AccountId
from protocol.states import Role
from server.services.callers import Caller
from server.services.rights_feed import RightsFeed
from server.store.accounts import Accounts
from server.store.glass import BrokenGlass, Glass
from server.store.rows import Page


class BreakGlass:
    """Opens and ends it. Everything is the caller's shop's. `minutes_most`: the longest that may be asked for."""

    def __init__(
        self, *, glass: BrokenGlass, accounts: Accounts, feed: RightsFeed, minutes_most: int
    ) -> None:
        self._glass = glass
        self._accounts = accounts
        self._feed = feed
        self._minutes_most = minutes_most

    async def open(self, caller: Caller, account: AccountId, *, reason: str, minutes: int) -> Glass:
        """Lend it, from now on for so many minutes. Refused: NOT_FOUND; INVALID_STATE `too_long`,
        `account_disabled`, `account_is_bot`."""
        if minutes > self._minutes_most:
            raise invalid_state("too_long", f"It is lent for at most {self._minutes_most} minutes at a time.")
        row = await self._accounts.get(caller.shop_id, account)
        if row.disabled_ms is not None:
            raise invalid_state("account_disabled", "This account is disabled.")
        if Role.BOT in row.roles:
            raise invalid_state("account_is_bot", "It is lent to people, not to the bot.")
        glass = await self._glass.add(
            caller.shop_id, account, opened_by=caller.account, reason=reason, minutes=minutes
        )
        await self._feed.changed(caller.shop_id, [account], serving=True)
        return glass

    async def list(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[Glass]:
        """All of the shop's, the newest first."""
        return await self._glass.page(caller.shop_id, limit=limit, cursor=cursor)

    async def end(self, caller: Caller, glass: str) -> None:
        """End it now; nothing happens when it has ended. Refused: NOT_FOUND."""
        ended, was_running = await self._glass.end(caller.shop_id, glass)
        if was_running:
            await self._feed.changed(caller.shop_id, [ended.account_id], serving=True)

    async def run_out(self) -> int:
        """End those whose time is over, of all shops, and tell whom they were lent to. They hold no longer anyway: the
        judgement looks at the clock. Returns how many."""
        over = await self._glass.run_out()
        for glass in over:
            await self._feed.changed(glass.shop_id, [glass.account_id], serving=True)
        return len(over)
