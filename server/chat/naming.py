"""Whom a typed line names: colleagues and groups by whole name or its unmistakable beginning."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from protocol.cards import GroupTarget
from protocol.methods.agents import AgentListResult
from protocol.methods.collaboration import TargetsParams, TargetsResult
from protocol.methods.session import Nothing
from protocol.shapes import AgentCard
from server.chat.chat import Chat

T = TypeVar("T")
MENTION = re.compile(r"(?<!\S)@(\S+)")


class Naming:
    """Finds people and groups; what cannot be found is said, and None."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def cards(self) -> list[AgentCard]:
        """All colleagues who serve."""
        return (await self._chat.link.ask("agent.list", Nothing(), AgentListResult)).agents

    async def colleague(self, rest: str) -> tuple[AgentCard, str] | None:
        """The colleague that a line begins with, and the words after it."""
        found = self._named(await self.cards(), lambda card: card.name, rest)
        if found is None:
            self._chat.say("agent.unknown_agent", name=rest.partition(" ")[0])
        return found

    async def group(self, rest: str) -> tuple[GroupTarget, str] | None:
        """The group that a line begins with (after its @), and the words after it."""
        params = TargetsParams(act="invite")
        groups = (await self._chat.link.ask("agent.targets", params, TargetsResult)).groups
        found = self._named(groups, lambda group: group.name, rest.removeprefix("@"))
        if found is None:
            names = ", ".join(group.name for group in groups) or "-"
            self._chat.say("colleague.unknown_group", name=rest.partition(" ")[0], names=names)
        return found

    async def mentioned(self, text: str) -> list[str]:
        """The ids of the colleagues whom a note names with @Name; an @ that names nobody is only text."""
        words = MENTION.findall(text)
        if not words:
            return []
        cards = await self.cards()
        ids: list[str] = []
        for word in words:
            begins = [card for card in cards if card.name.lower().startswith(word.lower().rstrip(".,:;!?"))]
            if len(begins) == 1 and begins[0].account_id not in ids:
                ids.append(begins[0].account_id)
        return ids

    def _named(self, things: Sequence[T], name: Callable[[T], str], rest: str) -> tuple[T, str] | None:
        lowered = rest.lower()
        whole = [thing for thing in things if f"{lowered} ".startswith(f"{name(thing).lower()} ")]
        if whole:
            longest = max(whole, key=lambda thing: len(name(thing)))
            return longest, rest[len(name(longest)) :].strip()
        first, _, more = rest.partition(" ")
        begins = [thing for thing in things if first and name(thing).lower().startswith(first.lower())]
        if len(begins) > 1:
            self._chat.say(
                "agent.ambiguous_agent", name=first, names=", ".join(name(thing) for thing in begins)
            )
        return (begins[0], more.strip()) if len(begins) == 1 else None
