"""Keeps the board true: asks as a supervisor, over the same protocol as everybody, once a second."""

import asyncio
from typing import Final

from protocol.errors import RequestError
from protocol.methods.agents import AgentListResult
from protocol.methods.conversations import ConversationParams, ExplainResult, ListParams, ListResult
from protocol.methods.session import Nothing
from protocol.shapes import Conversation
from protocol.states import Life
from server.chat.link import Link, LinkDown
from server.demo.board import Board, Decided

EVERY_S: Final = 1.0
PAGE: Final = 100
FORGOTTEN_AFTER: Final = 5000


class Watcher:
    """Reads agents, pools and conversations; explains what changed hands since the last look."""

    def __init__(self, link: Link, board: Board) -> None:
        self._link = link
        self._board = board
        self._seen: dict[str, tuple[int, int]] = {}
        """conversation -> its `rev` at the last look, and the last decision told"""
        self._start = link.hello.server_time
        """decisions of earlier runs are no news"""

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self._look()
            except LinkDown:
                await self._link.wait_up()
            except RequestError as error:
                self._board.failed(f"board: {error.reason}")
            await asyncio.sleep(EVERY_S)

    async def _look(self) -> None:
        agents = await self._link.ask("agent.list", Nothing(), AgentListResult)
        queue = await self._link.ask("conversation.list", ListParams(scope="queue", limit=PAGE), ListResult)
        everything = await self._link.ask(
            "conversation.list", ListParams(scope="all", limit=PAGE), ListResult
        )
        board = self._board
        board.agents = [card for card in agents.agents if not self._serves_nobody(card.account_id)]
        board.pools = agents.pools
        board.waiting = queue.conversations
        board.unanswered = _unanswered(everything.conversations)
        news = [entry for one in everything.conversations for entry in await self._news(one)]
        for entry in sorted(news, key=lambda entry: entry.decision.at):
            board.decided(entry)
        if len(self._seen) > FORGOTTEN_AFTER:
            current = {one.conversation_id for one in everything.conversations}
            self._seen = {key: value for key, value in self._seen.items() if key in current}

    def _serves_nobody(self, account_id: str) -> bool:
        return account_id in self._board.observers

    async def _news(self, conversation: Conversation) -> list[Decided]:
        """The decisions about a conversation since the last look."""
        rev, told = self._seen.get(conversation.conversation_id, (-1, -1))
        if conversation.rev == rev:
            return []
        if conversation.state is Life.CLOSED and (conversation.closed_at or "") < self._start:
            self._seen[conversation.conversation_id] = (conversation.rev, told)
            return []
        params = ConversationParams(conversation_id=conversation.conversation_id)
        why = await self._link.ask("conversation.explain", params, ExplainResult)
        last = max((decision.rev for decision in why.decisions), default=told)
        self._seen[conversation.conversation_id] = (conversation.rev, last)
        return [
            Decided(conversation, decision)
            for decision in why.decisions
            if decision.rev > told and decision.at >= self._start
        ]


def _unanswered(conversations: list[Conversation]) -> dict[str, str]:
    """Agent -> since when the longest unanswered of their customers waits."""
    since: dict[str, str] = {}
    for one in conversations:
        if one.state is not Life.ACTIVE or one.waiting_since is None:
            continue
        if one.owner is not None and one.owner.id is not None:
            since[one.owner.id] = min(one.waiting_since, since.get(one.owner.id, one.waiting_since))
    return since
