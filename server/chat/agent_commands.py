"""What an agent can do with a slash: one method per command, each one request of the protocol and a sentence."""

from typing import Final, Literal

from protocol.errors import RequestError
from protocol.methods.agents import (
    AgentResult,
    SetCapacityParams,
    SetStatusParams,
    SlotsParams,
    SlotsResult,
)
from protocol.methods.conversations import (
    ConversationParams,
    ConversationResult,
    ExplainResult,
    FencedParams,
    ListParams,
    ListResult,
    PullParams,
    RequeueParams,
    TransferParams,
)
from protocol.shapes import Conversation
from protocol.states import AgentStatus, Life
from server.chat import sentences
from server.chat.agent_book import Entry
from server.chat.chat import Run
from server.chat.desk import Seat

HISTORY: Final = 20
PAGE: Final = 50
STILL_HOLDS: Final = "open_conversations"
"""The params member that going offline with open conversations needs (KS-18)."""


class AgentCommands:
    """The commands of one agent; `table` names them."""

    def __init__(self, seat: Seat) -> None:
        self._chat, self._words = seat.chat, seat.words
        self._book, self._desk, self._naming = seat.book, seat.desk, seat.naming
        self._queue: list[Conversation] = []
        self.table: dict[str, Run] = {
            "online": self._online,
            "pause": self._pause,
            "offline": self._offline,
            "list": self._list,
            "queue": self._show_queue,
            "pull": self._pull,
            "open": self._open,
            "transfer": self._transfer,
            "end": self._end,
            "reopen": self._reopen,
            "requeue": self._requeue,
            "why": self._why,
            "slots": self._slots,
            "capacity": self._capacity,
            "agents": self._agents,
            "history": self._history,
        }

    # --- the own status ------------------------------------------------------------------------------------------

    async def _online(self, rest: str) -> None:
        await self._set_status(AgentStatus.ONLINE)

    async def _pause(self, rest: str) -> None:
        await self._set_status(AgentStatus.PAUSED)

    async def _offline(self, rest: str) -> None:
        choice = rest if rest in {"keep", "requeue"} else None
        held = len(self._book.mine())
        if choice is None and held:
            self._chat.say("agent.offline_choice", count=held)
            return
        await self._set_status(AgentStatus.OFFLINE, "requeue" if choice == "requeue" else "keep")

    async def _set_status(self, status: AgentStatus, kept: Literal["keep", "requeue"] | None = None) -> None:
        params = SetStatusParams(status=status)
        if kept is not None:
            params = SetStatusParams(status=status, open_conversations=kept)
        self._desk.asking()
        self._desk.took((await self._chat.link.ask("agent.set_status", params, AgentResult)).agent)

    async def _capacity(self, rest: str) -> None:
        if not rest.isdecimal() or not 1 <= int(rest) <= 500:
            self._chat.say("agent.capacity_usage")
            return
        params = SetCapacityParams(capacity=int(rest))
        self._desk.asking()
        self._desk.took((await self._chat.link.ask("agent.set_capacity", params, AgentResult)).agent)

    # --- who is where --------------------------------------------------------------------------------------------

    async def _list(self, rest: str) -> None:
        entries = self._book.mine()
        if not entries:
            self._chat.say("agent.list_empty")
        for entry in entries:
            now = entry.conversation
            waits = self._chat.link.waiting_since(now.conversation_id)
            self._chat.say(
                "agent.list_line",
                n=entry.number,
                customer=self._name(entry),
                order_state=self._words.word("order_state", now.order_state),
                state=self._words.word("life", now.state),
                waiting=self._words("agent.list_waiting", time=sentences.age(self._words, waits))
                if waits
                else "",
                mark=self._words("agent.list_mark") if entry is self._book.current else "",
            )

    async def _show_queue(self, rest: str) -> None:
        params = ListParams(scope="queue", limit=PAGE)
        page = await self._chat.link.ask("conversation.list", params, ListResult)
        self._queue = [one for one in page.conversations if one.queue is not None]
        if not self._queue:
            self._chat.say("agent.queue_empty")
        for pool in page.pools:
            if pool.length:
                self._chat.show(sentences.pool(self._words, pool))
        for number, one in enumerate(self._queue, 1):
            if one.queue is not None:
                self._chat.show(sentences.waiting(self._words, number, one, one.queue))

    async def _agents(self, rest: str) -> None:
        for card in await self._naming.cards():
            self._chat.show(sentences.agent(self._words, card))

    async def _slots(self, rest: str) -> None:
        ledger = await self._chat.link.ask("agent.slots", SlotsParams(), SlotsResult)
        card = ledger.agent
        self._chat.say("agent.slots_head", name=card.name, load=card.load, capacity=card.capacity)
        if not ledger.slots:
            self._chat.say("agent.slots_empty")
        for slot in ledger.slots:
            self._chat.show(f"  {sentences.slot(self._words, slot)}")

    async def _why(self, rest: str) -> None:
        entry = self._desk.entry("/why", rest)
        if entry is None:
            return
        params = ConversationParams(conversation_id=entry.conversation.conversation_id)
        why = await self._chat.link.ask("conversation.explain", params, ExplainResult)
        self._chat.say("why.head", n=entry.number, customer=self._name(entry))
        for decision in why.decisions:
            for line in sentences.decision(self._words, decision):
                self._chat.show(f"  {line}")
        if why.waiting is not None:
            for line in sentences.wait(self._words, why.waiting):
                self._chat.show(f"  {line}")

    # --- conversations -------------------------------------------------------------------------------------------

    async def _open(self, rest: str) -> None:
        entry = self._desk.entry("/open", rest)
        if entry is None:
            return
        self._book.current = entry
        self._chat.say("agent.current", n=entry.number, customer=self._name(entry))
        await self._desk.history(entry, HISTORY)

    async def _history(self, rest: str) -> None:
        entry = self._desk.entry("/history", "")
        if entry is not None:
            await self._desk.history(
                entry, int(rest) if rest.isdecimal() and 0 < int(rest) <= 200 else HISTORY
            )

    async def _pull(self, rest: str) -> None:
        params = PullParams()
        if rest:
            if not rest.isdecimal() or not 1 <= int(rest) <= len(self._queue):
                self._chat.say("agent.number_usage", command="/pull")
                return
            params = PullParams(conversation_id=self._queue[int(rest) - 1].conversation_id)
        try:
            result = await self._chat.link.ask("conversation.pull", params, ConversationResult)
        except RequestError as error:
            if error.reason != "pool_empty":
                raise
            self._chat.say("agent.nothing_to_pull")
            return
        await self._desk.apply(result.conversation)

    async def _transfer(self, rest: str) -> None:
        entry = self._desk.entry("/transfer", "")
        if entry is None:
            return
        if not rest:
            self._chat.say("agent.transfer_usage")
            return
        stays = rest.startswith("+")
        rest = rest.removeprefix("+")
        group = await self._naming.group(rest) if rest.startswith("@") else None
        person = None if rest.startswith("@") else await self._naming.colleague(rest)
        if group is None and person is None:
            return
        params = TransferParams(
            conversation_id=entry.conversation.conversation_id,
            account_id=None if person is None else person[0].account_id,
            group_id=None if group is None else group[0].group_id,
            assign_epoch=entry.conversation.assign_epoch,
            stay=stays,
            reason=(person or group or (None, ""))[1],
        )
        result = await self._chat.link.ask("conversation.transfer", params, ConversationResult)
        await self._desk.apply(result.conversation)

    async def _end(self, rest: str) -> None:
        entry = self._desk.entry("/end", rest)
        if entry is not None:
            params = FencedParams(
                conversation_id=entry.conversation.conversation_id,
                assign_epoch=entry.conversation.assign_epoch,
            )
            result = await self._chat.link.ask("conversation.end", params, ConversationResult)
            await self._desk.apply(result.conversation)

    async def _reopen(self, rest: str) -> None:
        entry = self._desk.entry("/reopen", rest) if rest else self._last_ended()
        if entry is not None:
            params = ConversationParams(conversation_id=entry.conversation.conversation_id)
            result = await self._chat.link.ask("conversation.reopen", params, ConversationResult)
            self._book.current = entry
            await self._desk.apply(result.conversation)

    async def _requeue(self, rest: str) -> None:
        entry = self._desk.entry("/requeue", "")
        if entry is not None:
            params = RequeueParams(
                conversation_id=entry.conversation.conversation_id,
                assign_epoch=entry.conversation.assign_epoch,
                reason=rest,
            )
            result = await self._chat.link.ask("conversation.requeue", params, ConversationResult)
            await self._desk.apply(result.conversation)

    def _last_ended(self) -> Entry | None:
        ended = [entry for entry in self._book.mine() if entry.conversation.state is Life.WRAP_UP]
        if not ended:
            self._chat.say("agent.none")
            return None
        return max(ended, key=lambda entry: entry.conversation.wrap_up_until or "")

    def _name(self, entry: Entry) -> str:
        return sentences.customer(self._words, entry.conversation.customer)
