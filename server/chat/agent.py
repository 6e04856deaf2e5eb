"""An agent at the terminal: receives, answers, transfers, ends, pulls, pauses; and may ask why (KS-18 to KS-22)."""

from typing import Final

from protocol.errors import RequestError
from protocol.events import AgentChanged, ConversationChanged, ReadAdvanced, StreamReset, TypingChanged
from protocol.ids import ConversationId
from protocol.methods.conversations import ConversationParams, ExplainResult
from protocol.methods.messages import HistoryParams, HistoryResult, ReadParams
from protocol.methods.session import Nothing
from protocol.shapes import AgentCard, Conversation, Message, SystemBody, TextBody
from protocol.states import Life
from server.chat import sentences
from server.chat.agent_book import Book, Entry
from server.chat.agent_commands import AgentCommands
from server.chat.chat import Chat, Draft, LinkDown
from server.chat.colleague_commands import ColleagueCommands
from server.chat.colleague_news import ColleagueNews
from server.chat.desk import Seat
from server.chat.file_commands import FileCommands
from server.chat.link import Back, Lost, News, Told
from server.chat.naming import Naming
from server.chat.office import Office
from server.chat.office_commands import OfficeCommands
from server.chat.quick_commands import QuickCommands
from server.chat.supervisor_commands import SupervisorCommands
from server.chat.work_commands import WorkCommands

HISTORY: Final = 20


class AgentPart:
    """One agent, with the conversations in their hands."""

    def __init__(self, chat: Chat, office: Office) -> None:
        self._chat = chat
        self._words = chat.words
        self._me = chat.link.hello.me.person.id or ""
        self._book = Book(self._me)
        self._card: AgentCard | None = None
        self._status_shown = ""
        self._sent: set[str] = set()
        self._untold: set[str] = set()
        """of those, the texts that are not shown yet"""
        self._typing: dict[str, str] = {}
        naming = Naming(chat)
        seat = Seat(chat, self._book, self, naming)
        colleagues, work, supervisor = ColleagueCommands(seat), WorkCommands(seat), SupervisorCommands(seat)
        self._news = ColleagueNews(chat, self._book, colleagues, work, supervisor)
        self.commands = {
            **AgentCommands(seat).table,
            **colleagues.table,
            **work.table,
            **supervisor.table,
            **FileCommands(chat, office, self._current_id, colleague=True).table,
            **OfficeCommands(chat, office, naming).table,
            **QuickCommands(seat, office).table,
        }

    def toolbar(self) -> str:
        """The status line below the prompt."""
        card, current = self._card, self._book.current
        if card is None:
            return ""
        name = self._words("agent.toolbar_none")
        if current is not None:
            name = f"#{current.number} {sentences.customer(self._words, current.conversation.customer)}"
            typed = self._typing.get(current.conversation.conversation_id)
            if typed is not None:
                name = self._words("agent.typing", n=current.number, name=typed, text="")
        return self._words(
            "agent.toolbar",
            status=self._words.word("status", card.status),
            load=card.load,
            capacity=card.capacity,
            current=name,
        )

    async def begin(self) -> None:
        hello = self._chat.link.hello
        self._chat.say("connection.ready", shop=hello.me.shop_name, name=hello.me.person.name)
        self._take_snapshot()
        if self._card is not None:
            self._chat.say(
                "agent.hello",
                status=self._words.word("status", self._card.status),
                load=self._card.load,
                capacity=self._card.capacity,
            )

    def _take_snapshot(self) -> None:
        snapshot = self._chat.link.hello.snapshot
        self._card = snapshot.me or self._card
        self._book.watching = set(snapshot.watching)
        for conversation in snapshot.conversations:
            entry, before = self._book.put(conversation)
            if before is None:
                state = self._words.word("order_state", conversation.order_state)
                self._chat.say("agent.restored", n=entry.number, customer=self.name(entry), state=state)
        self._tell_current(self._book.settle())

    def name(self, entry: Entry) -> str:
        """What the customer of an entry is called."""
        return sentences.customer(self._words, entry.conversation.customer)

    def asking(self) -> None:
        """A command about the own status begins: what it leads to shall be shown, once."""
        self._status_shown = ""

    def took(self, card: AgentCard) -> None:
        """The agent's own card, as a reply or an event gave it; which of the two comes first is open."""
        self._card = card
        line = sentences.own_status(self._words, card)
        if line != self._status_shown:
            self._status_shown = line
            self._chat.show(line)

    def draft(self, text: str) -> Draft | None:
        if self._book.current is None:
            self._chat.say("connection.refused", why=self._words("agent.none"), text=text)
            return None
        if not self._book.takes_part(self._book.current.conversation) and self._book.follows(
            self._book.current.conversation
        ):
            self._chat.say("connection.refused", why=self._words("colleague.only_watching"), text=text)
            return None
        return Draft(text, ConversationId(self._book.current.conversation.conversation_id))

    async def send(self, draft: Draft) -> None:
        entry = self._book.find(draft.conversation or "")
        if entry is None:
            self._chat.say("agent.none")
            return
        self._sent.add(draft.client_message_id)
        self._untold.add(draft.client_message_id)
        now = entry.conversation
        result = await self._chat.link.send(
            now.conversation_id, draft.text, draft.client_message_id, now.assign_epoch
        )
        self._show_own(entry, draft.client_message_id, draft.text, result.created_at, result.seq)

    def _show_own(self, entry: Entry, client_message_id: str, text: str, created_at: str, seq: int) -> None:
        """An own message is in the log: told by the reply or by the log, whichever comes first, and shown once."""
        if client_message_id in self._untold:
            self._untold.remove(client_message_id)
            entry.shown.add(seq)
            entry.unread = True
            clock, you = sentences.clock(created_at), self._words("who.you")
            self._chat.show(f"#{entry.number} {clock} {you}: {text} ✓")

    async def hear(self, news: News) -> None:
        if isinstance(news, Lost):
            self._chat.say("connection.lost")
        elif isinstance(news, Back):
            self._chat.say("connection.back")
            self._take_snapshot()
        else:
            await self._told(news)

    async def _told(self, told: Told) -> None:
        payload = told.payload
        if self._news.hear(payload):
            return
        if isinstance(payload, Message):
            await self._message(payload)
        elif isinstance(payload, ConversationChanged):
            await self.apply(payload.conversation)
        elif isinstance(payload, AgentChanged):
            self._agent(payload.agent)
        elif isinstance(payload, TypingChanged) and not self._news.drafted(payload):
            self._typing.pop(payload.conversation_id, None)
            if payload.typing:
                self._typing[payload.conversation_id] = sentences.party(self._words, payload.who)
        elif isinstance(payload, ReadAdvanced):
            self._read(payload)
        elif isinstance(payload, StreamReset):
            entry = self._book.find(payload.conversation_id)
            if entry is not None:
                await self.history(entry, HISTORY)

    async def _message(self, message: Message) -> None:
        entry = self._book.find(message.conversation_id)
        if self._news.said(message):
            return
        if entry is None or isinstance(message.body, SystemBody):
            return  # a system entry is told as a change of state
        self._typing.pop(message.conversation_id, None)
        if message.client_message_id in self._sent and message.sender.id == self._me:
            if isinstance(message.body, TextBody):
                key = message.client_message_id
                self._show_own(entry, key, message.body.text, message.created_at, message.seq)
            return
        if message.seq in entry.shown:
            return  # with the history, when it was assigned
        entry.shown.add(message.seq)
        mine = message.sender.id == self._me
        self._chat.show(f"#{entry.number} {sentences.message(self._words, message, mine=mine)}")
        if entry is self._book.current:
            await self._mark_read(message.conversation_id, message.seq)

    async def _mark_read(self, conversation_id: str, seq: int) -> None:
        try:
            params = ReadParams(conversation_id=conversation_id, seq=seq)
            await self._chat.link.ask("read.mark", params, Nothing)
        except (RequestError, LinkDown):
            return  # a mark only advances: the next one says the same and more

    def _agent(self, card: AgentCard) -> None:
        if card.account_id != self._me:
            return
        before = self._card
        if before is None or (before.status, before.availability) != (card.status, card.availability):
            self.took(card)
        self._card = card

    def _read(self, read: ReadAdvanced) -> None:
        entry = self._book.find(read.conversation_id)
        if entry is not None and entry.unread and read.side == "customer":
            entry.unread = False
            self._chat.say("agent.read", n=entry.number)

    async def apply(self, conversation: Conversation) -> None:
        """A conversation as it is now: enter it, and say what that changes for this agent."""
        known = self._book.find(conversation.conversation_id)
        if known is None and not self._book.follows(conversation):
            return
        if known is not None and conversation.rev < known.conversation.rev:
            return
        entry, before = self._book.put(conversation)
        held_before = before is not None and self._book.owns(before) and before.state is not Life.CLOSED
        beside_before = before is not None and self._beside(before)
        # Before anything is said: whoever reads "yours" may answer at once.
        changed = self._book.settle()
        if self._book.owns(conversation):
            await self._tell_mine(entry, before, held_before=held_before)
        elif held_before and conversation.state is not Life.CLOSED:
            if conversation.owner is None:
                self._chat.say("agent.queued", n=entry.number, customer=self.name(entry))
            else:
                owner = sentences.party(self._words, conversation.owner)
                self._chat.say("agent.away", n=entry.number, customer=self.name(entry), name=owner)
        if self._beside(conversation) != beside_before and not self._book.owns(conversation):
            owner = sentences.party(self._words, conversation.owner)
            said = "colleague.gone" if beside_before else "colleague.here"
            self._chat.say(said, n=entry.number, customer=self.name(entry), owner=owner)
        if conversation.state is Life.CLOSED and before is not None and before.state is not Life.CLOSED:
            self._chat.say("agent.closed", n=entry.number, customer=self.name(entry))
        if conversation.rating is not None and (before is None or before.rating != conversation.rating):
            rating = conversation.rating
            self._chat.say("agent.rated", n=entry.number, customer=self.name(entry), rating=rating)
        self._tell_current(changed)

    def _beside(self, conversation: Conversation) -> bool:
        """Whether this agent takes part in it beside its owner."""
        return self._book.takes_part(conversation) and not self._book.owns(conversation)

    def _current_id(self) -> str | None:
        current = self._book.current
        return None if current is None else current.conversation.conversation_id

    def entry(self, command: str, rest: str) -> Entry | None:
        """The conversation that a command is about: the numbered one, or the current one."""
        if not rest:
            if self._book.current is None:
                self._chat.say("agent.none")
            return self._book.current
        number = rest.removeprefix("#")
        if not number.isdecimal():
            self._chat.say("agent.number_usage", command=command)
            return None
        entry = self._book.number(int(number))
        if entry is None:
            self._chat.say("agent.unknown_number", n=number)
        return entry

    async def _tell_mine(self, entry: Entry, before: Conversation | None, *, held_before: bool) -> None:
        now = entry.conversation
        if now.state is Life.ACTIVE and not held_before:
            await self._tell_assigned(entry)
        elif now.state is Life.ACTIVE and before is not None and before.state is Life.WRAP_UP:
            reason = self._words.word("reason", "reopened")
            self._chat.say("agent.reopened", n=entry.number, customer=self.name(entry), reason=reason)
        elif now.state is Life.WRAP_UP and before is not None and before.state is Life.ACTIVE:
            until = sentences.clock(now.wrap_up_until) if now.wrap_up_until else "-"
            self._chat.say("agent.ended", n=entry.number, customer=self.name(entry), until=until)

    async def _tell_assigned(self, entry: Entry) -> None:
        conversation = entry.conversation
        params = ConversationParams(conversation_id=conversation.conversation_id)
        reason, by = "", ""
        try:
            why = await self._chat.link.ask("conversation.explain", params, ExplainResult)
            last = next((d for d in reversed(why.decisions) if d.owner and d.owner.id == self._me), None)
            if last is not None:
                reason = self._words.word("reason", last.reason or "")
                by = last.by.name if last.by is not None and last.by.id != self._me else ""
        except (RequestError, LinkDown):
            reason = "-"  # the conversation matters more than why it is here
        facts = {
            "n": entry.number,
            "customer": self.name(entry),
            "state": self._words.word("order_state", conversation.order_state),
            "reason": reason,
        }
        if by:
            self._chat.say("agent.assigned_by", by=by, **facts)
        else:
            self._chat.say("agent.assigned", **facts)
        await self.history(entry, HISTORY, fresh=True)

    def _tell_current(self, changed: bool) -> None:
        entry = self._book.current
        if changed and entry is not None:
            self._chat.say("agent.current", n=entry.number, customer=self.name(entry))

    async def history(self, entry: Entry, count: int, *, fresh: bool = False) -> None:
        """Show the last messages of a conversation (`fresh`: only those not on the screen yet), and mark them read
        when it is the current one."""
        conversation_id = entry.conversation.conversation_id
        params = HistoryParams(conversation_id=conversation_id, limit=count)
        page = await self._chat.link.ask("message.history", params, HistoryResult)
        if page.more:
            self._chat.say("agent.history_more", n=min(200, count * 4))
        for message in page.messages:
            if isinstance(message.body, SystemBody) or (fresh and message.seq in entry.shown):
                continue
            entry.shown.add(message.seq)
            mine = message.sender.id == self._me
            self._chat.show(f"#{entry.number} {sentences.message(self._words, message, mine=mine)}")
        if entry is self._book.current and page.messages:
            await self._mark_read(conversation_id, page.head_seq)
