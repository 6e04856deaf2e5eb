"""Tells a desk what changed in what it shows: conversations in which it takes no part, and the head of the list of all.

A desk names what it has in sight and how it knows it (`conversation.follow`). Per shop with such desks here one look
every `period_s`, by the same rounds as the walls: for each way of seeing, at the revisions of what is shown and at the
head of the list. What changed is read once and sent to the desks that show it; nothing else is read or sent, and
without changes nothing. Reach is judged anew in every round (GP-02): what left it is told as gone.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from protocol.events import EVENTS, ConversationFollowed
from protocol.ids import ConversationId, ShopId
from protocol.methods.conversations import FOLLOWED_MAX, FollowParams
from protocol.methods.session import Nothing
from protocol.shapes import Conversation
from server.push import Push, notification
from server.services.rounds import keep
from server.services.scope import Scope
from server.services.seeing import Seeing
from server.services.views import Audience
from server.session import Session
from server.store.followed import Followed, Mark
from server.store.within import EVERYTHING, Within

HEAD: Final = 50
"""Of the list of all, so many are kept up with: a page."""


Marks = dict[ConversationId, Mark | None]
"""None: out of reach, or not there; the two look alike"""


@dataclass(slots=True)
class Shown:
    """What one desk shows. `head`: also whatever comes to the head of the list of all."""

    marks: dict[ConversationId, Mark]
    """as it was told last, or knows it"""
    head: bool


class ListFeed:
    """`conversation.follow`. `present`: whether a session's connection is still there."""

    def __init__(
        self,
        followed: Followed,
        seeing: Seeing,
        scope: Scope,
        present: Callable[[Session], bool],
        *,
        period_s: float,
    ) -> None:
        self._followed = followed
        self._seeing = seeing
        self._scope = scope
        self._present = present
        self._period_s = period_s
        self._desks: dict[ShopId, dict[Session, Shown]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Desks that are told."""
        return sum(len(desks) for desks in self._desks.values())

    async def aclose(self) -> None:
        """Nobody is told anything any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def follow(self, session: Session, params: FollowParams) -> Nothing:
        """`conversation.follow`. What somebody may not see is never told of, and not refused either: it may come into
        their reach while they look."""
        desks = self._desks.get(session.shop_id)
        if not params.conversations and not params.head:
            if desks is not None:
                desks.pop(session, None)
            return Nothing()
        if desks is None:
            desks = self._desks[session.shop_id] = {}
            task = asyncio.create_task(self._keep(session.shop_id, desks), name=f"lists:{session.shop_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        marks = {
            ConversationId(each.conversation_id): Mark(each.rev, each.head_seq)
            for each in params.conversations
        }
        desks[session] = Shown(marks, params.head)
        return Nothing()

    async def _keep(self, shop: ShopId, desks: dict[Session, Shown]) -> None:
        await keep(
            "lists",
            shop,
            desks,
            lambda: self._round(shop, desks),
            present=self._present,
            period_s=self._period_s,
        )
        del self._desks[shop]

    async def _round(self, shop: ShopId, desks: dict[Session, Shown]) -> None:
        eyes: dict[Within, list[tuple[Session, Shown]]] = {}
        for session, shown in tuple(desks.items()):
            eyes.setdefault(_eyes(await self._scope.within(session)), []).append((session, shown))
        for within, alike in eyes.items():
            wanted = {conversation for _, shown in alike for conversation in shown.marks}
            marks = await self._followed.marks(shop, wanted, within) if wanted else {}
            heads = any(shown.head for _, shown in alike)
            newest = await self._followed.newest(shop, within, most=HEAD) if heads else {}
            news = [(session, shown, _news(shown, marks, newest)) for session, shown in alike]
            await self._tell(shop, within, [each for each in news if each[2]])

    async def _tell(self, shop: ShopId, within: Within, news: list[tuple[Session, Shown, Marks]]) -> None:
        """Everybody theirs, and remember it."""
        changed = {
            conversation for _, _, marks in news for conversation, mark in marks.items() if mark is not None
        }
        views = await self._followed.views(shop, changed, within) if changed else {}
        pushes = {
            each: _push(each, await self._seeing.shown(view, Audience.STAFF)) for each, view in views.items()
        }
        for session, shown, marks in news:
            for conversation, mark in marks.items():
                if mark is None or conversation not in views:
                    shown.marks.pop(conversation, None)
                    session.send(pushes.setdefault(conversation, _push(conversation, None)))
                else:
                    shown.marks.pop(conversation, None)  # the latest told come last
                    shown.marks[conversation] = mark
                    session.send(pushes[conversation])
            for conversation in tuple(shown.marks)[: -2 * FOLLOWED_MAX]:
                del shown.marks[conversation]  # a desk that never says what it shows now


def _eyes(within: Within) -> Within:
    """Who reaches everything sees what anybody does who reaches everything."""
    return EVERYTHING if within.holders is None and within.pools is None else within


def _news(shown: Shown, marks: Mapping[ConversationId, Mark], newest: Mapping[ConversationId, Mark]) -> Marks:
    """What a desk does not know yet of what it shows."""
    news: Marks = {each: marks.get(each) for each, known in shown.marks.items() if marks.get(each) != known}
    if shown.head:
        news |= {each: mark for each, mark in newest.items() if each not in shown.marks}
    return news


def _push(conversation: ConversationId, shape: Conversation | None) -> Push:
    event = ConversationFollowed(conversation_id=conversation, conversation=shape)
    method = "conversation.followed"
    return Push((), notification(method, event), EVENTS[method].plane, f"followed:{conversation}")
