"""What colleagues do, as an agent's terminal tells it: notes, invitations, mentions, drafts, work, alarms, the wall."""

from protocol.events import (
    AlarmChanged,
    InvitationEnded,
    InvitationReceived,
    ItemChanged,
    Mentioned,
    Notice,
    TypingChanged,
    WallChanged,
    WatchingChanged,
)
from protocol.shapes import Message, Shape, SystemBody
from server.chat import sentences
from server.chat.agent_book import Book
from server.chat.chat import Chat
from server.chat.colleague_commands import ColleagueCommands
from server.chat.supervisor_commands import SupervisorCommands
from server.chat.work_commands import WorkCommands


class ColleagueNews:
    """Tells it. `hear` is True for what it understood."""

    def __init__(
        self,
        chat: Chat,
        book: Book,
        colleagues: ColleagueCommands,
        work: WorkCommands,
        supervisor: SupervisorCommands,
    ) -> None:
        self._chat = chat
        self._words = chat.words
        self._book = book
        self._colleagues = colleagues
        self._work = work
        self._supervisor = supervisor
        self._drafts: dict[tuple[str, str], str] = {}
        """what a colleague's draft said when it was shown last"""

    def hear(self, payload: Shape) -> bool:
        """Something about colleagues."""
        match payload:
            case InvitationReceived():
                asked = payload.invitation
                why = self._words("colleague.asked_why", reason=asked.reason) if asked.reason else ""
                self._chat.say(
                    "colleague.asked",
                    n=self._colleagues.asked(asked.conversation_id),
                    by=sentences.party(self._words, asked.by),
                    customer=sentences.customer(self._words, asked.customer),
                    reason=why,
                )
            case InvitationEnded():
                entry = self._book.find(payload.conversation_id)
                if entry is None or not self._book.takes_part(entry.conversation):
                    number = self._colleagues.asked(payload.conversation_id)
                    self._chat.say("colleague.asked_no_longer", n=number)
            case Mentioned():
                self._mentioned(payload)
            case ItemChanged():
                self._item(payload)
            case AlarmChanged():
                self._alarm(payload)
            case WatchingChanged():
                self._book.watching = set(payload.watching)
            case WallChanged():
                self._supervisor.show(payload.wall)
            case Notice():
                self._chat.say("colleague.notice", text=payload.text)
            case _:
                return False
        return True

    def drafted(self, typing: TypingChanged) -> bool:
        """A colleague's draft (CO-03). False: it was the customer who typed."""
        if typing.who.kind == "customer":
            return False
        entry, key = self._book.find(typing.conversation_id), (typing.conversation_id, typing.who.id or "")
        if not typing.typing:
            self._drafts.pop(key, None)
        elif entry is not None and key not in self._drafts:
            self._drafts[key] = typing.text  # shown once, when it begins: lines cannot be taken back
            said = "colleague.holds" if typing.holds_reply else "colleague.typing"
            name = sentences.party(self._words, typing.who)
            self._chat.say(said, n=entry.number, name=name, text=typing.text)
        return True

    def said(self, message: Message) -> bool:
        """An entry for colleagues only, if it is one that somebody did rather than said: shown as it is."""
        if not message.internal or not isinstance(message.body, SystemBody):
            return False
        entry = self._book.find(message.conversation_id)
        if entry is not None:
            time = sentences.clock(message.created_at)
            self._chat.show(f"#{entry.number} {time} · {sentences.happened(self._words, message.body)}")
        return True

    def _mentioned(self, told: Mentioned) -> None:
        if told.mention.read_at is not None:
            return
        entry = self._book.find(told.mention.conversation_id)
        name, text = sentences.party(self._words, told.mention.by), told.mention.text
        if entry is None:
            self._chat.say("colleague.named_elsewhere", name=name, text=text)
        else:
            self._chat.say("colleague.named", n=entry.number, name=name, text=text)

    def _item(self, told: ItemChanged) -> None:
        entry, item = self._book.find(told.item.conversation_id), told.item
        if entry is not None and not item.removed:
            owner = (
                self._words("work.owner", name=sentences.party(self._words, item.owner)) if item.owner else ""
            )
            mark = "✓" if item.done else "·"
            self._chat.say("work.changed", n=entry.number, mark=mark, text=item.text, owner=owner)

    def _alarm(self, told: AlarmChanged) -> None:
        number = self._work.alarmed(told.alarm.alarm_id)
        if told.alarm.cleared_at is not None:
            self._chat.say("work.cleared", n=number)
        else:
            self._chat.show(sentences.alarm(self._words, number, told.alarm))
