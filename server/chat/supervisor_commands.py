"""A supervisor at the terminal: the wall, watching, whispering, speaking, taking over (CO-12)."""

from typing import Final

from protocol.cards import Wall
from protocol.methods.collaboration import ParticipationResult
from protocol.methods.conversations import ConversationResult, ListParams, ListResult
from protocol.methods.session import Nothing
from protocol.methods.supervision import (
    SpeakParams,
    TakeOverParams,
    UnwatchParams,
    UnwatchResult,
    WallResult,
    WatchParams,
    WatchResult,
)
from server.chat import sentences
from server.chat.chat import Run
from server.chat.desk import Seat

PAGE: Final = 50
HISTORY: Final = 20


class SupervisorCommands:
    """The commands of supervisors; `table` names them."""

    def __init__(self, seat: Seat) -> None:
        self._chat, self._words = seat.chat, seat.words
        self._book, self._desk = seat.book, seat.desk
        self.table: dict[str, Run] = {
            "all": self._all,
            "wall": self._wall,
            "watch": self._watch,
            "unwatch": self._unwatch,
            "whisper": self._whisper,
            "speak": self._speak,
            "takeover": self._take_over,
        }

    async def _all(self, rest: str) -> None:
        page = await self._chat.link.ask("conversation.list", ListParams(scope="all", limit=PAGE), ListResult)
        self._book.listed = [one.conversation_id for one in page.conversations]
        if not page.conversations:
            self._chat.say("agent.list_empty")
        for number, one in enumerate(page.conversations, 1):
            self._chat.say(
                "watch.line",
                n=number,
                customer=sentences.customer(self._words, one.customer),
                owner=sentences.party(self._words, one.owner),
                state=self._words.word("life", one.state),
                waiting=self._words("agent.list_waiting", time=sentences.age(self._words, one.waiting_since))
                if one.waiting_since
                else "",
            )

    async def _wall(self, rest: str) -> None:
        """Once, or `/wall on` and from then on with every change; `/wall off` ends that."""
        if rest == "off":
            await self._chat.link.ask("monitor.unsubscribe", Nothing(), Nothing)
            return
        shown = await self._chat.link.ask("monitor.subscribe", Nothing(), WallResult)
        self.show(shown.wall)
        if rest != "on":
            await self._chat.link.ask("monitor.unsubscribe", Nothing(), Nothing)

    def show(self, wall: Wall) -> None:
        """The wall as lines; its conversations can be named by number afterwards."""
        self._book.listed = [one.conversation_id for one in (*wall.waiting, *wall.unanswered)]
        for line in sentences.wall(self._words, wall):
            self._chat.show(line)

    async def _watch(self, rest: str) -> None:
        number, _, reason = rest.partition(" ")
        if not number.isdecimal() or not 1 <= int(number) <= len(self._book.listed):
            self._chat.say("agent.number_usage", command="/watch")
            return
        params = WatchParams(conversation_id=self._book.listed[int(number) - 1], reason=reason)
        done = await self._chat.link.ask("monitor.watch", params, WatchResult)
        self._book.watching = set(done.watching)
        await self._desk.apply(done.conversation)
        entry = self._book.find(done.conversation.conversation_id)
        if entry is not None:
            self._book.current = entry
            name = sentences.customer(self._words, entry.conversation.customer)
            self._chat.say("watch.begun", n=entry.number, customer=name)
            await self._desk.history(entry, HISTORY)

    async def _unwatch(self, rest: str) -> None:
        entry = self._desk.entry("/unwatch", rest)
        if entry is not None:
            params = UnwatchParams(conversation_id=entry.conversation.conversation_id)
            done = await self._chat.link.ask("monitor.unwatch", params, UnwatchResult)
            self._book.watching = set(done.watching)
            self._chat.say("watch.over", n=entry.number)

    async def _whisper(self, rest: str) -> None:
        entry = self._desk.entry("/whisper", "")
        if entry is None:
            return
        if not rest:
            self._chat.say("watch.whisper_usage")
            return
        await self._chat.link.note(entry.conversation.conversation_id, rest, whisper=True)

    async def _speak(self, rest: str) -> None:
        entry = self._desk.entry("/speak", "")
        if entry is not None:
            params = SpeakParams(conversation_id=entry.conversation.conversation_id, reason=rest)
            done = await self._chat.link.ask("monitor.speak", params, ParticipationResult)
            await self._desk.apply(done.conversation)
            self._chat.say("watch.speaking", n=entry.number)

    async def _take_over(self, rest: str) -> None:
        entry = self._desk.entry("/takeover", "")
        if entry is None:
            return
        if not rest:
            self._chat.say("watch.take_over_usage")
            return
        params = TakeOverParams(
            conversation_id=entry.conversation.conversation_id,
            assign_epoch=entry.conversation.assign_epoch,
            reason=rest,
        )
        done = await self._chat.link.ask("monitor.take_over", params, ConversationResult)
        await self._desk.apply(done.conversation)
