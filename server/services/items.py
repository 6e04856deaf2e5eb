"""Divided work (CO-08): who may change what, and who hears of it.

Everybody who takes part may; so may whoever may assign the conversation. The rest of the rules (an owner takes part or
is invited, nothing changes once it is closed) is judged by the database, in the moment of the change.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

from protocol.cards import Item
from protocol.codes import ErrorCode
from protocol.errors import RequestError
from protocol.events import ItemChanged
from protocol.ids import AccountId, ConversationId, PersonId
from protocol.methods import collaboration as w
from protocol.rights import Right
from protocol.times import ms_of, text_of_ms
from server.bus import Bus
from server.push import push
from server.services.delivery import Delivery
from server.services.names import Names
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.services.shops import Shops
from server.services.viewer import Viewer
from server.services.views import when
from server.session import Session
from server.store.items import ItemAct, ItemChange, ItemConflict, ItemRow
from server.store.items import Items as Store
from server.store.rows import ConversationRow


class Items:
    """One method per request `item.*`; see `protocol.methods.collaboration` for promises and shapes."""

    def __init__(
        self,
        store: Store,
        shops: Shops,
        seeing: Seeing,
        scope: Scope,
        delivery: Delivery,
        bus: Bus,
        names: Names,
    ) -> None:
        self._store = store
        self._shops = shops
        self._seeing = seeing
        self._scope = scope
        self._delivery = delivery
        self._bus = bus
        self._names = names

    async def add(self, session: Session, params: w.AddItemParams) -> w.ItemResult:
        """`item.add`; the same again gives the item as it is now."""
        given = {"text": params.text, "owner_id": params.owner_id, "due_ms": _moment(params.due_at)}
        return await self._change(session, params.conversation_id, params.item_id, "add", given)

    async def change(self, session: Session, params: w.ChangeItemParams) -> w.ItemResult:
        """`item.change`; what is so already changes nothing. CONFLICT `stale_rev` with the present item."""
        given: dict[str, Any] = {
            "text": params.text,
            "owner_id": params.owner_id,
            "due_ms": _moment(params.due_at),
            "done": params.done,
        }
        given = {name: value for name, value in given.items() if value is not None}
        for name in params.clear:
            member = "due_ms" if name == "due_at" else name
            if member in given:
                _invalid("clear", f"{name} cannot be given and taken away at once")
            given[member] = None
        return await self._change(
            session, params.conversation_id, params.item_id, "change", given, rev=params.rev
        )

    async def remove(self, session: Session, params: w.ItemParams) -> w.ItemResult:
        """`item.remove`; a removed one stays removed."""
        return await self._change(session, params.conversation_id, params.item_id, "remove", {})

    async def listing(self, session: Session, params: w.ItemsParams) -> w.ItemsResult:
        """`item.list`, for whoever may see the conversation."""
        return w.ItemsResult(items=await self.of_conversation(session, params.conversation_id))

    async def of_conversation(self, viewer: Viewer, conversation_id: str) -> list[Item]:
        """The items of a conversation that the viewer may see."""
        row = await self._seeing.conversation(viewer, conversation_id)
        return [await self.shown(item) for item in await self._store.of_conversation(row.shop_id, row.id)]

    async def shown(self, row: ItemRow) -> Item:
        """An item as colleagues see it."""
        owner = None if row.owner_id is None else await self._names.party(row.shop_id, row.owner_id)
        return Item(
            item_id=row.id,
            conversation_id=row.conversation_id,
            rev=row.rev,
            text=row.text,
            owner=owner,
            done=row.done,
            due_at=when(row.due_ms),
            by=await self._names.party(row.shop_id, row.by_id),
            created_at=text_of_ms(row.created_ms),
            done_at=when(row.done_ms),
            removed=row.removed_ms is not None,
        )

    async def tell_again(
        self, since: str | None, conversations: Mapping[ConversationId, ConversationRow]
    ) -> None:
        """What of the work of these changed since (see `Contacts.since`), if perhaps nobody heard of it."""
        for item in await self._store.written_since(since, conversations):
            self._publish(conversations[item.conversation_id], await self.shown(item))

    async def _change(
        self,
        session: Session,
        conversation_id: str,
        item_id: str,
        act: ItemAct,
        given: dict[str, Any],
        *,
        rev: int | None = None,
    ) -> w.ItemResult:
        row = await self._seeing.conversation(session, conversation_id)
        try:
            done = await self._store.change(
                row.shop_id,
                ConversationId(row.id),
                item_id,
                act,
                given,
                by=AccountId(session.person_id),
                by_name=session.name,
                most=(await self._shops.get(row.shop_id)).collaboration.items_max,
                must_speak=await self._by_taking_part(session, row),
                rev=rev,
            )
        except ItemConflict as conflict:
            present = await self.shown(conflict.present)
            raise RequestError(
                ErrorCode.CONFLICT,
                "stale_rev",
                "Somebody else changed this item meanwhile; look at it again.",
                detail=present.model_dump(mode="json"),
            ) from None
        item = await self.shown(done.item)
        await self._tell(done, item)
        return w.ItemResult(item=item)

    async def _by_taking_part(self, session: Session, row: ConversationRow) -> bool:
        """Whether it is because they take part that they may; then they must do so still when it is done."""
        if session.person_id in row.speaking:
            return True
        await self._scope.require(
            session, Right.ASSIGN, "change the work of this conversation", conversation=row
        )
        return False

    async def _tell(self, done: ItemChange, item: Item) -> None:
        """The log's entry, the item, and how far the work is: to everybody who follows."""
        if done.entry is None or done.appended is None:
            return
        row = done.conversation
        self._delivery.appended(done.entry, done.appended)
        self._publish(row, item)
        await self._delivery.changed_for_staff(row)

    def _publish(self, row: ConversationRow, item: Item) -> None:
        people = [PersonId(person) for person in row.following]
        changed = ItemChanged(item=item)
        key = f"item:{row.id}:{item.item_id}"
        self._bus.publish(row.shop_id, [push(people, "item.changed", changed, key=key, seq=item.rev)])


def _moment(text: str | None) -> int | None:
    try:
        return None if text is None else ms_of(text)
    except ValueError:
        _invalid("due_at", "is no moment of any calendar")


def _invalid(field: str, problem: str) -> NoReturn:
    raise RequestError(
        ErrorCode.INVALID_PARAMS,
        "invalid_params",
        "The parameters are not valid.",
        detail=[{"field": field, "problem": problem}],
    )
