"""Divided work and alarms from the terminal (CO-08, CO-09)."""

from protocol.cards import Item
from protocol.ids import new_id
from protocol.methods.collaboration import (
    AddItemParams,
    AlarmParams,
    AlarmResult,
    ChangeItemParams,
    CollaborationsResult,
    ItemParams,
    ItemResult,
    ItemsParams,
    ItemsResult,
)
from protocol.methods.session import Nothing
from server.chat import sentences
from server.chat.chat import Run
from server.chat.desk import Seat


class WorkCommands:
    """The commands about work in a collaboration; `table` names them."""

    def __init__(self, seat: Seat) -> None:
        self._chat, self._words = seat.chat, seat.words
        self._book, self._desk, self._naming = seat.book, seat.desk, seat.naming
        self._items: list[Item] = []
        """as they were listed last"""
        self._alarms: list[str] = []
        self.table: dict[str, Run] = {
            "work": self._work,
            "todo": self._todo,
            "give": self._give,
            "done": self._done,
            "drop": self._drop,
            "collaborations": self._collaborations,
            "ack": self._acknowledge,
        }

    def alarmed(self, alarm_id: str) -> int:
        """An alarm was raised: its number for /ack."""
        if alarm_id not in self._alarms:
            self._alarms.append(alarm_id)
        return self._alarms.index(alarm_id) + 1

    async def _work(self, rest: str) -> None:
        entry = self._desk.entry("/work", rest)
        if entry is None:
            return
        await self._look(entry.conversation.conversation_id)
        if not self._items:
            self._chat.say("work.empty")
        for number, item in enumerate(self._items, 1):
            self._chat.show(sentences.item(self._words, number, item))

    async def _look(self, conversation_id: str) -> None:
        params = ItemsParams(conversation_id=conversation_id)
        self._items = (await self._chat.link.ask("item.list", params, ItemsResult)).items

    async def _todo(self, rest: str) -> None:
        entry = self._desk.entry("/todo", "")
        if entry is None:
            return
        if not rest:
            self._chat.say("work.todo_usage")
            return
        owner = await self._naming.mentioned(rest)
        params = AddItemParams(
            conversation_id=entry.conversation.conversation_id,
            item_id=new_id(),
            text=rest,
            owner_id=owner[0] if owner else None,
        )
        await self._chat.link.ask("item.add", params, ItemResult)

    async def _give(self, rest: str) -> None:
        number, _, name = rest.partition(" ")
        item = await self._numbered("/give", number)
        person = await self._naming.colleague(name) if item is not None else None
        if item is not None and person is not None:
            params = ChangeItemParams(
                conversation_id=item.conversation_id,
                item_id=item.item_id,
                rev=item.rev,
                owner_id=person[0].account_id,
            )
            await self._chat.link.ask("item.change", params, ItemResult)

    async def _done(self, rest: str) -> None:
        item = await self._numbered("/done", rest)
        if item is not None:
            params = ChangeItemParams(conversation_id=item.conversation_id, item_id=item.item_id, done=True)
            await self._chat.link.ask("item.change", params, ItemResult)

    async def _drop(self, rest: str) -> None:
        item = await self._numbered("/drop", rest)
        if item is not None:
            params = ItemParams(conversation_id=item.conversation_id, item_id=item.item_id)
            await self._chat.link.ask("item.remove", params, ItemResult)

    async def _numbered(self, command: str, number: str) -> Item | None:
        entry = self._desk.entry(command, "")
        if entry is None:
            return None
        await self._look(entry.conversation.conversation_id)
        if not number.isdecimal() or not 1 <= int(number) <= len(self._items):
            self._chat.say("agent.number_usage", command=command)
            return None
        return self._items[int(number) - 1]

    async def _collaborations(self, rest: str) -> None:
        found = await self._chat.link.ask("collaboration.list", Nothing(), CollaborationsResult)
        if not found.collaborations:
            self._chat.say("work.no_collaborations")
        self._book.listed = [one.conversation.conversation_id for one in found.collaborations]
        for number, one in enumerate(found.collaborations, 1):
            self._chat.show(sentences.collaboration(self._words, number, one))
        for alarm in found.alarms:
            self._chat.show(sentences.alarm(self._words, self.alarmed(alarm.alarm_id), alarm))

    async def _acknowledge(self, rest: str) -> None:
        if not rest.isdecimal() or not 1 <= int(rest) <= len(self._alarms):
            self._chat.say("agent.number_usage", command="/ack")
            return
        params = AlarmParams(alarm_id=self._alarms[int(rest) - 1])
        await self._chat.link.ask("alarm.acknowledge", params, AlarmResult)
        self._chat.say("work.acknowledged")
