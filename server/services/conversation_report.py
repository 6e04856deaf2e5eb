"""One line per conversation (GP-05): as a page to look through, and whole, to be taken away.

What the caller may count in reports they may look through here. Who a customer is, is told of conversations that they
may read; and whoever takes the lines away leaves a record of it in the audit.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from protocol.rights import Right
from protocol.shapes import RatingReason
from protocol.times import text_of_ms
from server.services.accounts import invalid
from server.services.audit import Audit
from server.services.callers import Caller, CallerEyes
from server.services.ending_settings import EndingSettings
from server.services.scope import Cover, Scope
from server.services.shops import Shops
from server.store.conversation_lines import ConversationLines, LineRow, LinesWanted
from server.store.statistics import Visible

BATCH: Final = 100
"""Conversations whose logs are counted by one statement of an export."""


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """A line; `told`: who the customer is and what they wrote about their rating may be shown."""

    row: LineRow
    told: bool
    result_tags: tuple[str, ...]
    """names, as the shop calls them now"""
    rating_reasons: tuple[RatingReason, ...]


@dataclass(frozen=True, slots=True)
class LinesPage:
    """One page, those opened last first."""

    timezone: str
    lines: tuple[ConversationLine, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class LinesExport:
    """All of them. `count`: when it began; others may come or go while it is read."""

    timezone: str
    count: int
    batches: AsyncIterator[Sequence[ConversationLine]]


@dataclass(frozen=True, slots=True)
class _Sight:
    """What may be counted, and of what the customers may be told."""

    visible: Visible
    readable: Cover
    endings: EndingSettings

    def line(self, row: LineRow) -> ConversationLine:
        """As the caller may see it."""
        tags = tuple(tag.name for tag in self.endings.tags(row.result_tags))
        return ConversationLine(row, self._told(row), tags, tuple(self.endings.reasons(row.rating_reasons)))

    def _told(self, row: LineRow) -> bool:
        cover = self.readable
        if cover.accounts is None:
            return True
        if row.agent_id is not None:
            return row.agent_id in cover.accounts
        return row.order_state in (cover.pools or ())


class ConversationReport:
    """Reads lines within the caller's reach."""

    def __init__(self, lines: ConversationLines, shops: Shops, scope: Scope, audit: Audit) -> None:
        self._lines = lines
        self._shops = shops
        self._scope = scope
        self._audit = audit

    async def page(self, caller: Caller, wanted: LinesWanted, *, cursor: str | None, limit: int) -> LinesPage:
        """INVALID_PARAMS: the stretch of time is empty, or `bad_cursor`. UNAVAILABLE: the database is too slow."""
        zone, sight = await self._begin(caller, wanted)
        page = await self._lines.page(caller.shop_id, wanted, sight.visible, cursor=cursor, limit=limit)
        return LinesPage(zone, tuple(sight.line(row) for row in page.rows), page.cursor)

    async def export(
        self, caller: Caller, wanted: LinesWanted, *, form: str, most: int | None
    ) -> LinesExport:
        """Everything wanted, after it was recorded who takes it. INVALID_PARAMS `too_many_rows`: more than `most`."""
        zone, sight = await self._begin(caller, wanted)
        count = await self._lines.count(caller.shop_id, wanted, sight.visible)
        if most is not None and count > most:
            raise invalid(
                "query.format", f"{count} conversations; {form} holds {most}. Ask for less time, or CSV"
            )
        given = {name: value for name, value in asdict(wanted).items() if value is not None}
        given |= {"from": text_of_ms(given.pop("from_ms")), "to": text_of_ms(given.pop("to_ms"))}
        await self._audit.done(
            caller.shop_id,
            "report.exported",
            "conversations",
            "",
            after={**given, "format": form, "count": count},
        )
        return LinesExport(zone, count, self._batches(caller, wanted, sight))

    async def _begin(self, caller: Caller, wanted: LinesWanted) -> tuple[str, _Sight]:
        if wanted.from_ms >= wanted.to_ms:
            raise invalid("query.to", "must be after `from`")
        facts = await self._shops.get(caller.shop_id)
        eyes = CallerEyes(caller)
        cover = await self._scope.cover(eyes, Right.REPORT)
        readable = await self._scope.cover(eyes, Right.VIEW)
        visible = Visible() if cover.accounts is None else Visible(cover.accounts, cover.pools or frozenset())
        return facts.policy.timezone, _Sight(visible, readable, facts.endings)

    async def _batches(
        self, caller: Caller, wanted: LinesWanted, sight: _Sight
    ) -> AsyncIterator[Sequence[ConversationLine]]:
        cursor: str | None = None
        while True:
            page = await self._lines.page(caller.shop_id, wanted, sight.visible, cursor=cursor, limit=BATCH)
            yield [sight.line(row) for row in page.rows]
            cursor = page.cursor
            if cursor is None:
                return
