"""Working together from the terminal: inviting, joining, leaving, notes and mentions (CO-01 to CO-06, CO-10)."""

from typing import Final

from protocol.methods.collaboration import (
    InvitationsResult,
    InviteParams,
    InviteResult,
    MentionReadParams,
    MentionsParams,
    MentionsResult,
    ParticipationResult,
    RemoveParams,
    TakePartParams,
    TargetsParams,
    TargetsResult,
)
from protocol.methods.conversations import EarlierParams, ListResult
from protocol.methods.session import Nothing
from server.chat import sentences
from server.chat.chat import Run
from server.chat.desk import Seat

PAGE: Final = 20


class ColleagueCommands:
    """The commands about colleagues; `table` names them."""

    def __init__(self, seat: Seat) -> None:
        self._chat, self._words = seat.chat, seat.words
        self._book, self._desk, self._naming = seat.book, seat.desk, seat.naming
        self._invited: list[str] = []
        """conversations of the invitations as they were listed last"""
        self.table: dict[str, Run] = {
            "invite": self._invite,
            "invitations": self._invitations,
            "join": self._join,
            "decline": self._decline,
            "depart": self._depart,
            "remove": self._remove,
            "people": self._people,
            "targets": self._targets,
            "note": self._note,
            "mentions": self._mentions,
            "shared": self._shared,
            "earlier": self._earlier,
        }

    def asked(self, conversation_id: str) -> int:
        """An invitation came: its number for /join."""
        if conversation_id not in self._invited:
            self._invited.append(conversation_id)
        return self._invited.index(conversation_id) + 1

    # --- who takes part ----------------------------------------------------------------------------------------------
    async def _invite(self, rest: str) -> None:
        entry = self._desk.entry("/invite", "")
        if entry is None:
            return
        if not rest:
            self._chat.say("colleague.invite_usage")
            return
        conversation_id = entry.conversation.conversation_id
        if rest.startswith("@"):
            group = await self._naming.group(rest)
            if group is None:
                return
            name, reason = group[0].name, group[1]
            params = InviteParams(conversation_id=conversation_id, group_id=group[0].group_id, reason=reason)
        else:
            person = await self._naming.colleague(rest)
            if person is None:
                return
            name, reason = person[0].name, person[1]
            params = InviteParams(
                conversation_id=conversation_id, account_ids=[person[0].account_id], reason=reason
            )
        done = await self._chat.link.ask("participant.invite", params, InviteResult)
        self._chat.say("colleague.invited" if done.invited else "colleague.nobody_new", name=name)

    async def _invitations(self, rest: str) -> None:
        found = await self._chat.link.ask("participant.invitations", Nothing(), InvitationsResult)
        if not found.invitations:
            self._chat.say("colleague.no_invitations")
        for one in found.invitations:
            self._chat.say(
                "colleague.invitation",
                n=self.asked(one.conversation_id),
                by=sentences.party(self._words, one.by),
                customer=sentences.customer(self._words, one.customer),
                reason=one.reason or "-",
            )

    async def _join(self, rest: str) -> None:
        conversation_id, reason = self._asked_or_listed("/join", rest)
        if conversation_id is None:
            return
        params = TakePartParams(conversation_id=conversation_id, reason=reason)
        joined = await self._chat.link.ask("participant.join", params, ParticipationResult)
        await self._desk.apply(joined.conversation)
        entry = self._book.find(conversation_id)
        if entry is not None:
            self._book.current = entry
            name = sentences.customer(self._words, entry.conversation.customer)
            self._chat.say("agent.current", n=entry.number, customer=name)
            await self._desk.history(entry, PAGE)

    async def _decline(self, rest: str) -> None:
        conversation_id, reason = self._asked_or_listed("/decline", rest)
        if conversation_id is not None:
            params = TakePartParams(conversation_id=conversation_id, reason=reason)
            await self._chat.link.ask("participant.decline", params, Nothing)
            self._chat.say("colleague.declined")

    async def _depart(self, rest: str) -> None:
        entry = self._desk.entry("/depart", "")
        if entry is not None:
            params = TakePartParams(conversation_id=entry.conversation.conversation_id, reason=rest)
            await self._chat.link.ask("participant.leave", params, Nothing)

    async def _remove(self, rest: str) -> None:
        entry = self._desk.entry("/remove", "")
        if entry is None:
            return
        if not rest:
            self._chat.say("colleague.remove_usage")
            return
        person = await self._naming.colleague(rest)
        if person is not None:
            params = RemoveParams(
                conversation_id=entry.conversation.conversation_id,
                account_id=person[0].account_id,
                reason=person[1],
            )
            done = await self._chat.link.ask("participant.remove", params, ParticipationResult)
            await self._desk.apply(done.conversation)

    async def _people(self, rest: str) -> None:
        entry = self._desk.entry("/people", rest)
        if entry is None:
            return
        now = entry.conversation
        self._chat.say("colleague.owner", name=sentences.party(self._words, now.owner))
        for one in now.participants:
            role = self._words.word("part", one.role)
            self._chat.say("colleague.participant", name=sentences.party(self._words, one.person), role=role)
        for one in now.watchers:
            self._chat.say(
                "colleague.participant",
                name=sentences.party(self._words, one),
                role=self._words.word("part", "watcher"),
            )

    async def _targets(self, rest: str) -> None:
        entry = self._book.current
        params = TargetsParams(
            act="invite" if entry is None else "transfer",
            conversation_id=None if entry is None else entry.conversation.conversation_id,
        )
        found = await self._chat.link.ask("agent.targets", params, TargetsResult)
        for target in found.agents:
            why = self._words("colleague.not", why=self._words.word("why_not", target.why_not or ""))
            line = sentences.agent(self._words, target.agent)
            self._chat.show(line if target.permitted else f"{line}{why}")
        for group in found.groups:
            why = self._words("colleague.not", why=self._words.word("why_not", group.why_not or ""))
            line = self._words(
                "colleague.group", name=group.name, online=group.online, with_room=group.with_room
            )
            self._chat.show(line if group.permitted else f"{line}{why}")

    # --- what is said among colleagues -------------------------------------------------------------------------------
    async def _note(self, rest: str) -> None:
        entry = self._desk.entry("/note", "")
        if entry is None:
            return
        if not rest:
            self._chat.say("colleague.note_usage")
            return
        mentions = await self._naming.mentioned(rest)
        await self._chat.link.note(entry.conversation.conversation_id, rest, mentions=mentions)

    async def _mentions(self, rest: str) -> None:
        found = await self._chat.link.ask("mention.list", MentionsParams(), MentionsResult)
        if not found.mentions:
            self._chat.say("colleague.no_mentions")
        for one in found.mentions:
            self._chat.say(
                "colleague.mention",
                time=sentences.clock(one.at),
                name=sentences.party(self._words, one.by),
                text=one.text,
            )
        if found.mentions:
            read = MentionReadParams(message_ids=[one.message_id for one in found.mentions])
            await self._chat.link.ask("mention.read", read, Nothing)

    # --- looking -----------------------------------------------------------------------------------------------------
    async def _shared(self, rest: str) -> None:
        entries = self._book.shared()
        if not entries:
            self._chat.say("colleague.shared_empty")
        for entry in entries:
            now = entry.conversation
            watched = now.conversation_id in self._book.watching
            self._chat.say(
                "colleague.shared_line",
                n=entry.number,
                customer=sentences.customer(self._words, now.customer),
                owner=sentences.party(self._words, now.owner),
                part=self._words.word("part", "watcher" if watched else "collaborator"),
                mark=self._words("agent.list_mark") if entry is self._book.current else "",
            )

    async def _earlier(self, rest: str) -> None:
        entry = self._desk.entry("/earlier", rest)
        if entry is None:
            return
        params = EarlierParams(conversation_id=entry.conversation.conversation_id, limit=PAGE)
        page = await self._chat.link.ask("conversation.earlier", params, ListResult)
        if not page.conversations:
            self._chat.say("colleague.earlier_empty")
        for one in page.conversations:
            last = "" if one.last_message is None else sentences.content(self._words, one.last_message)
            self._chat.say(
                "colleague.earlier_line",
                day=sentences.moment(one.opened_at).astimezone().strftime("%Y-%m-%d %H:%M"),
                owner=sentences.party(self._words, one.owner),
                state=self._words.word("order_state", one.order_state),
                text=last,
            )

    def _asked_or_listed(self, command: str, rest: str) -> tuple[str | None, str]:
        """The conversation of a numbered invitation, of the newest one, or of a listed conversation; and a reason."""
        first, _, reason = rest.partition(" ")
        number = first.removeprefix("#")
        if not first and self._invited:
            return self._invited[-1], ""
        if number.isdecimal() and 1 <= int(number) <= len(self._invited):
            return self._invited[int(number) - 1], reason
        if number.isdecimal() and 1 <= int(number) <= len(self._book.listed):
            return self._book.listed[int(number) - 1], reason
        self._chat.say("agent.number_usage", command=command)
        return None, ""
