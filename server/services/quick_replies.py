"""Quick replies: texts that agents use again and again, chosen by a shortcut, by pinyin or by words.

Whose they are is their shelf: the shop's, a group's, or somebody's own. Everybody reads the shop's, those of the own
groups, and the own; who may write where is the reach of one right (`Right.REPLIES`): own, groups, all. A change is
told to everybody whom it may concern by `quick_replies.changed`; clients ask again when they hear it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from protocol.codes import ErrorCode
from protocol.errors import RequestError, not_found
from protocol.events import QuickRepliesChanged
from protocol.ids import PersonId, ShopId
from protocol.rights import Reach, Right
from server.bus import Bus
from server.push import push
from server.services.callers import Caller, CallerEyes
from server.services.pinyin import keys_of
from server.services.quick_reply_text import Draft, Fault, draft_of, faults_of, read_table, written_table
from server.services.scope import Scope, Why, refusal
from server.store.accounts import Accounts
from server.store.groups import Groups
from server.store.quick_replies import SHORTCUT_MAX, Brought, Content, ReplyRow, Shelf, Whose
from server.store.quick_replies import QuickReplies as Store
from server.store.roles import Roles

UNNAMED: Final = "r"
"""Shortcut of what has no letters to make one of."""
_ACT: Final = "change these quick replies"


@dataclass(frozen=True, slots=True)
class Limits:
    """Most quick replies: of the whole shop, of each group, of each account."""

    shop: int
    group: int
    own: int

    def of(self, shelf: Shelf) -> int:
        """Most on this shelf."""
        most: dict[Whose, int] = {"shop": self.shop, "group": self.group, "own": self.own}
        return most[shelf.whose]


@dataclass(frozen=True, slots=True)
class Library:
    """Quick replies, the revision of all that the shop has, and how far the reader may change them."""

    rows: tuple[ReplyRow, ...]
    rev: int
    reach: Reach | None
    groups: frozenset[str]
    """groups whose quick replies a reach of `groups` covers"""

    def editable(self, row: ReplyRow) -> bool:
        """Whether the reader may change it."""
        if self.reach is None:
            return False
        if row.account_id is not None or self.reach is Reach.ALL:
            return True
        return row.group_id is not None and self.reach is Reach.GROUPS and row.group_id in self.groups


class QuickReplies:
    """Reads and changes them."""

    def __init__(
        self,
        store: Store,
        *,
        accounts: Accounts,
        groups: Groups,
        roles: Roles,
        scope: Scope,
        bus: Bus,
        limits: Limits,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._groups = groups
        self._roles = roles
        self._scope = scope
        self._bus = bus
        self.limits = limits

    async def library(self, caller: Caller, *, to_edit: bool) -> Library:
        """What the caller may choose from: the shop's, those of their groups, and their own. `to_edit`: also those of
        other groups that they may change."""
        reach = (await self._scope.grants(CallerEyes(caller))).get(Right.REPLIES)
        groups = await self._roles.groups_of(caller.shop_id, caller.account)
        every = to_edit and reach is Reach.ALL
        # The revision first: what changes in between is then told, and asked for again.
        rev = await self._store.rev(caller.shop_id)
        rows = await self._store.readable(caller.shop_id, caller.account, None if every else groups)
        return Library(rows, rev, reach, groups)

    async def add(self, caller: Caller, shelf: Shelf, draft: Draft) -> ReplyRow:
        """A new one; without a shortcut it gets one, by the pinyin of its title. INVALID_PARAMS with every fault;
        FORBIDDEN; CONFLICT `shortcut_taken`, `too_many_quick_replies`."""
        await self._require(caller, shelf)
        (content,) = await contents_of([_accepted(draft)])
        row, rev = await self._store.add(
            caller.shop_id, shelf, content, most=self.limits.of(shelf), name_it=draft.shortcut == ""
        )
        await self._changed(caller, shelf, rev)
        return row

    async def change(
        self,
        caller: Caller,
        reply_id: str,
        *,
        rev: int,
        folder: str | None,
        shortcut: str | None,
        title: str | None,
        text: str | None,
    ) -> ReplyRow:
        """Change what is given. NOT_FOUND, also for what the caller may not read; FORBIDDEN; INVALID_PARAMS; CONFLICT
        `stale_rev`, `shortcut_taken`."""
        row = await self._reached(caller, reply_id)
        draft = draft_of(
            row.folder if folder is None else folder,
            shortcut or row.shortcut,
            row.title if title is None else title,
            row.text if text is None else text,
        )
        (content,) = await contents_of([_accepted(draft)])
        row, book = await self._store.change(caller.shop_id, reply_id, content, expected_rev=rev)
        await self._changed(caller, row.shelf, book)
        return row

    async def delete(self, caller: Caller, reply_id: str) -> None:
        """Forget one. NOT_FOUND, FORBIDDEN."""
        row = await self._reached(caller, reply_id)
        await self._changed(caller, row.shelf, await self._store.delete(caller.shop_id, reply_id))

    async def bring(self, caller: Caller, shelf: Shelf, table: str, *, rehearse: bool) -> Brought:
        """Everything in a table onto a shelf, or nothing: what has a shortcut that is there replaces what stands there.
        `rehearse`: only look what would come of it. FORBIDDEN; INVALID_PARAMS `invalid_table` with every fault by line;
        CONFLICT `too_many_quick_replies`."""
        await self._require(caller, shelf)
        drafts, faults = read_table(table)
        if faults:
            raise RequestError(
                ErrorCode.INVALID_PARAMS,
                "invalid_table",
                "Some lines are not as they must be; see errors. Nothing was changed.",
                detail=[
                    {"field": f"line.{fault.line}.{fault.field}", "problem": fault.problem}
                    for fault in faults
                ],
            )
        contents = await contents_of(drafts)
        brought = await self._store.bring(
            caller.shop_id, shelf, contents, most=self.limits.of(shelf), rehearse=rehearse
        )
        if not rehearse and brought.added + brought.changed:
            await self._changed(caller, shelf, brought.rev)
        return brought

    async def table(self, caller: Caller, shelf: Shelf) -> str:
        """A shelf as a table that can be brought again. FORBIDDEN."""
        await self._require(caller, shelf)
        return written_table(await self._store.on(caller.shop_id, shelf))

    async def changed(self, shop: ShopId) -> None:
        """Quick replies of the shop or of groups were changed, durably: everybody is told."""
        await self._tell_all(shop, await self._store.rev(shop))

    # --- shared ------------------------------------------------------------------------------------------------------
    async def _require(self, caller: Caller, shelf: Shelf) -> None:
        if shelf.group_id is not None:
            await self._groups.get(caller.shop_id, shelf.group_id)
            await self._scope.require(CallerEyes(caller), Right.REPLIES, _ACT, group=shelf.group_id)
        elif shelf.account_id is None:
            grants = await self._scope.grants(CallerEyes(caller))
            if grants.get(Right.REPLIES) is not Reach.ALL:
                raise refusal(Why.OUT_OF_SCOPE, _ACT, Right.REPLIES)
        else:
            assert shelf.account_id == caller.account, "everybody has one shelf of their own"

    async def _reached(self, caller: Caller, reply_id: str) -> ReplyRow:
        """What the caller may change."""
        row = await self._store.get(caller.shop_id, reply_id)
        if row.account_id not in (None, caller.account):
            raise not_found("quick_reply")  # what others keep for themselves is nobody's business
        await self._require(caller, row.shelf)
        return row

    async def _changed(self, caller: Caller, shelf: Shelf, rev: int) -> None:
        """Tell whom it may concern: groups' to all, since somebody else's reach may go that far."""
        if shelf.account_id is not None:
            self._tell(caller.shop_id, [PersonId(shelf.account_id)], rev)
        else:
            await self._tell_all(caller.shop_id, rev)

    async def _tell_all(self, shop: ShopId, rev: int) -> None:
        accounts = await self._accounts.of_shop(shop)
        self._tell(shop, [PersonId(each.id) for each in accounts if each.disabled_ms is None], rev)

    def _tell(self, shop: ShopId, people: list[PersonId], rev: int) -> None:
        event = QuickRepliesChanged(rev=rev)
        self._bus.publish(shop, [push(people, "quick_replies.changed", event, key="quick_replies", seq=rev)])


def _accepted(draft: Draft) -> Draft:
    faults = faults_of(draft)
    if faults:
        raise _refused(faults)
    return draft


def _refused(faults: Sequence[Fault]) -> RequestError:
    return RequestError(
        ErrorCode.INVALID_PARAMS,
        "invalid_quick_reply",
        "This quick reply cannot be kept so; see errors.",
        detail=[{"field": f"body.{fault.field}", "problem": fault.problem} for fault in faults],
    )


async def contents_of(drafts: Sequence[Draft]) -> list[Content]:
    """As they are kept: with what they are found by, and with a shortcut."""
    keys = await keys_of(draft.title for draft in drafts)
    made = [
        Content(draft.folder, draft.shortcut, draft.title, draft.text, key.pinyin, key.initials)
        for draft, key in zip(drafts, keys, strict=True)
    ]
    return [
        each if each.shortcut else replace(each, shortcut=each.initials[:SHORTCUT_MAX] or UNNAMED)
        for each in made
    ]
