"""Who is named in notes (CO-05): told at once, and shown until it is read."""

from collections.abc import Iterable

from protocol.cards import Mention
from protocol.events import Mentioned
from protocol.ids import AccountId, ConversationId, MessageId, PersonId, ShopId
from protocol.methods import collaboration as m
from protocol.methods.session import Nothing
from protocol.shapes import Party
from protocol.times import text_of_ms
from server.bus import Bus
from server.push import push
from server.services.viewer import Viewer
from server.services.views import when
from server.session import Session
from server.store.mentions import MentionRow, Mentions
from server.store.rows import MessageRow

UNREAD_MOST = 50
"""Unread mentions in a snapshot; `mention.list` has all."""


class Naming:
    """`mention.*`, and the pushes about mentions."""

    def __init__(self, store: Mentions, bus: Bus) -> None:
        self._store = store
        self._bus = bus

    async def listing(self, session: Session, params: m.MentionsParams) -> m.MentionsResult:
        """`mention.list`."""
        page = await self._store.page(
            session.shop_id,
            AccountId(session.person_id),
            unread_only=params.unread_only,
            cursor=params.cursor,
            limit=params.limit,
        )
        return m.MentionsResult(mentions=[mention(row) for row in page.rows], cursor=page.cursor)

    async def read(self, session: Session, params: m.MentionReadParams) -> Nothing:
        """`mention.read`: on every device of the reader. What was read already stays so."""
        wanted = None if params.message_ids is None else tuple(map(MessageId, params.message_ids))
        self._tell(
            session.shop_id, await self._store.read(session.shop_id, AccountId(session.person_id), wanted)
        )
        return Nothing()

    async def unread(self, viewer: Viewer) -> list[Mention]:
        """What a snapshot begins with."""
        page = await self._store.page(viewer.shop_id, AccountId(viewer.person_id), limit=UNREAD_MOST)
        return [mention(row) for row in page.rows]

    async def named(self, shop: ShopId, conversation: ConversationId, seq: int) -> None:
        """A note that names somebody is in the log: everybody whom it names hears of it."""
        self._tell(shop, await self._store.of_note(shop, conversation, seq))

    async def recalled(self, note: MessageRow) -> None:
        """A note was taken back: whoever has not read it need not any more."""
        self._tell(note.shop_id, await self._store.withdraw(note.shop_id, note.conversation_id, note.seq))

    async def tell_again(self, since: str | None) -> None:
        """Who was named, or read it, since (see `Contacts.since`), if perhaps nobody heard of it."""
        for shop, row in await self._store.written_since(since):
            self._tell(shop, (row,))

    def _tell(self, shop: ShopId, rows: Iterable[MentionRow]) -> None:
        self._bus.publish(
            shop,
            [
                push(
                    (PersonId(row.account_id),),
                    "mention.changed",
                    Mentioned(mention=mention(row)),
                    key=f"mention:{row.message_id}",
                )
                for row in rows
            ],
        )


def mention(row: MentionRow) -> Mention:
    """As the one who is named sees it."""
    return Mention(
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        seq=row.seq,
        by=Party.model_validate({"kind": row.by_kind, "id": row.by_id, "name": row.by_name}),
        text=row.text,
        at=text_of_ms(row.at_ms),
        read_at=when(row.read_ms),
    )
