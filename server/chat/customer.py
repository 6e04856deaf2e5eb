"""A customer at the terminal: their place in words, who serves them, what is said, how it ends (KS-22, product.md)."""

from typing import Final

from protocol.errors import RequestError
from protocol.events import ConversationChanged, QueueMoved, ReadAdvanced, StreamReset, TypingChanged
from protocol.ids import ConversationId
from protocol.methods.conversations import (
    ConversationParams,
    ConversationResult,
    FencedParams,
    FirstMessage,
    OpenParams,
    OpenResult,
    RateParams,
)
from protocol.methods.messages import HistoryParams, HistoryResult, ReadParams, SendResult
from protocol.methods.session import Nothing
from protocol.shapes import Conversation, Message, Queue, SystemBody, TextBody
from protocol.states import Life
from server.chat import sentences
from server.chat.chat import Chat, Draft, LinkDown, Run
from server.chat.file_commands import FileCommands
from server.chat.link import Back, Lost, News, Told
from server.chat.office import Office

HISTORY: Final = 20


class CustomerPart:
    """One customer. Knows at most one open conversation, as the server last told it."""

    def __init__(self, chat: Chat, office: Office, *, order_id: str | None = None) -> None:
        self._chat = chat
        self._words = chat.words
        self._conversation: Conversation | None = None
        self._order_id = order_id
        self._place: tuple[int, int, str, int | None] | None = None
        self._typing = ""
        self._opening = False
        self._sent: set[str] = set()
        self._untold: set[str] = set()
        """of those, the texts that are not shown yet"""
        self._last_own_seq = 0
        self._read_told = 0
        self.commands: dict[str, Run] = {
            "order": self._order,
            "human": self._human,
            "leave": self._leave,
            "rate": self._rate,
            "history": self._history,
            **FileCommands(chat, office, self._open_one, colleague=False).table,
        }

    def toolbar(self) -> str:
        """The status line below the prompt."""
        now = self._conversation
        if now is None or now.state is Life.CLOSED:
            return self._words("customer.toolbar_idle")
        if self._typing:
            return self._words("customer.typing", name=self._typing)
        if now.state is Life.QUEUED and self._place is not None:
            return self._words("customer.toolbar_queue", place=self._place[0], length=self._place[1])
        if now.state is Life.WRAP_UP:
            return self._words("customer.toolbar_ended")
        return self._words("customer.toolbar_served", name=sentences.party(self._words, now.owner))

    async def begin(self) -> None:
        me = self._chat.link.hello.me
        name = me.person.name or self._words("who.anonymous")
        self._chat.say("connection.ready", shop=me.shop_name, name=name)
        await self._continue()
        if self._conversation is None:
            self._chat.say("customer.hello")

    async def _continue(self) -> None:
        """Take over the open conversation from the snapshot, if there is one."""
        for conversation in self._chat.link.hello.snapshot.conversations:
            if self._conversation is None:
                state = self._words.word("life", conversation.state)
                self._chat.say("customer.continued", state=state)
                self._conversation = conversation
                await self._show_history(HISTORY)
                self._tell_state(None, conversation)
            else:
                self._apply(conversation)

    def draft(self, text: str) -> Draft | None:
        return Draft(text, self._open_one())

    def _open_one(self) -> ConversationId | None:
        now = self._conversation
        return None if now is None or now.state is Life.CLOSED else ConversationId(now.conversation_id)

    async def send(self, draft: Draft) -> None:
        body = TextBody(kind="text", text=draft.text)
        self._sent.add(draft.client_message_id)
        self._untold.add(draft.client_message_id)
        now = self._conversation
        if now is None or now.state is Life.CLOSED:
            await self._open(draft, body)
            return
        try:
            result = await self._chat.link.send(now.conversation_id, draft.text, draft.client_message_id)
        except RequestError as error:
            if error.reason != "conversation_closed":
                raise
            self._conversation = None
            await self._open(draft, body)
            return
        self._accepted(draft, result)

    async def _open(self, draft: Draft, body: TextBody) -> None:
        first = FirstMessage(client_message_id=draft.client_message_id, body=body)
        params = OpenParams(order_id=self._order_id, message=first)
        before = self._conversation
        # Events may be quicker than the reply: what they say is told after the text that caused it.
        self._opening = True
        try:
            result = await self._chat.link.ask("conversation.open", params, OpenResult)
        finally:
            self._opening = False
        if result.message is not None:
            self._accepted(draft, result.message)
        now = self._conversation
        if (
            now is None
            or now.conversation_id != result.conversation.conversation_id
            or now.rev < result.conversation.rev
        ):
            now = result.conversation
        self._conversation = now
        self._tell_state(before, now)

    def _accepted(self, draft: Draft, result: SendResult) -> None:
        self._show_own(draft.client_message_id, draft.text, result.created_at, result.seq)

    def _show_own(self, client_message_id: str, text: str, created_at: str, seq: int) -> None:
        """An own message is in the log: told by the reply or by the log itself, whichever comes first, and shown once.
        So an answer that overtakes the reply still stands below what it answers."""
        if client_message_id in self._untold:
            self._untold.remove(client_message_id)
            self._chat.show(f"{sentences.clock(created_at)} {self._words('who.you')}: {text} ✓")
        self._last_own_seq = max(self._last_own_seq, seq)

    async def hear(self, news: News) -> None:
        if isinstance(news, Lost):
            self._chat.say("connection.lost")
        elif isinstance(news, Back):
            self._chat.say("connection.back")
            await self._continue()
        else:
            await self._told(news)

    async def _told(self, told: Told) -> None:
        payload = told.payload
        if isinstance(payload, Message):
            await self._message(payload)
        elif isinstance(payload, ConversationChanged):
            self._apply(payload.conversation)
        elif isinstance(payload, QueueMoved):
            self._moved(payload)
        elif isinstance(payload, ReadAdvanced):
            self._read(payload)
        elif isinstance(payload, TypingChanged):
            self._typing = sentences.party(self._words, payload.who) if payload.typing else ""
        elif isinstance(payload, StreamReset):
            await self._show_history(HISTORY)

    async def _message(self, message: Message) -> None:
        self._typing = ""
        key, body = message.client_message_id, message.body
        if key in self._sent and message.sender.kind == "customer":
            if isinstance(body, TextBody):
                self._show_own(key, body.text, message.created_at, message.seq)
        elif not isinstance(body, SystemBody):
            mine = message.sender.kind == "customer"
            self._chat.show(sentences.message(self._words, message, mine=mine))
        if message.sender.kind != "customer":
            await self._mark_read(message)

    async def _mark_read(self, message: Message) -> None:
        try:
            params = ReadParams(conversation_id=message.conversation_id, seq=message.seq)
            await self._chat.link.ask("read.mark", params, Nothing)
        except (RequestError, LinkDown):
            return  # a mark only advances: the next one says the same and more

    def _apply(self, conversation: Conversation) -> None:
        before = self._conversation
        if before is not None and before.conversation_id == conversation.conversation_id:
            if conversation.rev < before.rev:
                return
        elif before is not None and before.state is not Life.CLOSED:
            return  # about an earlier one
        self._conversation = conversation
        if not self._opening:
            self._tell_state(before, conversation)

    def _tell_state(self, before: Conversation | None, now: Conversation) -> None:
        """Say what is new about the conversation: absolute states in, changes in words out."""
        same = before is not None and before.conversation_id == now.conversation_id
        old_state = before.state if before is not None and same else None
        old_owner = before.owner if before is not None and same else None
        if now.state is Life.QUEUED:
            self._tell_place(now.queue)
            return
        self._place = None
        if now.state is Life.ACTIVE and now.owner is not None:
            if old_owner is None or old_owner.id != now.owner.id:
                self._tell_owner(now, old_owner.name if old_owner is not None else "")
            elif old_state is Life.WRAP_UP:
                self._chat.say("customer.served", name=sentences.party(self._words, now.owner))
        elif now.state is Life.WRAP_UP and old_state is not Life.WRAP_UP:
            self._chat.say("customer.ended", name=sentences.party(self._words, now.owner))
        elif now.state is Life.CLOSED and old_state is not Life.CLOSED:
            self._chat.say("customer.closed")

    def _tell_owner(self, now: Conversation, previous: str) -> None:
        name = sentences.party(self._words, now.owner)
        if now.owner is not None and now.owner.kind == "bot":
            self._chat.say("customer.bot", name=name)
        elif now.answers_later:
            self._chat.say("customer.later", name=name)
        elif previous:
            self._chat.say("customer.transferred", previous=previous, name=name)
        else:
            self._chat.say("customer.served", name=name)

    def _tell_place(self, queue: Queue | None) -> None:
        if queue is None:
            return
        before, self._place = self._place, (queue.place, queue.length, queue.reason, queue.estimate_s)
        # A longer queue behind them is no news to those who wait.
        if before is None or (before[0], *before[2:]) != (queue.place, queue.reason, queue.estimate_s):
            self._chat.show(sentences.place(self._words, queue))

    def _moved(self, moved: QueueMoved) -> None:
        now = self._conversation
        if now is None or now.conversation_id != moved.conversation_id or now.state is not Life.QUEUED:
            return
        if now.queue is not None:
            told = moved.model_dump(exclude={"conversation_id"})
            self._tell_place(now.queue.model_copy(update=told))

    def _read(self, read: ReadAdvanced) -> None:
        now = self._conversation
        if now is None or read.side != "staff" or read.conversation_id != now.conversation_id:
            return
        if read.seq >= self._last_own_seq > self._read_told:
            self._read_told = self._last_own_seq
            self._chat.say("customer.read", name=sentences.party(self._words, now.owner))

    # --- commands ------------------------------------------------------------------------------------------------

    def _need(self) -> Conversation | None:
        if self._conversation is None:
            self._chat.say("customer.no_conversation")
        return self._conversation

    async def _order(self, rest: str) -> None:
        if not rest:
            self._chat.say("customer.order_usage")
            return
        self._order_id = rest
        self._chat.say("customer.order_set", order_id=rest)

    async def _human(self, rest: str) -> None:
        now = self._need()
        if now is None:
            return
        if now.owner is None or now.owner.kind != "bot":
            self._chat.say("customer.not_bot")
            return
        params = FencedParams(conversation_id=now.conversation_id, reason=rest)
        result = await self._chat.link.ask("conversation.hand_off", params, ConversationResult)
        self._apply(result.conversation)

    async def _leave(self, rest: str) -> None:
        now = self._need()
        if now is None:
            return
        params = ConversationParams(conversation_id=now.conversation_id)
        await self._chat.link.ask("conversation.leave_queue", params, ConversationResult)
        self._conversation, self._place = None, None
        self._chat.say("customer.left")

    async def _rate(self, rest: str) -> None:
        now = self._need()
        if now is None:
            return
        figure, _, comment = rest.partition(" ")
        if figure not in {"1", "2", "3", "4", "5"}:
            self._chat.say("customer.rate_usage")
            return
        params = RateParams(conversation_id=now.conversation_id, rating=int(figure), comment=comment.strip())
        await self._chat.link.ask("conversation.rate", params, ConversationResult)
        self._chat.say("customer.rated", rating=figure)

    async def _history(self, rest: str) -> None:
        if self._need() is not None:
            await self._show_history(int(rest) if rest.isdecimal() and 0 < int(rest) <= 200 else HISTORY)

    async def _show_history(self, count: int) -> None:
        now = self._conversation
        if now is None:
            return
        params = HistoryParams(conversation_id=now.conversation_id, limit=count)
        page = await self._chat.link.ask("message.history", params, HistoryResult)
        for message in page.messages:
            if not isinstance(message.body, SystemBody):
                mine = message.sender.kind == "customer"
                self._chat.show(sentences.message(self._words, message, mine=mine))
